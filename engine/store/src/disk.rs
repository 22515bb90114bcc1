//! What lies under the catalogue? The file as redb sees it, with a memory of what went wrong.
//!
//! After the first failed operation redb refuses everything, reads included, until the file is opened again. What
//! may follow depends on the failure: a full disk heals by opening it again, a failed fsync must never be retried
//! (the system may have dropped the pages and call the next fsync a success). So the first failure of each kind is
//! noted here. For reads after such a failure the file is opened once more with every write diverted to memory.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use crate::error::is_full;

const PAGE: usize = 4096;

/// What has gone wrong since [`Faults::take`].
#[derive(Debug, Default)]
pub(crate) struct Faults {
    full: AtomicBool,
    lost: Mutex<Option<String>>,
    /// Tests make the next sync fail; the one after it succeeds, as systems have it.
    #[cfg(test)]
    pub(crate) fail_sync: AtomicBool,
    /// Tests make writes fail as on a full disk.
    #[cfg(test)]
    pub(crate) fail_full: AtomicBool,
    /// Tests make one write or sync fail: after so many others, in this way.
    #[cfg(test)]
    pub(crate) fail_nth: Mutex<Option<(usize, io::ErrorKind)>>,
}

impl Faults {
    /// Whether space ran out, and what else failed, first thing first; both are forgotten.
    pub(crate) fn take(&self) -> (bool, Option<String>) {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).take();
        (self.full.swap(false, Ordering::AcqRel), lost)
    }

    fn note(&self, act: &str, error: &io::Error) {
        if act == "write" && is_full(error) {
            self.full.store(true, Ordering::Release);
        } else {
            let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
            lost.get_or_insert_with(|| format!("{act}: {error}"));
        }
    }

    #[cfg(test)]
    fn inject(&self, act: &str) -> io::Result<()> {
        let mut nth = self.fail_nth.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *nth {
            Some((0, kind)) => {
                let failure = Err((*kind).into());
                *nth = None;
                return failure;
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
        match act {
            "sync" if self.fail_sync.swap(false, Ordering::AcqRel) => Err(io::Error::other("made to fail")),
            "write" if self.fail_full.load(Ordering::Acquire) => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    #[cfg(not(test))]
    #[inline]
    fn inject(&self, _act: &str) -> io::Result<()> {
        Ok(())
    }
}

/// The catalogue's file.
#[derive(Debug)]
pub(crate) struct Disk {
    file: FileBackend,
    faults: Arc<Faults>,
    shadow: Option<Mutex<Shadow>>,
}

/// Writes that stay in memory.
#[derive(Debug)]
struct Shadow {
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
    length: u64,
    /// The first bytes that are still the file's; what lies behind them and in no page reads as zero.
    from_file: u64,
}

impl Disk {
    /// Reads and writes the file.
    pub(crate) fn new(file: FileBackend, faults: Arc<Faults>) -> Self {
        Self { file, faults, shadow: None }
    }

    /// Reads the file; writes go to memory and die with it.
    pub(crate) fn shadowed(file: FileBackend, faults: Arc<Faults>) -> io::Result<Self> {
        let length = file.len()?;
        let shadow = Shadow { pages: BTreeMap::new(), length, from_file: length };
        Ok(Self { file, faults, shadow: Some(Mutex::new(shadow)) })
    }

    fn watched(&self, act: &str, run: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let result = self.faults.inject(act).and_then(|()| run());
        result.inspect_err(|error| self.faults.note(act, error))
    }

    fn shadow(&self) -> Option<std::sync::MutexGuard<'_, Shadow>> {
        self.shadow.as_ref().map(|shadow| shadow.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shadow {
    /// Reads from the file what is still the file's, zeros behind it.
    fn original(&self, file: &FileBackend, start: u64, out: &mut [u8]) -> io::Result<()> {
        let there = self.from_file.saturating_sub(start).min(out.len() as u64) as usize;
        out[there..].fill(0);
        file.read(start, &mut out[..there])
    }

    fn page(&mut self, file: &FileBackend, index: u64) -> io::Result<&mut [u8; PAGE]> {
        if !self.pages.contains_key(&index) {
            let mut page = Box::new([0; PAGE]);
            self.original(file, index * PAGE as u64, &mut page[..])?;
            self.pages.insert(index, page);
        }
        Ok(self.pages.get_mut(&index).expect("just made"))
    }
}

/// The pieces of `length` bytes at `offset`, page by page: page index, place in the page, place in the whole.
fn pieces(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == length {
            return None;
        }
        let at = offset + done as u64;
        let within = (at % PAGE as u64) as usize;
        let end = length.min(done + PAGE - within);
        let piece = (at / PAGE as u64, within, done..end);
        done = end;
        Some(piece)
    })
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        match self.shadow() {
            Some(shadow) => Ok(shadow.length),
            None => self.file.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let Some(shadow) = self.shadow() else { return self.file.read(offset, out) };
        if offset + out.len() as u64 > shadow.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (index, within, piece) in pieces(offset, out.len()) {
            let length = piece.len();
            match shadow.pages.get(&index) {
                Some(page) => out[piece].copy_from_slice(&page[within..within + length]),
                None => shadow.original(&self.file, index * PAGE as u64 + within as u64, &mut out[piece])?,
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let Some(mut shadow) = self.shadow() else {
            // redb shortens the file when a commit is durable already: where that fails, nothing was refused, whatever
            // the cause, and what the file holds is known only when it is opened again.
            let act = if length < self.file.len()? { "shorten" } else { "write" };
            return self.watched(act, || self.file.set_len(length));
        };
        let end = length.div_ceil(PAGE as u64);
        shadow.pages.retain(|&index, _| index < end);
        shadow.from_file = shadow.from_file.min(length);
        shadow.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.shadow.is_some() { Ok(()) } else { self.watched("sync", || self.file.sync_data()) }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let Some(mut shadow) = self.shadow() else { return self.watched("write", || self.file.write(offset, data)) };
        for (index, within, piece) in pieces(offset, data.len()) {
            let length = piece.len();
            shadow.page(&self.file, index)?[within..within + length].copy_from_slice(&data[piece]);
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
