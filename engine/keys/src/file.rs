//! How does a file come and go? Whole or not at all; and overwritten before its name is removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::KeyError;

/// Writes a file (mode 0600) that is not there yet: under another name first, so that it is there whole or not at all.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    if path.try_exists().map_err(KeyError::at(path))? {
        return Err(KeyError::at(path)(io::ErrorKind::AlreadyExists.into()));
    }
    let draft = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let write = || {
        let mut file = options.open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(KeyError::at(path))?;
    sync(path.parent().unwrap_or(Path::new("/")))
}

/// Makes new and removed names in a directory durable.
pub(crate) fn sync(dir: &Path) -> Result<(), KeyError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(KeyError::at(dir))
}

/// Overwrites a file with zeros where it lies, and removes it. One that is gone already is no error.
pub(crate) fn destroy(path: &Path) -> Result<(), KeyError> {
    let wipe = || {
        let mut file = OpenOptions::new().write(true).open(path)?;
        let mut left = file.metadata()?.len();
        while left > 0 {
            let part = left.min(1 << 16);
            file.write_all(&vec![0; part as usize])?;
            left -= part;
        }
        file.sync_all()?;
        fs::remove_file(path)
    };
    match wipe() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.map_err(KeyError::at(path)),
    }
}
