//! What does the request say? Bodies, paths and queries read into wire types, each failure naming its field.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::problem::{Fault, Problem};

/// A body must be complete within this time.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// A JSON body. No body at all reads as `{}`.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Text(text) = Text::from_request(request, state).await?;
        read(if text.is_empty() { b"{}" } else { text.as_bytes() }).map(Self)
    }
}

/// A JSON body that is not read yet; empty where there was none.
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = tokio::time::timeout(BODY_WITHIN, Bytes::from_request(request, state))
            .await
            .map_err(|_| Problem::new(Fault::SlowBody, format!("expected it within {} s", BODY_WITHIN.as_secs())))?
            .map_err(|rejection| match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Fault::TooLarge, "send fewer or smaller samples"),
                _ => Problem::new(Fault::Malformed, "the body broke off"),
            })?;
        if !bytes.is_empty() && !is_json {
            return Err(Problem::new(Fault::MediaType, "send the header Content-Type: application/json"));
        }
        let text = String::from_utf8(bytes.into());
        text.map(Self).map_err(|_| Problem::new(Fault::Malformed, "expected UTF-8"))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads JSON; a failure names its field.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let detail = bland(&inner.to_string());
        match inner.classify() {
            serde_json::error::Category::Data => field_at(path, detail),
            // A number beyond the range of 64-bit floats is a syntax error to the parser, yet has a place.
            _ if detail.starts_with("number out of range") => field_at(path, detail),
            _ => Problem::new(Fault::Malformed, format!("line {}, column {}: {detail}", inner.line(), inner.column())),
        }
    })?;
    json.end().map_err(|_| Problem::new(Fault::Malformed, "expected nothing behind the JSON value"))?;
    Ok(value)
}

fn field_at(path: String, detail: String) -> Problem {
    // Missing and unknown fields are named in the text and belong to the object at `path`.
    let named = detail.split('`').nth(1).filter(|_| detail.contains(" field `"));
    let field = match (path.as_str(), named) {
        (".", Some(name)) => name.to_owned(),
        (path, Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    };
    Problem::field(field, detail)
}

/// The parser's message without the offending value (it may be biometric) and without its place in the text.
fn bland(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
    let quotes_the_value = ["invalid type", "invalid value", "unknown variant", "invalid length"];
    match message.rfind("expected ") {
        Some(at) if quotes_the_value.iter().any(|start| message.starts_with(start)) => message[at..].to_owned(),
        _ => message.chars().take(200).collect(),
    }
}

/// Path parameters.
pub(crate) struct InPath<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::<T>::from_request_parts(parts, state).await;
        read.map(|Path(value)| Self(value)).map_err(|_| Problem::field("path", "expected UTF-8 path segments"))
    }
}

/// Query parameters.
pub(crate) struct InQuery<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for InQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        read.map(|Query(value)| Self(value)).map_err(|rejection| {
            let text = rejection.body_text();
            Problem::field("query", text.rsplit_once(": ").map_or(text.as_str(), |(_, cause)| cause))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Inner {
        vector: Vec<f32>,
    }

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Outer {
        samples: Vec<Inner>,
    }

    fn problem(text: &str) -> serde_json::Value {
        serde_json::to_value(read::<Outer>(text.as_bytes()).unwrap_err()).unwrap()
    }

    #[test]
    fn failures_name_their_field() {
        for (text, status, field) in [
            ("{}", 422, Some("samples")),
            (r#"{"samples":[],"x":1}"#, 422, Some("x")),
            (r#"{"samples":[{"vector":[1]},{}]}"#, 422, Some("samples[1].vector")),
            (r#"{"samples":[{"vector":[1,null]}]}"#, 422, Some("samples[0].vector[1]")),
            (r#"{"samples":[{"vector":[1,1e999]}]}"#, 422, Some("samples[0].vector[1]")),
            (r#"{"samples":[{"vector":[NaN]}]}"#, 400, None),
            (r#"{"samples":["#, 400, None),
            (r#"{"samples":[]} {}"#, 400, None),
        ] {
            let problem = problem(text);
            assert_eq!((&problem["status"], problem["field"].as_str()), (&status.into(), field), "{text}: {problem}");
        }
    }

    #[test]
    fn no_value_is_repeated() {
        for text in [r#"{"samples":"SECRET"}"#, r#"{"samples":[{"vector":["SECRET, expected SECRET"]}]}"#] {
            let problem = problem(text).to_string();
            assert!(!problem.contains("SECRET"), "{problem}");
        }
    }
}
