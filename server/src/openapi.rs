//! What can a client ask? The OpenAPI document, made from the handlers and the table of routes.

use std::collections::HashMap;

use axum::Extension;
use axum::body::Bytes;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use utoipa::OpenApi as _;
use utoipa::openapi::content::Content;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{OpenApi, PathItem, Ref, RefOr};

use crate::handle::{boarding, encounters, health, realms, searches};
use crate::osia::{OsiaOperations, PREFIX};
use crate::policy::Right;
use crate::problem::Problem;

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
    modifiers(&OsiaOperations)
)]
struct Document;

/// The document as served at `/openapi.json`: each route's right stands with its operation.
pub(crate) fn document<'a>(rights: impl IntoIterator<Item = (Method, &'a str, Right)>) -> OpenApi {
    let mut document = Document::openapi();
    let rights: HashMap<_, _> = rights.into_iter().map(|(method, path, right)| ((method, path), right)).collect();
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().add_security_scheme("token", token);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let right = rights.get(&(method, path.as_str())).copied().filter(|right| *right != Right::Open);
            let needed = right.map(|right| SecurityRequirement::new("token", [right.name()]));
            operation.security = Some(needed.into_iter().collect());
            let (kind, name) = match path.starts_with(PREFIX) {
                true => ("application/json", "osia.Error"),
                false => ("application/problem+json", "Problem"),
            };
            let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name(name))));
            let response = ResponseBuilder::new().description("What went wrong").content(kind, problem).build();
            operation.responses.responses.insert("default".into(), response.into());
        }
    }
    document
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "health",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(crate) async fn openapi(Extension(Text(text)): Extension<Text>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], text)
}

/// The document as it is sent.
#[derive(Clone)]
pub(crate) struct Text(Bytes);

impl Text {
    pub(crate) fn of(document: &OpenApi) -> Self {
        Self(serde_json::to_vec(document).expect("maps have text for keys").into())
    }
}

/// Every operation of a path with its method.
pub(crate) fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
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
