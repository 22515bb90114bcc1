//! Are compacted segments the same gallery, without those who were erased, and can the forgotten not be read?

mod people;

use std::path::Path;

use khop::{Compaction, DuplicateCheck, Engine, Realm, RealmId, Search, SubjectId};
use people::{encounter, face, key, population, samples};

const PEOPLE: u64 = 260;

fn open(dir: &Path) -> (Engine, Realm) {
    let engine = Engine::builder(dir).threads(2).seal_rows(64).open().unwrap();
    let realm = engine.realm(&RealmId::new(khop::DEFAULT_REALM).unwrap()).unwrap();
    (engine, realm)
}

fn files(dir: &Path) -> usize {
    std::fs::read_dir(dir.join("segments/0")).map_or(0, Iterator::count)
}

fn enrol(realm: &Realm, people: std::ops::Range<u64>) {
    let population = population();
    for person in people {
        realm.enrol(encounter(&population, person, 0, &format!("S{person}")), DuplicateCheck::Skip).unwrap();
    }
}

fn erase(realm: &Realm, people: impl Iterator<Item = u64>) {
    for person in people {
        realm.erase_encounter(&key(&format!("S{person}"), 0)).unwrap();
    }
}

/// What searches for some people say, of a face and of ten fingers and a face.
fn answers(realm: &Realm) -> Vec<khop::Identification> {
    let population = population();
    let ask = |person: u64| {
        [vec![face(&population, person, 1)], samples(&population, person, 1)]
            .map(|probe| realm.identify(&probe, &Search { limit: 20, ..Search::default() }).unwrap())
    };
    [0, 63, 64, 100, 200, 259].into_iter().flat_map(ask).collect()
}

#[test]
fn compacted_segments_are_the_same_gallery_without_the_erased() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, realm) = open(dir.path());
    enrol(&realm, 0..PEOPLE);
    drop((engine, realm));
    let (engine, realm) = open(dir.path());
    let before = files(dir.path());
    assert!(before > 1, "several segments to be made one");
    let whole = answers(&realm);
    erase(&realm, (0..PEOPLE).filter(|person| person % 5 == 1));
    let (erased, left) = (52, PEOPLE - 52);
    let expected = answers(&realm);
    assert!(whole.iter().zip(&expected).all(|(whole, left)| left.searched == whole.searched - erased));

    let done = realm.compact().unwrap();
    let tail = realm.status().unwrap().tail_rows;
    assert_eq!((done.replaced, done.written, done.left), (before, 1, 0));
    assert!(done.dropped_rows > erased * 3 / 4 && done.dropped_rows <= erased && tail < left, "{done:?}");
    assert_eq!(files(dir.path()), 1);
    // Faces by the same bytes, fingers by the same templates: the same scores, to the last digit.
    let plain = |answers: Vec<khop::Identification>| {
        let one = |answer: khop::Identification| (answer.candidates, answer.decision, answer.searched, answer.compared);
        answers.into_iter().map(one).collect::<Vec<_>>()
    };
    let expected = plain(expected);
    assert_eq!(plain(answers(&realm)), expected);
    assert_eq!(realm.compact().unwrap(), Compaction::default());

    let forgotten = engine.forget().unwrap();
    assert_eq!((forgotten.records, forgotten.segments), (erased, before as u64));
    assert_eq!(plain(answers(&realm)), expected);
    enrol(&realm, PEOPLE..PEOPLE + 10);
    drop((engine, realm));
    let (engine, realm) = open(dir.path());
    assert!(engine.verify_store().unwrap().problems.is_empty());
    let probe = samples(&population(), PEOPLE + 3, 1);
    let found = realm.identify(&probe, &Search::default()).unwrap();
    assert_eq!((found.candidates[0].subject.clone(), found.searched), (SubjectId::new("S263").unwrap(), left + 10));
}

#[test]
fn keys_of_the_erased_end_while_their_rows_are_still_there() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, realm) = open(dir.path());
    enrol(&realm, 0..PEOPLE);
    drop((engine, realm));
    let (engine, realm) = open(dir.path());
    erase(&realm, [64, 100].into_iter());
    assert_eq!(engine.forget().unwrap().records, 2);
    assert!(answers(&realm).iter().all(|answer| answer.searched == PEOPLE - 2));
    // Rows whose item cannot be opened any more are left out, and nobody else.
    let done = realm.compact().unwrap();
    assert!(done.dropped_rows >= 1, "{done:?}");
    assert!(answers(&realm).iter().all(|answer| answer.searched == PEOPLE - 2));
    assert!(engine.verify_store().unwrap().problems.is_empty());
}

#[test]
fn many_small_segments_become_one_by_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, realm) = open(dir.path());
    let population = population();
    let mut person = 0;
    let until = std::time::Instant::now() + std::time::Duration::from_secs(120);
    // Sealed 64 at a time: without compaction there would be more and more files.
    while person < 64 * 24 {
        let by_face = khop::Encounter {
            samples: vec![face(&population, person, 0)],
            ..encounter(&population, 0, 0, &format!("S{person}"))
        };
        realm.enrol(by_face, DuplicateCheck::Skip).unwrap();
        person += 1;
    }
    while files(dir.path()) > 9 {
        assert!(std::time::Instant::now() < until, "{} files", files(dir.path()));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    drop((engine, realm));
    let (engine, realm) = open(dir.path());
    let found = realm.identify(&[face(&population, 700, 1)], &Search::default()).unwrap();
    assert_eq!((found.candidates[0].subject.clone(), found.searched), (SubjectId::new("S700").unwrap(), person));
    assert!(engine.verify_store().unwrap().problems.is_empty());
}
