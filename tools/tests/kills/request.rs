//! What is asked of the service? Changes of one encounter, made from numbers, so that the same can be asked again.

use std::io::Result;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

const MODEL: &str = "khop-synth-512";
/// Every form of an encounter is in one of so many galleries.
pub const GALLERIES: u64 = 4;

/// Person and encounter.
pub type Name = (String, String);

/// What an encounter is: a face, a gallery and a note of its own for each number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form(pub u64);

impl Form {
    /// Numbers that stay the same on their way through JSON and 32 bits.
    fn vector(self) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(self.0);
        (0..512).map(|_| f32::from(random.random_range(-127..=127_i8)) / 64.0).collect()
    }

    fn template(self) -> String {
        BASE64_STANDARD.encode(self.vector().into_iter().flat_map(f32::to_le_bytes).collect::<Vec<_>>())
    }

    pub fn gallery(self) -> String {
        format!("G{}", self.0 % GALLERIES)
    }

    /// Its face in OSIA's words.
    fn biometric_data(self) -> Value {
        json!([{"biometricType": "FACE", "templateFormat": format!("KHOP_FACE_F32:{MODEL}"), "template": self.template()}])
    }

    /// Its face in the engine's own words.
    pub fn sample(self) -> Value {
        json!({"kind": "face", "model": MODEL, "vector": self.vector()})
    }

    /// Whether this is what was read. Only what was sent in OSIA's words has a note.
    pub fn is(self, read: &Value) -> bool {
        let note = &read["contextualData"];
        read["biometricData"][0]["template"] == self.template()
            && read["galleries"] == json!([self.gallery()])
            && (note.is_null() || note["form"] == self.0)
    }
}

/// What is to become of an encounter.
#[derive(Debug, Clone)]
pub enum Change {
    /// In the engine's own words, looking for duplicates or not.
    Enrol(Name, Form, bool),
    /// In OSIA's words.
    Create(Name, Form),
    /// The service gives the names.
    CreateNameless(Form),
    Update(Name, Form),
    Erase(Name),
    /// In the engine's own words, which have no key for it.
    EraseKeyless(Name),
}

/// A change, and the name it is asked under if it is to be done once.
#[derive(Debug, Clone)]
pub struct Request {
    pub change: Change,
    pub key: Option<String>,
}

impl Request {
    pub fn ask(&self, client: &mut Client) -> Result<Answer> {
        let osia = |(person, encounter): &Name| format!("/v1/persons/{person}/encounters/{encounter}?transactionId=T");
        let body = |form: &Form| {
            json!({"status": "ACTIVE", "encounterType": "RIG", "galleries": [form.gallery()],
                   "contextualData": {"form": form.0}, "biometricData": form.biometric_data()})
        };
        let (method, path, body) = match &self.change {
            Change::Enrol((person, encounter), form, check) => {
                let body = json!({"subject_id": person, "encounter_id": encounter, "galleries": [form.gallery()],
                                  "samples": [form.sample()], "check": check});
                ("POST", "/enrolment/v1/realms/default/encounters".to_owned(), body)
            }
            Change::Create(name, form) => ("POST", osia(name), body(form)),
            Change::CreateNameless(form) => ("POST", "/v1/persons?transactionId=T".to_owned(), body(form)),
            Change::Update(name, form) => ("PUT", osia(name), body(form)),
            Change::Erase(name) => ("DELETE", osia(name), Value::Null),
            Change::EraseKeyless((person, encounter)) => {
                let path = format!("/enrolment/v1/realms/default/subjects/{person}/encounters/{encounter}");
                ("DELETE", path, Value::Null)
            }
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        client.ask(method, &path, self.key.as_deref(), &body)
    }

    /// Which encounter it changes; the answer says it where the service gave the names.
    pub fn name(&self, answer: Option<&Answer>) -> Option<Name> {
        match &self.change {
            Change::Enrol(name, ..) | Change::Create(name, _) | Change::Update(name, _) => Some(name.clone()),
            Change::Erase(name) | Change::EraseKeyless(name) => Some(name.clone()),
            Change::CreateNameless(_) => {
                let told: Value = serde_json::from_str(&answer?.body).ok()?;
                Some((told["personId"].as_str()?.to_owned(), told["encounterId"].as_str()?.to_owned()))
            }
        }
    }

    /// What the encounter is once it is done; `None` is erased.
    pub fn outcome(&self) -> Option<Form> {
        match &self.change {
            Change::Enrol(_, form, _) | Change::Create(_, form) => Some(*form),
            Change::CreateNameless(form) | Change::Update(_, form) => Some(*form),
            Change::Erase(_) | Change::EraseKeyless(_) => None,
        }
    }
}
