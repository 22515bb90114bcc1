//! Where do segments lie on disk? Written whole or not at all, opened as they are protected, removed when nobody owns
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use khop_keys::{Key, Keyring, Leaf, OVERHEAD};
use rayon::prelude::*;

use crate::catalogue::open_file;
use crate::commit::Orphans;
use crate::directory;
use crate::envelope::{self, Envelope, FRAME, FrameWriter};
use crate::error::{SegmentError, SegmentFault};
use crate::items::{self, Items, sealed_length};
use crate::layout::Layout;
use crate::map::Bytes;
use crate::segment::{Image, Planned};
use crate::{RealmNumber, Segment, SegmentDraft, SegmentNumber, SegmentRecord, Store, StoreError};

const EXTENSION: &str = "khs";

/// The directory of segments.
#[derive(Debug)]
pub(crate) struct Shelf {
    dir: PathBuf,
    keys: Arc<Keyring>,
    /// Whether new files are sealed.
    seals: bool,
    given: Mutex<Given>,
}

/// Numbers given to files.
#[derive(Debug, Default)]
struct Given {
    /// The last one in each realm, committed or not.
    last: BTreeMap<RealmNumber, u64>,
    /// Those of files that no commit made live yet.
    unsettled: BTreeSet<(RealmNumber, SegmentNumber)>,
}

impl Shelf {
    pub(crate) fn new(dir: PathBuf, keys: Arc<Keyring>, seals: bool) -> Self {
        Self { dir, keys, seals, given: Mutex::default() }
    }

    /// Numbers of files that may be made live by a commit to come.
    pub(crate) fn unsettled(&self) -> BTreeSet<(RealmNumber, SegmentNumber)> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).unsettled.clone()
    }

    /// These files are live now, or gone.
    pub(crate) fn settle(&self, numbers: impl Iterator<Item = (RealmNumber, SegmentNumber)>) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.for_each(|number| _ = given.unsettled.remove(&number));
    }

    fn realm_dir(&self, realm: RealmNumber) -> PathBuf {
        self.dir.join(realm.get().to_string())
    }

    pub(crate) fn file(&self, realm: RealmNumber, number: SegmentNumber) -> PathBuf {
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

    /// Opens one segment and checks that it is the one the catalogue lists. A sealed one is read and opened into
    /// private pages, another is mapped; its items stay in the file.
    fn open(&self, realm: RealmNumber, listed: &SegmentRecord) -> Result<Segment, SegmentError> {
        let path = self.file(realm, listed.number);
        let unreadable = |error: io::Error| SegmentFault::Io(error.to_string());
        let open = || {
            let file = File::open(&path).map_err(unreadable)?;
            let length = file.metadata().map_err(unreadable)?.len();
            if length != listed.bytes || length < envelope::BYTES as u64 {
                return Err(SegmentFault::Length { expected: listed.bytes, found: length });
            }
            let mut front = [0; envelope::BYTES];
            file.read_exact_at(&mut front, 0).map_err(unreadable)?;
            let envelope = Envelope::decode(&front, length)?;
            let named = (envelope.realm, envelope.number, envelope.is_sealed);
            if named != (realm, listed.number, listed.is_sealed) {
                return Err(SegmentFault::Stranger);
            }
            let image_end = envelope::BYTES + envelope.image as usize;
            let items_at = envelope.items_at().ok_or(SegmentFault::Header)? as usize;
            let mapped = Arc::new(Bytes::map(&file, length).map_err(unreadable)?);
            let image = if envelope.is_sealed {
                Image::Own(self.open_frames(&file, &envelope)?)
            } else {
                Image::Inside(mapped.clone(), envelope::BYTES..image_end)
            };
            let items = Items::Sealed { file: mapped, at: items_at, keys: self.keys.clone(), realm };
            let segment = Segment::over(image, items, Some((path.clone(), envelope)))?;
            let same = segment.realm() == realm && segment.summary() == *listed;
            if same { Ok(segment) } else { Err(SegmentFault::Stranger) }
        };
        open().map_err(|fault| SegmentError { realm, number: listed.number, path: Some(path.clone()), fault })
    }

    /// Reads a sealed image, frame by frame, on the threads of the caller's pool.
    fn open_frames(&self, file: &File, envelope: &Envelope) -> Result<Bytes, SegmentFault> {
        let key = self.key(envelope.realm, envelope.number).ok_or(SegmentFault::Forgotten)?;
        Bytes::private(envelope.image as usize, |pages| {
            pages.par_chunks_mut(FRAME).enumerate().try_for_each_init(Vec::new, |sealed, (index, part)| {
                sealed.resize(part.len() + OVERHEAD, 0);
                file.read_exact_at(sealed, (envelope::BYTES + index * (FRAME + OVERHEAD)) as u64)?;
                let opened = envelope.open_frame(&key, index as u64, sealed, part);
                opened.map_err(|_| SegmentFault::Frame(index as u64))
            })
        })
    }

    /// The key of a segment's file; `None` when it was destroyed.
    pub(crate) fn key(&self, realm: RealmNumber, number: SegmentNumber) -> Option<Key> {
        self.keys.key(Leaf::Segment(realm.get(), number.get())).ok().flatten()
    }
}

impl From<io::Error> for SegmentFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

impl Store {
    /// Writes a segment's file and opens it. It is not live, and gone at the next opening of the store, until its
    /// record is committed with [`crate::Change::SetSegments`].
    ///
    /// Writes to another name, fsyncs, renames, fsyncs the directory, and opens what was written. Needs no memory beyond
    /// the draft's and, where files are sealed, the opened segment's.
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
            let last = given.last.entry(realm).or_default();
            *last = (*last + 1).max(row.next_segment);
            // A key that was destroyed is that of a segment from before the backup was restored that this store comes from.
            while self.keys.is_destroyed(Leaf::Segment(realm.get(), *last))? {
                *last += 1;
            }
            let number = SegmentNumber::new(*last);
            given.unsettled.insert((realm, number));
            number
        };
        let planned = draft.plan(realm, number, sealed_length)?;
        let Planned { layout, items, .. } = &planned;
        let is_sealed = self.shelf.seals;
        let envelope = Envelope { realm, number, is_sealed, image: layout.length, items: *items };
        let dir = self.shelf.realm_dir(realm);
        directory::make(&dir)?;
        directory::sync(&self.shelf.dir)?;
        let path = self.shelf.file(realm, number);
        let unfinished = path.with_extension("new");
        let written = self
            .shelf
            .write(&unfinished, envelope, &planned, draft)
            .and_then(|()| fs::rename(&unfinished, &path).map_err(StoreError::at(&path)))
            .and_then(|()| directory::sync(&dir));
        if let Err(error) = written {
            let _ = fs::remove_file(&unfinished);
            let _ = fs::remove_file(&path);
            self.shelf.settle(std::iter::once((realm, number)));
            return Err(error);
        }
        let record = SegmentRecord {
            number,
            rows: layout.rows,
            bytes: envelope.length().unwrap_or(u64::MAX),
            checksum: layout.checksum,
            algorithms: layout.algorithms.clone(),
            is_sealed,
        };
        let segment = self
            .shelf
            .open(realm, &record)
            .map_err(|error| StoreError::Io { path, source: io::Error::other(error.fault.to_string()) })?;
        Ok((record, Arc::new(segment)))
    }

    /// Removes the file of a segment that was written and will not be committed.
    pub fn discard_segment(&self, realm: RealmNumber, number: SegmentNumber) {
        self.shelf.remove(&Orphans { segments: vec![(realm, number)], realms: Vec::new() });
        self.shelf.settle(std::iter::once((realm, number)));
    }

    /// Opens the live segments of a realm, by number. A damaged one, or one whose entry is damaged or gone, is an
    /// error in its place; the others open. [`crate::Change::ReplaceSegments`] mends all of that.
    ///
    /// A sealed segment is read whole and opened into memory, about a gigabyte a second on each thread of the caller's
    /// pool; another is mapped, which costs nothing.
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
        let opened: Vec<_> = listed.into_par_iter().map(open).collect();
        Ok(opened.into_iter().chain(missing.map(|detail| unusable(SegmentNumber::IN_MEMORY, detail))).collect())
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

impl Shelf {
    /// Writes a segment's file and makes it durable.
    fn write(
        &self,
        path: &Path,
        envelope: Envelope,
        planned: &Planned,
        draft: &SegmentDraft,
    ) -> Result<(), StoreError> {
        let Planned { layout, front, own, .. } = planned;
        let columns = || own.iter().chain(draft.columns.iter().map(|(_, bytes)| bytes));
        let file = open_file(path)?;
        let mut out = BufWriter::with_capacity(1 << 20, &file);
        let mut write = || {
            file.set_len(0)?;
            out.write_all(&envelope.encode())?;
            if envelope.is_sealed {
                let key = self.key(envelope.realm, envelope.number);
                let key = key.ok_or_else(|| io::Error::other(SegmentFault::Forgotten.to_string()))?;
                let mut frames = FrameWriter::new(&mut out, &key, envelope);
                write_image(&mut frames, layout, front, columns())?;
                frames.finish()?;
            } else {
                write_image(&mut out, layout, front, columns())?;
            }
            let mut sealed = Vec::new();
            for (&record, item) in draft.records.iter().zip(&draft.items) {
                sealed.clear();
                items::seal(&self.keys, envelope.realm, record, &layout.algorithms, item, &mut sealed)
                    .map_err(io::Error::other)?;
                out.write_all(&sealed)?;
            }
            out.flush()?;
            file.sync_all()
        };
        write().map_err(StoreError::at(path))
    }
}

fn write_image<'a>(
    out: &mut impl Write,
    layout: &Layout,
    front: &[u8],
    columns: impl Iterator<Item = &'a Vec<u8>>,
) -> io::Result<()> {
    out.write_all(front)?;
    let mut at = front.len() as u64;
    for (place, column) in layout.columns.iter().zip(columns) {
        pad(out, place.offset - at)?;
        out.write_all(column)?;
        at = place.offset + place.length;
    }
    pad(out, layout.length - at)
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
