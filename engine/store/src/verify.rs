//! Is everything in the store what was written? Every value, every index, every column, the audit chain.

use std::collections::BTreeMap;
use std::fmt;

use roaring::RoaringTreemap;

use crate::catalogue::Fault;
use crate::codec::{CaseRow, Identity, RealmRow, SegmentRow};
use crate::query::{complete, encounter, identity};
use crate::reading::{ReadEntries, Reading};
use crate::table::{
    CASES, ENCOUNTERS, ERASED, GALLERIES, IDENTITIES, MENTIONS, META, OF_A_REALM, REALMS, RECORDS, SEGMENTS, TASKS,
    Table, behind, encounter_key, number_in, realm_in, realm_key,
};
use crate::{CaseNumber, RealmNumber, RecordNumber, SegmentError, Store, StoreError, audit};

/// Most problems that are kept; more are counted.
const KEPT: usize = 1000;

/// What a verification saw.
#[derive(Debug, Default)]
pub struct VerifyReport {
    /// Realms.
    pub realms: u64,
    /// Encounters, damaged ones included.
    pub records: u64,
    /// Numbers of erased encounters.
    pub erased: u64,
    /// Cases that wait for a human.
    pub cases: u64,
    /// Live segments.
    pub segments: u64,
    /// Bytes of the segments that opened.
    pub segment_bytes: u64,
    /// Audit entries.
    pub audit_entries: u64,
    /// What is wrong, the first thousand.
    pub problems: Vec<Problem>,
    /// How much is wrong.
    pub problem_count: u64,
}

/// One thing that is not as it was written.
#[derive(Debug)]
pub enum Problem {
    /// In the catalogue: the truth is affected. Restore it from a copy, or erase the record.
    Catalogue(StoreError),
    /// In a segment: it can be made again from the catalogue.
    Segment(SegmentError),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Catalogue(error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalogue(error) => error.fmt(f),
            Self::Segment(error) => error.fmt(f),
        }
    }
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problem_count == 0
    }

    fn add(&mut self, problem: Problem) {
        self.problem_count += 1;
        if self.problems.len() < KEPT {
            self.problems.push(problem);
        }
    }

    /// Notes what a check says and goes on; only redb's own failures end a verification.
    fn note<T>(&mut self, result: Result<T, StoreError>) -> Option<T> {
        result.map_err(|error| self.add(error.into())).ok()
    }
}

impl Store {
    /// Reads everything once and compares it: every value with its checksum, every index with the encounters, every
    /// count with what is there, every segment column with its checksum, the audit chain with its head. Searches and
    /// enrolments go on meanwhile; what is compared is the state at its beginning.
    ///
    /// # Errors
    /// [`StoreError::Io`]. Damage is not an error here but in the report.
    pub fn verify(&self) -> Result<VerifyReport, StoreError> {
        self.verify_with(&|_| ())
    }

    /// As [`Store::verify`]; calls `progress` now and then with the number of entries read.
    ///
    /// # Errors
    /// As [`Store::verify`].
    pub fn verify_with(&self, progress: &dyn Fn(u64)) -> Result<VerifyReport, StoreError> {
        let checked = self.reading(|reading| {
            let mut check = Check { reading, progress, seen: 0, counted: BTreeMap::new(), report: <_>::default() };
            let present = check.catalogue()?;
            Ok((check.report, present))
        });
        let (mut report, present) = match checked {
            Ok(checked) => checked,
            Err(error @ StoreError::DamagedCatalogue { .. }) => {
                let mut report = VerifyReport::default();
                report.add(error.into());
                return Ok(report);
            }
            Err(error) => return Err(error),
        };
        for (realm, present) in present {
            self.verify_segments(realm, present, &mut report);
        }
        Ok(report)
    }

    fn verify_segments(&self, realm: RealmNumber, present: RoaringTreemap, report: &mut VerifyReport) {
        let Some(segments) = report.note(self.open_segments(realm)) else { return };
        let mut seen = RoaringTreemap::new();
        for segment in segments {
            report.segments += 1;
            let segment = match segment.and_then(|segment| segment.verify_all().map(|()| segment)) {
                Ok(segment) => segment,
                Err(error) => {
                    report.add(Problem::Segment(error));
                    continue;
                }
            };
            report.segment_bytes += segment.bytes();
            for record in (0..segment.rows()).map(|row| segment.record(row).get()) {
                if !present.contains(record) || !seen.insert(record) {
                    let detail = format!("a row of {} that no encounter explains", segment.number());
                    let record = RecordNumber::new(record);
                    report.add(StoreError::Damaged { realm, record, detail }.into());
                }
            }
        }
    }
}

/// One walk through the catalogue.
struct Check<'a> {
    reading: &'a Reading<'a>,
    progress: &'a dyn Fn(u64),
    seen: u64,
    /// Entries under known realms, by table.
    counted: BTreeMap<&'static str, u64>,
    report: VerifyReport,
}

/// Opens a value; a function for each table, so that [`Check::count`] can read any of them.
type Open = fn(&ReadEntries<'_>, &[u8], &[u8]) -> Result<(), StoreError>;

impl Check<'_> {
    /// Everything but the segment files; gives the records that are there or erased, realm by realm.
    fn catalogue(&mut self) -> Result<BTreeMap<RealmNumber, RoaringTreemap>, Fault> {
        let mut known = BTreeMap::new();
        let Some(head) = self.soft(self.reading.head())? else { return Ok(known) };
        let realms = self.reading.open(REALMS)?;
        for pair in realms.opened.range::<&[u8]>(..)? {
            let (key, value) = pair?;
            self.report.realms += 1;
            let Some(row) = self.report.note(realms.open::<RealmRow>(key.value(), value.value())) else { continue };
            let realm = realm_in(key.value());
            known.insert(realm, self.realm(realm, &row)?);
        }
        self.expect(REALMS, &[], u64::from(head.realms), self.report.realms);
        for table in OF_A_REALM {
            // Entries under realms that do not exist would be seen by nobody.
            let all = self.reading.open(table)?.len()?;
            self.expect(table, &[], all, self.counted.get(table.name).copied().unwrap_or(0));
        }
        let meta = self.reading.open(META)?;
        meta.each(&[], |key, value| {
            self.tick();
            self.report.note(meta.open::<Vec<u8>>(key, value));
            Ok(())
        })?;
        self.report.audit_entries = head.next_audit;
        let audited = audit::verify(self.reading, &head, || self.tick());
        self.soft(audited)?;
        Ok(known)
    }

    /// One realm: its encounters with everything that points at them, then the counts of what points.
    fn realm(&mut self, realm: RealmNumber, row: &RealmRow) -> Result<RoaringTreemap, Fault> {
        let (mut present, mut galleries, mut readable) = (RoaringTreemap::new(), BTreeMap::new(), true);
        let records = self.reading.open(RECORDS)?;
        let indexes = Indexes::open(self.reading)?;
        let first = realm_key(realm);
        for pair in records.opened.range::<&[u8]>(&first[..]..&behind(&first)[..])? {
            let (key, value) = pair?;
            self.tick();
            present.insert(number_in(key.value()));
            let Some(encounter) = self.report.note(encounter(&records, key.value(), value.value())) else {
                readable = false;
                continue;
            };
            for gallery in &encounter.galleries {
                *galleries.entry(gallery.as_str().to_owned()).or_insert(0u64) += 1;
            }
            self.indexed(realm, key.value(), &Identity::of(&encounter), &indexes)?;
        }
        let live = present.len();
        self.report.records += live;
        self.add_counted(RECORDS, live);
        self.expect(RECORDS, &first, row.live, live);
        for (table, open) in [
            (IDENTITIES, (|entries, key, value| identity(entries, key, value).map(drop)) as Open),
            (ENCOUNTERS, |entries, key, value| entries.open::<u64>(key, value).map(drop)),
        ] {
            let found = self.count(table, realm, open)?;
            self.expect(table, &first, live, found);
        }
        let erased = self.reading.open(ERASED)?;
        erased.each_of(realm, |key, value| {
            self.tick();
            self.report.note(erased.open::<()>(key, value));
            if !present.insert(number_in(key)) {
                self.report.add(ERASED.damaged(key, "the encounter is still there".into()).into());
            }
            Ok(())
        })?;
        self.report.erased += present.len() - live;
        self.add_counted(ERASED, present.len() - live);
        self.expect(ERASED, &first, row.next_record, present.len());
        let (mut waiting, mut mentions) = (0, 0);
        let cases = self.reading.open(CASES)?;
        cases.each_of(realm, |key, value| {
            waiting += 1;
            let row = cases.open::<CaseRow>(key, value);
            let case =
                row.and_then(|row| row.to_case(CaseNumber::new(number_in(key))).map_err(|d| CASES.damaged(key, d)));
            if let Some(case) = self.report.note(case) {
                mentions += case.names().len() as u64;
            }
            Ok(())
        })?;
        self.report.cases += waiting;
        self.add_counted(CASES, waiting);
        self.expect(CASES, &first, row.cases, waiting);
        let found = self.count(MENTIONS, realm, |entries, key, value| entries.open(key, value))?;
        self.expect(MENTIONS, &first, mentions, found);
        let found = self.count(TASKS, realm, |entries, key, value| entries.open::<Vec<u8>>(key, value).map(drop))?;
        self.expect(TASKS, &first, row.tasks, found);
        let found =
            self.count(SEGMENTS, realm, |entries, key, value| entries.open::<SegmentRow>(key, value).map(drop))?;
        self.expect(SEGMENTS, &first, u64::from(row.segments), found);
        self.galleries(realm, readable.then_some(&galleries))?;
        Ok(present)
    }

    /// Whether everything that should point at an encounter does.
    fn indexed(
        &mut self,
        realm: RealmNumber,
        key: &[u8],
        expected: &Identity,
        Indexes { identities, encounters }: &Indexes<'_>,
    ) -> Result<(), Fault> {
        let stored = identities.opened.get(key)?;
        let same = match &stored {
            // A damaged one is noted, and is no other identity.
            Some(value) => {
                self.report.note(identity(identities, key, value.value())).is_none_or(|row| row == *expected)
            }
            None => false,
        };
        let found = self.soft(encounters.get::<u64>(&encounter_key(realm, &expected.key)))?;
        for (sound, what) in [
            (same, "its identity is another"),
            (found.is_none_or(|found| found == Some(number_in(key))), "is not found under its subject and id"),
        ] {
            if !sound {
                self.report.add(RECORDS.damaged(key, what.into()).into());
            }
        }
        Ok(())
    }

    /// Compares the galleries' counts; only their seals when an encounter that may be in them is unreadable.
    fn galleries(&mut self, realm: RealmNumber, counts: Option<&BTreeMap<String, u64>>) -> Result<(), Fault> {
        let table = self.reading.open(GALLERIES)?;
        let mut found = 0;
        table.each_of(realm, |key, value| {
            found += 1;
            let name = String::from_utf8_lossy(&key[4..]);
            if let (Some(written), Some(counts)) = (self.report.note(table.open::<u64>(key, value)), counts) {
                self.expect(GALLERIES, key, counts.get(&*name).copied().unwrap_or(0), written);
            }
            Ok(())
        })?;
        self.add_counted(GALLERIES, found);
        if let Some(counts) = counts {
            self.expect(GALLERIES, &realm_key(realm), counts.len() as u64, found);
        }
        Ok(())
    }

    /// Opens every value of a realm in a table and counts them.
    fn count(&mut self, table: Table, realm: RealmNumber, open: Open) -> Result<u64, Fault> {
        let (entries, mut found) = (self.reading.open(table)?, 0);
        entries.each_of(realm, |key, value| {
            found += 1;
            self.tick();
            self.report.note(open(&entries, key, value));
            Ok(())
        })?;
        self.add_counted(table, found);
        Ok(found)
    }

    fn add_counted(&mut self, table: Table, entries: u64) {
        *self.counted.entry(table.name).or_default() += entries;
    }

    fn expect(&mut self, table: Table, key: &[u8], expected: u64, found: u64) {
        self.report.note(complete(table, key, found, expected));
    }

    fn tick(&mut self) {
        self.seen += 1;
        if self.seen.is_multiple_of(1024) {
            (self.progress)(self.seen);
        }
    }

    /// Notes damage and goes on; redb's own failures end the walk.
    fn soft<T>(&mut self, result: Result<T, Fault>) -> Result<Option<T>, Fault> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Fault::Store(error)) => Ok(self.report.note(Err(error))),
            Err(fault) => Err(fault),
        }
    }
}

/// What points at an encounter.
struct Indexes<'t> {
    identities: ReadEntries<'t>,
    encounters: ReadEntries<'t>,
}

impl<'t> Indexes<'t> {
    fn open(reading: &Reading<'t>) -> Result<Self, Fault> {
        Ok(Self { identities: reading.open(IDENTITIES)?, encounters: reading.open(ENCOUNTERS)? })
    }
}
