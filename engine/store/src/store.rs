//! How is a store opened, and how is it changed? The directory, its lock, its format, and commits.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use khop_keys::Keyring;

use crate::StoreError;
use crate::catalogue::Catalogue;
use crate::change::{Applied, Change};
use crate::codec::HeadRow;
use crate::commit::Batch;
use crate::directory;
use crate::entries::Entries;
use crate::lock::Lock;
use crate::opening::Opening;
use crate::reading::Reading;
use crate::shelf::Shelf;
use crate::table::{ALL, HEAD};

/// The format written, and the newest one read.
pub const FORMAT: u32 = 1;

const FORMAT_PREFIX: &str = "khop-store ";

/// A store directory, held exclusively until dropped.
///
/// All methods take `&self` and may be called from many threads; reads never wait for a commit.
pub struct Store {
    dir: PathBuf,
    pub(crate) keys: Arc<Keyring>,
    pub(crate) catalogue: Catalogue,
    pub(crate) shelf: Shelf,
    /// Held while the store lives. Dropped last.
    _lock: Lock,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.dir.display())
    }
}

impl Store {
    /// Opens the store in `dir`, or makes one, as [`Opening`] does when nothing else is said.
    ///
    /// # Errors
    /// As [`Opening::open`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Opening::default().open(dir)
    }

    pub(crate) fn open_as(dir: &Path, opening: &Opening) -> Result<Self, StoreError> {
        directory::make(dir)?;
        let lock = Lock::take(&dir.join("LOCK"))?;
        let (format, file) = (dir.join("FORMAT"), dir.join("catalogue.redb"));
        let known = read_format(&format)?;
        if let Some(found) = known.filter(|&found| found > FORMAT) {
            return Err(StoreError::NewerFormat { path: format, found, known: FORMAT });
        }
        let segments = dir.join("segments");
        let new = !file.try_exists().map_err(StoreError::at(&file))?;
        if new && (known.is_some() || segments.exists()) {
            return Err(StoreError::Missing { path: file });
        }
        let keys = Arc::new(Keyring::open(&dir.join("keys"), &opening.root, new)?);
        if new {
            create(dir, &file, &keys)?;
        }
        let catalogue = Catalogue::open(file, opening.check)?;
        let head = catalogue.read(|transaction| Reading { transaction, keys: &keys }.head())?;
        if head.format != FORMAT {
            return Err(StoreError::NewerFormat { path: format, found: head.format, known: FORMAT });
        }
        if known.is_none() {
            write_new(&format, format!("{FORMAT_PREFIX}{FORMAT}\n").as_bytes())?;
        }
        directory::make(&segments)?;
        directory::sync(dir)?;
        let shelf = Shelf::new(segments, keys.clone(), !opening.encrypted_volume);
        let store = Self { dir: dir.to_owned(), keys, shelf, catalogue, _lock: lock };
        store.remove_strays()?;
        Ok(store)
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Applies changes in their order, in one transaction: when this returns `Ok` they are durable, each with what
    /// came of it. A change that cannot be done says so in its [`Applied`] and leaves the others alone.
    ///
    /// Costs two fsyncs, however many changes: callers that have several wait for one another and commit together.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::TooLarge`], [`StoreError::Draft`], damage met on the way: nothing of the
    /// call was kept. [`StoreError::Fenced`]: durability is unknown, and no later write is accepted until the store
    /// is opened again.
    pub fn commit(&self, changes: &[Change]) -> Result<Vec<Applied>, StoreError> {
        let (applied, orphans) = self.catalogue.write(|transaction| {
            let mut batch = Batch::begin(transaction, &self.keys)?;
            let applied = changes.iter().map(|change| batch.apply(change)).collect::<Result<Vec<_>, _>>()?;
            Ok((applied, batch.finish()?))
        })?;
        self.shelf.settle(changes.iter().flat_map(Change::segments_added));
        self.shelf.remove(&orphans);
        Ok(applied)
    }
}

fn read_format(path: &Path) -> Result<Option<u32>, StoreError> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::at(path)(error)),
    };
    let number = text.strip_prefix(FORMAT_PREFIX).and_then(|rest| rest.strip_suffix('\n')?.parse().ok());
    let number = number.filter(|&number| number > 0);
    number.map(Some).ok_or_else(|| StoreError::DamagedEntry {
        table: "FORMAT",
        key: path.display().to_string(),
        detail: format!("expected \"{FORMAT_PREFIX}N\""),
    })
}

/// Makes an empty catalogue under another name first, so that a crash leaves none rather than half a one.
fn create(dir: &Path, file: &Path, keys: &Keyring) -> Result<(), StoreError> {
    let draft = file.with_extension("new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(StoreError::at(&draft)(error)),
        _ => {}
    }
    let catalogue = Catalogue::open(draft.clone(), false)?;
    catalogue.write(|transaction| {
        for table in ALL {
            transaction.open_table(table.definition())?;
        }
        let mut head = Entries::new(HEAD, transaction.open_table(HEAD.definition())?, keys);
        head.put(&[], &HeadRow { format: FORMAT, ..HeadRow::default() })
    })?;
    drop(catalogue);
    fs::rename(&draft, file).map_err(StoreError::at(file))?;
    directory::sync(dir)
}

/// Writes a file so that it is there whole or not at all.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let draft = path.with_extension("new");
    directory::write(&draft, |file| file.write_all(bytes))?;
    fs::rename(&draft, path).map_err(StoreError::at(path))
}
