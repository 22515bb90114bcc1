//! What does a gate learn? A decision and nothing else, and "undetermined" for everything that fails.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{ROOMY, Rig, enrolment, samples};
use crate::service::Limits;

const GATE: &str = "/boarding/v1/flights/VN123/identify";

/// A flight with passengers 1 to 3.
async fn flight(limits: Limits) -> Rig {
    let rig = Rig::within(limits);
    assert_eq!(rig.text("PUT", "/admin/v1/realms/VN123", r#"{"ttl_s": 600}"#).await.status, StatusCode::CREATED);
    for person in 1..4 {
        let body = enrolment(&format!("seat{person}"), &format!("p{person}"), person, 0);
        let answer = rig.post("/enrolment/v1/realms/VN123/encounters", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    }
    rig
}

fn names(body: &Value) -> Vec<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn passengers_board_and_others_go_to_a_human() {
    let rig = flight(ROOMY).await;
    let passenger = rig.post(GATE, &json!({"samples": samples(2, 1)})).await;
    assert_eq!((passenger.status, &passenger.body["decision"]), (StatusCode::OK, &json!("match")));
    let stranger = rig.post(GATE, &json!({"samples": samples(9, 0)})).await;
    assert_eq!((stranger.status, &stranger.body["decision"]), (StatusCode::OK, &json!("no_match")));
    assert!(stranger.body["message"].as_str().unwrap().contains("human"), "{}", stranger.body);
    for answer in [passenger, stranger] {
        assert_eq!(names(&answer.body), ["decision", "message"], "no score, no name");
    }
}

#[tokio::test]
async fn whatever_fails_is_undetermined() {
    let rig = flight(ROOMY).await;
    assert_eq!(rig.text("PUT", "/admin/v1/realms/EMPTY", r#"{"ttl_s": 600}"#).await.status, StatusCode::CREATED);
    let good = json!({"samples": samples(2, 1)}).to_string();
    let no_fingers = json!({"samples": []}).to_string();
    for (path, body, status) in [
        (GATE, "{".to_owned(), 400),
        (GATE, "{}".to_owned(), 422),
        (GATE, no_fingers, 422),
        (GATE, r#"{"samples":[{"kind":"finger","record":"AAAA"}]}"#.to_owned(), 422),
        ("/boarding/v1/flights/NOSUCH/identify", good.clone(), 404),
        ("/boarding/v1/flights/EMPTY/identify", good.clone(), 503),
    ] {
        let answer = rig.text("POST", path, body).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["decision"]),
            (status, &json!("undetermined")),
            "{}",
            answer.body
        );
    }
    // Also what is refused at the door.
    let stranger = axum::http::Request::post("/boarding/v1/flights/VN123/identify").body(axum::body::Body::empty());
    let refused = rig.send(stranger.unwrap()).await;
    assert_eq!((refused.status.as_u16(), &refused.body["decision"]), (401, &"undetermined".into()));
    assert!(refused.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn out_of_time_is_undetermined_and_503() {
    let rig = Rig::within(Limits { within: Duration::ZERO, ..ROOMY });
    let answer = rig.post("/boarding/v1/flights/default/identify", &json!({"samples": samples(2, 1)})).await;
    assert_eq!((answer.problem(), &answer.body["decision"]), ((503, "deadline", None), &json!("undetermined")));
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn an_expired_flight_is_gone() {
    let rig = Rig::new();
    assert_eq!(rig.text("PUT", "/admin/v1/realms/VN9", r#"{"ttl_s": 1}"#).await.status, StatusCode::CREATED);
    let body = json!({"samples": samples(2, 1)});
    let until_gone = async {
        loop {
            let answer = rig.post("/boarding/v1/flights/VN9/identify", &body).await;
            if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                break answer; // until then nobody is on the list, which is "undetermined" too
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(60), until_gone).await.expect("it expires");
    assert_eq!((gone.problem(), &gone.body["decision"]), ((410, "expired", None), &json!("undetermined")));
    let purged = rig.service.engine().purge_expired().unwrap();
    assert_eq!(purged.len(), 1);
}
