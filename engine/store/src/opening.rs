//! How is a store to be opened? Where its root key is, and how much is compared first.

use std::path::Path;

use khop_keys::RootSource;

use crate::{Store, StoreError};

/// How to open a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opening {
    /// Where the root key is kept.
    pub root: RootSource,
    /// Whether the operator says that the volume under the directory is encrypted. Then new segments' columns are
    /// written as they are and mapped; otherwise they are sealed, and opened into memory that must hold them all. Files
    /// written in the other way are read all the same, and change with the next rebuild. Catalogue values and items are
    /// sealed in any case.
    pub encrypted_volume: bool,
    /// Whether the checksum of every page of the catalogue is compared first, which reads all of it.
    ///
    /// An ordinary opening finds damage in a value when the value is read. This also finds what could make a value be
    /// overlooked: a damaged key or inner node.
    pub check: bool,
}

impl Opening {
    /// Opens the store in `dir`, or makes one (directory mode 0700, files 0600) where there is none.
    ///
    /// After a crash this is as quick as after a clean end: the last commit is there, whole, and what an
    /// interrupted one wrote is not. Segment files that no commit made live are removed.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while anybody else has it open; [`StoreError::NewerFormat`] before anything is
    /// touched; [`StoreError::Keys`] for a root key that is missing or another than the store's;
    /// [`StoreError::DamagedCatalogue`] and [`StoreError::Missing`] for what is damaged or gone;
    /// [`StoreError::Io`] and [`StoreError::Full`].
    pub fn open(&self, dir: &Path) -> Result<Store, StoreError> {
        Store::open_as(dir, self)
    }
}
