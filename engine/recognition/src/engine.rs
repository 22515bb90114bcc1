//! How is an engine opened? The builder, the handle, and the life of realms and face models.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::{ArcSwap, ArcSwapOption};
use khop_store::{Backup, Forgotten, Opening, RootSource};
use khop_vocabulary::{ModelId, Policy, RealmId};

use crate::calibrations::{DEFAULT_REALM, FaceModels, MODELS_KEY};
use crate::compaction::Extent;
use crate::core::{Core, Counters};
use crate::last_scrub::Scrub;
use crate::receipt::Pending;
use crate::recovery::{Recovered, recover};
use crate::writer::Writer;
use crate::{Error, FaceModel, FacePlanes, Purge, Realm};

/// Tail rows from which a mapped segment is written, unless the builder says otherwise.
const DEFAULT_SEAL_ROWS: usize = 4096;

/// One data directory, open. Cheap to clone; the last clone to go closes it and waits for the writer.
#[derive(Clone)]
pub struct Engine {
    core: Arc<Core>,
    writer: Arc<Writer>,
}

/// How to open an [`Engine`].
#[derive(Debug, Clone)]
pub struct EngineBuilder {
    dir: PathBuf,
    threads: usize,
    policy: Policy,
    seal_rows: usize,
    opening: Opening,
}

impl EngineBuilder {
    /// Threads that compare; 0, the default, takes one a core.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Acceptable error rates, from which thresholds follow.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Rows kept in memory before they are written as a mapped segment, at least 64; 4096 by default.
    /// A row with ten fingers and a face takes about 15 kB until then.
    #[must_use]
    pub fn seal_rows(mut self, rows: usize) -> Self {
        self.seal_rows = rows.max(64);
        self
    }

    /// Where the root key of the data directory is kept; beside the data by default.
    #[must_use]
    pub fn root_key(mut self, root: RootSource) -> Self {
        self.opening.root = root;
        self
    }

    /// Says that the volume under the directory is encrypted. Then new segment files hold vectors as they are, and are
    /// mapped; otherwise vectors are sealed in files and opened into memory that must hold them all.
    #[must_use]
    pub fn encrypted_volume(mut self, is_encrypted: bool) -> Self {
        self.opening.encrypted_volume = is_encrypted;
        self
    }

    /// Opens the directory, making it private (mode 0700) where it does not exist, and recovers its state: exactly
    /// what was acknowledged. Damaged or outdated segments are made again from the catalogue.
    ///
    /// # Errors
    /// An impossible policy, a directory in use by another process, or a catalogue that cannot be read.
    pub fn open(self) -> Result<Engine, Error> {
        self.policy.validate()?;
        let store = self.opening.open(&self.dir)?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads);
        let pool = pool.thread_name(|i| format!("khop-compare-{i}")).build();
        let mut models = FaceModels::embedded();
        if let Some(registered) = store.meta(MODELS_KEY)? {
            models.register_meta(&registered)?;
        }
        let scrub = Scrub::kept(&store).map(Arc::new);
        let core = Core {
            store,
            policy: self.policy,
            pool: pool.map_err(|cause| Error::Threads(cause.to_string()))?,
            seal_rows: self.seal_rows,
            models: ArcSwap::from_pointee(models),
            realms: ArcSwap::default(),
            counters: Counters::default(),
            scrub: ArcSwapOption::new(scrub),
        };
        let Recovered { realms, tails } = recover(&core)?;
        core.realms.store(Arc::new(realms));
        let core = Arc::new(core);
        let writer = Arc::new(Writer::start(Arc::clone(&core), tails)?);
        let engine = Engine { core, writer };
        let default = RealmId::new(DEFAULT_REALM).expect("a valid constant");
        match engine.create_realm(&default, None) {
            Ok(()) | Err(Error::RealmExists(_)) => Ok(engine),
            Err(error) => Err(error),
        }
    }
}

impl Engine {
    /// Begins to open a data directory.
    #[must_use]
    pub fn builder(dir: impl Into<PathBuf>) -> EngineBuilder {
        let (policy, opening) = (Policy::default(), Opening::default());
        EngineBuilder { dir: dir.into(), threads: 0, policy, seal_rows: DEFAULT_SEAL_ROWS, opening }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    /// The bounded pool on which all comparison work of callers runs.
    #[must_use]
    pub fn pool(&self) -> &rayon::ThreadPool {
        &self.core.pool
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.core.policy
    }

    /// Makes a realm; with an expiry it is a flight that dies at that moment (seconds since 1970).
    ///
    /// # Errors
    /// [`Error::RealmExists`], or a failed write.
    pub fn create_realm(&self, id: &RealmId, expires_at_unix_s: Option<u64>) -> Result<(), Error> {
        if self.core.realms.load().contains_key(id) {
            return Err(Error::RealmExists(id.clone()));
        }
        self.writer.create_realm(id.clone(), expires_at_unix_s)
    }

    /// Removes a realm and everything in it: unreachable at once.
    ///
    /// # Errors
    /// [`Error::UnknownRealm`], or a failed write.
    pub fn drop_realm(&self, id: &RealmId) -> Result<Purge, Error> {
        self.writer.drop_realm(id.clone())
    }

    /// Removes every realm whose time is over; they were unreachable already.
    ///
    /// # Errors
    /// A failed write.
    pub fn purge_expired(&self) -> Result<Vec<Purge>, Error> {
        let realms = self.core.realms.load();
        let expired = realms.values().filter(|r| r.is_expired()).map(|r| r.id.clone());
        expired.map(|id| self.writer.drop_realm(id)).collect()
    }

    /// Destroys the keys of everything that was erased or dropped: its bytes, wherever they still lie in this directory,
    /// can never be read again. See [`khop_store::Store::forget`].
    ///
    /// # Errors
    /// Damage of the lists of what was erased; a failed write. Until it is repeated with success, the keys must be taken
    /// to exist.
    pub fn forget(&self) -> Result<Forgotten, Error> {
        Ok(self.core.store.forget()?)
    }

    /// What is to be done every day: where keys were destroyed longer ago than this, makes a fourteenth of the segments
    /// with rows of erased encounters anew without them, then forgets. `None` where it is too early.
    ///
    /// # Errors
    /// As [`Engine::forget`] and [`Realm::compact`]; keys are destroyed also where a segment could not be made anew.
    pub fn forget_after(&self, age: Duration) -> Result<Option<Forgotten>, Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if now.saturating_sub(age).as_secs() < self.core.store.forgot_unix_s() {
            return Ok(None);
        }
        let realms: Vec<RealmId> = self.core.realms.load().keys().cloned().collect();
        let compacted = realms.into_iter().map(|id| self.writer.compact(id, Extent::Daily));
        let compacted = compacted.filter(|done| !matches!(done, Err(Error::UnknownRealm(_) | Error::Expired(_))));
        let compacted = compacted.collect::<Result<Vec<_>, _>>();
        let forgotten = self.forget()?;
        compacted.map(|_| Some(forgotten))
    }

    /// Copies the data directory as it is now into another one, beside the backups that are there, while searches and
    /// enrolments go on. See [`khop_store::Store::backup`]; [`khop_store::Opening::restore`] makes a data directory of it.
    ///
    /// # Errors
    /// A target that is in use or another store's, damage met on the way, a failed write; the backups there stay.
    pub fn backup(&self, target: &Path, progress: &dyn Fn(u64, u64)) -> Result<Backup, Error> {
        Ok(self.core.store.backup(target, progress)?)
    }

    /// A handle on a realm.
    ///
    /// # Errors
    /// [`Error::UnknownRealm`] or [`Error::Expired`].
    pub fn realm(&self, id: &RealmId) -> Result<Realm, Error> {
        let state = self.core.realm(id)?;
        let (core, writer) = (Arc::clone(&self.core), Arc::clone(&self.writer));
        Ok(Realm { id: state.id.clone(), core, writer, receipt: Pending::default() })
    }

    /// Keeps a face model and its calibration in the catalogue, for this and every later opening.
    ///
    /// # Errors
    /// A failed write.
    pub fn register_face_model(&self, model: FaceModel) -> Result<(), Error> {
        self.writer.register_model(model)
    }

    /// Face models whose similarities have a meaning here.
    #[must_use]
    pub fn face_models(&self) -> Vec<ModelId> {
        self.core.models.load().ids()
    }

    /// Makes every segment of a realm again from the catalogue, after damage or with a better algorithm. Searches go
    /// on meanwhile, enrolments wait. Returns the number of segments.
    ///
    /// # Errors
    /// An unknown realm, a damaged record, or a failed write: the old segments then stay.
    pub fn rebuild(&self, id: &RealmId) -> Result<usize, Error> {
        self.writer.rebuild(id.clone(), None)
    }

    /// Chooses which planes of faces a realm keeps, and makes every segment of it again with them. Searches go on
    /// meanwhile, enrolments wait. Returns the number of segments.
    ///
    /// # Errors
    /// As [`Engine::rebuild`]; the realm then keeps the planes it had.
    pub fn set_face_planes(&self, id: &RealmId, planes: FacePlanes) -> Result<usize, Error> {
        self.writer.rebuild(id.clone(), Some(planes))
    }

    /// Checks every record, index entry, segment and audit entry.
    ///
    /// # Errors
    /// A catalogue that cannot be read at all; what is damaged is in the report.
    pub fn verify_store(&self) -> Result<khop_store::VerifyReport, Error> {
        Ok(self.core.store.verify()?)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({} realms)", self.core.realms.load().len())
    }
}
