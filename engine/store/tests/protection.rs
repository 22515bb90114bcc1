//! Can whoever has the disk read anything of anybody? The directory's bytes, searched for what was enrolled.

mod people;

use std::fs;
use std::path::Path;

use khop_keys::{KeyError, RootKey, RootSource};
use khop_store::{Change, Opening, RecordNumber, SegmentDraft, Store, StoreError};
use people::{REALM, create, encounter, enrol};

const PEOPLE: u64 = 40;

/// What a search would need of a person, as a segment keeps it.
fn template(number: u64) -> Vec<u8> {
    (0..90).map(|i| (i * 17 + number * 5 + 3) as u8).collect()
}

fn vector(number: u64) -> Vec<u8> {
    (0..64).map(|i| (i * 29 + number * 11 + 1) as u8).collect()
}

/// A store with people in its catalogue and in a segment.
fn fill(path: &Path, opening: &Opening) {
    let store = opening.open(path).unwrap();
    store.commit(&[create()]).unwrap();
    store.commit(&(0..PEOPLE).map(enrol).collect::<Vec<_>>()).unwrap();
    let draft = SegmentDraft {
        records: (0..PEOPLE).map(RecordNumber::new).collect(),
        columns: vec![("plane".into(), (0..PEOPLE).flat_map(vector).collect())],
        items: (0..PEOPLE).map(template).collect(),
        algorithms: "test 1".into(),
    };
    let (segment, _) = store.write_segment(REALM, &draft).unwrap();
    store.commit(&[Change::SetSegments { realm: REALM, add: vec![segment], remove: vec![] }]).unwrap();
}

/// Every file below a directory, one behind the other.
fn raw(dir: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(if path.is_dir() { raw(&path) } else { fs::read(path).unwrap() });
    }
    bytes
}

/// How many of these are anywhere in there, by any sixteen bytes of theirs.
fn found(haystack: &[u8], needles: impl Iterator<Item = Vec<u8>>) -> usize {
    let windows: std::collections::HashSet<&[u8]> = haystack.windows(16).collect();
    needles.filter(|needle| needle.windows(16).any(|part| windows.contains(part))).count()
}

#[test]
fn nothing_biometric_can_be_read_from_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let samples = || (0..PEOPLE).flat_map(|number| encounter(number).samples).map(|sample| sample.bytes);
    for encrypted_volume in [false, true] {
        let path = dir.path().join(encrypted_volume.to_string());
        fill(&path, &Opening { encrypted_volume, ..Opening::default() });
        let raw = raw(&path);
        assert_eq!(found(&raw, samples()), 0, "samples");
        assert_eq!(found(&raw, (0..PEOPLE).map(template)), 0, "items");
        // Where the operator says that the volume is encrypted, planes lie open. It shows, too, that the search finds.
        let planes = if encrypted_volume { PEOPLE as usize } else { 0 };
        assert_eq!(found(&raw, (0..PEOPLE).map(vector)), planes, "planes");
    }
}

#[test]
fn both_kinds_of_segments_are_read_whatever_the_volume() {
    let dir = tempfile::tempdir().unwrap();
    for encrypted_volume in [false, true] {
        let path = dir.path().join(encrypted_volume.to_string());
        fill(&path, &Opening { encrypted_volume, ..Opening::default() });
        for encrypted_volume in [false, true] {
            let store = Opening { encrypted_volume, ..Opening::default() }.open(&path).unwrap();
            let segment = store.open_segments(REALM).unwrap().remove(0).unwrap();
            assert_eq!(segment.column("plane").unwrap().unwrap()[64 * 7..][..64], vector(7));
            assert_eq!(*segment.item(7).unwrap(), template(7));
            assert!(store.verify().unwrap().is_sound());
        }
    }
}

#[test]
fn without_the_root_key_nothing_opens_and_nothing_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let (path, root) = (dir.path().join("store"), dir.path().join("root"));
    RootKey::random().unwrap().write_new(&root).unwrap();
    let opening = Opening { root: RootSource::File(root.clone()), ..Opening::default() };
    fill(&path, &opening);
    let before = raw(&path);
    assert!(matches!(Store::open(&path), Err(StoreError::Keys(KeyError::Missing { .. }))));
    let other = dir.path().join("other");
    RootKey::random().unwrap().write_new(&other).unwrap();
    let error = Opening { root: RootSource::File(other), ..Opening::default() }.open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Keys(KeyError::OtherRoot { .. })), "{error}");
    fs::remove_dir_all(path.join("keys")).unwrap();
    let error = opening.open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Keys(KeyError::Missing { .. })), "{error}");
    assert!(!path.join("keys").exists()); // no new keys for an old catalogue
    assert!(raw(&path).len() < before.len());
}

#[test]
fn a_segment_of_the_other_kind_in_its_place_is_a_stranger() {
    let dir = tempfile::tempdir().unwrap();
    let file = |kind: bool| dir.path().join(kind.to_string()).join("segments/0/1.khs");
    for encrypted_volume in [false, true] {
        fill(&dir.path().join(encrypted_volume.to_string()), &Opening { encrypted_volume, ..Opening::default() });
    }
    // Whoever can write to the directory could make checksums of mapped columns agree: it must not be tried.
    fs::copy(file(true), file(false)).unwrap();
    let store = Store::open(&dir.path().join("false")).unwrap();
    assert!(store.open_segments(REALM).unwrap()[0].is_err());
}
