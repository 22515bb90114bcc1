//! Which requests does the service answer? The whole API on one page: path, method, handler, who may, how large.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use tower_http::catch_panic::CatchPanicLayer;

use crate::access::authorise;
use crate::handle::{boarding, encounters, health, realms, searches};
use crate::observe::observe;
use crate::openapi;
use crate::osia::{Operation, PREFIX, in_osia_words, respond};
use crate::policy::{Access, access};
use crate::problem::{Fault, Problem};
use crate::service::Service;

const MIB: usize = 1 << 20;

/// Every route. `policy.rs` says who may use it; one that does not say otherwise takes 2 MiB.
pub(crate) fn routes() -> Vec<Route> {
    let own = vec![
        get("/livez", health::livez),
        get("/readyz", health::readyz),
        get("/openapi.json", openapi::openapi),
        get("/metrics", health::metrics),
        post("/enrolment/v1/realms/{realm}/encounters", encounters::enrol).body_limit(12 * MIB),
        get("/enrolment/v1/realms/{realm}/subjects/{subject}/encounters/{encounter}", encounters::read_encounter),
        delete("/enrolment/v1/realms/{realm}/subjects/{subject}/encounters/{encounter}", encounters::erase_encounter),
        delete("/enrolment/v1/realms/{realm}/subjects/{subject}", encounters::erase_subject),
        post("/enrolment/v1/realms/{realm}/verify", searches::verify),
        post("/enrolment/v1/realms/{realm}/identify", searches::identify),
        get("/enrolment/v1/realms/{realm}/cases", encounters::list_cases),
        get("/enrolment/v1/realms/{realm}/galleries", encounters::list_galleries),
        post("/boarding/v1/flights/{realm}/identify", boarding::board),
        get("/admin/v1/realms", realms::list_realms),
        put("/admin/v1/realms/{realm}", realms::create_realm),
        delete("/admin/v1/realms/{realm}", realms::drop_realm),
    ];
    own.into_iter().chain(osia_routes()).collect()
}

/// What OSIA asks for, each in its own words.
fn osia_routes() -> impl Iterator<Item = Route> {
    Operation::ALL.into_iter().map(|operation| {
        let handler =
            move |State(service), path, query, headers, body| respond(operation, service, path, query, headers, body);
        Route::new(operation.method(), operation.path(), handler).body_limit(12 * MIB)
    })
}

/// The service as a router: everything a test needs, without a socket.
pub(crate) fn app(service: Service) -> Router {
    routes()
        .into_iter()
        .fold(Router::new(), |router, route| {
            tracing::debug!(method = %route.method, path = route.path, access = ?route.access, "route");
            router.route(route.path, route.handler.layer(DefaultBodyLimit::max(route.body_limit_bytes)))
        })
        .fallback(async || Problem::new(Fault::NoRoute, "GET /openapi.json lists the routes"))
        .method_not_allowed_fallback(async || Problem::new(Fault::NoMethod, "GET /openapi.json lists the methods"))
        .layer(from_fn_with_state(service.clone(), authorise))
        .layer(CatchPanicLayer::custom(on_panic))
        .layer(from_fn(in_their_words))
        .layer(from_fn_with_state(service.clone(), observe))
        .with_state(service)
}

/// Problems as those read them who asked.
async fn in_their_words(request: Request, next: Next) -> Response {
    let is_osia = request.uri().path().starts_with(PREFIX);
    let response = next.run(request).await;
    if is_osia { in_osia_words(response).await } else { response }
}

fn on_panic(_: Box<dyn std::any::Any + Send>) -> Response {
    Problem::new(Fault::Internal, "an unexpected failure; the service's log has the details").into_response()
}

/// One line of the table.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    body_limit_bytes: usize,
    handler: MethodRouter<Service>,
}

impl Route {
    fn new<H: Handler<T, Service>, T: 'static>(method: Method, path: &'static str, handler: H) -> Self {
        let filter = MethodFilter::try_from(method.clone()).expect("one of the common methods");
        let access = access(&method, path);
        Self { method, path, access, body_limit_bytes: 2 * MIB, handler: on(filter, handler) }
    }

    fn body_limit(self, bytes: usize) -> Self {
        Self { body_limit_bytes: bytes, ..self }
    }
}

fn get<H: Handler<T, Service>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route::new(Method::GET, path, handler)
}

fn post<H: Handler<T, Service>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route::new(Method::POST, path, handler)
}

fn put<H: Handler<T, Service>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route::new(Method::PUT, path, handler)
}

fn delete<H: Handler<T, Service>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route::new(Method::DELETE, path, handler)
}
