//! Does a registry that speaks OSIA ABIS 1.6.0 get what the standard promises? Every operation, every status code.

use axum::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use khop_formats::{write_face_vector, write_iso_2005};
use serde_json::{Value, json};

use super::{Answer, MODEL, PEOPLE, Rig, with};

/// The biometric data of a synthetic person on one occasion.
pub(super) fn biometric_data(person: u64, occasion: u32) -> Value {
    let person = PEOPLE.person(person);
    let fingers = person.fingers(occasion).into_iter().map(|finger| {
        json!({
            "biometricType": "FINGER", "biometricSubType": finger.position.name(), "templateFormat": "ISO_19794_2",
            "template": BASE64_STANDARD.encode(write_iso_2005(&[finger]).unwrap()),
            "quality": 80, "qualityFormat": "NFIQ2", "impressionType": "LIVE_SCAN_PLAIN", "resolution": 500,
        })
    });
    let face = json!({
        "biometricType": "FACE", "biometricSubType": "PORTRAIT", "templateFormat": format!("KHOP_FACE_F32:{MODEL}"),
        "template": BASE64_STANDARD.encode(write_face_vector(&person.face(occasion))),
    });
    fingers.chain([face]).collect()
}

pub(super) fn encounter(person: u64, occasion: u32) -> Value {
    json!({
        "status": "ACTIVE", "encounterType": "CCCD", "galleries": ["NATIONAL"], "clientData": "AAECAw==",
        "contextualData": {"station": "HN-12"}, "biometricData": biometric_data(person, occasion),
    })
}

/// A path with its transaction.
fn at(path: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("/v1/{path}{joint}transactionId=T1")
}

impl Rig {
    pub(super) async fn osia(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.text(method, &at(path), body).await
    }

    /// Asks and expects this status.
    pub(super) async fn ok(&self, status: u16, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.osia(method, path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.body);
        answer.body
    }

    /// Creates the first encounter of a person.
    async fn person(&self, name: &str, person: u64) {
        let created = self.ok(200, "POST", &format!("persons/{name}/encounters/1"), &encounter(person, 0)).await;
        assert_eq!(created, json!({"personId": name, "encounterId": "1"}));
    }
}

/// Status, code, and what the message begins with.
fn error(answer: &Answer) -> (u16, i64, String) {
    assert_eq!(answer.headers[CONTENT_TYPE], "application/json", "{}", answer.body);
    assert_eq!(answer.body.as_object().unwrap().len(), 2);
    let message = answer.body["message"].as_str().unwrap();
    let field = message.split_once(": ").map_or("", |(field, _)| field);
    (answer.status.as_u16(), answer.body["code"].as_i64().unwrap(), field.to_owned())
}

#[tokio::test]
async fn an_encounter_is_created_read_updated_and_deleted() {
    let rig = Rig::new();
    let ids = rig.ok(200, "POST", "persons", &encounter(1, 0)).await;
    let (person, first) = (ids["personId"].as_str().unwrap(), ids["encounterId"].as_str().unwrap());
    let second = rig.ok(200, "POST", &format!("persons/{person}/encounters"), &encounter(1, 1)).await;
    assert_eq!(second["personId"], person);
    rig.ok(200, "POST", &format!("persons/{person}/encounters/E3"), &encounter(1, 2)).await;
    let all = rig.ok(200, "GET", &format!("persons/{person}/encounters"), &json!(null)).await;
    assert_eq!(all.as_array().unwrap().len(), 3);

    let path = format!("persons/{person}/encounters/{first}");
    let read = rig.ok(200, "GET", &path, &json!(null)).await;
    let mut expected = encounter(1, 0);
    for item in expected["biometricData"].as_array_mut().unwrap() {
        item["encounterId"] = json!(first);
    }
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(read[name], *value, "{name} comes back as it was");
    }
    let (created, updated) = (read["createdDate"].as_str().unwrap(), read["updatedDate"].as_str().unwrap());
    assert!(created == updated && created.ends_with('Z'), "{created} {updated}");

    let other = with(encounter(2, 0), json!({"galleries": ["VIP", "NATIONAL"], "encounterType": "RENEWAL"}));
    let ids = rig.ok(200, "PUT", &path, &other).await;
    assert_eq!(ids, json!({"personId": person, "encounterId": first}));
    let read = rig.ok(200, "GET", &path, &json!(null)).await;
    assert_eq!((&read["encounterType"], &read["galleries"]), (&json!("RENEWAL"), &json!(["NATIONAL", "VIP"])));
    assert_eq!(read["createdDate"], created);
    assert!(read["updatedDate"].as_str().unwrap() > updated);

    rig.ok(204, "DELETE", &path, &json!(null)).await;
    assert_eq!(error(&rig.osia("GET", &path, &json!(null)).await), (404, 304, "encounter".into()));
    rig.ok(204, "DELETE", &format!("persons/{person}"), &json!(null)).await;
    let gone = rig.osia("GET", &format!("persons/{person}/encounters"), &json!(null)).await;
    assert_eq!(error(&gone), (404, 303, "subject".into()));
}

#[tokio::test]
async fn encounters_of_two_persons_may_have_the_same_id() {
    let rig = Rig::new();
    rig.person("P1", 1).await;
    rig.person("P2", 2).await;
    let again = rig.osia("POST", "persons/P1/encounters/1", &encounter(1, 1)).await;
    assert_eq!(error(&again), (409, 400, "encounter".into()));
    assert_eq!(rig.ok(200, "GET", "galleries/NATIONAL", &json!(null)).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn status_and_galleries_decide_who_is_found_where() {
    let rig = Rig::new();
    rig.person("P1", 1).await;
    let probe = json!({"filter": {}, "biometricData": biometric_data(1, 1)});
    let found = async |gallery: &str| {
        let candidates = rig.ok(200, "POST", &format!("identify/{gallery}"), &probe).await;
        candidates.as_array().unwrap().iter().any(|candidate| candidate["personId"] == "P1")
    };
    assert!(found("NATIONAL").await && found("ALL").await);
    rig.ok(204, "PUT", "persons/P1/encounters/1/status?status=INACTIVE", &json!(null)).await;
    assert!(!found("ALL").await);
    assert_eq!(rig.ok(200, "GET", "persons/P1/encounters/1", &json!(null)).await["status"], "INACTIVE");
    rig.ok(204, "PUT", "persons/P1/encounters/1/status?status=ACTIVE", &json!(null)).await;
    rig.ok(204, "PUT", "persons/P1/encounters/1/galleries", &json!(["HAIPHONG", "VIP"])).await;
    assert!(found("VIP").await && found("HAIPHONG").await);
    assert_eq!(rig.ok(200, "GET", "galleries", &json!(null)).await, json!(["HAIPHONG", "VIP"]));
    assert_eq!(error(&rig.osia("POST", "identify/NATIONAL", &probe).await), (404, 302, "gallery".into()));
    let verify = json!({"biometricData": biometric_data(1, 1)});
    assert_eq!(rig.ok(200, "POST", "verify/VIP/P1", &verify).await, json!({"decision": true}));
    for (body, field) in
        [(json!([]), "galleries"), (json!(["A", "A"]), "galleries"), (json!(["A", "ALL"]), "galleries[1]")]
    {
        let refused = rig.osia("PUT", "persons/P1/encounters/1/galleries", &body).await;
        assert_eq!(error(&refused), (400, 103, field.into()));
    }
    for status in ["", "?status=GONE"] {
        let refused = rig.osia("PUT", &format!("persons/P1/encounters/1/status{status}"), &json!(null)).await;
        assert_eq!(error(&refused), (400, 103, "status".into()));
    }
}

#[tokio::test]
async fn persons_are_merged_and_encounters_moved() {
    let rig = Rig::new();
    rig.person("P1", 1).await;
    rig.person("P2", 2).await;
    rig.ok(200, "POST", "persons/P3/encounters/9", &encounter(1, 1)).await;
    assert_eq!(error(&rig.osia("POST", "persons/P1/merge/P2", &json!(null)).await), (409, 400, "encounter".into()));
    assert_eq!(error(&rig.osia("POST", "persons/P1/merge/P9", &json!(null)).await), (404, 303, "subject".into()));
    assert_eq!(error(&rig.osia("POST", "persons/P1/merge/P1", &json!(null)).await).0, 400);
    rig.ok(204, "POST", "persons/P1/merge/P3", &json!(null)).await;
    assert_eq!(rig.ok(200, "GET", "persons/P1/encounters", &json!(null)).await.as_array().unwrap().len(), 2);
    assert_eq!(error(&rig.osia("GET", "persons/P3/encounters", &json!(null)).await).0, 404);

    rig.ok(204, "POST", "persons/P2/move/P1/encounters/9", &json!(null)).await;
    assert_eq!(rig.ok(200, "GET", "persons/P2/encounters/9", &json!(null)).await["encounterId"], "9");
    for (path, told) in [
        ("persons/P2/move/P1/encounters/1", (409, 400, "encounter")),
        ("persons/P2/move/P1/encounters/7", (404, 304, "encounter")),
        ("persons/P8/move/P1/encounters/1", (404, 303, "subject")),
        ("persons/P1/move/P1/encounters/1", (400, 103, "personIdTarget")),
    ] {
        let (status, code, field) = error(&rig.osia("POST", path, &json!(null)).await);
        assert_eq!((status, code, field.as_str()), told, "{path}");
    }
}

#[tokio::test]
async fn searches_find_others_by_what_is_sent_or_enrolled() {
    let rig = Rig::new();
    let born = |year: u16, gender: &str, visa: &str| {
        json!({"biographicData": {"dateOfBirth": format!("{year}-05-01"), "gender": gender, "region": "HN"},
               "contextualData": {"visa": visa, "visits": year}})
    };
    rig.ok(200, "POST", "persons/P1/encounters/1", &with(encounter(1, 0), born(1990, "F", "B2"))).await;
    rig.ok(200, "POST", "persons/P2/encounters/1", &with(encounter(1, 1), born(1991, "female", "C1"))).await;
    rig.person("P3", 3).await;
    let candidates = rig.ok(200, "POST", "identify/ALL/P1", &json!(null)).await;
    let first = &candidates[0];
    assert_eq!((&first["personId"], &first["rank"]), (&json!("P2"), &json!(1)), "{candidates}");
    assert_eq!(first["score"].as_f64().unwrap() % 10.0, 0.0);
    let details = first["scores"].as_array().unwrap();
    assert!(details.iter().any(|d| d["biometricType"] == "FACE" && d["biometricSubType"] == "PORTRAIT"));
    assert!(details.iter().any(|d| d["biometricSubType"] == "RIGHT_INDEX"));
    assert!(details.iter().all(|d| d["encounterId"] == "1" && d["galleries"] == json!(["NATIONAL"])));
    assert!(candidates.as_array().unwrap().iter().all(|candidate| candidate["personId"] != "P1"));
    let same = rig.ok(200, "POST", "identify/NATIONAL/P1/encounters/1", &json!({})).await;
    assert_eq!(same[0]["personId"], "P2");
    // An encounter that has nothing to compare does not take away what the others find.
    let kept = json!({"status": "INACTIVE", "encounterType": "X", "galleries": ["NATIONAL"], "biometricData": []});
    rig.ok(200, "POST", "persons/P1/encounters/2", &kept).await;
    assert_eq!(rig.ok(200, "POST", "identify/ALL/P1", &json!(null)).await[0]["personId"], "P2");
    rig.ok(204, "DELETE", "persons/P1/encounters/2", &json!(null)).await;
    assert!(same[0]["scores"][0].get("galleries").is_none());

    for (filter, is_found) in [
        (json!({"gender": "F"}), true),
        (json!({"gender": "M"}), false),
        (json!({"yearOfBirthMin": 1991, "yearOfBirthMax": 1991}), true),
        (json!({"yearOfBirth": 1990}), false),
        (json!({"dateOfBirthMin": "1991-05-01", "dateOfBirthMax": "1991-05-01"}), true),
        (json!({"dateOfBirthMin": "1991-05-02"}), false),
        (json!({"region": "HN", "visa": ["A1", "C1"]}), true),
        (json!({"visa": "B2"}), false),
        (json!({"visitsMin": 1991, "visitsMax": 1991.5}), true),
        (json!({"visitsMax": 1990}), false),
        (json!({"visits": "1991"}), false),
        (json!({"encounterType": "CCCD"}), true),
        (json!({"encounterType": "VISA"}), false),
        (json!({"unheardOf": true}), false),
        (json!({"biometricType": ["FINGER", "IRIS"]}), true),
        (json!({"biometricType": "FACE"}), true),
    ] {
        let candidates = rig.ok(200, "POST", "identify/ALL/P1", &filter).await;
        let listed = candidates.as_array().unwrap();
        assert_eq!(listed.iter().any(|candidate| candidate["personId"] == "P2"), is_found, "{filter}: {candidates}");
        if filter["biometricType"] == "FACE" {
            assert!(listed[0]["scores"].as_array().unwrap().iter().all(|d| d["biometricType"] == "FACE"));
        }
    }
    let one = rig
        .ok(200, "POST", "identify/ALL/P1?maxNbCand=1&threshold=30&accuracyLevel=exact&priority=9", &json!(null))
        .await;
    assert_eq!(one.as_array().unwrap().len(), 1);
    let none = rig.ok(200, "POST", "identify/ALL/P3?threshold=190", &json!(null)).await;
    assert_eq!(none, json!([]));
    for (query, field) in [
        ("maxNbCand=0", "maxNbCand"),
        ("maxNbCand=1001", "maxNbCand"),
        ("threshold=high", "threshold"),
        ("threshold=NaN", "threshold"),
        ("accuracyLevel=best", "accuracyLevel"),
        ("priority=10", "priority"),
        ("serviceLevel=-1", "serviceLevel"),
    ] {
        let refused = rig.osia("POST", &format!("identify/ALL/P1?{query}"), &json!(null)).await;
        assert_eq!(error(&refused), (400, 103, field.into()));
    }
    for (filter, field) in [
        (json!({"yearOfBirth": "1990"}), "filter.yearOfBirth"),
        (json!({"biometricType": "VOICE"}), "filter.biometricType"),
        (json!({"visa": {"is": "B2"}}), "filter.visa"),
        (json!({"biometricType": "IRIS"}), "biometricData"),
    ] {
        assert_eq!(error(&rig.osia("POST", "identify/ALL/P1", &filter).await), (400, 103, field.into()));
    }
}

#[tokio::test]
async fn a_claim_is_verified_in_the_gallery_named() {
    let rig = Rig::new();
    rig.person("P1", 1).await;
    rig.person("P2", 2).await;
    rig.ok(204, "PUT", "persons/P2/encounters/1/galleries", &json!(["VIP"])).await;
    let probe = json!({"biometricData": biometric_data(1, 1)});
    assert_eq!(rig.ok(200, "POST", "verify/NATIONAL/P1", &probe).await, json!({"decision": true}));
    assert_eq!(rig.ok(200, "POST", "verify/ALL/P2", &probe).await, json!({"decision": false}));
    assert_eq!(error(&rig.osia("POST", "verify/NATIONAL/P2", &probe).await), (404, 303, "subject".into()));
    assert_eq!(error(&rig.osia("POST", "verify/NOWHERE/P2", &probe).await), (404, 302, "gallery".into()));
    let pair = |second| json!({"biometricData1": biometric_data(1, 1), "biometricData2": biometric_data(second, 2)});
    assert_eq!(rig.ok(200, "POST", "verify", &pair(1)).await, json!({"decision": true}));
    assert_eq!(rig.ok(200, "POST", "verify", &pair(4)).await, json!({"decision": false}));
    assert_eq!(rig.ok(200, "POST", "verify?threshold=200", &pair(4)).await, json!({"decision": false}));
    let face = json!({"biometricData1": [biometric_data(1, 0)[10]], "biometricData2": [biometric_data(1, 0)[0]]});
    assert_eq!(error(&rig.osia("POST", "verify", &face).await).1, 105);
}

#[tokio::test]
async fn a_gallery_is_read_page_by_page_as_json_or_text() {
    let rig = Rig::new();
    for person in 1..4 {
        rig.person(&format!("P{person}"), person).await;
    }
    rig.ok(204, "PUT", "persons/P2/encounters/1/galleries", &json!(["VIP"])).await;
    let names = async |path: &str| {
        let read = rig.ok(200, "GET", path, &json!(null)).await;
        read.as_array().unwrap().iter().map(|ids| ids["personId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("galleries/NATIONAL").await, ["P1", "P3"]);
    assert_eq!(names("galleries/VIP").await, ["P2"]);
    assert_eq!(names("galleries/ALL?limit=2").await, ["P1", "P3"]);
    assert_eq!(names("galleries/ALL?limit=2&offset=2").await, ["P2"]);
    assert_eq!(names("galleries/ALL?offset=9").await, [""; 0]);
    assert_eq!(error(&rig.osia("GET", "galleries/NOWHERE", &json!(null)).await).0, 404);
    assert_eq!(error(&rig.osia("GET", "galleries/ALL?limit=0", &json!(null)).await), (400, 103, "limit".into()));
    let request = axum::http::Request::get(at("galleries/NATIONAL"))
        .header("authorization", &rig.token)
        .header("accept", "text/csv")
        .body(axum::body::Body::empty());
    let answer = rig.send(request.unwrap()).await;
    assert_eq!(answer.headers[CONTENT_TYPE], "text/csv; charset=utf-8");
    assert_eq!(answer.body, json!("PersonId, encounterId\nP1, 1\nP3, 1\n"));
}

#[tokio::test]
async fn templates_are_given_back_as_they_are_compared() {
    let rig = Rig::new();
    rig.person("P1", 1).await;
    let sent = biometric_data(1, 0);
    let read = async |query: &str| {
        rig.ok(200, "GET", &format!("persons/P1/encounters/1/templates{query}"), &json!(null)).await
    };
    let all = read("").await;
    assert_eq!(all.as_array().unwrap().len(), sent.as_array().unwrap().len());
    assert_eq!((&all[0]["template"], &all[0]["templateFormat"]), (&sent[0]["template"], &json!("ISO_19794_2")));
    assert!(all[0].get("impressionType").is_none());
    let index =
        read("?biometricType=FINGER&biometricSubType=LEFT_INDEX&templateFormat=ISO_19794_2&qualityFormat=NFIQ2").await;
    assert_eq!(index.as_array().unwrap().len(), 1);
    assert_eq!(index[0]["biometricSubType"], "LEFT_INDEX");
    assert_eq!(read("?biometricType=IRIS").await, json!([]));
    assert_eq!(error(&rig.osia("GET", "persons/P1/encounters/2/templates", &json!(null)).await).0, 404);
}

#[tokio::test]
async fn what_cannot_be_used_is_named() {
    let rig = Rig::new();
    let item = |fields: Value| {
        let good = json!({"biometricType": "FINGER", "templateFormat": "ISO_19794_2", "template": "Rk1S"});
        json!({"biometricData": [with(good, fields)]})
    };
    let without = |name: &str| {
        let mut body = encounter(1, 0);
        body.as_object_mut().unwrap().remove(name);
        body
    };
    for (body, field) in [
        (without("status"), "status"),
        (without("encounterType"), "encounterType"),
        (without("galleries"), "galleries"),
        (without("biometricData"), "biometricData"),
        (with(encounter(1, 0), json!({"status": "LOST"})), "status"),
        (with(encounter(1, 0), json!({"galleries": []})), "galleries"),
        (with(encounter(1, 0), json!({"nickname": "x"})), "nickname"),
        (with(encounter(1, 0), json!({"clientData": "?"})), "clientData"),
        (with(encounter(1, 0), json!({"encryption": {}})), "encryption"),
        (with(encounter(1, 0), json!({"integrity": []})), "integrity"),
        (with(encounter(1, 0), json!({"biographicData": {"yearOfBirth": 1700}})), "biographicData.yearOfBirth"),
        (with(encounter(1, 0), json!({"biographicData": {"dateOfBirth": "yesterday"}})), "biographicData.dateOfBirth"),
        (
            with(encounter(1, 0), json!({"biographicData": {"dateOfBirth": "1990-01-01", "yearOfBirth": 1991}})),
            "biographicData.yearOfBirth",
        ),
        (with(encounter(1, 0), json!({"biometricData": []})), "samples"),
        (with(encounter(1, 0), item(json!({"template": "Rk1SIDIw"}))), "samples[0]"),
        (with(encounter(1, 0), item(json!({"template": "~"}))), "biometricData[0].template"),
        (with(encounter(1, 0), item(json!({"template": null, "image": "AAAA"}))), "biometricData[0].image"),
        (with(encounter(1, 0), item(json!({"template": null}))), "biometricData[0].template"),
        (with(encounter(1, 0), item(json!({"imageRef": "http://169.254.169.254/"}))), "biometricData[0].imageRef"),
        (with(encounter(1, 0), item(json!({"templateRef": "file:///etc/passwd"}))), "biometricData[0].templateRef"),
        (with(encounter(1, 0), item(json!({"templateFormat": "ISO_19794_2_CS"}))), "biometricData[0].templateFormat"),
        (with(encounter(1, 0), item(json!({"biometricType": "FACE"}))), "biometricData[0].templateFormat"),
        (with(encounter(1, 0), item(json!({"biometricType": "IRIS"}))), "biometricData[0].biometricType"),
        (with(encounter(1, 0), item(json!({"biometricType": "TOE"}))), "biometricData[0].biometricType"),
        (with(encounter(1, 0), item(json!({"encryption": {}}))), "biometricData[0].encryption"),
    ] {
        let refused = rig.osia("POST", "persons/P1/encounters/1", &body).await;
        assert_eq!(error(&refused), (400, 103, field.into()), "{}", refused.body);
    }
    assert_eq!(error(&rig.text("GET", "/v1/galleries", "").await), (400, 103, "transactionId".into()));
    assert_eq!(error(&rig.text("POST", &at("persons"), "{").await).1, 100);
    assert_eq!(
        error(&rig.osia("POST", "persons/a%2Fb/encounters/1", &encounter(1, 0)).await),
        (400, 103, "personId".into())
    );
    assert_eq!(error(&rig.osia("GET", "nothing", &json!(null)).await), (404, 300, String::new()));
    assert_eq!(error(&rig.osia("PATCH", "galleries", &json!(null)).await), (405, 107, String::new()));
    let stranger = axum::http::Request::get(at("galleries")).body(axum::body::Body::empty()).unwrap();
    assert_eq!(error(&rig.send(stranger).await).0, 401);
    let huge = " ".repeat(12 << 20) + &encounter(1, 0).to_string();
    assert_eq!(error(&rig.text("POST", &at("persons"), huge).await), (413, 106, String::new()));
    assert_eq!(rig.ok(200, "GET", "galleries", &json!(null)).await, json!([]), "nothing of all that was stored");
}

#[tokio::test]
async fn what_is_missing_is_kept_and_what_came_another_way_is_read() {
    let rig = Rig::new();
    let mut items = biometric_data(1, 0);
    items[0] =
        json!({"biometricType": "FINGER", "missing": [{"biometricSubType": "RIGHT_THUMB", "presence": "AMPUTATED"}]});
    rig.ok(200, "POST", "persons/P1/encounters/1", &with(encounter(1, 0), json!({"biometricData": items}))).await;
    let read = rig.ok(200, "GET", "persons/P1/encounters/1", &json!(null)).await;
    assert_eq!(read["biometricData"][0]["missing"][0]["presence"], "AMPUTATED");
    assert_eq!(read["biometricData"][1]["template"], items[1]["template"]);
    assert_eq!(read["biometricData"][10]["template"], items[10]["template"]);

    rig.enrol(&super::enrolment("e1", "anna", 2, 0)).await;
    let read = rig.ok(200, "GET", "persons/anna/encounters/e1", &json!(null)).await;
    assert_eq!((&read["encounterType"], &read["galleries"]), (&json!("UNKNOWN"), &json!(["ALL"])));
    assert!(read["biometricData"].as_array().unwrap().iter().any(|item| item["biometricSubType"] == "LEFT_RING"));
    let only_kept = json!({"status": "INACTIVE", "encounterType": "NONE", "galleries": ["G"], "biometricData": []});
    rig.ok(200, "POST", "persons/P9/encounters/1", &only_kept).await;
    assert_eq!(rig.ok(200, "GET", "persons/P9/encounters/1/templates", &json!(null)).await, json!([]));
    let nothing = rig.osia("PUT", "persons/P9/encounters/1/status?status=ACTIVE", &json!(null)).await;
    assert_eq!(error(&nothing), (400, 103, "samples".into()));
}

#[tokio::test]
async fn a_request_with_a_name_is_done_once() {
    let rig = Rig::new();
    let ask = async |key: &str, method: &str, path: &str, body: &Value| {
        let request = axum::http::Request::builder().method(method).uri(at(path)).header("authorization", &rig.token);
        let request = request.header("content-type", "application/json").header("idempotency-key", key);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        rig.send(request.body(axum::body::Body::from(body)).unwrap()).await
    };
    let first = ask("k1", "POST", "persons", &encounter(1, 0)).await;
    let again = ask("k1", "POST", "persons?priority=9", &encounter(1, 0)).await;
    assert_eq!((first.status.as_u16(), &first.body), (200, &again.body), "the same names");
    assert_eq!(rig.ok(200, "GET", "galleries/ALL", &json!(null)).await.as_array().unwrap().len(), 1);
    let reused = ask("k1", "POST", "persons", &encounter(2, 0)).await;
    assert_eq!(error(&reused), (400, 103, "Idempotency-Key".into()));
    let person = format!("persons/{}", first.body["personId"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(ask("k2", "DELETE", &person, &json!(null)).await.status.as_u16(), 204);
    }
    assert_eq!(ask("k3", "DELETE", &person, &json!(null)).await.status.as_u16(), 404);
}
