//! What does the catalogue say at one moment? A read transaction, with the keys to what it reads.

use khop_keys::Keyring;
use redb::{ReadOnlyTable, ReadTransaction};

use crate::catalogue::Fault;
use crate::codec::{HeadRow, RealmRow, SegmentRow};
use crate::entries::Entries;
use crate::table::{HEAD, REALMS, SEGMENTS, Table, number_in, realm_in, realm_key};
use crate::{RealmNumber, SegmentNumber, SegmentRecord, Store, StoreError};

/// One consistent state of the catalogue.
pub(crate) struct Reading<'t> {
    pub transaction: &'t ReadTransaction,
    pub keys: &'t Keyring,
}

/// Entries of a list of segments, as far as they can be read.
pub(crate) type SegmentList = Vec<(SegmentNumber, Result<SegmentRecord, StoreError>)>;

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

    /// The numbers of the realms, ascending.
    pub(crate) fn realms(&self) -> Result<Vec<RealmNumber>, Fault> {
        let (table, mut realms) = (self.open(REALMS)?, Vec::new());
        table.each(&[], |key, _| {
            realms.push(realm_in(key));
            Ok(())
        })?;
        Ok(realms)
    }

    /// A realm's list of live segments, damaged entries in their places.
    pub(crate) fn segments(&self, realm: RealmNumber) -> Result<SegmentList, Fault> {
        let (table, mut listed) = (self.open(SEGMENTS)?, Vec::new());
        table.each_of(realm, |key, value| {
            let number = SegmentNumber::new(number_in(key));
            let record = table.open(key, value).map(|SegmentRow { rows, bytes, checksum, algorithms, is_sealed }| {
                SegmentRecord { number, rows, bytes, checksum, algorithms, is_sealed }
            });
            listed.push((number, record));
            Ok(())
        })?;
        Ok(listed)
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
