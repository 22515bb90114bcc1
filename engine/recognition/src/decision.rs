//! What follows from a search? An outcome, which only a completed search can give.

use khop_vocabulary::{Candidate, Outcome, Policy, Thresholds};

use crate::search::CompletedSearch;

/// An outcome with the thresholds that gave it.
///
/// Its only maker takes a completed search: a search that failed half-way cannot say "clear".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    outcome: Outcome,
    thresholds: Thresholds,
}

impl Decision {
    pub(crate) fn of(search: &CompletedSearch, candidates: &[Candidate], policy: &Policy) -> Self {
        let thresholds = policy.thresholds(search.searched);
        let outcome = candidates.iter().map(|c| thresholds.outcome(c)).max().unwrap_or(Outcome::Clear);
        Self { outcome, thresholds }
    }

    /// Hit, adjudicate or clear.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The scores from which a candidate is a hit or goes to a human, for the references searched.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds
    }
}
