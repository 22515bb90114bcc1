//! What does a gate learn? Three words.

use serde::Serialize;
use utoipa::ToSchema;

/// What the gate is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BoardingDecision {
    /// The traveller is on the flight's list.
    Match,
    /// The whole list was searched and nobody on it comes near.
    NoMatch,
    /// Nothing can be said.
    Undetermined,
}
