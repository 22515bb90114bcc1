//! Which requests does the service answer? The whole API on one page: path, method, handler, who may, how large.

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;

use crate::access::authorise;
use crate::handle::{boarding, encounters, health, realms, searches};
use crate::observe::observe;
use crate::openapi::{Text, document, openapi};
use crate::osia::{Operation, PREFIX, in_osia_words, respond};
use crate::policy::Right;
use crate::problem::{Fault, Problem};
use crate::service::Service;

const MIB: usize = 1 << 20;
/// Paths of gates begin so.
const GATES: &str = "/boarding/";

/// Every route, and the right it asks for. One that does not say otherwise takes 2 MiB.
pub(crate) fn routes() -> Vec<Route> {
    let own = vec![
        get("/livez", Right::Open, health::livez),
        get("/readyz", Right::Open, health::readyz),
        get("/openapi.json", Right::Open, openapi),
        get("/metrics", Right::Observe, health::metrics),
        post("/enrolment/v1/realms/{realm}/encounters", Right::Enrol, encounters::enrol).body_limit(12 * MIB),
        get(ENCOUNTER, Right::Look, encounters::read_encounter),
        delete(ENCOUNTER, Right::Erase, encounters::erase_encounter),
        delete("/enrolment/v1/realms/{realm}/subjects/{subject}", Right::Erase, encounters::erase_subject),
        post("/enrolment/v1/realms/{realm}/verify", Right::Search, searches::verify),
        post("/enrolment/v1/realms/{realm}/identify", Right::Search, searches::identify),
        get("/enrolment/v1/realms/{realm}/cases", Right::ReadCases, encounters::list_cases),
        get("/enrolment/v1/realms/{realm}/galleries", Right::GalleryRead, encounters::list_galleries),
        post("/boarding/v1/flights/{realm}/identify", Right::Board, boarding::board),
        get("/admin/v1/realms", Right::ManageRealms, realms::list_realms),
        put("/admin/v1/realms/{realm}", Right::ManageRealms, realms::create_realm),
        delete("/admin/v1/realms/{realm}", Right::ManageRealms, realms::drop_realm),
    ];
    own.into_iter().chain(osia_routes()).collect()
}

const ENCOUNTER: &str = "/enrolment/v1/realms/{realm}/subjects/{subject}/encounters/{encounter}";

/// What OSIA asks for, each in its own words.
fn osia_routes() -> impl Iterator<Item = Route> {
    Operation::ALL.into_iter().map(|operation| {
        let handler =
            move |State(service), path, query, headers, body| respond(operation, service, path, query, headers, body);
        Route::new(operation.method(), operation.path(), operation.right(), handler).body_limit(12 * MIB)
    })
}

/// The service as a router: everything a test needs, without a socket.
pub(crate) fn app(service: Service) -> Router {
    let behind = |right| from_fn_with_state((service.clone(), right), authorise);
    let no_route = async || Problem::new(Fault::NoRoute, "GET /openapi.json lists the routes");
    let no_method = async || Problem::new(Fault::NoMethod, "GET /openapi.json lists the methods");
    let routes = routes();
    let document = document(routes.iter().map(|route| (route.method.clone(), route.path, route.right)));
    routes
        .into_iter()
        .fold(Router::new(), |router, route| {
            tracing::debug!(method = %route.method, path = route.path, right = route.right.name(), "route");
            let limited = route.handler.layer(DefaultBodyLimit::max(route.body_limit_bytes));
            router.route(route.path, limited.layer(behind(Some(route.right))))
        })
        .fallback(no_route.layer(behind(None)))
        .method_not_allowed_fallback(no_method.layer(behind(None)))
        .layer(Extension(Text::of(&document)))
        .layer(CatchPanicLayer::custom(on_panic))
        .layer(from_fn(in_their_words))
        .layer(from_fn_with_state(service.clone(), observe))
        .with_state(service)
}

/// Problems as those read them who asked.
async fn in_their_words(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let (is_osia, is_gate) = (path.starts_with(PREFIX), path.starts_with(GATES));
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        Some(_) if is_osia => in_osia_words(response).await,
        Some(problem) if is_gate => problem.clone().undetermined().into_response(),
        _ => response,
    }
}

fn on_panic(_: Box<dyn std::any::Any + Send>) -> Response {
    Problem::new(Fault::Internal, "an unexpected failure; the service's log has the details").into_response()
}

/// One line of the table.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) right: Right,
    body_limit_bytes: usize,
    handler: MethodRouter<Service>,
}

impl Route {
    fn new<H: Handler<T, Service>, T: 'static>(method: Method, path: &'static str, right: Right, handler: H) -> Self {
        let filter = MethodFilter::try_from(method.clone()).expect("one of the common methods");
        Self { method, path, right, body_limit_bytes: 2 * MIB, handler: on(filter, handler) }
    }

    fn body_limit(self, bytes: usize) -> Self {
        Self { body_limit_bytes: bytes, ..self }
    }
}

fn get<H: Handler<T, Service>, T: 'static>(path: &'static str, right: Right, handler: H) -> Route {
    Route::new(Method::GET, path, right, handler)
}

fn post<H: Handler<T, Service>, T: 'static>(path: &'static str, right: Right, handler: H) -> Route {
    Route::new(Method::POST, path, right, handler)
}

fn put<H: Handler<T, Service>, T: 'static>(path: &'static str, right: Right, handler: H) -> Route {
    Route::new(Method::PUT, path, right, handler)
}

fn delete<H: Handler<T, Service>, T: 'static>(path: &'static str, right: Right, handler: H) -> Route {
    Route::new(Method::DELETE, path, right, handler)
}
