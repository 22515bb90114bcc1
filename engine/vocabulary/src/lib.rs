//! The nouns of biometric recognition, as ISO/IEC 2382-37, ISO/IEC 19795-1 and OSIA name them.
//!
//! Every other crate of Khop speaks these types and none of its own for the same thing: identifiers
//! ([`SubjectId`], [`EncounterId`], [`GalleryId`], [`RealmId`], [`ModelId`]), samples as captured
//! ([`FingerSample`], [`FaceVector`]), what a comparison yields ([`Score`], [`Llr`], [`Calibration`]) and what
//! a search yields ([`Candidate`], [`Policy`]).
//!
//! Nothing here reads a file, knows a wire format, starts a thread or looks at a clock.
//! `Debug` of anything biometric prints its size, never its values.
#![forbid(unsafe_code)]

mod attributes;
mod calibration;
mod candidate;

mod encounter;
mod face;
mod finger;
mod id;
mod minutia;
mod policy;
mod quality;
mod rate;
mod score;

pub use attributes::{Attributes, AttributesError, Filter, Sex};
pub use calibration::{Calibration, CalibrationError, Knot, Provenance};
pub use candidate::{Candidate, Evidence, Trait};
pub use encounter::{Encounter, EncounterKey, Sample, SampleFormat};
pub use face::{FaceVector, FaceVectorError};
pub use finger::{FingerPosition, FingerSample, FingerSampleError, Impression, Resolution};
pub use id::{EncounterId, GalleryId, IdError, ModelId, RealmId, Region, SubjectId};
pub use minutia::{Minutia, MinutiaKind};
pub use policy::{Outcome, Policy, PolicyError, Thresholds};
pub use quality::{Quality, QualityError};
pub use rate::{Fmr, Fnir, Fnmr, Fpir, RateError};
pub use score::{Llr, Score};
