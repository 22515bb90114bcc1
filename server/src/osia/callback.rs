//! Where may an answer be sent? Only to the origins that the operator named, and never on from there.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;

use super::task::Task;
use crate::problem::Problem;

/// A receiver must answer within this time.
const WITHIN: Duration = Duration::from_secs(10);

/// Why an origin cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// It is not an origin.
    #[error("callback origin {0:?}: expected a scheme, a host and a port only, such as http://127.0.0.1:9000")]
    NotAnOrigin(String),
    /// Everybody on the network could read along.
    #[error(
        "callback origin {0:?}: answers hold biometric data, so http goes to this host only; name a loopback address"
    )]
    InTheClear(String),
    /// The client could not be made.
    #[error("callbacks: {0}")]
    Client(String),
}

/// Tells answers to those who may be told.
#[derive(Clone)]
pub(crate) struct Callbacks {
    allowed: Vec<Url>,
    client: reqwest::Client,
}

impl Callbacks {
    /// Only these origins are ever called.
    pub(crate) fn to(origins: &[String]) -> Result<Self, CallbackError> {
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().timeout(WITHIN);
        let client = client.build().map_err(|error| CallbackError::Client(error.to_string()))?;
        let allowed = origins.iter().map(|origin| allowed(origin)).collect::<Result<_, _>>()?;
        Ok(Self { allowed, client })
    }

    /// Refuses an address that is not of one of the origins.
    pub(crate) fn check(&self, callback: &str) -> Result<(), Problem> {
        let url = Url::parse(callback).ok();
        if url.is_some_and(|url| self.may_be_called(&url)) {
            return Ok(());
        }
        let expected = "expected an address of an origin that the operator of this service has named";
        Err(Problem::field("callback", expected))
    }

    fn may_be_called(&self, url: &Url) -> bool {
        let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        is_plain && self.allowed.iter().any(|allowed| allowed.origin() == url.origin())
    }

    /// Tells a task's outcome. Whether it was taken.
    pub(crate) async fn tell(&self, task: &Task, id: &str) -> Result<(), String> {
        let mut url = Url::parse(&task.callback).map_err(|error| error.to_string())?;
        if !self.may_be_called(&url) {
            return Err("its origin is no longer one of those named".to_owned());
        }
        let Some(outcome) = &task.outcome else { return Err("there is nothing to tell".to_owned()) };
        url.query_pairs_mut().append_pair("transactionId", &task.transaction).append_pair("taskId", id);
        let kind = if outcome.is_error { "application/error+json" } else { "application/json" };
        let request = self.client.post(url).header(CONTENT_TYPE, kind).body(outcome.body.to_string());
        // The address may hold names: it is not repeated.
        let response = request.send().await.map_err(|error| error.without_url().to_string())?;
        if response.status().is_success() { Ok(()) } else { Err(format!("answered {}", response.status())) }
    }
}

fn allowed(origin: &str) -> Result<Url, CallbackError> {
    let wrong = || CallbackError::NotAnOrigin(origin.to_owned());
    let url = Url::parse(origin).map_err(|_| wrong())?;
    let is_origin = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !is_origin || !url.username().is_empty() || url.password().is_some() || url.scheme() != "http" {
        return Err(wrong());
    }
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if is_loopback { Ok(url) } else { Err(CallbackError::InTheClear(origin.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_origins_named_are_called() {
        let callbacks = Callbacks::to(&["http://127.0.0.1:9000".to_owned(), "http://[::1]:80".to_owned()]).unwrap();
        for good in ["http://127.0.0.1:9000", "http://127.0.0.1:9000/a/b?c=d", "http://[::1]/x"] {
            assert!(callbacks.check(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/a",
            "callback",
            "http://127.0.0.1/",
            "http://127.0.0.1:9001/",
            "https://127.0.0.1:9000/",
            "http://127.0.0.2:9000/",
            "http://localhost:9000/",
            "http://127.0.0.1:9000@example.org/",
            "http://user@127.0.0.1:9000/",
            "http://user:word@127.0.0.1:9000/",
            "http://example.org/#http://127.0.0.1:9000/",
            "http://127.0.0.1:9000/#x",
            "http://169.254.169.254/latest/meta-data",
            "http://[::ffff:127.0.0.1]:9000/",
            "http://0x7f000001:9001/",
            "file:///etc/passwd",
            "gopher://127.0.0.1:9000/",
            "http:\\\\127.0.0.1:9001",
        ] {
            assert!(callbacks.check(bad).is_err(), "{bad}");
        }
        assert!(Callbacks::to(&[]).unwrap().check("http://127.0.0.1:9000").is_err());
    }

    #[test]
    fn an_origin_that_cannot_be_called_is_refused_at_the_start() {
        let refused = |origin: &str| Callbacks::to(&[origin.to_owned()]).err().map(|error| error.to_string());
        for origin in
            ["127.0.0.1:9000", "http://127.0.0.1/a", "ftp://127.0.0.1", "http://a@127.0.0.1", "http://127.0.0.1?x"]
        {
            assert!(refused(origin).is_some_and(|why| why.contains("expected a scheme")), "{origin}");
        }
        assert!(refused("http://example.org").is_some_and(|why| why.contains("loopback")));
        assert_eq!(refused("http://localhost:9000"), None);
    }
}
