//! Who may come in? What carries the token, and anybody on the few open routes.

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;

use crate::policy::Access;
use crate::problem::{Fault, Problem};
use crate::service::Service;

/// Lets through what carries the token, and the few routes that are open. Anything without a policy needs it.
pub(crate) async fn authorise(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if service.access(&request) == Access::Open || service.token().admits(header) {
        return Ok(next.run(request).await);
    }
    service.metrics().refused("token");
    Err(Problem::new(Fault::Unauthorised, "send the header Authorization: Bearer followed by the admin token"))
}
