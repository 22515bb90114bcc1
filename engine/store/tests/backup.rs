//! Is a restored store the one that was backed up, without whoever was forgotten since?

mod people;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use khop_store::{Applied, Backup, Change, NewCase, Opening, RealmNumber, RecordNumber, Restored, Store, StoreError};
use khop_vocabulary::RealmId;
use people::{REALM, create, draft, encounter, enrol, erase, id};

const FLIGHT: RealmNumber = RealmNumber::new(1);

fn realm(name: &str) -> Change {
    Change::CreateRealm { id: RealmId::new(name).unwrap(), expires_at_unix_s: None, note: String::new() }
}

fn in_realm(realm: RealmNumber, number: u64) -> Change {
    Change::Enrol { realm, encounter: encounter(number), replaces: None, case: None, note: String::new() }
}

fn segment(store: &Store, realm: RealmNumber, records: std::ops::Range<u64>) {
    let (segment, _) = store.write_segment(realm, &draft(records.map(RecordNumber::new).collect())).unwrap();
    store.commit(&[Change::SetSegments { realm, add: vec![segment], remove: vec![] }]).unwrap();
}

/// Twelve people, one with a case that names two others, and a flight of one.
fn fill(dir: &Path) -> Store {
    let store = Store::open(&dir.join("store")).unwrap();
    store.commit(&[create(), realm("flight")]).unwrap();
    store.commit(&(0..11).map(enrol).collect::<Vec<_>>()).unwrap();
    let case = Some(NewCase { candidates: vec![(id(1), 44.0), (id(2), 41.0)], outcome: 1 });
    let with_case = Change::Enrol { realm: REALM, encounter: encounter(11), replaces: None, case, note: String::new() };
    store.commit(&[with_case, in_realm(FLIGHT, 3)]).unwrap();
    segment(&store, REALM, 0..6);
    segment(&store, REALM, 6..12);
    segment(&store, FLIGHT, 0..1);
    store
}

fn restore(target: &Path, number: Option<u64>, to: PathBuf) -> (Restored, Store) {
    let done = Opening::default().restore(target, number, &to).unwrap();
    (done, Store::open(&to).unwrap())
}

/// The encounters of the first realm, which must be sound.
fn records(store: &Store) -> Vec<u64> {
    let report = store.verify().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    let records = store.records_from(REALM, RecordNumber::new(0), usize::MAX).unwrap();
    assert!(records.iter().all(|(_, stored)| *stored == encounter(stored.id.as_str()[1..].parse().unwrap())));
    records.into_iter().map(|(record, _)| record.get()).collect()
}

#[test]
fn a_restored_store_is_the_one_that_was_backed_up() {
    let dir = tempfile::tempdir().unwrap();
    let (store, target) = (fill(dir.path()), dir.path().join("backups"));
    let first = store.backup(&target, &|_, _| ()).unwrap();
    assert_eq!((first.number, first.copied, first.kept, first.left_out), (1, 3, 0, 0));
    store.commit(&[enrol(12), erase(RecordNumber::new(4))]).unwrap();
    segment(&store, REALM, 12..13);
    let second = store.backup(&target, &|_, _| ()).unwrap();
    assert_eq!((second.number, second.copied, second.kept), (2, 1, 3));

    let (done, restored) = restore(&target, None, dir.path().join("newest"));
    assert_eq!((done.number, done.encounters, done.segments, done.struck), (2, 13, 4, 0));
    assert_eq!(records(&restored), records(&store));
    assert_eq!(restored.verify_audit().unwrap(), store.audit_head().unwrap());
    assert_eq!(restored.cases(REALM).unwrap(), store.cases(REALM).unwrap());
    assert_eq!(restored.galleries(REALM).unwrap(), store.galleries(REALM).unwrap());
    let segments = restored.open_segments(REALM).unwrap();
    assert!(segments.iter().all(|segment| segment.as_ref().unwrap().verify_all().is_ok()));
    assert_eq!(*segments[1].as_ref().unwrap().item(1).unwrap(), [7; 35]);

    // An erasure whose key still is: the older backup has the person, as it should.
    let (done, older) = restore(&target, Some(1), dir.path().join("older"));
    assert_eq!((done.encounters, done.struck, records(&older).len()), (13, 0, 12));
    assert_eq!(older.read(REALM, RecordNumber::new(4)).unwrap(), encounter(4));
}

#[test]
fn nobody_who_was_forgotten_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (store, target) = (fill(dir.path()), dir.path().join("backups"));
    store.backup(&target, &|_, _| ()).unwrap();
    // Since then: two are enrolled, one of them erased again; two of the others are erased; the flight departs.
    store.commit(&[enrol(12), enrol(13)]).unwrap();
    let gone = [erase(RecordNumber::new(12)), erase(RecordNumber::new(1)), erase(RecordNumber::new(11))];
    store.commit(&gone).unwrap();
    store.commit(&[Change::DropRealm { realm: FLIGHT, note: "departed".into() }]).unwrap();
    store.forget().unwrap();
    // Until the next backup, the target still has the keys that open the first.
    let (done, _) = restore(&target, Some(1), dir.path().join("before"));
    assert_eq!((done.struck, done.dropped, done.encounters), (0, 0, 13));
    store.backup(&target, &|_, _| ()).unwrap();

    let (done, restored) = restore(&target, Some(1), dir.path().join("after"));
    assert_eq!((done.struck, done.dropped, done.encounters), (2, 1, 10));
    let expected: Vec<u64> = (0..11).filter(|&record| record != 1).collect();
    assert_eq!(records(&restored), expected);
    assert!(matches!(restored.read(REALM, RecordNumber::new(1)), Err(StoreError::UnknownRecord { .. })));
    assert_eq!(restored.find_encounter(REALM, &id(1)).unwrap(), None);
    assert!(restored.find_subject(REALM, &encounter(1).subject).unwrap().iter().all(|record| record.get() != 1));
    assert!(restored.cases(REALM).unwrap().is_empty(), "the case of an erased encounter");
    assert_eq!(restored.realms().unwrap().len(), 1);
    assert!(restored.verify_audit().is_ok());
    // Numbers that were given to the lost and the forgotten are not given to anybody else under the same key.
    assert_eq!(restored.commit(&[realm("next")]).unwrap(), [Applied::Created { realm: RealmNumber::new(2) }]);
    let applied = restored.commit(&[enrol(20), enrol(21)]).unwrap();
    let numbers: Vec<u64> = applied
        .iter()
        .map(|applied| match applied {
            Applied::Enrolled { record, .. } => record.get(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, [13, 14]); // 12 was enrolled, erased and forgotten
    segment(&restored, REALM, 13..15);
    assert_eq!(records(&restored).len(), 12);
}

#[test]
fn a_backup_of_a_store_in_use_is_one_of_its_states() {
    let dir = tempfile::tempdir().unwrap();
    let (store, target) = (fill(dir.path()), dir.path().join("backups"));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (store, stop) = (&store, &stop);
        scope.spawn(move || {
            let mut next = 100;
            while !stop.load(Ordering::Relaxed) {
                store.commit(&[enrol(next), enrol(next + 1)]).unwrap();
                if next % 8 == 0 {
                    // What is live is replaced, and its file goes, while it is being copied.
                    let record = store.find_encounter(REALM, &id(next)).unwrap().unwrap();
                    let (added, _) = store.write_segment(REALM, &draft(vec![record])).unwrap();
                    store.commit(&[Change::ReplaceSegments { realm: REALM, with: vec![added] }]).unwrap();
                }
                next += 2;
            }
        });
        for number in 1..=6 {
            let done = store.backup(&target, &|_, _| ());
            if number == 6 || done.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            assert_eq!(done.unwrap().number, number);
        }
    });
    let now = records(&store);
    let mut before = 0;
    for number in 1..=6 {
        let (done, restored) = restore(&target, Some(number), dir.path().join(number.to_string()));
        let report = restored.verify().unwrap();
        let catalogue = report.problems.iter().filter(|problem| matches!(problem, khop_store::Problem::Catalogue(_)));
        assert_eq!(catalogue.count(), 0, "{:?}", report.problems);
        let there = restored.records_from(REALM, RecordNumber::new(0), usize::MAX).unwrap();
        assert!(there.iter().map(|(record, _)| record.get()).eq(now[..there.len()].iter().copied()));
        assert!(there.len() >= before && there.len() as u64 + 1 == done.encounters && there.len() % 2 == 0);
        before = there.len();
    }
    assert!(before > 12, "nobody was enrolled meanwhile");
}

#[test]
fn what_is_damaged_missing_or_another_s_is_named_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let (store, target) = (fill(dir.path()), dir.path().join("backups"));
    let to = dir.path().join("restored");
    let refused = |number: Option<u64>| {
        let error = Opening::default().restore(&target, number, &to).unwrap_err();
        assert!(!to.exists() && !to.with_extension("restoring").exists(), "{error}");
        error.to_string()
    };
    fs::create_dir(&target).unwrap();
    assert!(refused(None).contains("missing"));
    store.backup(&target, &|_, _| ()).unwrap();
    assert!(refused(Some(7)).contains("7/MANIFEST"));
    for (name, said) in [
        ("1/MANIFEST", "hash"),
        ("1/catalogue.redb", "hash"),
        ("keys/1.epoch", "1.epoch"),
        ("keys/1.keyring", "1.keyring"),
    ] {
        let file = target.join(name);
        let good = fs::read(&file).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 4;
        fs::write(&file, bad).unwrap();
        let error = refused(None);
        assert!(error.contains(said), "{name}: {error}");
        fs::write(&file, good).unwrap();
    }
    // A lost segment is derived, and no loss.
    fs::remove_file(target.join("segments/0/1.khs")).unwrap();
    let (done, restored) = restore(&target, None, to.clone());
    assert_eq!((done.segments, done.encounters), (2, 13));
    assert!(restored.open_segments(REALM).unwrap()[0].is_err());
    assert!(
        matches!(Opening::default().restore(&target, None, &to), Err(StoreError::Exists { .. })),
        "never over a store"
    );

    // A restored store has the keys of then: they must not take the place of those that have forgotten more since.
    assert!(matches!(restored.backup(&target, &|_, _| ()), Err(StoreError::OtherStore { .. })));
    assert_eq!(restored.backup(&dir.path().join("its-own"), &|_, _| ()).unwrap().number, 1);
    let other = Store::open(&dir.path().join("other")).unwrap();
    assert!(matches!(other.backup(&target, &|_, _| ()), Err(StoreError::OtherStore { .. })));
    // What an interrupted backup left is written over.
    fs::create_dir(target.join("2.new")).unwrap();
    fs::write(target.join("2.new/catalogue.redb"), "half a catalogue").unwrap();
    let Backup { number, copied, kept, .. } = store.backup(&target, &|_, _| ()).unwrap();
    assert_eq!((number, copied, kept), (2, 1, 2));
}
