//! When was everything looked at the last time, and was it well? Kept in the catalogue, so that a restart knows it.

use khop_store::{Change, Store};

/// Where the catalogue keeps it: two little-endian numbers.
const KEY: &str = "scrubbed";

/// The last pass that looked at everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrub {
    /// When it ended, seconds since 1970.
    pub ended_unix_s: u64,
    /// Entries and segments that were not what was written. Segments are made again from the catalogue.
    pub damaged: u64,
}

impl Scrub {
    /// What the catalogue says of it; nothing where it cannot say.
    pub(crate) fn kept(store: &Store) -> Option<Self> {
        let value = store.meta(KEY).ok().flatten()?;
        let (ended, damaged) = value.split_first_chunk::<8>()?;
        let damaged = u64::from_le_bytes(*damaged.first_chunk()?);
        Some(Self { ended_unix_s: u64::from_le_bytes(*ended), damaged })
    }

    /// What the catalogue is to say of it.
    pub(crate) fn keep(self) -> Change {
        let value = [self.ended_unix_s.to_le_bytes(), self.damaged.to_le_bytes()].concat();
        Change::PutMeta { key: KEY.to_owned(), value: Some(value) }
    }
}
