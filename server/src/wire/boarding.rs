//! May this traveller board? A decision and nothing else: no score, no name, no rank.

use khop::{Identification, Outcome};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::{Fault, Problem};
use crate::wire::decision::BoardingDecision;
use crate::wire::sample::SampleBody;

/// Samples of the traveller at the gate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BoardingRequest {
    /// A face, fingers, or both.
    pub(crate) samples: Vec<SampleBody>,
}

/// The answer to a gate. Anything but `match` goes to a human; so does any status but 200.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BoardingAnswer {
    decision: BoardingDecision,
    /// What to do.
    message: &'static str,
}

impl TryFrom<Identification> for BoardingAnswer {
    type Error = Problem;

    fn try_from(found: Identification) -> Result<Self, Problem> {
        if found.searched == 0 {
            return Err(Problem::new(Fault::Incomplete, "nobody is enrolled for this flight"));
        }
        let (decision, message) = match found.decision.outcome() {
            Outcome::Hit => (BoardingDecision::Match, "let the traveller board"),
            Outcome::Adjudicate => (BoardingDecision::Undetermined, "too close to call: ask a human to decide"),
            Outcome::Clear => (BoardingDecision::NoMatch, "not found on the list: ask a human to check"),
        };
        Ok(Self { decision, message })
    }
}
