//! What can a client ask? The OpenAPI document, made from the handlers and the table of routes.

use std::collections::HashMap;

use axum::Json;
use utoipa::openapi::content::Content;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{OpenApi, PathItem, Ref, RefOr};
use utoipa::{Modify, OpenApi as _};

use crate::handle::{boarding, encounters, health, realms, searches};
use crate::osia::{OsiaOperations, PREFIX};
use crate::policy::Right;
use crate::problem::Problem;
use crate::routes::routes;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Khop",
        description = "Enrol, verify, identify and deduplicate faces and fingerprints. Errors are problem details \
            (RFC 9457). A score is −10·log10 of the false match rate: 40 means one false match in 10 000."
    ),
    tags(
        (name = "osia", description = "Registries: OSIA ABIS 1.6.0 (ITU-T X.1281)"),
        (name = "enrolment", description = "Persons: enrol with duplicate check, verify, identify, erase"),
        (name = "boarding", description = "Gates: decisions only"),
        (name = "admin", description = "Tenants and flights"),
        (name = "health", description = "The service itself"),
    ),
    components(schemas(Problem)),
    paths(
        health::livez, health::readyz, openapi, health::metrics,
        encounters::enrol, encounters::read_encounter, encounters::erase_encounter, encounters::erase_subject,
        encounters::list_cases, encounters::list_galleries, searches::verify, searches::identify,
        boarding::board, realms::list_realms, realms::create_realm, realms::drop_realm,
    ),
    modifiers(&OsiaOperations, &CommonToAll)
)]
struct Document;

/// The document as served at `/openapi.json`.
pub(crate) fn document() -> OpenApi {
    Document::openapi()
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "health",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(crate) async fn openapi() -> Json<OpenApi> {
    Json(document())
}

/// What every operation has: the problem details, and the right it asks for unless its route is open.
struct CommonToAll;

impl Modify for CommonToAll {
    fn modify(&self, document: &mut OpenApi) {
        let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("token", token);
        let rights: HashMap<_, _> =
            routes().into_iter().map(|route| ((route.method, route.path), route.right)).collect();
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                let right = rights.get(&(method, path.as_str())).copied().filter(|right| *right != Right::Open);
                operation.security =
                    Some(right.map(|right| SecurityRequirement::new("token", [right.name()])).into_iter().collect());
                let (kind, name) = match path.starts_with(PREFIX) {
                    true => ("application/json", "osia.Error"),
                    false => ("application/problem+json", "Problem"),
                };
                let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name(name))));
                let response = ResponseBuilder::new().description("What went wrong").content(kind, problem).build();
                operation.responses.responses.insert("default".into(), response.into());
            }
        }
    }
}

/// Every operation of a path with its method.
pub(crate) fn operations(item: &mut PathItem) -> impl Iterator<Item = (axum::http::Method, &mut Operation)> {
    use axum::http::Method;
    let all = [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::DELETE, &mut item.delete),
        (Method::OPTIONS, &mut item.options),
        (Method::HEAD, &mut item.head),
        (Method::PATCH, &mut item.patch),
        (Method::TRACE, &mut item.trace),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
