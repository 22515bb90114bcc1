//! What went wrong, in the client's words? Every error of the service as `application/problem+json` (RFC 9457).

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use khop::ErrorKind;
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::decision::BoardingDecision;

/// Kinds of failure a client can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The body is not JSON.
    Malformed,
    /// The body says it is something other than JSON.
    MediaType,
    /// The body is larger than the route takes.
    TooLarge,
    /// The body did not arrive in time.
    SlowBody,
    /// A field is missing, unknown, of the wrong type or out of range.
    BadInput,
    /// No token, or not the token.
    Unauthorised,
    /// The credential has not the right, or is not for the realm.
    Forbidden,
    /// No such route.
    NoRoute,
    /// The route does not take this method.
    NoMethod,
    /// No such realm.
    UnknownRealm,
    /// No such gallery.
    UnknownGallery,
    /// No such subject.
    UnknownSubject,
    /// No such encounter.
    UnknownEncounter,
    /// No such task.
    UnknownTask,
    /// The encounter id is taken.
    EncounterExists,
    /// The realm name is taken, by a realm of another expiry.
    RealmExists,
    /// The realm's time is over.
    Expired,
    /// Vectors of different models are never compared.
    ModelMismatch,
    /// Probe and references share no trait.
    NotComparable,
    /// A search that did not see every reference decides nothing.
    Incomplete,
    /// Every place in the queue is taken.
    QueueFull,
    /// The service is stopping.
    Stopping,
    /// Not done in time; nothing was decided.
    Deadline,
    /// Somebody else changed the same thing at the same time.
    Superseded,
    /// No disk space.
    Full,
    /// The store is damaged.
    Damaged,
    /// A defect of the service.
    Internal,
}

impl Fault {
    /// Status, last part of the type URI, title, and after how many seconds to try again.
    fn facts(self) -> (u16, &'static str, &'static str, Option<u32>) {
        match self {
            Self::Malformed => (400, "malformed", "The body is not JSON", None),
            Self::Unauthorised => (401, "unauthorised", "A valid credential is needed", None),
            Self::Forbidden => (403, "forbidden", "Not allowed", None),
            Self::NoRoute => (404, "no-route", "No such route", None),
            Self::UnknownRealm => (404, "unknown-realm", "No such realm", None),
            Self::UnknownGallery => (404, "unknown-gallery", "No such gallery", None),
            Self::UnknownSubject => (404, "unknown-subject", "No such subject", None),
            Self::UnknownEncounter => (404, "unknown-encounter", "No such encounter", None),
            Self::UnknownTask => (404, "unknown-task", "No such task", None),
            Self::NoMethod => (405, "no-method", "The route does not take this method", None),
            Self::SlowBody => (408, "slow-body", "The body did not arrive in time", None),
            Self::EncounterExists => (409, "encounter-exists", "The encounter is enrolled already", None),
            Self::RealmExists => (409, "realm-exists", "The realm exists already", None),
            Self::Expired => (410, "expired", "The realm has expired", None),
            Self::TooLarge => (413, "too-large", "The body is too large", None),
            Self::MediaType => (415, "media-type", "The body must be application/json", None),
            Self::BadInput => (422, "bad-input", "A field cannot be used", None),
            Self::ModelMismatch => (422, "model-mismatch", "The face model is not the realm's", None),
            Self::NotComparable => (422, "not-comparable", "Nothing in common to compare", None),
            Self::Internal => (500, "internal", "The service failed", None),
            Self::Damaged => (500, "damaged", "The store is damaged", None),
            Self::Incomplete => (503, "incomplete", "The search was not completed", Some(5)),
            Self::QueueFull => (503, "queue-full", "The queue is full", Some(1)),
            Self::Stopping => (503, "stopping", "The service is stopping", Some(5)),
            Self::Deadline => (504, "deadline", "Not done in time", None),
            Self::Superseded => (503, "superseded", "It was changed meanwhile", Some(1)),
            Self::Full => (507, "full", "No space left", None),
        }
    }

    fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::UnknownRealm => Self::UnknownRealm,
            ErrorKind::UnknownGallery => Self::UnknownGallery,
            ErrorKind::UnknownSubject => Self::UnknownSubject,
            ErrorKind::UnknownEncounter => Self::UnknownEncounter,
            ErrorKind::EncounterExists => Self::EncounterExists,
            ErrorKind::RealmExists => Self::RealmExists,
            ErrorKind::BadInput => Self::BadInput,
            ErrorKind::ModelMismatch => Self::ModelMismatch,
            ErrorKind::NotComparable => Self::NotComparable,
            ErrorKind::Expired => Self::Expired,
            ErrorKind::Incomplete => Self::Incomplete,
            ErrorKind::Busy => Self::Stopping,
            ErrorKind::Superseded | ErrorKind::HasReceipt => Self::Superseded,
            ErrorKind::Full => Self::Full,
            ErrorKind::Damaged => Self::Damaged,
            ErrorKind::Internal => Self::Internal,
        }
    }
}

/// Problem details (RFC 9457). Nothing biometric and no value of the request's body is ever repeated in it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Stable name of the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:khop:problem:bad-input")]
    kind: String,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What was wrong this time, and what was expected.
    pub(crate) detail: String,
    /// The field at fault, for instance `samples[0].record`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    /// On boarding routes always `undetermined`: a failure says nothing about the traveller.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<BoardingDecision>,
    #[serde(skip)]
    retry_after_s: Option<u32>,
    #[serde(skip)]
    pub(crate) fault: Fault,
}

impl Problem {
    pub(crate) fn new(fault: Fault, detail: impl Into<String>) -> Self {
        let (status, slug, title, retry_after_s) = fault.facts();
        let kind = format!("urn:khop:problem:{slug}");
        Self { kind, title, status, detail: detail.into(), field: None, decision: None, retry_after_s, fault }
    }

    /// A defect of the service, which the log tells more of.
    pub(crate) fn internal() -> Self {
        Self::new(Fault::Internal, "an unexpected failure; the service's log has the details")
    }

    /// A field that cannot be used.
    pub(crate) fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(Fault::BadInput, detail) }
    }

    /// The same as an answer to a gate: undetermined, and 503 unless the request itself is at fault.
    pub(crate) fn undetermined(self) -> Self {
        let status = if self.status >= 500 { 503 } else { self.status };
        let retry_after_s = if status == 503 { self.retry_after_s.or(Some(1)) } else { None };
        let detail = format!("undetermined, ask a human: {}", self.detail);
        Self { status, retry_after_s, detail, decision: Some(BoardingDecision::Undetermined), ..self }
    }
}

/// What the service itself got wrong is logged in full and told in general terms only.
impl From<khop::Error> for Problem {
    fn from(error: khop::Error) -> Self {
        let fault = Fault::of(error.kind());
        let detail = match fault {
            Fault::Internal => "an unexpected failure; the service's log has the details".into(),
            Fault::Damaged => "part of the store cannot be read; run `khop store verify`".into(),
            Fault::Incomplete => "not every reference could be compared, so nothing was decided".into(),
            Fault::Full => "the disk of the data directory is full; nothing was stored".into(),
            _ => error.to_string(),
        };
        if fault.facts().0 >= 500 {
            tracing::error!(%error, "the engine failed");
        }
        let field = match &error {
            khop::Error::BadSample { index, .. } => Some(format!("samples[{index}]")),
            khop::Error::BadInput { field, .. } => Some((*field).to_owned()),
            _ => None,
        };
        Self { field, ..Self::new(fault, detail) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("the table holds valid statuses");
        let retry_after_s = self.retry_after_s;
        let mut response = (status, Json(&self)).into_response();
        response.extensions_mut().insert(self);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"khop\""));
        }
        response
    }
}
