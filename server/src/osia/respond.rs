//! How is a registry answered? The request read, done in its turn, and told in OSIA's words.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use khop::{DEFAULT_REALM, Effort, Realm};

use super::answer::Answer;
use super::call::{Call, Texts};
use super::operation::Operation;
use super::perform::prepare;
use crate::body::{InPath, InQuery, Text};
use crate::problem::Problem;
use crate::service::Service;

/// Does what a request asks.
pub(crate) async fn respond(
    operation: Operation,
    service: Service,
    InPath(path): InPath<Texts>,
    InQuery(query): InQuery<Texts>,
    headers: HeaderMap,
    Text(body): Text,
) -> Result<Answer, Problem> {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let call = Call::new(operation, path, query, body, accept.trim_start().starts_with("text/csv"))?;
    let job = prepare(&call)?;
    let done = move |realm: &Realm, effort: Effort| Ok(job(realm, effort));
    service.search_in(DEFAULT_REALM.to_owned(), done).await?
}
