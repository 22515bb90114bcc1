//! How is the engine? Sizes and totals, nothing about anybody.

use khop_vocabulary::{ModelId, RealmId};

use crate::realm_state::RealmState;
use crate::{Engine, Realm, Scrub};

/// One realm in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealmStatus {
    /// Its name.
    pub id: RealmId,
    /// When it dies, seconds since 1970.
    pub expires_at_unix_s: Option<u64>,
    /// Encounters that can be found.
    pub encounters: u64,
    /// Segments, those in files and blocks of the tail.
    pub segments: usize,
    /// Rows not yet in a file.
    pub tail_rows: u64,
    /// Bytes of segment files.
    pub file_bytes: u64,
    /// Bytes of these that are held in memory: sealed columns, opened. What is mapped is not counted.
    pub opened_bytes: u64,
    /// Whether some of that memory may be written to swap space, because the process may not lock so much.
    pub may_be_swapped: bool,
    /// Bytes of the tail's blocks in memory.
    pub tail_bytes: u64,
    /// The face model and its dimension, once settled.
    pub face_model: Option<(ModelId, usize)>,
}

/// The engine in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineStatus {
    /// Every realm that has not expired.
    pub realms: Vec<RealmStatus>,
    /// Searches completed since the engine opened.
    pub searches: u64,
    /// References these searches saw.
    pub references_searched: u64,
    /// Full comparisons they made.
    pub full_comparisons: u64,
    /// Threads that compare.
    pub threads: usize,
    /// The last time everything was looked at, if it was and the catalogue can say so.
    pub scrub: Option<Scrub>,
}

impl RealmState {
    pub(crate) fn status(&self) -> RealmStatus {
        let snapshot = self.snapshot.load();
        let (filed, tail): (Vec<_>, Vec<_>) = snapshot.views().iter().partition(|v| v.segment.path().is_some());
        RealmStatus {
            id: self.id.clone(),
            expires_at_unix_s: self.expires_at_unix_s(),
            encounters: snapshot.live_rows(),
            segments: snapshot.views().len(),
            tail_rows: tail.iter().map(|v| v.live_rows()).sum(),
            file_bytes: filed.iter().map(|v| v.segment.bytes()).sum(),
            opened_bytes: filed.iter().map(|v| v.segment.private_bytes()).sum(),
            may_be_swapped: filed.iter().any(|v| v.segment.may_be_swapped()),
            tail_bytes: tail.iter().map(|v| v.segment.bytes()).sum(),
            face_model: self.face_model().cloned(),
        }
    }
}

impl Engine {
    /// Every realm that has not expired.
    #[must_use]
    pub fn realms(&self) -> Vec<RealmStatus> {
        self.core().realms.load().values().filter(|r| !r.is_expired()).map(|r| r.status()).collect()
    }

    /// The engine in numbers.
    #[must_use]
    pub fn status(&self) -> EngineStatus {
        let [searches, references_searched, full_comparisons] = self.core().counters.totals();
        let threads = self.pool().current_num_threads();
        let scrub = self.last_scrub();
        EngineStatus { realms: self.realms(), searches, references_searched, full_comparisons, threads, scrub }
    }
}

impl Realm {
    /// This realm in numbers.
    ///
    /// # Errors
    /// [`crate::Error::Expired`] once its time is over.
    pub fn status(&self) -> Result<RealmStatus, crate::Error> {
        Ok(self.state()?.status())
    }
}
