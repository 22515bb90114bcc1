//! Whom did a search find? A subject, the encounter that speaks for it, and the evidence.

use crate::{EncounterId, EncounterKey, FingerPosition, Llr, Score, SubjectId};

/// One thing that can be compared on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trait {
    /// One finger.
    Finger(FingerPosition),
    /// The face.
    Face,
}

impl std::fmt::Display for Trait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Finger(position) => f.write_str(position.name()),
            Self::Face => f.write_str("FACE"),
        }
    }
}

/// What one trait says about a candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Which trait.
    pub of: Trait,
    /// Its score alone.
    pub score: Score,
    /// Its contribution to the sum, clipped.
    pub llr: Llr,
}

/// A reference that a search returns, best encounter of its subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The person.
    pub subject: SubjectId,
    /// The encounter with the highest fused evidence.
    pub encounter: EncounterId,
    /// [`Llr::score`] of `llr` where several traits speak, the trait's own calibrated score where only one does.
    pub score: Score,
    /// Fused evidence in nats.
    pub llr: Llr,
    /// As much of `score` as measurement stands behind: hits are decided on it. Where one trait speaks, its score up to
    /// the rate at which its calibration was verified (the policy's cap); where several do, `score` itself.
    pub verified: Score,
    /// Trait by trait, fingers in code order, face last.
    pub evidence: Vec<Evidence>,
}

impl Candidate {
    /// The encounter that speaks for the subject.
    #[must_use]
    pub fn key(&self) -> EncounterKey {
        EncounterKey { subject: self.subject.clone(), encounter: self.encounter.clone() }
    }
}
