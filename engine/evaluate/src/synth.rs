//! Who are the people of a test? A synthetic population: fingers, faces and attributes, all from one seed.
//!
//! Every person and every encounter is reached in O(1) from `(seed, person, encounter)`; nothing is kept between
//! calls, so a population of a hundred million costs no memory. Which encounters stand under which name, and which
//! are hidden duplicates, is the caller's business.
//!
//! ```
//! use khop_evaluate::synth::{Population, PopulationOptions};
//! let population = Population::new(7, PopulationOptions::default());
//! let person = population.person(41);
//! let (enrolled, came_back) = (person.face(0), person.face(1));
//! assert_eq!(enrolled.len(), 512);
//! assert_ne!(enrolled, came_back);
//! assert_eq!(person.fingers(0), population.person(41).fingers(0));
//! ```

mod draws;
mod face;
mod flow;
mod impression;
mod kin;
mod master;
mod options;

use khop_vocabulary::{Attributes, FingerPosition, FingerSample, Region, Sex, SubjectId};

use draws::{Draws, Topic};
use kin::Kin;
pub use kin::Kinship;
use master::Master;
pub use options::{FaceOptions, FingerOptions, PeopleOptions, PopulationOptions};

/// A population without end: person 0, 1, 2 … up to 2⁶⁴.
#[derive(Debug, Clone)]
pub struct Population {
    seed: u64,
    options: PopulationOptions,
    spectrum: Vec<f32>,
}

/// One person of a [`Population`]: cheap to make, samples are made on demand.
#[derive(Debug, Clone)]
pub struct Person<'a> {
    population: &'a Population,
    number: u64,
    kin: Kin,
    /// `P` and the person's number.
    pub subject: SubjectId,
    /// Year of birth, sex, region.
    pub attributes: Attributes,
}

impl Population {
    /// The population of this seed. The same seed and options always give the same people.
    #[must_use]
    pub fn new(seed: u64, options: PopulationOptions) -> Self {
        let spectrum = face::spectrum(&options.face);
        Self { seed, options, spectrum }
    }

    /// The person of this number.
    #[must_use]
    pub fn person(&self, number: u64) -> Person<'_> {
        let kin = Kin::of(self.seed, &self.options.people, number);
        // Twins are born in one year, of one sex, in one place.
        let mut attributes = self.drawn(kin.twins.unwrap_or(number));
        if let Some(first) = kin.family {
            let family = self.drawn(first);
            let nearest = |year: u16| {
                let born = family.year_of_birth.unwrap_or(year);
                // The family's year, and up to ten after or before it.
                born.saturating_add(year % 21).saturating_sub(10)
            };
            let PeopleOptions { born_from, born_to, .. } = self.options.people;
            attributes.year_of_birth =
                attributes.year_of_birth.map(|y| nearest(y).clamp(born_from, born_to.max(born_from)));
            attributes.region = family.region;
        }
        let subject = SubjectId::new(format!("P{number:09}")).expect("a letter and digits make an identifier");
        Person { population: self, number, kin, subject, attributes }
    }

    /// Year of birth, sex and region as they are drawn for a number.
    fn drawn(&self, number: u64) -> Attributes {
        let people = &self.options.people;
        let mut draws = Draws::of(self.seed, Topic::Attributes, 0, number, 0);
        let span = u64::from(people.born_to.saturating_sub(people.born_from)) + 1;
        // A pyramid: the younger of two draws.
        let born = people.born_from + draws.below(span).max(draws.below(span)) as u16;
        let sex = if draws.chance(0.5) { Sex::Female } else { Sex::Male };
        let region = 1 + (f64::from(people.regions) * draws.uniform().powf(1.7)) as u16;
        Attributes {
            year_of_birth: Some(born),
            sex: Some(sex),
            region: Some(Region::new(format!("R{region:02}")).expect("a letter and digits make an identifier")),
        }
    }
}

impl Person<'_> {
    /// The numbers of everyone related to this person, rising; some may lie beyond those that a caller makes.
    pub fn relatives(&self) -> impl Iterator<Item = (u64, Kinship)> {
        self.kin.relatives()
    }

    /// One impression of every finger the person has, in the order of [`FingerPosition::TEN`]; about 1 ms.
    ///
    /// Fewer than ten when a finger is amputated or its impression showed no minutia at all. Every encounter is
    /// another capture of the same fingers.
    #[must_use]
    pub fn fingers(&self, encounter: u32) -> Vec<FingerSample> {
        FingerPosition::TEN.into_iter().filter_map(|position| self.finger(position, encounter)).collect()
    }

    /// One impression of one finger, at 500 dpi; `None` when it is missing, showed nothing, or `position` is
    /// [`FingerPosition::Unknown`].
    #[must_use]
    pub fn finger(&self, position: FingerPosition, encounter: u32) -> Option<FingerSample> {
        let Population { seed, options, .. } = self.population;
        let (options, code) = (&options.finger, position.code());
        let index = usize::from(code.checked_sub(1)?);
        let stream = |topic, part, occasion| Draws::of(*seed, topic, part, self.number, occasion);

        let mut hand = stream(Topic::Hand, 0, 0);
        let (size, skin) = (1.0 + 0.06 * hand.normal().clamp(-2.5, 2.5), hand.log_normal(0.25));
        let worn = hand.chance(options.worn_hands);
        let mut own = stream(Topic::Hand, code, 0);
        if own.chance(options.amputated) {
            return None;
        }
        let mut capture = stream(Topic::Capture, 0, u64::from(encounter));
        let mut draws = stream(Topic::Impression, code, u64::from(encounter));
        let dead = draws.chance(if worn { options.dead.max(1.0 / 3.0) } else { options.dead });
        let hardship = skin * capture.log_normal(0.2) * draws.log_normal(0.35) * if worn { 2.0 } else { 1.0 };

        let master = Master::draw(
            index % 5,
            index < 5,
            size,
            &mut Draws::of(*seed, Topic::Flow, code, self.whose_flow(code), 0),
            &mut stream(Topic::Minutiae, code, 0),
        );
        impression::impression(&master, position, hardship, dead, options, &mut draws)
    }

    /// Whose ridge flow a finger has: twins share that of some of their fingers.
    fn whose_flow(&self, code: u8) -> u64 {
        let Population { seed, options, .. } = self.population;
        let is_shared =
            |first: &u64| Draws::of(*seed, Topic::TwinFlow, code, *first, 0).chance(options.finger.twin_flow);
        self.kin.twins.filter(is_shared).unwrap_or(self.number)
    }

    /// One face as a unit vector of [`FaceOptions::dim`] numbers; every encounter is another image. About 60 µs.
    #[must_use]
    pub fn face(&self, encounter: u32) -> Vec<f32> {
        let Population { seed, options, spectrum } = self.population;
        face::image(*seed, self.number, self.kin, encounter, spectrum, &options.face)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn population() -> Population {
        Population::new(11, PopulationOptions::default())
    }

    #[test]
    fn a_person_is_the_same_again_and_nobody_else() {
        let (a, b) = (population(), population());
        let person = a.person(1 << 40);
        assert_eq!(person.attributes, b.person(1 << 40).attributes);
        assert_eq!(person.face(3), b.person(1 << 40).face(3));
        assert_eq!(person.fingers(3), b.person(1 << 40).fingers(3));
        assert_ne!(person.face(3), person.face(4));
        assert_ne!(person.fingers(3), person.fingers(4));
        assert_ne!(person.face(3), a.person((1 << 40) + 1).face(3));
        assert_ne!(person.face(3), Population::new(12, PopulationOptions::default()).person(1 << 40).face(3));
    }

    #[test]
    fn samples_are_what_a_sensor_could_give() {
        let population = population();
        for number in 0..60 {
            let person = population.person(number);
            person.attributes.validate().unwrap();
            let norm: f32 = person.face(0).iter().map(|v| v * v).sum();
            assert!((norm - 1.0).abs() < 1e-4, "{norm}");
            let fingers = person.fingers(0);
            assert!((8..=10).contains(&fingers.len()), "{}", fingers.len());
            for finger in fingers {
                finger.validate().unwrap();
                assert!(finger.minutiae.len() <= 120);
                for minutia in &finger.minutiae {
                    assert!(minutia.x_px < finger.width_px && minutia.y_px < finger.height_px);
                    let steps = minutia.angle_deg * 256.0 / 360.0;
                    assert!(steps.fract() == 0.0 && (0.0..256.0).contains(&steps), "{steps}");
                }
            }
        }
    }

    #[test]
    fn faces_have_the_spread_and_the_heavy_tail_asked_for() {
        let population = population();
        let cosine = |a: &[f32], b: &[f32]| f64::from(a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>());
        let faces: Vec<_> = (0..700).map(|i| [0, 1].map(|encounter| population.person(i).face(encounter))).collect();
        let mated: Vec<f64> = faces.iter().map(|[a, b]| cosine(a, b)).collect();
        let mut non_mated: Vec<f64> = (0..700)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .map(|(i, j)| cosine(&faces[i][0], &faces[j][0]))
            .collect();
        non_mated.sort_by(f64::total_cmp);
        let moments = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
        };
        let ((mean, spread), (non_mean, non_spread)) = (moments(&mated), moments(&non_mated));
        assert!((mean - 0.61).abs() < 0.02 && (spread - 0.117).abs() < 0.02, "mated {mean} {spread}");
        assert!((non_mean - 0.008).abs() < 0.01 && (non_spread - 0.067).abs() < 0.004, "{non_mean} {non_spread}");
        let at = |fmr: f64| non_mated[non_mated.len() - (fmr * non_mated.len() as f64) as usize];
        // A Gaussian of this spread would stand at 0.214 and 0.256.
        assert!((at(1e-3) - 0.23).abs() < 0.012 && (at(1e-4) - 0.285).abs() < 0.025, "{} {}", at(1e-3), at(1e-4));
    }

    #[test]
    fn relatives_have_a_part_of_their_face_in_common() {
        let people = PeopleOptions { siblings: 1.0, twins: 0.5, ..PeopleOptions::default() };
        let population = Population::new(3, PopulationOptions { people, ..PopulationOptions::default() });
        let cosine = |a: u64, b: u64| -> f64 {
            let [a, b] = [population.person(a).face(0), population.person(b).face(1)];
            f64::from(a.iter().zip(&b).map(|(a, b)| a * b).sum::<f32>())
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (mut twins, mut siblings, mut mated, mut strangers) = (vec![], vec![], vec![], vec![]);
        for number in 0..800 {
            mated.push(cosine(number, number));
            strangers.push(cosine(number, number + 4));
            for (other, kinship) in population.person(number).relatives() {
                match kinship {
                    Kinship::Twin => twins.push(cosine(number, other)),
                    Kinship::Sibling => siblings.push(cosine(number, other)),
                }
            }
        }
        // What a direction has in common, times what an image has of its direction.
        let [twins, siblings, mated, strangers] = [twins, siblings, mated, strangers].map(|values| mean(&values));
        assert!((mated - 0.61).abs() < 0.02 && strangers.abs() < 0.02, "{mated} {strangers}");
        assert!((siblings / mated - 0.35).abs() < 0.03, "{siblings} of {mated}");
        let expected = 0.35 + 0.65 * 0.95;
        assert!((twins / mated - expected).abs() < 0.03, "{twins} of {mated}");
    }

    #[test]
    fn relatives_are_born_near_each_other_and_twins_together() {
        let people = PeopleOptions { siblings: 0.5, twins: 0.5, ..PeopleOptions::default() };
        let population = Population::new(3, PopulationOptions { people, ..PopulationOptions::default() });
        let (mut twins, mut siblings) = (0, 0);
        for number in 0..400 {
            let person = population.person(number);
            for (other, kinship) in person.relatives() {
                let other = population.person(other);
                let [a, b] = [&person, &other].map(|p| p.attributes.year_of_birth.unwrap());
                assert!(a.abs_diff(b) <= 20 && (1936..=2018).contains(&a), "{a} {b}");
                assert_eq!(person.attributes.region, other.attributes.region);
                if kinship == Kinship::Twin {
                    assert_eq!(person.attributes, other.attributes);
                    twins += 1;
                } else {
                    siblings += usize::from(a != b);
                }
                // Fingers are everyone's own.
                assert_ne!(person.fingers(0)[0].minutiae, other.fingers(0)[0].minutiae);
            }
        }
        assert!(twins > 100 && siblings > 200, "{twins} {siblings}");
        let strangers = Population::new(3, PopulationOptions::default());
        let alone = (0..400).find(|&n| population.person(n).relatives().next().is_none()).unwrap();
        assert_eq!(population.person(alone).face(0), strangers.person(alone).face(0), "others stay who they are");
    }

    #[test]
    fn shares_are_kept() {
        let finger = FingerOptions { amputated: 0.25, ..FingerOptions::default() };
        let population = Population::new(1, PopulationOptions { finger, ..PopulationOptions::default() });
        let there: usize = (0..100).map(|i| population.person(i).fingers(0).len()).sum();
        assert!((680..=820).contains(&there), "{there} of 1000 where a quarter is amputated");
        // What is amputated stays so.
        let codes = |encounter| population.person(7).fingers(encounter).iter().map(|f| f.position).collect::<Vec<_>>();
        assert_eq!(codes(0), codes(1));
        let born = (0..500).filter_map(|i| population.person(i).attributes.year_of_birth);
        assert!(born.clone().all(|year| (1936..=2018).contains(&year)) && born.max() > Some(2010));
    }
}
