//! Whom do the tests enrol? People of the synthetic population, as encounters and probes.

use std::collections::BTreeSet;

use khop::{Encounter, EncounterKey, GalleryId, ModelId, Sample, SampleFormat};
use khop_evaluate::synth::{Population, PopulationOptions};

/// A small population from one seed.
pub fn population() -> Population {
    Population::new(20_26, PopulationOptions::default())
}

/// The fingers of one encounter of a person, one ISO record a finger.
pub fn fingers(population: &Population, person: u64, encounter: u32) -> Vec<Sample> {
    let fingers = population.person(person).fingers(encounter);
    let usable = fingers.iter().filter(|f| !f.minutiae.is_empty());
    usable
        .map(|finger| Sample {
            format: SampleFormat::Minutiae,
            position: None,
            quality: None,
            bytes: khop_formats::write_iso_2005(std::slice::from_ref(finger)).unwrap(),
        })
        .collect()
}

/// The face of one encounter of a person.
pub fn face(population: &Population, person: u64, encounter: u32) -> Sample {
    Sample {
        format: SampleFormat::FaceVector(ModelId::new(khop_face::SYNTHETIC_MODEL).unwrap()),
        position: None,
        quality: None,
        bytes: khop_formats::write_face_vector(&population.person(person).face(encounter)),
    }
}

/// Fingers and face.
pub fn samples(population: &Population, person: u64, encounter: u32) -> Vec<Sample> {
    let mut samples = fingers(population, person, encounter);
    samples.push(face(population, person, encounter));
    samples
}

/// An encounter of a person under a subject's name.
pub fn encounter(population: &Population, person: u64, occasion: u32, subject: &str) -> Encounter {
    Encounter {
        galleries: BTreeSet::from([GalleryId::new(if person.is_multiple_of(2) { "EVEN" } else { "ODD" }).unwrap()]),
        attributes: population.person(person).attributes.clone(),
        ..Encounter::new(key(subject, occasion), samples(population, person, occasion))
    }
}

/// The encounter of a subject on an occasion.
pub fn key(subject: &str, occasion: u32) -> EncounterKey {
    EncounterKey::new(subject, format!("{subject}-{occasion}")).unwrap()
}
