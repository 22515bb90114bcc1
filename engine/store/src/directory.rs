//! Is a new name on the disk, too? A file that was made or renamed is there after a crash once its directory is synced.

use std::fs::File;
use std::path::Path;

use crate::StoreError;

/// Makes renames and new names in a directory durable.
pub(crate) fn sync(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(StoreError::at(dir))
}
