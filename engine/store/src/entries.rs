//! What is under this key? A table opened for reading or writing, with the keys that its values are sealed under.

use khop_keys::Keyring;
use redb::ReadableTableMetadata;
use zeroize::Zeroizing;

use crate::catalogue::Fault;
use crate::codec::{self, ReadRow, Row};
use crate::table::{Readable, Table, Writable, behind, realm_key};
use crate::{RealmNumber, StoreError, frame};

/// What a value says, opened; wiped when dropped.
pub(crate) type Payload = Zeroizing<Vec<u8>>;

/// The entries of a table.
pub(crate) struct Entries<'k, T> {
    pub table: Table,
    pub opened: T,
    keys: &'k Keyring,
}

impl<'k, T> Entries<'k, T> {
    pub(crate) fn new(table: Table, opened: T, keys: &'k Keyring) -> Self {
        Self { table, opened, keys }
    }

    /// Opens a value that was read under this key.
    pub(crate) fn unseal(&self, key: &[u8], value: &[u8]) -> Result<Payload, StoreError> {
        let sealed_under = self.keys.key(self.table.leaf(key))?;
        let sealed_under = sealed_under.ok_or_else(|| self.table.damaged(key, "its key was destroyed".into()))?;
        frame::open(&sealed_under, self.table.tag, key, value).map_err(|detail| self.table.damaged(key, detail))
    }

    /// The row in an opened value; it may borrow from it.
    pub(crate) fn decode<'a, R: ReadRow<'a>>(&self, key: &[u8], payload: &'a Payload) -> Result<R, StoreError> {
        codec::decode(payload).map_err(|detail| self.table.damaged(key, detail))
    }

    /// Opens a value that was read under this key: the row, which owns what it holds.
    pub(crate) fn open<R: for<'a> ReadRow<'a>>(&self, key: &[u8], value: &[u8]) -> Result<R, StoreError> {
        self.decode(key, &self.unseal(key, value)?)
    }
}

impl<T: Readable> Entries<'_, T> {
    /// The opened value under a key.
    pub(crate) fn payload(&self, key: &[u8]) -> Result<Option<Payload>, Fault> {
        Ok(self.opened.get(key)?.map(|value| self.unseal(key, value.value())).transpose()?)
    }

    /// The row under a key, which owns what it holds.
    pub(crate) fn get<R: for<'a> ReadRow<'a>>(&self, key: &[u8]) -> Result<Option<R>, Fault> {
        Ok(self.payload(key)?.map(|payload| self.decode(key, &payload)).transpose()?)
    }

    /// Whether anything is under a key; what it says is not looked at.
    pub(crate) fn contains(&self, key: &[u8]) -> Result<bool, Fault> {
        Ok(self.opened.get(key)?.is_some())
    }

    /// Calls `take` with every entry whose key begins so, in order, the values still sealed.
    pub(crate) fn each(
        &self,
        prefix: &[u8],
        mut take: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), Fault> {
        let end = behind(prefix);
        let range =
            if prefix.is_empty() { self.opened.range::<&[u8]>(..)? } else { self.opened.range(prefix..&end[..])? };
        for pair in range {
            let (key, value) = pair?;
            take(key.value(), value.value())?;
        }
        Ok(())
    }

    /// As [`Entries::each`], for a realm's entries.
    pub(crate) fn each_of(
        &self,
        realm: RealmNumber,
        take: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), Fault> {
        debug_assert!(crate::table::OF_A_REALM.contains(&self.table));
        self.each(&realm_key(realm), take)
    }
}

impl<T: ReadableTableMetadata> Entries<'_, T> {
    /// Entries there are.
    pub(crate) fn len(&self) -> Result<u64, Fault> {
        Ok(self.opened.len()?)
    }
}

impl Entries<'_, Writable<'_>> {
    /// Seals a row and writes it under a key.
    pub(crate) fn put(&mut self, key: &[u8], row: &impl Row) -> Result<(), Fault> {
        let payload = Zeroizing::new(codec::encode(row));
        let table = self.table;
        if payload.len() > codec::LIMIT {
            return Err(table.too_large(key, payload.len()).into());
        }
        let sealed_under = self.keys.key(table.leaf(key)).map_err(StoreError::from)?;
        let sealed_under = sealed_under.ok_or_else(|| table.damaged(key, "its key was destroyed".into()))?;
        let value = frame::seal(&sealed_under, table.tag, key, &payload).map_err(StoreError::from)?;
        self.opened.insert(key, &value[..])?;
        Ok(())
    }

    /// Removes what is under a key, if anything.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Result<(), Fault> {
        self.opened.remove(key)?;
        Ok(())
    }

    /// Removes every entry whose key begins so.
    pub(crate) fn remove_all(&mut self, prefix: &[u8]) -> Result<(), Fault> {
        let end = behind(prefix);
        Ok(self.opened.retain_in::<&[u8], _>(prefix..&end[..], |_, _| false)?)
    }
}
