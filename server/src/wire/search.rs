//! Who is this, and is it who it claims to be? Bodies of verification and identification.

use khop::{
    Candidate, Claim, Effort, EncounterId, EncounterKey, Evidence, Filter, GalleryId, Identification, Outcome, Region,
    Score, Search, SubjectId, Verification,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::wire::attributes::SexName;
use crate::wire::field::at;
use crate::wire::sample::SampleBody;

/// Most candidates one search returns.
const MAX_CANDIDATES: u32 = 50;

/// Is the person who gave these samples the one claimed?
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyRequest {
    /// The person claimed; the best of their encounters speaks.
    pub(crate) subject_id: String,
    /// Compare with this encounter of theirs only.
    pub(crate) encounter_id: Option<String>,
    /// One face and up to ten fingers.
    pub(crate) samples: Vec<SampleBody>,
}

impl VerifyRequest {
    pub(crate) fn claim(&self) -> Result<Claim, Problem> {
        let subject = SubjectId::new(&self.subject_id).map_err(at("subject_id"))?;
        let encounter = self.encounter_id.as_ref().map(EncounterId::new).transpose().map_err(at("encounter_id"))?;
        Ok(Claim { encounter, ..Claim::of(subject) })
    }
}

/// Yes or no.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Match {
    /// The score reaches the threshold.
    Match,
    /// It does not.
    NoMatch,
}

/// The answer to a claim.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerifyAnswer {
    decision: Match,
    /// −10·log10 of the false match rate: 40 means one false match in 10 000.
    score: f32,
    /// The false match rate the score stands for.
    fmr: f64,
    /// Natural logarithm of the likelihood ratio, nats.
    llr: f32,
    /// The score from which the decision is `match`.
    threshold: f32,
    /// Trait by trait.
    evidence: Vec<EvidenceBody>,
}

impl From<Verification> for VerifyAnswer {
    fn from(v: Verification) -> Self {
        Self {
            decision: if v.is_match { Match::Match } else { Match::NoMatch },
            score: v.score.value(),
            fmr: v.fmr.value(),
            llr: v.llr.nats(),
            threshold: v.threshold.value(),
            evidence: v.evidence.iter().map(Into::into).collect(),
        }
    }
}

/// What one trait says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceBody {
    /// `FACE` or a finger, for instance `RIGHT_INDEX`.
    #[serde(rename = "trait")]
    of: String,
    /// Its score alone.
    score: f32,
    /// Its contribution, nats.
    llr: f32,
}

impl From<&Evidence> for EvidenceBody {
    fn from(evidence: &Evidence) -> Self {
        Self { of: evidence.of.to_string(), score: evidence.score.value(), llr: evidence.llr.nats() }
    }
}

/// Whose are these samples?
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentifyRequest {
    /// One face and up to ten fingers; either these or `subject_id` and `encounter_id`.
    #[serde(default)]
    pub(crate) samples: Vec<SampleBody>,
    /// Search for this person, who is left out,
    pub(crate) subject_id: Option<String>,
    /// with the samples of this encounter of theirs.
    pub(crate) encounter_id: Option<String>,
    /// Where to look; `ALL`, the default, stands for every encounter of the realm.
    pub(crate) gallery: Option<String>,
    /// Whom to look at.
    #[serde(default)]
    pub(crate) filter: FilterBody,
    /// Most candidates returned, 1 to 50. Default 10.
    #[schema(minimum = 1, maximum = 50, default = 10)]
    pub(crate) limit: Option<u32>,
    /// Lowest score listed, 0 to 200. Default: all with evidence for them. The decision does not depend on it.
    #[schema(minimum = 0, maximum = 200)]
    pub(crate) threshold: Option<f32>,
    /// A subject to leave out.
    pub(crate) except: Option<String>,
    /// The probability, 0 to 0.5, with which the scan may miss a mate's face at its threshold; the answer says what
    /// was promised. Default 0: nobody is missed.
    #[schema(minimum = 0, maximum = 0.5, default = 0)]
    pub(crate) loss: Option<f64>,
}

/// Conditions on attributes; all must hold, and an encounter without the attribute fails.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FilterBody {
    /// Born in this year or later.
    year_of_birth_min: Option<u16>,
    /// Born in this year or earlier.
    year_of_birth_max: Option<u16>,
    /// Of this sex.
    sex: Option<SexName>,
    /// Registered in this region.
    region: Option<String>,
}

impl IdentifyRequest {
    pub(crate) fn search(&self) -> Result<Search, Problem> {
        let limit = self.limit.unwrap_or(10);
        if !(1..=MAX_CANDIDATES).contains(&limit) {
            return Err(Problem::field("limit", format!("expected 1 to {MAX_CANDIDATES}, got {limit}")));
        }
        let threshold = match self.threshold {
            Some(t) if !(0.0..=200.0).contains(&t) => {
                return Err(Problem::field("threshold", "expected a score from 0 to 200"));
            }
            given => given.map(Score::new),
        };
        let gallery = self.gallery.as_ref().map_or_else(|| Ok(GalleryId::all()), GalleryId::new);
        let region = self.filter.region.as_ref().map(Region::new).transpose();
        let filter = Filter {
            year_of_birth_min: self.filter.year_of_birth_min,
            year_of_birth_max: self.filter.year_of_birth_max,
            sex: self.filter.sex.map(Into::into),
            region: region.map_err(at("filter.region"))?,
        };
        let except = self.except.as_ref().map(SubjectId::new).transpose().map_err(at("except"))?;
        let gallery = gallery.map_err(at("gallery"))?;
        let effort = Effort { loss: self.loss.unwrap_or(0.0), ..Effort::default() };
        Ok(Search { gallery, filter, limit: limit as usize, threshold, except, effort, ..Search::default() })
    }

    pub(crate) fn encounter(&self) -> Result<Option<EncounterKey>, Problem> {
        match (&self.subject_id, &self.encounter_id) {
            (None, None) if !self.samples.is_empty() => Ok(None),
            (Some(subject), Some(encounter)) if self.samples.is_empty() => {
                let subject = SubjectId::new(subject).map_err(at("subject_id"))?;
                let encounter = EncounterId::new(encounter).map_err(at("encounter_id"))?;
                Ok(Some(EncounterKey { subject, encounter }))
            }
            _ => Err(Problem::field("samples", "expected either samples, or subject_id and encounter_id")),
        }
    }
}

/// What follows from a completed search.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SearchDecision {
    /// At least one candidate is a hit.
    Hit,
    /// At least one candidate is too close to be waved through: a human decides.
    Adjudicate,
    /// Nobody comes near.
    Clear,
}

impl From<Outcome> for SearchDecision {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Hit => Self::Hit,
            Outcome::Adjudicate => Self::Adjudicate,
            Outcome::Clear => Self::Clear,
        }
    }
}

/// What a completed search found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchAnswer {
    decision: SearchDecision,
    /// The score from which a candidate is a hit, for the references searched.
    hit_threshold: f32,
    /// The score from which a human decides.
    adjudicate_threshold: f32,
    /// Best first.
    candidates: Vec<CandidateBody>,
    /// Whether more reached the threshold than `limit` let through.
    more: bool,
    /// References searched.
    searched: u64,
    /// Full comparisons made.
    compared: u64,
    /// What the scan of faces may have missed, in words.
    guarantee: String,
}

impl From<Identification> for SearchAnswer {
    fn from(found: Identification) -> Self {
        let thresholds = found.decision.thresholds();
        Self {
            decision: found.decision.outcome().into(),
            hit_threshold: thresholds.hit.value(),
            adjudicate_threshold: thresholds.adjudicate.value(),
            candidates: found.candidates.iter().map(Into::into).collect(),
            more: found.more,
            searched: found.searched,
            compared: found.compared,
            guarantee: found.explanation.guarantee.to_string(),
        }
    }
}

/// A person found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CandidateBody {
    subject_id: String,
    /// The encounter with the most evidence.
    encounter_id: String,
    /// −10·log10 of the false match rate.
    score: f32,
    /// The false match rate the score stands for.
    fmr: f64,
    /// Fused evidence, nats.
    llr: f32,
    /// Trait by trait.
    evidence: Vec<EvidenceBody>,
}

impl From<&Candidate> for CandidateBody {
    fn from(candidate: &Candidate) -> Self {
        Self {
            subject_id: candidate.subject.to_string(),
            encounter_id: candidate.encounter.to_string(),
            score: candidate.score.value(),
            fmr: candidate.score.fmr().value(),
            llr: candidate.llr.nats(),
            evidence: candidate.evidence.iter().map(Into::into).collect(),
        }
    }
}
