//! Are these two the same person? Two sets of samples compared without a store.

use khop_fingerprint::{Comparator, Probe, Reference, Trace};
use khop_vocabulary::{FingerPosition, Policy, Sample};

use crate::calibrations::FaceModels;
use crate::prepared::Prepared;
use crate::verify::compare_prepared;
use crate::{Error, FaceModel, FingerLabels, Realm, Verification};

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
    let (probe, reference) = (Prepared::of(probe)?, Prepared::of(reference)?);
    let fused = compare_prepared(&probe, &reference, FingerLabels::Believed, &known, policy)?;
    fused.map(|fused| Verification::of(fused, policy)).ok_or(Error::NotComparable)
}

impl Realm {
    /// As [`compare`], with the models and the policy of the engine.
    ///
    /// # Errors
    /// Bad samples, different or uncalibrated face models, or no shared trait.
    pub fn compare(&self, probe: &[Sample], reference: &[Sample]) -> Result<Verification, Error> {
        let core = &self.core;
        let compared = core.pool.install(|| {
            let (probe, reference) = (Prepared::of(probe)?, Prepared::of(reference)?);
            compare_prepared(&probe, &reference, FingerLabels::Believed, &core.models.load(), &core.policy)
        });
        compared?.map(|fused| Verification::of(fused, &core.policy)).ok_or(Error::NotComparable)
    }
}

/// What [`compare`] saw of every finger that `probe` and `reference` share, by position: for people to look at.
///
/// # Errors
/// Bad samples, or no shared finger.
pub fn trace(probe: &[Sample], reference: &[Sample]) -> Result<Vec<(FingerPosition, Trace)>, Error> {
    let (probe, reference) = (Prepared::of(probe)?, Prepared::of(reference)?);
    let mut comparator = Comparator::new();
    let shared = probe.fingers.iter().zip(&reference.fingers).enumerate();
    let traces = shared.filter_map(|(slot, (p, r))| {
        let (probe, reference) = (Probe::of(&p.as_ref()?.template), Reference::of(&r.as_ref()?.template));
        Some((FingerPosition::from_code(slot as u8)?, comparator.trace(&probe, &reference)))
    });
    let traces: Vec<_> = traces.collect();
    if traces.is_empty() { Err(Error::NotComparable) } else { Ok(traces) }
}
