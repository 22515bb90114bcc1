//! Is what was forgotten gone for good, also from copies made before, and is everything else still there?

mod people;

use std::fs;
use std::path::{Path, PathBuf};

use khop_store::{Applied, Change, Forgotten, RealmNumber, RecordNumber, SegmentFault, Store, StoreError, TaskNumber};
use khop_vocabulary::RealmId;
use people::{REALM, create, draft, encounter, enrol, erase};

const FLIGHT: RealmNumber = RealmNumber::new(1);
const GONE: RecordNumber = RecordNumber::new(5);

fn realm(name: &str) -> Change {
    Change::CreateRealm { id: RealmId::new(name).unwrap(), expires_at_unix_s: None, note: String::new() }
}

fn segment(store: &Store, realm: RealmNumber, records: std::ops::Range<u64>) -> khop_store::SegmentNumber {
    let (segment, _) = store.write_segment(realm, &draft(records.map(RecordNumber::new).collect())).unwrap();
    let number = segment.number;
    let set = Change::SetSegments { realm, add: vec![segment], remove: vec![] };
    assert_eq!(store.commit(&[set]).unwrap(), [Applied::Done]);
    number
}

/// Ten people in the first realm and one on a flight, in segments.
fn fill(dir: &Path) -> PathBuf {
    let path = dir.join("store");
    let store = Store::open(&path).unwrap();
    store.commit(&[create(), realm("flight")]).unwrap();
    store.commit(&(0..10).map(enrol).collect::<Vec<_>>()).unwrap();
    let passenger =
        Change::Enrol { realm: FLIGHT, encounter: encounter(3), replaces: None, case: None, note: String::new() };
    store.commit(&[passenger]).unwrap();
    segment(&store, REALM, 0..6);
    segment(&store, REALM, 6..10);
    segment(&store, FLIGHT, 0..1);
    path
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, target) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() { copy(&path, &target) } else { _ = fs::copy(&path, &target).unwrap() }
    }
}

/// The old copy, opened with the keys there are now.
fn old_with_new_keys(old: &Path, new: &Path) -> Store {
    fs::remove_dir_all(old.join("keys")).unwrap();
    copy(&new.join("keys"), &old.join("keys"));
    Store::open(old).unwrap()
}

#[test]
fn what_was_forgotten_cannot_be_read_from_an_old_copy() {
    let dir = tempfile::tempdir().unwrap();
    let path = fill(dir.path());
    let [old, older] = ["old", "older"].map(|name| dir.path().join(name));
    copy(&path, &old);
    copy(&path, &older);

    let store = Store::open(&path).unwrap();
    let dead = store.segments(REALM).unwrap()[1].number;
    let replace = Change::SetSegments { realm: REALM, add: vec![], remove: vec![dead] };
    store.commit(&[erase(GONE), Change::DropRealm { realm: FLIGHT, note: "departed".into() }, replace]).unwrap();
    // Erased is unreachable; the copy can still be read until the keys are destroyed.
    assert!(matches!(store.read(REALM, GONE), Err(StoreError::UnknownRecord { .. })));
    assert_eq!(Store::open(&old).unwrap().read(REALM, GONE).unwrap(), encounter(5));

    let done = store.forget().unwrap();
    assert_eq!((done.records, done.realms, done.segments, done.epoch), (1, 1, 1, 2));
    drop(store);
    let store = old_with_new_keys(&old, &path);
    let error = store.read(REALM, GONE).unwrap_err();
    assert!(error.to_string().contains("key was destroyed"), "{error}");
    assert!(store.identity(REALM, GONE).is_err() && store.records_from(REALM, GONE, 1).is_err());
    assert!(store.read(FLIGHT, RecordNumber::new(0)).is_err());
    for number in (0..10).filter(|&number| number != GONE.get()) {
        assert_eq!(store.read(REALM, RecordNumber::new(number)).unwrap(), encounter(number));
    }
    let mut segments = store.open_segments(REALM).unwrap();
    assert_eq!(segments.pop().unwrap().unwrap_err().fault, SegmentFault::Forgotten);
    let segment = segments.pop().unwrap().unwrap();
    assert_eq!(segment.item(5).unwrap_err().fault, SegmentFault::Destroyed(GONE));
    assert!(!segment.is_damaged() && segment.verify_all().is_ok());
    assert_eq!(*segment.item(4).unwrap(), [4; 20]);
    assert!(store.open_segments(FLIGHT).unwrap()[0].is_err());
    // The control: with its own keys the copy would still say everything.
    let older = Store::open(&older).unwrap();
    assert_eq!(older.read(REALM, GONE).unwrap(), encounter(5));
    assert!(older.verify().unwrap().is_sound());
}

#[test]
fn forgetting_again_finds_nothing_and_the_store_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = fill(dir.path());
    let store = Store::open(&path).unwrap();
    assert_eq!(store.forget().unwrap(), Forgotten { epoch: 2, nodes: 1, ..Forgotten::default() });
    store.commit(&[erase(GONE), erase(RecordNumber::new(4))]).unwrap();
    assert_eq!(store.forget().unwrap().records, 2);
    assert_eq!(store.forget().unwrap().records, 0);
    store.commit(&[realm("next"), enrol(10), erase(RecordNumber::new(9))]).unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.read(REALM, RecordNumber::new(10)).unwrap(), encounter(10));
    assert_eq!(store.forget().unwrap().records, 1);
    let report = store.verify().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!(store.open_segments(REALM).unwrap().len(), 2);
}

/// A segment that was written and is about to be committed looks like one that was replaced.
#[test]
fn a_segment_that_is_about_to_live_keeps_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = fill(dir.path());
    let store = Store::open(&path).unwrap();
    let records = vec![RecordNumber::new(0)];
    let (waiting, _) = store.write_segment(REALM, &draft(records)).unwrap();
    segment(&store, REALM, 0..2); // a later number is live: the first is below the next
    assert_eq!(store.forget().unwrap().segments, 0);
    store.commit(&[Change::SetSegments { realm: REALM, add: vec![waiting.clone()], remove: vec![] }]).unwrap();
    assert!(store.open_segments(REALM).unwrap().iter().all(Result::is_ok));
    let remove = vec![waiting.number];
    store.commit(&[Change::SetSegments { realm: REALM, add: vec![], remove }]).unwrap();
    assert_eq!(store.forget().unwrap().segments, 1);
}

#[test]
fn a_segment_written_while_its_people_are_forgotten_has_nothing_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&fill(dir.path())).unwrap();
    store.commit(&[erase(GONE)]).unwrap();
    store.forget().unwrap();
    let (record, segment) = store.write_segment(REALM, &draft((0..10).map(RecordNumber::new).collect())).unwrap();
    assert_eq!(segment.item(5).unwrap_err().fault, SegmentFault::Destroyed(GONE));
    assert_eq!(*segment.item(6).unwrap(), [6; 30]);
    store.commit(&[Change::ReplaceSegments { realm: REALM, with: vec![record] }]).unwrap();
    assert!(store.open_segments(REALM).unwrap().iter().all(|one| one.as_ref().unwrap().verify_all().is_ok()));
}

#[test]
fn what_a_task_held_cannot_be_read_once_it_is_done_and_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let path = fill(dir.path());
    let store = Store::open(&path).unwrap();
    let add = |value: u8| Change::AddTask { realm: REALM, value: vec![value; 300] };
    store.commit(&(0..9).map(add).collect::<Vec<_>>()).unwrap();
    let old = dir.path().join("old");
    copy(&path, &old);
    let set = |task, value| Change::SetTask { realm: REALM, task: TaskNumber::new(task), value };
    let removed = [0, 1, 2, 3, 4, 6].map(|task| set(task, None));
    store.commit(&removed).unwrap();
    store.forget().unwrap();
    drop(store);
    let store = old_with_new_keys(&old, &path);
    for task in 0..9 {
        let read = store.task(REALM, TaskNumber::new(task));
        match task {
            5 | 7 | 8 => assert_eq!(read.unwrap(), Some(vec![task as u8; 300])),
            _ => assert!(read.unwrap_err().to_string().contains("key was destroyed"), "{task}"),
        }
    }
    // The next ones have keys, and forgetting again changes nothing.
    let store = Store::open(&path).unwrap();
    assert_eq!(store.commit(&[add(9)]).unwrap(), [Applied::Tasked { task: TaskNumber::new(9) }]);
    let nodes = store.forget().unwrap().nodes;
    assert_eq!(store.forget().unwrap().nodes, nodes);
    assert_eq!(store.task(REALM, TaskNumber::new(9)).unwrap(), Some(vec![9; 300]));
}
