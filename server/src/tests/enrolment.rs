//! Does a registry get what it asks for? Enrol, find, verify, erase, cases, galleries, realms.

use axum::http::StatusCode;
use serde_json::json;

use super::{ANNAS, ENCOUNTERS, IDENTIFY, Rig, VERIFY, enrolment, samples, with};

#[tokio::test]
async fn a_duplicate_under_another_name_is_found_and_opens_a_case() {
    let rig = Rig::new();
    let first = rig.enrol(&enrolment("e1", "anna", 1, 0)).await;
    assert_eq!((first["decision"].as_str(), first["searched"].as_u64()), (Some("clear"), Some(0)), "{first}");
    for person in 2..6 {
        let stranger = rig.enrol(&enrolment(&format!("e{person}"), &format!("p{person}"), person, 0)).await;
        assert_eq!(stranger["decision"], "clear", "{stranger}");
    }
    let again = rig.enrol(&enrolment("e1-again", "belle", 1, 1)).await;
    assert_eq!(again["decision"], "hit", "{again}");
    assert_eq!(
        (&again["candidates"][0]["subject_id"], &again["candidates"][0]["encounter_id"]),
        (&json!("anna"), &json!("e1"))
    );
    assert!(again["candidates"][0]["evidence"].as_array().unwrap().iter().any(|e| e["trait"] == "FACE"));

    let cases = rig.get("/enrolment/v1/realms/default/cases").await.body;
    assert_eq!((cases["cases"].as_array().unwrap().len(), &cases["more"]), (1, &json!(false)), "{cases}");
    assert_eq!(cases["cases"][0]["case_id"], again["case_id"]);
    assert_eq!(
        (&cases["cases"][0]["subject_id"], &cases["cases"][0]["encounter_id"]),
        (&json!("belle"), &json!("e1-again"))
    );
    let case = again["case_id"].as_u64().unwrap();
    let behind = rig.get(&format!("/enrolment/v1/realms/default/cases?after={case}&limit=1")).await.body;
    assert_eq!(behind, json!({"cases": [], "more": false}));
}

#[tokio::test]
async fn the_same_subject_is_no_duplicate_and_unchecked_means_unchecked() {
    let rig = Rig::new();
    rig.enrol(&enrolment("e1", "anna", 1, 0)).await;
    let renewal = rig.enrol(&enrolment("e2", "anna", 1, 1)).await;
    assert_eq!((&renewal["decision"], &renewal["case_id"]), (&json!("clear"), &json!(null)), "{renewal}");
    let unchecked = rig.enrol(&with(enrolment("e3", "belle", 1, 2), json!({"check": false}))).await;
    assert_eq!(unchecked, json!({"encounter_id": "e3", "subject_id": "belle"}));
}

#[tokio::test]
async fn verification_says_yes_to_the_person_and_no_to_another() {
    let rig = Rig::new();
    rig.enrol(&enrolment("e1", "anna", 1, 0)).await;
    for claim in [json!({"subject_id": "anna"}), json!({"subject_id": "anna", "encounter_id": "e1"})] {
        let yes = rig.post(VERIFY, &with(json!({"samples": samples(1, 1)}), claim.clone())).await;
        assert_eq!((yes.status, &yes.body["decision"]), (StatusCode::OK, &json!("match")), "{}", yes.body);
        assert!(yes.body["score"].as_f64() >= yes.body["threshold"].as_f64());
        assert!(yes.body["fmr"].as_f64().unwrap() < 1e-4);
        let no = rig.post(VERIFY, &with(json!({"samples": samples(2, 0)}), claim)).await;
        assert_eq!((no.status, &no.body["decision"]), (StatusCode::OK, &json!("no_match")), "{}", no.body);
    }
}

#[tokio::test]
async fn identification_respects_gallery_filter_limit_and_exception() {
    let rig = Rig::new();
    let born =
        |year| json!({"galleries": ["vip"], "attributes": {"year_of_birth": year, "sex": "female", "region": "HN"}});
    rig.enrol(&with(enrolment("e1", "anna", 1, 0), born(1980))).await;
    rig.enrol(&with(enrolment("e2", "belle", 2, 0), json!({"galleries": ["crew"]}))).await;
    let galleries = rig.get("/enrolment/v1/realms/default/galleries").await.body;
    assert_eq!(galleries, json!({"galleries": ["crew", "vip"]}));

    let probe = json!({"samples": samples(1, 1)});
    let ask = async |fields| rig.post(IDENTIFY, &with(probe.clone(), fields)).await.body;
    let anybody = ask(json!({})).await;
    assert_eq!((&anybody["decision"], &anybody["searched"]), (&json!("hit"), &json!(2)), "{anybody}");
    assert_eq!(anybody["candidates"][0]["subject_id"], "anna");
    assert!(anybody["hit_threshold"].as_f64() > anybody["adjudicate_threshold"].as_f64());
    assert!(anybody["guarantee"].as_str().unwrap().starts_with("exhaustive"), "{anybody}");
    for (fields, decision, searched) in [
        (json!({"gallery": "vip"}), "hit", 1),
        (json!({"gallery": "crew"}), "clear", 1),
        (
            json!({"filter": {"year_of_birth_min": 1980, "year_of_birth_max": 1980, "sex": "female", "region": "HN"}}),
            "hit",
            1,
        ),
        (json!({"filter": {"year_of_birth_min": 1981}}), "clear", 0),
    ] {
        let answer = ask(fields.clone()).await;
        assert_eq!(
            (answer["decision"].as_str(), answer["searched"].as_u64()),
            (Some(decision), Some(searched)),
            "{fields}: {answer}"
        );
    }
    let without = ask(json!({"except": "anna"})).await;
    assert!(without["candidates"].as_array().unwrap().iter().all(|c| c["subject_id"] != "anna"), "{without}");
    let enrolled = rig.post(IDENTIFY, &json!({"subject_id": "anna", "encounter_id": "e1", "limit": 1})).await.body;
    assert_eq!(enrolled["decision"], "clear", "an encounter's own subject is left out: {enrolled}");
}

#[tokio::test]
async fn metadata_is_read_back_and_samples_are_not() {
    let rig = Rig::new();
    let attributes = json!({"year_of_birth": 1990, "sex": "male", "region": "R01"});
    let fields = json!({"galleries": ["b", "a"], "attributes": attributes});
    rig.enrol(&with(enrolment("e1", "anna", 1, 0), fields)).await;
    let read = rig.get(ANNAS).await.body;
    assert_eq!((&read["subject_id"], &read["galleries"]), (&json!("anna"), &json!(["a", "b"])));
    assert_eq!(read["attributes"], attributes);
    let kinds: Vec<_> = read["samples"].as_array().unwrap().iter().map(|s| s["kind"].as_str().unwrap()).collect();
    assert!(kinds.len() >= 8 && kinds.contains(&"face"), "{read}");
    assert!(read["samples"].as_array().unwrap().iter().all(|s| s.get("record").is_none() && s.get("vector").is_none()));
}

#[tokio::test]
async fn what_is_erased_is_found_no_more() {
    let rig = Rig::new();
    rig.enrol(&enrolment("e1", "anna", 1, 0)).await;
    rig.enrol(&enrolment("e2", "anna", 1, 1)).await;
    rig.enrol(&enrolment("e3", "belle", 2, 0)).await;
    let one = rig.text("DELETE", ANNAS, "").await;
    assert_eq!((one.status, one.body), (StatusCode::OK, json!({"erased_encounters": ["e1"]})));
    assert_eq!(rig.get(ANNAS).await.problem(), (404, "unknown-encounter", None));
    let subject = rig.text("DELETE", "/enrolment/v1/realms/default/subjects/anna", "").await;
    assert_eq!(subject.body, json!({"erased_encounters": ["e2"]}));
    let found = rig.post(IDENTIFY, &json!({"samples": samples(1, 2)})).await.body;
    assert_eq!((&found["decision"], &found["searched"]), (&json!("clear"), &json!(1)), "{found}");
    let again = rig.text("DELETE", "/enrolment/v1/realms/default/subjects/anna", "").await;
    assert_eq!(again.problem(), (404, "unknown-subject", None));
}

#[tokio::test]
async fn realms_are_made_listed_kept_apart_and_destroyed() {
    let rig = Rig::new();
    let made = rig.text("PUT", "/admin/v1/realms/north", "").await;
    assert_eq!((made.status, made.body), (StatusCode::CREATED, json!({"realm": "north", "encounters": 0})));
    assert_eq!(rig.text("PUT", "/admin/v1/realms/north", "{}").await.problem(), (409, "realm-exists", None));
    let flight = rig.text("PUT", "/admin/v1/realms/VN123", r#"{"ttl_s": 3600}"#).await;
    assert!(flight.body["expires_at_unix_s"].as_u64().unwrap() > 1_700_000_000, "{}", flight.body);

    rig.enrol(&enrolment("e1", "anna", 1, 0)).await;
    let elsewhere = rig.post("/enrolment/v1/realms/north/identify", &json!({"samples": samples(1, 1)})).await.body;
    assert_eq!((&elsewhere["decision"], &elsewhere["searched"]), (&json!("clear"), &json!(0)), "{elsewhere}");

    let listed = rig.get("/admin/v1/realms").await.body;
    let names: Vec<_> = listed["realms"].as_array().unwrap().iter().map(|r| r["realm"].as_str().unwrap()).collect();
    assert_eq!(names, ["VN123", "default", "north"]);
    let gone = rig.text("DELETE", "/admin/v1/realms/north", "").await;
    assert_eq!((gone.status, gone.body), (StatusCode::OK, json!({"realm": "north", "erased_encounters": 0})));
    let after = rig.post("/enrolment/v1/realms/north/identify", &json!({"samples": samples(1, 1)})).await;
    assert_eq!(after.problem(), (404, "unknown-realm", None));
}

#[tokio::test]
async fn a_request_with_a_name_is_done_once_and_told_the_same() {
    let rig = Rig::new();
    rig.enrol(&enrolment("e1", "anna", 1, 0)).await;
    let ask = async |key: &str, body: &serde_json::Value| {
        let request = axum::http::Request::post(ENCOUNTERS).header("authorization", &rig.token);
        let request = request.header("content-type", "application/json").header("idempotency-key", key);
        rig.send(request.body(axum::body::Body::from(body.to_string())).unwrap()).await
    };
    let belle = enrolment("e2", "belle", 1, 1);
    let first = ask("k-1", &belle).await;
    assert_eq!((first.status, &first.body["decision"]), (StatusCode::CREATED, &json!("hit")), "{}", first.body);
    // Also when what it says has changed since.
    rig.text("DELETE", ANNAS, "").await;
    let again = ask("k-1", &belle).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    assert_eq!(ask("k-2", &belle).await.problem(), (409, "encounter-exists", None));
    let other = ask("k-1", &enrolment("e3", "chi", 3, 0)).await;
    assert_eq!(other.problem(), (422, "bad-input", Some("Idempotency-Key")));
    assert_eq!(ask("a b", &belle).await.problem(), (422, "bad-input", Some("Idempotency-Key")));
    // What failed may be mended and asked again under the same name.
    let empty = with(enrolment("e3", "chi", 3, 0), json!({"samples": []}));
    assert_eq!(ask("k-3", &empty).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(ask("k-3", &enrolment("e3", "chi", 3, 0)).await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_request_sent_at_once_is_told_the_same() {
    let rig = Rig::new();
    for round in 0..20 {
        let body = enrolment(&format!("e{round}"), "anna", 1, 0).to_string();
        let ask = || {
            let request = axum::http::Request::post(ENCOUNTERS).header("authorization", &rig.token);
            let request = request.header("content-type", "application/json");
            let request = request.header("idempotency-key", format!("round-{round}"));
            let (app, request) = (rig.app.clone(), request.body(axum::body::Body::from(body.clone())).unwrap());
            tokio::spawn(async move { tower::ServiceExt::oneshot(app, request).await.unwrap().status() })
        };
        for asked in [ask(), ask(), ask()] {
            assert_eq!(asked.await.unwrap(), StatusCode::CREATED);
        }
    }
}
