//! Who may come in? Whoever shows a credential, has the right that the route asks for, and is granted the realm.

use axum::extract::{FromRequestParts as _, RawPathParams, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use khop::DEFAULT_REALM;

use crate::osia::PREFIX;
use crate::policy::Right;
use crate::problem::{Fault, Problem};
use crate::service::Service;

/// Lets through whoever may use a route with this right, and says to the handler who it is. `None` asks for a credential
/// alone: what is not there is told to nobody else.
pub(crate) async fn authorise(
    State((service, right)): State<(Service, Option<Right>)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if right == Some(Right::Open) {
        return Ok(next.run(request).await);
    }
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(principal) = service.principal(header) else {
        service.metrics().refused("token");
        return Err(Problem::new(
            Fault::Unauthorised,
            "send the header Authorization: Bearer followed by a key or the token",
        ));
    };
    let (mut parts, body) = request.into_parts();
    if let Some(right) = right {
        let refuse = |why: String| {
            service.metrics().refused("right");
            Problem::new(Fault::Forbidden, why)
        };
        if !principal.may(right) {
            return Err(refuse(format!("this needs the right {}, which the credential does not give", right.name())));
        }
        if let Some(realm) = realm(&mut parts).await?.filter(|realm| !principal.is_granted(realm)) {
            return Err(refuse(format!("the credential is not for the realm {realm}")));
        }
    }
    parts.extensions.insert(principal);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// The realm a request is about: the one in its path, OSIA's, or none. A path that cannot be read is about no realm that
/// could be granted.
async fn realm(parts: &mut Parts) -> Result<Option<String>, Problem> {
    if parts.uri.path().starts_with(PREFIX) {
        return Ok(Some(DEFAULT_REALM.to_owned()));
    }
    let params = RawPathParams::from_request_parts(parts, &()).await;
    let params = params.map_err(|_| Problem::field("path", "expected UTF-8 path segments"))?;
    Ok(params.iter().find(|(name, _)| *name == "realm").map(|(_, realm)| realm.to_owned()))
}
