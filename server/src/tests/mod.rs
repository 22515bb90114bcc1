//! Does the service do what it says? The whole router on a real engine in a temporary directory, without a socket.

mod boarding;
mod connections;
mod document;
mod door;
mod enrolment;
mod issuer;
mod osia;
mod refusals;
mod roles;
mod tasks;

use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use khop::Engine;
use khop_evaluate::synth::{Population, PopulationOptions};
use khop_formats::write_iso_2005;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::api_keys::ApiKeys;
use crate::issuer::Issuer;
use crate::osia::Callbacks;
use crate::routes::app;
use crate::service::{Limits, Service};
use crate::token::TokenHash;

const ROOMY: Limits = Limits { queue: 64, running: 4, within: Duration::from_secs(60) };
const ENCOUNTERS: &str = "/enrolment/v1/realms/default/encounters";
/// One of them.
const ANNAS: &str = "/enrolment/v1/realms/default/subjects/anna/encounters/e1";
const IDENTIFY: &str = "/enrolment/v1/realms/default/identify";
const MODEL: &str = "khop-synth-512";
const VERIFY: &str = "/enrolment/v1/realms/default/verify";

static PEOPLE: LazyLock<Population> = LazyLock::new(|| Population::new(11, PopulationOptions::default()));

/// An answer as the client sees it.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// JSON, or the text as a JSON string.
    body: Value,
}

impl Answer {
    /// Status, last part of the problem type, and field.
    fn problem(&self) -> (u16, &str, Option<&str>) {
        let kind = self.body["type"].as_str().and_then(|t| t.strip_prefix("urn:khop:problem:"));
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json", "{}", self.body);
        assert_eq!(self.body["status"], self.status.as_u16());
        (self.status.as_u16(), kind.unwrap(), self.body["field"].as_str())
    }
}

/// A service on an engine of its own.
struct Rig {
    service: Service,
    app: Router,
    token: String,
    dir: TempDir,
}

impl Rig {
    fn new() -> Self {
        Self::within(ROOMY)
    }

    fn within(limits: Limits) -> Self {
        Self::on(tempfile::tempdir().unwrap(), limits, &[])
    }

    /// A service on what is in this directory, that may call these origins.
    fn on(dir: TempDir, limits: Limits, origins: &[String]) -> Self {
        Self::believing(None, dir, limits, origins)
    }

    /// The same, that believes an identity provider.
    fn believing(issuer: Option<Issuer>, dir: TempDir, limits: Limits, origins: &[String]) -> Self {
        let engine = Engine::builder(dir.path()).threads(2).open().unwrap();
        let (token, hash) = TokenHash::issue(dir.path()).unwrap();
        let callbacks = Callbacks::to(origins).unwrap();
        let service = Service::new(engine, hash, ApiKeys::of(dir.path()), issuer, limits, callbacks);
        let app = app(service.clone());
        Self { service, app, token: format!("Bearer {}", token.reveal()), dir }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 24).await.unwrap();
        let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| text());
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn text(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, &self.token);
        self.send(request.header(CONTENT_TYPE, "application/json").body(body.into()).unwrap()).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.text("POST", path, body.to_string()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.text("GET", path, "").await
    }

    /// Enrols and expects it to work.
    async fn enrol(&self, body: &Value) -> Value {
        let answer = self.post(ENCOUNTERS, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body
    }
}

/// Ten fingers and a face of a synthetic person on one occasion.
fn samples(person: u64, occasion: u32) -> Value {
    let person = PEOPLE.person(person);
    let record = |finger| BASE64_STANDARD.encode(write_iso_2005(&[finger]).unwrap());
    let fingers = person.fingers(occasion).into_iter().map(|f| json!({"kind": "finger", "record": record(f)}));
    let face = json!({"kind": "face", "model": MODEL, "vector": person.face(occasion)});
    fingers.chain([face]).collect()
}

/// An enrolment of a synthetic person under a subject.
fn enrolment(encounter: &str, subject: &str, person: u64, occasion: u32) -> Value {
    json!({"encounter_id": encounter, "subject_id": subject, "samples": samples(person, occasion)})
}

/// The same with fields replaced or added.
fn with(mut body: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}
