//! What does a registry send of one occasion? The OSIA encounter.

use khop::Encounter;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::biometric::BiometricData;
use super::words::Status;

/// Free-form data of the caller's: an object.
pub(crate) type Free = Map<String, Value>;

/// An encounter on the wire.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = osia::Encounter)]
pub(crate) struct EncounterBody {
    pub(crate) status: Status,
    /// Given by the path or by the service; ignored in a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(read_only, required = true)]
    pub(crate) encounter_id: Option<String>,
    pub(crate) encounter_type: String,
    /// When it was created; ignored in a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) created_date: Option<String>,
    /// When it was last updated; ignored in a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) updated_date: Option<String>,
    /// At least one, each once; 1 to 64 letters, digits and `. _ : -`, and not `ALL`.
    #[schema(min_items = 1)]
    pub(crate) galleries: Vec<String>,
    /// In base64; given back as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Byte)]
    pub(crate) client_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) contextual_data: Option<Free>,
    /// Filters look at all of it; `yearOfBirth`, `dateOfBirth`, `gender` and `region` are indexed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) biographic_data: Option<Free>,
    pub(crate) biometric_data: Vec<BiometricData>,
    /// Refused: what is enciphered cannot be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) encryption: Option<Value>,
    /// Refused: it is not verified here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub(crate) integrity: Option<Vec<Value>>,
}

impl EncounterBody {
    /// An encounter that was not enrolled by OSIA.
    pub(crate) fn foreign(encounter: &Encounter) -> Self {
        Self {
            status: Status::ACTIVE,
            encounter_id: None,
            encounter_type: "UNKNOWN".to_owned(),
            created_date: None,
            updated_date: None,
            galleries: Vec::new(),
            client_data: None,
            contextual_data: None,
            biographic_data: None,
            biometric_data: encounter.samples.iter().map(BiometricData::of).collect(),
            encryption: None,
            integrity: None,
        }
    }
}
