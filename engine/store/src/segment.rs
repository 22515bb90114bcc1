//! What is in one segment? Rows of comparison-ready data, in columns, never changed once made.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{SegmentError, SegmentFault};
use crate::layout::{Layout, RECORDS};
use crate::map::Bytes;
use crate::{RealmNumber, RecordNumber, SegmentNumber, StoreError};

/// What a segment is made of.
#[derive(Clone, Default)]
pub struct SegmentDraft {
    /// The encounter behind each row, strictly ascending; its length is the number of rows.
    pub records: Vec<RecordNumber>,
    /// Named columns, names of 1 to 32 bytes, each once; what a row takes in each is the reader's business.
    pub columns: Vec<(String, Vec<u8>)>,
    /// The algorithms, with versions, that made the columns: a reader that knows others rebuilds the segment.
    pub algorithms: String,
}

/// What the catalogue keeps of a live segment: enough to know it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRecord {
    /// Its number in the realm.
    pub number: SegmentNumber,
    /// Rows, erased ones included.
    pub rows: u32,
    /// Bytes of its file.
    pub bytes: u64,
    /// XXH3-64 of its header and directory, which hold the checksums of its columns.
    pub checksum: u64,
    /// The algorithms that made it.
    pub algorithms: String,
}

/// An immutable block of rows, mapped from its file or held in memory: readers see no difference.
///
/// Header, directory and record numbers are checked when it is made, each other column when first asked for.
pub struct Segment {
    layout: Layout,
    path: Option<PathBuf>,
    records: usize,
    verified: Vec<OnceLock<bool>>,
    bytes: Bytes,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Layout { realm, number, rows, length, .. } = &self.layout;
        write!(f, "Segment({realm}, {number}, {rows} rows, {length} bytes)")
    }
}

impl SegmentDraft {
    /// Checks it and plans its bytes: layout, front, and the record numbers as a column.
    pub(crate) fn plan(
        &self,
        realm: RealmNumber,
        number: SegmentNumber,
    ) -> Result<(Layout, Vec<u8>, Vec<u8>), StoreError> {
        if let Some(pair) = self.records.windows(2).find(|w| w[0] >= w[1]) {
            return Err(StoreError::Draft(format!("{} follows {}, expected ascending", pair[1], pair[0])));
        }
        let records: Vec<u8> = self.records.iter().flat_map(|r| r.get().to_le_bytes()).collect();
        let columns = self.columns.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let columns: Vec<_> = std::iter::once((RECORDS, records.as_slice())).chain(columns).collect();
        let (layout, front) = Layout::plan(realm, number, self.records.len(), &self.algorithms, &columns)?;
        Ok((layout, front, records))
    }
}

impl Segment {
    /// A segment without a file: the same bytes, in memory.
    ///
    /// # Errors
    /// [`StoreError::Draft`] when its parts do not fit together.
    pub fn in_memory(draft: &SegmentDraft) -> Result<Self, StoreError> {
        let (layout, front, records) = draft.plan(RealmNumber::new(0), SegmentNumber::IN_MEMORY)?;
        let bytes = Bytes::owned(layout.length as usize, |memory| {
            memory[..front.len()].copy_from_slice(&front);
            let columns = std::iter::once(&records).chain(draft.columns.iter().map(|(_, bytes)| bytes));
            for (place, column) in layout.columns.iter().zip(columns) {
                memory[place.range()].copy_from_slice(column);
            }
        });
        Self::over(bytes, None).map_err(|fault| StoreError::Draft(fault.to_string()))
    }

    /// Reads header and directory of these bytes and checks the record numbers.
    pub(crate) fn over(bytes: Bytes, path: Option<PathBuf>) -> Result<Self, SegmentFault> {
        let layout = Layout::read(&bytes)?;
        let Some((records, place)) = layout.column(RECORDS) else { return Err(SegmentFault::Records) };
        if place.length != u64::from(layout.rows) * 8 {
            return Err(SegmentFault::Records);
        }
        let verified = layout.columns.iter().map(|_| OnceLock::new()).collect();
        let segment = Self { records, path, verified, bytes, layout };
        segment.verify(records)?;
        let ascending = (1..segment.rows()).all(|row| segment.record(row - 1) < segment.record(row));
        if ascending { Ok(segment) } else { Err(SegmentFault::Records) }
    }

    /// Rows, erased ones included.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.layout.rows
    }

    /// Its number; [`SegmentNumber::IN_MEMORY`] without a file.
    #[must_use]
    pub fn number(&self) -> SegmentNumber {
        self.layout.number
    }

    /// The algorithms that made its columns.
    #[must_use]
    pub fn algorithms(&self) -> &str {
        &self.layout.algorithms
    }

    /// Bytes of the whole segment, on disk or in memory.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.layout.length
    }

    /// Whether it is a map of a file, whose pages the system may take back, rather than memory of its own.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        self.bytes.is_mapped()
    }

    /// Its file, if it has one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The names of its columns, the record numbers left out.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.layout.columns.iter().map(|place| place.name.as_str()).filter(|name| *name != RECORDS)
    }

    /// The encounter behind a row.
    ///
    /// # Panics
    /// When `row` is not below [`Segment::rows`].
    #[must_use]
    pub fn record(&self, row: u32) -> RecordNumber {
        let at = row as usize * 8;
        let column = &self.bytes[self.layout.columns[self.records].range()];
        RecordNumber::new(u64::from_le_bytes(column[at..at + 8].try_into().expect("eight bytes")))
    }

    /// The row of an encounter, if it is here. A binary search.
    #[must_use]
    pub fn row_of(&self, record: RecordNumber) -> Option<u32> {
        let (mut low, mut high) = (0, self.rows());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.record(middle).cmp(&record) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// A column's bytes, 64-byte aligned; `None` where the segment has no such column.
    ///
    /// The first call reads the whole column to compare its checksum, later ones cost nothing.
    ///
    /// # Errors
    /// [`SegmentError`] with [`SegmentFault::Column`], now and ever after, when the bytes are not those written.
    pub fn column(&self, name: &str) -> Result<Option<&[u8]>, SegmentError> {
        let Some((index, place)) = self.layout.column(name) else { return Ok(None) };
        self.verify(index).map_err(|fault| self.error(fault))?;
        Ok(Some(&self.bytes[place.range()]))
    }

    /// Whether a column that was asked for turned out not to be what was written. In constant time.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.verified.iter().any(|sound| sound.get() == Some(&false))
    }

    /// Checks every column, also those checked before: what a scrub does.
    ///
    /// # Errors
    /// [`SegmentError`] names the first column that was altered.
    pub fn verify_all(&self) -> Result<(), SegmentError> {
        for place in &self.layout.columns {
            if xxh3_64(&self.bytes[place.range()]) != place.checksum {
                return Err(self.error(SegmentFault::Column(place.name.clone())));
            }
        }
        Ok(())
    }

    /// What the catalogue keeps of it.
    #[must_use]
    pub fn summary(&self) -> SegmentRecord {
        let Layout { number, rows, length, checksum, ref algorithms, .. } = self.layout;
        SegmentRecord { number, rows, bytes: length, checksum, algorithms: algorithms.clone() }
    }

    /// The realm its header names.
    pub(crate) fn realm(&self) -> RealmNumber {
        self.layout.realm
    }

    fn verify(&self, index: usize) -> Result<(), SegmentFault> {
        let place = &self.layout.columns[index];
        let sound = *self.verified[index].get_or_init(|| xxh3_64(&self.bytes[place.range()]) == place.checksum);
        if sound { Ok(()) } else { Err(SegmentFault::Column(place.name.clone())) }
    }

    fn error(&self, fault: SegmentFault) -> SegmentError {
        SegmentError { realm: self.realm(), number: self.number(), path: self.path.clone(), fault }
    }
}
