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
mod master;
mod options;

use khop_vocabulary::{Attributes, FingerPosition, FingerSample, Region, Sex, SubjectId};

use draws::{Draws, Topic};
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
        let people = &self.options.people;
        let mut draws = Draws::of(self.seed, Topic::Attributes, 0, number, 0);
        let span = u64::from(people.born_to.saturating_sub(people.born_from)) + 1;
        // A pyramid: the younger of two draws.
        let born = people.born_from + draws.below(span).max(draws.below(span)) as u16;
        let sex = if draws.chance(0.5) { Sex::Female } else { Sex::Male };
        let region = 1 + (f64::from(people.regions) * draws.uniform().powf(1.7)) as u16;
        Person {
            population: self,
            number,
            subject: SubjectId::new(format!("P{number:09}")).expect("a letter and digits make an identifier"),
            attributes: Attributes {
                year_of_birth: Some(born),
                sex: Some(sex),
                region: Some(Region::new(format!("R{region:02}")).expect("a letter and digits make an identifier")),
            },
        }
    }
}

impl Person<'_> {
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
            &mut stream(Topic::Flow, code, 0),
            &mut stream(Topic::Minutiae, code, 0),
        );
        impression::impression(&master, position, hardship, dead, options, &mut draws)
    }

    /// One face as a unit vector of [`FaceOptions::dim`] numbers; every encounter is another image. About 60 µs.
    #[must_use]
    pub fn face(&self, encounter: u32) -> Vec<f32> {
        let Population { seed, options, spectrum } = self.population;
        face::image(*seed, self.number, encounter, spectrum, &options.face)
    }
}
