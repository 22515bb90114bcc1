//! What came of an enrolment or an erasure, and what is left for humans to decide?

use khop::{Case, Enrolment, Erasure, GalleryId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;
use crate::wire::search::{CandidateBody, SearchDecision};

/// Most cases one page lists.
const MAX_PAGE: u32 = 1000;

/// An encounter that is on stable storage.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnrolAnswer {
    encounter_id: String,
    subject_id: String,
    /// What the duplicate search says; absent, like all that follows, when the request said `"check": false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<SearchDecision>,
    /// Whom the encounter looks like, best first.
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates: Option<Vec<CandidateBody>>,
    /// Whether there are more candidates than listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
    /// References searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    searched: Option<u64>,
    /// The case opened for a human, when the decision is `hit` or `adjudicate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    case_id: Option<u64>,
}

impl From<Enrolment> for EnrolAnswer {
    fn from(enrolment: Enrolment) -> Self {
        let found = enrolment.identification.as_ref();
        Self {
            encounter_id: enrolment.encounter.to_string(),
            subject_id: enrolment.subject.to_string(),
            decision: found.map(|found| found.decision.outcome().into()),
            candidates: found.map(|found| found.candidates.iter().map(Into::into).collect()),
            more: found.map(|found| found.more),
            searched: found.map(|found| found.searched),
            case_id: enrolment.case.map(|case| case.0),
        }
    }
}

/// Encounters that nothing can reach any more.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErasureAnswer {
    erased_encounters: Vec<String>,
}

impl From<Erasure> for ErasureAnswer {
    fn from(erasure: Erasure) -> Self {
        Self { erased_encounters: erasure.encounters.iter().map(|key| key.encounter.to_string()).collect() }
    }
}

/// Names of galleries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GalleriesAnswer {
    galleries: Vec<String>,
}

impl GalleriesAnswer {
    pub(crate) fn of(galleries: &[GalleryId]) -> Self {
        Self { galleries: galleries.iter().map(ToString::to_string).collect() }
    }
}

/// Which cases.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CasesQuery {
    /// Only cases with a higher number: the last one of the page before.
    after: Option<u64>,
    /// At most so many, 1 to 1000. Default 100.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// A checked [`CasesQuery`].
pub(crate) struct Page {
    after: Option<u64>,
    limit: usize,
}

impl CasesQuery {
    pub(crate) fn page(&self) -> Result<Page, Problem> {
        let limit = self.limit.unwrap_or(100);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Problem::field("limit", format!("expected 1 to {MAX_PAGE}, got {limit}")));
        }
        Ok(Page { after: self.after, limit: limit as usize })
    }
}

impl Page {
    pub(crate) fn of(&self, mut cases: Vec<Case>) -> CasesAnswer {
        cases.sort_by_key(|case| case.id);
        let mut rest = cases.into_iter().filter(|case| self.after.is_none_or(|after| case.id.0 > after));
        let page: Vec<CaseBody> = rest.by_ref().take(self.limit).map(Into::into).collect();
        CasesAnswer { cases: page, more: rest.next().is_some() }
    }
}

/// One page of cases.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CasesAnswer {
    cases: Vec<CaseBody>,
    /// Whether there are cases behind the last one listed.
    more: bool,
}

/// A possible duplicate that waits for a human.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseBody {
    case_id: u64,
    /// Whose encounter it is.
    subject_id: String,
    /// The encounter that was enrolled.
    encounter_id: String,
    decision: SearchDecision,
    /// Whom it looks like.
    candidates: Vec<CaseCandidate>,
}

/// An enrolled encounter that a case points to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseCandidate {
    subject_id: String,
    encounter_id: String,
    /// −10·log10 of the false match rate.
    score: f32,
}

impl From<Case> for CaseBody {
    fn from(case: Case) -> Self {
        let candidate = |(key, score): (khop::EncounterKey, khop::Score)| CaseCandidate {
            subject_id: key.subject.to_string(),
            encounter_id: key.encounter.to_string(),
            score: score.value(),
        };
        Self {
            case_id: case.id.0,
            subject_id: case.encounter.subject.to_string(),
            encounter_id: case.encounter.encounter.to_string(),
            decision: case.outcome.into(),
            candidates: case.candidates.into_iter().map(candidate).collect(),
        }
    }
}
