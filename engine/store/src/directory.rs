//! Is it on the disk, too? Directories and files that are there, whole, after a crash.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::StoreError;
use crate::catalogue::open_file;

/// Makes a directory of mode 0700, and those above it, where they are not there yet.
pub(crate) fn make(dir: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(StoreError::at(dir))
}

/// Writes a file of mode 0600 and makes its bytes durable; its name is durable once the directory is synced.
pub(crate) fn write(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), StoreError> {
    let mut file = open_file(path)?;
    let write = file.set_len(0).and_then(|()| fill(&mut file)).and_then(|()| file.sync_all());
    write.map_err(StoreError::at(path))
}

/// Makes renames and new names in a directory durable.
pub(crate) fn sync(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(StoreError::at(dir))
}
