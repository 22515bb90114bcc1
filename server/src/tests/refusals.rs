//! What is bad input told? Each kind of it gets its status, its field and what was expected, and changes nothing.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use khop_formats::write_iso_2005;
use serde_json::{Value, json};

use super::{ANNAS, ENCOUNTERS, IDENTIFY, MODEL, PEOPLE, Rig, VERIFY, enrolment, samples, with};

/// The bytes of one good record.
fn record() -> Vec<u8> {
    let person = PEOPLE.person(1);
    write_iso_2005(&person.fingers(0)[..1]).unwrap()
}

fn finger(bytes: &[u8]) -> Value {
    json!({"kind": "finger", "record": BASE64_STANDARD.encode(bytes)})
}

fn face(vector: Value) -> Value {
    json!({"kind": "face", "model": MODEL, "vector": vector})
}

#[tokio::test]
async fn samples_that_cannot_be_used_are_named_and_not_repeated() {
    let rig = Rig::new();
    let good = finger(&record());
    let mut wrong_magic = record();
    wrong_magic[..4].copy_from_slice(b"XMR\0");
    let mut no_minutiae = record();
    // Header 24 bytes, view header 6 of which the last counts the minutiae; then no extended data.
    no_minutiae.truncate(30);
    no_minutiae[29] = 0;
    no_minutiae.extend([0, 0]);
    no_minutiae[8..12].copy_from_slice(&32_u32.to_be_bytes());
    let mut oversized = record();
    oversized.resize(70_000, 0);
    let numbers = |n: usize| json!(vec![0.1_f32; n]);
    let put = |vector: Value, at: usize, value: Value| {
        let mut vector = vector;
        vector[at] = value;
        vector
    };
    for (what, sample, field) in [
        ("truncated", finger(&record()[..40]), "samples[1]"),
        ("empty", finger(b""), "samples[1]"),
        ("wrong magic", finger(&wrong_magic), "samples[1]"),
        ("no minutiae", finger(&no_minutiae), "samples[1]"),
        ("oversized", finger(&oversized), "samples[1]"),
        ("not base64", json!({"kind": "finger", "record": "~~~~"}), "samples[1].record"),
        ("no record", json!({"kind": "finger"}), "samples[1].record"),
        ("position", with(finger(&record()), json!({"position": "RIGHT_TOE"})), "samples[1].position"),
        ("other position", with(finger(&record()), json!({"position": "LEFT_LITTLE"})), "samples[1]"),
        ("quality", with(finger(&record()), json!({"quality": 101})), "samples[1].quality"),
        ("two kinds", with(finger(&record()), json!({"model": "m"})), "samples[1]"),
        ("no such kind", json!({"kind": "iris"}), "samples[1].kind"),
        ("unknown field", with(finger(&record()), json!({"finger": 1})), "samples[1].finger"),
        ("zero", face(json!(vec![0.0; 512])), "samples[1]"),
        ("infinite", face(put(numbers(512), 7, json!(1e39))), "samples[1].vector[7]"),
        ("null for NaN", face(put(numbers(512), 7, Value::Null)), "samples[1].vector[7]"),
        ("too short", face(numbers(63)), "samples[1]"),
        ("too long", face(numbers(4097)), "samples[1]"),
        ("no vector", json!({"kind": "face", "model": "m"}), "samples[1].vector"),
        ("bad model", json!({"kind": "face", "model": "../m", "vector": [1]}), "samples[1].model"),
    ] {
        let body = json!({"encounter_id": "e1", "subject_id": "anna", "samples": [good, sample]});
        let answer = rig.post(ENCOUNTERS, &body).await;
        assert_eq!(answer.problem(), (422, "bad-input", Some(field)), "{what}: {}", answer.body);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(["expected", "field", "the record says"].iter().any(|word| detail.contains(word)), "{what}: {detail}");
        assert!(!answer.body.to_string().contains(&BASE64_STANDARD.encode(&record()[24..48])), "{what}");
    }
    // JSON has no NaN and no infinity; what some writers make of them is malformed.
    for (number, expected) in [("1e999", 422), ("NaN", 400), ("Infinity", 400)] {
        let body = format!(r#"{{"samples":[{{"kind":"face","model":"m","vector":[0.5,{number}]}}]}}"#);
        let answer = rig.text("POST", IDENTIFY, body).await;
        assert_eq!(answer.problem().0, expected, "{number}: {}", answer.body);
    }
    let read = rig.get(ANNAS).await;
    assert_eq!(read.problem().1, "unknown-encounter", "nothing of all that was stored");
}

#[tokio::test]
async fn fields_that_cannot_be_used_are_named() {
    let rig = Rig::new();
    rig.enrol(&enrolment("e1", "anna", 1, 0)).await;
    let good = enrolment("e2", "belle", 2, 0);
    for (fields, status, kind, field) in [
        (json!({"subject_id": "anna", "encounter_id": "e1"}), 409, "encounter-exists", None),
        (json!({"encounter_id": "../e"}), 422, "bad-input", Some("encounter_id")),
        (json!({"subject_id": ""}), 422, "bad-input", Some("subject_id")),
        (json!({"subject_id": 7}), 422, "bad-input", Some("subject_id")),
        (json!({"galleries": ["a", "ALL"]}), 422, "bad-input", Some("galleries[1]")),
        (json!({"attributes": {"year_of_birth": 1700}}), 422, "bad-input", Some("attributes.year_of_birth")),
        (json!({"attributes": {"year_of_birth": 70000}}), 422, "bad-input", Some("attributes.year_of_birth")),
        (json!({"attributes": {"sex": "f"}}), 422, "bad-input", Some("attributes.sex")),
        (json!({"attributes": {"name": "Anna"}}), 422, "bad-input", Some("attributes.name")),
        (json!({"samples": []}), 422, "bad-input", Some("samples")),
        (json!({"smaples": []}), 422, "bad-input", Some("smaples")),
    ] {
        let answer = rig.post(ENCOUNTERS, &with(good.clone(), fields.clone())).await;
        assert_eq!(answer.problem(), (status, kind, field), "{fields}: {}", answer.body);
    }
    let probe = json!({"samples": samples(1, 1)});
    for (fields, status, kind, field) in [
        (json!({"gallery": "nowhere"}), 404, "unknown-gallery", None),
        (json!({"gallery": "a/b"}), 422, "bad-input", Some("gallery")),
        (json!({"limit": 0}), 422, "bad-input", Some("limit")),
        (json!({"limit": 51}), 422, "bad-input", Some("limit")),
        (json!({"limit": 1_000_000_000_000_u64}), 422, "bad-input", Some("limit")),
        (json!({"threshold": 201}), 422, "bad-input", Some("threshold")),
        (json!({"threshold": "high"}), 422, "bad-input", Some("threshold")),
        (json!({"loss": 0.6}), 422, "bad-input", Some("loss")),
        (json!({"loss": -1e-9}), 422, "bad-input", Some("loss")),
        (json!({"filter": {"region": ""}}), 422, "bad-input", Some("filter.region")),
        (json!({"encounter_id": "e1"}), 422, "bad-input", Some("samples")),
        (json!({"samples": [], "encounter_id": "e1"}), 422, "bad-input", Some("samples")),
        (json!({"samples": [], "subject_id": "anna", "encounter_id": "e9"}), 404, "unknown-encounter", None),
    ] {
        let answer = rig.post(IDENTIFY, &with(probe.clone(), fields.clone())).await;
        assert_eq!(answer.problem(), (status, kind, field), "{fields}: {}", answer.body);
    }
    for (fields, status, kind, field) in [
        (json!({}), 422, "bad-input", Some("subject_id")),
        (json!({"subject_id": "nobody"}), 404, "unknown-subject", None),
        (json!({"subject_id": "anna", "encounter_id": "nothing"}), 404, "unknown-encounter", None),
        (json!({"subject_id": "anna", "encounter_id": ""}), 422, "bad-input", Some("encounter_id")),
    ] {
        let answer = rig.post(VERIFY, &with(probe.clone(), fields.clone())).await;
        assert_eq!(answer.problem(), (status, kind, field), "{fields}: {}", answer.body);
    }
    for (path, field) in [
        ("/enrolment/v1/realms/default/cases?limit=0", "limit"),
        ("/enrolment/v1/realms/default/cases?limit=x", "query"),
        ("/enrolment/v1/realms/a%2Fb/cases", "realm"),
        ("/enrolment/v1/realms/%FF/cases", "path"),
    ] {
        assert_eq!(rig.get(path).await.problem(), (422, "bad-input", Some(field)), "{path}");
    }
    for (body, field) in [
        (json!({"ttl_s": 0}), "ttl_s"),
        (json!({"ttl_s": -1}), "ttl_s"),
        (json!({"expires_at_unix_s": 1}), "expires_at_unix_s"),
        (json!({"ttl_s": 1, "expires_at_unix_s": 9_999_999_999_u64}), "ttl_s"),
    ] {
        let answer = rig.text("PUT", "/admin/v1/realms/x", body.to_string()).await;
        assert_eq!(answer.problem(), (422, "bad-input", Some(field)), "{body}");
    }
}

#[tokio::test]
async fn another_model_or_dimension_is_never_compared() {
    let rig = Rig::new();
    rig.enrol(&enrolment("e1", "anna", 1, 0)).await;
    let other = |model: &str, n: usize| json!([{"kind": "face", "model": model, "vector": vec![0.1_f32; n]}]);
    for samples in [other("other-512", 512), other(MODEL, 256)] {
        let enrolment = json!({"encounter_id": "e2", "subject_id": "belle", "samples": samples});
        assert_eq!(rig.post(ENCOUNTERS, &enrolment).await.problem().1, "model-mismatch");
        assert_eq!(rig.post(IDENTIFY, &json!({"samples": samples})).await.problem().1, "model-mismatch");
        let claim = json!({"subject_id": "anna", "samples": samples});
        assert_eq!(rig.post(VERIFY, &claim).await.problem().1, "model-mismatch");
    }
}

#[tokio::test]
async fn a_probe_that_shares_nothing_is_not_comparable() {
    let rig = Rig::new();
    let all = samples(1, 0);
    let face = all.as_array().unwrap().last().unwrap();
    rig.enrol(&json!({"encounter_id": "e1", "subject_id": "anna", "samples": [face]})).await;
    let claim = json!({"subject_id": "anna", "samples": [finger(&record())]});
    assert_eq!(rig.post(VERIFY, &claim).await.problem(), (422, "not-comparable", None));
}
