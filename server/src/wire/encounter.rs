//! What is known of one occasion on which a person was captured? Metadata of an encounter, never its samples.

use std::collections::BTreeSet;

use khop::{Encounter, EncounterId, EncounterKey, GalleryId, SampleFormat, SubjectId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::wire::attributes::AttributesBody;
use crate::wire::field::at;
use crate::wire::sample::{SampleBody, SampleKind, samples};

/// An encounter to be enrolled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrolRequest {
    /// Unique among those of its subject: 1 to 64 letters, digits and `. _ : -`.
    #[schema(example = "enc-0001")]
    encounter_id: String,
    /// The person the samples are said to be of.
    #[schema(example = "person-0001")]
    subject_id: String,
    /// Galleries it belongs to. Every encounter also belongs to `ALL`, which is not named here.
    #[serde(default)]
    galleries: Vec<String>,
    /// For filters.
    #[serde(default)]
    attributes: AttributesBody,
    /// One face and up to ten fingers.
    samples: Vec<SampleBody>,
    /// Whether to look for the same person under other subjects first. Default true.
    #[schema(default = true)]
    pub(crate) check: Option<bool>,
}

impl EnrolRequest {
    pub(crate) fn encounter(self) -> Result<Encounter, Problem> {
        let galleries = self.galleries.iter().enumerate().map(|(i, name)| {
            GalleryId::named(name).map_err(|error| Problem::field(format!("galleries[{i}]"), error.to_string()))
        });
        let key = EncounterKey {
            subject: SubjectId::new(&self.subject_id).map_err(at("subject_id"))?,
            encounter: EncounterId::new(&self.encounter_id).map_err(at("encounter_id"))?,
        };
        Ok(Encounter {
            galleries: galleries.collect::<Result<BTreeSet<_>, _>>()?,
            attributes: self.attributes.attributes()?,
            ..Encounter::new(key, samples(self.samples)?)
        })
    }
}

/// An encounter without its samples.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EncounterAnswer {
    encounter_id: String,
    subject_id: String,
    galleries: Vec<String>,
    attributes: AttributesBody,
    samples: Vec<SampleSummary>,
}

/// What kind of sample is kept, and how large it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SampleSummary {
    kind: SampleKind,
    /// The model, for faces.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// The finger, as the request told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<&'static str>,
    /// As the request told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<u8>,
    /// Length of the bytes kept.
    bytes: usize,
}

impl From<&Encounter> for EncounterAnswer {
    fn from(encounter: &Encounter) -> Self {
        let samples = encounter.samples.iter().map(|sample| SampleSummary {
            kind: match sample.format {
                SampleFormat::Minutiae => SampleKind::Finger,
                SampleFormat::FaceVector(_) => SampleKind::Face,
            },
            model: match &sample.format {
                SampleFormat::Minutiae => None,
                SampleFormat::FaceVector(model) => Some(model.to_string()),
            },
            position: sample.position.map(khop::FingerPosition::name),
            quality: sample.quality.map(khop::Quality::value),
            bytes: sample.bytes.len(),
        });
        Self {
            encounter_id: encounter.id.to_string(),
            subject_id: encounter.subject.to_string(),
            galleries: encounter.galleries.iter().map(ToString::to_string).collect(),
            attributes: AttributesBody::from(&encounter.attributes),
            samples: samples.collect(),
        }
    }
}
