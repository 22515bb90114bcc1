//! Where do encounters come from? Finger records in a manifest, labelled face vectors, or a population on disk.

mod faces;
mod fingers;
mod population;
mod synthetic;

use std::io::Read;
use std::path::Path;

use khop::{Encounter, ModelId};

pub use faces::LabelledFaces;
pub use fingers::ListedFingers;
pub use population::Population;
pub use synthetic::{SyntheticVisits, Visit};

use crate::failure::Failure;

/// A list of encounters that can be read in any order, from any thread.
pub trait Source: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// What one of them is called: its encounter id, unless that is no valid id.
    fn name(&self, index: usize) -> String;

    /// Reads one of them; `None` when nothing was captured (a failure to enrol at the source).
    fn encounter(&self, index: usize) -> Result<Option<Encounter>, Failure>;

    /// The model and the dimension of the face vectors, if there are any.
    fn face_model(&self) -> Option<(&ModelId, usize)> {
        None
    }
}

/// Whose an encounter is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SubjectPer {
    /// All encounters of a person (or of a finger) belong to one subject.
    Person,
    /// Every encounter is a subject of its own, so that a search has to find out who is who.
    Encounter,
}

/// Reads a finger minutiae record, but never more than one can be long.
pub fn read_record(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = std::fs::File::open(path).map_err(Failure::at(path))?;
    let limit = khop_formats::MAX_RECORD_BYTES;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(Failure::at(path))?;
    if bytes.len() > limit {
        return Err(Failure::new(format!("{}: expected a record of at most {limit} bytes, got more", path.display())));
    }
    Ok(bytes)
}
