//! How is a registry told what went wrong? In OSIA's error body and its status codes.

use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{Fault, Problem};

/// OSIA's error.
#[derive(Serialize, ToSchema)]
#[schema(as = osia::Error)]
pub(crate) struct OsiaError {
    /// Which kind, stable: the hundreds say what to do. 1: mend the request, 2: your rights, 3: there is none, 4: there is
    /// one already, 5: try again, 6: call the operator.
    code: i32,
    /// What was wrong, which field, and what was expected.
    message: String,
}

impl Fault {
    /// Status and code.
    fn osia(self) -> (u16, i32) {
        match self {
            Self::Malformed => (400, 100),
            Self::MediaType => (400, 101),
            Self::SlowBody => (400, 102),
            Self::BadInput => (400, 103),
            Self::ModelMismatch => (400, 104),
            Self::NotComparable => (400, 105),
            Self::TooLarge => (413, 106),
            Self::NoMethod => (405, 107),
            Self::Unauthorised => (401, 200),
            Self::Forbidden => (403, 201),
            Self::NoRoute => (404, 300),
            Self::UnknownRealm => (404, 301),
            Self::UnknownGallery => (404, 302),
            Self::UnknownSubject => (404, 303),
            Self::UnknownEncounter => (404, 304),
            Self::Expired => (404, 305),
            Self::UnknownTask => (404, 306),
            Self::EncounterExists => (409, 400),
            Self::RealmExists => (409, 401),
            Self::QueueFull => (503, 500),
            Self::Stopping => (503, 501),
            Self::Deadline => (503, 502),
            Self::Superseded => (503, 503),
            Self::Incomplete => (503, 504),
            Self::Full => (503, 505),
            Self::Damaged => (500, 600),
            Self::Internal => (500, 601),
        }
    }
}

/// Says a problem as OSIA does.
pub(crate) fn told(problem: &Problem) -> (StatusCode, OsiaError) {
    let (status, code) = problem.fault.osia();
    let message = problem.field.as_ref().map_or_else(|| problem.detail.clone(), |f| format!("{f}: {}", problem.detail));
    (StatusCode::from_u16(status).expect("the table holds valid statuses"), OsiaError { code, message })
}

/// A response as a registry reads it: any problem in OSIA's words, anything else as it is. The standard's description has
/// errors as plain JSON in responses, and as `application/error+json` in callbacks, where they must be told from answers.
pub(crate) async fn in_osia_words(response: Response) -> Response {
    let Some(problem) = response.extensions().get::<Problem>() else { return response };
    let (status, error) = told(problem);
    let mut told = (status, axum::Json(error)).into_response();
    for kept in [RETRY_AFTER, WWW_AUTHENTICATE] {
        if let Some(value) = response.headers().get(&kept) {
            told.headers_mut().insert(kept, value.clone());
        }
    }
    told
}
