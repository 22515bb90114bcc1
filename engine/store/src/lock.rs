//! Who has the store open? An exclusive lock on one file, held until dropped or until the process dies.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::Path;

use crate::StoreError;
use crate::catalogue::open_file;

/// A lock that is held.
pub(crate) struct Lock(File);

impl Lock {
    /// Takes it without waiting.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the holder's process id, where somebody has it; [`StoreError::Io`].
    pub(crate) fn take(path: &Path) -> Result<Self, StoreError> {
        let mut file = open_file(path)?;
        match file.try_lock() {
            Ok(()) => {
                // The process id is there for whoever finds the store in use; the lock itself is the system's.
                let write = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
                write.map_err(StoreError::at(path))?;
                Ok(Self(file))
            }
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
                Err(StoreError::Locked { path: path.to_owned(), holder })
            }
            Err(TryLockError::Error(source)) => Err(StoreError::Io { path: path.to_owned(), source }),
        }
    }
}

impl Drop for Lock {
    /// Released in so many words: closing the file is not enough while a process that was just forked still has it,
    /// which it does until it becomes another program.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_lock_is_free_whoever_still_has_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("LOCK");
        let lock = Lock::take(&path).unwrap();
        assert!(matches!(Lock::take(&path), Err(StoreError::Locked { holder: Some(_), .. })));
        let as_a_fork_has_it = lock.0.try_clone().unwrap();
        drop(lock);
        drop(Lock::take(&path).unwrap());
        drop(as_a_fork_has_it);
    }
}
