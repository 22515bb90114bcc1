//! What is in the store? Reads of the catalogue, each value verified before it is returned.

use std::collections::BTreeSet;
use std::ops::Bound;

use khop_vocabulary::{Encounter, EncounterKey, GalleryId, ModelId, RealmId, SubjectId};
use roaring::RoaringTreemap;

use crate::catalogue::Fault;
use crate::codec::{self, CaseRow, EncounterRow, Identity, IdentityRow, RealmRow};
use crate::entries::Entries;
use crate::reading::{ReadEntries, Reading, SegmentList};
use crate::table::{
    CASES, ENCOUNTERS, ERASED, GALLERIES, IDENTITIES, META, REALMS, RECORDS, SEGMENTS, TASKS, Table, behind,
    encounter_key, number_in, number_key, realm_in, realm_key, record_in, record_key, subject_key, task_key,
};
use crate::{CaseNumber, CaseRecord, RealmNumber, RecordNumber, SegmentRecord, Store, StoreError, TaskNumber};

/// A realm as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealmRecord {
    /// Its name.
    pub id: RealmId,
    /// Its number.
    pub number: RealmNumber,
    /// When it is to be dropped, seconds since 1970.
    pub expires_at_unix_s: Option<u64>,
    /// The model of its face vectors and their length, once one was enrolled.
    pub face_model: Option<(ModelId, u32)>,
}

/// How much a realm holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Encounters that are there.
    pub encounters: u64,
    /// Encounters that were erased.
    pub erased: u64,
    /// Live segments.
    pub segments: u32,
    /// Cases that wait for a human.
    pub cases: u64,
    /// Cases there ever were: the number of the next.
    pub next_case: u64,
}

impl Counts {
    /// The number the next encounter will get.
    #[must_use]
    pub fn next_record(&self) -> RecordNumber {
        RecordNumber::new(self.encounters + self.erased)
    }
}

impl Store {
    /// The realms, by number.
    ///
    /// # Errors
    /// [`StoreError::DamagedEntry`], also when one is missing; [`StoreError::Io`].
    pub fn realms(&self) -> Result<Vec<RealmRecord>, StoreError> {
        self.reading(|reading| {
            let (table, mut realms) = (reading.open(REALMS)?, Vec::new());
            table.each(&[], |key, value| {
                let row: RealmRow = table.open(key, value)?;
                let damaged = |detail| REALMS.damaged(key, detail);
                let model = |(name, dim): (String, u32)| Ok((codec::model_id(&name)?, dim));
                realms.push(RealmRecord {
                    id: codec::realm_id(&row.id).map_err(damaged)?,
                    number: realm_in(key),
                    expires_at_unix_s: row.expires_at_unix_s,
                    face_model: row.face_model.map(model).transpose().map_err(damaged)?,
                });
                Ok(())
            })?;
            complete(REALMS, &[], realms.len() as u64, u64::from(reading.head()?.realms))?;
            Ok(realms)
        })
    }

    /// The realm of this name.
    ///
    /// # Errors
    /// As [`Store::realms`].
    pub fn realm(&self, id: &RealmId) -> Result<Option<RealmRecord>, StoreError> {
        Ok(self.realms()?.into_iter().find(|realm| realm.id == *id))
    }

    /// How much a realm holds.
    ///
    /// # Errors
    /// [`StoreError::UnknownRealm`]; damage; I/O.
    pub fn counts(&self, realm: RealmNumber) -> Result<Counts, StoreError> {
        let RealmRow { next_record, live, segments, cases, next_case, .. } = self.realm_row(realm)?;
        Ok(Counts { encounters: live, erased: next_record - live, segments, cases, next_case })
    }

    pub(crate) fn realm_row(&self, realm: RealmNumber) -> Result<RealmRow, StoreError> {
        self.reading(|reading| reading.realm(realm))
    }

    /// An encounter as received.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when its bytes are not those written, or are gone without having been erased;
    /// [`StoreError::UnknownRecord`] when it was erased or never there; [`StoreError::UnknownRealm`]; I/O.
    pub fn read(&self, realm: RealmNumber, record: RecordNumber) -> Result<Encounter, StoreError> {
        self.reading(|reading| {
            let (table, key) = (reading.open(RECORDS)?, record_key(realm, record));
            match table.opened.get(&key[..])? {
                Some(value) => {
                    present(&reading.open(ERASED)?, RECORDS, &key)?;
                    Ok(encounter(&table, &key, value.value())?)
                }
                None => Err(absent(reading, RECORDS, realm, record)?.into()),
            }
        })
    }

    /// Who is behind a record: subject and encounter, without reading the samples.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn identity(&self, realm: RealmNumber, record: RecordNumber) -> Result<EncounterKey, StoreError> {
        let found = self.identities(realm, &[record])?.into_iter().next();
        found.ok_or(StoreError::UnknownRecord { realm, record })
    }

    /// Who is behind each of these records, in their order, all in one state of the store.
    ///
    /// # Errors
    /// As [`Store::read`], for the first record that has one.
    pub fn identities(&self, realm: RealmNumber, records: &[RecordNumber]) -> Result<Vec<EncounterKey>, StoreError> {
        self.reading(|reading| {
            let table = reading.open(IDENTITIES)?;
            records.iter().map(|&record| Ok(identity_of(reading, &table, realm, record)?.key)).collect()
        })
    }

    /// The record of an encounter, if it is there.
    ///
    /// # Errors
    /// Damage of the entry or of the record's identity, which must name the same encounter; I/O.
    pub fn find_encounter(&self, realm: RealmNumber, of: &EncounterKey) -> Result<Option<RecordNumber>, StoreError> {
        self.reading(|reading| {
            let (table, key) = (reading.open(ENCOUNTERS)?, encounter_key(realm, of));
            let Some(record) = table.get(&key)?.map(RecordNumber::new) else { return Ok(None) };
            if identity_of(reading, &reading.open(IDENTITIES)?, realm, record)?.key != *of {
                return Err(ENCOUNTERS.damaged(&key, format!("{record} is another encounter")).into());
            }
            Ok(Some(record))
        })
    }

    /// The records of a person, ascending; empty when there are none.
    ///
    /// # Errors
    /// Damage of an entry or of a record's identity, which must name the same subject; I/O.
    pub fn find_subject(&self, realm: RealmNumber, id: &SubjectId) -> Result<Vec<RecordNumber>, StoreError> {
        self.reading(|reading| {
            let (table, mut records) = (reading.open(ENCOUNTERS)?, Vec::new());
            let prefix = subject_key(realm, id);
            table.each(&prefix, |key, value| {
                records.push(RecordNumber::new(table.open(key, value)?));
                Ok(())
            })?;
            let identities = reading.open(IDENTITIES)?;
            for &record in &records {
                if identity_of(reading, &identities, realm, record)?.key.subject != *id {
                    return Err(ENCOUNTERS.damaged(&prefix, format!("{record} is of another subject")).into());
                }
            }
            records.sort_unstable();
            Ok(records)
        })
    }

    /// Up to `limit` encounters with this number or a later one, ascending. Fewer than `limit` means that there
    /// are no more: a gap that no erasure explains is an error, so nothing is left out silently.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] names the first encounter that cannot be read; [`StoreError::UnknownRealm`]; I/O.
    pub fn records_from(
        &self,
        realm: RealmNumber,
        first: RecordNumber,
        limit: usize,
    ) -> Result<Vec<(RecordNumber, Encounter)>, StoreError> {
        self.reading(|reading| {
            let next = reading.realm(realm)?.next_record;
            let (table, erased) = (reading.open(RECORDS)?, reading.open(ERASED)?);
            let (mut found, mut expected) = (Vec::new(), first.get());
            let all_erased = |between: std::ops::Range<u64>| {
                between.map(RecordNumber::new).try_for_each(|record| is_erased(&erased, realm, record))
            };
            let start = record_key(realm, first);
            for pair in table.opened.range::<&[u8]>(&start[..]..&behind(&realm_key(realm))[..])?.take(limit) {
                let (key, value) = pair?;
                let record = record_in(key.value());
                present(&erased, RECORDS, key.value())?;
                found.push((record, encounter(&table, key.value(), value.value())?));
                all_erased(expected..record.get())?;
                expected = record.get() + 1;
            }
            if found.len() < limit {
                all_erased(expected..next)?;
            }
            Ok(found)
        })
    }

    /// The numbers of the erased encounters.
    ///
    /// # Errors
    /// [`StoreError::DamagedEntry`], also when there are fewer than were erased; [`StoreError::UnknownRealm`]; I/O.
    pub fn erased(&self, realm: RealmNumber) -> Result<RoaringTreemap, StoreError> {
        self.reading(|reading| {
            let row = reading.realm(realm)?;
            let (table, mut erased) = (reading.open(ERASED)?, RoaringTreemap::new());
            table.each_of(realm, |key, value| {
                table.open::<()>(key, value)?;
                erased.insert(number_in(key));
                Ok(())
            })?;
            complete(ERASED, &realm_key(realm), erased.len(), row.next_record - row.live)?;
            Ok(erased)
        })
    }

    /// The galleries that somebody is in, by name.
    ///
    /// # Errors
    /// Damage; I/O.
    pub fn galleries(&self, realm: RealmNumber) -> Result<Vec<GalleryId>, StoreError> {
        self.reading(|reading| {
            let (table, mut galleries) = (reading.open(GALLERIES)?, BTreeSet::new());
            table.each_of(realm, |key, value| {
                table.open::<u64>(key, value)?;
                let name = String::from_utf8_lossy(&key[4..]);
                galleries.insert(GalleryId::named(&*name).map_err(|e| GALLERIES.damaged(key, e.to_string()))?);
                Ok(())
            })?;
            Ok(galleries.into_iter().collect())
        })
    }

    /// The cases that wait for a human, oldest first.
    ///
    /// # Errors
    /// Damage, also when one is missing; [`StoreError::UnknownRealm`]; I/O.
    pub fn cases(&self, realm: RealmNumber) -> Result<Vec<CaseRecord>, StoreError> {
        self.reading(|reading| {
            let row = reading.realm(realm)?;
            let (table, mut cases) = (reading.open(CASES)?, Vec::new());
            table.each_of(realm, |key, value| {
                let case = table.open::<CaseRow>(key, value)?.to_case(CaseNumber::new(number_in(key)));
                cases.push(case.map_err(|detail| CASES.damaged(key, detail))?);
                Ok(())
            })?;
            complete(CASES, &realm_key(realm), cases.len() as u64, row.cases)?;
            Ok(cases)
        })
    }

    /// The tasks of a realm, ascending.
    ///
    /// # Errors
    /// Damage, also when one is missing; [`StoreError::UnknownRealm`]; I/O.
    pub fn tasks(&self, realm: RealmNumber) -> Result<Vec<TaskNumber>, StoreError> {
        self.reading(|reading| {
            let row = reading.realm(realm)?;
            let (table, mut tasks) = (reading.open(TASKS)?, Vec::new());
            table.each_of(realm, |key, _| {
                tasks.push(TaskNumber::new(number_in(key)));
                Ok(())
            })?;
            complete(TASKS, &realm_key(realm), tasks.len() as u64, row.tasks)?;
            Ok(tasks)
        })
    }

    /// The bytes the caller keeps of a task; `None` once it was removed.
    ///
    /// # Errors
    /// Damage; I/O.
    pub fn task(&self, realm: RealmNumber, task: TaskNumber) -> Result<Option<Vec<u8>>, StoreError> {
        self.reading(|reading| reading.open(TASKS)?.get(&task_key(realm, task)))
    }

    /// The live segments of a realm, by number.
    ///
    /// # Errors
    /// Damage, also when one is missing; [`StoreError::UnknownRealm`]; I/O.
    pub fn segments(&self, realm: RealmNumber) -> Result<Vec<SegmentRecord>, StoreError> {
        let (expected, listed) = self.segment_list(realm)?;
        complete(SEGMENTS, &realm_key(realm), listed.len() as u64, u64::from(expected))?;
        listed.into_iter().map(|(_, entry)| entry).collect()
    }

    /// How many segments a realm must have, and its list of them, damaged entries in their places.
    pub(crate) fn segment_list(&self, realm: RealmNumber) -> Result<(u32, SegmentList), StoreError> {
        self.reading(|reading| Ok((reading.realm(realm)?.segments, reading.segments(realm)?)))
    }

    /// Keys of the caller's that begin so, behind this one, ascending.
    ///
    /// # Errors
    /// Damage; I/O.
    pub fn meta_keys(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        let (start, end) = (Bound::Excluded(after.as_bytes()), behind(prefix.as_bytes()));
        self.reading(|reading| {
            let table = reading.open(META)?;
            let range = table.opened.range::<&[u8]>((start, Bound::Excluded(&end[..])))?;
            range.take(limit).map(|pair| Ok(String::from_utf8_lossy(pair?.0.value()).into_owned())).collect()
        })
    }

    /// The bytes the caller keeps under this key.
    ///
    /// # Errors
    /// Damage; I/O.
    pub fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.reading(|reading| reading.open(META)?.get(key.as_bytes()))
    }
}

/// The encounter in a value of the table of records.
pub(crate) fn encounter<T>(records: &Entries<'_, T>, key: &[u8], value: &[u8]) -> Result<Encounter, StoreError> {
    let payload = records.unseal(key, value)?;
    let row: EncounterRow<'_> = records.decode(key, &payload)?;
    row.to_encounter().map_err(|detail| RECORDS.damaged(key, detail))
}

/// The identity in a value of the table of identities.
pub(crate) fn identity<T>(identities: &Entries<'_, T>, key: &[u8], value: &[u8]) -> Result<Identity, StoreError> {
    let payload = identities.unseal(key, value)?;
    let row: IdentityRow<'_> = identities.decode(key, &payload)?;
    row.to_identity().map_err(|detail| IDENTITIES.damaged(key, detail))
}

fn identity_of(
    reading: &Reading<'_>,
    identities: &ReadEntries<'_>,
    realm: RealmNumber,
    record: RecordNumber,
) -> Result<Identity, Fault> {
    let key = record_key(realm, record);
    match identities.opened.get(&key[..])? {
        Some(value) => {
            present(&reading.open(ERASED)?, IDENTITIES, &key)?;
            Ok(identity(identities, &key, value.value())?)
        }
        None => Err(absent(reading, IDENTITIES, realm, record)?.into()),
    }
}

/// A value that is there though its record was erased comes from a page that is older than the others: a write that the
/// disk lost.
fn present(erased: &ReadEntries<'_>, table: Table, key: &[u8]) -> Result<(), Fault> {
    if erased.get::<()>(key)?.is_some() {
        return Err(table.damaged(key, "is there, and was erased".into()).into());
    }
    Ok(())
}

/// Why a record's value is not there: erased or never given is one thing, lost another.
fn absent(reading: &Reading<'_>, table: Table, realm: RealmNumber, record: RecordNumber) -> Result<StoreError, Fault> {
    let key = record_key(realm, record);
    let given = record.get() < reading.realm(realm)?.next_record;
    // Opened, not only looked for: a page of another table in the place of this one has the same keys.
    if given && reading.open(ERASED)?.get::<()>(&key)?.is_none() {
        return Ok(table.damaged(&key, "is missing".into()));
    }
    Ok(StoreError::UnknownRecord { realm, record })
}

fn is_erased(erased: &ReadEntries<'_>, realm: RealmNumber, record: RecordNumber) -> Result<(), Fault> {
    let key = number_key(realm, record.get());
    let entry: Option<()> = erased.get(&key)?;
    Ok(entry.ok_or_else(|| RECORDS.damaged(&key, "is missing".into()))?)
}

/// Compares how many entries were read with how many were written.
pub(crate) fn complete(table: Table, key: &[u8], found: u64, expected: u64) -> Result<(), StoreError> {
    if found == expected {
        return Ok(());
    }
    Err(table.damaged(key, format!("expected {expected} entries, found {found}")))
}
