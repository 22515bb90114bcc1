//! What does the engine hold of one realm? Its number, its expiry, its face model and its current snapshot.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use khop_store::{RealmNumber, RealmRecord, Snapshot};
use khop_vocabulary::{ModelId, RealmId};

use crate::Error;
use crate::face_planes::FacePlanes;

/// The moment a realm dies, by wall clock and by the monotonic one: a clock set back does not keep it alive.
#[derive(Debug, Clone, Copy)]
struct Expiry {
    at_unix_s: u64,
    deadline: Instant,
}

impl Expiry {
    fn at(unix_s: u64) -> Self {
        let left = Duration::from_secs(unix_s.saturating_sub(now_unix_s()));
        let deadline = Instant::now().checked_add(left).unwrap_or_else(Instant::now);
        Self { at_unix_s: unix_s, deadline }
    }

    fn is_past(&self) -> bool {
        now_unix_s() >= self.at_unix_s || Instant::now() >= self.deadline
    }
}

fn now_unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// One realm in memory. Readers take the snapshot; only the writer replaces it.
pub(crate) struct RealmState {
    pub(crate) id: RealmId,
    pub(crate) number: RealmNumber,
    expiry: Option<Expiry>,
    /// Settled by the first face enrolled.
    face_model: OnceLock<(ModelId, usize)>,
    /// Only the writer changes it, together with every segment.
    pub(crate) planes: ArcSwap<FacePlanes>,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    /// Damaged segments are being made again, or could not be.
    pub(crate) is_mending: AtomicBool,
    /// Whether small segments are being made one; then a seal does not ask for it again.
    pub(crate) is_compacting: AtomicBool,
}

impl RealmState {
    pub(crate) fn new(record: &RealmRecord, planes: FacePlanes, snapshot: Snapshot) -> Self {
        let face_model = OnceLock::new();
        if let Some((model, dim)) = &record.face_model {
            let _ = face_model.set((model.clone(), *dim as usize));
        }
        Self {
            id: record.id.clone(),
            number: record.number,
            expiry: record.expires_at_unix_s.map(Expiry::at),
            face_model,
            planes: ArcSwap::from_pointee(planes),
            snapshot: ArcSwap::from(Arc::new(snapshot)),
            is_mending: AtomicBool::new(false),
            is_compacting: AtomicBool::new(false),
        }
    }

    pub(crate) fn expires_at_unix_s(&self) -> Option<u64> {
        self.expiry.map(|e| e.at_unix_s)
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.expiry.is_some_and(|e| e.is_past())
    }

    pub(crate) fn face_model(&self) -> Option<&(ModelId, usize)> {
        self.face_model.get()
    }

    /// Called by the writer once the catalogue holds it.
    pub(crate) fn settle_face_model(&self, model: ModelId, dim: usize) {
        let _ = self.face_model.set((model, dim));
    }

    /// Refuses vectors of another model than the realm's.
    pub(crate) fn check_face_model(&self, model: &ModelId, dim: usize) -> Result<(), Error> {
        match self.face_model() {
            Some((expected, expected_dim)) if expected != model || *expected_dim != dim => Err(Error::ModelMismatch {
                expected: expected.clone(),
                expected_dim: *expected_dim,
                found: model.clone(),
                found_dim: dim,
            }),
            _ => Ok(()),
        }
    }
}
