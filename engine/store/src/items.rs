//! What belongs to one row alone? Bytes that a search opens only for the rows it compares in full.
//!
//! In a file each item is sealed under its encounter's key: once that key is destroyed nobody reads it, however long
//! the file stays. In memory it is as it is.

use std::ops::{Deref, Range};
use std::sync::Arc;

use khop_keys::{KeyError, Keyring, Leaf, OVERHEAD, Unsealed};
use zeroize::Zeroizing;

use crate::error::SegmentFault;
use crate::map::Bytes;
use crate::{RealmNumber, RecordNumber};

/// One row's item, opened; wiped when dropped where it was sealed.
pub struct Item<'a>(Held<'a>);

enum Held<'a> {
    Plain(&'a [u8]),
    Opened(Zeroizing<Vec<u8>>),
}

impl Deref for Item<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Held::Plain(bytes) => bytes,
            Held::Opened(bytes) => bytes,
        }
    }
}

impl std::fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Item({} bytes)", self.len())
    }
}

/// The items of a segment, one behind the other.
pub(crate) enum Items {
    Plain(Vec<u8>),
    Sealed { file: Arc<Bytes>, at: usize, keys: Arc<Keyring>, realm: RealmNumber },
}

/// Bytes of an item in a file; a row without one takes none.
pub(crate) fn sealed_length(item: &[u8]) -> usize {
    if item.is_empty() { 0 } else { item.len() + OVERHEAD }
}

/// Appends a row's item, sealed under its encounter's key. Where that was destroyed meanwhile, zeros that nobody opens.
pub(crate) fn seal(
    keys: &Keyring,
    realm: RealmNumber,
    record: RecordNumber,
    algorithms: &str,
    item: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), KeyError> {
    if item.is_empty() {
        return Ok(());
    }
    match keys.key(Leaf::Record(realm.get(), record.get()))? {
        Some(key) => khop_keys::seal(&key, &place(realm, record, algorithms).each(), item, out),
        None => {
            out.resize(out.len() + sealed_length(item), 0);
            Ok(())
        }
    }
}

/// What an item is bound to: whose it is, and what made it. Not the segment: merging segments copies it as it is.
struct Place<'a>([u8; 4], [u8; 8], &'a str);

fn place(realm: RealmNumber, record: RecordNumber, algorithms: &str) -> Place<'_> {
    Place(realm.get().to_le_bytes(), record.get().to_le_bytes(), algorithms)
}

impl Place<'_> {
    fn each(&self) -> [&[u8]; 4] {
        [b"item", &self.0, &self.1, self.2.as_bytes()]
    }
}

impl Items {
    /// The item in this range; the range was checked against [`Items::length`].
    pub(crate) fn get(
        &self,
        range: Range<usize>,
        record: RecordNumber,
        algorithms: &str,
    ) -> Result<Item<'_>, SegmentFault> {
        match self {
            Self::Plain(bytes) => Ok(Item(Held::Plain(&bytes[range]))),
            Self::Sealed { .. } if range.is_empty() => Ok(Item(Held::Plain(&[]))),
            Self::Sealed { file, at, keys, realm } => {
                let key = keys.key(Leaf::Record(realm.get(), record.get()));
                let key = key.ok().flatten().ok_or(SegmentFault::Destroyed(record))?;
                let sealed = &file[at + range.start..at + range.end];
                let opened = khop_keys::open(&key, &place(*realm, record, algorithms).each(), sealed);
                opened.map(|item| Item(Held::Opened(item))).map_err(|Unsealed| SegmentFault::Item(record))
            }
        }
    }

    /// Whether the item's key is there.
    pub(crate) fn is_readable(&self, record: RecordNumber) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Sealed { keys, realm, .. } => {
                keys.is_destroyed(Leaf::Record(realm.get(), record.get())).is_ok_and(|destroyed| !destroyed)
            }
        }
    }

    /// Bytes of all of them.
    pub(crate) fn length(&self) -> usize {
        match self {
            Self::Plain(bytes) => bytes.len(),
            Self::Sealed { file, at, .. } => file.len() - at,
        }
    }
}
