//! Is every route described, and nothing else? The OpenAPI document held against the router.

use std::collections::BTreeSet;

use serde_json::json;

use crate::openapi::operations;
use crate::osia::PREFIX;
use crate::policy::Right;
use crate::routes::routes;

fn document() -> utoipa::openapi::OpenApi {
    crate::openapi::document(routes().iter().map(|route| (route.method.clone(), route.path, route.right)))
}

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
        let secured =
            operation["security"].as_array().unwrap().iter().any(|s| s["token"] == json!([route.right.name()]));
        assert_eq!(secured, route.right != Right::Open, "{} {}", route.method, route.path);
        let kind = if route.path.starts_with(PREFIX) { "application/json" } else { "application/problem+json" };
        assert!(operation["responses"]["default"]["content"][kind].is_object());
        assert!(operation["summary"].is_string(), "{} {}", route.method, route.path);
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let mut document = document();
    let items = document.paths.paths.values_mut().flat_map(operations);
    let names: Vec<String> = items.map(|(_, operation)| operation.operation_id.clone().unwrap()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
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
