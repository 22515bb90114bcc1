//! What do some files say now? They are read again where they have changed, and, where they cannot be read, until they can.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How soon a running service sees a change.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Files that somebody else changes while the service runs, and what they say together.
pub(crate) struct Watched<T> {
    paths: Vec<PathBuf>,
    read: Read<T>,
    meanwhile: Meanwhile<T>,
    known: Mutex<Known<T>>,
}

type Read<T> = Box<dyn Fn() -> Result<T, String> + Send + Sync>;
/// What counts while they cannot be read, of what they said before.
type Meanwhile<T> = fn(&Arc<T>) -> Arc<T>;

struct Known<T> {
    looked_at: Option<Instant>,
    /// When each file was changed, and how long it is.
    versions: Vec<Option<(SystemTime, u64)>>,
    /// When they could not be read, if the last time.
    failed_at: Option<Instant>,
    content: Arc<T>,
}

impl<T> Watched<T> {
    /// Files that are said to say this, until they are first asked.
    pub(crate) fn new(
        paths: Vec<PathBuf>,
        content: T,
        read: impl Fn() -> Result<T, String> + Send + Sync + 'static,
        meanwhile: Meanwhile<T>,
    ) -> Self {
        let known = Known { looked_at: None, versions: Vec::new(), failed_at: None, content: Arc::new(content) };
        Self { paths, read: Box::new(read), meanwhile, known: Mutex::new(known) }
    }

    /// What they said within this time.
    pub(crate) fn within(&self, time: Duration) -> Arc<T> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.looked_at.is_none_or(|at| at.elapsed() >= time) {
            known.looked_at = Some(Instant::now());
            let versions = self.versions();
            if versions != known.versions || known.failed_at.is_some_and(|at| at.elapsed() >= LOOK_EVERY) {
                known.versions = versions;
                known.failed_at = None;
                known.content = (self.read)().map_or_else(
                    |error| {
                        tracing::error!(error, "files that have changed cannot be read");
                        known.failed_at = Some(Instant::now());
                        (self.meanwhile)(&known.content)
                    },
                    Arc::new,
                );
            }
        }
        Arc::clone(&known.content)
    }

    fn versions(&self) -> Vec<Option<(SystemTime, u64)>> {
        let version = |path| fs::metadata(path).and_then(|file| Ok((file.modified()?, file.len()))).ok();
        self.paths.iter().map(version).collect()
    }
}
