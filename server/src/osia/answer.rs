//! What goes back to a registry? An answer, as a response or to a callback.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What came of an operation.
pub(crate) enum Answer {
    /// A body.
    Json(Value),
    /// Lines of comma-separated text.
    Csv(String),
    /// It was done, and there is nothing to say.
    Done,
}

impl Answer {
    pub(crate) fn json(body: &impl Serialize) -> Self {
        Self::Json(serde_json::to_value(body).expect("maps have text for keys, and numbers are finite"))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Json(body) => Json(body).into_response(),
            Self::Csv(text) => ([(CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response(),
            Self::Done => StatusCode::NO_CONTENT.into_response(),
        }
    }
}

/// The names of an encounter.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonIds {
    person_id: String,
    encounter_id: String,
}

impl From<khop::EncounterKey> for PersonIds {
    fn from(key: khop::EncounterKey) -> Self {
        Self { person_id: key.subject.to_string(), encounter_id: key.encounter.to_string() }
    }
}

/// Yes or no.
#[derive(Serialize, ToSchema)]
pub(crate) struct Verified {
    /// Whether they are the same person, by the policy's false match rate.
    pub(crate) decision: bool,
}
