//! Is this person new? One encounter searched against everyone and taken into the catalogue.

use khop_store::{RecordNumber, Snapshot};
use khop_vocabulary::{Encounter, EncounterId, Outcome, Score, SubjectId};

use crate::prepared::Prepared;
use crate::references::References;
use crate::search::{CompletedSearch, ProbeSet, Scope, search};
use crate::writer::EnrolCommand;
use crate::{Error, Identification, Realm, Search};

/// Whether an enrolment is searched against everyone first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateCheck {
    /// Search the whole realm; open a case when somebody comes near.
    Search,
    /// Take it as it is: for galleries that were checked elsewhere, and for measurements.
    Skip,
}

/// A case number, unique in its realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId(pub u64);

/// A possible duplicate that waits for a human.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// The encounter that was enrolled.
    pub encounter: EncounterId,
    /// Hit or adjudicate.
    pub outcome: Outcome,
    /// Whom it looks like, with scores.
    pub candidates: Vec<(EncounterId, Score)>,
}

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

impl Realm {
    /// Enrols an encounter; it can be found by every search that starts after this returns.
    ///
    /// The duplicate search runs on the snapshot of the moment; the single writer then searches what was enrolled
    /// meanwhile, so that of two simultaneous enrolments of one person at least one opens a case. Everything is
    /// stored whatever the decision: nothing that was captured is lost. Other encounters of the same subject are no
    /// duplicates.
    ///
    /// # Errors
    /// Bad samples or attributes, an encounter id that exists, another face model than the realm's, an expired realm,
    /// a search that could not be completed, or a failed write. In each case nothing was enrolled.
    pub fn enrol(&self, encounter: Encounter, check: DuplicateCheck) -> Result<Enrolment, Error> {
        let state = self.state()?;
        encounter.attributes.validate()?;
        if let Some(reserved) = encounter.galleries.iter().find(|g| g.is_all()) {
            let cause = format!("{reserved} stands for every gallery and cannot be named");
            return Err(Error::BadInput { field: "galleries", cause });
        }
        if self.core.store.find_encounter(state.number, &encounter.id)?.is_some() {
            return Err(Error::EncounterExists(encounter.id));
        }
        let (prepared, searched) = self.core.pool.install(|| -> Result<_, Error> {
            let prepared = Prepared::of(&encounter.samples)?;
            if let Some(face) = &prepared.face {
                state.check_face_model(&face.model, face.vector.dim())?;
            }
            if check == DuplicateCheck::Skip {
                return Ok((prepared, None));
            }
            let probe = ProbeSet::of(&prepared, &self.core, &state)?;
            let snapshot = state.snapshot.load_full();
            let unseen = next_record(&snapshot);
            let request = Search::default();
            let scope = Scope::all(&request.gallery, &request.filter);
            let references = References::committed(&self.core, &state);
            let search = search(&references, &snapshot, &probe, &scope).or_else(CompletedSearch::unless_comparable)?;
            Ok((prepared, Some(Searched { probe, search, unseen })))
        })?;
        self.writer.enrol(EnrolCommand { realm: state, encounter, prepared, searched })
    }

    /// Possible duplicates that wait for a human.
    ///
    /// # Errors
    /// An expired realm or a damaged catalogue.
    pub fn cases(&self) -> Result<Vec<Case>, Error> {
        let state = self.state()?;
        let cases = self.core.store.cases(state.number)?;
        Ok(cases.into_iter().map(Case::from).collect())
    }
}

/// The first record number that a snapshot cannot hold.
fn next_record(snapshot: &Snapshot) -> RecordNumber {
    let segments = snapshot.views().iter().map(|v| &v.segment).filter(|s| s.rows() > 0);
    let after = |s: &std::sync::Arc<khop_store::Segment>| s.record(s.rows() - 1).get() + 1;
    RecordNumber::new(segments.map(after).max().unwrap_or(0))
}

/// How the catalogue writes an outcome.
pub(crate) fn outcome_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Clear => 0,
        Outcome::Adjudicate => 1,
        Outcome::Hit => 2,
    }
}

impl From<khop_store::CaseRecord> for Case {
    fn from(record: khop_store::CaseRecord) -> Self {
        let outcome = match record.outcome {
            0 => Outcome::Clear,
            1 => Outcome::Adjudicate,
            _ => Outcome::Hit,
        };
        let candidates = record.candidates.into_iter().map(|(id, score)| (id, Score::new(score))).collect();
        Self { id: CaseId(record.number.get()), encounter: record.encounter, outcome, candidates }
    }
}
