//! What went wrong with keys? Each error names the file and what was expected there, and none repeats a key.

use std::io;
use std::path::{Path, PathBuf};

/// Why keys cannot be had or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file operation failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// A file of the keyring is not there, though others are.
    #[error("{}: this part of the keyring is missing; without it nothing that was sealed can be opened", path.display())]
    Missing {
        /// What is missing.
        path: PathBuf,
    },
    /// A file of the keyring is not what was written.
    #[error("{}: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The keyring was made under another root key.
    #[error("{}: sealed under another root key than the one from {source}", path.display(), source = root)]
    OtherRoot {
        /// The keyring's file.
        path: PathBuf,
        /// Where the root key came from.
        root: String,
    },
    /// A root key was given that is none.
    #[error("root key from {root}: {detail}")]
    Root {
        /// Where it came from.
        root: String,
        /// What was expected.
        detail: String,
    },
    /// A record or segment number beyond those that have keys.
    #[error("number {number}: expected at most {most}")]
    Number {
        /// The number.
        number: u64,
        /// The largest that has a key.
        most: u64,
    },
    /// The system's random source failed.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
}

impl KeyError {
    /// Wraps a failed file operation.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
