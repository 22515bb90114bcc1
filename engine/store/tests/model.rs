//! Does a store behave like a map, whatever is done to it in whatever order?

mod people;

use std::collections::BTreeMap;

use khop_store::{Applied, Change, RealmNumber, RecordNumber, Store, StoreError};
use khop_vocabulary::RealmId;
use people::{draft, encounter};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Op {
    Create(u8),
    Drop(u32),
    /// Realm, which encounter, and the record it takes the place of.
    Enrol(u32, u64, Option<u64>),
    Erase(u32, u64),
    Seal(u32),
    Reopen,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (0u8..3).prop_map(Op::Create),
        1 => (0u32..4).prop_map(Op::Drop),
        12 => (0u32..4, 0u64..12).prop_map(|(realm, number)| Op::Enrol(realm, number, None)),
        4 => (0u32..4, 0u64..12, 0u64..12)
            .prop_map(|(realm, number, record)| Op::Enrol(realm, number, Some(record))),
        5 => (0u32..4, 0u64..12).prop_map(|(realm, record)| Op::Erase(realm, record)),
        1 => (0u32..4).prop_map(Op::Seal),
        1 => Just(Op::Reopen),
    ]
}

/// One realm of the model.
#[derive(Debug, Default, Clone, PartialEq)]
struct Model {
    name: String,
    records: BTreeMap<u64, u64>,
    next: u64,
}

fn expected(model: &mut BTreeMap<u32, Model>, realms: &mut u32, op: &Op) -> Applied {
    let gone = Applied::UnknownRealm;
    match *op {
        Op::Create(name) => {
            let name = format!("realm{name}");
            if let Some((number, _)) = model.iter().find(|(_, realm)| realm.name == name) {
                return Applied::RealmExists { realm: RealmNumber::new(*number) };
            }
            model.insert(*realms, Model { name, ..Model::default() });
            *realms += 1;
            Applied::Created { realm: RealmNumber::new(*realms - 1) }
        }
        Op::Drop(realm) => model
            .remove(&realm)
            .map_or(gone, |realm| Applied::Dropped { records: realm.records.len() as u64, segments: 0 }),
        Op::Enrol(realm, number, replaces) => model.get_mut(&realm).map_or(gone, |realm| {
            let same = realm.records.iter().find(|(_, there)| **there == number).map(|(&record, _)| record);
            if let Some(record) = same.filter(|_| same != replaces) {
                return Applied::Exists { record: RecordNumber::new(record) };
            }
            if replaces.is_some_and(|record| realm.records.remove(&record).is_none()) {
                return Applied::NotFound;
            }
            realm.records.insert(realm.next, number);
            realm.next += 1;
            Applied::Enrolled { record: RecordNumber::new(realm.next - 1), case: None }
        }),
        Op::Erase(realm, record) => model
            .get_mut(&realm)
            .map_or(gone, |realm| realm.records.remove(&record).map_or(Applied::NotFound, |_| Applied::Erased)),
        Op::Seal(_) | Op::Reopen => Applied::Done,
    }
}

fn change(op: &Op) -> Option<Change> {
    let (realm, note) = (RealmNumber::new, String::new());
    Some(match *op {
        Op::Create(name) => {
            Change::CreateRealm { id: RealmId::new(format!("realm{name}")).unwrap(), expires_at_unix_s: None, note }
        }
        Op::Drop(number) => Change::DropRealm { realm: realm(number), note },
        Op::Enrol(number, who, replaces) => {
            let (encounter, replaces) = (encounter(who), replaces.map(RecordNumber::new));
            Change::Enrol { realm: realm(number), encounter, replaces, case: None, note }
        }
        Op::Erase(number, record) => Change::Erase { realm: realm(number), record: RecordNumber::new(record), note },
        Op::Seal(_) | Op::Reopen => return None,
    })
}

/// Writes what is live into one segment in the place of all others.
fn seal(store: &Store, realm: u32) {
    let realm = RealmNumber::new(realm);
    let records = match store.records_from(realm, RecordNumber::new(0), usize::MAX) {
        Ok(records) => records.iter().map(|(record, _)| *record).collect(),
        Err(StoreError::UnknownRealm(_)) => return,
        Err(error) => panic!("{error}"),
    };
    let (segment, _) = store.write_segment(realm, &draft(records)).unwrap();
    let remove = store.segments(realm).unwrap().iter().map(|segment| segment.number).collect();
    let applied = store.commit(&[Change::SetSegments { realm, add: vec![segment], remove }]).unwrap();
    assert_eq!(applied, [Applied::Done]);
}

fn compare(store: &Store, model: &BTreeMap<u32, Model>) {
    let realms: Vec<_> = store.realms().unwrap().iter().map(|r| (r.number.get(), r.id.to_string())).collect();
    assert_eq!(realms, model.iter().map(|(number, realm)| (*number, realm.name.clone())).collect::<Vec<_>>());
    for (&number, model) in model {
        let realm = RealmNumber::new(number);
        let stored = store.records_from(realm, RecordNumber::new(0), usize::MAX).unwrap();
        let wanted: Vec<_> = model.records.iter().map(|(r, who)| (RecordNumber::new(*r), encounter(*who))).collect();
        assert_eq!(stored, wanted);
        let erased: Vec<u64> = (0..model.next).filter(|record| !model.records.contains_key(record)).collect();
        assert_eq!(store.erased(realm).unwrap().iter().collect::<Vec<_>>(), erased);
        for who in 0..12 {
            let record = model.records.iter().find(|(_, there)| **there == who).map(|(r, _)| RecordNumber::new(*r));
            assert_eq!(store.find_encounter(realm, &people::id(who)).unwrap(), record);
            let subject = encounter(who).subject;
            let same = wanted.iter().filter(|(_, e)| e.subject == subject).map(|(r, _)| *r);
            assert_eq!(store.find_subject(realm, &subject).unwrap(), same.collect::<Vec<_>>());
        }
        let galleries: std::collections::BTreeSet<_> = wanted.iter().flat_map(|(_, e)| e.galleries.clone()).collect();
        assert_eq!(store.galleries(realm).unwrap(), galleries.into_iter().collect::<Vec<_>>());
        for segment in store.open_segments(realm).unwrap() {
            segment.unwrap().verify_all().unwrap();
        }
    }
    let report = store.verify().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_store_is_a_map(groups in prop::collection::vec(prop::collection::vec(op(), 1..6), 1..12)) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        let (mut model, mut realms) = (BTreeMap::new(), 0);
        for group in &groups {
            let changes: Vec<Change> = group.iter().filter_map(change).collect();
            let applied = store.commit(&changes).unwrap();
            let plain = group.iter().filter(|op| change(op).is_some());
            for (op, applied) in plain.zip(applied) {
                let expected = expected(&mut model, &mut realms, op);
                match (applied, expected) {
                    (Applied::Dropped { records, .. }, Applied::Dropped { records: wanted, .. }) => {
                        prop_assert_eq!(records, wanted);
                    }
                    (applied, expected) => prop_assert_eq!(applied, expected),
                }
            }
            for op in group {
                match *op {
                    Op::Seal(realm) => seal(&store, realm),
                    Op::Reopen => {
                        drop(store);
                        store = Store::open(dir.path()).unwrap();
                    }
                    _ => {}
                }
            }
        }
        compare(&store, &model);
        drop(store);
        compare(&Store::open(dir.path()).unwrap(), &model);
    }
}
