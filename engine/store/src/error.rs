//! What went wrong? One enum for the store, one for a single segment; each names the path or the record.

use std::io;
use std::path::{Path, PathBuf};

use khop_keys::KeyError;

use crate::{RealmNumber, RecordNumber, SegmentNumber};

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process, or another `Store` of this one, has the directory open.
    #[error("{}: the store is in use{}", path.display(), holder.map(|p| format!(" by process {p}")).unwrap_or_default())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The process that wrote its id there, when it could be read.
        holder: Option<u32>,
    },
    /// A file operation failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// The disk, quota or file size limit is used up. Nothing of the failed call was kept; the same call works
    /// again as soon as there is room.
    #[error("{}: no space left to write", path.display())]
    Full {
        /// The file that could not grow.
        path: PathBuf,
    },
    /// An earlier write could not be made durable, so nothing more is written until the store is opened again.
    /// Reads go on. Whether the write that failed is kept is known only after that.
    #[error("the store accepts no more writes since one could not be made durable ({cause}); open it again")]
    Fenced {
        /// What had failed.
        cause: String,
    },
    /// The catalogue file cannot be read as one.
    #[error("{}: the catalogue is damaged: {detail}", path.display())]
    DamagedCatalogue {
        /// The catalogue file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A part of the store that must be there is not.
    #[error("{}: this part of the store is missing", path.display())]
    Missing {
        /// What is missing.
        path: PathBuf,
    },
    /// The store was written by a later version. Nothing was touched.
    #[error("{}: format {found}, this version reads formats up to {known}", path.display())]
    NewerFormat {
        /// The format file.
        path: PathBuf,
        /// The format it names.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The bytes of one encounter are not what was written.
    #[error("{realm}, {record}: the stored encounter is damaged: {detail}")]
    Damaged {
        /// Its realm.
        realm: RealmNumber,
        /// Its number.
        record: RecordNumber,
        /// What was found.
        detail: String,
    },
    /// The bytes of another value are not what was written.
    #[error("catalogue table {table}, key {key}: damaged: {detail}")]
    DamagedEntry {
        /// The table.
        table: &'static str,
        /// The key, printable characters as they are, others in hexadecimal.
        key: String,
        /// What was found.
        detail: String,
    },
    /// No such realm.
    #[error("{0}: no such realm in this store")]
    UnknownRealm(RealmNumber),
    /// No encounter has this number, or it was erased.
    #[error("{realm}, {record}: no such encounter")]
    UnknownRecord {
        /// The realm.
        realm: RealmNumber,
        /// The number asked for.
        record: RecordNumber,
    },
    /// A value beyond what the catalogue takes. Nothing of the call was kept.
    #[error("{what}: expected at most {limit} bytes, got {bytes}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// Its size.
        bytes: usize,
        /// The most that is taken.
        limit: usize,
    },
    /// A directory that is to be made, and is there.
    #[error("{}: is there already; name a directory that is not", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// A directory that holds the backups of another store.
    #[error("{}: names another store; its backups need a directory of their own", path.display())]
    OtherStore {
        /// The file that says so.
        path: PathBuf,
    },
    /// The keys cannot be had, or not be changed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A segment draft whose parts do not fit together.
    #[error("segment draft: {0}")]
    Draft(String),
}

impl StoreError {
    /// Wraps a failed file operation; used-up space becomes [`StoreError::Full`].
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| {
            let path = path.to_owned();
            if is_full(&source) { Self::Full { path } } else { Self::Io { path, source } }
        }
    }
}

/// Whether an error says that there is no room, rather than that the disk is broken.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Why one segment cannot be used. Segments are derived: the answer is to rebuild it from the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{realm}, {number}: {fault}", path.as_ref().map(|p| format!("{}: ", p.display())).unwrap_or_default())]
pub struct SegmentError {
    /// The realm it belongs to.
    pub realm: RealmNumber,
    /// Its number.
    pub number: SegmentNumber,
    /// Its file, if it has one.
    pub path: Option<PathBuf>,
    /// What is wrong.
    pub fault: SegmentFault,
}

/// What is wrong with a segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentFault {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(String),
    /// Shorter or longer than its header or the catalogue says.
    #[error("expected {expected} bytes, got {found}")]
    Length {
        /// Bytes expected.
        expected: u64,
        /// Bytes there.
        found: u64,
    },
    /// Not a segment file.
    #[error("expected a segment file, found other bytes at its start")]
    Magic,
    /// A version this program does not know.
    #[error("segment version {0} is not known")]
    Version(u32),
    /// Header or directory were altered.
    #[error("header checksum does not agree")]
    Header,
    /// The catalogue's entry for it is damaged or gone.
    #[error("its entry in the catalogue cannot be used: {0}")]
    Entry(String),
    /// A sound segment, but not the one the catalogue lists here.
    #[error("is another segment than the catalogue lists here")]
    Stranger,
    /// A column's bytes were altered.
    #[error("column {0}: checksum does not agree")]
    Column(String),
    /// A part of the file is not what was sealed there.
    #[error("sealed frame {0} is not what was written")]
    Frame(u64),
    /// The segment's own key was destroyed.
    #[error("its key was destroyed")]
    Forgotten,
    /// A row's own bytes are not what was sealed there.
    #[error("the item of {0} is not what was written")]
    Item(RecordNumber),
    /// The key of a row's own bytes was destroyed.
    #[error("the key of {0} was destroyed")]
    Destroyed(RecordNumber),
    /// The places of the rows' own bytes are not ascending, or lie outside the file.
    #[error("the places of items are not ascending")]
    Items,
    /// The records are not ascending, or not as many as there are rows.
    #[error("record numbers are not ascending")]
    Records,
}
