//! How is a store copied while it is in use? Into a directory that holds any number of its states, and one set of keys.
//!
//! ```text
//! TARGET/
//! ├── LOCK
//! ├── STORE               whose backups these are
//! ├── keys/               the newest keys, for every backup here
//! ├── segments/0/1.khs    shared: a number is never given twice
//! └── 7/                  one state
//!     ├── catalogue.redb  its tables, values sealed as they were
//!     └── MANIFEST        which segments, and what the catalogue must hash to
//! ```
//!
//! The keys are replaced, not added to: whoever was erased and forgotten before the last backup cannot be read from any
//! of them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use khop_keys::Leaf;

use crate::catalogue::{Fault, begin_write, builder, open_file};
use crate::lock::Lock;
use crate::reading::Reading;
use crate::table::{ALL, HEAD};
use crate::{RealmNumber, SegmentNumber, SegmentRecord, Store, StoreError, directory};

/// Where the catalogue keeps what tells a restored store from the one that was backed up.
pub(crate) const LINEAGE: &str = "store/lineage";

/// What a manifest begins with.
const MANIFEST: &str = "khop-backup 1";

/// What a backup did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backup {
    /// Its number in the target, ascending.
    pub number: u64,
    /// Entries of the catalogue.
    pub entries: u64,
    /// Bytes of the catalogue's copy.
    pub catalogue_bytes: u64,
    /// Segments copied now.
    pub copied: u64,
    /// Bytes of these.
    pub copied_bytes: u64,
    /// Segments that were there from a backup before.
    pub kept: u64,
    /// Segments left out, because their columns lie open or because they were replaced meanwhile: a restored store makes
    /// them again from its catalogue.
    pub left_out: u64,
}

/// One state in a target, as its manifest has it.
pub(crate) struct Manifest {
    pub catalogue: [u8; 32],
    pub segments: Vec<(RealmNumber, SegmentNumber)>,
}

impl Store {
    /// Copies the store as it is now into a directory, beside the backups that are there. Commits and searches go on
    /// meanwhile. A backup counts once it is complete, durable and has its final name; what an interrupted one left is
    /// written over by the next.
    ///
    /// Everything that is copied is sealed; ids in keys of tables are not, as in the store. `progress` is told entries
    /// and bytes of segments copied so far.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another backup runs there; damage met on the way; [`StoreError::Full`],
    /// [`StoreError::Io`]. The backups that were there stay.
    pub fn backup(&self, target: &Path, progress: &dyn Fn(u64, u64)) -> Result<Backup, StoreError> {
        directory::make(target)?;
        let _lock = Lock::take(&target.join("LOCK"))?;
        self.must_be_ours(&target.join("STORE"))?;
        let number = numbers(target)?.last().map_or(1, |last| last + 1);
        let (unfinished, finished) = (target.join(format!("{number}.new")), target.join(number.to_string()));
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(StoreError::at(&unfinished))?;
        }
        directory::make(&unfinished)?;
        let file = unfinished.join("catalogue.redb");
        let (entries, listed) = self.reading(|reading| {
            let entries = copy_tables(reading, &file, &|entries| progress(entries, 0))?;
            Ok((entries, listed(reading)?))
        })?;
        let mut done = Backup { number, entries, ..Backup::default() };
        done.catalogue_bytes = fs::metadata(&file).map_err(StoreError::at(&file))?.len();
        let mut lines = vec![MANIFEST.to_owned(), format!("taken {}", now_unix_s())];
        lines.push(format!("catalogue {}", hex(&hash(&file)?)));
        let shelf = target.join("segments");
        for (realm, segment) in listed {
            let copy = segment_path(&shelf, realm, segment.number);
            match self.copy_segment(realm, &segment, &copy)? {
                Copied::There => done.kept += 1,
                Copied::Now => {
                    done.copied += 1;
                    done.copied_bytes += segment.bytes;
                    progress(entries, done.copied_bytes);
                }
                Copied::Not => {
                    done.left_out += 1;
                    continue;
                }
            }
            lines.push(format!("segment {} {}", realm.get(), segment.number.get()));
        }
        let text = lines.join("\n") + "\n";
        let manifest = unfinished.join("MANIFEST");
        let end = format!("{text}end {}\n", hex(blake3::hash(text.as_bytes()).as_bytes()));
        directory::write(&manifest, |out| io::Write::write_all(out, end.as_bytes()))?;
        directory::sync(&unfinished)?;
        // The keys last: should this backup not be finished, those that are fit their keys all the same.
        self.keys.copy_to(&target.join("keys"))?;
        fs::rename(&unfinished, &finished).map_err(StoreError::at(&finished))?;
        directory::sync(target)?;
        Ok(done)
    }

    /// A target takes the backups of one store: another's keys would take the place of the first one's. A store that was
    /// restored is another one, as its keys go their own way from then on.
    fn must_be_ours(&self, path: &Path) -> Result<(), StoreError> {
        let key = self.keys.key(Leaf::Store)?.ok_or_else(|| HEAD.damaged(&[], "its key was destroyed".into()))?;
        let lineage = self.meta(LINEAGE)?.unwrap_or_default();
        let ours =
            format!("khop-backups-of {}\n", hex(key.derive(&[b"khop store name", &lineage[..]].concat()).bytes()));
        match fs::read_to_string(path) {
            Ok(text) if text == ours => Ok(()),
            Ok(_) => Err(StoreError::OtherStore { path: path.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                directory::write(path, |out| io::Write::write_all(out, ours.as_bytes()))
            }
            Err(error) => Err(StoreError::at(path)(error)),
        }
    }

    fn copy_segment(&self, realm: RealmNumber, segment: &SegmentRecord, copy: &Path) -> Result<Copied, StoreError> {
        if !segment.is_sealed {
            return Ok(Copied::Not);
        }
        if fs::metadata(copy).is_ok_and(|there| there.len() == segment.bytes) {
            return Ok(Copied::There);
        }
        let path = self.shelf.file(realm, segment.number);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Copied::Not),
            Err(error) => return Err(StoreError::at(&path)(error)),
        };
        let dir = copy.parent().unwrap_or(Path::new("/"));
        directory::make(dir)?;
        let draft = copy.with_extension("new");
        directory::write(&draft, |out| io::copy(&mut file, out).map(drop))?;
        fs::rename(&draft, copy).map_err(StoreError::at(copy))?;
        directory::sync(dir)?;
        Ok(Copied::Now)
    }
}

enum Copied {
    There,
    Now,
    Not,
}

/// The numbers of the complete backups in a directory, ascending.
pub(crate) fn numbers(target: &Path) -> Result<Vec<u64>, StoreError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(target).map_err(StoreError::at(target))? {
        let path = entry.map_err(StoreError::at(target))?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.parse::<u64>().ok());
        found.extend(number.filter(|_| path.join("MANIFEST").is_file()));
    }
    found.sort_unstable();
    Ok(found)
}

/// Where a target keeps a segment.
pub(crate) fn segment_path(shelf: &Path, realm: RealmNumber, number: SegmentNumber) -> PathBuf {
    shelf.join(realm.get().to_string()).join(format!("{}.khs", number.get()))
}

impl Manifest {
    /// Reads a backup's manifest and checks that it is whole.
    pub(crate) fn read(target: &Path, number: u64) -> Result<Self, StoreError> {
        let path = target.join(number.to_string()).join("MANIFEST");
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::Missing { path: path.clone() },
            _ => StoreError::at(&path)(error),
        })?;
        let damaged = |detail: &str| StoreError::DamagedEntry {
            table: "MANIFEST",
            key: path.display().to_string(),
            detail: detail.into(),
        };
        let (body, end) = text.rsplit_once("end ").ok_or_else(|| damaged("has no end"))?;
        if end != format!("{}\n", hex(blake3::hash(body.as_bytes()).as_bytes())) {
            return Err(damaged("does not agree with its hash"));
        }
        let (mut manifest, mut lines) = (Self { catalogue: [0; 32], segments: Vec::new() }, body.lines());
        if lines.next() != Some(MANIFEST) {
            return Err(damaged("is of another version"));
        }
        for line in lines {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["catalogue", digits] => {
                    let hash = blake3::Hash::from_hex(digits).map_err(|_| damaged("names no hash"))?;
                    manifest.catalogue = *hash.as_bytes();
                }
                ["segment", realm, segment] => {
                    let realm = realm.parse().map_err(|_| damaged("names no realm"))?;
                    let segment = segment.parse().map_err(|_| damaged("names no segment"))?;
                    manifest.segments.push((RealmNumber::new(realm), SegmentNumber::new(segment)));
                }
                _ => {} // for people
            }
        }
        Ok(manifest)
    }
}

/// Copies every table into a new file, values sealed as they are; gives the number of entries.
fn copy_tables(reading: &Reading<'_>, file: &Path, progress: &dyn Fn(u64)) -> Result<u64, Fault> {
    drop(open_file(file)?); // of mode 0600
    let database = builder(false).create(file)?;
    let (transaction, mut entries) = (begin_write(&database)?, 0);
    for table in ALL {
        let mut copy = transaction.open_table(table.definition())?;
        for pair in reading.open(table)?.opened.range::<&[u8]>(..)? {
            let (key, value) = pair?;
            copy.insert(key.value(), value.value())?;
            entries += 1;
            if entries % 1024 == 0 {
                progress(entries);
            }
        }
    }
    transaction.commit()?;
    Ok(entries)
}

/// Every live segment of every realm.
fn listed(reading: &Reading<'_>) -> Result<Vec<(RealmNumber, SegmentRecord)>, Fault> {
    let mut listed = Vec::new();
    for realm in reading.realms()? {
        for (_, segment) in reading.segments(realm)? {
            listed.push((realm, segment?));
        }
    }
    Ok(listed)
}

/// BLAKE3 of a file.
pub(crate) fn hash(path: &Path) -> Result<[u8; 32], StoreError> {
    let mut file = File::open(path).map_err(StoreError::at(path))?;
    let (mut hasher, mut part) = (blake3::Hasher::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut part).map_err(StoreError::at(path))? {
            0 => return Ok(*hasher.finalize().as_bytes()),
            read => _ = hasher.update(&part[..read]),
        }
    }
}

fn hex(hash: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

fn now_unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
