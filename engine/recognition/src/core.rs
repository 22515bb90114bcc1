//! What do readers and the writer share? The store, the policy, the models, the pool and the realms.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use khop_store::Store;
use khop_vocabulary::{Policy, RealmId};

use crate::Error;
use crate::calibrations::FaceModels;
use crate::last_scrub::Scrub;
use crate::realm_state::RealmState;

/// Shared by every handle on an engine. Nothing here is locked across I/O or comparison.
pub(crate) struct Core {
    pub(crate) store: Store,
    pub(crate) policy: Policy,
    /// Bounded: all comparison work of callers runs here, the writer's own recheck does not.
    pub(crate) pool: rayon::ThreadPool,
    pub(crate) seal_rows: usize,
    pub(crate) models: ArcSwap<FaceModels>,
    pub(crate) realms: ArcSwap<BTreeMap<RealmId, Arc<RealmState>>>,
    pub(crate) counters: Counters,
    /// The last time everything was looked at.
    pub(crate) scrub: ArcSwapOption<Scrub>,
}

/// Running totals since the engine opened.
#[derive(Default)]
pub(crate) struct Counters {
    searches: AtomicU64,
    references_searched: AtomicU64,
    full_comparisons: AtomicU64,
}

impl Counters {
    pub(crate) fn count_search(&self, references: u64, comparisons: u64) {
        self.searches.fetch_add(1, Ordering::Relaxed);
        self.references_searched.fetch_add(references, Ordering::Relaxed);
        self.full_comparisons.fetch_add(comparisons, Ordering::Relaxed);
    }

    /// Searches, references they saw, full comparisons they made.
    pub(crate) fn totals(&self) -> [u64; 3] {
        [&self.searches, &self.references_searched, &self.full_comparisons].map(|c| c.load(Ordering::Relaxed))
    }
}

impl Core {
    /// The realm, unless it does not exist or its time is over.
    pub(crate) fn realm(&self, id: &RealmId) -> Result<Arc<RealmState>, Error> {
        let state = self.realms.load().get(id).cloned().ok_or_else(|| Error::UnknownRealm(id.clone()))?;
        if state.is_expired() { Err(Error::Expired(id.clone())) } else { Ok(state) }
    }

    /// Replaces the map of realms; only the writer does.
    pub(crate) fn change_realms(&self, change: impl Fn(&mut BTreeMap<RealmId, Arc<RealmState>>)) {
        self.realms.rcu(|realms| {
            let mut realms = (**realms).clone();
            change(&mut realms);
            realms
        });
    }
}
