//! What does the catalogue keep, and under which keys? The redb tables, their keys, and what seals their values.
//!
//! Keys are big-endian and begin with the realm's number, so that a realm is one range of every table.

use khop_keys::Leaf;
use khop_vocabulary::{EncounterKey, SubjectId};
use redb::{ReadableTable, TableDefinition};

use crate::{CaseNumber, RealmNumber, RecordNumber, SegmentNumber, StoreError, TaskNumber, codec};

/// One table of the catalogue: its name, and the byte by which a value's frame names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Table {
    pub name: &'static str,
    pub tag: u8,
}

/// The store as a whole: one value, under the empty key.
pub(crate) const HEAD: Table = Table { name: "head", tag: 1 };
/// Realm → its counters and its face model.
pub(crate) const REALMS: Table = Table { name: "realms", tag: 2 };
/// Realm, record → the encounter as received.
pub(crate) const RECORDS: Table = Table { name: "records", tag: 3 };
/// Realm, record → subject, encounter id, galleries: what a candidate list needs.
pub(crate) const IDENTITIES: Table = Table { name: "identities", tag: 4 };
/// Realm, subject, 0, encounter id → record.
pub(crate) const ENCOUNTERS: Table = Table { name: "encounters", tag: 5 };
/// Realm, gallery → encounters in it.
pub(crate) const GALLERIES: Table = Table { name: "galleries", tag: 6 };
/// Realm, record → nothing: it was erased.
pub(crate) const ERASED: Table = Table { name: "erased", tag: 7 };
/// Realm, segment → what its file must be.
pub(crate) const SEGMENTS: Table = Table { name: "segments", tag: 8 };
/// Realm, case → a case for a human.
pub(crate) const CASES: Table = Table { name: "cases", tag: 9 };
/// Realm, subject, 0, encounter id, 0, case → nothing: that case names that encounter.
pub(crate) const MENTIONS: Table = Table { name: "mentions", tag: 10 };
/// Realm, task → the caller's bytes.
pub(crate) const TASKS: Table = Table { name: "tasks", tag: 11 };
/// Sequence number → audit entry.
pub(crate) const AUDIT: Table = Table { name: "audit", tag: 12 };
/// The caller's key → the caller's bytes.
pub(crate) const META: Table = Table { name: "meta", tag: 13 };

/// Every table.
pub(crate) const ALL: [Table; 13] =
    [HEAD, REALMS, RECORDS, IDENTITIES, ENCOUNTERS, GALLERIES, ERASED, SEGMENTS, CASES, MENTIONS, TASKS, AUDIT, META];
/// The tables whose keys begin with a realm and that hold nothing but what is in that realm.
pub(crate) const OF_A_REALM: [Table; 9] =
    [RECORDS, IDENTITIES, ENCOUNTERS, GALLERIES, ERASED, SEGMENTS, CASES, MENTIONS, TASKS];

/// Any table opened for reading or writing.
pub(crate) trait Readable: ReadableTable<&'static [u8], &'static [u8]> {}
impl<T: ReadableTable<&'static [u8], &'static [u8]>> Readable for T {}

/// A table opened for writing.
pub(crate) type Writable<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

impl Table {
    /// What redb opens.
    pub(crate) const fn definition(self) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
        TableDefinition::new(self.name)
    }

    /// The key that seals the value under a key: the encounter's or the task's own for what is kept of it, else the
    /// realm's, else the store's.
    pub(crate) fn leaf(self, key: &[u8]) -> Leaf {
        match self {
            HEAD | REALMS | AUDIT | META => Leaf::Store,
            RECORDS | IDENTITIES => Leaf::Record(realm_in(key).get(), number_in(key)),
            TASKS => Leaf::Task(realm_in(key).get(), number_in(key)),
            _ => Leaf::Realm(realm_in(key).get()),
        }
    }

    /// A row that is larger than a value may be.
    pub(crate) fn too_large(self, key: &[u8], bytes: usize) -> StoreError {
        let what = format!("value for table {}, key {}", self.name, printable(key));
        StoreError::TooLarge { what, bytes, limit: codec::LIMIT }
    }

    /// A damaged value: records by their number, others by table and key.
    pub(crate) fn damaged(self, key: &[u8], detail: String) -> StoreError {
        if (self == RECORDS || self == IDENTITIES) && key.len() == 12 {
            let (realm, record) = (realm_in(key), record_in(key));
            return StoreError::Damaged { realm, record, detail: format!("{}: {detail}", self.name) };
        }
        StoreError::DamagedEntry { table: self.name, key: printable(key), detail }
    }
}

fn printable(key: &[u8]) -> String {
    let plain = |&b: &u8| if b.is_ascii_graphic() { char::from(b).to_string() } else { format!("\\x{b:02x}") };
    key.iter().map(plain).collect()
}

/// The key of a realm, and the prefix of everything in it.
pub(crate) fn realm_key(realm: RealmNumber) -> [u8; 4] {
    realm.get().to_be_bytes()
}

/// Realm and a number below it: a record, a segment, a case or a task.
pub(crate) fn number_key(realm: RealmNumber, number: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&realm_key(realm));
    key[4..].copy_from_slice(&number.to_be_bytes());
    key
}

/// Realm and record.
pub(crate) fn record_key(realm: RealmNumber, record: RecordNumber) -> [u8; 12] {
    number_key(realm, record.get())
}

/// Realm and segment.
pub(crate) fn segment_key(realm: RealmNumber, segment: SegmentNumber) -> [u8; 12] {
    number_key(realm, segment.get())
}

/// Realm and task.
pub(crate) fn task_key(realm: RealmNumber, task: TaskNumber) -> [u8; 12] {
    number_key(realm, task.get())
}

/// Realm and case.
pub(crate) fn case_key(realm: RealmNumber, case: CaseNumber) -> [u8; 12] {
    number_key(realm, case.get())
}

/// Realm and a gallery's name.
pub(crate) fn name_key(realm: RealmNumber, name: &str) -> Vec<u8> {
    [&realm_key(realm), name.as_bytes()].concat()
}

/// Realm, a subject, and a zero, which no identifier contains: the prefix of its encounters.
pub(crate) fn subject_key(realm: RealmNumber, subject: &SubjectId) -> Vec<u8> {
    [&realm_key(realm), subject.as_str().as_bytes(), &[0]].concat()
}

/// Realm, subject, zero, encounter.
pub(crate) fn encounter_key(realm: RealmNumber, of: &EncounterKey) -> Vec<u8> {
    [&subject_key(realm, &of.subject), of.encounter.as_str().as_bytes()].concat()
}

/// The encounter in a key of that form.
pub(crate) fn encounter_in(key: &[u8]) -> Result<EncounterKey, String> {
    let names = key.get(4..).and_then(|names| std::str::from_utf8(names).ok());
    let (subject, encounter) = names.and_then(|names| names.split_once('\0')).ok_or("expected two names")?;
    EncounterKey::new(subject, encounter).map_err(|error| error.to_string())
}

/// An encounter and a zero: the prefix of the cases that name it.
pub(crate) fn mentions_key(realm: RealmNumber, of: &EncounterKey) -> Vec<u8> {
    [&encounter_key(realm, of)[..], &[0]].concat()
}

/// An encounter, zero, and a case.
pub(crate) fn mention_key(realm: RealmNumber, of: &EncounterKey, case: CaseNumber) -> Vec<u8> {
    [&mentions_key(realm, of)[..], &case.get().to_be_bytes()].concat()
}

/// The first key behind every key with this prefix; a prefix always has a byte below 255 (realm 2^32 − 1 is never
/// given).
pub(crate) fn behind(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

/// The realm a key begins with.
pub(crate) fn realm_in(key: &[u8]) -> RealmNumber {
    RealmNumber::new(key.first_chunk().map_or(u32::MAX, |&bytes| u32::from_be_bytes(bytes)))
}

/// The number a key ends with.
pub(crate) fn number_in(key: &[u8]) -> u64 {
    key.last_chunk().map_or(u64::MAX, |&bytes| u64::from_be_bytes(bytes))
}

/// The record a key ends with.
pub(crate) fn record_in(key: &[u8]) -> RecordNumber {
    RecordNumber::new(number_in(key))
}
