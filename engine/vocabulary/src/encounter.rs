//! What was received? One encounter: whose it is said to be, where it belongs, and its samples as they came.

use std::collections::BTreeSet;

use crate::{Attributes, EncounterId, FingerPosition, GalleryId, ModelId, Quality, SubjectId};

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

/// Samples of one person on one occasion, as received (OSIA *encounter*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encounter {
    /// Unique in its realm.
    pub id: EncounterId,
    /// The person it is said to be of.
    pub subject: SubjectId,
    /// The galleries it belongs to; never the reserved `ALL`, which every encounter belongs to.
    pub galleries: BTreeSet<GalleryId>,
    /// For filters.
    pub attributes: Attributes,
    /// One face and up to ten fingers, as received.
    pub samples: Vec<Sample>,
}
