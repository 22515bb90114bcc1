//! Do the modes of a face search agree, in mapped segments and in the tail, and what happens when they cannot?

mod people;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use khop::{DuplicateCheck, Effort, Encounter, Engine, ErrorKind, FacePlanes, Guarantee, Mode, Realm, RealmId, Search};
use khop_evaluate::synth::Population;
use people::{encounter, face, fingers, key, population};

/// Sealed in part: more than one mapped segment, and a tail.
const PEOPLE: u64 = 640;
const BOUNDED: Mode = Mode::Bounded { loss: 1e-6 };

fn open(dir: &Path) -> (Engine, Realm) {
    let engine = Engine::builder(dir).threads(2).seal_rows(256).encrypted_volume(true).open().unwrap();
    let realm = engine.realm(&RealmId::new(khop::DEFAULT_REALM).unwrap()).unwrap();
    (engine, realm)
}

/// Somebody's face, and nothing else of them.
fn by_face(population: &Population, person: u64) -> Encounter {
    Encounter {
        samples: vec![face(population, person, 0)],
        attributes: Default::default(),
        ..encounter(population, person, 0, &format!("S{person}"))
    }
}

fn enrol(realm: &Realm, population: &Population) {
    for person in 0..PEOPLE {
        realm.enrol(by_face(population, person), DuplicateCheck::Skip).unwrap();
    }
}

fn by(mode: Option<Mode>, loss: f64) -> Search {
    Search { effort: Effort { mode, loss, ..Effort::default() }, ..Search::default() }
}

fn planes(text: &str) -> FacePlanes {
    text.parse().unwrap()
}

#[test]
fn every_mode_finds_the_same_people_in_segments_and_tail() {
    let dir = tempfile::tempdir().unwrap();
    let population = population();
    let (engine, realm) = open(dir.path());
    enrol(&realm, &population);
    engine.set_face_planes(realm.id(), planes("i8,b1,b4")).unwrap();
    for person in PEOPLE..PEOPLE + 40 {
        realm.enrol(by_face(&population, person), DuplicateCheck::Skip).unwrap();
    }
    assert_eq!(realm.status().unwrap().tail_rows, 40, "rows are searchable before they are sealed");
    let modes = [
        (None, 0.0, Guarantee::Certified),
        (None, 1e-6, Guarantee::Bounded { loss: 1e-6 }),
        (Some(Mode::Exact), 0.0, Guarantee::Exhaustive),
        (Some(BOUNDED), 0.0, Guarantee::Bounded { loss: 1e-6 }),
        (Some(Mode::Certified), 0.0, Guarantee::Certified),
    ];
    for person in [0, 1, 300, PEOPLE - 1, PEOPLE, PEOPLE + 39] {
        let probe = [face(&population, person, 1)];
        let exact = realm.identify(&probe, &by(Some(Mode::Exact), 0.0)).unwrap();
        assert_eq!(exact.candidates[0].subject.as_str(), format!("S{person}"));
        for (mode, loss, guarantee) in modes {
            let found = realm.identify(&probe, &by(mode, loss)).unwrap();
            assert_eq!(found.candidates, exact.candidates, "{mode:?} {loss}");
            assert_eq!((found.decision, found.searched), (exact.decision, PEOPLE + 40));
            assert_eq!(found.explanation.tally.rows, PEOPLE + 40);
            if mode.is_some() {
                assert_eq!(found.explanation.guarantee, guarantee, "{mode:?} {loss}");
                assert!(found.explanation.plan.is_some_and(|plan| plan.forced));
            }
        }
    }
    // Mapped and reopened, they say the same.
    let before = realm.identify(&[face(&population, 9, 1)], &by(Some(BOUNDED), 0.0)).unwrap();
    drop((engine, realm));
    let (_engine, realm) = open(dir.path());
    assert_eq!(
        realm.identify(&[face(&population, 9, 1)], &by(Some(BOUNDED), 0.0)).unwrap().candidates,
        before.candidates
    );
    assert!(realm.status().unwrap().file_bytes > 0);
}

#[test]
fn encounters_searched_for_together_find_what_each_finds_alone() {
    let dir = tempfile::tempdir().unwrap();
    let population = population();
    let (_engine, realm) = open(dir.path());
    enrol(&realm, &population);
    // The second time under another name: soon after the first of the same batch, or in a later segment.
    let again: Vec<u64> = (0..40).chain(600..PEOPLE).collect();
    for &person in &again {
        let other = Encounter { samples: vec![face(&population, person, 1)], ..by_face(&population, person) };
        let id = khop::EncounterId::new(format!("again-{person}")).unwrap();
        let subject = khop::SubjectId::new(format!("A{person}")).unwrap();
        realm.enrol(Encounter { id, subject, ..other }, DuplicateCheck::Skip).unwrap();
    }
    let enrolled =
        (0..PEOPLE).map(|person| format!("S{person}")).chain(again.iter().map(|person| format!("A{person}")));
    let place: HashMap<String, usize> = enrolled.enumerate().map(|(place, subject)| (subject, place)).collect();
    for gallery in ["ALL", "EVEN"] {
        for mode in [Mode::Exact, BOUNDED] {
            let search = Search { gallery: khop::GalleryId::new(gallery).unwrap(), ..by(Some(mode), 0.0) };
            let pairs = realm.deduplicate(&search, &|_, _| {}).unwrap();
            assert!(pairs.iter().all(|p| place[p.candidate.subject.as_str()] < place[p.subject.as_str()]));
            for person in &again {
                let (first, second) = (format!("S{person}"), format!("A{person}"));
                let found = pairs.iter().filter(|pair| pair.subject.as_str() == second);
                let found: Vec<_> = found.map(|pair| pair.candidate.clone()).collect();
                let id = khop::EncounterKey::new(&second, format!("again-{person}")).unwrap();
                let alone = realm.identify_encounter(&id, &search).unwrap();
                let thresholds = alone.decision.thresholds();
                let is_in_gallery = gallery == "ALL" || person.is_multiple_of(2);
                let wanted = alone.candidates.into_iter().filter(|candidate| {
                    let is_earlier = place[candidate.subject.as_str()] < place[&second];
                    is_in_gallery && is_earlier && thresholds.outcome(candidate) > khop::Outcome::Clear
                });
                assert_eq!(found, wanted.collect::<Vec<_>>(), "{second} in {gallery}, {mode}");
                assert_eq!(found.iter().any(|c| c.subject.as_str() == first), is_in_gallery);
            }
        }
    }
}

#[test]
fn planes_are_chosen_measured_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let population = population();
    let (engine, realm) = open(dir.path());
    enrol(&realm, &population);
    let mode_of = |realm: &Realm, name: &str| {
        let index = realm.face_index(20, 1e-6, 0.3).unwrap();
        assert_eq!((index.faces, index.probes), (PEOPLE, 20));
        let plane = index.planes.into_iter().find(|plane| plane.name == name).unwrap();
        assert_eq!(plane.bytes > 0, plane.mode.is_some());
        assert!(plane.mode.is_none() || plane.recall() == Some(1.0), "{plane:?}");
        plane.mode
    };
    assert_eq!(mode_of(&realm, "b1"), Some(BOUNDED), "by default");
    assert_eq!(mode_of(&realm, "b4"), None);
    let refused = realm.identify(&[face(&population, 1, 1)], &by(Some(Mode::Certified), 0.0)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BadInput, "{refused}");
    engine.set_face_planes(realm.id(), planes("i8,b4")).unwrap();
    assert_eq!(mode_of(&realm, "b1"), None);
    assert_eq!(mode_of(&realm, "b4"), Some(Mode::Certified));
    drop((engine, realm));
    let (engine, realm) = open(dir.path());
    assert_eq!(mode_of(&realm, "b4"), Some(Mode::Certified), "the choice is in the catalogue");
    let id = realm.id().clone();
    engine.drop_realm(&id).unwrap();
    engine.create_realm(&id, None).unwrap();
    let realm = engine.realm(&id).unwrap();
    enrol(&realm, &population);
    assert_eq!(mode_of(&realm, "b1"), Some(BOUNDED), "and goes with the realm");
}

#[test]
fn a_search_that_is_stopped_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let population = population();
    let (_engine, realm) = open(dir.path());
    enrol(&realm, &population);
    let probe = [face(&population, 1, 1)];
    for mode in [None, Some(Mode::Exact), Some(BOUNDED)] {
        let cancelled = Arc::new(AtomicBool::new(true));
        let effort = Effort { mode, cancelled: Some(cancelled.clone()), ..Effort::default() };
        let error = realm.identify(&probe, &Search { effort, ..Search::default() }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incomplete);
        assert!(error.to_string().contains("cancelled"), "{error}");
        let effort = Effort { mode, deadline: Some(Instant::now()), ..Effort::default() };
        let error = realm.identify(&probe, &Search { effort, ..Search::default() }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incomplete);
        assert!(error.to_string().contains("out of time"), "{error}");
        let later = Some(Instant::now() + Duration::from_secs(3600));
        let effort =
            Effort { mode, deadline: later, cancelled: Some(Arc::new(AtomicBool::new(false))), ..Effort::default() };
        assert!(realm.identify(&probe, &Search { effort, ..Search::default() }).is_ok());
    }
}

#[test]
fn efforts_that_mean_nothing_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let population = population();
    let (_engine, realm) = open(dir.path());
    realm.enrol(by_face(&population, 1), DuplicateCheck::Skip).unwrap();
    let probe = [face(&population, 1, 1)];
    let refused = |search: Search| {
        let error = realm.identify(&probe, &search).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadInput, "{error}");
        assert_eq!(realm.deduplicate(&search, &|_, _| {}).unwrap_err().to_string(), error.to_string());
        error.to_string()
    };
    for loss in [-0.1, 0.51, f64::NAN] {
        assert!(refused(by(None, loss)).starts_with("loss: expected a probability"));
        assert!(refused(by(Some(Mode::Bounded { loss }), 0.1)).starts_with("loss: expected a probability"));
    }
    assert!(refused(by(Some(Mode::Bounded { loss: 0.0 }), 0.1)).starts_with("loss: expected a probability"));
    assert!(refused(by(Some(Mode::Graph), 0.0)).starts_with("mode: expected exact, bounded or certified"));
    for limit in [0, 1001, usize::MAX] {
        let error = realm.identify(&probe, &Search { limit, ..Search::default() }).unwrap_err().to_string();
        assert!(error.starts_with("limit: expected 1 to 1000"), "{error}");
    }
}

/// A flipped bit in each face column in turn: a named error in every mode that reads it, and the plane made again.
#[test]
fn a_damaged_plane_is_named_and_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let population = population();
    let (engine, realm) = open(dir.path());
    enrol(&realm, &population);
    engine.set_face_planes(realm.id(), planes("i8,b1,b4")).unwrap();
    drop((engine, realm));
    let probe = [face(&population, 5, 1)];
    for column in ["face.codes", "face.signs", "face.agreements", "face.nibbles", "face.factors"] {
        let files = segment_files(dir.path());
        assert!(!files.is_empty());
        for file in files {
            flip_a_bit_of(&file, column);
        }
        let (engine, realm) = open(dir.path());
        let error = realm.identify(&probe, &by(Some(BOUNDED), 0.0)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incomplete, "{column}: {error}");
        assert!(error.to_string().contains(column), "{error}");
        engine.rebuild(realm.id()).unwrap();
        for mode in [Mode::Exact, BOUNDED, Mode::Certified] {
            let found = realm.identify(&probe, &by(Some(mode), 0.0)).unwrap();
            assert_eq!(found.candidates[0].subject.as_str(), "S5", "{column} {mode}");
        }
    }
}

/// Nobody has to ask: the search that meets the damage fails, and has the segment made again.
#[test]
fn a_damaged_segment_is_mended_while_the_engine_runs() {
    let dir = tempfile::tempdir().unwrap();
    let population = population();
    let (engine, realm) = open(dir.path());
    enrol(&realm, &population);
    drop((engine, realm));
    let files = segment_files(dir.path());
    assert!(files.len() > 1, "one is damaged, others are not");
    flip_a_bit_of(&files[0], "face.codes");
    let (engine, realm) = open(dir.path());
    let gone = key("S7", 0);
    realm.erase_encounter(&gone).unwrap();
    let search = |person: u64| realm.identify(&[face(&population, person, 1)], &by(Some(Mode::Exact), 0.0));
    let error = search(5).unwrap_err();
    assert!(error.kind() == ErrorKind::Incomplete && error.to_string().contains("face.codes"), "{error}");
    let until = Instant::now() + Duration::from_secs(60);
    let found = loop {
        match search(5) {
            Ok(found) => break found,
            Err(error) => assert!(error.kind() == ErrorKind::Incomplete && Instant::now() < until, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!((found.candidates[0].subject.as_str(), found.searched), ("S5", PEOPLE - 1));
    assert!(
        search(7).unwrap().candidates.iter().all(|candidate| candidate.subject.as_str() != "S7"),
        "erased stays erased"
    );
    for person in PEOPLE..PEOPLE + 300 {
        realm.enrol(by_face(&population, person), DuplicateCheck::Skip).unwrap();
    }
    drop((engine, realm));
    let (engine, realm) = open(dir.path());
    assert!(engine.verify_store().unwrap().problems.is_empty());
    let found = realm.identify(&[face(&population, 5, 1)], &by(Some(Mode::Exact), 0.0)).unwrap();
    assert_eq!((found.candidates[0].subject.as_str(), found.searched), ("S5", PEOPLE + 299));
}

/// A realm of fingers has nothing to scan faces in, whatever planes it keeps.
#[test]
fn fingers_alone_are_searched_in_every_mode() {
    let dir = tempfile::tempdir().unwrap();
    let population = population();
    let (engine, realm) = open(dir.path());
    engine.set_face_planes(realm.id(), planes("i8,b4")).unwrap();
    for person in 0..60 {
        let samples = fingers(&population, person, 0);
        let encounter = Encounter { samples, ..encounter(&population, person, 0, &format!("S{person}")) };
        realm.enrol(encounter, DuplicateCheck::Skip).unwrap();
    }
    let found = realm.identify(&fingers(&population, 7, 1), &by(Some(Mode::Certified), 0.0)).unwrap();
    assert_eq!(found.candidates[0].subject.as_str(), "S7");
    assert_eq!(found.explanation.guarantee, Guarantee::Exhaustive);
    let said = found.explanation.to_string();
    assert!(
        said.starts_with("60 people by the codes of their fingers, ") && said.ends_with("no face plane was scanned")
    );
}

fn segment_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let realms = std::fs::read_dir(dir.join("segments")).unwrap().map(|realm| realm.unwrap().path());
    realms.flat_map(|realm| std::fs::read_dir(realm).unwrap().map(|file| file.unwrap().path())).collect()
}

/// Finds the column by the segment's directory, as `docs/format.md` draws it.
fn flip_a_bit_of(file: &Path, column: &str) {
    let mut bytes = std::fs::read(file).unwrap();
    let image = 64; // behind the envelope
    let count = u32::from_le_bytes(bytes[image + 12..image + 16].try_into().unwrap()) as usize;
    let mut name = [0u8; 32];
    name[..column.len()].copy_from_slice(column.as_bytes());
    let entry = (1..=count).map(|at| image + 64 * at).find(|&at| bytes[at..at + 32] == name).unwrap();
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let middle = image + number(entry + 32) + number(entry + 40) / 2;
    bytes[middle] ^= 0x10;
    let mut permissions = std::fs::metadata(file).unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    std::fs::set_permissions(file, permissions).unwrap();
    std::fs::write(file, bytes).unwrap();
}
