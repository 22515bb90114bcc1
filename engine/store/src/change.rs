//! What is to be done to the store, and what came of it?

use std::collections::BTreeSet;

use khop_vocabulary::{Encounter, EncounterKey, ModelId, RealmId};

use crate::{CaseNumber, RealmNumber, RecordNumber, SegmentNumber, SegmentRecord, TaskNumber};

/// One change of the catalogue. Notes go to the audit chain: name who asked and why, never anything biometric.
#[derive(Debug, Clone)]
pub enum Change {
    /// Makes a realm.
    CreateRealm {
        /// Its name, unique in the store.
        id: RealmId,
        /// When it is to be dropped, seconds since 1970; the store keeps it, the engine acts on it.
        expires_at_unix_s: Option<u64>,
        /// For the audit chain.
        note: String,
    },
    /// Says which face model a realm's vectors are of. Once, and before the first face.
    SetFaceModel {
        /// The realm.
        realm: RealmNumber,
        /// The model.
        model: ModelId,
        /// Values a vector.
        dim: u32,
    },
    /// Removes a realm with everything in it, segment files included.
    DropRealm {
        /// The realm.
        realm: RealmNumber,
        /// For the audit chain.
        note: String,
    },
    /// Adds an encounter, unless its subject has one of this id already.
    Enrol {
        /// The realm.
        realm: RealmNumber,
        /// As received.
        encounter: Encounter,
        /// The encounter as it was until now, under this name or another, of this subject or another; its number is
        /// given up. Cases that name it go on under its new name, but those that would ask whether a subject is itself.
        replaces: Option<RecordNumber>,
        /// What a human has to look at, if anything.
        case: Option<NewCase>,
        /// For the audit chain.
        note: String,
    },
    /// Removes an encounter: its samples, its identity, its index entries, its cases and its mention in others'.
    Erase {
        /// The realm.
        realm: RealmNumber,
        /// The encounter.
        record: RecordNumber,
        /// For the audit chain.
        note: String,
    },
    /// Removes a case that was decided.
    CloseCase {
        /// The realm.
        realm: RealmNumber,
        /// The case.
        case: CaseNumber,
        /// For the audit chain: what was decided.
        note: String,
    },
    /// Makes segments live and others dead, at once; dead ones lose their files after the commit.
    SetSegments {
        /// The realm.
        realm: RealmNumber,
        /// Written by [`crate::Store::write_segment`].
        add: Vec<SegmentRecord>,
        /// Live until now.
        remove: Vec<SegmentNumber>,
    },
    /// Makes these the live segments of a realm, whatever was live before and however damaged the list of it is.
    ReplaceSegments {
        /// The realm.
        realm: RealmNumber,
        /// Written by [`crate::Store::write_segment`].
        with: Vec<SegmentRecord>,
    },
    /// Keeps some bytes of the caller's under a number of its own: what was promised and is not done yet. Not audited.
    AddTask {
        /// The realm.
        realm: RealmNumber,
        /// The caller's bytes.
        value: Vec<u8>,
    },
    /// Keeps other bytes of a task, or with `None` removes it: [`crate::Store::forget`] then ends all of them. Not audited.
    SetTask {
        /// The realm.
        realm: RealmNumber,
        /// The task.
        task: TaskNumber,
        /// The caller's bytes.
        value: Option<Vec<u8>>,
    },
    /// Keeps, or with `None` forgets, some bytes of the caller's: an idempotency key, a position in a stream.
    /// Not audited.
    PutMeta {
        /// The caller's key.
        key: String,
        /// The caller's bytes.
        value: Option<Vec<u8>>,
    },
}

impl CaseRecord {
    /// Every encounter it names, each once.
    pub(crate) fn names(&self) -> BTreeSet<&EncounterKey> {
        self.candidates.iter().map(|(candidate, _)| candidate).chain([&self.encounter]).collect()
    }
}

impl Change {
    /// The segments that it makes live.
    pub(crate) fn segments_added(&self) -> impl Iterator<Item = (RealmNumber, SegmentNumber)> + '_ {
        let (realm, added) = match self {
            Self::SetSegments { realm, add, .. } => (*realm, &add[..]),
            Self::ReplaceSegments { realm, with } => (*realm, &with[..]),
            _ => (RealmNumber::new(u32::MAX), &[][..]),
        };
        added.iter().map(move |segment| (realm, segment.number))
    }
}

/// A case to be made with an encounter.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCase {
    /// Who was found, with scores, best first.
    pub candidates: Vec<(EncounterKey, f32)>,
    /// The engine's outcome code, as it likes.
    pub outcome: u8,
}

/// A case that waits for a human.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseRecord {
    /// Its number.
    pub number: CaseNumber,
    /// The encounter that was enrolled.
    pub record: RecordNumber,
    /// Which one that is.
    pub encounter: EncounterKey,
    /// Who was found, with scores, best first; erased ones are gone from here.
    pub candidates: Vec<(EncounterKey, f32)>,
    /// The engine's outcome code.
    pub outcome: u8,
}

/// What came of a change. Whatever is not done leaves the other changes of the same commit alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// Done, nothing more to say.
    Done,
    /// The realm was made.
    Created {
        /// Its number.
        realm: RealmNumber,
    },
    /// The encounter was added, or stands in the place of the one it replaces.
    Enrolled {
        /// Its number.
        record: RecordNumber,
        /// The number of its case, if one was given.
        case: Option<CaseNumber>,
    },
    /// Not done: the subject has another encounter of this id.
    Exists {
        /// Its number.
        record: RecordNumber,
    },
    /// Not done: a realm of this id is there.
    RealmExists {
        /// Its number.
        realm: RealmNumber,
    },
    /// The task was added.
    Tasked {
        /// Its number.
        task: TaskNumber,
    },
    /// The encounter was removed.
    Erased,
    /// The realm was removed.
    Dropped {
        /// Encounters that went with it.
        records: u64,
        /// Segments that went with it.
        segments: u32,
    },
    /// Not done: no such realm.
    UnknownRealm,
    /// Not done: no such record, case, segment or task, or it went before.
    NotFound,
    /// Not done: the realm's vectors are of another face model.
    OtherFaceModel,
}
