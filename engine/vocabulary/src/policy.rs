//! How much error is acceptable? A policy, the thresholds that follow from it, and the outcome they give.

use crate::{Candidate, Fmr, Fpir, Llr, Score};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Nobody comes near.
    Clear,
    /// No hit, but too close to be waved through: a human decides.
    Adjudicate,
    /// At least one candidate reaches the hit threshold.
    Hit,
}

/// Fused scores from which a candidate is a hit or goes to a human.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// [`Candidate::verified`] at or above: hit.
    pub hit: Score,
    /// [`Candidate::score`] at or above, and no hit: adjudicate.
    pub adjudicate: Score,
}

/// How much error is acceptable. Thresholds follow from it and the number of references searched.
///
/// By Markov's inequality a calibrated likelihood ratio satisfies P(LLR ≥ t | non-mated) ≤ e^−t, so
/// t = ln(N/α) holds the false-positive identification rate at or below α for N references.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// FPIR for a hit. Default 0.001.
    pub hit_fpir: Fpir,
    /// Expected false candidates per search that a human may be asked about. Default 0.1.
    pub adjudicate_fpir: Fpir,
    /// FMR at which a 1:1 verification says yes. Default 0.0001 (NIST SP 800-63B-4 asks for no more).
    pub verify_fmr: Fmr,
    /// A single finger's likelihood ratio counts at most this much, nats, and its score alone decides up to the same
    /// rate. Default 6 (FMR 0.0025), what its calibration verified.
    pub finger_cap: Llr,
    /// The same for a face. Default 13.8 (FMR 1e-6): twins exist.
    pub face_cap: Llr,
}

/// A policy that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// A threshold would be infinite.
    #[error("policy {field}: expected a rate above 0, got 0")]
    ZeroRate {
        /// Which field.
        field: &'static str,
    },
    /// Adjudication stricter than the hit.
    #[error("policy adjudicate_fpir: expected at least hit_fpir ({hit}), got {adjudicate}")]
    Order {
        /// Rate for a hit.
        hit: f64,
        /// Rate for adjudication.
        adjudicate: f64,
    },
}

impl Default for Policy {
    fn default() -> Self {
        let rate = |v| Fpir::new(v).expect("a constant between 0 and 1");
        Self {
            hit_fpir: rate(1e-3),
            adjudicate_fpir: rate(0.1),
            verify_fmr: Fmr::new(1e-4).expect("a constant between 0 and 1"),
            finger_cap: Llr::new(6.0),
            face_cap: Llr::new(13.8),
        }
    }
}

impl Policy {
    /// Whether thresholds can be derived from it.
    ///
    /// # Errors
    /// [`PolicyError`] names the field.
    pub fn validate(&self) -> Result<(), PolicyError> {
        for (field, rate) in [("hit_fpir", self.hit_fpir), ("adjudicate_fpir", self.adjudicate_fpir)] {
            if rate.value() <= 0.0 {
                return Err(PolicyError::ZeroRate { field });
            }
        }
        let (hit, adjudicate) = (self.hit_fpir.value(), self.adjudicate_fpir.value());
        if adjudicate < hit { Err(PolicyError::Order { hit, adjudicate }) } else { Ok(()) }
    }

    /// Thresholds on the fused score for a search over `references` references: ln(N/α) on the score scale.
    #[must_use]
    pub fn thresholds(&self, references: u64) -> Thresholds {
        let n = references.max(1) as f64;
        let at = |fpir: Fpir| Llr::new((n / fpir.value()).ln() as f32).score();
        Thresholds { hit: at(self.hit_fpir), adjudicate: at(self.adjudicate_fpir) }
    }
}

impl Thresholds {
    /// The outcome for one candidate.
    ///
    /// A hit needs a score within what was verified, so that one trait alone never decides beyond the FMR at which it was
    /// verified. For a human to look, the trait's own score, its tail model included, is enough.
    #[must_use]
    pub fn outcome(&self, candidate: &Candidate) -> Outcome {
        if candidate.verified >= self.hit {
            Outcome::Hit
        } else if candidate.score >= self.adjudicate {
            Outcome::Adjudicate
        } else {
            Outcome::Clear
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_follow_the_gallery() {
        let policy = Policy::default();
        let million = policy.thresholds(1_000_000);
        assert!((million.hit.value() - 90.0).abs() < 1e-3, "{million:?}"); // ln(1e6/1e-3) = 20.7 nats = 90
        let ten_million = policy.thresholds(10_000_000);
        assert!((ten_million.hit.value() - million.hit.value() - 10.0).abs() < 1e-3);
        assert!(million.adjudicate < million.hit);
    }

    #[test]
    fn one_trait_alone_is_no_hit_beyond_its_cap() {
        let id = |text| crate::SubjectId::new(text).unwrap();
        let candidate = |score, llr, verified| Candidate {
            subject: id("a"),
            encounter: crate::EncounterId::new("a1").unwrap(),
            score: Score::new(score),
            llr: Llr::new(llr),
            verified: Score::new(verified),
            evidence: vec![],
        };
        let thresholds = Policy::default().thresholds(1_000_000);
        assert_eq!(thresholds.outcome(&candidate(150.0, 13.8, 60.0)), Outcome::Adjudicate);
        assert_eq!(thresholds.outcome(&candidate(95.0, 22.0, 95.0)), Outcome::Hit);
        assert_eq!(thresholds.outcome(&candidate(20.0, 4.6, 20.0)), Outcome::Clear);
    }

    #[test]
    fn an_impossible_policy_is_refused() {
        let rate = |v| Fpir::new(v).unwrap();
        assert!(Policy { hit_fpir: rate(0.0), ..Policy::default() }.validate().is_err());
        assert!(Policy { adjudicate_fpir: rate(1e-6), ..Policy::default() }.validate().is_err());
        assert!(Policy::default().validate().is_ok());
    }
}
