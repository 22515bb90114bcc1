//! Who changes anything? One thread: it rechecks, commits in groups, and publishes the next snapshot.
//!
//! Commands wait in a bounded queue. Enrolments and erasures that wait together go into one catalogue transaction
//! and share its fsync. Readers never wait for the writer and it never waits for them.

mod replace;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use khop_store::{Applied, Change, NewCase, RealmNumber, RecordNumber, Segment, SegmentRecord, Snapshot};
use khop_vocabulary::{Encounter, EncounterKey, ModelId, Outcome, RealmId};

use crate::calibrations::MODELS_KEY;
use crate::case::{CaseId, outcome_code};
use crate::columns::draft;
use crate::compaction::{Compaction, Extent};
use crate::core::Core;
use crate::enrolment::{Enrolment, Searched, ToEnrol};
use crate::face_planes::FacePlanes;
use crate::part::Scope;
use crate::prepared::Prepared;
use crate::realm_state::RealmState;
use crate::references::{Pending, References};
use crate::row::Row;
use crate::search::search;
use crate::tail::Tail;
use crate::{Erasure, Error, FaceModel, Identification, Purge, Search};

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
    Enrol(Vec<ToEnrol>, Reply<Vec<Enrolment>>),
    Erase(EraseCommand, Reply<Erasure>),
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

impl Command {
    /// The encounters it changes, if it may share a transaction with others that change other ones.
    fn touches(&self) -> Option<Vec<(RealmNumber, EncounterKey)>> {
        match self {
            Self::Enrol(commands, _) => {
                let both = |command: &ToEnrol| {
                    let replaced = command.replaces.as_ref().map(|replaced| replaced.key.clone());
                    let number = command.realm.number;
                    [Some(command.encounter.key()), replaced].into_iter().flatten().map(move |key| (number, key))
                };
                Some(commands.iter().flat_map(both).collect())
            }
            Self::Erase(command, _) => {
                Some(command.encounters.iter().map(|(_, key)| (command.realm.number, key.clone())).collect())
            }
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
    pub(crate) fn enrol(&self, commands: Vec<ToEnrol>) -> Result<Vec<Enrolment>, Error> {
        self.ask(|reply| Command::Enrol(commands, reply))
    }

    pub(crate) fn erase(&self, command: EraseCommand) -> Result<Erasure, Error> {
        self.ask(|reply| Command::Erase(command, reply))
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
                Command::Enrol(..) | Command::Erase(..) => {
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
                Command::Enrol(commands, reply) => match group.enrol(self, commands) {
                    Ok(enrolments) => group.replies.push(Waiting::Enrol(enrolments, reply)),
                    Err(error) => answer(reply, Err(error)),
                },
                Command::Erase(command, reply) => match group.erase(self, &command) {
                    Ok(erasure) => group.replies.push(Waiting::Erase(erasure, reply)),
                    Err(error) => answer(reply, Err(error)),
                },
                _ => unreachable!("a group holds enrolments and erasures only"),
            }
        }
        if group.changes.is_empty() {
            return;
        }
        let committed = self.core.store.commit(&group.changes).map_err(Error::from);
        match committed.and_then(|applied| group.confirm(&applied)) {
            Ok(()) => {
                for (number, working) in group.realms {
                    if let Some((model, dim)) = working.face_model {
                        working.realm.settle_face_model(model, dim);
                    }
                    working.realm.snapshot.store(Arc::new(working.snapshot));
                    self.tails.insert(number, working.tail);
                    self.seal_if_due(&working.realm);
                }
                group.replies.into_iter().for_each(Waiting::succeed);
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

/// A caller that waits for the commit.
enum Waiting {
    Enrol(Vec<Enrolment>, Reply<Vec<Enrolment>>),
    Erase(Erasure, Reply<Erasure>),
}

impl Waiting {
    fn succeed(self) {
        match self {
            Self::Enrol(enrolments, reply) => answer(reply, Ok(enrolments)),
            Self::Erase(erasure, reply) => answer(reply, Ok(erasure)),
        }
    }

    fn fail(self, error: &Error) {
        match self {
            Self::Enrol(_, reply) => answer(reply, Err(error.clone())),
            Self::Erase(_, reply) => answer(reply, Err(error.clone())),
        }
    }
}

/// A realm as it will be once the group is committed.
#[derive(Clone)]
struct Working {
    realm: Arc<RealmState>,
    snapshot: Snapshot,
    tail: Tail,
    next_record: RecordNumber,
    face_model: Option<(ModelId, usize)>,
    pending: HashMap<RecordNumber, Pending>,
}

/// Commands on their way into one transaction.
#[derive(Default)]
struct Group {
    changes: Vec<Change>,
    realms: HashMap<RealmNumber, Working>,
    /// Where in `changes` each enrolment stands, and the record number it was promised.
    promised: Vec<(usize, RecordNumber)>,
    replies: Vec<Waiting>,
}

impl Group {
    fn working(&mut self, thread: &WriterThread, realm: &Arc<RealmState>) -> Result<&mut Working, Error> {
        if realm.is_expired() || !thread.tails.contains_key(&realm.number) {
            return Err(Error::Expired(realm.id.clone()));
        }
        match self.realms.entry(realm.number) {
            std::collections::hash_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            std::collections::hash_map::Entry::Vacant(entry) => Ok(entry.insert(Working {
                realm: Arc::clone(realm),
                snapshot: (**realm.snapshot.load()).clone(),
                tail: thread.tails[&realm.number].clone(),
                next_record: thread.core.store.counts(realm.number)?.next_record(),
                face_model: None,
                pending: HashMap::new(),
            })),
        }
    }

    /// All of them or none.
    fn enrol(&mut self, thread: &WriterThread, commands: Vec<ToEnrol>) -> Result<Vec<Enrolment>, Error> {
        for command in &commands {
            command.check(&thread.core)?;
        }
        let [first, _, ..] = &commands[..] else {
            return commands.into_iter().map(|command| self.enrol_one(thread, command)).collect();
        };
        let number = first.realm.number;
        let before = (self.realms.get(&number).cloned(), self.changes.len(), self.promised.len());
        let all = commands.into_iter().map(|command| self.enrol_one(thread, command)).collect();
        if let (Err(_), (working, changes, promised)) = (&all, before) {
            self.realms.remove(&number);
            self.realms.extend(working.map(|working| (number, working)));
            self.changes.truncate(changes);
            self.promised.truncate(promised);
        }
        all
    }

    fn enrol_one(&mut self, thread: &WriterThread, command: ToEnrol) -> Result<Enrolment, Error> {
        let ToEnrol { realm, encounter, prepared, searched, replaces } = command;
        let core = &thread.core;
        let position = self.changes.len();
        let working = self.working(thread, &realm)?;
        let settles = working.check_face_model(&prepared)?;
        let identification = match searched {
            Some(searched) => Some(working.recheck(core, searched, &encounter)?),
            None => None,
        };
        let outcome = identification.as_ref().map_or(Outcome::Clear, |i| i.decision.outcome());
        let record = working.next_record;
        let face = prepared.face.as_ref().map(|f| f.vector.clone());
        let row = Arc::new(Row::new(record, &encounter, prepared, **realm.planes.load()));
        working.snapshot = working.tail.append(&working.snapshot, row)?;
        let replaces = replaces.map(|replaced| replaced.record);
        if let Some(replaced) = replaces {
            working.snapshot = working.snapshot.with_erased(replaced);
        }
        working.next_record = RecordNumber::new(record.get() + 1);
        let key = encounter.key();
        working.pending.insert(record, Pending { key: key.clone(), face });
        let mut changes = Vec::with_capacity(2);
        if let Some((model, dim)) = settles {
            working.face_model = Some((model.clone(), dim));
            changes.push(Change::SetFaceModel { realm: realm.number, model, dim: dim as u32 });
        }
        let case = (outcome > Outcome::Clear).then(|| NewCase {
            candidates: identification.iter().flat_map(|i| &i.candidates).map(|c| (c.key(), c.score.value())).collect(),
            outcome: outcome_code(outcome),
        });
        let note = format!("{}, {outcome:?}", if replaces.is_some() { "revise" } else { "enrol" });
        changes.push(Change::Enrol { realm: realm.number, encounter, replaces, case, note });
        self.promised.push((position + changes.len() - 1, record));
        self.changes.extend(changes);
        Ok(Enrolment { encounter: key.encounter, subject: key.subject, identification, case: None })
    }

    fn erase(&mut self, thread: &WriterThread, command: &EraseCommand) -> Result<Erasure, Error> {
        let realm = &command.realm;
        let mut encounters = Vec::new();
        for (record, key) in &command.encounters {
            if thread.core.store.find_encounter(realm.number, key)? != Some(*record) {
                continue; // somebody was faster
            }
            encounters.push(key.clone());
            let working = self.working(thread, realm)?;
            working.snapshot = working.snapshot.with_erased(*record);
            self.changes.push(Change::Erase { realm: realm.number, record: *record, note: "erase".into() });
        }
        Ok(Erasure { encounters })
    }

    /// The catalogue gave every enrolment the number its row carries, and a number to every case.
    fn confirm(&mut self, applied: &[Applied]) -> Result<(), Error> {
        let mut cases = Vec::with_capacity(self.promised.len());
        for &(position, promised) in &self.promised {
            match applied.get(position) {
                Some(&Applied::Enrolled { record, case }) if record == promised => cases.push(case),
                _ => return Err(Error::Incomplete { cause: format!("{promised} was not enrolled as announced") }),
            }
        }
        let enrolments = self.replies.iter_mut().filter_map(|waiting| match waiting {
            Waiting::Enrol(enrolments, _) => Some(enrolments),
            Waiting::Erase(..) => None,
        });
        for (enrolment, case) in enrolments.flatten().zip(cases) {
            enrolment.case = case.map(|number| CaseId(number.get()));
        }
        Ok(())
    }
}

impl ToEnrol {
    /// Whether its place is free, and what it replaces is still what was read.
    fn check(&self, core: &Core) -> Result<(), Error> {
        let find = |key| core.store.find_encounter(self.realm.number, key);
        let replaced = self.replaces.as_ref().map(|replaced| replaced.record);
        let key = self.encounter.key();
        if find(&key)?.is_some_and(|there| Some(there) != replaced) {
            return Err(Error::EncounterExists(key));
        }
        match &self.replaces {
            Some(old) if find(&old.key)? != Some(old.record) => Err(Error::Superseded(old.key.clone())),
            _ => Ok(()),
        }
    }
}

impl Working {
    /// Refuses another model than the realm's; returns the model when this face is the first.
    fn check_face_model(&self, prepared: &Prepared) -> Result<Option<(ModelId, usize)>, Error> {
        let Some(face) = &prepared.face else { return Ok(None) };
        let (model, dim) = (&face.model, face.vector.dim());
        self.realm.check_face_model(model, dim)?;
        match &self.face_model {
            Some((expected, expected_dim)) if expected != model || *expected_dim != dim => Err(Error::ModelMismatch {
                expected: expected.clone(),
                expected_dim: *expected_dim,
                found: model.clone(),
                found_dim: dim,
            }),
            Some(_) => Ok(None),
            None => Ok(self.realm.face_model().is_none().then(|| (model.clone(), dim))),
        }
    }

    /// Completes a duplicate search with what was enrolled since its snapshot, the group's own members included.
    fn recheck(&mut self, core: &Core, searched: Searched, encounter: &Encounter) -> Result<Identification, Error> {
        let request = Search { except: Some(encounter.subject.clone()), ..Search::default() };
        let realm = Arc::clone(&self.realm);
        let references = References { core, realm: &realm, pending: std::mem::take(&mut self.pending) };
        let scope = Scope { from: searched.unseen, ..Scope::all(&request) };
        let since = search(&references, &self.snapshot, &searched.probe, &scope);
        let answer = since.and_then(|since| Identification::of(&references, searched.search.and(since), &request));
        self.pending = references.pending;
        answer
    }
}
