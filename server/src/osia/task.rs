//! What was promised to a registry? A call that is to be done, then an answer that is to be told.

use khop::{Realm, TaskId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::Call;
use super::words::TaskStatus;
use crate::problem::Problem;

/// One task, as the store keeps it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Task {
    /// Where the answer goes.
    pub(crate) callback: String,
    pub(crate) transaction: String,
    pub(crate) priority: u8,
    pub(crate) status: TaskStatus,
    /// What is to be done; gone once it is.
    pub(crate) call: Option<Call>,
    /// What is to be told; there once it is done.
    pub(crate) outcome: Option<Outcome>,
    /// How often it failed for the time being: the doing, then the telling.
    pub(crate) attempts: u32,
    /// When nothing was left to do, seconds since 1970.
    pub(crate) ended_at_unix_s: Option<u64>,
}

/// What is told to the callback.
#[derive(Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) is_error: bool,
    pub(crate) body: Value,
}

impl Task {
    /// A call that is to be done.
    pub(crate) fn new(call: Call, callback: String) -> Self {
        Self {
            callback,
            transaction: call.text("transactionId").unwrap_or_default().to_owned(),
            priority: call.priority(),
            status: TaskStatus::PENDING,
            call: Some(call),
            outcome: None,
            attempts: 0,
            ended_at_unix_s: None,
        }
    }

    /// Reads it; `None` when it is not there.
    pub(crate) fn read(realm: &Realm, id: TaskId) -> Result<Option<Self>, Problem> {
        let Some(bytes) = realm.task(id)? else { return Ok(None) };
        let task = serde_json::from_slice(&bytes);
        task.map(Some).map_err(|error| {
            tracing::error!(task = id.0, %error, "a task cannot be read");
            Problem::internal()
        })
    }

    /// Keeps it as it is now.
    pub(crate) fn write(&self, realm: &Realm, id: TaskId) -> Result<(), Problem> {
        realm.set_task(id, Some(self.to_bytes()))?;
        Ok(())
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("maps have text for keys, and numbers are finite")
    }

    /// Whether there is still something to be done or told.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.status, TaskStatus::COMPLETED | TaskStatus::RESPONSE_ERROR)
    }
}
