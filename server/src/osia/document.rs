//! What is kept of an encounter beside its samples? The rest of what the registry sent, given back as it was.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use khop::Encounter;
use serde::{Deserialize, Serialize};

use super::encounter::EncounterBody;
use super::words::Status;

/// The document of an encounter: JSON, sealed by the store with the samples.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Document {
    encounter: EncounterBody,
    /// Whether each biometric item has a sample; they stand in the same order.
    samples: Vec<bool>,
}

impl Document {
    pub(crate) fn new(encounter: EncounterBody, samples: Vec<bool>) -> Self {
        Self { encounter, samples }
    }

    /// The document of an encounter, and one made up for those that have another or none.
    pub(crate) fn of(encounter: &Encounter) -> Self {
        let made_up = || Self::new(EncounterBody::foreign(encounter), vec![true; encounter.samples.len()]);
        let own = serde_json::from_slice::<Self>(&encounter.document).ok();
        own.filter(|own| own.samples.iter().filter(|has| **has).count() == encounter.samples.len())
            .unwrap_or_else(made_up)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("maps have text for keys, and numbers are finite")
    }

    /// Created then, if it was before, and updated now.
    pub(crate) fn dated(mut self, created: Option<String>) -> Self {
        let now = jiff::Timestamp::now().to_string();
        self.encounter.created_date = Some(created.unwrap_or_else(|| now.clone()));
        self.encounter.updated_date = Some(now);
        self
    }

    /// When the encounter was created, if that is known.
    pub(crate) fn created(self) -> Option<String> {
        self.encounter.created_date
    }

    /// What filters look at.
    pub(crate) fn encounter(&self) -> &EncounterBody {
        &self.encounter
    }

    /// The encounter as it is now, its templates in their places.
    pub(crate) fn filled(self, encounter: &Encounter) -> EncounterBody {
        let (id, mut body) = (encounter.id.to_string(), self.encounter);
        let mut samples = encounter.samples.iter();
        for (item, has_sample) in body.biometric_data.iter_mut().zip(self.samples) {
            item.encounter_id = Some(id.clone());
            if let Some(sample) = has_sample.then(|| samples.next()).flatten() {
                item.template = Some(BASE64_STANDARD.encode(&sample.bytes));
            }
        }
        body.encounter_id = Some(id);
        body.status = if encounter.is_active { Status::ACTIVE } else { Status::INACTIVE };
        body.galleries = encounter.galleries.iter().map(ToString::to_string).collect();
        if body.galleries.is_empty() {
            body.galleries.push("ALL".to_owned()); // where everything is
        }
        body
    }
}
