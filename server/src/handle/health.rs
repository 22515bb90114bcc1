//! Is the service there, is it ready, how is it doing?

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::problem::{Fault, Problem};
use crate::service::Service;

/// The process lives.
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 200, description = "It lives", body = String)))]
pub(crate) async fn livez() -> &'static str {
    "live\n"
}

/// The service takes requests: the store is open and the service is not stopping.
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, description = "It is", body = String)))]
pub(crate) async fn readyz(State(service): State<Service>) -> Result<&'static str, Problem> {
    if service.is_stopping() { Err(Problem::new(Fault::Stopping, "use another instance")) } else { Ok("ready\n") }
}

/// Counters and gauges for Prometheus. Numbers only.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, description = "OpenMetrics", body = String, content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics(State(service): State<Service>) -> impl IntoResponse {
    let text = service.metrics().text(&service.engine().status(), service.admission().depth());
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
