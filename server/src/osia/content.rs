//! What does the engine take of what a registry sends? Samples, galleries and what is indexed; the rest is kept as it is.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use khop::{Attributes, Encounter, EncounterKey, GalleryId, Sample};

use super::biographic::attributes;
use super::document::Document;
use super::encounter::EncounterBody;
use super::words::Status;
use crate::problem::Problem;

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
    /// Checks an encounter. What is not compared of it goes into its document.
    pub(crate) fn of(mut body: EncounterBody) -> Result<Self, Problem> {
        if body.encryption.is_some() {
            return Err(Problem::field(
                "encryption",
                "expected data in the clear: what is enciphered cannot be compared",
            ));
        }
        if body.integrity.is_some() {
            return Err(Problem::field("integrity", "expected none: it would not be verified here"));
        }
        if body.client_data.as_ref().is_some_and(|data| BASE64_STANDARD.decode(data).is_err()) {
            return Err(Problem::field("clientData", "expected base64 (RFC 4648 §4, with padding)"));
        }
        let galleries = galleries(&body.galleries, "galleries")?;
        let attributes = attributes(body.biographic_data.as_ref())?;
        let (mut samples, mut places) = (Vec::new(), Vec::new());
        for (index, item) in body.biometric_data.iter_mut().enumerate() {
            let sample = item.sample(&format!("biometricData[{index}]"))?;
            places.push(sample.is_some());
            samples.extend(sample);
            (item.template, item.encounter_id) = (None, None);
        }
        let is_active = body.status == Status::ACTIVE;
        Ok(Self { is_active, galleries, attributes, samples, document: Document::new(body, places) })
    }

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
