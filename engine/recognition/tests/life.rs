//! Does the engine do what it promises, from enrolment to erasure? On a few synthetic people.

mod people;

use khop::{
    Claim, DuplicateCheck, Engine, Error, ErrorKind, Filter, GalleryId, Outcome, RealmId, Sample, SampleFormat, Search,
    SubjectId,
};
use people::{encounter, face, fingers, key, population, samples};

fn open(dir: &std::path::Path) -> Engine {
    Engine::builder(dir).threads(2).open().unwrap()
}

fn default_realm(engine: &Engine) -> khop::Realm {
    engine.realm(&RealmId::new(khop::DEFAULT_REALM).unwrap()).unwrap()
}

fn subject(text: &str) -> SubjectId {
    SubjectId::new(text).unwrap()
}

#[test]
fn a_hidden_duplicate_is_found_and_strangers_are_clear() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, population) = (open(dir.path()), population());
    let realm = default_realm(&engine);
    for person in 0..300 {
        let enrolled = realm.enrol(encounter(&population, person, 0, &format!("S{person}")), DuplicateCheck::Search);
        let enrolled = enrolled.unwrap();
        assert_eq!(enrolled.identification.unwrap().decision.outcome(), Outcome::Clear, "person {person}");
        assert_eq!(enrolled.case, None);
    }
    for person in [3, 77, 150, 299] {
        let other_name = format!("X{person}");
        let enrolled = realm.enrol(encounter(&population, person, 1, &other_name), DuplicateCheck::Search).unwrap();
        let found = enrolled.identification.unwrap();
        assert!(found.decision.outcome() > Outcome::Clear, "person {person}: {:?}", found.decision);
        assert_eq!(found.candidates[0].subject, subject(&format!("S{person}")));
        assert!(found.compared < found.searched, "the scans rule out most references");
        assert!(enrolled.case.is_some());
    }
    assert_eq!(realm.cases().unwrap().len(), 4);
    // The whole gallery, cleaned: the same four pairs.
    let duplicates = realm.deduplicate(&Search::default(), &|_, _| {}).unwrap();
    let mut pairs: Vec<String> = duplicates.iter().map(|d| format!("{}={}", d.subject, d.candidate.subject)).collect();
    pairs.sort();
    assert_eq!(pairs, ["X150=S150", "X299=S299", "X3=S3", "X77=S77"]);
}

#[test]
fn verify_and_identify_answer_with_calibrated_scores() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, population) = (open(dir.path()), population());
    let realm = default_realm(&engine);
    for person in 0..40 {
        realm.enrol(encounter(&population, person, 0, &format!("S{person}")), DuplicateCheck::Skip).unwrap();
    }
    let claim = Claim::of(subject("S7"));
    let mated = realm.verify(&claim, &samples(&population, 7, 1)).unwrap();
    assert!(mated.is_match && mated.score.value() > 40.0, "{mated:?}");
    let non_mated = realm.verify(&claim, &samples(&population, 8, 1)).unwrap();
    assert!(!non_mated.is_match && non_mated.score.value() < 30.0, "{non_mated:?}");

    for probe in [samples(&population, 21, 1), vec![face(&population, 21, 1)], fingers(&population, 21, 1)] {
        let found = realm.identify(&probe, &Search::default()).unwrap();
        assert_eq!(found.candidates[0].subject, subject("S21"));
        assert_eq!(found.searched, 40);
    }
    let stranger = realm.identify(&samples(&population, 999, 0), &Search::default()).unwrap();
    assert_eq!(stranger.decision.outcome(), Outcome::Clear);

    let odd = Search { gallery: GalleryId::new("ODD").unwrap(), ..Search::default() };
    let probe = samples(&population, 20, 1);
    assert!(realm.identify(&probe, &odd).unwrap().candidates.iter().all(|c| c.subject != subject("S20")));
    let even = Search { gallery: GalleryId::new("EVEN").unwrap(), ..Search::default() };
    assert_eq!(realm.identify(&probe, &even).unwrap().candidates[0].subject, subject("S20"));
    let year = population.person(20).attributes.year_of_birth.unwrap();
    let born = |min, max| Search {
        filter: Filter { year_of_birth_min: Some(min), year_of_birth_max: Some(max), ..Filter::default() },
        ..Search::default()
    };
    assert_eq!(realm.identify(&probe, &born(year, year)).unwrap().candidates[0].subject, subject("S20"));
    let elsewhen = realm.identify(&probe, &born(year + 1, 2200)).unwrap();
    assert!(elsewhen.candidates.iter().all(|c| c.subject != subject("S20")));
    let itself = realm.identify_encounter(&key("S20", 0), &Search::default()).unwrap();
    assert!(itself.candidates.iter().all(|c| c.subject != subject("S20")));
}

#[test]
fn an_erased_person_is_unreachable_and_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    let population = population();
    {
        let engine = open(dir.path());
        let realm = default_realm(&engine);
        for person in 0..10 {
            realm.enrol(encounter(&population, person, 0, &format!("S{person}")), DuplicateCheck::Skip).unwrap();
        }
        assert_eq!(realm.erase_subject(&subject("S4")).unwrap().encounters.len(), 1);
        let found = realm.identify(&samples(&population, 4, 1), &Search::default()).unwrap();
        assert_eq!((found.searched, found.decision.outcome()), (9, Outcome::Clear));
        assert_eq!(realm.erase_subject(&subject("S4")).unwrap_err().kind(), ErrorKind::UnknownSubject);
    }
    let engine = open(dir.path());
    let realm = default_realm(&engine);
    let found = realm.identify(&samples(&population, 4, 1), &Search::default()).unwrap();
    assert_eq!((found.searched, found.decision.outcome()), (9, Outcome::Clear));
    assert_eq!(realm.read(&key("S4", 0)).unwrap_err().kind(), ErrorKind::UnknownEncounter);
    // The name is free again, the person can come back.
    realm.enrol(encounter(&population, 4, 0, "S4"), DuplicateCheck::Search).unwrap();
}

#[test]
fn two_simultaneous_enrolments_of_one_person_cannot_both_pass() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, population) = (open(dir.path()), population());
    let realm = default_realm(&engine);
    for person in 100..110 {
        let start = std::sync::Barrier::new(4);
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let enrol = |occasion: u32| {
                let (realm, population, start) = (&realm, &population, &start);
                move || {
                    let encounter = encounter(population, person, occasion, &format!("P{person}-{occasion}"));
                    start.wait();
                    let enrolment = realm.enrol(encounter, DuplicateCheck::Search).unwrap();
                    enrolment.identification.unwrap().decision.outcome()
                }
            };
            let threads: Vec<_> = (0..4).map(|occasion| scope.spawn(enrol(occasion))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let clear = outcomes.iter().filter(|&&o| o == Outcome::Clear).count();
        assert!(clear <= 1, "person {person}: {outcomes:?}");
    }
}

#[test]
fn what_was_enrolled_is_there_after_reopening_sealed_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let population = population();
    {
        let engine = Engine::builder(dir.path()).threads(2).seal_rows(64).open().unwrap();
        let realm = default_realm(&engine);
        for person in 0..150 {
            realm.enrol(encounter(&population, person, 0, &format!("S{person}")), DuplicateCheck::Skip).unwrap();
        }
    }
    let engine = open(dir.path());
    let realm = default_realm(&engine);
    let status = realm.status().unwrap();
    assert_eq!(status.encounters, 150);
    assert!(status.file_bytes > 0 && status.tail_rows < 150, "{status:?}");
    for person in [0, 63, 64, 149] {
        let found = realm.identify(&samples(&population, person, 1), &Search::default()).unwrap();
        assert_eq!(found.candidates[0].subject, subject(&format!("S{person}")));
        assert_eq!(found.searched, 150);
    }
    let read = realm.read(&key("S9", 0)).unwrap();
    assert_eq!(read, encounter(&population, 9, 0, "S9"));
    // Made again from the catalogue, the answers are the same.
    let before = realm.identify(&samples(&population, 63, 1), &Search::default()).unwrap();
    engine.rebuild(realm.id()).unwrap();
    assert_eq!(realm.identify(&samples(&population, 63, 1), &Search::default()).unwrap(), before);
}

#[test]
fn a_damaged_segment_is_an_error_and_is_made_again_from_the_catalogue() {
    let population = population();
    let probe = samples(&population, 5, 1);
    for encrypted_volume in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let builder = || Engine::builder(dir.path()).threads(2).seal_rows(64).encrypted_volume(encrypted_volume);
        {
            let engine = builder().open().unwrap();
            let realm = default_realm(&engine);
            for person in 0..300 {
                realm.enrol(encounter(&population, person, 0, &format!("S{person}")), DuplicateCheck::Skip).unwrap();
            }
        }
        let mut files = Vec::new();
        for realm in std::fs::read_dir(dir.path().join("segments")).unwrap() {
            files.extend(std::fs::read_dir(realm.unwrap().path()).unwrap().map(|f| f.unwrap().path()));
        }
        assert!(!files.is_empty());
        for file in &files {
            let mut bytes = std::fs::read(file).unwrap();
            let third = bytes.len() / 3; // in the columns; the items are behind them
            bytes[third] ^= 0x10;
            std::fs::write(file, bytes).unwrap();
        }
        let engine = builder().open().unwrap();
        let realm = default_realm(&engine);
        if encrypted_volume {
            // A mapped column is read when it is asked for, a sealed one at the opening, which makes it again.
            let error = realm.identify(&probe, &Search::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Incomplete, "{error}");
            engine.rebuild(realm.id()).unwrap();
        }
        let found = realm.identify(&probe, &Search::default()).unwrap();
        assert_eq!((found.candidates[0].subject.clone(), found.searched), (subject("S5"), 300));
        assert!(files.iter().all(|file| !file.exists()), "the damaged files are gone");
        assert!(engine.verify_store().unwrap().problems.is_empty());
    }
}

#[test]
fn a_registered_face_model_has_scores_also_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let population = population();
    let id = khop::ModelId::new("house-model").unwrap();
    let of =
        |encounter: u32| Sample { format: SampleFormat::FaceVector(id.clone()), ..face(&population, 1, encounter) };
    let newcomer = || khop::Encounter { samples: vec![of(0)], ..encounter(&population, 1, 0, "S1") };
    {
        let engine = open(dir.path());
        let refused = default_realm(&engine).enrol(newcomer(), DuplicateCheck::Search).unwrap_err();
        assert!(matches!(refused, Error::Uncalibrated(_)), "{refused}");
        let synthetic = khop_face::embedded_models().iter().find(|m| m.id.as_str() == khop_face::SYNTHETIC_MODEL);
        engine.register_face_model(khop::FaceModel { id: id.clone(), ..synthetic.unwrap().clone() }).unwrap();
        default_realm(&engine).enrol(newcomer(), DuplicateCheck::Search).unwrap();
    }
    let engine = open(dir.path());
    assert!(engine.face_models().contains(&id));
    let answer = default_realm(&engine).verify(&Claim::of(subject("S1")), &[of(1)]).unwrap();
    assert!(answer.score.value() > 0.0);
}

#[test]
fn a_flight_dies_at_its_hour() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, population) = (open(dir.path()), population());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let (past, later) = (RealmId::new("VN1").unwrap(), RealmId::new("VN2").unwrap());
    engine.create_realm(&past, Some(now - 1)).unwrap();
    engine.create_realm(&later, Some(now + 3600)).unwrap();
    assert_eq!(engine.create_realm(&later, None).unwrap_err().kind(), ErrorKind::RealmExists);
    assert_eq!(engine.realm(&past).unwrap_err().kind(), ErrorKind::Expired);
    let flight = engine.realm(&later).unwrap();
    flight.enrol(encounter(&population, 1, 0, "S1"), DuplicateCheck::Skip).unwrap();
    // Nothing searches across realms.
    let elsewhere = default_realm(&engine).identify(&samples(&population, 1, 1), &Search::default()).unwrap();
    assert_eq!(elsewhere.searched, 0);
    let purged = engine.purge_expired().unwrap();
    assert_eq!(purged.iter().map(|p| p.realm.clone()).collect::<Vec<_>>(), [past]);
    assert_eq!(engine.drop_realm(&later).unwrap().encounters, 1);
    assert_eq!(
        flight.identify(&samples(&population, 1, 1), &Search::default()).unwrap_err().kind(),
        ErrorKind::UnknownRealm
    );
}

#[test]
fn bad_input_is_named_and_nothing_is_enrolled() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, population) = (open(dir.path()), population());
    let realm = default_realm(&engine);
    let good = encounter(&population, 1, 0, "S1");
    realm.enrol(good.clone(), DuplicateCheck::Search).unwrap();
    let again = realm.enrol(good.clone(), DuplicateCheck::Search).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::EncounterExists);

    let model = |name: &str| SampleFormat::FaceVector(khop::ModelId::new(name).unwrap());
    let vector = |name: &str, values: Vec<f32>| Sample {
        format: model(name),
        position: None,
        quality: None,
        bytes: khop_formats::write_face_vector(&values),
    };
    let record = fingers(&population, 2, 0).remove(0);
    let mut truncated = record.clone();
    truncated.bytes.truncate(30);
    let mut wrong_magic = record.clone();
    wrong_magic.bytes[0] = b'X';
    let mut oversized = record.clone();
    oversized.bytes.resize(100_000, 0);
    let mut empty_finger = population.person(2).fingers(0).remove(0);
    empty_finger.minutiae.clear();
    let empty_finger = Sample { bytes: khop_formats::write_iso_2005(&[empty_finger]).unwrap(), ..record.clone() };
    let synthetic = khop_face::SYNTHETIC_MODEL;
    let cases: Vec<(&str, Vec<Sample>, ErrorKind, &str)> = vec![
        ("no samples", vec![], ErrorKind::BadInput, "samples"),
        ("truncated", vec![truncated], ErrorKind::BadInput, "samples[0]"),
        ("wrong magic", vec![record.clone(), wrong_magic], ErrorKind::BadInput, "samples[1]"),
        ("oversized", vec![oversized], ErrorKind::BadInput, "bytes"),
        ("zero minutiae", vec![empty_finger], ErrorKind::BadInput, "minutia"),
        ("NaN", vec![vector(synthetic, vec![f32::NAN; 512])], ErrorKind::BadInput, "finite"),
        ("infinite", vec![vector(synthetic, vec![f32::INFINITY; 512])], ErrorKind::BadInput, "finite"),
        ("zero", vec![vector(synthetic, vec![0.0; 512])], ErrorKind::BadInput, "non-zero"),
        ("short", vec![vector(synthetic, vec![1.0; 8])], ErrorKind::BadInput, "64 to 4096"),
        ("other dimension", vec![vector(synthetic, vec![1.0; 256])], ErrorKind::ModelMismatch, "512"),
        ("other model", vec![vector("somebody-else", vec![1.0; 512])], ErrorKind::ModelMismatch, "somebody-else"),
    ];
    for (name, samples, kind, word) in cases {
        let bad =
            khop::Encounter { id: khop::EncounterId::new("bad").unwrap(), samples: samples.clone(), ..good.clone() };
        for error in [
            realm.enrol(bad, DuplicateCheck::Search).map(|_| ()).unwrap_err(),
            realm.identify(&samples, &Search::default()).map(|_| ()).unwrap_err(),
        ] {
            assert_eq!(error.kind(), kind, "{name}: {error}");
            assert!(error.to_string().contains(word), "{name}: {error}");
        }
    }
    let year = khop::Attributes { year_of_birth: Some(1492), ..Default::default() };
    let bad = khop::Encounter { id: khop::EncounterId::new("bad").unwrap(), attributes: year, ..good.clone() };
    assert!(realm.enrol(bad, DuplicateCheck::Skip).unwrap_err().to_string().contains("year_of_birth"));
    let nowhere = Search { gallery: GalleryId::new("NOWHERE").unwrap(), ..Search::default() };
    assert_eq!(realm.identify(&good.samples, &nowhere).unwrap_err().kind(), ErrorKind::UnknownGallery);
    let many = Search { limit: 0, ..Search::default() };
    assert!(realm.identify(&good.samples, &many).unwrap_err().to_string().contains("limit"));
    assert_eq!(realm.status().unwrap().encounters, 1);
    assert!(matches!(Engine::builder(dir.path()).open(), Err(Error::Store(_))), "a second opening is refused");
}

#[test]
fn a_probe_that_shares_no_trait_is_an_error_and_never_no_match() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, population) = (open(dir.path()), population());
    let realm = default_realm(&engine);
    let faces = khop::Encounter { samples: vec![face(&population, 1, 0)], ..encounter(&population, 1, 0, "S1") };
    realm.enrol(faces, DuplicateCheck::Search).unwrap();
    let only_fingers = fingers(&population, 1, 1);
    assert_eq!(realm.identify(&only_fingers, &Search::default()).unwrap_err().kind(), ErrorKind::NotComparable);
    let claim = Claim::of(subject("S1"));
    assert_eq!(realm.verify(&claim, &only_fingers).unwrap_err().kind(), ErrorKind::NotComparable);
    // As an enrolment it is a stranger's, searched and clear.
    let newcomer = khop::Encounter { samples: only_fingers, ..encounter(&population, 2, 0, "S2") };
    assert!(realm.enrol(newcomer, DuplicateCheck::Search).unwrap().case.is_none());
}
