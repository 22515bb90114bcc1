//! What do all requests share? The engine, the token, the queue and the counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use khop::{Effort, Engine, Realm, RealmId};

use crate::admission::{Admission, Patience};
use crate::api_keys::ApiKeys;
use crate::issuer::Issuer;
use crate::metrics::Metrics;
use crate::osia::{Callbacks, Tasks};
use crate::principal::Principal;
use crate::problem::{Fault, Problem};
use crate::token::TokenHash;

/// How much the service takes on at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Jobs waiting or running, at least 1.
    pub(crate) queue: usize,
    /// Jobs running, at least 1.
    pub(crate) running: usize,
    /// A job not done within this time is answered with an error.
    pub(crate) within: Duration,
}

/// What every handler is given. Cloning shares.
#[derive(Clone)]
pub(crate) struct Service(Arc<Shared>);

struct Shared {
    engine: Engine,
    /// Checked on every request but those to open routes.
    token: TokenHash,
    api_keys: ApiKeys,
    /// An identity provider whose tokens are believed, if any.
    issuer: Option<Issuer>,
    /// All work that touches the store or compares goes through here.
    admission: Admission,
    metrics: Metrics,
    /// What was promised and is not told yet.
    tasks: Tasks,
    callbacks: Callbacks,
    /// Set once, when the service begins to stop.
    stopping: AtomicBool,
    /// Requests begun and not yet answered.
    in_flight: AtomicUsize,
}

impl Service {
    pub(crate) fn new(
        engine: Engine,
        token: TokenHash,
        api_keys: ApiKeys,
        issuer: Option<Issuer>,
        limits: Limits,
        callbacks: Callbacks,
    ) -> Self {
        Self(Arc::new(Shared {
            engine,
            token,
            api_keys,
            issuer,
            admission: Admission::new(limits.queue, limits.running, limits.within),
            metrics: Metrics::new(),
            tasks: Tasks::default(),
            callbacks,
            stopping: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Who sends this header.
    pub(crate) fn principal(&self, authorization: Option<&str>) -> Option<Principal> {
        if self.0.token.admits(authorization) {
            return Some(Principal::operator());
        }
        let (scheme, key) = authorization?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        self.0.api_keys.principal(key).or_else(|| self.0.issuer.as_ref()?.principal(key))
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    pub(crate) fn callbacks(&self) -> &Callbacks {
        &self.0.callbacks
    }

    pub(crate) fn admission(&self) -> &Admission {
        &self.0.admission
    }

    /// Runs a job on the engine in its turn. It ends when it is done, whoever waits.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Engine) -> Result<T, khop::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        self.admit(None, move |engine, _| job(engine)).await
    }

    /// Runs a job on one realm in its turn. It ends when it is done, whoever waits.
    pub(crate) async fn work_in<T: Send + 'static>(
        &self,
        realm: String,
        job: impl FnOnce(&Realm) -> Result<T, khop::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let realm = realm_id(realm)?;
        self.work(move |engine| job(&engine.realm(&realm)?)).await
    }

    /// Runs a search of one realm in its turn, with the effort given it: it stops when its time is up or nobody waits.
    pub(crate) async fn search_in<T: Send + 'static>(
        &self,
        realm: String,
        job: impl FnOnce(&Realm, Effort) -> Result<T, khop::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        self.search_within(None, realm, job).await
    }

    /// The same, with another time than usual.
    pub(crate) async fn search_within<T: Send + 'static>(
        &self,
        within: Option<Duration>,
        realm: String,
        job: impl FnOnce(&Realm, Effort) -> Result<T, khop::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let realm = realm_id(realm)?;
        let job = move |engine: &Engine, Patience { deadline, abandoned }: Patience| {
            let effort = Effort { deadline: Some(deadline), cancelled: Some(abandoned), ..Effort::default() };
            job(&engine.realm(&realm)?, effort)
        };
        self.admit(within, job).await
    }

    async fn admit<T: Send + 'static>(
        &self,
        within: Option<Duration>,
        job: impl FnOnce(&Engine, Patience) -> Result<T, khop::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let (engine, admission) = (self.0.engine.clone(), &self.0.admission);
        let job = move |patience| job(&engine, patience);
        let done = match within {
            Some(within) => admission.run_within(within, job).await,
            None => admission.run(job).await,
        };
        done.inspect_err(|problem| match problem.fault {
            Fault::QueueFull => self.metrics().refused("queue"),
            Fault::Deadline => self.metrics().refused("deadline"),
            _ => (),
        })
    }

    pub(crate) fn stop(&self) {
        self.0.stopping.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::SeqCst)
    }

    /// Counts a request until the returned value is dropped.
    pub(crate) fn enter(&self) -> impl Drop + use<> {
        self.0.in_flight.fetch_add(1, Ordering::SeqCst);
        InFlight(Arc::clone(&self.0))
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::SeqCst)
    }
}

fn realm_id(realm: String) -> Result<RealmId, Problem> {
    RealmId::new(realm).map_err(|error| Problem::field("realm", error.to_string()))
}

struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}
