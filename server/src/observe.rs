//! What happened to this request? Its id, its line in the log and its place in the counters.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::Next;
use axum::response::Response;

use crate::service::Service;

/// Anything else is counted as one, so that clients cannot grow the counters.
const KNOWN_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Gives each request an id (header `x-request-id`), counts it and logs it: route, status and time, never a body,
/// a name or an address.
pub(crate) async fn observe(State(service): State<Service>, request: Request, next: Next) -> Response {
    let _in_flight = service.enter();
    let started = Instant::now();
    let id = format!("{:016x}", getrandom::u64().unwrap_or_default());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched".into(), |path| path.as_str().to_owned());
    let method = if KNOWN_METHODS.contains(&method.as_str()) { method.as_str() } else { "OTHER" };

    let mut response = next.run(request).await;

    let took = started.elapsed();
    let status = response.status().as_u16();
    service.metrics().answered(method, &route, status, took);
    tracing::info!(request = %id, method, route, status, ms = took.as_secs_f64() * 1e3, "answered");
    let headers = response.headers_mut();
    headers.insert("x-request-id", HeaderValue::try_from(id).expect("hexadecimal digits"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
