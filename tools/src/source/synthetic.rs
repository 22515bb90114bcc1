//! Who comes to the counter in a demonstration? People of the synthetic population, some under another name.

use khop::{Encounter, EncounterId, EncounterKey, ModelId, Sample, SampleFormat, SubjectId};
use khop_evaluate::synth::Population;

use super::Source;
use crate::failure::Failure;

/// One visit: which person, on which occasion, under whose name.
pub struct Visit {
    /// The person's number in the population.
    pub person: u64,
    /// Which occasion of theirs: other samples each time.
    pub occasion: u32,
    /// Whether the person gives another name than their own.
    pub under_another_name: bool,
}

/// Visits of synthetic people, samples made on demand.
pub struct SyntheticVisits {
    population: Population,
    visits: Vec<Visit>,
    model: ModelId,
}

impl SyntheticVisits {
    /// These visits, in this order.
    pub fn new(population: Population, visits: Vec<Visit>) -> Self {
        let model = ModelId::new(khop_face::SYNTHETIC_MODEL).expect("a valid constant");
        Self { population, visits, model }
    }

    /// One of the visits.
    pub fn visit(&self, index: usize) -> &Visit {
        &self.visits[index]
    }

    /// The face shown at a visit.
    pub fn face(&self, visit: &Visit) -> Sample {
        let vector = self.population.person(visit.person).face(visit.occasion);
        Sample {
            format: SampleFormat::FaceVector(self.model.clone()),
            position: None,
            quality: None,
            bytes: khop_formats::write_face_vector(&vector),
        }
    }

    /// The subject id given at a visit.
    pub fn subject(&self, visit: &Visit) -> Result<SubjectId, Failure> {
        let own = self.population.person(visit.person).subject;
        if visit.under_another_name { Ok(SubjectId::new(format!("{own}-alias"))?) } else { Ok(own) }
    }
}

impl Source for SyntheticVisits {
    fn count(&self) -> usize {
        self.visits.len()
    }

    fn name(&self, index: usize) -> String {
        let visit = &self.visits[index];
        format!("P{}-{}", visit.person, visit.occasion)
    }

    fn encounter(&self, index: usize) -> Result<Option<Encounter>, Failure> {
        let visit = &self.visits[index];
        let person = self.population.person(visit.person);
        let mut samples = Vec::with_capacity(11);
        for finger in person.fingers(visit.occasion).iter().filter(|f| !f.minutiae.is_empty()) {
            let bytes = khop_formats::write_iso_2005(std::slice::from_ref(finger))?;
            samples.push(Sample { format: SampleFormat::Minutiae, position: None, quality: None, bytes });
        }
        samples.push(self.face(visit));
        let key = EncounterKey { subject: self.subject(visit)?, encounter: EncounterId::new(self.name(index))? };
        Ok(Some(Encounter { attributes: person.attributes, ..Encounter::new(key, samples) }))
    }
}
