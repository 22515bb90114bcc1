//! What does the catalogue say at one moment? A read transaction, with the keys to what it reads.

use khop_keys::Keyring;
use redb::{ReadOnlyTable, ReadTransaction};

use crate::catalogue::Fault;
use crate::codec::{HeadRow, RealmRow};
use crate::entries::Entries;
use crate::table::{HEAD, REALMS, Table, realm_key};
use crate::{RealmNumber, Store, StoreError};

/// One consistent state of the catalogue.
pub(crate) struct Reading<'t> {
    pub transaction: &'t ReadTransaction,
    pub keys: &'t Keyring,
}

/// A table of it.
pub(crate) type ReadEntries<'t> = Entries<'t, ReadOnlyTable<&'static [u8], &'static [u8]>>;

impl<'t> Reading<'t> {
    /// Opens a table.
    pub(crate) fn open(&self, table: Table) -> Result<ReadEntries<'t>, Fault> {
        Ok(Entries::new(table, self.transaction.open_table(table.definition())?, self.keys))
    }

    /// The store as a whole.
    pub(crate) fn head(&self) -> Result<HeadRow, Fault> {
        Ok(self.open(HEAD)?.get(&[])?.ok_or_else(|| HEAD.damaged(&[], "is missing".into()))?)
    }

    /// A realm's counters.
    pub(crate) fn realm(&self, realm: RealmNumber) -> Result<RealmRow, Fault> {
        Ok(self.open(REALMS)?.get(&realm_key(realm))?.ok_or(StoreError::UnknownRealm(realm))?)
    }
}

impl Store {
    /// Reads one consistent state of the catalogue.
    pub(crate) fn reading<T>(&self, run: impl Fn(&Reading<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.catalogue.read(|transaction| run(&Reading { transaction, keys: &self.keys }))
    }
}
