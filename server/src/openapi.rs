//! What can a client ask? The OpenAPI document, made from the handlers and the table of routes.

use utoipa::openapi::content::Content;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{OpenApi, PathItem, Ref, RefOr};
use utoipa::{Modify, OpenApi as _};

use crate::handle::{boarding, encounters, health, realms, searches};
use crate::problem::Problem;
use crate::routes::{Access, Policies};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Khop",
        description = "Enrol, verify, identify and deduplicate faces and fingerprints. Errors are problem details \
            (RFC 9457). A score is −10·log10 of the false match rate: 40 means one false match in 10 000."
    ),
    tags(
        (name = "enrolment", description = "Persons: enrol with duplicate check, verify, identify, erase"),
        (name = "boarding", description = "Gates: decisions only"),
        (name = "admin", description = "Tenants and flights"),
        (name = "health", description = "The service itself"),
    ),
    components(schemas(Problem)),
    paths(
        health::livez, health::readyz, health::openapi, health::metrics,
        encounters::enrol, encounters::read, encounters::erase, encounters::erase_subject,
        encounters::cases, encounters::galleries, searches::verify, searches::identify,
        boarding::identify, realms::list, realms::create, realms::erase,
    ),
    modifiers(&CommonToAll)
)]
struct Document;

/// The document as served at `/openapi.json`.
pub(crate) fn document() -> OpenApi {
    Document::openapi()
}

/// What every operation has: the problem details, and the token unless its route is open.
struct CommonToAll;

impl Modify for CommonToAll {
    fn modify(&self, document: &mut OpenApi) {
        let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("token", token);
        let policies = Policies::of_all_routes();
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                let needed = match policies.access(&method, path) {
                    Access::Open => Vec::new(),
                    Access::Admin => vec![SecurityRequirement::new("token", Vec::<String>::new())],
                };
                operation.security = Some(needed);
                let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
                let response = ResponseBuilder::new()
                    .description("What went wrong")
                    .content("application/problem+json", problem)
                    .build();
                operation.responses.responses.insert("default".into(), response.into());
            }
        }
    }
}

/// Every operation of a path with its method.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (axum::http::Method, &mut Operation)> {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::routes::routes;

    #[test]
    fn the_document_and_the_router_agree() {
        let mut document = document();
        let documented: BTreeSet<(String, String)> = document
            .paths
            .paths
            .iter_mut()
            .flat_map(|(path, item)| operations(item).map(|(method, _)| (path.clone(), method.to_string())))
            .collect();
        let routed = routes().iter().map(|route| (route.path.to_owned(), route.method.to_string())).collect();
        assert_eq!(documented, routed);
    }

    #[test]
    fn everything_is_secured_but_what_is_open() {
        let document = serde_json::to_value(document()).unwrap();
        for route in routes() {
            let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
            let secured = operation["security"].as_array().unwrap().iter().any(|s| s.get("token").is_some());
            assert_eq!(secured, route.access != Access::Open, "{} {}", route.method, route.path);
            assert!(operation["responses"]["default"]["content"]["application/problem+json"].is_object());
            assert!(operation["summary"].is_string(), "{} {}", route.method, route.path);
        }
    }

    #[test]
    fn every_reference_resolves() {
        let text = serde_json::to_string(&document()).unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let references: Vec<&str> = text.split("\"$ref\":\"#").skip(1).map(|s| s.split('"').next().unwrap()).collect();
        assert!(references.len() > 10);
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }
}
