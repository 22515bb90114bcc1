//! Who changes anything? One thread: it rechecks, commits in groups, and publishes the next snapshot.
//!
//! Commands wait in a bounded queue. Enrolments and erasures that wait together go into one catalogue transaction
//! and share its fsync. Readers never wait for the writer and it never waits for them.

mod group;
mod replace;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use khop_store::{Applied, Change, RealmNumber, RecordNumber, Segment, SegmentRecord, Snapshot};
use khop_vocabulary::{EncounterKey, RealmId};

use crate::calibrations::MODELS_KEY;
use crate::columns::draft;
use crate::compaction::{Compaction, Extent};
use crate::core::Core;
use crate::enrolment::{Enrolment, ToEnrol};
use crate::face_planes::FacePlanes;
use crate::realm_state::RealmState;
use crate::receipt::Pending;
use crate::row::Row;
use crate::tail::Tail;
use crate::writer::group::{Group, Waiting};
use crate::{Erasure, Error, FaceModel, Purge};

/// Commands that may wait.
const QUEUE: usize = 1024;
/// Enrolments and erasures that share one transaction at most.
const GROUP: usize = 256;
/// A tail of at least this many rows is sealed on a clean close, so that the next open need not prepare it again.
const SEAL_ON_CLOSE_ROWS: usize = 256;

/// Encounters to be erased together.
pub(crate) struct EraseCommand {
    pub(crate) realm: Arc<RealmState>,
    pub(crate) encounters: Vec<(RecordNumber, EncounterKey)>,
}

type Reply<T> = SyncSender<Result<T, Error>>;

enum Command {
    /// All of them or none.
    Enrol(Vec<ToEnrol>, Pending, Reply<Vec<Enrolment>>),
    Erase(EraseCommand, Pending, Reply<Erasure>),
    /// A change that searches do not see.
    Keep(Change, Reply<Applied>),
    CreateRealm(RealmId, Option<u64>, Reply<()>),
    DropRealm(RealmId, Reply<Purge>),
    RegisterModel(Box<FaceModel>, Reply<()>),
    Sealed(Arc<RealmState>, Result<(SegmentRecord, Arc<Segment>), Error>),
    Rebuild(RealmId, Option<FacePlanes>, Reply<usize>),
    Mend(Arc<RealmState>),
    Compact(RealmId, Extent, Reply<Compaction>),
    Replace(Arc<RealmState>, replace::Replacement, Reply<bool>),
    Close,
}

/// What a command changes, and no other of its transaction may.
#[derive(PartialEq, Eq, Hash)]
enum Touched {
    Encounter(RealmNumber, EncounterKey),
    Receipt(String),
}

impl Command {
    /// What it changes, if it may share a transaction with others that change other things.
    fn touches(&self) -> Option<Vec<Touched>> {
        let receipt = |receipt: &Pending| receipt.name().map(Touched::Receipt);
        match self {
            Self::Enrol(commands, pending, _) => {
                let both = |command: &ToEnrol| {
                    let replaced = command.replaces.as_ref().map(|replaced| replaced.key.clone());
                    let number = command.realm.number;
                    let keys = [Some(command.encounter.key()), replaced];
                    keys.into_iter().flatten().map(move |key| Touched::Encounter(number, key))
                };
                Some(commands.iter().flat_map(both).chain(receipt(pending)).collect())
            }
            Self::Erase(EraseCommand { realm, encounters }, pending, _) => {
                let key = |(_, key): &(RecordNumber, EncounterKey)| Touched::Encounter(realm.number, key.clone());
                Some(encounters.iter().map(key).chain(receipt(pending)).collect())
            }
            Self::Keep(..) => Some(Vec::new()),
            _ => None,
        }
    }
}

/// The queue's near end.
#[derive(Clone)]
struct Commands(SyncSender<Command>);

impl Commands {
    /// Puts a command into the queue and waits for its answer.
    fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = sync_channel(1);
        self.0.send(command(reply)).map_err(|_| Error::Closing)?;
        answer.recv().map_err(|_| Error::Closing)?
    }
}

/// The handle that puts commands into the queue. Dropping the last one drains the queue and ends the thread.
pub(crate) struct Writer {
    commands: Commands,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(core: Arc<Core>, tails: HashMap<RealmNumber, Tail>) -> Result<Self, Error> {
        let (sender, receiver) = sync_channel(QUEUE);
        let commands = Commands(sender);
        let own = commands.clone();
        let thread = std::thread::Builder::new().name("khop-writer".into());
        let thread = thread.spawn(move || {
            let workers = WriterThread { core, tails, commands: own, workers: Vec::new() }.run(&receiver);
            // Whoever still wants to report finds nobody, and does not wait. Nothing writes once the engine is closed.
            drop(receiver);
            workers.into_iter().for_each(|worker| _ = worker.join());
        });
        let thread = thread.map_err(|cause| Error::Threads(cause.to_string()))?;
        Ok(Self { commands, thread: Mutex::new(Some(thread)) })
    }

    fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Error> {
        self.commands.ask(command)
    }

    /// All of them or none.
    pub(crate) fn enrol(&self, commands: Vec<ToEnrol>, receipt: Pending) -> Result<Vec<Enrolment>, Error> {
        self.ask(|reply| Command::Enrol(commands, receipt, reply))
    }

    pub(crate) fn erase(&self, command: EraseCommand, receipt: Pending) -> Result<Erasure, Error> {
        self.ask(|reply| Command::Erase(command, receipt, reply))
    }

    /// A change that searches do not see.
    pub(crate) fn keep(&self, change: Change) -> Result<Applied, Error> {
        self.ask(|reply| Command::Keep(change, reply))
    }

    pub(crate) fn create_realm(&self, id: RealmId, expires_at_unix_s: Option<u64>) -> Result<(), Error> {
        self.ask(|reply| Command::CreateRealm(id, expires_at_unix_s, reply))
    }

    pub(crate) fn drop_realm(&self, id: RealmId) -> Result<Purge, Error> {
        self.ask(|reply| Command::DropRealm(id, reply))
    }

    pub(crate) fn register_model(&self, model: FaceModel) -> Result<(), Error> {
        self.ask(|reply| Command::RegisterModel(Box::new(model), reply))
    }

    /// Has damaged segments of a realm made again, without waiting for it; once, unless that succeeds.
    pub(crate) fn mend(&self, realm: &Arc<RealmState>) {
        if !realm.is_mending.swap(true, Ordering::Relaxed)
            && self.commands.0.try_send(Command::Mend(Arc::clone(realm))).is_err()
        {
            realm.is_mending.store(false, Ordering::Relaxed); // the queue is full: the next search asks again
        }
    }

    pub(crate) fn compact(&self, id: RealmId, extent: Extent) -> Result<Compaction, Error> {
        self.ask(|reply| Command::Compact(id, extent, reply))
    }

    /// With other planes of faces, if they are given.
    pub(crate) fn rebuild(&self, id: RealmId, planes: Option<FacePlanes>) -> Result<usize, Error> {
        self.ask(|reply| Command::Rebuild(id, planes, reply))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.commands.0.send(Command::Close);
        if let Some(thread) = self.thread.get_mut().ok().and_then(Option::take) {
            let _ = thread.join();
        }
    }
}

struct WriterThread {
    core: Arc<Core>,
    tails: HashMap<RealmNumber, Tail>,
    commands: Commands,
    /// Threads that write segments.
    workers: Vec<JoinHandle<()>>,
}

impl WriterThread {
    /// Until it is closed; returns the threads that are not done yet.
    fn run(mut self, commands: &Receiver<Command>) -> Vec<JoinHandle<()>> {
        let mut next = commands.recv().ok();
        while let Some(command) = next.take() {
            match command {
                Command::Enrol(..) | Command::Erase(..) | Command::Keep(..) => {
                    let mut touched: HashSet<_> = command.touches().into_iter().flatten().collect();
                    let mut group = vec![command];
                    while group.len() < GROUP {
                        let Ok(more) = commands.try_recv() else { break };
                        match more.touches() {
                            Some(keys) if keys.iter().all(|key| !touched.contains(key)) => {
                                touched.extend(keys);
                                group.push(more);
                            }
                            _ => {
                                next = Some(more);
                                break;
                            }
                        }
                    }
                    self.commit_group(group);
                }
                Command::CreateRealm(id, expires, reply) => answer(reply, self.create_realm(id, expires)),
                Command::DropRealm(id, reply) => answer(reply, self.drop_realm(&id)),
                Command::RegisterModel(model, reply) => answer(reply, self.register_model(*model)),
                Command::Sealed(realm, written) => {
                    self.finish_seal(&realm, written);
                    if !realm.is_compacting.swap(true, Ordering::Relaxed) {
                        self.compact(&realm, Extent::Many, None);
                    }
                }
                Command::Rebuild(id, planes, reply) => answer(reply, self.rebuild(&id, planes)),
                Command::Mend(realm) => self.mend(&realm),
                Command::Compact(id, extent, reply) => match self.core.realm(&id) {
                    Ok(realm) => self.compact(&realm, extent, Some(reply)),
                    Err(error) => answer(reply, Err(error)),
                },
                Command::Replace(realm, replacement, reply) => answer(reply, self.replace(&realm, replacement)),
                Command::Close => break,
            }
            next = next.or_else(|| commands.recv().ok());
        }
        self.seal_on_close();
        self.workers
    }

    /// Work that enrolments do not wait for.
    fn beside(&mut self, work: impl FnOnce() + Send + 'static) {
        self.workers.retain(|worker| !worker.is_finished());
        self.workers.push(std::thread::spawn(work));
    }

    /// Rechecks every command against what the ones before it changed, then commits them all or none.
    fn commit_group(&mut self, commands: Vec<Command>) {
        let mut group = Group::default();
        for command in commands {
            match command {
                Command::Enrol(commands, receipt, reply) => match group.enrol(self, commands, &receipt) {
                    Ok(enrolments) => group.replies.push(Waiting::Enrol(enrolments, reply)),
                    Err(error) => answer(reply, Err(error)),
                },
                Command::Erase(command, receipt, reply) => match group.erase(self, &command, &receipt) {
                    Ok(erasure) => group.replies.push(Waiting::Erase(erasure, reply)),
                    Err(error) => answer(reply, Err(error)),
                },
                Command::Keep(change, reply) => {
                    group.replies.push(Waiting::Keep(group.changes.len(), reply));
                    group.changes.push(change);
                }
                _ => unreachable!("a group holds what touches something"),
            }
        }
        if group.changes.is_empty() {
            return;
        }
        let committed = self.core.store.commit(&group.changes).map_err(Error::from);
        match committed.and_then(|applied| group.confirm(&applied).map(|()| applied)) {
            Ok(applied) => {
                for (number, working) in group.realms {
                    if let Some((model, dim)) = working.face_model {
                        working.realm.settle_face_model(model, dim);
                    }
                    working.realm.snapshot.store(Arc::new(working.snapshot));
                    self.tails.insert(number, working.tail);
                    self.seal_if_due(&working.realm);
                }
                group.replies.into_iter().for_each(|waiting| waiting.succeed(&applied));
            }
            Err(error) => group.replies.into_iter().for_each(|waiting| waiting.fail(&error)),
        }
    }

    fn create_realm(&mut self, id: RealmId, expires_at_unix_s: Option<u64>) -> Result<(), Error> {
        let change = Change::CreateRealm { id: id.clone(), expires_at_unix_s, note: "create realm".into() };
        match self.one(change)? {
            Applied::Created { realm } => {
                let record =
                    khop_store::RealmRecord { id: id.clone(), number: realm, expires_at_unix_s, face_model: None };
                let planes = FacePlanes::default();
                self.tails.insert(realm, Tail::empty(planes));
                let state = Arc::new(RealmState::new(&record, planes, Snapshot::default()));
                self.core.change_realms(|realms| {
                    realms.insert(id.clone(), Arc::clone(&state));
                });
                Ok(())
            }
            _ => Err(Error::RealmExists(id)),
        }
    }

    /// Unreachable first, then gone: a search that has the snapshot already ends as it began.
    fn drop_realm(&mut self, id: &RealmId) -> Result<Purge, Error> {
        let state = self.core.realms.load().get(id).cloned().ok_or_else(|| Error::UnknownRealm(id.clone()))?;
        self.core.change_realms(|realms| {
            realms.remove(id);
        });
        let drop = Change::DropRealm { realm: state.number, note: "drop realm".into() };
        let forget = Change::PutMeta { key: FacePlanes::key(state.number), value: None };
        match self.all(&[drop, forget]) {
            Ok(Applied::Dropped { records, .. }) => {
                self.tails.remove(&state.number);
                Ok(Purge { realm: id.clone(), encounters: records })
            }
            Ok(_) => Err(Error::UnknownRealm(id.clone())),
            Err(error) => {
                self.core.change_realms(|realms| {
                    realms.insert(id.clone(), Arc::clone(&state));
                });
                Err(error)
            }
        }
    }

    fn register_model(&mut self, model: FaceModel) -> Result<(), Error> {
        let mut models = (**self.core.models.load()).clone();
        models.register(model);
        self.one(Change::PutMeta { key: MODELS_KEY.to_owned(), value: Some(models.to_meta()) })?;
        self.core.models.store(Arc::new(models));
        Ok(())
    }

    fn one(&self, change: Change) -> Result<Applied, Error> {
        self.all(&[change])
    }

    /// Commits these changes together; returns what the first of them became.
    fn all(&self, changes: &[Change]) -> Result<Applied, Error> {
        let applied = self.core.store.commit(changes)?;
        applied.first().copied().ok_or_else(|| Error::Incomplete { cause: "the store answered nothing".into() })
    }

    /// Hands a long tail to a thread that writes it as a segment, while enrolments go on.
    fn seal_if_due(&mut self, realm: &Arc<RealmState>) {
        let Some(tail) = self.tails.get_mut(&realm.number) else { return };
        if tail.is_sealing || tail.rows() < self.core.seal_rows {
            return;
        }
        let rows = tail.begin_seal();
        let planes = **realm.planes.load();
        let (core, commands, realm) = (Arc::clone(&self.core), self.commands.clone(), Arc::clone(realm));
        self.beside(move || {
            let written = write_segment(&core, &realm, &rows, planes);
            let _ = commands.0.send(Command::Sealed(realm, written));
        });
    }

    fn finish_seal(&mut self, realm: &Arc<RealmState>, written: Result<(SegmentRecord, Arc<Segment>), Error>) {
        if !self.tails.get(&realm.number).is_some_and(|tail| tail.is_sealing) {
            return; // dropped or rebuilt meanwhile: its rows are elsewhere, its file goes at the next opening
        }
        let sealed = written.and_then(|(record, segment)| {
            self.one(Change::SetSegments { realm: realm.number, add: vec![record], remove: vec![] })?;
            Ok(segment)
        });
        let Some(tail) = self.tails.get_mut(&realm.number) else { return }; // dropped meanwhile
        match sealed {
            Ok(segment) => {
                let snapshot = tail.finish_seal(&realm.snapshot.load(), segment);
                realm.snapshot.store(Arc::new(snapshot));
            }
            Err(_) => tail.abandon_seal(),
        }
    }

    /// Makes every segment of a realm again from the catalogue; returns how many there are then.
    fn rebuild(&mut self, id: &RealmId, planes: Option<FacePlanes>) -> Result<usize, Error> {
        let realm = self.core.realm(id)?;
        let planes = planes.unwrap_or(**realm.planes.load());
        let (snapshot, segments) = crate::recovery::rebuild(&self.core, &realm, planes)?;
        realm.planes.store(Arc::new(planes));
        realm.snapshot.store(Arc::new(snapshot));
        self.tails.insert(realm.number, Tail::empty(planes));
        Ok(segments)
    }

    fn seal_on_close(&mut self) {
        let realms: Vec<Arc<RealmState>> = self.core.realms.load().values().cloned().collect();
        for realm in realms {
            let Some(tail) = self.tails.get_mut(&realm.number) else { continue };
            if tail.rows() >= SEAL_ON_CLOSE_ROWS && !tail.is_sealing {
                let rows = tail.begin_seal();
                let written = write_segment(&self.core, &realm, &rows, **realm.planes.load());
                self.finish_seal(&realm, written);
            }
        }
    }
}

fn write_segment(
    core: &Core,
    realm: &RealmState,
    rows: &[Arc<Row>],
    planes: FacePlanes,
) -> Result<(SegmentRecord, Arc<Segment>), Error> {
    Ok(core.store.write_segment(realm.number, &draft(rows, planes)?)?)
}

/// The asker may have gone away; what was done stays done.
fn answer<T>(reply: Reply<T>, result: Result<T, Error>) {
    let _ = reply.send(result);
}
