//! What goes into one transaction? Commands that touch different things, each rechecked against what those before it changed.

use std::collections::HashMap;
use std::sync::Arc;

use khop_store::{Applied, CaseNumber, Change, NewCase, RealmNumber, RecordNumber, Snapshot};
use khop_vocabulary::{Encounter, ModelId, Outcome};

use super::{EraseCommand, Reply, WriterThread, answer};
use crate::case::{CaseId, outcome_code};
use crate::core::Core;
use crate::enrolment::{Enrolment, Searched, ToEnrol};
use crate::part::Scope;
use crate::prepared::Prepared;
use crate::realm_state::RealmState;
use crate::receipt::Pending;
use crate::references::{Enrolling, References};
use crate::row::Row;
use crate::search::search;
use crate::tail::Tail;
use crate::{Erasure, Error, Identification, Search};

/// A caller that waits for the commit.
pub(super) enum Waiting {
    Enrol(Vec<Enrolment>, Reply<Vec<Enrolment>>),
    Erase(Erasure, Reply<Erasure>),
    /// Where in the group its change stands.
    Keep(usize, Reply<Applied>),
}

impl Waiting {
    pub(super) fn succeed(self, applied: &[Applied]) {
        match self {
            Self::Enrol(enrolments, reply) => answer(reply, Ok(enrolments)),
            Self::Erase(erasure, reply) => answer(reply, Ok(erasure)),
            Self::Keep(place, reply) => {
                let lost = || Error::Incomplete { cause: "the store answered nothing".into() };
                answer(reply, applied.get(place).copied().ok_or_else(lost));
            }
        }
    }

    pub(super) fn fail(self, error: &Error) {
        match self {
            Self::Enrol(_, reply) => answer(reply, Err(error.clone())),
            Self::Erase(_, reply) => answer(reply, Err(error.clone())),
            Self::Keep(_, reply) => answer(reply, Err(error.clone())),
        }
    }
}

/// A realm as it will be once the group is committed.
#[derive(Clone)]
pub(super) struct Working {
    pub(super) realm: Arc<RealmState>,
    pub(super) snapshot: Snapshot,
    pub(super) tail: Tail,
    next_record: RecordNumber,
    next_case: u64,
    pub(super) face_model: Option<(ModelId, usize)>,
    pending: HashMap<RecordNumber, Enrolling>,
}

/// Commands on their way into one transaction.
#[derive(Default)]
pub(super) struct Group {
    pub(super) changes: Vec<Change>,
    pub(super) realms: HashMap<RealmNumber, Working>,
    /// Where in `changes` each enrolment stands, and the numbers it and its case were promised.
    promised: Vec<(usize, RecordNumber, Option<CaseNumber>)>,
    pub(super) replies: Vec<Waiting>,
}

impl Group {
    fn working(&mut self, thread: &WriterThread, realm: &Arc<RealmState>) -> Result<&mut Working, Error> {
        if realm.is_expired() || !thread.tails.contains_key(&realm.number) {
            return Err(Error::Expired(realm.id.clone()));
        }
        match self.realms.entry(realm.number) {
            std::collections::hash_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let counts = thread.core.store.counts(realm.number)?;
                Ok(entry.insert(Working {
                    realm: Arc::clone(realm),
                    snapshot: (**realm.snapshot.load()).clone(),
                    tail: thread.tails[&realm.number].clone(),
                    next_record: counts.next_record(),
                    next_case: counts.next_case,
                    face_model: None,
                    pending: HashMap::new(),
                }))
            }
        }
    }

    /// All of them or none.
    pub(super) fn enrol(
        &mut self,
        thread: &WriterThread,
        commands: Vec<ToEnrol>,
        receipt: &Pending,
    ) -> Result<Vec<Enrolment>, Error> {
        is_first(&thread.core, receipt)?;
        for command in &commands {
            command.check(&thread.core)?;
        }
        let Some(number) = commands.first().map(|first| first.realm.number) else { return Ok(Vec::new()) };
        let is_one = commands.len() == 1; // and changes nothing when it fails
        let before = if is_one { None } else { self.realms.get(&number).cloned() };
        let (changes, promised) = (self.changes.len(), self.promised.len());
        let all = commands.into_iter().map(|command| self.enrol_one(thread, command));
        let all = all.collect::<Result<Vec<Enrolment>, Error>>();
        if all.is_err() && !is_one {
            self.realms.remove(&number);
            self.realms.extend(before.map(|working| (number, working)));
            self.changes.truncate(changes);
            self.promised.truncate(promised);
        }
        let all = all?;
        self.keep(receipt, &all);
        Ok(all)
    }

    /// Puts a receipt beside the change it belongs to.
    fn keep(&mut self, receipt: &Pending, enrolments: &[Enrolment]) {
        self.changes.extend(receipt.take().map(|receipt| {
            let value = Some((receipt.words)(enrolments));
            Change::PutMeta { key: receipt.name, value }
        }));
    }

    fn enrol_one(&mut self, thread: &WriterThread, command: ToEnrol) -> Result<Enrolment, Error> {
        let ToEnrol { realm, encounter, prepared, searched, replaces } = command;
        let (core, replaces) = (&thread.core, replaces.map(|replaced| replaced.record));
        let position = self.changes.len();
        let working = self.working(thread, &realm)?;
        let settles = working.check_face_model(&prepared)?;
        let identification = match searched {
            Some(searched) => Some(working.recheck(core, searched, &encounter, replaces)?),
            None => None,
        };
        let outcome = identification.as_ref().map_or(Outcome::Clear, |i| i.decision.outcome());
        let record = working.next_record;
        let face = prepared.face.as_ref().map(|f| f.vector.clone());
        let row = Arc::new(Row::new(record, &encounter, prepared, **realm.planes.load()));
        working.snapshot = working.tail.append(&working.snapshot, row)?;
        if let Some(replaced) = replaces {
            working.snapshot = working.snapshot.with_erased(replaced);
        }
        working.next_record = RecordNumber::new(record.get() + 1);
        let key = encounter.key();
        working.pending.insert(record, Enrolling { key: key.clone(), face });
        let mut changes = Vec::with_capacity(2);
        if let Some((model, dim)) = settles {
            working.face_model = Some((model.clone(), dim));
            changes.push(Change::SetFaceModel { realm: realm.number, model, dim: dim as u32 });
        }
        let promised = (outcome > Outcome::Clear).then(|| CaseNumber::new(working.next_case));
        working.next_case += u64::from(promised.is_some());
        let case = promised.map(|_| NewCase {
            candidates: identification.iter().flat_map(|i| &i.candidates).map(|c| (c.key(), c.score.value())).collect(),
            outcome: outcome_code(outcome),
        });
        let note = format!("{}, {outcome:?}", if replaces.is_some() { "revise" } else { "enrol" });
        changes.push(Change::Enrol { realm: realm.number, encounter, replaces, case, note });
        self.promised.push((position + changes.len() - 1, record, promised));
        self.changes.extend(changes);
        let case = promised.map(|number| CaseId(number.get()));
        Ok(Enrolment { encounter: key.encounter, subject: key.subject, identification, case })
    }

    pub(super) fn erase(
        &mut self,
        thread: &WriterThread,
        command: &EraseCommand,
        receipt: &Pending,
    ) -> Result<Erasure, Error> {
        is_first(&thread.core, receipt)?;
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
        self.keep(receipt, &[]);
        Ok(Erasure { encounters })
    }

    /// The catalogue gave every enrolment the number its row carries, and every case the one that was told.
    pub(super) fn confirm(&self, applied: &[Applied]) -> Result<(), Error> {
        for &(position, record, case) in &self.promised {
            if applied.get(position) != Some(&Applied::Enrolled { record, case }) {
                return Err(Error::Incomplete { cause: format!("{record} was not enrolled as announced") });
            }
        }
        Ok(())
    }
}

/// Refuses a change that was done before, by what its receipt is called.
fn is_first(core: &Core, receipt: &Pending) -> Result<(), Error> {
    match receipt.name() {
        Some(name) if core.store.meta(&name)?.is_some() => Err(Error::HasReceipt),
        _ => Ok(()),
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
    fn recheck(
        &mut self,
        core: &Core,
        searched: Searched,
        encounter: &Encounter,
        replaced: Option<RecordNumber>,
    ) -> Result<Identification, Error> {
        let request = Search { except: Some(encounter.subject.clone()), ..Search::default() };
        let realm = Arc::clone(&self.realm);
        let references = References { core, realm: &realm, pending: std::mem::take(&mut self.pending), replaced };
        let scope = Scope { from: searched.unseen, ..Scope::all(&request) };
        let since = search(&references, &self.snapshot, &searched.probe, &scope);
        let answer = since.and_then(|since| Identification::of(&references, searched.search.and(since), &request));
        self.pending = references.pending;
        answer
    }
}
