//! Whom did a search find? Candidates with their ranks, and scores no finer than a registry needs.

use khop::{Candidate, GalleryId, Realm, Score, Trait};
use serde::Serialize;
use utoipa::ToSchema;

use super::words::{BiometricSubType, BiometricType};

/// Scores are told in steps of this: a factor of ten in the false match rate. Finer ones would tell an attacker whether a
/// small change of a probe brought it nearer.
pub(crate) const BAND: f32 = 10.0;

/// A person found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = osia::Candidate)]
pub(crate) struct CandidateBody {
    person_id: String,
    /// From 1.
    rank: i32,
    /// −10·log10 of the false match rate, rounded down to tens.
    score: f32,
    /// Trait by trait.
    scores: Vec<ScoreDetail>,
}

/// What one trait says.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = osia::ScoreDetail)]
pub(crate) struct ScoreDetail {
    /// Rounded down to tens.
    score: f32,
    encounter_id: String,
    /// Where the encounter is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    galleries: Vec<String>,
    biometric_type: BiometricType,
    biometric_sub_type: BiometricSubType,
}

/// The candidates as they are told; where all galleries were searched, with those that each is in.
pub(crate) fn told(realm: &Realm, searched: &GalleryId, candidates: Vec<Candidate>) -> Vec<CandidateBody> {
    let one = |(index, candidate): (usize, Candidate)| {
        // Somebody who was erased meanwhile is in none.
        let encounter = if searched.is_all() { realm.read(&candidate.key()).ok() } else { None };
        let galleries = encounter.map(|encounter| encounter.galleries.iter().map(ToString::to_string).collect());
        let galleries: Vec<String> = galleries.unwrap_or_default();
        let detail = |evidence: &khop::Evidence| {
            let (biometric_type, name) = match evidence.of {
                Trait::Finger(position) => (BiometricType::FINGER, position.name()),
                Trait::Face => (BiometricType::FACE, "PORTRAIT"),
            };
            let sub_type = serde_json::from_value(name.into());
            ScoreDetail {
                score: band(evidence.score),
                encounter_id: candidate.encounter.to_string(),
                galleries: galleries.clone(),
                biometric_type,
                biometric_sub_type: sub_type.unwrap_or(BiometricSubType::UNKNOWN),
            }
        };
        CandidateBody {
            person_id: candidate.subject.to_string(),
            rank: index as i32 + 1,
            score: band(candidate.score),
            scores: candidate.evidence.iter().map(detail).collect(),
        }
    };
    candidates.into_iter().enumerate().map(one).collect()
}

fn band(score: Score) -> f32 {
    (score.value() / BAND).floor() * BAND
}
