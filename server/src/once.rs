//! Was this asked before? A change under a name of the client's is done once, and told the same whenever it is asked again.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;
use khop::{Enrolment, Realm};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::problem::Problem;

/// The client's name for a request (IETF draft *The Idempotency-Key HTTP Header Field*).
const HEADER: &str = "idempotency-key";
/// Answers are kept this long.
const KEPT_S: u64 = 24 * 60 * 60;
/// Receipts looked at in one go.
const PAGE: usize = 1000;

/// A name under which something is done once.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Once {
    name: String,
    /// Of what was asked: another request under the same name is a mistake of the client's.
    digest: String,
}

/// What was told, as the realm's receipt keeps it.
#[derive(Serialize, Deserialize)]
struct Kept {
    digest: String,
    at_unix_s: u64,
    answer: Value,
}

impl Once {
    /// The client's name for this request, if it has one.
    pub(crate) fn of(headers: &HeaderMap, asked: &[&str]) -> Result<Option<Self>, Problem> {
        let Some(key) = headers.get(HEADER) else { return Ok(None) };
        let key = key.to_str().ok().filter(|key| {
            let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
            (1..=64).contains(&key.len()) && key.chars().all(good)
        });
        let expected = "expected 1 to 64 letters, digits and . _ : -";
        let key = key.ok_or_else(|| Problem::field("Idempotency-Key", expected))?;
        let mut digest = blake3::Hasher::new();
        for part in asked {
            digest.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        Ok(Some(Self { name: format!("key-{key}"), digest: digest.finalize().to_hex().to_string() }))
    }

    /// The service's own name for something.
    pub(crate) fn named(name: String) -> Self {
        Self { name, digest: String::new() }
    }

    /// The name of the receipt.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs a change that keeps `words` of what it comes to; tells what was told if it was done before.
    pub(crate) fn run(
        &self,
        realm: &Realm,
        words: impl FnOnce(&[Enrolment]) -> Value + Send + 'static,
        run: impl FnOnce(&Realm) -> Result<Value, Problem>,
    ) -> Result<Value, Problem> {
        if let Some(told) = self.told(realm)? {
            return Ok(told);
        }
        let digest = self.digest.clone();
        let receipt = move |enrolments: &[Enrolment]| {
            let kept = Kept { digest, at_unix_s: now_unix_s(), answer: words(enrolments) };
            serde_json::to_vec(&kept).expect("maps have text for keys, and numbers are finite")
        };
        let done = run(&realm.with_receipt(&self.name, receipt));
        // Where another request of the same name was faster, what it did stands in the way of this one.
        done.or_else(|problem| self.told(realm)?.ok_or(problem))
    }

    fn told(&self, realm: &Realm) -> Result<Option<Value>, Problem> {
        let Some(kept) = read(realm, &self.name)? else { return Ok(None) };
        if kept.digest == self.digest {
            return Ok(Some(kept.answer));
        }
        Err(Problem::field("Idempotency-Key", "expected another one: this was used for another request"))
    }
}

/// Removes the answers of a realm that need not be kept any more.
pub(crate) fn clear(realm: &Realm) -> Result<(), Problem> {
    let mut after = String::new();
    loop {
        let names = realm.receipts(&after, PAGE)?;
        let Some(last) = names.last().cloned() else { return Ok(()) };
        after = last;
        for name in names {
            if read(realm, &name)?.is_some_and(|kept| now_unix_s() >= kept.at_unix_s + KEPT_S) {
                realm.drop_receipt(&name)?;
            }
        }
    }
}

fn read(realm: &Realm, name: &str) -> Result<Option<Kept>, Problem> {
    let Some(bytes) = realm.receipt(name)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        tracing::error!(%error, "a receipt cannot be read");
        Problem::internal()
    })
}

pub(crate) fn now_unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
