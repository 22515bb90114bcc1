//! How do changes reach the catalogue? One transaction for all of them, each decided on its own.

use std::collections::{BTreeMap, BTreeSet};

use khop_keys::{Keyring, Leaf};
use khop_vocabulary::{Encounter, EncounterKey};
use redb::{ReadableTable, WriteTransaction};

use crate::audit::{self, Act};
use crate::catalogue::Fault;
use crate::change::{Applied, CaseRecord, Change, NewCase};
use crate::codec::{CaseRow, EncounterRow, HeadRow, Identity, RealmRow, SegmentRow};
use crate::entries::Entries;
use crate::query::{encounter, identity};
use crate::table::{
    ALL, AUDIT, CASES, ENCOUNTERS, ERASED, GALLERIES, HEAD, IDENTITIES, MENTIONS, META, OF_A_REALM, REALMS, RECORDS,
    SEGMENTS, TASKS, Table, Writable, case_key, encounter_key, mention_key, mentions_key, name_key, number_in,
    realm_in, realm_key, record_key, segment_key, task_key,
};
use crate::{CaseNumber, RealmNumber, RecordNumber, SegmentNumber, SegmentRecord, StoreError, TaskNumber};

/// Files that a committed batch left without an owner.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    pub segments: Vec<(RealmNumber, SegmentNumber)>,
    pub realms: Vec<RealmNumber>,
}

/// Applies changes inside one transaction.
pub(crate) struct Batch<'t> {
    /// By tag, from 1.
    tables: Vec<Entries<'t, Writable<'t>>>,
    keys: &'t Keyring,
    head: HeadRow,
    realms: BTreeMap<RealmNumber, RealmRow>,
    orphans: Orphans,
}

impl<'t> Batch<'t> {
    pub(crate) fn begin(transaction: &'t WriteTransaction, keys: &'t Keyring) -> Result<Self, Fault> {
        let open = |table: &Table| Ok(Entries::new(*table, transaction.open_table(table.definition())?, keys));
        let tables = ALL.iter().map(open).collect::<Result<Vec<_>, Fault>>()?;
        let head = tables[usize::from(HEAD.tag) - 1].get(&[])?;
        let head = head.ok_or_else(|| HEAD.damaged(&[], "is missing".into()))?;
        Ok(Self { tables, keys, head, realms: BTreeMap::new(), orphans: Orphans::default() })
    }

    /// Writes the counters that the changes moved.
    pub(crate) fn finish(mut self) -> Result<Orphans, Fault> {
        for (realm, row) in std::mem::take(&mut self.realms) {
            self.table(REALMS).put(&realm_key(realm), &row)?;
        }
        let head = self.head.clone();
        self.table(HEAD).put(&[], &head)?;
        Ok(self.orphans)
    }

    pub(crate) fn apply(&mut self, change: &Change) -> Result<Applied, Fault> {
        match change {
            Change::CreateRealm { id, expires_at_unix_s, note } => {
                self.create_realm(id.as_str(), *expires_at_unix_s, note)
            }
            Change::SetFaceModel { realm, model, dim } => self.set_face_model(*realm, model.as_str(), *dim),
            Change::DropRealm { realm, note } => self.drop_realm(*realm, note),
            Change::Enrol { realm, encounter, replaces, case, note } => {
                self.enrol(*realm, encounter, *replaces, case.as_ref(), note)
            }
            Change::Erase { realm, record, note } => self.erase(*realm, *record, note),
            Change::CloseCase { realm, case, note } => self.close_case(*realm, *case, note),
            Change::SetSegments { realm, add, remove } => self.set_segments(*realm, add, remove),
            Change::ReplaceSegments { realm, with } => self.replace_segments(*realm, with),
            Change::AddTask { realm, value } => self.add_task(*realm, value),
            Change::SetTask { realm, task, value } => self.set_task(*realm, *task, value.as_ref()),
            Change::PutMeta { key, value } => {
                match value {
                    Some(value) => self.table(META).put(key.as_bytes(), value)?,
                    None => self.table(META).remove(key.as_bytes())?,
                }
                Ok(Applied::Done)
            }
        }
    }

    pub(crate) fn table(&mut self, table: Table) -> &mut Entries<'t, Writable<'t>> {
        &mut self.tables[usize::from(table.tag) - 1]
    }

    /// The realm's counters; a change to them is written at the end.
    fn realm(&mut self, realm: RealmNumber) -> Result<Option<&mut RealmRow>, Fault> {
        if !self.realms.contains_key(&realm)
            && let Some(row) = self.table(REALMS).get(&realm_key(realm))?
        {
            self.realms.insert(realm, row);
        }
        Ok(self.realms.get_mut(&realm))
    }

    pub(crate) fn audit(&mut self, act: Act, realm: RealmNumber, number: u64, note: &str) -> Result<(), Fault> {
        let mut head = self.head.clone();
        audit::append(self.table(AUDIT), &mut head, (act, realm, number), note)?;
        self.head = head;
        Ok(())
    }

    fn create_realm(&mut self, id: &str, expires_at_unix_s: Option<u64>, note: &str) -> Result<Applied, Fault> {
        let (realms, mut same) = (&*self.table(REALMS), None);
        realms.each(&[], |key, value| {
            if realms.open::<RealmRow>(key, value)?.id == id {
                same = Some(realm_in(key));
            }
            Ok(())
        })?;
        if let Some(realm) = same {
            return Ok(Applied::RealmExists { realm });
        }
        while self.keys.is_destroyed(Leaf::Realm(self.head.next_realm)).map_err(StoreError::from)? {
            self.head.next_realm += 1; // given before the backup was restored that this store comes from
        }
        let realm = RealmNumber::new(self.head.next_realm);
        let row = RealmRow { id: id.to_owned(), expires_at_unix_s, next_segment: 1, ..RealmRow::default() };
        self.table(REALMS).put(&realm_key(realm), &row)?;
        self.head.next_realm += 1;
        self.head.realms += 1;
        self.audit(Act::CreateRealm, realm, 0, note)?;
        Ok(Applied::Created { realm })
    }

    fn set_face_model(&mut self, realm: RealmNumber, model: &str, dim: u32) -> Result<Applied, Fault> {
        let Some(row) = self.realm(realm)? else { return Ok(Applied::UnknownRealm) };
        let wanted = (model.to_owned(), dim);
        match &row.face_model {
            Some(set) if *set == wanted => return Ok(Applied::Done),
            Some(_) => return Ok(Applied::OtherFaceModel),
            None => row.face_model = Some(wanted),
        }
        self.audit(Act::SetFaceModel, realm, 0, model)?;
        Ok(Applied::Done)
    }

    pub(crate) fn drop_realm(&mut self, realm: RealmNumber, note: &str) -> Result<Applied, Fault> {
        let Some(row) = self.realm(realm)? else { return Ok(Applied::UnknownRealm) };
        let (records, segments) = (row.live, row.segments);
        for table in OF_A_REALM {
            self.table(table).remove_all(&realm_key(realm))?;
        }
        self.table(REALMS).remove(&realm_key(realm))?;
        self.realms.remove(&realm);
        self.head.realms -= 1;
        self.orphans.realms.push(realm);
        self.audit(Act::DropRealm, realm, 0, note)?;
        Ok(Applied::Dropped { records, segments })
    }

    fn enrol(
        &mut self,
        realm: RealmNumber,
        encounter: &Encounter,
        replaces: Option<RecordNumber>,
        case: Option<&NewCase>,
        note: &str,
    ) -> Result<Applied, Fault> {
        if self.realm(realm)?.is_none() {
            return Ok(Applied::UnknownRealm);
        }
        let name = encounter.key();
        let same = self.table(ENCOUNTERS).get(&encounter_key(realm, &name))?.map(RecordNumber::new);
        if let Some(record) = same.filter(|_| same != replaces) {
            return Ok(Applied::Exists { record });
        }
        let replaced = match replaces {
            Some(record) if !self.is_there(realm, record)? => return Ok(Applied::NotFound),
            Some(record) => Some(self.remove(realm, record)?),
            None => None,
        };
        let record = self.add(realm, encounter)?;
        if let Some(replaced) = &replaced {
            self.rename_in_cases(realm, replaced, &name, record)?;
        }
        let act = if replaced.is_some() { Act::Revise } else { Act::Enrol };
        self.audit(act, realm, record.get(), note)?;
        let case = case.map(|case| self.open_case(realm, record, encounter, case)).transpose()?;
        Ok(Applied::Enrolled { record, case })
    }

    /// Adds an encounter under the next number.
    fn add(&mut self, realm: RealmNumber, encounter: &Encounter) -> Result<RecordNumber, Fault> {
        let record = RecordNumber::new(self.next_record(realm)?);
        let key = record_key(realm, record);
        self.table(RECORDS).put(&key, &EncounterRow::of(encounter))?;
        self.table(IDENTITIES).put(&key, &Identity::of(encounter).row())?;
        self.table(ENCOUNTERS).put(&encounter_key(realm, &encounter.key()), &record.get())?;
        for gallery in &encounter.galleries {
            self.count_gallery(realm, gallery.as_str(), |count| count + 1)?;
        }
        Ok(record)
    }

    /// Gives the next record's number. Those whose keys were destroyed had been given to others before the backup was
    /// restored that this store comes from: they count as erased.
    fn next_record(&mut self, realm: RealmNumber) -> Result<u64, Fault> {
        loop {
            let keys = self.keys;
            let row = self.realm(realm)?.expect("the caller looked");
            let record = row.next_record;
            row.next_record += 1;
            if !keys.is_destroyed(Leaf::Record(realm.get(), record)).map_err(StoreError::from)? {
                row.live += 1;
                return Ok(record);
            }
            self.table(ERASED).put(&record_key(realm, RecordNumber::new(record)), &())?;
        }
    }

    fn open_case(
        &mut self,
        realm: RealmNumber,
        record: RecordNumber,
        encounter: &Encounter,
        NewCase { candidates, outcome }: &NewCase,
    ) -> Result<CaseNumber, Fault> {
        let row = self.realm(realm)?.expect("the caller enrolled into it");
        let number = CaseNumber::new(row.next_case);
        row.next_case += 1;
        let (candidates, outcome) = (candidates.clone(), *outcome);
        self.put_case(realm, &CaseRecord { number, record, encounter: encounter.key(), candidates, outcome })?;
        Ok(number)
    }

    fn put_case(&mut self, realm: RealmNumber, case: &CaseRecord) -> Result<(), Fault> {
        self.table(CASES).put(&case_key(realm, case.number), &CaseRow::of(case))?;
        for name in case.names() {
            self.table(MENTIONS).put(&mention_key(realm, name, case.number), &())?;
        }
        if let Some(row) = self.realm(realm)? {
            row.cases += 1;
        }
        Ok(())
    }

    fn case(&mut self, realm: RealmNumber, number: CaseNumber) -> Result<Option<CaseRecord>, Fault> {
        let key = case_key(realm, number);
        let row: Option<CaseRow> = self.table(CASES).get(&key)?;
        let case = row.map(|row| row.to_case(number)).transpose();
        Ok(case.map_err(|detail| CASES.damaged(&key, detail))?)
    }

    fn erase(&mut self, realm: RealmNumber, record: RecordNumber, note: &str) -> Result<Applied, Fault> {
        if self.realm(realm)?.is_none() {
            return Ok(Applied::UnknownRealm);
        }
        if !self.is_there(realm, record)? {
            return Ok(Applied::NotFound);
        }
        let erased = self.remove(realm, record)?;
        self.strike_from_cases(realm, &erased)?;
        self.audit(Act::Erase, realm, record.get(), note)?;
        Ok(Applied::Erased)
    }

    fn is_there(&mut self, realm: RealmNumber, record: RecordNumber) -> Result<bool, Fault> {
        let given = self.realm(realm)?.is_some_and(|row| record.get() < row.next_record);
        Ok(given && self.table(ERASED).get::<()>(&record_key(realm, record))?.is_none())
    }

    /// Removes an encounter that is there from everything but the cases; gives its name.
    fn remove(&mut self, realm: RealmNumber, record: RecordNumber) -> Result<EncounterKey, Fault> {
        let key = record_key(realm, record);
        let Identity { key: name, galleries } = self.identity(&key)?;
        self.table(RECORDS).remove(&key)?;
        self.table(IDENTITIES).remove(&key)?;
        self.table(ENCOUNTERS).remove(&encounter_key(realm, &name))?;
        for gallery in &galleries {
            self.count_gallery(realm, gallery.as_str(), |count| count.saturating_sub(1))?;
        }
        self.table(ERASED).put(&key, &())?;
        if let Some(row) = self.realm(realm)? {
            row.live -= 1;
        }
        Ok(name)
    }

    /// Who is behind a record: from the small value, or where that is damaged from the encounter, so that damage to
    /// one of them does not stand in the way of an erasure.
    fn identity(&mut self, key: &[u8]) -> Result<Identity, Fault> {
        let identities = &*self.table(IDENTITIES);
        let small = match identities.opened.get(key)? {
            Some(value) => identity(identities, key, value.value()),
            None => Err(IDENTITIES.damaged(key, "is missing".into())),
        };
        let lost = match small {
            Ok(identity) => return Ok(identity),
            Err(lost) => lost,
        };
        let records = &*self.table(RECORDS);
        let Some(value) = records.opened.get(key)? else { return Err(lost.into()) };
        Ok(Identity::of(&encounter(records, key, value.value())?))
    }

    /// Removes the cases of an encounter, and the encounter from the cases of others.
    pub(crate) fn strike_from_cases(&mut self, realm: RealmNumber, name: &EncounterKey) -> Result<(), Fault> {
        for mut case in self.take_cases(realm, name)? {
            case.candidates.retain(|(candidate, _)| candidate != name);
            if case.encounter != *name && !case.candidates.is_empty() {
                self.put_case(realm, &case)?;
            }
        }
        Ok(())
    }

    /// Gives an encounter its new name and number in every case; what only asks whether a subject is itself is answered.
    fn rename_in_cases(
        &mut self,
        realm: RealmNumber,
        old: &EncounterKey,
        new: &EncounterKey,
        record: RecordNumber,
    ) -> Result<(), Fault> {
        for mut case in self.take_cases(realm, old)? {
            if case.encounter == *old {
                (case.encounter, case.record) = (new.clone(), record);
            }
            for (candidate, _) in case.candidates.iter_mut().filter(|(candidate, _)| candidate == old) {
                candidate.clone_from(new);
            }
            let subject = case.encounter.subject.clone();
            case.candidates.retain(|(candidate, _)| candidate.subject != subject);
            if !case.candidates.is_empty() {
                self.put_case(realm, &case)?;
            }
        }
        Ok(())
    }

    /// Removes every case that names an encounter, and gives them.
    fn take_cases(&mut self, realm: RealmNumber, name: &EncounterKey) -> Result<Vec<CaseRecord>, Fault> {
        let mut numbers = Vec::new();
        self.table(MENTIONS).each(&mentions_key(realm, name), |key, _| {
            numbers.push(CaseNumber::new(number_in(key)));
            Ok(())
        })?;
        let mut taken = Vec::with_capacity(numbers.len());
        for number in numbers {
            let missing = || CASES.damaged(&case_key(realm, number), "is missing".into());
            let case = self.case(realm, number)?.ok_or_else(missing)?;
            self.remove_case(realm, &case)?;
            taken.push(case);
        }
        Ok(taken)
    }

    fn remove_case(&mut self, realm: RealmNumber, case: &CaseRecord) -> Result<(), Fault> {
        for name in case.names() {
            self.table(MENTIONS).remove(&mention_key(realm, name, case.number))?;
        }
        self.table(CASES).remove(&case_key(realm, case.number))?;
        if let Some(row) = self.realm(realm)? {
            row.cases -= 1;
        }
        Ok(())
    }

    fn add_task(&mut self, realm: RealmNumber, value: &Vec<u8>) -> Result<Applied, Fault> {
        let keys = self.keys;
        let Some(row) = self.realm(realm)? else { return Ok(Applied::UnknownRealm) };
        // Those whose keys were destroyed had been given before the backup was restored that this store comes from.
        while keys.is_destroyed(Leaf::Task(realm.get(), row.next_task)).map_err(StoreError::from)? {
            row.next_task += 1;
        }
        let task = TaskNumber::new(row.next_task);
        row.next_task += 1;
        row.tasks += 1;
        self.table(TASKS).put(&task_key(realm, task), value)?;
        Ok(Applied::Tasked { task })
    }

    fn set_task(&mut self, realm: RealmNumber, task: TaskNumber, value: Option<&Vec<u8>>) -> Result<Applied, Fault> {
        let key = task_key(realm, task);
        if self.table(TASKS).get::<Vec<u8>>(&key)?.is_none() {
            return Ok(Applied::NotFound);
        }
        match value {
            Some(value) => self.table(TASKS).put(&key, value)?,
            None => self.remove_task(realm, task)?,
        }
        Ok(Applied::Done)
    }

    pub(crate) fn remove_task(&mut self, realm: RealmNumber, task: TaskNumber) -> Result<(), Fault> {
        self.table(TASKS).remove(&task_key(realm, task))?;
        if let Some(row) = self.realm(realm)? {
            row.tasks -= 1;
        }
        Ok(())
    }

    fn close_case(&mut self, realm: RealmNumber, case: CaseNumber, note: &str) -> Result<Applied, Fault> {
        let Some(closed) = self.case(realm, case)? else { return Ok(Applied::NotFound) };
        self.remove_case(realm, &closed)?;
        self.audit(Act::CloseCase, realm, case.get(), note)?;
        Ok(Applied::Done)
    }

    fn set_segments(
        &mut self,
        realm: RealmNumber,
        add: &[SegmentRecord],
        remove: &[SegmentNumber],
    ) -> Result<Applied, Fault> {
        if self.realm(realm)?.is_none() {
            return Ok(Applied::UnknownRealm);
        }
        let gone: BTreeSet<SegmentNumber> = remove.iter().copied().collect();
        for &number in &gone {
            if !self.table(SEGMENTS).contains(&segment_key(realm, number))? {
                return Ok(Applied::NotFound);
            }
        }
        for segment in add {
            if self.table(SEGMENTS).contains(&segment_key(realm, segment.number))? {
                return Err(StoreError::Draft(format!("{realm}, {}: is live already", segment.number)).into());
            }
        }
        for &number in &gone {
            self.table(SEGMENTS).remove(&segment_key(realm, number))?;
            self.orphans.segments.push((realm, number));
        }
        if let Some(row) = self.realm(realm)? {
            row.segments -= gone.len() as u32;
        }
        self.add_segments(realm, add, &gone)?;
        Ok(Applied::Done)
    }

    fn replace_segments(&mut self, realm: RealmNumber, with: &[SegmentRecord]) -> Result<Applied, Fault> {
        let Some(row) = self.realm(realm)? else { return Ok(Applied::UnknownRealm) };
        row.segments = 0;
        let mut gone = BTreeSet::new();
        self.table(SEGMENTS).each_of(realm, |key, _| {
            gone.insert(SegmentNumber::new(number_in(key)));
            Ok(())
        })?;
        self.table(SEGMENTS).remove_all(&realm_key(realm))?;
        let kept = |number: &SegmentNumber| with.iter().any(|segment| segment.number == *number);
        self.orphans.segments.extend(gone.iter().filter(|number| !kept(number)).map(|&number| (realm, number)));
        self.add_segments(realm, with, &gone)?;
        Ok(Applied::Done)
    }

    /// Adds entries, counts them, and says in the audit chain what came and what went.
    fn add_segments(
        &mut self,
        realm: RealmNumber,
        add: &[SegmentRecord],
        gone: &BTreeSet<SegmentNumber>,
    ) -> Result<(), Fault> {
        for SegmentRecord { number, rows, bytes, checksum, algorithms, is_sealed } in add {
            let (algorithms, is_sealed) = (algorithms.clone(), *is_sealed);
            let row = SegmentRow { rows: *rows, bytes: *bytes, checksum: *checksum, algorithms, is_sealed };
            self.table(SEGMENTS).put(&segment_key(realm, *number), &row)?;
        }
        if let Some(row) = self.realm(realm)? {
            row.segments += add.len() as u32;
            let next = add.iter().map(|segment| segment.number.get() + 1).max();
            row.next_segment = row.next_segment.max(next.unwrap_or(0));
        }
        let list = |numbers: Vec<u64>| numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let (added, removed) = (add.iter().map(|s| s.number.get()).collect(), gone.iter().map(|n| n.get()).collect());
        self.audit(Act::SetSegments, realm, 0, &format!("add [{}] remove [{}]", list(added), list(removed)))
    }

    /// Counts a realm's galleries anew, and its encounters, so many of which went.
    pub(crate) fn recount(&mut self, realm: RealmNumber, gone: u64) -> Result<(), Fault> {
        let mut galleries = BTreeMap::<String, u64>::new();
        let identities = &*self.table(IDENTITIES);
        identities.each_of(realm, |key, value| {
            for gallery in identity(identities, key, value)?.galleries {
                *galleries.entry(gallery.as_str().to_owned()).or_default() += 1;
            }
            Ok(())
        })?;
        self.table(GALLERIES).remove_all(&realm_key(realm))?;
        for (name, count) in galleries {
            self.table(GALLERIES).put(&name_key(realm, &name), &count)?;
        }
        if let Some(row) = self.realm(realm)? {
            row.live -= gone;
        }
        Ok(())
    }

    /// Moves a gallery's count; a gallery nobody is in is gone.
    fn count_gallery(&mut self, realm: RealmNumber, name: &str, change: fn(u64) -> u64) -> Result<(), Fault> {
        let key = name_key(realm, name);
        let count = change(self.table(GALLERIES).get(&key)?.unwrap_or(0));
        if count == 0 {
            self.table(GALLERIES).remove(&key)?;
            return Ok(());
        }
        self.table(GALLERIES).put(&key, &count)
    }
}
