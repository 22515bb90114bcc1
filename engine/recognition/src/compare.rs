//! Are these two the same person? Two sets of samples compared without a store.

use khop_vocabulary::{Policy, Sample};

use crate::calibrations::FaceModels;
use crate::prepared::Prepared;
use crate::verify::compare_prepared;
use crate::{Error, FaceModel, Verification};

/// Compares all traits that `probe` and `reference` share. `models` are known beside the embedded ones.
///
/// # Errors
/// Bad samples, different or uncalibrated face models, or no shared trait.
pub fn compare(
    probe: &[Sample],
    reference: &[Sample],
    models: &[FaceModel],
    policy: &Policy,
) -> Result<Verification, Error> {
    policy.validate()?;
    let mut known = FaceModels::embedded();
    for model in models {
        known.register(model.clone());
    }
    let fused = compare_prepared(&Prepared::of(probe)?, &Prepared::of(reference)?, &known, policy)?;
    fused.map(|fused| Verification::of(fused, policy)).ok_or(Error::NotComparable)
}
