//! Which encounters does a manifest list? One finger each.

use std::collections::BTreeSet;
use std::path::Path;

use khop::{Encounter, EncounterId, EncounterKey, GalleryId, Sample, SampleFormat, SubjectId};

use super::{Source, SubjectPer, read_record};
use crate::failure::Failure;
use crate::manifest::{Manifest, ManifestRow};

/// The rows of a manifest as encounters `DATASET-EXTRACTOR-FINGER-IMPRESSION` of subjects `DATASET-FINGER`.
pub struct ListedFingers {
    manifest: Manifest,
    subject_per: SubjectPer,
    galleries: BTreeSet<GalleryId>,
}

impl ListedFingers {
    /// Reads the manifest; the records are read one by one later.
    pub fn read(
        manifest: &Path,
        wheres: &[String],
        subject_per: SubjectPer,
        galleries: BTreeSet<GalleryId>,
    ) -> Result<Self, Failure> {
        Ok(Self { manifest: Manifest::read(manifest, wheres)?, subject_per, galleries })
    }
}

impl Source for ListedFingers {
    fn count(&self) -> usize {
        self.manifest.rows.len()
    }

    fn name(&self, index: usize) -> String {
        let ManifestRow { dataset, extractor, finger, impression, .. } = &self.manifest.rows[index];
        format!("{dataset}-{extractor}-{finger}-{impression}")
    }

    fn encounter(&self, index: usize) -> Result<Option<Encounter>, Failure> {
        let ManifestRow { dataset, finger, path, .. } = &self.manifest.rows[index];
        let Some(path) = path else { return Ok(None) };
        let id = EncounterId::new(self.name(index))?;
        let subject = match self.subject_per {
            SubjectPer::Person => SubjectId::new(format!("{dataset}-{finger}"))?,
            SubjectPer::Encounter => SubjectId::new(id.as_str())?,
        };
        let bytes = read_record(path)?;
        khop_formats::read_minutiae(&bytes).map_err(Failure::at(path))?;
        let sample = Sample { format: SampleFormat::Minutiae, position: None, quality: None, bytes };
        let key = EncounterKey { subject, encounter: id };
        Ok(Some(Encounter { galleries: self.galleries.clone(), ..Encounter::new(key, vec![sample]) }))
    }
}
