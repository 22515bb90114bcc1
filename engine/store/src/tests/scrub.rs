//! Does a pass over the store see what nobody asks for?

use khop_vocabulary::{Encounter, EncounterKey, RealmId, Sample, SampleFormat};
use redb::ReadableTable;

use crate::table::{RECORDS, record_key};
use crate::{Change, RealmNumber, RecordNumber, Scrubbed, Store};

const REALM: RealmNumber = RealmNumber::new(0);
const PEOPLE: u64 = 600;

fn filled(dir: &std::path::Path) -> Store {
    let store = Store::open(dir).unwrap();
    let id = RealmId::new("r").unwrap();
    let enrol = |number: u64| {
        let sample = Sample { format: SampleFormat::Minutiae, position: None, quality: None, bytes: vec![7; 90] };
        let encounter = Encounter::new(EncounterKey::new(format!("s{number}"), "e").unwrap(), vec![sample]);
        Change::Enrol { realm: REALM, encounter, replaces: None, case: None, note: String::new() }
    };
    let realm = Change::CreateRealm { id, expires_at_unix_s: None, note: String::new() };
    store.commit(&[realm].into_iter().chain((0..PEOPLE).map(enrol)).collect::<Vec<_>>()).unwrap();
    store
}

#[test]
fn every_entry_is_looked_at_and_a_flipped_bit_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let mut sound = Scrubbed::default();
    assert!(store.scrub_catalogue(&mut sound, &|_| true).unwrap());
    // Head, realm, two audit entries more than people; each person a record, an identity, an encounter and an audit entry.
    assert_eq!((sound.entries, sound.damaged), (2 + 4 * PEOPLE + 1, 0));

    let harmed = record_key(REALM, RecordNumber::new(555));
    let harm = |transaction: &redb::WriteTransaction| {
        let mut table = transaction.open_table(RECORDS.definition())?;
        let mut value = table.get(&harmed[..])?.unwrap().value().to_vec();
        let last = value.len() - 1;
        value[last] ^= 1;
        table.insert(&harmed[..], &value[..])?;
        Ok(())
    };
    store.catalogue.write(harm).unwrap();
    let mut found = Scrubbed::default();
    assert!(store.scrub_catalogue(&mut found, &|_| true).unwrap());
    assert_eq!((found.entries, found.damaged), (sound.entries, 1));
    assert!(found.first.unwrap().contains("record 555"));
}

#[test]
fn it_reads_no_more_than_it_is_let() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let (mut report, turns) = (Scrubbed::default(), std::cell::Cell::new(0));
    let pace = |bytes: u64| {
        assert!(bytes < 1 << 20);
        turns.set(turns.get() + 1);
        turns.get() < 5
    };
    assert!(!store.scrub_catalogue(&mut report, &pace).unwrap());
    assert_eq!(turns.get(), 5);
}
