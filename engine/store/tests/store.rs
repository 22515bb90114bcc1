//! Does a store do what its methods say, and is it the same after it was closed and opened again?

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use khop_store::{
    Applied, CaseNumber, Change, Counts, NewCase, Opening, RealmNumber, RecordNumber, Segment, SegmentDraft,
    SegmentNumber, Snapshot, Store, StoreError, TaskNumber,
};
use khop_vocabulary::{
    Attributes, Encounter, EncounterKey, FingerPosition, GalleryId, ModelId, Quality, RealmId, Region, Sample,
    SampleFormat, Sex, SubjectId,
};

const REALM: RealmNumber = RealmNumber::new(0);

fn encounter(id: &str, subject: &str) -> Encounter {
    let finger = Sample {
        format: SampleFormat::Minutiae,
        position: Some(FingerPosition::LeftThumb),
        quality: Some(Quality::new(80).unwrap()),
        bytes: id.bytes().cycle().take(300).collect(),
    };
    let face = Sample {
        format: SampleFormat::FaceVector(ModelId::new("m").unwrap()),
        position: None,
        quality: None,
        bytes: vec![1; 64],
    };
    Encounter {
        galleries: BTreeSet::from([GalleryId::named("adults").unwrap()]),
        attributes: Attributes {
            year_of_birth: Some(1990),
            sex: Some(Sex::Female),
            region: Some(Region::new("HN").unwrap()),
        },
        ..Encounter::new(key(subject, id), vec![finger, face])
    }
}

fn enrol(id: &str, subject: &str) -> Change {
    Change::Enrol { realm: REALM, encounter: encounter(id, subject), replaces: None, case: None, note: "a test".into() }
}

fn erase(record: u64) -> Change {
    Change::Erase { realm: REALM, record: RecordNumber::new(record), note: "asked for".into() }
}

/// A store with one realm in a fresh directory.
fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store")).unwrap();
    assert_eq!(create(&store, "default"), Applied::Created { realm: REALM });
    (dir, store)
}

fn create(store: &Store, id: &str) -> Applied {
    let id = RealmId::new(id).unwrap();
    store.commit(&[Change::CreateRealm { id, expires_at_unix_s: Some(7), note: String::new() }]).unwrap()[0]
}

fn reopen(store: Store) -> Store {
    let dir = store.dir().to_owned();
    drop(store);
    Store::open(&dir).unwrap()
}

fn draft(records: std::ops::Range<u64>) -> SegmentDraft {
    let rows = records.clone().count();
    let columns = vec![("plane".to_owned(), (0..rows * 100).map(|i| i as u8).collect()), ("none".to_owned(), vec![])];
    let items = records.clone().map(|n| vec![n as u8; n as usize % 7]).collect();
    SegmentDraft { records: records.map(RecordNumber::new).collect(), columns, items, algorithms: "test 1".into() }
}

fn key(subject: &str, encounter: &str) -> EncounterKey {
    EncounterKey::new(subject, encounter).unwrap()
}

#[test]
fn what_was_acknowledged_is_there_after_reopening() {
    let (_dir, store) = store();
    let applied = store.commit(&[enrol("e0", "anna"), enrol("e1", "binh"), enrol("e0", "anna"), enrol("e2", "anna")]);
    let enrolled = |n| Applied::Enrolled { record: RecordNumber::new(n), case: None };
    let exists = Applied::Exists { record: RecordNumber::new(0) };
    assert_eq!(applied.unwrap(), [enrolled(0), enrolled(1), exists, enrolled(2)]);
    let check = |store: &Store| {
        assert_eq!(store.read(REALM, RecordNumber::new(1)).unwrap(), encounter("e1", "binh"));
        assert_eq!(store.find_encounter(REALM, &key("anna", "e2")).unwrap(), Some(RecordNumber::new(2)));
        assert_eq!(store.find_encounter(REALM, &key("binh", "e2")).unwrap(), None);
        let anna = SubjectId::new("anna").unwrap();
        assert_eq!(store.find_subject(REALM, &anna).unwrap(), [RecordNumber::new(0), RecordNumber::new(2)]);
        assert!(store.find_subject(REALM, &SubjectId::new("ann").unwrap()).unwrap().is_empty());
        assert_eq!(store.identity(REALM, RecordNumber::new(2)).unwrap(), key("anna", "e2"));
        assert_eq!(store.galleries(REALM).unwrap(), [GalleryId::named("adults").unwrap()]);
        assert_eq!(store.counts(REALM).unwrap(), Counts { encounters: 3, ..Counts::default() });
        let realm = store.realm(&RealmId::new("default").unwrap()).unwrap().unwrap();
        assert_eq!((realm.number, realm.expires_at_unix_s), (REALM, Some(7)));
    };
    check(&store);
    let store = reopen(store);
    check(&store);
    assert_eq!(store.commit(&[enrol("e3", "dung")]).unwrap(), [enrolled(3)]);
}

#[test]
fn what_is_erased_is_gone_and_its_number_is_not_given_again() {
    let (_dir, store) = store();
    let case = NewCase { candidates: vec![(key("anna", "e0"), 40.5), (key("anna", "e1"), 39.0)], outcome: 1 };
    let with_case = |name: &str, case| Change::Enrol {
        realm: REALM,
        encounter: encounter(name, name),
        replaces: None,
        case: Some(case),
        note: String::new(),
    };
    let only = NewCase { candidates: vec![(key("anna", "e1"), 50.0)], outcome: 2 };
    store.commit(&[enrol("e0", "anna"), enrol("e1", "anna"), with_case("e2", case), with_case("e3", only)]).unwrap();
    let names = |store: &Store| -> Vec<(u64, Vec<String>)> {
        let cases = store.cases(REALM).unwrap();
        let list = |c: &khop_store::CaseRecord| c.candidates.iter().map(|(key, _)| key.encounter.to_string()).collect();
        cases.iter().map(|c| (c.number.get(), list(c))).collect()
    };
    assert_eq!(names(&store), [(0, vec!["e0".into(), "e1".into()]), (1, vec!["e1".into()])]);
    assert_eq!(
        store.commit(&[erase(1), erase(1), erase(9)]).unwrap(),
        [Applied::Erased, Applied::NotFound, Applied::NotFound]
    );
    let check = |store: &Store| {
        let record = RecordNumber::new(1);
        assert!(matches!(store.read(REALM, record), Err(StoreError::UnknownRecord { .. })));
        assert!(matches!(store.identity(REALM, record), Err(StoreError::UnknownRecord { .. })));
        assert_eq!(store.find_encounter(REALM, &key("anna", "e1")).unwrap(), None);
        assert_eq!(store.find_subject(REALM, &SubjectId::new("anna").unwrap()).unwrap(), [RecordNumber::new(0)]);
        assert_eq!(store.erased(REALM).unwrap().iter().collect::<Vec<_>>(), [1]);
        let numbers = |first, limit| -> Vec<u64> {
            let found = store.records_from(REALM, RecordNumber::new(first), limit).unwrap();
            found.iter().map(|(record, _)| record.get()).collect()
        };
        assert_eq!((numbers(0, 9), numbers(1, 1), numbers(4, 9)), (vec![0, 2, 3], vec![2], vec![]));
        assert_eq!(names(store), [(0, vec!["e0".into()])]); // the case that named only the erased one went with it
    };
    check(&store);
    let store = reopen(store);
    check(&store);
    let again = store.commit(&[enrol("e1", "anna")]).unwrap();
    assert_eq!(again, [Applied::Enrolled { record: RecordNumber::new(4), case: None }]);
    store.commit(&[erase(0), erase(2), erase(3), erase(4)]).unwrap();
    assert!(store.galleries(REALM).unwrap().is_empty() && store.cases(REALM).unwrap().is_empty());
    store.verify_audit().unwrap();
}

#[test]
fn realms_are_apart_and_go_as_a_whole() {
    let (_dir, store) = store();
    let other = RealmNumber::new(1);
    assert_eq!(create(&store, "flight"), Applied::Created { realm: other });
    assert_eq!(create(&store, "flight"), Applied::RealmExists { realm: other });
    let there = |encounter| Change::Enrol { realm: other, encounter, replaces: None, case: None, note: String::new() };
    store.commit(&[enrol("e0", "anna"), there(encounter("e0", "binh")), there(encounter("e1", "chi"))]).unwrap();
    assert_eq!(store.read(other, RecordNumber::new(0)).unwrap().subject.as_str(), "binh");
    assert_eq!(store.read(REALM, RecordNumber::new(0)).unwrap().subject.as_str(), "anna");
    let (record, segment) = store.write_segment(other, &draft(0..2)).unwrap();
    let live = Change::SetSegments { realm: other, add: vec![record], remove: vec![] };
    store.commit(&[live]).unwrap();
    let dropped = store.commit(&[Change::DropRealm { realm: other, note: String::new() }]).unwrap();
    assert_eq!(dropped, [Applied::Dropped { records: 2, segments: 1 }]);
    assert!(!segment.path().unwrap().exists() && segment.column("plane").unwrap().is_some());
    let store = reopen(store);
    assert!(matches!(store.read(other, RecordNumber::new(0)), Err(StoreError::UnknownRealm(_))));
    assert_eq!(store.read(REALM, RecordNumber::new(0)).unwrap().subject.as_str(), "anna");
    assert_eq!(store.commit(&[there(encounter("x", "y"))]).unwrap(), [Applied::UnknownRealm]);
    assert_eq!(create(&store, "flight"), Applied::Created { realm: RealmNumber::new(2) }); // never the same number
    assert_eq!(store.realms().unwrap().len(), 2);
}

#[test]
fn a_realm_has_one_face_model() {
    let (_dir, store) = store();
    let set = |dim| Change::SetFaceModel { realm: REALM, model: ModelId::new("m").unwrap(), dim };
    let unknown = Change::SetFaceModel { realm: RealmNumber::new(5), model: ModelId::new("m").unwrap(), dim: 1 };
    let applied = store.commit(&[set(512), set(512), set(128), unknown]).unwrap();
    assert_eq!(applied, [Applied::Done, Applied::Done, Applied::OtherFaceModel, Applied::UnknownRealm]);
    let realm = reopen(store).realm(&RealmId::new("default").unwrap()).unwrap().unwrap();
    assert_eq!(realm.face_model, Some((ModelId::new("m").unwrap(), 512)));
}

#[test]
fn segments_are_live_when_committed_and_strays_go() {
    let (_dir, store) = store();
    let set = |add, remove| Change::SetSegments { realm: REALM, add, remove };
    let (first, segment) = store.write_segment(REALM, &draft(0..10)).unwrap();
    assert_eq!((first.number, first.rows, segment.rows()), (SegmentNumber::new(1), 10, 10));
    assert!(segment.path().unwrap().exists() && store.open_segments(REALM).unwrap().is_empty());
    assert_eq!(store.commit(&[set(vec![first.clone()], vec![])]).unwrap(), [Applied::Done]);
    let (stray, lost) = store.write_segment(REALM, &draft(10..12)).unwrap();
    assert_eq!(stray.number, SegmentNumber::new(2));
    let foreign = segment.path().unwrap().with_file_name("notes.txt");
    fs::write(&foreign, "not the store's").unwrap();
    fs::write(segment.path().unwrap().with_file_name("9.new"), "half a segment").unwrap();
    let store = reopen(store);
    assert!(!lost.path().unwrap().exists() && foreign.exists());
    assert!(!foreign.with_file_name("9.new").exists());
    let segments = store.open_segments(REALM).unwrap();
    let [Ok(segment)] = &segments[..] else { panic!("{segments:?}") };
    assert_eq!(segment.column("plane").unwrap().unwrap(), draft(0..10).columns[0].1);
    assert_eq!(segment.column("none").unwrap().unwrap(), b"");
    assert_eq!(segment.column("other").unwrap(), None);
    assert_eq!(segment.column("plane").unwrap().unwrap().as_ptr().addr() % 64, 0);
    assert_eq!((segment.algorithms(), segment.column_names().count()), ("test 1", 2));
    let (second, _) = store.write_segment(REALM, &draft(0..12)).unwrap();
    assert!(matches!(store.commit(&[set(vec![first.clone()], vec![])]), Err(StoreError::Draft(_))));
    let swap = store.commit(&[set(vec![second], vec![first.number]), set(vec![], vec![first.number])]).unwrap();
    assert_eq!(swap, [Applied::Done, Applied::NotFound]);
    assert!(!segment.path().unwrap().exists());
    assert_eq!(store.segments(REALM).unwrap().len(), 1);
    let unknown = store.write_segment(RealmNumber::new(4), &draft(0..1));
    assert!(matches!(unknown, Err(StoreError::UnknownRealm(_))));
}

#[test]
fn a_segment_draft_must_fit_together() {
    let refused = |draft: &SegmentDraft| Segment::in_memory(draft).unwrap_err().to_string();
    let falling = SegmentDraft { records: vec![RecordNumber::new(2), RecordNumber::new(2)], ..draft(0..0) };
    assert!(refused(&falling).contains("ascending"));
    let column = |name: &str| SegmentDraft { columns: vec![(name.into(), vec![])], ..draft(0..1) };
    for name in ["", "records", "item.offsets", "a\0b", &"x".repeat(33)] {
        assert!(refused(&column(name)).contains("column"), "{name:?}");
    }
    let twice = SegmentDraft { columns: vec![("a".into(), vec![]), ("a".into(), vec![])], ..draft(0..1) };
    assert!(refused(&twice).contains("once"));
    assert!(refused(&SegmentDraft { items: vec![vec![1]], ..draft(0..2) }).contains("one a row"));
}

#[test]
fn a_segment_in_memory_reads_like_one_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let memory = Segment::in_memory(&draft(5..50)).unwrap();
    assert_eq!((memory.number(), memory.path()), (SegmentNumber::IN_MEMORY, None));
    assert_eq!(memory.private_bytes(), memory.bytes());
    for encrypted_volume in [false, true] {
        let opening = Opening { encrypted_volume, ..Opening::default() };
        let store = opening.open(&dir.path().join(encrypted_volume.to_string())).unwrap();
        create(&store, "default");
        let filed = store.write_segment(REALM, &draft(5..50)).unwrap().1;
        assert_eq!(filed.bytes(), fs::metadata(filed.path().unwrap()).unwrap().len());
        assert_eq!(filed.private_bytes() > 0, !encrypted_volume);
        assert_eq!(memory.column("plane").unwrap(), filed.column("plane").unwrap());
        for row in 0..45 {
            assert_eq!(*memory.item(row).unwrap(), draft(5..50).items[row as usize]);
            assert_eq!(*filed.item(row).unwrap(), *memory.item(row).unwrap());
        }
        for record in 0..60 {
            let record = RecordNumber::new(record);
            assert_eq!(memory.row_of(record), filed.row_of(record));
            assert_eq!(memory.row_of(record), (5..50).position(|n| n == record.get()).map(|n| n as u32));
        }
    }
}

#[test]
fn a_snapshot_never_changes_and_remembers_erasures() {
    let segment = |records| Arc::new(Segment::in_memory(&draft(records)).unwrap());
    let (a, b) = (segment(0..10), segment(10..15));
    let first = Snapshot::of([a.clone()], &[3u64, 99].into_iter().collect());
    assert_eq!((first.rows(), first.live_rows()), (10, 9));
    let second = first.with_appended(b.clone()).with_erased(RecordNumber::new(12)).with_erased(RecordNumber::new(77));
    assert_eq!((first.live_rows(), second.rows(), second.live_rows()), (9, 15, 13));
    assert_eq!(second.locate(RecordNumber::new(12)), Some((1, 2)));
    let merged = segment(0..15);
    let third = second.with_replaced(&[a, b.clone()], [merged]);
    assert_eq!((third.views().len(), third.rows(), third.live_rows()), (1, 15, 13));
    assert_eq!(third.views()[0].erased.iter().collect::<Vec<_>>(), [3, 12]);
    let fourth = third.with_appended(segment(20..22)).with_replaced(&[third.views()[0].segment.clone()], []);
    assert_eq!((fourth.views().len(), fourth.live_rows()), (1, 2));
    assert_eq!(third.with_replaced(&[b], [segment(30..31)]).live_rows(), 14);
}

#[test]
fn meta_and_audit_are_kept() {
    let (_dir, store) = store();
    let put = |value: Option<&[u8]>| Change::PutMeta { key: "stream".into(), value: value.map(<[u8]>::to_vec) };
    store.commit(&[put(Some(b"position 7")), enrol("e0", "anna")]).unwrap();
    let store = reopen(store);
    assert_eq!(store.meta("stream").unwrap().unwrap(), b"position 7");
    store.commit(&[put(None)]).unwrap();
    assert_eq!(store.meta("stream").unwrap(), None);
    let entries = store.audit_from(0, 10).unwrap();
    let acts: Vec<_> = entries.iter().map(|e| (e.sequence, e.act, e.number, e.note.as_str())).collect();
    assert_eq!(acts, [(0, khop_store::Act::CreateRealm, 0, ""), (1, khop_store::Act::Enrol, 0, "a test")]);
    let head = store.verify_audit().unwrap();
    assert_eq!((head.entries, head.hash), (2, entries[1].hash));
    assert_eq!(store.audit_from(1, 10).unwrap().len(), 1);
}

#[test]
fn the_directory_has_one_owner_and_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, store) = store();
    let error = Store::open(store.dir()).unwrap_err();
    let StoreError::Locked { ref path, holder } = error else { panic!("{error}") };
    assert_eq!((path, holder), (&store.dir().join("LOCK"), Some(std::process::id())));
    assert!(error.to_string().contains("in use by process"), "{error}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(store.dir()), mode(&store.dir().join("segments"))), (0o700, 0o700));
    for file in ["LOCK", "FORMAT", "catalogue.redb"] {
        assert_eq!(mode(&store.dir().join(file)), 0o600, "{file}");
    }
    reopen(store);
}

#[test]
fn a_newer_format_is_refused_untouched() {
    let (_dir, store) = store();
    let dir = store.dir().to_owned();
    drop(store);
    fs::write(dir.join("FORMAT"), "khop-store 2\n").unwrap();
    let before = fs::read(dir.join("catalogue.redb")).unwrap();
    let error = Store::open(&dir).unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { found: 2, known: 1, .. }), "{error}");
    assert_eq!(fs::read(dir.join("catalogue.redb")).unwrap(), before);
    fs::write(dir.join("FORMAT"), "something else").unwrap();
    assert!(matches!(Store::open(&dir), Err(StoreError::DamagedEntry { table: "FORMAT", .. })));
}

#[test]
fn a_store_that_lost_its_catalogue_is_not_an_empty_store() {
    let (_dir, store) = store();
    let dir = store.dir().to_owned();
    drop(store);
    fs::rename(dir.join("catalogue.redb"), dir.join("elsewhere")).unwrap();
    assert!(matches!(Store::open(&dir), Err(StoreError::Missing { .. })));
    fs::remove_file(dir.join("FORMAT")).unwrap();
    assert!(matches!(Store::open(&dir), Err(StoreError::Missing { .. })));
    fs::rename(dir.join("elsewhere"), dir.join("catalogue.redb")).unwrap();
    assert_eq!(Store::open(&dir).unwrap().realms().unwrap().len(), 1); // and FORMAT was written again
    assert_eq!(fs::read_to_string(dir.join("FORMAT")).unwrap(), "khop-store 1\n");
}

#[test]
fn a_value_beyond_the_limit_is_refused_and_nothing_kept() {
    let (_dir, store) = store();
    let mut large = encounter("e1", "anna");
    large.samples[0].bytes = vec![0; 17 << 20];
    let large = Change::Enrol { realm: REALM, encounter: large, replaces: None, case: None, note: String::new() };
    let error = store.commit(&[enrol("e0", "anna"), large]).unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    assert_eq!(store.counts(REALM).unwrap(), Counts::default());
    store.commit(&[enrol("e0", "anna")]).unwrap();
}

#[test]
fn a_case_follows_what_it_names_to_its_new_name_and_ends_where_both_are_one_subject() {
    let (_dir, store) = store();
    let enrol = |name: (&str, &str), replaces: Option<u64>, suspects: &[(&str, &str)]| Change::Enrol {
        realm: REALM,
        encounter: encounter(name.1, name.0),
        replaces: replaces.map(RecordNumber::new),
        case: (!suspects.is_empty()).then(|| NewCase {
            candidates: suspects.iter().map(|(subject, encounter)| (key(subject, encounter), 40.0)).collect(),
            outcome: 1,
        }),
        note: String::new(),
    };
    let (anna, belle, chi) = (("anna", "e0"), ("belle", "e1"), ("chi", "e2"));
    store.commit(&[enrol(anna, None, &[]), enrol(belle, None, &[anna]), enrol(chi, None, &[anna, belle])]).unwrap();
    let names = |store: &Store| -> Vec<String> {
        let case = |c: &khop_store::CaseRecord| {
            let candidates: Vec<String> = c.candidates.iter().map(|(key, _)| key.to_string()).collect();
            format!("{} {} {}", c.record.get(), c.encounter, candidates.join(" "))
        };
        store.cases(REALM).unwrap().iter().map(case).collect()
    };
    assert_eq!(names(&store), ["1 belle/e1 anna/e0", "2 chi/e2 anna/e0 belle/e1"]);
    store.commit(&[enrol(("anna", "e9"), Some(0), &[]), enrol(("chi", "e2"), Some(2), &[])]).unwrap();
    assert_eq!(names(&store), ["1 belle/e1 anna/e9", "4 chi/e2 anna/e9 belle/e1"]);
    store.commit(&[enrol(("anna", "e1"), Some(1), &[])]).unwrap();
    assert_eq!(names(&store), ["4 chi/e2 anna/e9 anna/e1"]);
    assert_eq!(store.counts(REALM).unwrap().cases, 1);
    assert_eq!(store.commit(&[erase(3), erase(5)]).unwrap(), [Applied::Erased, Applied::Erased]);
    assert!(names(&store).is_empty());
    assert!(reopen(store).verify().unwrap().is_sound());
}

#[test]
fn cases_can_be_closed() {
    let (_dir, store) = store();
    let case = Some(NewCase { candidates: vec![(key("b", "e9"), 1.0)], outcome: 3 });
    let change =
        Change::Enrol { realm: REALM, encounter: encounter("e0", "a"), replaces: None, case, note: String::new() };
    let number = CaseNumber::new(0);
    let enrolled = Applied::Enrolled { record: RecordNumber::new(0), case: Some(number) };
    assert_eq!(store.commit(&[change]).unwrap(), [enrolled]);
    assert_eq!(store.counts(REALM).unwrap().cases, 1);
    let close = Change::CloseCase { realm: REALM, case: number, note: "another person".into() };
    assert_eq!(store.commit(&[close.clone(), close]).unwrap(), [Applied::Done, Applied::NotFound]);
    assert!(store.cases(REALM).unwrap().is_empty());
}

#[test]
fn a_task_is_kept_until_it_is_removed() {
    let (_dir, store) = store();
    let add = |value: &[u8]| Change::AddTask { realm: REALM, value: value.to_vec() };
    let set = |task, value: Option<&[u8]>| {
        let task = TaskNumber::new(task);
        Change::SetTask { realm: REALM, task, value: value.map(<[u8]>::to_vec) }
    };
    let tasked = |task| Applied::Tasked { task: TaskNumber::new(task) };
    assert_eq!(store.commit(&[add(b"a"), add(b"b"), add(b"c")]).unwrap(), [tasked(0), tasked(1), tasked(2)]);
    let applied = store.commit(&[set(1, None), set(1, None), set(2, Some(b"d")), set(9, Some(b"e"))]).unwrap();
    assert_eq!(applied, [Applied::Done, Applied::NotFound, Applied::Done, Applied::NotFound]);
    let store = reopen(store);
    assert_eq!(store.tasks(REALM).unwrap(), [TaskNumber::new(0), TaskNumber::new(2)]);
    let read = |task| store.task(REALM, TaskNumber::new(task)).unwrap();
    assert_eq!((read(0), read(1), read(2)), (Some(b"a".to_vec()), None, Some(b"d".to_vec())));
    assert_eq!(store.commit(&[add(b"f")]).unwrap(), [tasked(3)]);
    assert!(store.verify().unwrap().is_sound());
    let nowhere = Change::AddTask { realm: RealmNumber::new(7), value: vec![] };
    assert_eq!(store.commit(&[nowhere]).unwrap(), [Applied::UnknownRealm]);
}
