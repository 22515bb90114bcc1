//! Is what was promised done once, and told? Callbacks, failures, redelivery, and a restart in the middle of it all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::osia::{biometric_data, encounter};
use super::{ROOMY, Rig};
use crate::osia;

/// What a registry's receiver was told.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    task: String,
    transaction: String,
    kind: String,
    body: Value,
}

#[derive(Clone)]
struct Receiver {
    origin: String,
    told: Arc<Mutex<Vec<Told>>>,
    /// So many calls are refused first.
    refuse: Arc<Mutex<usize>>,
}

impl Receiver {
    async fn start(refuse: usize) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let receiver = Self { origin, told: Arc::default(), refuse: Arc::new(Mutex::new(refuse)) };
        let app = Router::new().route("/answers", post(receive)).with_state(receiver.clone());
        tokio::spawn(async { axum::serve(listener, app).await });
        receiver
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// Waits until so much was told.
    async fn wait_for(&self, count: usize) -> Vec<Told> {
        let until = Instant::now() + Duration::from_secs(60);
        while self.told().len() < count {
            assert!(Instant::now() < until, "{} of {count} told", self.told().len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.told()
    }
}

async fn receive(
    State(receiver): State<Receiver>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    {
        let mut refuse = receiver.refuse.lock().unwrap();
        if *refuse > 0 {
            *refuse -= 1;
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
    }
    assert_eq!(query["own"], "1", "the callback's own query stays");
    receiver.told.lock().unwrap().push(Told {
        task: query["taskId"].clone(),
        transaction: query["transactionId"].clone(),
        kind: headers[CONTENT_TYPE].to_str().unwrap().to_owned(),
        body: serde_json::from_str(&body).unwrap(),
    });
    StatusCode::NO_CONTENT
}

impl Rig {
    /// Asks for something to be done later; gives the task.
    async fn later(&self, receiver: &Receiver, method: &str, path: &str, body: &Value) -> String {
        let joint = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{joint}callback={}%2Fanswers%3Fown%3D1", receiver.origin.replace("://", "%3A%2F%2F"));
        let promised = self.ok(202, method, &path, body).await;
        promised["taskId"].as_str().unwrap().to_owned()
    }

    async fn status_of(&self, task: &str) -> Value {
        self.ok(200, "GET", &format!("tasks/{task}/status"), &json!(null)).await
    }

    /// Waits until a task has this status.
    async fn wait_for(&self, task: &str, status: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        while self.status_of(task).await != status {
            assert!(Instant::now() < until, "{} instead of {status}", self.status_of(task).await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn rig(receiver: &Receiver) -> Rig {
    let rig = Rig::on(tempfile::tempdir().unwrap(), ROOMY, std::slice::from_ref(&receiver.origin));
    tokio::spawn(osia::run(rig.service.clone()));
    rig
}

#[tokio::test]
async fn what_is_asked_with_a_callback_is_told_there() {
    let receiver = Receiver::start(0).await;
    let rig = rig(&receiver).await;
    let mut tasks = Vec::new();
    for (method, path, body) in [
        ("POST", "persons/P1/encounters/1", encounter(1, 0)),
        ("POST", "identify/ALL", json!({"filter": {}, "biometricData": biometric_data(1, 1)})),
        ("PUT", "persons/P1/encounters/1/status?status=INACTIVE", json!(null)),
        ("GET", "persons/P9/encounters/1", json!(null)),
        ("DELETE", "persons/P1", json!(null)),
    ] {
        let task = rig.later(&receiver, method, path, &body).await;
        rig.wait_for(&task, "COMPLETED").await;
        tasks.push(task);
    }
    let told = receiver.told();
    assert_eq!(told.iter().map(|told| &told.task).collect::<Vec<_>>(), tasks.iter().collect::<Vec<_>>());
    assert!(told.iter().all(|told| told.transaction == "T1"));
    assert_eq!(told[0].body, json!({"personId": "P1", "encounterId": "1"}));
    assert_eq!(told[1].body[0]["personId"], "P1");
    assert_eq!((&told[2].body, &told[4].body), (&json!("OK"), &json!("OK")));
    assert_eq!((told[3].kind.as_str(), &told[3].body["code"]), ("application/error+json", &json!(304)));
    assert_eq!(told[0].kind, "application/json");

    // Once more, on demand.
    rig.ok(204, "POST", &format!("tasks/{}/redeliver", tasks[0]), &json!(null)).await;
    assert_eq!(receiver.wait_for(6).await[5], told[0]);
    for task in ["77", "x", "-1"] {
        let unknown = rig.osia("GET", &format!("tasks/{task}/status"), &json!(null)).await;
        assert_eq!((unknown.status.as_u16(), &unknown.body["code"]), (404, &json!(306)));
        assert_eq!(rig.osia("POST", &format!("tasks/{task}/redeliver"), &json!(null)).await.status.as_u16(), 404);
    }
}

#[tokio::test]
async fn a_receiver_that_fails_is_told_again() {
    let receiver = Receiver::start(1).await;
    let rig = rig(&receiver).await;
    let task = rig.later(&receiver, "POST", "persons/P1/encounters/1", &encounter(1, 0)).await;
    rig.wait_for(&task, "RESPONSE_RETRY").await;
    rig.wait_for(&task, "COMPLETED").await;
    assert_eq!(receiver.told().len(), 1);
}

#[tokio::test]
async fn no_address_but_the_named_is_called_and_a_bad_request_is_no_task() {
    let receiver = Receiver::start(0).await;
    let rig = rig(&receiver).await;
    for callback in ["http://127.0.0.1:1/", "file:///etc/passwd", "http://example.org", ""] {
        let refused = rig.osia("GET", &format!("galleries?callback={callback}"), &json!(null)).await;
        assert_eq!(refused.status.as_u16(), 400, "{callback}");
        assert!(refused.body["message"].as_str().unwrap().starts_with("callback: "), "{}", refused.body);
    }
    let bad = rig.osia("POST", &format!("persons?callback={}/answers", receiver.origin), &json!({})).await;
    assert_eq!((bad.status.as_u16(), receiver.told().len()), (400, 0));
}

/// A thousand tasks, the process stopped and begun anew in the middle of them: each done once, each told, none lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_the_middle_of_many_tasks_loses_none() {
    let receiver = Receiver::start(0).await;
    let begin = |dir| {
        let (rig, process) = (Rig::on(dir, ROOMY, std::slice::from_ref(&receiver.origin)), Runtime::new().unwrap());
        process.spawn(osia::run(rig.service.clone()));
        (rig, process)
    };
    let (mut rig, mut process) = begin(tempfile::tempdir().unwrap());
    let mut tasks = BTreeSet::new();
    let face = |person: u64| {
        let mut body = encounter(person, 0);
        body["biometricData"] = json!([biometric_data(person, 0).as_array().unwrap().last().unwrap()]);
        body
    };
    for person in 0..1000u64 {
        let path = format!("persons/P{person}/encounters");
        assert!(tasks.insert(rig.later(&receiver, "POST", &path, &face(person % 50)).await));
        if person % 300 == 299 {
            // What is in hand is dropped where it stands.
            tokio::task::block_in_place(|| process.shutdown_timeout(Duration::from_secs(60)));
            let Rig { service, app, dir, .. } = rig;
            drop((service, app));
            (rig, process) = begin(dir);
        }
    }
    for task in &tasks {
        rig.wait_for(task, "COMPLETED").await;
    }
    let told = receiver.told();
    let by_task: BTreeSet<&String> = told.iter().map(|told| &told.task).collect();
    assert_eq!(by_task, tasks.iter().collect());
    assert!(told.iter().all(|told| told.kind == "application/json"), "none failed because it was done before");
    let mut names = BTreeMap::new();
    for told in &told {
        let name = names.entry(&told.task).or_insert(&told.body);
        assert_eq!(*name, &told.body, "told twice, told the same");
    }
    let listed = rig.ok(200, "GET", "galleries/ALL?limit=10000", &json!(null)).await;
    assert_eq!(listed.as_array().unwrap().len(), 1000, "each is enrolled once");
    process.shutdown_background();
}
