//! Who and what gets in? Tokens on every route, limits, the queue, metrics and the document.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{Request, StatusCode};
use khop::{EncounterKey, ErrorKind, Search};
use serde_json::json;

use super::{ENCOUNTERS, IDENTIFY, ROOMY, Rig, enrolment, samples};
use crate::api_keys::ApiKeys;
use crate::osia::{Callbacks, PREFIX};
use crate::policy::Right;
use crate::routes::routes;
use crate::service::{Limits, Service};
use crate::token::TokenHash;

#[tokio::test]
async fn every_route_but_the_open_ones_asks_for_the_token() {
    let rig = Rig::new();
    let wrong = format!("{}x", rig.token);
    for route in routes() {
        let path = route.path.replace("{realm}", "default").replace("{encounter}", "e").replace("{subject}", "s");
        for token in [None, Some(wrong.as_str()), Some("Bearer"), Some("Basic Zm9vOmJhcg==")] {
            let request = Request::builder().method(&route.method).uri(&path);
            let request = token.into_iter().fold(request, |request, token| request.header(AUTHORIZATION, token));
            let answer = rig.send(request.body(Body::empty()).unwrap()).await;
            if route.right == Right::Open {
                assert_eq!(answer.status, StatusCode::OK, "{path}");
            } else {
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} {path} {token:?}", route.method);
                match path.starts_with(PREFIX) {
                    true => assert_eq!(answer.body["code"], 200, "{}", answer.body),
                    false => assert_eq!(answer.problem(), (401, "unauthorised", None)),
                }
                assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
            }
        }
    }
    // What is not in the table is not told apart without the token.
    for (method, path) in [("GET", "/nowhere"), ("PATCH", "/admin/v1/realms"), ("GET", "/admin/v1/realms/../..")] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        assert_eq!(rig.send(request).await.problem().0, 401, "{method} {path}");
    }
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems() {
    let rig = Rig::new();
    assert_eq!(rig.get("/nowhere").await.problem(), (404, "no-route", None));
    assert_eq!(rig.get(IDENTIFY).await.problem(), (405, "no-method", None));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let rig = Rig::new();
    let padded = |bytes: usize| format!("{}{}", " ".repeat(bytes), json!({"samples": []}));
    let (two_mib, twelve_mib) = (2 << 20, 12 << 20);
    assert_eq!(rig.text("POST", IDENTIFY, padded(two_mib)).await.problem(), (413, "too-large", None));
    assert_eq!(rig.text("POST", IDENTIFY, padded(two_mib - 64)).await.problem().0, 422);
    assert_eq!(rig.text("POST", ENCOUNTERS, padded(two_mib)).await.problem().0, 422);
    assert_eq!(rig.text("POST", ENCOUNTERS, padded(twelve_mib)).await.problem(), (413, "too-large", None));
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let rig = Rig::new();
    let request = Request::post(IDENTIFY).header(AUTHORIZATION, &rig.token).header("content-type", "text/plain");
    let answer = rig.send(request.body(Body::from("{}")).unwrap()).await;
    assert_eq!(answer.problem(), (415, "media-type", None));
}

#[tokio::test]
async fn a_full_queue_refuses_and_says_when_to_come_back() {
    let rig = Rig::within(Limits { queue: 1, running: 1, ..ROOMY });
    let (release, gate) = mpsc::channel::<u8>();
    let busy = tokio::spawn({
        let service = rig.service.clone();
        async move { service.work(move |_| Ok(gate.recv().unwrap())).await }
    });
    while rig.service.admission().depth() == 0 {
        tokio::task::yield_now().await;
    }
    let refused = rig.post(IDENTIFY, &json!({"samples": samples(1, 0)})).await;
    assert_eq!(refused.problem(), (503, "queue-full", None));
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(rig.get("/livez").await.status, StatusCode::OK);
    let metrics = rig.get("/metrics").await.body;
    let metrics = metrics.as_str().unwrap();
    assert!(metrics.contains("khop_refused_total{reason=\"queue\"} 1"), "{metrics}");
    assert!(metrics.contains("khop_queue_depth 1"), "{metrics}");
    release.send(1).unwrap();
    busy.await.unwrap().unwrap();
    assert_eq!(rig.post(IDENTIFY, &json!({"samples": samples(1, 0)})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_search_whose_time_is_up_is_stopped_inside_the_engine() {
    let rig = Rig::new();
    rig.enrol(&enrolment("e1", "anna", 1, 0)).await;
    let limits = Limits { within: Duration::from_millis(200), ..ROOMY };
    let (_, token) = TokenHash::issue(rig.dir.path()).unwrap();
    let keys = ApiKeys::of(rig.dir.path());
    let hurried = Service::new(rig.service.engine().clone(), token, keys, None, limits, Callbacks::to(&[]).unwrap());
    let (tell, told) = mpsc::channel();
    let asked = hurried.search_in("default".into(), move |realm, effort| {
        while effort.deadline.is_some_and(|deadline| Instant::now() < deadline) {
            std::thread::yield_now();
        }
        let found = realm
            .identify_encounter(&EncounterKey::new("anna", "e1").unwrap(), &Search { effort, ..Search::default() });
        // Handed on, too: whether the job or the clock is heard first, nobody gets an answer.
        let found = found.map(drop);
        tell.send(found.clone()).unwrap();
        found
    });
    assert_eq!(serde_json::to_value(asked.await.unwrap_err()).unwrap()["status"], 504);
    let stopped = told.recv().unwrap().unwrap_err();
    assert_eq!(stopped.kind(), ErrorKind::Incomplete, "{stopped}");
}

#[tokio::test]
async fn metrics_count_requests_and_searches_and_name_nobody() {
    let rig = Rig::new();
    rig.enrol(&enrolment("secret-encounter", "secret-subject", 1, 0)).await;
    rig.post(IDENTIFY, &json!({"samples": samples(1, 1)})).await;
    let answer = rig.get("/metrics").await;
    let text = answer.body.as_str().unwrap();
    for line in [
        "khop_http_requests_total{method=\"POST\",route=\"/enrolment/v1/realms/{realm}/encounters\",status=\"201\"} 1",
        "khop_http_request_duration_seconds_count{route=\"/enrolment/v1/realms/{realm}/identify\"} 1",
        "khop_searched_references_total 1",
        "khop_references 1",
        "khop_realms 1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("secret"), "{text}");
    assert!(!text.contains("khop_resident_memory_bytes 0"), "{text}");
}

#[tokio::test]
async fn a_service_that_is_stopping_is_not_ready() {
    let rig = Rig::new();
    assert_eq!(rig.get("/readyz").await.status, StatusCode::OK);
    rig.service.stop();
    assert_eq!(rig.get("/readyz").await.problem(), (503, "stopping", None));
    assert_eq!(rig.get("/livez").await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_has_an_id_and_is_not_cached() {
    let rig = Rig::new();
    let (a, b) = (rig.get("/livez").await, rig.get("/nowhere").await);
    assert_ne!(a.headers["x-request-id"], b.headers["x-request-id"]);
    assert_eq!(b.headers["cache-control"], "no-store");
    assert_eq!(rig.get("/openapi.json").await.body["openapi"].as_str().unwrap().split('.').next(), Some("3"));
}
