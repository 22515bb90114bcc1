//! What does a registry send of one occasion? The OSIA encounter, checked, and made the engine's.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use khop::{Attributes, Encounter, EncounterKey, GalleryId, Region, Sample, Sex};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::biometric::BiometricData;
use super::document::Document;
use super::words::Status;
use crate::problem::Problem;

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
    client_data: Option<String>,
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
    encryption: Option<Value>,
    /// Refused: it is not verified here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    integrity: Option<Vec<Value>>,
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

    /// The encounter as the engine takes it, whatever its name will be. What is not compared goes into its document.
    pub(crate) fn content(mut self) -> Result<Content, Problem> {
        if self.encryption.is_some() {
            return Err(Problem::field(
                "encryption",
                "expected data in the clear: what is enciphered cannot be compared",
            ));
        }
        if self.integrity.is_some() {
            return Err(Problem::field("integrity", "expected none: it would not be verified here"));
        }
        if self.client_data.as_ref().is_some_and(|data| BASE64_STANDARD.decode(data).is_err()) {
            return Err(Problem::field("clientData", "expected base64 (RFC 4648 §4, with padding)"));
        }
        let galleries = galleries(&self.galleries, "galleries")?;
        let attributes = attributes(self.biographic_data.as_ref())?;
        let (mut samples, mut places) = (Vec::new(), Vec::new());
        for (index, item) in self.biometric_data.iter_mut().enumerate() {
            let sample = item.sample(&format!("biometricData[{index}]"))?;
            places.push(sample.is_some());
            samples.extend(sample);
            (item.template, item.encounter_id) = (None, None);
        }
        let is_active = self.status == Status::ACTIVE;
        Ok(Content { is_active, galleries, attributes, samples, document: Document::new(self, places) })
    }
}

/// Everything of an encounter but its name.
#[derive(Clone)]
pub(crate) struct Content {
    is_active: bool,
    galleries: BTreeSet<GalleryId>,
    attributes: Attributes,
    samples: Vec<Sample>,
    document: Document,
}

impl Content {
    /// The encounter of this name; `created` is when it was, if it is not now.
    pub(crate) fn named(self, key: EncounterKey, created: Option<String>) -> Encounter {
        let Self { is_active, galleries, attributes, samples, document } = self;
        let document = document.dated(created).to_bytes();
        Encounter { is_active, galleries, attributes, document, ..Encounter::new(key, samples) }
    }
}

/// Checks the names of galleries: at least one, each once.
pub(crate) fn galleries(names: &[String], field: &str) -> Result<BTreeSet<GalleryId>, Problem> {
    let named = names.iter().enumerate().map(|(index, name)| {
        GalleryId::named(name).map_err(|error| Problem::field(format!("{field}[{index}]"), error.to_string()))
    });
    let galleries = named.collect::<Result<BTreeSet<_>, _>>()?;
    if galleries.is_empty() || galleries.len() < names.len() {
        return Err(Problem::field(field, "expected at least one gallery, each once"));
    }
    Ok(galleries)
}

/// What of the biographic data is indexed. What is indexed decides filters alone, so it must not contradict itself.
fn attributes(biographic: Option<&Free>) -> Result<Attributes, Problem> {
    let field = |name: &str, expected: &str| Problem::field(format!("biographicData.{name}"), expected);
    let value = |name: &str| biographic.and_then(|data| data.get(name));
    let year = match value("yearOfBirth") {
        Some(Value::Number(number)) => Some(number.as_u64().and_then(|year| u16::try_from(year).ok()).unwrap_or(0)),
        Some(_) => return Err(field("yearOfBirth", "expected a number from 1880 to 2200")),
        None => None,
    };
    let born = match value("dateOfBirth") {
        Some(Value::String(date)) => {
            let year = date.split_once('-').filter(|(year, _)| year.len() == 4).and_then(|(year, _)| year.parse().ok());
            Some(year.ok_or_else(|| field("dateOfBirth", "expected a date such as 1990-12-31"))?)
        }
        Some(_) => return Err(field("dateOfBirth", "expected a date such as 1990-12-31")),
        None => None,
    };
    if year.is_some_and(|year| born.is_some_and(|born| born != year)) {
        return Err(field("yearOfBirth", "expected the year of dateOfBirth"));
    }
    let attributes = Attributes {
        year_of_birth: year.or(born),
        sex: value("gender").and_then(sex),
        region: value("region").and_then(region),
    };
    let valid = attributes.validate();
    valid.map_err(|_| {
        field(if year.is_some() { "yearOfBirth" } else { "dateOfBirth" }, "expected a year from 1880 to 2200")
    })?;
    Ok(attributes)
}

/// The sex, where it is spelled in one of the usual ways.
pub(crate) fn sex(word: &Value) -> Option<Sex> {
    match word.as_str()?.to_ascii_uppercase().as_str() {
        "F" | "FEMALE" => Some(Sex::Female),
        "M" | "MALE" => Some(Sex::Male),
        _ => None,
    }
}

/// The region, where it is an identifier.
pub(crate) fn region(word: &Value) -> Option<Region> {
    word.as_str().and_then(|name| Region::new(name).ok())
}
