//! Is damage always named, and never an answer? Flipped bits, lost, moved and cut bytes, all over the store.

mod people;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use khop_store::{
    Change, NewCase, Opening, RealmNumber, RecordNumber, SegmentFault, SegmentNumber, Store, StoreError, TaskNumber,
};
use khop_vocabulary::RealmId;
use people::{REALM, create, draft, encounter, enrol, erase, id};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use redb::{Database, ReadableDatabase, TableDefinition, TableHandle};

const OTHER: RealmNumber = RealmNumber::new(1);
const ENROLLED: u64 = 12;
const ERASED: [u64; 2] = [3, 8];

/// A store with everything in it, closed.
fn store(dir: &Path) -> PathBuf {
    store_as(dir, &Opening::default())
}

fn store_as(dir: &Path, opening: &Opening) -> PathBuf {
    let path = dir.join("store");
    let store = opening.open(&path).unwrap();
    let other =
        Change::CreateRealm { id: RealmId::new("other").unwrap(), expires_at_unix_s: Some(9), note: "x".into() };
    store.commit(&[create(), other]).unwrap();
    store.commit(&(0..ENROLLED - 1).map(enrol).collect::<Vec<_>>()).unwrap();
    let case = Some(NewCase { candidates: vec![(id(1), 44.0), (id(2), 41.0)], outcome: 1 });
    let with_case =
        Change::Enrol { realm: REALM, encounter: encounter(ENROLLED - 1), replaces: None, case, note: String::new() };
    let elsewhere =
        Change::Enrol { realm: OTHER, encounter: encounter(0), replaces: None, case: None, note: String::new() };
    let meta = Change::PutMeta { key: "position".into(), value: Some(vec![7; 20]) };
    let task = Change::AddTask { realm: REALM, value: vec![9; 30] };
    store.commit(&[with_case, elsewhere, meta, task]).unwrap();
    for (realm, records) in [(REALM, 0..6), (REALM, 6..10), (OTHER, 0..1)] {
        let (segment, _) = store.write_segment(realm, &draft(records.map(RecordNumber::new).collect())).unwrap();
        store.commit(&[Change::SetSegments { realm, add: vec![segment], remove: vec![] }]).unwrap();
    }
    store.commit(&ERASED.map(|record| erase(RecordNumber::new(record)))).unwrap();
    path
}

/// Asks everything. Panics on a wrong answer; counts errors and answers that overlook something.
fn ask(store: &Store) -> (usize, usize) {
    let (mut errors, mut overlooked) = (0, 0);
    let mut check = |outcome: Result<bool, StoreError>, may_overlook: bool, what: &str| match outcome {
        Ok(true) => {}
        Ok(false) if may_overlook => overlooked += 1,
        Ok(false) => panic!("a wrong answer: {what}"),
        Err(_) => errors += 1,
    };
    check(store.realms().map(|realms| realms.len() == 2 && realms[1].id.as_str() == "other"), false, "realms");
    check(store.meta("position").map(|value| value.is_some()), true, "meta is there");
    check(store.meta("position").map(|value| value.is_none_or(|v| v == [7; 20])), false, "meta");
    check(store.tasks(REALM).map(|tasks| tasks == [TaskNumber::new(0)]), false, "tasks");
    let task = store.task(REALM, TaskNumber::new(0));
    check(task.as_ref().map(Option::is_some).map_err(lost), true, "task is there");
    check(task.map(|value| value.is_none_or(|v| v == [9; 30])), false, "task");
    for number in 0..ENROLLED {
        let (record, erased) = (RecordNumber::new(number), ERASED.contains(&number));
        let read = match store.read(REALM, record) {
            Err(StoreError::UnknownRecord { .. }) => Ok(erased),
            other => other.map(|stored| !erased && stored == encounter(number)),
        };
        check(read, false, "read");
        let identity = match store.identity(REALM, record) {
            Err(StoreError::UnknownRecord { .. }) => Ok(erased),
            other => other.map(|key| !erased && key == id(number)),
        };
        check(identity, false, "identity");
        let found = store.find_encounter(REALM, &id(number));
        check(found.as_ref().map(|f| f.is_none_or(|f| f == record && !erased)).map_err(lost), false, "find_encounter");
        check(found.map(|found| found.is_some() != erased), true, "find_encounter finds");
        let wanted: Vec<_> = (0..ENROLLED).filter(|n| n / 2 == number / 2 && !ERASED.contains(n)).collect();
        let found = store.find_subject(REALM, &encounter(number).subject);
        let inside = |f: &Vec<RecordNumber>| f.iter().all(|record| wanted.contains(&record.get()));
        check(found.as_ref().map(inside).map_err(lost), false, "find_subject");
        check(found.map(|found| found.len() == wanted.len()), true, "find_subject finds");
    }
    let there: Vec<u64> = (0..ENROLLED).filter(|number| !ERASED.contains(number)).collect();
    let records = store.records_from(REALM, RecordNumber::new(0), 100);
    let same = |records: Vec<(RecordNumber, _)>| {
        records.len() == there.len()
            && records.iter().zip(&there).all(|((r, e), n)| r.get() == *n && *e == encounter(*n))
    };
    check(records.map(same), false, "records_from");
    check(store.erased(REALM).map(|erased| erased.iter().collect::<Vec<_>>() == ERASED), false, "erased");
    check(store.galleries(REALM).map(|galleries| galleries.len() == 3), true, "galleries");
    check(store.cases(REALM).map(|cases| cases.len() == 1 && cases[0].candidates.len() == 2), false, "cases");
    let counts = store.counts(REALM).map(|c| (c.encounters, c.erased, c.segments, c.cases) == (10, 2, 2, 1));
    check(counts, false, "counts");
    match store.open_segments(REALM) {
        Ok(segments) => {
            let unusable = segments.iter().any(|one| one.as_ref().is_err());
            check(Ok(unusable || segments.len() == 2), false, "segments");
            check(if unusable { Err(lost(&StoreError::UnknownRealm(REALM))) } else { Ok(true) }, false, "a segment");
            for segment in segments.into_iter().flatten() {
                let rows = if segment.number() == SegmentNumber::new(1) { 6 } else { 4 };
                assert_eq!(segment.rows(), rows);
                if let Ok(plane) = segment.column("plane") {
                    let plane = plane.unwrap();
                    assert!((0..rows).all(|row| plane[row as usize * 64] == segment.record(row).get() as u8));
                }
            }
        }
        Err(error) => check(Err(error), false, "segments"),
    }
    check(store.audit_head().map(|head| head.entries == 20), false, "audit");
    (errors, overlooked)
}

/// The same error, for a second use.
fn lost(_: &StoreError) -> StoreError {
    StoreError::Draft("counted below".into())
}

fn sound(store: &Store) -> bool {
    store.verify().unwrap().is_sound()
}

type Values = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Keys and values of a table.
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Every table's name and entries.
fn entries(file: &Path) -> Vec<(String, Pairs)> {
    let database = Database::open(file).unwrap();
    let transaction = database.begin_read().unwrap();
    let names: Vec<String> = transaction.list_tables().unwrap().map(|table| table.name().to_owned()).collect();
    let read = |name: String| {
        let table = transaction.open_table(Values::new(leak(&name))).unwrap();
        let pairs = table.range::<&[u8]>(..).unwrap().map(Result::unwrap);
        let pairs = pairs.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())).collect();
        (name, pairs)
    };
    names.into_iter().map(read).collect()
}

fn leak(name: &str) -> &'static str {
    name.to_owned().leak()
}

/// Writes values under keys of a table behind the store's back; `None` removes.
fn tamper(file: &Path, table: &str, pairs: &[(&[u8], Option<&[u8]>)]) {
    let database = Database::open(file).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(Values::new(leak(table))).unwrap();
        for &(key, value) in pairs {
            match value {
                Some(value) => drop(table.insert(key, value).unwrap()),
                None => drop(table.remove(key).unwrap()),
            }
        }
    }
    transaction.commit().unwrap();
}

#[test]
fn every_damaged_value_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = store(dir.path());
    let file = path.join("catalogue.redb");
    let whole = fs::read(&file).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let tables = entries(&file);
    assert_eq!(tables.iter().filter(|(_, pairs)| pairs.is_empty()).count(), 0, "a table without a test");
    for (table, pairs) in &tables {
        for (key, value) in pairs {
            let mut bad = value.clone();
            let bit = random.random_range(0..bad.len() * 8);
            bad[bit / 8] ^= 1 << (bit % 8);
            tamper(&file, table, &[(key, Some(&bad))]);
            let what = format!("{table}, key {key:?}, bit {bit}");
            if let Ok(store) = Store::open(&path) {
                let (errors, overlooked) = ask(&store);
                let quiet =
                    ["audit", "mentions", "identities", "records"].contains(&table.as_str()) || key[..4] != [0; 4];
                assert!(errors > 0 || quiet, "{what}: nobody noticed");
                assert_eq!(overlooked, 0, "{what}");
                assert!(!sound(&store), "{what}: not found by verify");
            }
            fs::write(&file, &whole).unwrap();
        }
    }
    let store = Store::open(&path).unwrap();
    assert!(ask(&store) == (0, 0) && sound(&store));
}

#[test]
fn lost_and_moved_values_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = store(dir.path());
    let file = path.join("catalogue.redb");
    let whole = fs::read(&file).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let refused = |what: &str, may_overlook: bool| {
        if let Ok(store) = Store::open(&path) {
            let overlooked = ask(&store).1;
            assert!(overlooked == 0 || may_overlook, "{what}: overlooked");
            assert!(!sound(&store), "{what}: not found by verify");
        }
        fs::write(&file, &whole).unwrap();
    };
    for (table, pairs) in entries(&file) {
        // What is only looked up, and never counted on the way, can be overlooked until the next verification.
        let index = ["encounters", "galleries", "tasks", "meta"].contains(&table.as_str());
        for (key, value) in &pairs {
            if table != "meta" {
                tamper(&file, &table, &[(key, None)]);
                refused(&format!("{table} without {key:?}"), index);
            }
            let (other, moved) = &pairs[random.random_range(0..pairs.len())];
            if other != key && moved != value {
                tamper(&file, &table, &[(key, Some(moved)), (other, Some(value))]);
                refused(&format!("{table}: {key:?} and {other:?} exchanged"), false);
            }
        }
    }
}

/// What can happen to a file of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Harm {
    /// One bit flips, near a value, in the first sector, or anywhere.
    Flip,
    /// A page reads as zeros.
    Zeroed,
    /// Two pages are exchanged.
    Swapped,
    /// A page is as it was some commits ago.
    Stale,
    /// The file ends early.
    Cut,
}

const HARMS: [Harm; 5] = [Harm::Flip, Harm::Zeroed, Harm::Swapped, Harm::Stale, Harm::Cut];
const PAGE: usize = 4096;

/// The file with one harm done to it, chosen among places where something is.
fn harmed(harm: Harm, whole: &[u8], old: &[u8], values: &[usize], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bad = whole.to_vec();
    let page = |random: &mut ChaCha8Rng| match random.random_range(0..4) {
        0 => random.random_range(0..whole.len() / PAGE) * PAGE,
        _ => values[random.random_range(0..values.len())] / PAGE * PAGE,
    };
    match harm {
        Harm::Flip => {
            // Most of the file is room to grow and pages of the past: aim at the surroundings of values.
            let at = match random.random_range(0..6) {
                0 => random.random_range(0..whole.len()),
                1 => random.random_range(0..512),
                _ => values[random.random_range(0..values.len())] + random.random_range(0..300) - 100,
            };
            bad[at] ^= 1 << random.random_range(0..8);
        }
        Harm::Zeroed => bad[page(random)..][..PAGE].fill(0),
        Harm::Swapped => {
            let (one, other) = (page(random), page(random));
            bad[one..][..PAGE].copy_from_slice(&whole[other..][..PAGE]);
            bad[other..][..PAGE].copy_from_slice(&whole[one..][..PAGE]);
        }
        Harm::Stale => {
            let at = page(random);
            match old.get(at..at + PAGE) {
                Some(before) => bad[at..][..PAGE].copy_from_slice(before),
                None => bad[at..][..PAGE].fill(0),
            }
        }
        Harm::Cut => bad.truncate(random.random_range(0..whole.len())),
    }
    bad
}

/// `KHOP_RIG_HARMS=100000 cargo test -p khop-store --test damage catalogue_file -- --nocapture` is the long form.
#[test]
fn damage_to_the_catalogue_file_is_named_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let path = store(dir.path());
    let file = path.join("catalogue.redb");
    let old = fs::read(&file).unwrap();
    {
        // Some commits later, and with what it holds the same as before: the answers that are asked for stay.
        let store = Store::open(&path).unwrap();
        for number in 0..4u8 {
            let meta = |value: Vec<u8>| Change::PutMeta { key: "position".into(), value: Some(value) };
            store.commit(&[meta(vec![number; 3000])]).unwrap();
            store.commit(&[meta(vec![7; 20])]).unwrap();
        }
    }
    let whole = fs::read(&file).unwrap();
    let values: Vec<usize> = whole.windows(3).enumerate().filter(|(_, w)| w == b"KH\x02").map(|(at, _)| at).collect();
    let harms = std::env::var("KHOP_RIG_HARMS").ok().and_then(|harms| harms.parse().ok()).unwrap_or(400usize);
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut seen = BTreeMap::<Harm, [usize; 3]>::new();
    for trial in 0..harms {
        let harm = if trial % 2 == 0 { Harm::Flip } else { HARMS[trial / 2 % HARMS.len()] };
        let bad = harmed(harm, &whole, &old, &values, &mut random);
        fs::write(&file, &bad).unwrap();
        let [refused, by_verify, harmless] = seen.entry(harm).or_default();
        match Store::open(&path) {
            Err(_) => *refused += 1,
            Ok(store) => {
                let (errors, overlooked) = ask(&store);
                let sound = sound(&store);
                assert!(overlooked == 0 || !sound, "{trial}, {harm:?}: overlooked, and verify says nothing");
                match (errors, sound) {
                    (0, true) => *harmless += 1,
                    (0, false) => *by_verify += 1,
                    _ => *refused += 1,
                }
            }
        }
        // The page checksums see what values cannot show.
        fs::write(&file, &bad).unwrap();
        if let Ok(store) = (Opening { check: true, ..Opening::default() }).open(&path) {
            assert_eq!(ask(&store), (0, 0), "{trial}, {harm:?}");
        }
    }
    println!("named when met, found by verify, harmless: {seen:?}");
    let total = |at: usize| seen.values().map(|counts| counts[at]).sum::<usize>();
    assert!(total(0) > harms / 8 && total(2) > harms / 8, "{seen:?}: the harms hit nothing, or everything");
}

#[test]
fn every_flipped_bit_and_cut_of_a_segment_is_named_or_harmless() {
    for encrypted_volume in [false, true] {
        flip_and_cut(&Opening { encrypted_volume, ..Opening::default() });
    }
}

fn flip_and_cut(opening: &Opening) {
    let dir = tempfile::tempdir().unwrap();
    let path = store_as(dir.path(), opening);
    let store = opening.open(&path).unwrap();
    let file = path.join("segments/0/1.khs");
    let whole = fs::read(&file).unwrap();
    let columns = |bad: &[u8]| {
        fs::remove_file(&file).unwrap(); // the maps of the trials before keep their own file
        fs::write(&file, bad).unwrap();
        let segment = store.open_segments(REALM).unwrap().remove(0)?;
        let columns = ["plane", "scales"].map(|name| segment.column(name).map(|c| c.unwrap().to_vec()));
        let items = (0..segment.rows()).map(|row| segment.item(row).map(|item| item.to_vec()));
        Ok::<_, khop_store::SegmentError>(columns.into_iter().chain(items).collect::<Vec<_>>())
    };
    let good: Vec<Vec<u8>> = columns(&whole).unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(good[2..].iter().map(Vec::len).collect::<Vec<_>>(), [0, 5, 10, 15, 20, 25]);
    let harmless = |bad: &[u8], what: &str| match columns(bad) {
        Err(_) => false,
        Ok(read) => {
            let wrong = read.iter().zip(&good).any(|(read, good)| read.as_ref().is_ok_and(|read| read != good));
            assert!(!wrong, "{what}: a wrong answer");
            read.iter().all(Result::is_ok)
        }
    };
    let mut spared = 0;
    for bit in 0..whole.len() * 8 {
        let mut bad = whole.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        spared += usize::from(harmless(&bad, &format!("bit {bit}")));
    }
    let items = 5 * 40 + 75;
    let columns = 6 * 8 + 7 * 8 + 6 * 64 + 6 * 4;
    let padding = 8 * (whole.len() - 64 - (64 + 4 * 64 + 6) - columns - items);
    let expected = if opening.encrypted_volume { padding } else { 0 };
    assert_eq!(spared, expected, "only the zeros between mapped columns may change unseen");
    for cut in 0..whole.len() {
        assert!(!harmless(&whole[..cut], "cut") || cut == whole.len(), "cut at {cut}");
    }
    assert!(!harmless(&[&whole[..], &[0; 64]].concat(), "longer"));
}

#[test]
fn another_segment_in_its_place_is_a_stranger() {
    let dir = tempfile::tempdir().unwrap();
    let path = store(dir.path());
    let store = Store::open(&path).unwrap();
    // Three of the same shape: another realm's, another number's, and an older one of the same number.
    let write = |realm, shift: u64| {
        let records = vec![RecordNumber::new(shift)];
        store.write_segment(realm, &draft(records)).unwrap().0
    };
    let (ours, theirs, newer) = (write(REALM, 0), write(OTHER, 0), write(REALM, 40));
    let remove = vec![SegmentNumber::new(1), SegmentNumber::new(2)];
    let set = Change::SetSegments { realm: REALM, add: vec![ours.clone(), newer.clone()], remove };
    store.commit(&[set]).unwrap();
    let file = |realm: u32, number: SegmentNumber| path.join(format!("segments/{realm}/{}.khs", number.get()));
    let whole = fs::read(file(0, ours.number)).unwrap();
    for other in [file(1, theirs.number), file(0, newer.number)] {
        fs::copy(&other, file(0, ours.number)).unwrap();
        let segments = store.open_segments(REALM).unwrap();
        let error = segments[0].as_ref().unwrap_err();
        assert_eq!(error.fault, SegmentFault::Stranger, "{error}");
        assert!(error.to_string().contains("3.khs: realm 0, segment 3"), "{error}");
        assert!(segments[1].is_ok());
    }
    fs::write(file(0, ours.number), whole).unwrap();
    assert!(store.open_segments(REALM).unwrap().iter().all(Result::is_ok));
    fs::remove_file(file(0, ours.number)).unwrap();
    assert!(matches!(store.open_segments(REALM).unwrap()[0].as_ref().unwrap_err().fault, SegmentFault::Io(_)));
}

#[test]
fn a_damaged_list_of_segments_is_mended_by_replacing_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = store(dir.path());
    let file = path.join("catalogue.redb");
    let (_, pairs) = entries(&file).into_iter().find(|(table, _)| table == "segments").unwrap();
    tamper(&file, "segments", &[(&pairs[0].0, Some(b"nonsense")), (&pairs[1].0, None)]);
    let store = Store::open(&path).unwrap();
    let opened = store.open_segments(REALM).unwrap();
    assert_eq!(opened.len(), 2); // the damaged one, and that there should be another
    assert!(opened.iter().all(|one| matches!(&one.as_ref().unwrap_err().fault, SegmentFault::Entry(_))), "{opened:?}");
    assert!(store.segments(REALM).is_err() && !sound(&store));
    assert!(path.join("segments/0/2.khs").exists()); // nothing is removed by a list that cannot be trusted
    let records = (0..ENROLLED).filter(|number| !ERASED.contains(number)).map(RecordNumber::new).collect();
    let (segment, _) = store.write_segment(REALM, &draft(records)).unwrap();
    let replace = Change::ReplaceSegments { realm: REALM, with: vec![segment.clone()] };
    assert_eq!(store.commit(&[replace]).unwrap(), [khop_store::Applied::Done]);
    assert_eq!(store.segments(REALM).unwrap(), [segment]);
    assert!(sound(&store));
    drop(store);
    let store = Store::open(&path).unwrap();
    assert!(store.open_segments(REALM).unwrap().iter().all(Result::is_ok));
    assert!(!path.join("segments/0/1.khs").exists() && !path.join("segments/0/2.khs").exists());
}

#[test]
fn damage_does_not_stand_in_the_way_of_an_erasure() {
    for table in ["identities", "records"] {
        let dir = tempfile::tempdir().unwrap();
        let path = store(dir.path());
        let file = path.join("catalogue.redb");
        let (_, pairs) = entries(&file).into_iter().find(|(name, _)| name == table).unwrap();
        tamper(&file, table, &[(&pairs[0].0, Some(b"nonsense"))]);
        let store = Store::open(&path).unwrap();
        assert!(!sound(&store));
        assert_eq!(store.commit(&[erase(RecordNumber::new(0))]).unwrap(), [khop_store::Applied::Erased]);
        assert!(sound(&store), "{:?}", store.verify().unwrap().problems);
        assert!(store.records_from(REALM, RecordNumber::new(0), 100).unwrap().iter().all(|(n, _)| n.get() != 0));
    }
}
