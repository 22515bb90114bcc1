//! What goes back to a registry? An answer, as a response or to a callback.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What came of an operation.
#[derive(Clone)]
pub(crate) enum Answer {
    /// A body.
    Json(Value),
    /// Lines of comma-separated text.
    Csv(String),
    /// It was done, and there is nothing to say.
    Done,
    /// It will be done, and told to the callback.
    Promised(TaskName),
}

/// The name of what was promised.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = osia::TaskId)]
pub(crate) struct TaskName {
    pub(crate) task_id: String,
}

impl Answer {
    pub(crate) fn json(body: &impl Serialize) -> Self {
        Self::Json(serde_json::to_value(body).expect("maps have text for keys, and numbers are finite"))
    }

    /// As a callback tells it.
    pub(crate) fn told(self) -> Value {
        match self {
            Self::Json(body) => body,
            Self::Csv(text) => Value::String(text),
            Self::Promised(task) => Value::String(task.task_id),
            Self::Done => Value::String("OK".to_owned()),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Json(body) => Json(body).into_response(),
            Self::Csv(text) => ([(CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response(),
            Self::Done => StatusCode::NO_CONTENT.into_response(),
            Self::Promised(task) => (StatusCode::ACCEPTED, Json(task)).into_response(),
        }
    }
}

/// The names of an encounter.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = osia::PersonIds)]
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
#[schema(as = osia::VerifyResult)]
pub(crate) struct Verified {
    /// Whether they are the same person, by the policy's false match rate.
    pub(crate) decision: bool,
}
