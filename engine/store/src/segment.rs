//! What is in one segment? Rows of comparison-ready data, in columns, never changed once made.

use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use xxhash_rust::xxh3::xxh3_64;

use crate::envelope::Envelope;
use crate::error::{SegmentError, SegmentFault};
use crate::items::{Item, Items};
use crate::layout::{ITEM_OFFSETS, Layout, RECORDS};
use crate::map::Bytes;
use crate::{RealmNumber, RecordNumber, SegmentNumber, StoreError};

/// What a segment is made of.
#[derive(Clone, Default)]
pub struct SegmentDraft {
    /// The encounter behind each row, strictly ascending; its length is the number of rows.
    pub records: Vec<RecordNumber>,
    /// Named columns, names of 1 to 32 bytes, each once; what a row takes in each is the reader's business.
    pub columns: Vec<(String, Vec<u8>)>,
    /// Bytes that belong to one row alone, one a row, or none at all. In a file they are sealed one by one.
    pub items: Vec<Vec<u8>>,
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
    /// Whether its columns are sealed in its file.
    pub is_sealed: bool,
}

/// A draft's place in a file or in memory.
pub(crate) struct Planned {
    pub layout: Layout,
    pub front: Vec<u8>,
    /// The store's own columns, before the draft's.
    pub own: Vec<Vec<u8>>,
    /// Bytes of the items.
    pub items: u64,
}

/// Where the bytes before the items are.
pub(crate) enum Image {
    Own(Bytes),
    Inside(Arc<Bytes>, Range<usize>),
}

impl Deref for Image {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Inside(bytes, range) => &bytes[range.clone()],
        }
    }
}

/// An immutable block of rows, in a file or in memory: readers see no difference.
///
/// Header, directory, record numbers and the items' places are checked when it is made, each other column when first
/// asked for, an item whenever it is opened.
pub struct Segment {
    layout: Layout,
    /// Its file and what its envelope says, if it has one.
    file: Option<(PathBuf, Envelope)>,
    records: usize,
    item_offsets: Option<usize>,
    verified: Vec<OnceLock<bool>>,
    /// Whether an item turned out not to be what was written.
    condemned: AtomicBool,
    bytes: Image,
    items: Items,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Layout { realm, number, rows, length, .. } = &self.layout;
        write!(f, "Segment({realm}, {number}, {rows} rows, {length} bytes)")
    }
}

impl SegmentDraft {
    /// Checks it and plans its bytes, an item taking as many as `length` says.
    pub(crate) fn plan(
        &self,
        realm: RealmNumber,
        number: SegmentNumber,
        length: fn(&[u8]) -> usize,
    ) -> Result<Planned, StoreError> {
        if let Some(pair) = self.records.windows(2).find(|w| w[0] >= w[1]) {
            return Err(StoreError::Draft(format!("{} follows {}, expected ascending", pair[1], pair[0])));
        }
        let mut own = vec![(RECORDS, self.records.iter().flat_map(|r| r.get().to_le_bytes()).collect::<Vec<u8>>())];
        let mut items = 0u64;
        if !self.items.is_empty() {
            if self.items.len() != self.records.len() {
                let (rows, items) = (self.records.len(), self.items.len());
                return Err(StoreError::Draft(format!("{rows} rows and {items} items, expected one a row or none")));
            }
            let mut offsets = Vec::with_capacity(8 * (self.items.len() + 1));
            for item in &self.items {
                offsets.extend_from_slice(&items.to_le_bytes());
                items += length(item) as u64;
            }
            offsets.extend_from_slice(&items.to_le_bytes());
            own.push((ITEM_OFFSETS, offsets));
        }
        let columns = self.columns.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let columns: Vec<_> = own.iter().map(|(name, bytes)| (*name, bytes.as_slice())).chain(columns).collect();
        let (layout, front) = Layout::plan(realm, number, self.records.len(), &self.algorithms, &columns)?;
        Ok(Planned { layout, front, own: own.into_iter().map(|(_, bytes)| bytes).collect(), items })
    }
}

impl Segment {
    /// A segment without a file: the same bytes, in memory, items as they are.
    ///
    /// # Errors
    /// [`StoreError::Draft`] when its parts do not fit together.
    pub fn in_memory(draft: &SegmentDraft) -> Result<Self, StoreError> {
        let planned = draft.plan(RealmNumber::new(0), SegmentNumber::IN_MEMORY, <[u8]>::len)?;
        let Planned { layout, front, own, .. } = planned;
        let bytes = Bytes::owned(layout.length as usize, |memory| {
            memory[..front.len()].copy_from_slice(&front);
            let columns = own.iter().chain(draft.columns.iter().map(|(_, bytes)| bytes));
            for (place, column) in layout.columns.iter().zip(columns) {
                memory[place.range()].copy_from_slice(column);
            }
        });
        let items = Items::Plain(draft.items.concat());
        Self::over(Image::Own(bytes), items, None).map_err(|fault| StoreError::Draft(fault.to_string()))
    }

    /// Reads header and directory of these bytes; checks the record numbers and the places of the items.
    pub(crate) fn over(bytes: Image, items: Items, file: Option<(PathBuf, Envelope)>) -> Result<Self, SegmentFault> {
        let layout = Layout::read(&bytes)?;
        let Some((records, place)) = layout.column(RECORDS) else { return Err(SegmentFault::Records) };
        if place.length != u64::from(layout.rows) * 8 {
            return Err(SegmentFault::Records);
        }
        let item_offsets = layout.column(ITEM_OFFSETS).map(|(index, place)| (index, place.length));
        if item_offsets.is_some_and(|(_, length)| length != (u64::from(layout.rows) + 1) * 8) {
            return Err(SegmentFault::Items);
        }
        let verified = layout.columns.iter().map(|_| OnceLock::new()).collect();
        let (item_offsets, condemned) = (item_offsets.map(|(index, _)| index), AtomicBool::new(false));
        let segment = Self { records, item_offsets, file, verified, condemned, bytes, items, layout };
        segment.verify(records)?;
        if !(1..segment.rows()).all(|row| segment.record(row - 1) < segment.record(row)) {
            return Err(SegmentFault::Records);
        }
        if let Some(offsets) = item_offsets {
            segment.verify(offsets)?;
            let (first, last) = (segment.u64_of(offsets, 0), segment.u64_of(offsets, segment.rows()));
            let ascending =
                (0..segment.rows()).all(|row| segment.u64_of(offsets, row) <= segment.u64_of(offsets, row + 1));
            if first != 0 || last != segment.items.length() as u64 || !ascending {
                return Err(SegmentFault::Items);
            }
        } else if segment.items.length() > 0 {
            return Err(SegmentFault::Items);
        }
        Ok(segment)
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

    /// Bytes of the whole segment, in its file or in memory.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let in_memory = self.layout.length + self.items.length() as u64;
        self.file.as_ref().and_then(|(_, envelope)| envelope.length()).unwrap_or(in_memory)
    }

    /// Bytes of it that are memory of the process's own, rather than maps of a file, whose pages the system may take
    /// back.
    #[must_use]
    pub fn private_bytes(&self) -> u64 {
        let image = if matches!(self.bytes, Image::Own(_)) { self.layout.length } else { 0 };
        let items = if matches!(self.items, Items::Plain(_)) { self.items.length() as u64 } else { 0 };
        image + items
    }

    /// Whether opened bytes of a sealed file may be written to the system's swap space: the process may not lock so much
    /// memory.
    #[must_use]
    pub fn may_be_swapped(&self) -> bool {
        matches!(&self.bytes, Image::Own(bytes) if bytes.may_be_swapped())
    }

    /// Its file, if it has one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|(path, _)| path.as_path())
    }

    /// The names of its columns, the store's own left out.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        let names = self.layout.columns.iter().map(|place| place.name.as_str());
        names.filter(|name| ![RECORDS, ITEM_OFFSETS].contains(name))
    }

    /// The encounter behind a row.
    ///
    /// # Panics
    /// When `row` is not below [`Segment::rows`].
    #[must_use]
    pub fn record(&self, row: u32) -> RecordNumber {
        RecordNumber::new(self.u64_of(self.records, row))
    }

    /// Number `row` of a column of numbers of eight bytes.
    fn u64_of(&self, column: usize, row: u32) -> u64 {
        crate::layout::u64_at(&self.bytes[self.layout.columns[column].range()], row as usize * 8)
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

    /// Whether any row has an item.
    #[must_use]
    pub fn has_items(&self) -> bool {
        self.items.length() > 0
    }

    /// A row's item; empty where it has none. In a file it is sealed: opening it costs a microsecond, and as much as
    /// copying it at a gigabyte and a half a second.
    ///
    /// # Errors
    /// [`SegmentError`] with [`SegmentFault::Item`] when it is not what was written; with [`SegmentFault::Destroyed`]
    /// when its key is no more.
    ///
    /// # Panics
    /// When `row` is not below [`Segment::rows`].
    pub fn item(&self, row: u32) -> Result<Item<'_>, SegmentError> {
        let range = self
            .item_offsets
            .map_or(0..0, |offsets| self.u64_of(offsets, row) as usize..self.u64_of(offsets, row + 1) as usize);
        self.items.get(range, self.record(row), &self.layout.algorithms).map_err(|fault| {
            if fault != SegmentFault::Destroyed(self.record(row)) {
                self.condemned.store(true, Ordering::Relaxed);
            }
            self.error(fault)
        })
    }

    /// Its file is known not to be what was written.
    pub(crate) fn condemn(&self) {
        self.condemned.store(true, Ordering::Relaxed);
    }

    /// The bytes of every column, after its checksum was compared, also where that was done before.
    pub(crate) fn checked_columns(&self) -> impl Iterator<Item = Result<u64, SegmentFault>> + '_ {
        self.layout.columns.iter().map(|place| {
            let bytes = &self.bytes[place.range()];
            let is_sound = xxh3_64(bytes) == place.checksum;
            if is_sound { Ok(bytes.len() as u64) } else { Err(SegmentFault::Column(place.name.clone())) }
        })
    }

    /// Whether a column or an item that was asked for turned out not to be what was written. In constant time.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.condemned.load(Ordering::Relaxed) || self.verified.iter().any(|sound| sound.get() == Some(&false))
    }

    /// Checks every column and item, also those checked before: what a scrub does. Items whose key was destroyed are
    /// passed over.
    ///
    /// # Errors
    /// [`SegmentError`] names the first that was altered.
    pub fn verify_all(&self) -> Result<(), SegmentError> {
        for checked in self.checked_columns() {
            checked.map_err(|fault| self.error(fault))?;
        }
        let mut readable = (0..self.rows()).filter(|&row| self.items.is_readable(self.record(row)));
        readable.try_for_each(|row| self.item(row).map(drop))
    }

    /// What the catalogue keeps of it.
    #[must_use]
    pub fn summary(&self) -> SegmentRecord {
        let Layout { number, rows, checksum, ref algorithms, .. } = self.layout;
        let is_sealed = self.file.as_ref().is_some_and(|(_, envelope)| envelope.is_sealed);
        SegmentRecord { number, rows, bytes: self.bytes(), checksum, algorithms: algorithms.clone(), is_sealed }
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
        SegmentError { realm: self.realm(), number: self.number(), path: self.path().map(Path::to_owned), fault }
    }
}
