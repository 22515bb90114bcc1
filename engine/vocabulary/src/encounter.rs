//! What was received? One encounter: whose it is said to be, where it belongs, and its samples as they came.

use std::collections::BTreeSet;

use crate::{Attributes, EncounterId, FingerPosition, GalleryId, IdError, ModelId, Quality, SubjectId};

/// How the bytes of a [`Sample`] are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SampleFormat {
    /// A finger minutiae record: ISO/IEC 19794-2:2005 or :2011, or INCITS 378-2004 (told apart by its header).
    Minutiae,
    /// A face embedding of this model: little-endian `f32`s.
    FaceVector(ModelId),
}

/// One sample as received, before anything was derived from it. The catalogue keeps exactly this.
#[derive(Clone, PartialEq, Eq)]
pub struct Sample {
    /// How to read `bytes`.
    pub format: SampleFormat,
    /// For fingers: overrides the position in the record when that is unknown. `None` for faces.
    pub position: Option<FingerPosition>,
    /// Quality given by the capture side, if any.
    pub quality: Option<Quality>,
    /// The bytes as received.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sample({:?}, {} bytes)", self.format, self.bytes.len())
    }
}

/// Which encounter of whom. A realm has each pair at most once (OSIA *PersonIds*).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncounterKey {
    /// The person.
    pub subject: SubjectId,
    /// Which of the person's.
    pub encounter: EncounterId,
}

impl EncounterKey {
    /// Checks and keeps both names.
    ///
    /// # Errors
    /// [`IdError`] names the identifier and what is wrong with it.
    pub fn new(subject: impl AsRef<str>, encounter: impl AsRef<str>) -> Result<Self, IdError> {
        Ok(Self { subject: SubjectId::new(subject)?, encounter: EncounterId::new(encounter)? })
    }
}

impl std::fmt::Display for EncounterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.subject, self.encounter)
    }
}

/// Samples of one person on one occasion, as received (OSIA *encounter*).
#[derive(Clone, PartialEq, Eq)]
pub struct Encounter {
    /// Unique among those of its subject.
    pub id: EncounterId,
    /// The person it is said to be of.
    pub subject: SubjectId,
    /// Whether searches look at it (OSIA *status*). An inactive one is kept, and found by nobody.
    pub is_active: bool,
    /// The galleries it belongs to; never the reserved `ALL`, which every encounter belongs to.
    pub galleries: BTreeSet<GalleryId>,
    /// For filters.
    pub attributes: Attributes,
    /// One face and up to ten fingers, as received.
    pub samples: Vec<Sample>,
    /// What the caller keeps with it; never looked at.
    pub document: Vec<u8>,
}

impl std::fmt::Debug for Encounter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (samples, document) = (self.samples.len(), self.document.len());
        write!(f, "Encounter({}/{}, {samples} samples, {document} bytes of document)", self.subject, self.id)
    }
}

impl Encounter {
    /// An active encounter in no gallery, of whom nothing else is known.
    #[must_use]
    pub fn new(EncounterKey { subject, encounter: id }: EncounterKey, samples: Vec<Sample>) -> Self {
        let (galleries, attributes) = (BTreeSet::new(), Attributes::default());
        Self { id, subject, is_active: true, galleries, attributes, samples, document: Vec::new() }
    }

    /// Whether it belongs to a gallery; everything belongs to `ALL`.
    #[must_use]
    pub fn is_in(&self, gallery: &GalleryId) -> bool {
        gallery.is_all() || self.galleries.contains(gallery)
    }

    /// Which encounter it is.
    #[must_use]
    pub fn key(&self) -> EncounterKey {
        EncounterKey { subject: self.subject.clone(), encounter: self.id.clone() }
    }
}
