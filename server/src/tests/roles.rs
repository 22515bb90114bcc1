//! May everybody do what the policy says, and nothing else? Every role on every route in every realm, and keys that are no more.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use super::{Answer, ENCOUNTERS, IDENTIFY, Rig, enrolment, samples};
use crate::api_keys::{self, NewKey};
use crate::once::now_unix_s;
use crate::osia::PREFIX;
use crate::policy::{Right, Role};
use crate::routes::routes;

fn new_key(name: &str, roles: &[Role], realms: &[&str]) -> NewKey {
    let realms = realms.iter().map(|realm| (*realm).to_owned()).collect();
    NewKey { name: name.to_owned(), roles: roles.to_vec(), realms, lives: Duration::from_secs(3600) }
}

impl Rig {
    fn key(&self, name: &str, roles: &[Role], realms: &[&str]) -> String {
        api_keys::create(self.dir.path(), &new_key(name, roles, realms)).unwrap().0
    }

    async fn ask(&self, key: &str, method: &str, path: &str, body: &Value) -> Answer {
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {key}"));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(request.header(CONTENT_TYPE, "application/json").body(Body::from(body)).unwrap()).await
    }
}

#[tokio::test]
async fn every_role_may_do_on_every_route_what_the_policy_says() {
    let rig = Rig::new();
    let (mut seen, mut allowed) = (0, 0);
    for role in Role::ALL {
        let granted = rig.key(&format!("{}-granted", role.name()), &[role], &["granted", "default"]);
        let elsewhere = rig.key(&format!("{}-elsewhere", role.name()), &[role], &["elsewhere*"]);
        for route in routes() {
            let path = ["{realm}", "{galleryId}", "{taskId}"].iter().fold(route.path.to_owned(), |path, name| {
                path.replace(name, if *name == "{realm}" { "granted" } else { "7" })
            });
            let path = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>();
            let path = format!("{}?transactionId=T", path.join("/"));
            let has_realm = route.path.contains("{realm}") || route.path.starts_with(PREFIX);
            for (key, is_granted) in [(&granted, true), (&elsewhere, !has_realm)] {
                let may = route.right == Right::Open || (role.rights().contains(&route.right) && is_granted);
                let status = rig.ask(key, route.method.as_str(), &path, &Value::Null).await.status.as_u16();
                assert_eq!(status != 401 && status != 403, may, "{role:?} {} {path}: {status}", route.method);
                assert!(may || status == 403);
                (seen, allowed) = (seen + 1, allowed + u32::from(may));
            }
        }
    }
    assert_eq!(seen, 7 * 2 * routes().len() as u32);
    assert!(allowed > 50 && allowed < seen / 3, "{allowed} of {seen}");
}

#[tokio::test]
async fn each_learns_what_its_role_needs() {
    let rig = Rig::new();
    let [registry, station, verifier, adjudicator, admin] =
        [Role::Registry, Role::Enroller, Role::Verifier, Role::Adjudicator, Role::Admin]
            .map(|role| rig.key(role.name(), &[role], &[]));
    assert_eq!(rig.ask(&admin, "PUT", "/admin/v1/realms/VN1", &json!({"ttl_s": 600})).await.status.as_u16(), 201);
    let clear = rig.ask(&station, "POST", ENCOUNTERS, &enrolment("e1", "anna", 1, 0)).await.body;
    assert_eq!(clear, json!({"encounter_id": "e1", "subject_id": "anna", "decision": "clear"}));
    let hit = rig.ask(&station, "POST", ENCOUNTERS, &enrolment("e2", "belle", 1, 1)).await.body;
    assert_eq!(hit, json!({"encounter_id": "e2", "subject_id": "belle", "decision": "adjudicate"}));
    let cases = rig.ask(&adjudicator, "GET", "/enrolment/v1/realms/default/cases", &Value::Null).await.body;
    assert_eq!(cases["cases"][0]["encounter_id"], "e2");
    let scores = rig.ask(&adjudicator, "POST", IDENTIFY, &json!({"samples": samples(1, 2)})).await.body;
    assert!(scores["candidates"][0]["score"].is_number(), "{scores}");
    for key in [&registry, &station, &verifier, &admin] {
        let refused = rig.ask(key, "POST", IDENTIFY, &json!({"samples": samples(1, 2)})).await;
        assert_eq!(refused.problem(), (403, "forbidden", None));
    }
    let probe = json!({"biometricData": super::osia::biometric_data(1, 2)});
    let verified = rig.ask(&verifier, "POST", "/v1/verify/ALL/anna?transactionId=T", &probe).await.body;
    assert_eq!(verified, json!({"decision": true}), "yes or no, and nothing else");
    let listed = rig.ask(&verifier, "GET", "/v1/galleries?transactionId=T", &Value::Null).await;
    assert_eq!((listed.status.as_u16(), &listed.body["code"]), (403, &json!(201)));

    let passengers = "/enrolment/v1/realms/VN1/encounters";
    assert_eq!(rig.ask(&station, "POST", passengers, &enrolment("12A", "p1", 4, 0)).await.status.as_u16(), 201);
    let gate = rig.key("gate-7", &[Role::Gate], &["VN*"]);
    let traveller = json!({"samples": samples(5, 0)});
    let boarding = rig.ask(&gate, "POST", "/boarding/v1/flights/VN1/identify", &traveller).await;
    assert_eq!((boarding.status.as_u16(), &boarding.body["decision"]), (200, &json!("no_match")), "{}", boarding.body);
    let other = rig.ask(&gate, "POST", "/boarding/v1/flights/default/identify", &traveller).await;
    assert_eq!(other.status.as_u16(), 403);
}

#[tokio::test]
async fn a_key_that_is_no_more_opens_nothing() {
    let rig = Rig::new();
    let dir = rig.dir.path();
    let status = async |key: &str| rig.ask(key, "GET", "/metrics", &Value::Null).await.status.as_u16();
    let (old, record) = api_keys::create(dir, &new_key("watch", &[Role::Auditor], &[])).unwrap();
    assert_eq!(status(&old).await, 200);
    let new = rig.key("watch", &[Role::Auditor], &[]);
    // Two at once, for rotation; the service sees a change within a second.
    let third = api_keys::create(dir, &new_key("watch", &[Role::Auditor], &[]));
    assert!(third.unwrap_err().to_string().contains("at most 2"));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!((status(&old).await, status(&new).await), (200, 200));
    assert_eq!(api_keys::revoke(dir, &record.id).unwrap().len(), 1);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!((status(&old).await, status(&new).await), (401, 200));
    assert!(api_keys::revoke(dir, "nobody").is_err());

    // Every key that differs in a character, is cut, or is made longer.
    let mut tried = 0;
    for at in 0..new.len() {
        for other in b'!'..=b'~' {
            let mut bytes = new.clone().into_bytes();
            if std::mem::replace(&mut bytes[at], other) != other {
                assert_eq!(status(&String::from_utf8(bytes).unwrap()).await, 401);
                tried += 1;
            }
        }
        assert_eq!(status(&new[..at]).await, 401);
    }
    assert!(tried > 5000 && status(&format!("{new}A")).await == 401);
    assert_eq!(status(&new).await, 200);

    // A key whose time is over.
    let path = dir.join("api-keys");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&new));
    let mut kept: Value = serde_json::from_str(text.trim_end().rsplit_once('\n').unwrap().0).unwrap();
    kept["keys"][0]["expires_unix_s"] = now_unix_s().into();
    let kept = serde_json::to_string_pretty(&kept).unwrap();
    std::fs::write(&path, format!("{kept}\n{}\n", blake3::hash(kept.as_bytes()))).unwrap();
    assert!(api_keys::list(dir).unwrap()[0].is_expired());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(status(&new).await, 401);
}

#[tokio::test]
async fn a_damaged_file_of_keys_opens_nothing_until_it_is_whole_again() {
    let rig = Rig::new();
    let key = rig.key("watch", &[Role::Auditor], &[]);
    let status = async || {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        rig.ask(&key, "GET", "/metrics", &Value::Null).await.status.as_u16()
    };
    assert_eq!(status().await, 200);
    let path = rig.dir.path().join("api-keys");
    let text = std::fs::read_to_string(&path).unwrap();
    let damaged_at = std::time::SystemTime::now() + Duration::from_secs(1);
    // Whole again without a sign of it, as after a read that failed once.
    for (content, expected) in [(text.replace("auditor", "auditoR"), 401), (text, 200)] {
        std::fs::write(&path, content).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(damaged_at).unwrap();
        assert_eq!(api_keys::list(rig.dir.path()).is_ok(), expected == 200);
        assert_eq!(status().await, expected);
    }
}

#[tokio::test]
async fn refusals_are_counted_by_their_kind() {
    let rig = Rig::new();
    let gate = rig.key("gate-7", &[Role::Gate], &["VN*"]);
    assert_eq!(rig.ask("nobody", "GET", "/metrics", &Value::Null).await.status.as_u16(), 401);
    assert_eq!(rig.ask(&gate, "GET", "/metrics", &Value::Null).await.status.as_u16(), 403);
    for flight in ["JL1", "VN1"] {
        rig.ask(&gate, "POST", &format!("/boarding/v1/flights/{flight}/identify"), &json!({"samples": []})).await;
    }
    // What cannot be read is about no flight of anybody's.
    let unreadable = rig.ask(&gate, "POST", "/boarding/v1/flights/VN%FF/identify", &json!({"samples": []})).await;
    assert_eq!(unreadable.problem(), (422, "bad-input", Some("path")));
    let metrics = rig.get("/metrics").await.body;
    let metrics = metrics.as_str().unwrap();
    for line in ["khop_refused_total{reason=\"token\"} 1", "khop_refused_total{reason=\"right\"} 2"] {
        assert!(metrics.lines().any(|l| l == line), "{line}\n{metrics}");
    }
    assert!(!metrics.contains("gate-7") && !metrics.contains("VN1"), "{metrics}");
}

#[tokio::test]
async fn who_runs_some_realms_is_told_of_no_others() {
    let rig = Rig::new();
    for flight in ["VN1", "VN2", "JL1"] {
        assert_eq!(rig.text("PUT", &format!("/admin/v1/realms/{flight}"), "{}").await.status.as_u16(), 201);
    }
    let admin = rig.key("hanoi", &[Role::Admin], &["VN*"]);
    let listed = rig.ask(&admin, "GET", "/admin/v1/realms", &Value::Null).await.body;
    let names = listed["realms"].as_array().unwrap().iter().map(|realm| realm["realm"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["VN1", "VN2"]);
    assert_eq!(rig.get("/admin/v1/realms").await.body["realms"].as_array().unwrap().len(), 4);
}

#[test]
fn changes_of_the_keys_come_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    // As a change leaves it that was cut short: it stands in nobody's way.
    std::fs::write(dir.path().join("api-keys.new"), "{").unwrap();
    std::thread::scope(|scope| {
        for at in 0..8 {
            let dir = dir.path();
            scope.spawn(move || {
                for of in 0..4 {
                    api_keys::create(dir, &new_key(&format!("{at}-{of}"), &[Role::Gate], &[])).unwrap();
                }
                api_keys::revoke(dir, &format!("{at}-0")).unwrap();
            });
        }
    });
    assert_eq!(api_keys::list(dir.path()).unwrap().len(), 8 * 3);
}

#[test]
fn keys_that_make_no_sense_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let good = new_key("a", &[Role::Gate], &["VN*"]);
    let refused = |key: &NewKey| api_keys::create(dir.path(), key).unwrap_err().to_string();
    assert!(refused(&NewKey { name: "a b".into(), ..good.clone() }).starts_with("name: "));
    assert!(refused(&NewKey { roles: vec![], ..good.clone() }).starts_with("role: "));
    assert!(refused(&NewKey { realms: vec!["a/b".into()], ..good.clone() }).starts_with("realm: "));
    for seconds in [59, 366 * 24 * 3600] {
        assert!(refused(&NewKey { lives: Duration::from_secs(seconds), ..good.clone() }).starts_with("expires: "));
    }
    api_keys::create(dir.path(), &good).unwrap();
    assert_eq!(api_keys::list(dir.path()).unwrap()[0].roles(), [Role::Gate]);
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(dir.path().join("api-keys")).unwrap().permissions().mode() & 0o777, 0o600);
}
