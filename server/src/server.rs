//! How does the service start and stop? Address, engine and token in this order; then requests until a signal.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use khop::{Backup, Engine, Forgotten, RootSource, Scrubbed};
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::api_keys::ApiKeys;
use crate::connections;
use crate::issuer::{Issuer, IssuerError, IssuerOptions};
use crate::once::now_unix_s;
use crate::osia::{self, CallbackError, Callbacks};
use crate::routes::app;
use crate::service::{Limits, Service};
use crate::tls::{Tls, TlsError, TlsOptions};
use crate::token::{AdminToken, TokenError, TokenHash};

/// A request not answered within this time is answered with an error.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// Requests in flight are given this long when the service is told to stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);
/// How often realms whose time is over are looked for. They are unreachable at once; this destroys them.
const PURGE_EVERY: Duration = Duration::from_secs(2);
/// How often a backup is made.
const BACKUP_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How often everything that is kept is read, and looked at.
const SCRUB_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How often is looked whether it is time.
const SCRUB_LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long keys of erased encounters may live.
const FORGET_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// The engine's data directory, made if it is not there.
    pub data: PathBuf,
    /// Where to listen; a loopback address unless there is TLS. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// What to speak TLS with; without it the service speaks plain HTTP.
    pub tls: Option<TlsOptions>,
    /// An identity provider whose tokens are believed besides keys, if any.
    pub issuer: Option<IssuerOptions>,
    /// Threads that compare; 0 takes one for each core.
    pub threads: usize,
    /// Requests waiting or being worked on, at least 1; one more is refused with 503.
    pub queue: usize,
    /// Replace the admin token.
    pub new_token: bool,
    /// Where the root key of the data is kept.
    pub root_key: RootSource,
    /// Whether the volume under the data is encrypted; see [`khop::EngineBuilder::encrypted_volume`].
    pub encrypted_volume: bool,
    /// Where a backup is made every day, if anywhere.
    pub backup_to: Option<PathBuf>,
    /// How fast everything that is kept is read once a day to see that it is still what was written, bytes a second; 0 does
    /// not.
    pub scrub_rate: u64,
    /// The only origins that answers may be sent to, such as `http://127.0.0.1:9000`.
    pub callbacks: Vec<String>,
}

/// Why the service does not start or did not stop as it should.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Everybody on the network could read along.
    #[error(
        "{0}: without TLS only a loopback address is served, because credentials and faces would cross the network in the \
         clear; add --tls-certificate FILE --tls-key FILE, or listen on 127.0.0.1 behind a TLS-terminating proxy"
    )]
    NotLoopback(SocketAddr),
    /// Nothing could ever be admitted.
    #[error("queue: expected at least 1, got 0")]
    NoQueue,
    /// The address is taken or not ours.
    #[error("{address}: {cause}")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An identity provider's keys cannot be used.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The engine did not open.
    #[error(transparent)]
    Engine(#[from] khop::Error),
    /// An origin for callbacks cannot be called.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The token could not be read or made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Threads, signals or the socket failed.
    #[error("service: {0}")]
    System(#[from] std::io::Error),
    /// The drain ran out of time.
    #[error("stopped with {unanswered} requests unanswered after {} s", DRAIN_WITHIN.as_secs())]
    Drain {
        /// Requests in flight.
        unanswered: usize,
    },
}

/// A service that owns its address and its engine and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
    engine: Engine,
    token: TokenHash,
    api_keys: ApiKeys,
    issuer: Option<Issuer>,
    new_token: Option<AdminToken>,
    queue: usize,
    backup_to: Option<PathBuf>,
    scrub_rate: u64,
    callbacks: Callbacks,
    runtime: runtime::Runtime,
    /// Caught from before the address is told to anybody, so that a stop asked for at once is an orderly one.
    signals: [Signal; 2],
}

impl Server {
    /// Claims the address, opens the engine, and reads the token or makes the first one.
    ///
    /// # Errors
    /// [`ServeError`]; a data directory in use by another process is one of the engine's.
    pub fn prepare(options: &Options) -> Result<Self, ServeError> {
        if options.tls.is_none() && !options.listen.ip().is_loopback() {
            return Err(ServeError::NotLoopback(options.listen));
        }
        if options.queue == 0 {
            return Err(ServeError::NoQueue);
        }
        let tls = options.tls.clone().map(Tls::new).transpose()?;
        let issuer = options.issuer.clone().map(Issuer::new).transpose()?;
        let callbacks = Callbacks::to(&options.callbacks)?;
        let listen = |cause| ServeError::Listen { address: options.listen, cause };
        let listener = TcpListener::bind(options.listen).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let engine = Engine::builder(&options.data).threads(options.threads).root_key(options.root_key.clone());
        let engine = engine.encrypted_volume(options.encrypted_volume).open()?;
        let kept = if options.new_token { None } else { TokenHash::load(&options.data)? };
        let (new_token, token) = match kept {
            Some(hash) => (None, hash),
            None => TokenHash::issue(&options.data).map(|(token, hash)| (Some(token), hash))?,
        };
        let api_keys = ApiKeys::of(&options.data);
        let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let signals = {
            let _inside = runtime.enter();
            [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?]
        };
        let (queue, scrub_rate, backup_to) = (options.queue, options.scrub_rate, options.backup_to.clone());
        Ok(Self {
            listener,
            address,
            tls,
            engine,
            token,
            api_keys,
            issuer,
            new_token,
            queue,
            backup_to,
            scrub_rate,
            callbacks,
            runtime,
            signals,
        })
    }

    /// Bytes of sealed segment files that were opened into memory.
    #[must_use]
    pub fn opened_bytes(&self) -> u64 {
        self.engine.realms().iter().map(|realm| realm.opened_bytes).sum()
    }

    /// Whether some of that memory may be written to swap space.
    #[must_use]
    pub fn may_be_swapped(&self) -> bool {
        self.engine.realms().iter().any(|realm| realm.may_be_swapped)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The token, if this start made one. It cannot be had again.
    #[must_use]
    pub fn new_token(&self) -> Option<&AdminToken> {
        self.new_token.as_ref()
    }

    /// Answers requests until SIGTERM or SIGINT; then refuses new ones, finishes those in flight and closes the
    /// engine.
    ///
    /// # Errors
    /// [`ServeError::Drain`] when requests are still in flight after 30 s, otherwise failures of the system.
    pub fn run(self) -> Result<(), ServeError> {
        // Twice the threads that compare: while some jobs wait for the disk, others compare.
        let running = 2 * self.engine.status().threads;
        let limits = Limits { queue: self.queue, running, within: REQUEST_WITHIN };
        let service = Service::new(self.engine.clone(), self.token, self.api_keys, self.issuer, limits, self.callbacks);
        let scrubbing = (self.scrub_rate > 0).then(|| {
            let (service, rate) = (service.clone(), self.scrub_rate);
            std::thread::spawn(move || scrub_daily(&service, rate))
        });
        let served = self.runtime.block_on(serve(self.listener, self.tls, service, self.backup_to, self.signals));
        if let Some(scrubbing) = scrubbing {
            let _ = scrubbing.join(); // it looks at every pause whether the service stops
        }
        self.runtime.shutdown_timeout(Duration::from_secs(1));
        drop(self.engine); // the last handle: waits for what was accepted to be written
        served
    }
}

async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    service: Service,
    backup_to: Option<PathBuf>,
    [mut terminate, mut interrupt]: [Signal; 2],
) -> Result<(), ServeError> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let purging = tokio::spawn(purge(service.clone()));
    let doing_tasks = tokio::spawn(osia::run(service.clone()));
    let backing_up = backup_to.map(|target| tokio::spawn(back_up(service.clone(), target)));
    let told_to_stop = Arc::new(Notify::new());
    let stop = {
        let (service, told_to_stop) = (service.clone(), Arc::clone(&told_to_stop));
        async move {
            tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
            tracing::info!(in_flight = service.in_flight(), "stopping: requests in flight are finished");
            service.stop();
            told_to_stop.notify_one();
        }
    };
    let serving = connections::serve(listener, tls, app(service.clone()), stop);
    let drained_or_out_of_time = async {
        told_to_stop.notified().await;
        tokio::time::sleep(DRAIN_WITHIN).await;
    };
    tokio::select! {
        () = serving => (),
        () = drained_or_out_of_time => (),
    }
    purging.abort();
    doing_tasks.abort(); // what is in hand is taken up by the next process
    if let Some(backing_up) = backing_up {
        backing_up.abort();
    }
    // A connection may stay open, silent, with nothing asked: that is no failure.
    match service.in_flight() {
        0 => Ok(()),
        unanswered => Err(ServeError::Drain { unanswered }),
    }
}

/// Makes a backup now and every day.
async fn back_up(service: Service, target: PathBuf) {
    let mut every = tokio::time::interval(BACKUP_EVERY);
    loop {
        every.tick().await;
        let (engine, to) = (service.engine().clone(), target.clone());
        match tokio::task::spawn_blocking(move || engine.backup(&to, &|_, _| ())).await {
            Ok(Ok(Backup { number, entries, copied, copied_bytes, kept, left_out, .. })) => {
                tracing::info!(number, entries, copied, copied_bytes, kept, left_out, "backed up");
            }
            Ok(Err(error)) => tracing::error!(%error, "the backup failed; trying again tomorrow"),
            Err(error) => tracing::error!(%error, "the backup failed; trying again tomorrow"),
        }
    }
}

/// Reads everything once a day, at this rate, until the service stops.
fn scrub_daily(service: &Service, bytes_a_second: u64) {
    let stops = |for_: Duration| {
        let until = Instant::now() + for_;
        while Instant::now() < until && !service.is_stopping() {
            std::thread::sleep(Duration::from_millis(100).min(until - Instant::now()));
        }
        service.is_stopping()
    };
    let pace = |bytes: u64| !stops(Duration::from_secs_f64(bytes as f64 / bytes_a_second as f64));
    while !stops(SCRUB_LOOK_EVERY) {
        let last = service.engine().last_scrub();
        if last.is_some_and(|last| now_unix_s() < last.ended_unix_s + SCRUB_EVERY.as_secs()) {
            continue;
        }
        match service.engine().scrub(&pace) {
            Ok(Some(Scrubbed { damaged: 0, entries, segments, bytes, .. })) => {
                tracing::info!(entries, segments, bytes, "everything was read, and is what was written");
            }
            Ok(Some(Scrubbed { damaged, first, .. })) => {
                let first = first.unwrap_or_default();
                tracing::error!(damaged, first, "not everything is what was written; `khop store verify` says more");
            }
            Ok(None) => return,
            Err(error) => tracing::error!(%error, "the store could not be read through"),
        }
    }
}

/// Destroys what has expired, every few seconds, and the keys of what was erased, once a day and after every realm.
async fn purge(service: Service) {
    let mut every = tokio::time::interval(PURGE_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let engine = service.engine().clone();
        let work = move || {
            let purges = engine.purge_expired()?;
            let age = if purges.is_empty() { FORGET_AFTER } else { Duration::ZERO };
            Ok::<_, khop::Error>((purges, engine.forget_after(age)?))
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok((purges, forgotten))) => {
                for purge in purges {
                    tracing::info!(realm = %purge.realm, encounters = purge.encounters, "expired and purged");
                }
                if let Some(Forgotten { records, realms, segments, epoch, .. }) = forgotten {
                    tracing::info!(records, realms, segments, epoch, "destroyed the keys of what was erased");
                }
            }
            Ok(Err(error)) => tracing::error!(%error, "purging expired realms failed; trying again"),
            Err(error) => tracing::error!(%error, "purging expired realms failed; trying again"),
        }
    }
}
