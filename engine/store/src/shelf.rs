//! Where do segments lie on disk? Written whole or not at all, opened mapped, removed when nobody owns them.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::catalogue::open_file;
use crate::commit::Orphans;
use crate::directory;
use crate::error::{SegmentError, SegmentFault};
use crate::layout::Layout;
use crate::map::Bytes;
use crate::{RealmNumber, Segment, SegmentDraft, SegmentNumber, SegmentRecord, Store, StoreError};

const EXTENSION: &str = "khs";

/// The directory of segments.
#[derive(Debug)]
pub(crate) struct Shelf {
    dir: PathBuf,
    /// The last number given to a file in each realm, committed or not.
    given: Mutex<BTreeMap<RealmNumber, u64>>,
}

impl Shelf {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, given: Mutex::default() }
    }

    fn realm_dir(&self, realm: RealmNumber) -> PathBuf {
        self.dir.join(realm.get().to_string())
    }

    fn file(&self, realm: RealmNumber, number: SegmentNumber) -> PathBuf {
        self.realm_dir(realm).join(format!("{}.{EXTENSION}", number.get()))
    }

    /// Removes files that a commit left without an owner. What cannot be removed now is a stray at the next opening.
    pub(crate) fn remove(&self, orphans: &Orphans) {
        for &(realm, number) in &orphans.segments {
            let _ = fs::remove_file(self.file(realm, number));
        }
        for &realm in &orphans.realms {
            let _ = fs::remove_dir_all(self.realm_dir(realm));
        }
    }

    /// Opens one segment and checks that it is the one the catalogue lists.
    fn open(&self, realm: RealmNumber, listed: &SegmentRecord) -> Result<Segment, SegmentError> {
        let path = self.file(realm, listed.number);
        let open = || {
            let file = File::open(&path).map_err(|error| SegmentFault::Io(error.to_string()))?;
            let length = file.metadata().map_err(|error| SegmentFault::Io(error.to_string()))?.len();
            if length != listed.bytes {
                return Err(SegmentFault::Length { expected: listed.bytes, found: length });
            }
            let bytes = Bytes::map(&file, length).map_err(|error| SegmentFault::Io(error.to_string()))?;
            let segment = Segment::over(bytes, Some(path.clone()))?;
            let same = segment.realm() == realm && segment.summary() == *listed;
            if same { Ok(segment) } else { Err(SegmentFault::Stranger) }
        };
        open().map_err(|fault| SegmentError { realm, number: listed.number, path: Some(path.clone()), fault })
    }
}

impl Store {
    /// Writes a segment's file and opens it. It is not live, and gone at the next opening of the store, until its
    /// record is committed with [`crate::Change::SetSegments`].
    ///
    /// Writes to another name, fsyncs, renames, fsyncs the directory. Needs no memory beyond the draft's.
    ///
    /// # Errors
    /// [`StoreError::Draft`], [`StoreError::UnknownRealm`], [`StoreError::Full`], [`StoreError::Io`]; nothing is
    /// left behind.
    pub fn write_segment(
        &self,
        realm: RealmNumber,
        draft: &SegmentDraft,
    ) -> Result<(SegmentRecord, Arc<Segment>), StoreError> {
        let row = self.realm_row(realm)?;
        let number = {
            let mut given = self.shelf.given.lock().unwrap_or_else(PoisonError::into_inner);
            let last = given.entry(realm).or_default();
            *last = (*last + 1).max(row.next_segment);
            SegmentNumber::new(*last)
        };
        let (layout, front, records) = draft.plan(realm, number)?;
        let dir = self.shelf.realm_dir(realm);
        DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(StoreError::at(&dir))?;
        directory::sync(&self.shelf.dir)?;
        let path = self.shelf.file(realm, number);
        let unfinished = path.with_extension("new");
        let columns = std::iter::once(&records).chain(draft.columns.iter().map(|(_, bytes)| bytes));
        let written = write_file(&unfinished, &layout, &front, columns)
            .and_then(|()| fs::rename(&unfinished, &path).map_err(StoreError::at(&path)))
            .and_then(|()| directory::sync(&dir));
        if let Err(error) = written {
            let _ = fs::remove_file(&unfinished);
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        let record = SegmentRecord {
            number,
            rows: layout.rows,
            bytes: layout.length,
            checksum: layout.checksum,
            algorithms: layout.algorithms,
        };
        let segment = self
            .shelf
            .open(realm, &record)
            .map_err(|error| StoreError::Io { path, source: io::Error::other(error.fault.to_string()) })?;
        Ok((record, Arc::new(segment)))
    }

    /// Opens the live segments of a realm, by number. A damaged one, or one whose entry is damaged or gone, is an
    /// error in its place; the others open. [`crate::Change::ReplaceSegments`] mends all of that.
    ///
    /// # Errors
    /// [`StoreError::UnknownRealm`]; a damaged realm; I/O.
    pub fn open_segments(&self, realm: RealmNumber) -> Result<Vec<Result<Arc<Segment>, SegmentError>>, StoreError> {
        let (expected, listed) = self.segment_list(realm)?;
        let unusable =
            |number, detail| Err(SegmentError { realm, number, path: None, fault: SegmentFault::Entry(detail) });
        let missing = u64::from(expected) != listed.len() as u64;
        let missing = missing.then(|| format!("expected {expected} entries, found {}", listed.len()));
        let open = |(number, entry): (SegmentNumber, Result<SegmentRecord, StoreError>)| match entry {
            Ok(record) => self.shelf.open(realm, &record).map(Arc::new),
            Err(error) => unusable(number, error.to_string()),
        };
        let opened = listed.into_iter().map(open);
        Ok(opened.chain(missing.map(|detail| unusable(SegmentNumber::IN_MEMORY, detail))).collect())
    }

    /// Removes what a crash left on the shelf: files that no commit made live, directories of dropped realms.
    /// Files under names that are not the store's are left alone, and so is everything while the list of realms or
    /// of a realm's segments is damaged.
    pub(crate) fn remove_strays(&self) -> Result<(), StoreError> {
        let Some(realms) = readable(self.realms())? else { return Ok(()) };
        let realms: BTreeMap<u64, RealmNumber> =
            realms.into_iter().map(|realm| (u64::from(realm.number.get()), realm.number)).collect();
        for (name, path) in numbered(&self.shelf.dir, "")? {
            let Some(&realm) = realms.get(&name) else {
                fs::remove_dir_all(&path).map_err(StoreError::at(&path))?;
                continue;
            };
            let Some(live) = readable(self.segments(realm))? else { continue };
            let live: Vec<u64> = live.iter().map(|segment| segment.number.get()).collect();
            let finished = numbered(&path, EXTENSION)?.into_iter().filter(|(name, _)| !live.contains(name));
            for (_, stray) in finished.chain(numbered(&path, "new")?) {
                fs::remove_file(&stray).map_err(StoreError::at(&stray))?;
            }
        }
        Ok(())
    }
}

/// `None` for what is damaged, which opening a store must not stumble over: whoever needs it will be told.
fn readable<T>(result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::DamagedEntry { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_file<'a>(
    path: &Path,
    layout: &Layout,
    front: &[u8],
    columns: impl Iterator<Item = &'a Vec<u8>>,
) -> Result<(), StoreError> {
    let file = open_file(path)?;
    let mut out = BufWriter::with_capacity(1 << 20, &file);
    let write = || {
        file.set_len(0)?;
        out.write_all(front)?;
        let mut at = front.len() as u64;
        for (place, column) in layout.columns.iter().zip(columns) {
            pad(&mut out, place.offset - at)?;
            out.write_all(column)?;
            at = place.offset + place.length;
        }
        pad(&mut out, layout.length - at)?;
        out.flush()?;
        file.sync_all()
    };
    write().map_err(StoreError::at(path))
}

/// Zeros up to the next aligned place: fewer than 64.
fn pad(out: &mut impl Write, bytes: u64) -> io::Result<()> {
    out.write_all(&[0; crate::map::ALIGNMENT][..bytes as usize])
}

/// What a directory holds under names that are a number and this extension.
fn numbered(dir: &Path, extension: &str) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(StoreError::at(dir))? {
        let path = entry.map_err(StoreError::at(dir))?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        let matches = path.extension().unwrap_or_default() == extension;
        if let Some(number) = stem.filter(|_| matches) {
            found.push((number, path));
        }
    }
    Ok(found)
}
