//! What can be compared? Samples as received, decoded, validated and made ready: at most one per finger slot, one face.

use khop_face::UnitVector;
use khop_fingerprint::{Template, code};
use khop_formats::{read_face_vector, read_minutiae};
use khop_vocabulary::{Encounter, FaceVector, FingerPosition, FingerSample, ModelId, Sample, SampleFormat};

use crate::Error;

/// Finger slots: the ten fingers by ISO code, and slot 0 for fingers whose position nobody told.
pub(crate) const SLOTS: usize = 11;
/// Samples of one encounter; ten fingers and a face make eleven.
const MAX_SAMPLES: usize = 32;
/// Bytes of one sample: a 255-minutiae record of sixteen views and a 4096-number vector both stay below.
const MAX_SAMPLE_BYTES: usize = 64 * 1024;

/// One finger, ready to be compared and to be searched.
#[derive(Clone)]
pub(crate) struct PreparedFinger {
    pub(crate) template: Template,
    /// The fixed-length code; `None` when there are too few minutiae for one.
    pub(crate) code: Option<Vec<f32>>,
}

/// One face, ready to be compared.
#[derive(Clone)]
pub(crate) struct PreparedFace {
    pub(crate) model: ModelId,
    pub(crate) vector: UnitVector,
}

/// The samples of one encounter or probe.
#[derive(Clone, Default)]
pub(crate) struct Prepared {
    pub(crate) fingers: [Option<PreparedFinger>; SLOTS],
    pub(crate) face: Option<PreparedFace>,
}

impl Prepared {
    /// The samples of an encounter; an inactive one may have none.
    pub(crate) fn of_encounter(encounter: &Encounter) -> Result<Self, Error> {
        if encounter.samples.is_empty() && !encounter.is_active {
            return Ok(Self::default());
        }
        Self::of(&encounter.samples)
    }

    /// Decodes and validates every sample; the best of several samples of one finger is kept (quality, then
    /// number of minutiae). About 0.1 ms a finger.
    pub(crate) fn of(samples: &[Sample]) -> Result<Self, Error> {
        if samples.is_empty() || samples.len() > MAX_SAMPLES {
            let cause = format!("expected 1 to {MAX_SAMPLES} samples, got {}", samples.len());
            return Err(Error::BadInput { field: "samples", cause });
        }
        let mut best: [Option<FingerSample>; SLOTS] = Default::default();
        let mut prepared = Self::default();
        for (index, sample) in samples.iter().enumerate() {
            if sample.bytes.len() > MAX_SAMPLE_BYTES {
                let cause = format!("expected at most {MAX_SAMPLE_BYTES} bytes, got {}", sample.bytes.len());
                return Err(Error::BadSample { index, cause });
            }
            match &sample.format {
                SampleFormat::Minutiae => {
                    for finger in finger_views(index, sample)? {
                        let slot = &mut best[usize::from(finger.position.code())];
                        if slot.as_ref().is_none_or(|kept| rank(&finger) > rank(kept)) {
                            *slot = Some(finger);
                        }
                    }
                }
                SampleFormat::FaceVector(model) => {
                    if prepared.face.is_some() {
                        return Err(Error::bad_sample(index, "expected at most one face, this is the second"));
                    }
                    prepared.face = Some(face(index, sample, model)?);
                }
            }
        }
        for (slot, finger) in best.iter().enumerate() {
            let Some(finger) = finger else { continue };
            let template =
                Template::of(finger).map_err(|cause| Error::BadInput { field: "samples", cause: cause.to_string() })?;
            let code = code::code(&template);
            prepared.fingers[slot] = Some(PreparedFinger { template, code });
        }
        Ok(prepared)
    }
}

/// The views of a minutiae record, each with its position settled and checked to be comparable.
fn finger_views(index: usize, sample: &Sample) -> Result<Vec<FingerSample>, Error> {
    let record = read_minutiae(&sample.bytes).map_err(|cause| Error::bad_sample(index, cause))?;
    if record.views.is_empty() {
        return Err(Error::bad_sample(index, "expected at least one finger view, the record has none"));
    }
    let mut views = record.views;
    for view in &mut views {
        view.position = match (view.position, sample.position) {
            (FingerPosition::Unknown, Some(told)) => told,
            (read, None) => read,
            (read, Some(told)) if read == told || told == FingerPosition::Unknown => read,
            (read, Some(told)) => {
                let cause = format!("position: the record says {}, the request {}", read.name(), told.name());
                return Err(Error::BadSample { index, cause });
            }
        };
        view.quality = view.quality.or(sample.quality);
        view.validate().map_err(|cause| Error::bad_sample(index, cause))?;
    }
    Ok(views)
}

fn face(index: usize, sample: &Sample, model: &ModelId) -> Result<PreparedFace, Error> {
    let values = read_face_vector(&sample.bytes).map_err(|cause| Error::bad_sample(index, cause))?;
    let vector = FaceVector::new(model.clone(), values).map_err(|cause| Error::bad_sample(index, cause))?;
    Ok(PreparedFace { model: model.clone(), vector: UnitVector::of(&vector) })
}

/// What makes one sample of a finger better than another.
fn rank(finger: &FingerSample) -> (u8, usize) {
    (finger.quality.map_or(0, |q| q.value()), finger.minutiae.len())
}
