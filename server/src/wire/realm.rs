//! What is a tenant or a flight made of, in numbers?

use khop::{Purge, RealmStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// A realm to be made. Nothing given: it stays until it is destroyed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RealmRequest {
    /// When it dies, seconds since 1970; either this or `ttl_s`.
    expires_at_unix_s: Option<u64>,
    /// How long it lives from now, seconds, at least 1; either this or `expires_at_unix_s`.
    #[schema(minimum = 1)]
    ttl_s: Option<u64>,
}

impl RealmRequest {
    pub(crate) fn expires_at_unix_s(&self, now_unix_s: u64) -> Result<Option<u64>, Problem> {
        match (self.expires_at_unix_s, self.ttl_s) {
            (None, None) => Ok(None),
            (Some(at), None) if at > now_unix_s => Ok(Some(at)),
            (Some(_), None) => Err(Problem::field("expires_at_unix_s", format!("expected after now, {now_unix_s}"))),
            (None, Some(0)) => Err(Problem::field("ttl_s", "expected at least 1")),
            (None, Some(ttl_s)) => Ok(Some(now_unix_s.saturating_add(ttl_s))),
            (Some(_), Some(_)) => Err(Problem::field("ttl_s", "expected either ttl_s or expires_at_unix_s")),
        }
    }
}

/// A realm in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RealmAnswer {
    realm: String,
    /// When it dies, seconds since 1970; absent when it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at_unix_s: Option<u64>,
    /// Encounters that can be found.
    encounters: u64,
    /// The face model it is bound to, once a face was enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    face_model: Option<String>,
}

impl From<&RealmStatus> for RealmAnswer {
    fn from(status: &RealmStatus) -> Self {
        Self {
            realm: status.id.to_string(),
            expires_at_unix_s: status.expires_at_unix_s,
            encounters: status.encounters,
            face_model: status.face_model.as_ref().map(|(model, _)| model.to_string()),
        }
    }
}

/// Every realm that can be reached.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RealmsAnswer {
    realms: Vec<RealmAnswer>,
}

impl RealmsAnswer {
    pub(crate) fn of(realms: &[RealmStatus]) -> Self {
        Self { realms: realms.iter().map(Into::into).collect() }
    }
}

/// A realm that is no more.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PurgeAnswer {
    realm: String,
    /// Encounters that went with it.
    erased_encounters: u64,
}

impl From<Purge> for PurgeAnswer {
    fn from(purge: Purge) -> Self {
        Self { realm: purge.realm.to_string(), erased_encounters: purge.encounters }
    }
}
