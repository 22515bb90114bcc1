//! Are mislabelled fingers found when labels are doubted, and does doubt cost strangers and mates what it must?

mod people;

use khop::{
    Claim, DuplicateCheck, Engine, FingerLabels, FingerPosition, RealmId, Sample, Search, SubjectId, Verification,
};
use people::{encounter, face, fingers, population};

const PEOPLE: u64 = 24;

fn enrolled(dir: &std::path::Path) -> (Engine, khop::Realm) {
    let engine = Engine::builder(dir).threads(2).open().unwrap();
    let realm = engine.realm(&RealmId::new(khop::DEFAULT_REALM).unwrap()).unwrap();
    let population = population();
    for person in 0..PEOPLE {
        let mut encounter = encounter(&population, person, 0, &format!("S{person}"));
        encounter.samples = fingers(&population, person, 0);
        realm.enrol(encounter, DuplicateCheck::Skip).unwrap();
    }
    (engine, realm)
}

fn claim(person: u64) -> Claim {
    Claim::of(SubjectId::new(format!("S{person}")).unwrap())
}

/// The samples with other labels; `label` gives each its new code.
fn labelled(samples: &[Sample], label: impl Fn(u8) -> u8) -> Vec<Sample> {
    let one = |sample: &Sample| {
        let mut view = khop_formats::read_minutiae(&sample.bytes).unwrap().views.remove(0);
        view.position = FingerPosition::from_code(label(view.position.code())).unwrap();
        Sample { bytes: khop_formats::write_iso_2005(&[view]).unwrap(), ..sample.clone() }
    };
    samples.iter().map(one).collect()
}

fn other_hand(code: u8) -> u8 {
    if code <= 5 { code + 5 } else { code - 5 }
}

fn exchanged(lower: u8) -> impl Fn(u8) -> u8 {
    move |code| match code {
        code if code == lower => lower + 1,
        code if code == lower + 1 => lower,
        code => code,
    }
}

fn only(samples: Vec<Sample>, code: u8) -> Vec<Sample> {
    let position = |s: &Sample| khop_formats::read_minutiae(&s.bytes).unwrap().views[0].position.code();
    samples.into_iter().filter(|s| position(s) == code).collect()
}

#[test]
fn mislabelled_mates_are_found_at_the_price_that_is_stated() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, realm) = enrolled(dir.path());
    let population = population();
    for person in 0..8 {
        let right = fingers(&population, person, 1);
        let told = realm.verify(&claim(person), &right).unwrap();
        let swapped = labelled(&right, other_hand);
        let believed = realm.verify(&claim(person), &swapped).unwrap();
        assert!(!believed.is_match && believed.llr.nats() < 0.0, "person {person}: a stranger by label");
        assert_eq!((believed.labels.tried, believed.labels.cost.nats()), (1, 0.0));
        let doubted = realm.verify_with(&claim(person), &swapped, FingerLabels::Doubted).unwrap();
        assert!(doubted.is_match, "person {person}: {doubted:?}");
        assert_eq!(doubted.labels.tried, 11);
        assert_eq!(doubted.labels.moved.len(), right.len());
        assert!((told.llr.nats() - doubted.llr.nats() - 11f32.ln()).abs() < 0.01, "what was found less ln 11");
        // Who was labelled rightly pays too.
        let paid = realm.verify_with(&claim(person), &right, FingerLabels::Doubted).unwrap();
        assert!((paid.llr.nats() - doubted.llr.nats()).abs() < 1e-3 && paid.labels.moved.is_empty());
        assert_eq!(paid.evidence, told.evidence);
        assert!(realm.verify_with(&claim(person), &right, FingerLabels::Believed).unwrap() == told);
    }
}

#[test]
fn fingers_put_down_upside_down_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, realm) = enrolled(dir.path());
    let population = population();
    for person in 0..4 {
        let turned: Vec<Sample> = fingers(&population, person, 1).iter().map(upside_down).collect();
        assert!(!realm.verify(&claim(person), &turned).unwrap().is_match, "person {person}: a stranger as put down");
        let doubted = realm.verify_with(&claim(person), &turned, FingerLabels::Doubted).unwrap();
        assert!(doubted.is_match && doubted.labels.upside_down, "person {person}: {doubted:?}");
        assert!(doubted.labels.moved.is_empty());
    }
}

/// The same print turned by half a turn.
fn upside_down(sample: &Sample) -> Sample {
    let mut view = khop_formats::read_minutiae(&sample.bytes).unwrap().views.remove(0);
    for minutia in &mut view.minutiae {
        minutia.x_px = view.width_px - 1 - minutia.x_px;
        minutia.y_px = view.height_px - 1 - minutia.y_px;
        minutia.angle_deg = (minutia.angle_deg + 180.0) % 360.0;
    }
    Sample { bytes: khop_formats::write_iso_2005(&[view]).unwrap(), ..sample.clone() }
}

#[test]
fn one_finger_taken_for_its_neighbour_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, realm) = enrolled(dir.path());
    let population = population();
    let (mut found, mut tried) = (0, 0);
    for person in 0..PEOPLE {
        let middle = labelled(&only(fingers(&population, person, 1), 3), |_| 2);
        if middle.is_empty() {
            continue;
        }
        tried += 1;
        assert!(!realm.verify(&claim(person), &middle).unwrap().is_match, "person {person}");
        let doubted = realm.verify_with(&claim(person), &middle, FingerLabels::Doubted).unwrap();
        assert!(doubted.labels.tried <= 5, "itself both ways up, the other hand, two neighbours: {:?}", doubted.labels);
        let moved = [(FingerPosition::RightIndex, FingerPosition::RightMiddle)];
        if doubted.is_match {
            found += 1;
            assert_eq!(doubted.labels.moved, moved);
            let own = doubted.evidence[0].score.value();
            let cost = 10.0 * (doubted.labels.tried as f32).log10();
            assert!(own >= 199.0 || (own - cost - doubted.score.value()).abs() < 0.01, "{doubted:?}");
        }
    }
    assert!(found * 10 > tried * 7, "{found} of {tried}");
}

#[test]
fn a_search_that_doubts_labels_finds_whom_it_compares() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, realm) = enrolled(dir.path());
    let population = population();
    let doubting = Search { labels: FingerLabels::Doubted, ..Search::default() };
    for person in [2, 9, 17] {
        let swapped = labelled(&fingers(&population, person, 1), other_hand);
        let subject = SubjectId::new(format!("S{person}")).unwrap();
        let believed = realm.identify(&swapped, &Search::default()).unwrap();
        assert!(believed.candidates.iter().all(|c| c.subject != subject), "{believed:?}");
        let doubted = realm.identify(&swapped, &doubting).unwrap();
        assert_eq!(doubted.candidates[0].subject, subject);
        let verified = realm.verify_with(&claim(person), &swapped, FingerLabels::Doubted).unwrap();
        assert_eq!((doubted.candidates[0].llr, doubted.candidates[0].score), (verified.llr, verified.score));
    }
    let stranger = realm.identify(&fingers(&population, 900, 0), &doubting).unwrap();
    assert_eq!(stranger.decision.outcome(), khop::Outcome::Clear);
}

#[test]
fn wrong_labels_are_scanned_for_in_a_gallery_too_large_to_be_compared() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, population) = (Engine::builder(dir.path()).threads(2).open().unwrap(), population());
    let realm = engine.realm(&RealmId::new(khop::DEFAULT_REALM).unwrap()).unwrap();
    let by_fingers = |person: u64| khop::Encounter {
        samples: fingers(&population, person, 0),
        ..encounter(&population, person, 0, &format!("S{person}"))
    };
    for person in 0..600 {
        realm.enrol(by_fingers(person), DuplicateCheck::Skip).unwrap();
    }
    let doubting = Search { labels: FingerLabels::Doubted, ..Search::default() };
    for person in [3, 77, 590] {
        let right = fingers(&population, person, 1);
        let subject = SubjectId::new(format!("S{person}")).unwrap();
        for probe in [labelled(&right, other_hand), labelled(&only(right.clone(), 7), |_| 2)] {
            let first =
                |search: &Search| realm.identify(&probe, search).unwrap().candidates.first().map(|c| c.subject.clone());
            assert_ne!(first(&Search::default()).as_ref(), Some(&subject), "person {person}");
            assert_eq!(first(&doubting).as_ref(), Some(&subject), "person {person}, {} fingers", probe.len());
        }
        let found = realm.identify(&right, &doubting).unwrap();
        let scanned = found.explanation.fingers.unwrap();
        assert!(scanned.people == 600 && scanned.in_bytes < 60 && scanned.kept <= scanned.in_bytes, "{scanned:?}");
        assert!(found.compared < 60);
    }
}

/// What the fingers say before the share of unreadable hands is mixed in.
fn sum_of(verification: &Verification) -> f32 {
    verification.evidence.iter().map(|e| e.llr.nats()).sum()
}

#[test]
fn strangers_gain_no_more_than_the_cost_allows() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, realm) = enrolled(dir.path());
    let population = population();
    let readings: Vec<Box<dyn Fn(u8) -> u8>> = [1, 2, 3, 4, 6, 7, 8, 9]
        .into_iter()
        .map(|lower| Box::new(exchanged(lower)) as Box<dyn Fn(u8) -> u8>)
        .chain([Box::new(|code| code) as Box<dyn Fn(u8) -> u8>, Box::new(other_hand)])
        .collect();
    let (mut doubted_mean, mut mean_of_readings, mut comparisons) = (0.0, 0.0, 0);
    for (person, probe) in (0..PEOPLE).map(|person| (person, fingers(&population, person + 300, 0))) {
        for probe in [probe.clone(), only(probe, 2)].into_iter().filter(|probe| !probe.is_empty()) {
            let doubted = realm.verify_with(&claim(person), &probe, FingerLabels::Doubted).unwrap();
            assert!(!doubted.is_match, "person {person}");
            // Every reading by itself, as if it were what the labels say: independent of how doubt is computed.
            let ratios: Vec<f32> = readings
                .iter()
                .map(|reading| labelled(&probe, reading))
                .chain([probe.iter().map(upside_down).collect()])
                .filter_map(|probe| realm.verify(&claim(person), &probe).ok())
                .map(|verification| sum_of(&verification))
                .collect();
            let best = ratios.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert!((sum_of(&doubted) - best).abs() < 1e-3, "the best reading speaks");
            let costed = best - (doubted.labels.tried as f32).ln();
            let mixed = (0.95 * costed.exp() + 0.05).ln();
            assert!((doubted.llr.nats() - mixed).abs() < 1e-3, "{} is not {mixed}", doubted.llr.nats());
            if probe.len() > 1 {
                let mean = ratios.iter().map(|llr| f64::from(llr.exp())).sum::<f64>() / ratios.len() as f64;
                assert!(f64::from(costed.exp()) <= mean * 1.001, "no more than the mean over all readings");
                doubted_mean += f64::from(costed.exp());
                mean_of_readings += mean;
            }
            comparisons += 1;
        }
    }
    assert!(comparisons > 40 && doubted_mean <= mean_of_readings);
    assert!(doubted_mean / f64::from(comparisons) < 1.0, "a likelihood ratio's mean over strangers stays below 1");
}

#[test]
fn a_face_pays_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine::builder(dir.path()).threads(2).open().unwrap();
    let realm = engine.realm(&RealmId::new(khop::DEFAULT_REALM).unwrap()).unwrap();
    let population = population();
    realm.enrol(encounter(&population, 5, 0, "S5"), DuplicateCheck::Skip).unwrap();
    let probe = vec![face(&population, 5, 1)];
    let believed = realm.verify(&claim(5), &probe).unwrap();
    assert_eq!(realm.verify_with(&claim(5), &probe, FingerLabels::Doubted).unwrap(), believed);
}
