//! What does a segment's image look like? Header, directory, aligned columns: written and read here, nowhere else.
//!
//! Drawn byte by byte in `docs/format.md`. Integers are little-endian.

use std::ops::Range;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::error::SegmentFault;
use crate::map::ALIGNMENT;
use crate::{RealmNumber, SegmentNumber, StoreError};

/// The first eight bytes of a segment.
pub(crate) const MAGIC: [u8; 8] = *b"KHOPSEG\0";
/// The version written; the only one read.
pub(crate) const VERSION: u32 = 1;
/// Bytes of the header.
pub(crate) const HEADER: usize = 64;
/// Bytes of one directory entry.
pub(crate) const ENTRY: usize = 64;
/// Longest column name, bytes.
pub(crate) const NAME: usize = 32;
/// The column that holds the record numbers, eight bytes a row.
pub(crate) const RECORDS: &str = "records";
/// The column that says where each row's item begins, eight bytes a row and eight for the end.
pub(crate) const ITEM_OFFSETS: &str = "item.offsets";
/// Most columns of a segment.
const COLUMNS: usize = 1024;
/// Most bytes of the algorithms' text.
const TEXT: usize = 4096;

/// Everything a segment says about itself before its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub realm: RealmNumber,
    pub number: SegmentNumber,
    pub rows: u32,
    pub algorithms: String,
    pub columns: Vec<ColumnPlace>,
    /// Bytes of the whole segment.
    pub length: u64,
    /// XXH3-64 over header and directory; the catalogue keeps it, so that no other segment can take its place.
    pub checksum: u64,
}

/// Where a column lies and what its bytes must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnPlace {
    pub name: String,
    pub offset: u64,
    pub length: u64,
    pub checksum: u64,
}

impl ColumnPlace {
    /// Its place in the segment's bytes; only for a layout that was checked against their length.
    pub(crate) fn range(&self) -> Range<usize> {
        self.offset as usize..(self.offset + self.length) as usize
    }
}

fn align(offset: u64) -> u64 {
    offset.next_multiple_of(ALIGNMENT as u64)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// XXH3-64 over the header, its checksum field left out, and the directory.
fn checksum(front: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&front[..56]);
    hash.update(&front[HEADER..]);
    hash.digest()
}

impl Layout {
    /// Plans a segment of these columns and writes its front: header, directory, padding up to the first column.
    ///
    /// # Errors
    /// [`StoreError::Draft`] names what is too long or given twice.
    pub(crate) fn plan(
        realm: RealmNumber,
        number: SegmentNumber,
        rows: usize,
        algorithms: &str,
        columns: &[(&str, &[u8])],
    ) -> Result<(Self, Vec<u8>), StoreError> {
        let rows = u32::try_from(rows).map_err(|_| StoreError::Draft(format!("{rows} rows, at most 2^32 − 1")))?;
        if columns.len() > COLUMNS || algorithms.len() > TEXT {
            return Err(StoreError::Draft(format!("at most {COLUMNS} columns and {TEXT} bytes of algorithms")));
        }
        let directory = columns.len() * ENTRY + algorithms.len();
        let mut offset = align((HEADER + directory) as u64);
        let mut front = vec![0; offset as usize];
        let mut places: Vec<ColumnPlace> = Vec::with_capacity(columns.len());
        for (index, &(name, bytes)) in columns.iter().enumerate() {
            if name.is_empty() || name.len() > NAME || name.contains('\0') || places.iter().any(|p| p.name == name) {
                return Err(StoreError::Draft(format!("column {name:?}: expected a name of 1 to {NAME} bytes, once")));
            }
            let place =
                ColumnPlace { name: name.to_owned(), offset, length: bytes.len() as u64, checksum: xxh3_64(bytes) };
            let entry = &mut front[HEADER + index * ENTRY..][..ENTRY];
            entry[..name.len()].copy_from_slice(name.as_bytes());
            for (at, value) in [(32, place.offset), (40, place.length), (48, place.checksum)] {
                entry[at..at + 8].copy_from_slice(&value.to_le_bytes());
            }
            offset = align(offset + place.length);
            places.push(place);
        }
        front[HEADER + columns.len() * ENTRY..HEADER + directory].copy_from_slice(algorithms.as_bytes());
        front[..8].copy_from_slice(&MAGIC);
        for (at, value) in [(8, VERSION), (12, columns.len() as u32), (16, realm.get()), (20, algorithms.len() as u32)]
        {
            front[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        for (at, value) in [(24, number.get()), (32, u64::from(rows)), (40, offset)] {
            front[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        let checksum = checksum(&front[..HEADER + directory]);
        front[56..64].copy_from_slice(&checksum.to_le_bytes());
        let algorithms = algorithms.to_owned();
        Ok((Self { realm, number, rows, algorithms, columns: places, length: offset, checksum }, front))
    }

    /// Reads a segment's front and checks that everything it names lies inside `bytes`. Never panics.
    ///
    /// # Errors
    /// [`SegmentFault`]: what is wrong with it.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, SegmentFault> {
        if bytes.len() < HEADER {
            return Err(SegmentFault::Length { expected: HEADER as u64, found: bytes.len() as u64 });
        }
        if bytes[..8] != MAGIC {
            return Err(SegmentFault::Magic);
        }
        if u32_at(bytes, 8) != VERSION {
            return Err(SegmentFault::Version(u32_at(bytes, 8)));
        }
        let (count, text) = (u32_at(bytes, 12) as usize, u32_at(bytes, 20) as usize);
        let length = u64_at(bytes, 40);
        if length != bytes.len() as u64 {
            return Err(SegmentFault::Length { expected: length, found: bytes.len() as u64 });
        }
        let end = HEADER + count.min(COLUMNS) * ENTRY + text.min(TEXT);
        if count > COLUMNS || text > TEXT || end > bytes.len() || checksum(&bytes[..end]) != u64_at(bytes, 56) {
            return Err(SegmentFault::Header);
        }
        let (mut columns, mut least) = (Vec::with_capacity(count), align(end as u64));
        for entry in bytes[HEADER..].chunks_exact(ENTRY).take(count) {
            let name = entry[..NAME].split(|&b| b == 0).next().unwrap_or_default();
            let name = std::str::from_utf8(name).map_err(|_| SegmentFault::Header)?.to_owned();
            let (offset, size) = (u64_at(entry, 32), u64_at(entry, 40));
            let fits = offset.checked_add(size).is_some_and(|end| end <= length);
            if !fits || offset < least || !offset.is_multiple_of(ALIGNMENT as u64) {
                return Err(SegmentFault::Header);
            }
            least = offset + size;
            columns.push(ColumnPlace { name, offset, length: size, checksum: u64_at(entry, 48) });
        }
        let rows = u32::try_from(u64_at(bytes, 32)).map_err(|_| SegmentFault::Header)?;
        let algorithms = &bytes[HEADER + count * ENTRY..end];
        let algorithms = std::str::from_utf8(algorithms).map_err(|_| SegmentFault::Header)?.to_owned();
        let (realm, number) = (RealmNumber::new(u32_at(bytes, 16)), SegmentNumber::new(u64_at(bytes, 24)));
        Ok(Self { realm, number, rows, algorithms, columns, length, checksum: u64_at(bytes, 56) })
    }

    /// The place of a column.
    pub(crate) fn column(&self, name: &str) -> Option<(usize, &ColumnPlace)> {
        self.columns.iter().enumerate().find(|(_, place)| place.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> (Layout, Vec<u8>) {
        let columns: [(&str, &[u8]); 2] = [(RECORDS, &[1; 16]), ("plane", &[2; 70])];
        Layout::plan(RealmNumber::new(3), SegmentNumber::new(5), 2, "a 1", &columns).unwrap()
    }

    fn whole() -> Vec<u8> {
        let (layout, mut bytes) = plan();
        bytes.resize(layout.length as usize, 0);
        for (place, value) in layout.columns.iter().zip([1, 2]) {
            bytes[place.range()].fill(value);
        }
        bytes
    }

    /// The files of every store in the world begin with these bytes.
    #[test]
    fn the_bytes_are_pinned() {
        let (layout, front) = plan();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let lines: Vec<String> = front.chunks(16).map(hex).collect();
        let expected = [
            "4b484f50534547000100000002000000",
            "03000000030000000500000000000000",
            "0200000000000000c001000000000000",
            "0000000000000000da1603bec44ed1d9",
            "7265636f726473000000000000000000",
            "00000000000000000000000000000000",
            "00010000000000001000000000000000",
            "0ed23829e63141a70000000000000000",
            "706c616e650000000000000000000000",
            "00000000000000000000000000000000",
            "40010000000000004600000000000000",
            "93d43432a7b51fa10000000000000000",
            "61203100000000000000000000000000",
            "00000000000000000000000000000000",
            "00000000000000000000000000000000",
            "00000000000000000000000000000000",
        ];
        assert_eq!(lines, expected);
        assert_eq!(layout.length, 0x1c0);
    }

    #[test]
    fn what_was_planned_is_read() {
        assert_eq!(Layout::read(&whole()).unwrap(), plan().0);
    }

    #[test]
    fn headers_that_lie_are_refused_even_with_a_checksum() {
        let lies: [(usize, &[u8], SegmentFault); 9] = [
            (0, b"X", SegmentFault::Magic),
            (8, &[2], SegmentFault::Version(2)),
            (12, &[0xff, 0xff, 0xff, 0xff], SegmentFault::Header), // columns
            (20, &[0xff, 0xff, 0xff, 0xff], SegmentFault::Header), // algorithms
            (36, &[1], SegmentFault::Header),                      // rows
            (40, &[0], SegmentFault::Length { expected: 0x100, found: 0x1c0 }),
            (64 + 32, &[0x80], SegmentFault::Header), // records inside the directory
            (128 + 32, &[0x41], SegmentFault::Header), // plane not aligned
            (128 + 40, &[0xff; 8], SegmentFault::Header), // plane behind the end
        ];
        for (at, lie, fault) in lies {
            let mut bytes = whole();
            bytes[at..at + lie.len()].copy_from_slice(lie);
            let end = (HEADER + 2 * ENTRY + 3).min(bytes.len());
            let sum = checksum(&bytes[..end]);
            bytes[56..64].copy_from_slice(&sum.to_le_bytes());
            assert_eq!(Layout::read(&bytes), Err(fault), "at {at}");
        }
    }

    #[test]
    fn no_bytes_panic() {
        use rand::{RngExt, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        let good = whole();
        for _ in 0..50_000 {
            let mut bytes = good[..random.random_range(0..=good.len())].to_vec();
            for _ in 0..random.random_range(1..6) {
                if let Some(last) = bytes.len().checked_sub(1) {
                    bytes[random.random_range(0..=last.min(200))] = random.random();
                }
            }
            if bytes.len() > 200 {
                let length = (bytes.len() as u64).to_le_bytes();
                bytes[40..48].copy_from_slice(&length);
                let end = (HEADER + 2 * ENTRY + 3).min(bytes.len());
                let sum = checksum(&bytes[..end]);
                bytes[56..64].copy_from_slice(&sum.to_le_bytes());
            }
            let _ = Layout::read(&bytes);
        }
    }
}
