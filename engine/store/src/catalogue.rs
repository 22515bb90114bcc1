//! How is the truth read and changed? One redb file: guarded transactions, and what to do when one fails.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use redb::backends::FileBackend;
use redb::{Builder, Database, Durability, ReadTransaction, ReadableDatabase, WriteTransaction};

use crate::StoreError;
use crate::disk::{Disk, Faults};

/// Memory for pages of the catalogue, bytes: the inner nodes of a catalogue of 100 M encounters, not its records.
const CACHE: usize = 256 << 20;

/// Why a transaction stopped.
pub(crate) enum Fault {
    /// The store itself refuses.
    Store(StoreError),
    /// redb refuses.
    Redb(redb::Error),
    /// redb panicked, which only a damaged file makes it do.
    Panic(String),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for Fault {
            fn from(error: redb::$error) -> Self {
                Self::Redb(error.into())
            }
        }
    )*};
}
from_redb!(StorageError, TableError, TransactionError, CommitError, SetDurabilityError, DatabaseError);

/// Whether writing is possible.
enum Mode {
    Open,
    /// No room was left even to open the file for writing; tried again before the next write.
    Full,
    /// Never again by this process.
    Fenced(String),
}

struct State {
    database: Option<Database>,
    mode: Mode,
    /// Counts how often the file was opened, so that a failure seen twice is mended once.
    generation: u64,
}

/// The catalogue file, opened.
pub(crate) struct Catalogue {
    path: PathBuf,
    pub(crate) faults: Arc<Faults>,
    state: RwLock<State>,
    writer: Mutex<()>,
}

/// Runs redb so that its panic is an error.
fn guard<T>(run: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| panic.downcast_ref().cloned());
        Err(Fault::Panic(text.unwrap_or_else(|| "redb panicked".into())))
    })
}

impl Catalogue {
    /// Opens the file, or makes it when there is none. `check` verifies every page first, which reads all of it.
    pub(crate) fn open(path: PathBuf, check: bool) -> Result<Self, StoreError> {
        let faults = Arc::new(Faults::default());
        let database = guard(|| open_database(&path, &faults, false, check)).map_err(|f| error_at(&path, f))?;
        let state = RwLock::new(State { database: Some(database), mode: Mode::Open, generation: 0 });
        Ok(Self { path, faults, state, writer: Mutex::new(()) })
    }

    /// Reads one consistent state. `run` is called a second time when the file had to be opened again first.
    pub(crate) fn read<T>(&self, run: impl Fn(&ReadTransaction) -> Result<T, Fault>) -> Result<T, StoreError> {
        let attempt = || {
            let state = self.state();
            let result = match &state.database {
                Some(database) => guard(|| run(&database.begin_read()?)),
                None => Err(Fault::Redb(redb::Error::DatabaseClosed)),
            };
            (state.generation, result)
        };
        match attempt() {
            (_, Ok(value)) => Ok(value),
            (seen, Err(Fault::Redb(redb::Error::PreviousIo | redb::Error::DatabaseClosed))) => {
                self.reopen(Some(seen));
                attempt().1.map_err(|fault| error_at(&self.path, fault))
            }
            (_, Err(fault)) => Err(error_at(&self.path, fault)),
        }
    }

    /// Changes the state: all that `run` writes is durable when this returns `Ok`, and none of it otherwise, except
    /// after [`StoreError::Fenced`], when only the next opening will tell.
    pub(crate) fn write<T>(&self, run: impl FnOnce(&WriteTransaction) -> Result<T, Fault>) -> Result<T, StoreError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.writable()?;
        let (state, mut committing) = (self.state(), false);
        let result = match &state.database {
            Some(database) => guard(|| {
                let transaction = begin_write(database)?;
                let value = run(&transaction)?;
                committing = true;
                transaction.commit()?;
                Ok(value)
            }),
            None => Err(Fault::Redb(redb::Error::DatabaseClosed)),
        };
        drop(state);
        result.map_err(|fault| self.settle(fault, committing))
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses when fenced; opens the file again when it was left after a full disk or a failed read.
    fn writable(&self) -> Result<(), StoreError> {
        let state = self.state();
        match (&state.mode, &state.database) {
            (Mode::Fenced(cause), _) => Err(StoreError::Fenced { cause: cause.clone() }),
            (Mode::Open, Some(database)) if guard(|| Ok(database.begin_read().map(drop)?)).is_ok() => Ok(()),
            _ => {
                let seen = state.generation;
                drop(state);
                self.reopen(Some(seen));
                match &self.state().mode {
                    Mode::Open => Ok(()),
                    Mode::Full => Err(StoreError::Full { path: self.path.clone() }),
                    Mode::Fenced(cause) => Err(StoreError::Fenced { cause: cause.clone() }),
                }
            }
        }
    }

    /// After a failed write: fences the store unless the failure is one that leaves the file as it was.
    fn settle(&self, fault: Fault, committing: bool) -> StoreError {
        let cause = match (self.faults.take(), fault) {
            ((_, Some(lost)), _) => lost,
            ((true, None), _) => {
                self.reopen(None);
                return StoreError::Full { path: self.path.clone() };
            }
            (_, Fault::Store(error)) => return error,
            (_, Fault::Redb(error)) if !committing => {
                self.reopen(None);
                return error_at(&self.path, Fault::Redb(error));
            }
            (_, Fault::Redb(error)) => error.to_string(),
            (_, Fault::Panic(text)) => text,
        };
        self.state.write().unwrap_or_else(PoisonError::into_inner).mode = Mode::Fenced(cause.clone());
        self.reopen(None);
        StoreError::Fenced { cause }
    }

    /// Opens the file again, unless somebody did since `seen`. A fenced store is opened with its writes diverted to
    /// memory; so is one that finds no room to open.
    fn reopen(&self, seen: Option<u64>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if seen.is_some_and(|seen| seen != state.generation) {
            return;
        }
        state.generation += 1;
        close(state.database.take()); // releases redb's own locks
        let open = |shadowed| guard(|| open_database(&self.path, &self.faults, shadowed, false)).ok();
        if !matches!(state.mode, Mode::Fenced(_)) {
            state.database = open(false);
            state.mode = match (self.faults.take(), &state.database) {
                ((_, Some(cause)), _) => Mode::Fenced(cause),
                ((true, None), _) => Mode::Full,
                ((false, None), None) => Mode::Fenced("the catalogue could not be opened again".into()),
                ((false, None), Some(_)) => return state.mode = Mode::Open,
            };
        }
        state.database = None;
        state.database = open(true);
    }
}

impl Drop for Catalogue {
    fn drop(&mut self) {
        close(self.state.get_mut().unwrap_or_else(PoisonError::into_inner).database.take());
    }
}

/// Closes the file as a crash would: without writing to it once more, as redb does otherwise. Everything that was
/// committed is durable, opening it again is as quick, and in a damaged file that last write panics in the middle of
/// destructors, which ends the process. redb leaves it out while its thread unwinds; so it does.
fn close(database: Option<Database>) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _dropped_while_unwinding = database;
        resume_unwind(Box::new("closing"));
    }));
}

fn open_database(path: &Path, faults: &Arc<Faults>, shadowed: bool, check: bool) -> Result<Database, Fault> {
    let file = open_file(path)?;
    let backend = FileBackend::new(file)?;
    let disk = if shadowed {
        Disk::shadowed(backend, faults.clone()).map_err(StoreError::at(path))?
    } else {
        Disk::new(backend, faults.clone())
    };
    Ok(builder(check).create_with_backend(disk)?)
}

/// How the catalogue is opened, whatever it lies on.
pub(crate) fn builder(check: bool) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(check);
    builder
}

/// Begins a change that is durable once it is committed, and after a crash needs no walk through the file.
pub(crate) fn begin_write(database: &Database) -> Result<WriteTransaction, Fault> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// Opens a file of the store for reading and writing, making it (mode 0600) when there is none.
pub(crate) fn open_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(StoreError::at(path))
}

/// The public error of a fault while reading or opening.
fn error_at(path: &Path, fault: Fault) -> StoreError {
    use redb::Error;
    let damaged = |detail| StoreError::DamagedCatalogue { path: path.to_owned(), detail };
    match fault {
        Fault::Store(error) => error,
        Fault::Redb(Error::Io(source)) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
            StoreError::at(path)(source)
        }
        Fault::Redb(Error::DatabaseAlreadyOpen) => StoreError::Locked { path: path.to_owned(), holder: None },
        Fault::Redb(error) => damaged(error.to_string()),
        Fault::Panic(text) => damaged(text),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use khop_vocabulary::RealmId;

    use crate::{Applied, Change, Store, StoreError};

    fn create(store: &Store, name: &str) -> Result<Vec<Applied>, StoreError> {
        let id = RealmId::new(name).unwrap();
        store.commit(&[Change::CreateRealm { id, expires_at_unix_s: None, note: String::new() }])
    }

    fn names(store: &Store) -> Vec<String> {
        store.realms().unwrap().iter().map(|realm| realm.id.to_string()).collect()
    }

    #[test]
    fn a_failed_sync_fences_the_store_and_reads_go_on() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        create(&store, "a").unwrap();
        store.catalogue.faults.fail_sync.store(true, Ordering::Release);
        let error = create(&store, "b").unwrap_err();
        assert!(matches!(&error, StoreError::Fenced { cause } if cause.contains("sync")), "{error}");
        // The next fsync would be a success, for pages that were dropped: it must not be asked.
        assert!(matches!(create(&store, "c"), Err(StoreError::Fenced { .. })));
        assert_eq!(names(&store), ["a"]);
        assert!(store.verify().unwrap().is_sound());
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(names(&store), ["a"]); // the first of the two fsyncs failed, so "b" never became current
        create(&store, "c").unwrap();
    }

    #[test]
    fn a_full_disk_refuses_and_heals() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        create(&store, "a").unwrap();
        store.catalogue.faults.fail_full.store(true, Ordering::Release);
        for _ in 0..2 {
            assert!(matches!(create(&store, "b"), Err(StoreError::Full { .. })));
            assert_eq!(names(&store), ["a"]);
        }
        store.catalogue.faults.fail_full.store(false, Ordering::Release);
        create(&store, "b").unwrap();
        drop(store);
        assert_eq!(names(&Store::open(dir.path()).unwrap()), ["a", "b"]);
    }

    #[test]
    fn a_panic_below_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let read = store.catalogue.read::<()>(|_| panic!("made to"));
        let StoreError::DamagedCatalogue { path, detail } = read.unwrap_err() else { panic!("another error") };
        assert_eq!((path, detail.as_str()), (dir.path().join("catalogue.redb"), "made to"));
        create(&store, "a").unwrap();
        let write = store.catalogue.write::<()>(|_| panic!("{} to", "made"));
        assert!(matches!(write, Err(StoreError::Fenced { cause }) if cause == "made to"));
        assert_eq!(names(&store), ["a"]);
    }

    #[test]
    fn reads_go_on_while_the_disk_fills_and_heals() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        create(&store, "a").unwrap();
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let store = &store;
            let reader = scope.spawn(move || {
                // Ends when the sender is dropped, also by a failed assertion.
                let mut reads = 0;
                while reads < 10 || stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                    assert_eq!(names(store)[0], "a");
                    reads += 1;
                }
            });
            let stop = stop;
            for cycle in 0..20 {
                store.catalogue.faults.fail_full.store(true, Ordering::Release);
                assert!(matches!(create(store, &format!("r{cycle}")), Err(StoreError::Full { .. })));
                store.catalogue.faults.fail_full.store(false, Ordering::Release);
                create(store, &format!("r{cycle}")).unwrap();
            }
            drop(stop);
            reader.join().unwrap();
        });
        assert_eq!(names(&store).len(), 21);
    }
}
