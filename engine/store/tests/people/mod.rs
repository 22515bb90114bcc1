//! Who is enrolled in these tests? Encounters made from a number, the same every time.
#![allow(dead_code)] // each test file uses its part

use std::collections::BTreeSet;

use khop_store::{Change, RealmNumber, RecordNumber, SegmentDraft};
use khop_vocabulary::{
    Attributes, Encounter, EncounterKey, FingerPosition, GalleryId, ModelId, Quality, RealmId, Region, Sample,
    SampleFormat, Sex,
};

/// The first realm of a store.
pub const REALM: RealmNumber = RealmNumber::new(0);

/// Encounter `e<number>` of subject `s<number / 2>`, in one or two galleries, with a finger and a face.
pub fn encounter(number: u64) -> Encounter {
    let bytes = |length: u64, seed: u64| (0..length).map(|i| (i * 31 + number * 7 + seed) as u8).collect();
    let finger = Sample {
        format: SampleFormat::Minutiae,
        position: FingerPosition::from_code((number % 11) as u8),
        quality: Some(Quality::new((number % 101) as u8).unwrap()),
        bytes: bytes(200 + number % 100, 1),
    };
    let model = SampleFormat::FaceVector(ModelId::new("model").unwrap());
    let face = Sample { format: model, position: None, quality: None, bytes: bytes(256, 2) };
    let galleries = ["all-of-them", if number.is_multiple_of(3) { "third" } else { "rest" }];
    Encounter {
        galleries: galleries.map(|name| GalleryId::named(name).unwrap()).into_iter().collect::<BTreeSet<_>>(),
        attributes: Attributes {
            year_of_birth: Some(1950 + (number % 60) as u16),
            sex: Some(if number.is_multiple_of(2) { Sex::Female } else { Sex::Male }),
            region: Some(Region::new("HN").unwrap()),
        },
        ..Encounter::new(id(number), vec![finger, face])
    }
}

/// Which encounter number `number` is.
pub fn id(number: u64) -> EncounterKey {
    EncounterKey::new(format!("s{}", number / 2), format!("e{number}")).unwrap()
}

/// Makes the first realm.
pub fn create() -> Change {
    Change::CreateRealm { id: RealmId::new("default").unwrap(), expires_at_unix_s: None, note: String::new() }
}

/// Enrols encounter `number` into the first realm.
pub fn enrol(number: u64) -> Change {
    Change::Enrol {
        realm: REALM,
        encounter: encounter(number),
        replaces: None,
        case: None,
        note: format!("number {number}"),
    }
}

/// Erases a record of the first realm.
pub fn erase(record: RecordNumber) -> Change {
    Change::Erase { realm: REALM, record, note: "asked for".into() }
}

/// A segment over these records with two columns.
pub fn draft(records: Vec<RecordNumber>) -> SegmentDraft {
    let plane = records.iter().flat_map(|record| [record.get() as u8; 64]).collect();
    let scales = records.iter().flat_map(|record| (record.get() as f32).to_le_bytes()).collect();
    let columns = vec![("plane".to_owned(), plane), ("scales".to_owned(), scales)];
    let items = records.iter().map(|record| vec![record.get() as u8; 5 * (record.get() % 40) as usize]).collect();
    SegmentDraft { records, columns, items, algorithms: "test 1".into() }
}
