//! What is an enrolment, before and after its commit? What the writer is handed, and what the caller gets.

use std::sync::Arc;

use khop_store::RecordNumber;
use khop_vocabulary::{Encounter, EncounterId, EncounterKey, SubjectId};

use crate::case::CaseId;
use crate::identify::Identification;
use crate::prepared::Prepared;
use crate::probe_set::ProbeSet;
use crate::realm_state::RealmState;
use crate::search::CompletedSearch;

/// An enrolment that is on stable storage.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrolment {
    /// The encounter.
    pub encounter: EncounterId,
    /// Whose it is said to be.
    pub subject: SubjectId,
    /// What the duplicate search found; `None` when it was skipped.
    pub identification: Option<Identification>,
    /// The case opened, if the search was not clear.
    pub case: Option<CaseId>,
}

/// What the caller's thread did, to be completed by the writer.
pub(crate) struct Searched {
    pub(crate) probe: ProbeSet,
    pub(crate) search: CompletedSearch,
    /// The first record the search could not have seen.
    pub(crate) unseen: RecordNumber,
}

/// An enrolment that has been searched on a snapshot and waits to be rechecked and committed.
pub(crate) struct ToEnrol {
    pub(crate) realm: Arc<RealmState>,
    pub(crate) encounter: Encounter,
    pub(crate) prepared: Prepared,
    pub(crate) searched: Option<Searched>,
    pub(crate) replaces: Option<Replaced>,
}

/// An encounter as it was read, to be replaced if it is still that one.
pub(crate) struct Replaced {
    pub(crate) key: EncounterKey,
    pub(crate) record: RecordNumber,
}
