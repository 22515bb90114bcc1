//! Which encounters does an array of face vectors hold? One labelled row each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use khop::{Encounter, EncounterId, EncounterKey, GalleryId, ModelId, Sample, SampleFormat, SubjectId};
use khop_formats::{npy, write_face_vector};

use super::{Source, SubjectPer};
use crate::array::ArrayFile;
use crate::failure::Failure;
use crate::labels::Labels;

/// Face vectors of one model, one a row.
pub struct FaceVectors {
    path: PathBuf,
    array: npy::Array,
    model: ModelId,
    dim: usize,
}

impl FaceVectors {
    /// Reads an array with two dimensions, 64 to 4096 numbers a row.
    pub fn read(path: &Path, model: ModelId) -> Result<Self, Failure> {
        let array = ArrayFile::read(path)?;
        match array.shape[..] {
            [_, dim @ 64..=4096] => Ok(Self { path: path.to_owned(), array, model, dim }),
            ref other => {
                let expected = "expected two dimensions, the second from 64 to 4096";
                Err(Failure::new(format!("{}: shape: {expected}, got {other:?}", path.display())))
            }
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many vectors there are.
    pub fn count(&self) -> usize {
        self.array.shape[0]
    }

    /// The model and the dimension of every row.
    pub fn model(&self) -> (&ModelId, usize) {
        (&self.model, self.dim)
    }

    /// The vector in this row as it is enrolled.
    pub fn sample(&self, row: usize) -> Sample {
        let values = &self.array.values[row * self.dim..][..self.dim];
        let format = SampleFormat::FaceVector(self.model.clone());
        Sample { format, position: None, quality: None, bytes: write_face_vector(values) }
    }
}

/// Labelled rows as encounters `SUBJECT-SAMPLE` of subjects `SUBJECT`.
pub struct LabelledFaces {
    vectors: FaceVectors,
    labels: Labels,
    subject_per: SubjectPer,
    galleries: BTreeSet<GalleryId>,
}

impl LabelledFaces {
    /// Reads the array and its labels; `clean` leaves out rows whose label is known to be wrong.
    pub fn read(
        vectors: &Path,
        model: ModelId,
        labels: &Path,
        clean: bool,
        subject_per: SubjectPer,
        galleries: BTreeSet<GalleryId>,
    ) -> Result<Self, Failure> {
        let labels = Labels::read(labels, clean)?;
        let vectors = FaceVectors::read(vectors, model)?;
        labels.expect_within(vectors.count(), vectors.path())?;
        Ok(Self { vectors, labels, subject_per, galleries })
    }
}

impl Source for LabelledFaces {
    fn count(&self) -> usize {
        self.labels.rows.len()
    }

    fn name(&self, index: usize) -> String {
        let label = &self.labels.rows[index];
        format!("{}-{}", label.subject, label.sample)
    }

    fn encounter(&self, index: usize) -> Result<Option<Encounter>, Failure> {
        let label = &self.labels.rows[index];
        let id = EncounterId::new(self.name(index))?;
        let subject = match self.subject_per {
            SubjectPer::Person => SubjectId::new(&label.subject)?,
            SubjectPer::Encounter => SubjectId::new(id.as_str())?,
        };
        let (galleries, samples) = (self.galleries.clone(), vec![self.vectors.sample(label.row)]);
        Ok(Some(Encounter { galleries, ..Encounter::new(EncounterKey { subject, encounter: id }, samples) }))
    }

    fn face_model(&self) -> Option<(&ModelId, usize)> {
        Some(self.vectors.model())
    }
}
