//! What does a request ask? Its operation, path, query and body, kept as they came, so that it can be done now or later.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use khop::{EncounterId, EncounterKey, GalleryId, SubjectId, TaskId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::body::read;
use crate::once::Once;
use crate::problem::Problem;

/// Names and values of a path or a query.
pub(crate) type Texts = BTreeMap<String, String>;

/// In the middle.
const DEFAULT_PRIORITY: u8 = 5;

/// A request.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    path: Texts,
    query: Texts,
    body: String,
    /// Whether a list may be answered as text, comma-separated.
    pub(crate) wants_csv: bool,
    /// The client's name for it, under which it is done once.
    pub(crate) once: Option<Once>,
}

impl Call {
    /// Checks what every request has, and gives a person and an encounter their names where the service does.
    pub(crate) fn new(
        operation: Operation,
        mut path: Texts,
        query: Texts,
        body: String,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        let asked = || {
            let named = |texts: &Texts| format!("{texts:?}");
            let query =
                query.iter().filter(|(name, _)| !matches!(name.as_str(), "transactionId" | "priority" | "callback"));
            let query = query.map(|(name, value)| (name.clone(), value.clone())).collect();
            [format!("{operation:?}"), named(&path), named(&query), body.clone()]
        };
        let once = Once::of(headers, &asked().each_ref().map(String::as_str))?;
        let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let wants_csv = accept.trim_start().starts_with("text/csv");
        if operation == Operation::CreateEncounterNoIds {
            path.insert("personId".into(), random_name()?);
        }
        if matches!(operation, Operation::CreateEncounterNoIds | Operation::CreateEncounterNoId) {
            path.insert("encounterId".into(), random_name()?);
        }
        let call = Self { operation, path, query, body, wants_csv, once };
        if call.text("transactionId").is_none() {
            return Err(Problem::field("transactionId", "expected the id of the transaction in the query"));
        }
        call.number::<u8>("priority", 0..=9)?;
        call.number::<u8>("serviceLevel", 0..=9)?;
        Ok(call)
    }

    /// A person in the path, under this name.
    pub(crate) fn person(&self, name: &'static str) -> Result<SubjectId, Problem> {
        SubjectId::new(self.in_path(name)).map_err(|error| Problem::field(name, error.to_string()))
    }

    /// An encounter of that person.
    pub(crate) fn encounter(&self, person: &'static str) -> Result<EncounterKey, Problem> {
        let encounter = EncounterId::new(self.in_path("encounterId"));
        let encounter = encounter.map_err(|error| Problem::field("encounterId", error.to_string()))?;
        Ok(EncounterKey { subject: self.person(person)?, encounter })
    }

    /// The gallery in the path; `ALL` stands for all of them.
    pub(crate) fn gallery(&self) -> Result<GalleryId, Problem> {
        GalleryId::new(self.in_path("galleryId")).map_err(|error| Problem::field("galleryId", error.to_string()))
    }

    fn in_path(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// The task in the path; `None` where nothing can have that name.
    pub(crate) fn task(&self) -> Option<TaskId> {
        self.in_path("taskId").parse().ok().map(TaskId)
    }

    /// How soon, from 0 to 9.
    pub(crate) fn priority(&self) -> u8 {
        self.text("priority").and_then(|priority| priority.parse().ok()).unwrap_or(DEFAULT_PRIORITY)
    }

    /// A text in the query.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A number in the query.
    pub(crate) fn number<N: FromStr + PartialOrd + std::fmt::Display>(
        &self,
        name: &'static str,
        range: RangeInclusive<N>,
    ) -> Result<Option<N>, Problem> {
        let refuse = || Problem::field(name, format!("expected a number from {} to {}", range.start(), range.end()));
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.map(Some).ok_or_else(refuse)
    }

    /// The body. No body at all reads as `{}`.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        read(if self.body.is_empty() { b"{}" } else { self.body.as_bytes() })
    }
}

/// A name that nobody has and nobody guesses.
fn random_name() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "no random numbers");
        Problem::internal()
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
