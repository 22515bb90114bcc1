//! Is it the claimed person? One probe against the encounters of one subject.

use khop_fingerprint::Comparator;
use khop_store::RecordNumber;
use khop_vocabulary::{EncounterId, EncounterKey, Evidence, Fmr, GalleryId, Llr, Policy, Sample, Score, SubjectId};

use crate::calibrations::FaceModels;
use crate::evidence::{FingerProbes, Fused, face_evidence};
use crate::labels::{FingerLabels, LabelsRead};
use crate::prepared::Prepared;
use crate::{Error, Realm};

/// Whom the probe is said to be. The best of the encounters that are meant speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// This person.
    pub subject: SubjectId,
    /// Only this encounter of theirs, if one is named.
    pub encounter: Option<EncounterId>,
    /// Only encounters of this gallery.
    pub gallery: GalleryId,
}

impl Claim {
    /// All encounters of a person.
    #[must_use]
    pub fn of(subject: SubjectId) -> Self {
        Self { subject, encounter: None, gallery: GalleryId::all() }
    }

    fn unknown(&self) -> Error {
        let subject = self.subject.clone();
        match &self.encounter {
            None => Error::UnknownSubject(subject),
            Some(encounter) => Error::UnknownEncounter(EncounterKey { subject, encounter: encounter.clone() }),
        }
    }
}

/// The answer of a 1:1 comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// Whether the score reaches the threshold.
    pub is_match: bool,
    /// On the public scale.
    pub score: Score,
    /// The false match rate the score claims.
    pub fmr: Fmr,
    /// Fused evidence, clipped trait by trait, nats.
    pub llr: Llr,
    /// Trait by trait.
    pub evidence: Vec<Evidence>,
    /// How the fingers were told apart; its cost is taken off `score` and `llr`, not off `evidence`.
    pub labels: LabelsRead,
    /// The score that was asked for.
    pub threshold: Score,
}

impl Verification {
    pub(crate) fn of(fused: Fused, policy: &Policy) -> Self {
        let threshold = Score::of_fmr(policy.verify_fmr);
        let Fused { evidence, llr, score, labels, .. } = fused;
        Self { is_match: score >= threshold, score, fmr: score.fmr(), llr, evidence, labels, threshold }
    }
}

impl Realm {
    /// Compares the probe with the claimed person's active references. About 0.1 ms a finger to prepare, 50 µs to compare.
    ///
    /// # Errors
    /// Bad samples, a subject or encounter that is unknown there, another face model, or no shared trait.
    pub fn verify(&self, claim: &Claim, probe: &[Sample]) -> Result<Verification, Error> {
        self.verify_with(claim, probe, FingerLabels::Believed)
    }

    /// The same, where the positions that the probe's fingers are labelled with may be doubted: 36 instead of 10
    /// comparisons of fingers for ten on both sides.
    ///
    /// # Errors
    /// As [`Realm::verify`].
    pub fn verify_with(&self, claim: &Claim, probe: &[Sample], labels: FingerLabels) -> Result<Verification, Error> {
        let state = self.state()?;
        let records: Vec<RecordNumber> = match &claim.encounter {
            None => self.core.store.find_subject(state.number, &claim.subject)?,
            Some(encounter) => {
                let key = EncounterKey { subject: claim.subject.clone(), encounter: encounter.clone() };
                self.core.store.find_encounter(state.number, &key)?.into_iter().collect()
            }
        };
        self.check_gallery(&claim.gallery)?;
        self.core.pool.install(|| {
            let probe = Prepared::of(probe)?;
            if let Some(face) = &probe.face {
                state.check_face_model(&face.model, face.vector.dim())?;
            }
            let models = self.core.models.load();
            let (mut best, mut is_known) = (None::<Fused>, false);
            for record in records {
                let encounter = self.core.store.read(state.number, record)?;
                is_known |= encounter.is_in(&claim.gallery);
                if !encounter.is_active || !encounter.is_in(&claim.gallery) {
                    continue;
                }
                let reference = Prepared::of(&encounter.samples)?;
                let fused = compare_prepared(&probe, &reference, labels, &models, &self.core.policy)?;
                best = match (best, fused) {
                    (Some(kept), Some(new)) if new.llr <= kept.llr => Some(kept),
                    (kept, new) => new.or(kept),
                };
            }
            let best = best.ok_or_else(|| if is_known { Error::NotComparable } else { claim.unknown() })?;
            Ok(Verification::of(best, &self.core.policy))
        })
    }
}

/// Everything the two share, compared in full; `None` when they share nothing.
pub(crate) fn compare_prepared(
    probe: &Prepared,
    reference: &Prepared,
    labels: FingerLabels,
    models: &FaceModels,
    policy: &Policy,
) -> Result<Option<Fused>, Error> {
    let templates = |p: &Prepared| p.fingers.each_ref().map(|f| f.as_ref().map(|f| f.template.clone()));
    let fingers = templates(probe);
    let present = fingers.iter().enumerate().filter_map(|(slot, t)| Some((slot, t.as_ref()?)));
    let fingers = FingerProbes::of(present, labels);
    let (mut evidence, labels): (_, LabelsRead) =
        fingers.compare(&templates(reference), &mut Comparator::new(), policy);
    if let (Some(a), Some(b)) = (&probe.face, &reference.face) {
        if a.model != b.model || a.vector.dim() != b.vector.dim() {
            return Err(Error::ModelMismatch {
                expected: b.model.clone(),
                expected_dim: b.vector.dim(),
                found: a.model.clone(),
                found_dim: a.vector.dim(),
            });
        }
        let calibration = models.calibration(&a.model)?;
        evidence.push(face_evidence(khop_face::cosine(&a.vector, &b.vector), &calibration, policy));
    }
    Ok(Fused::of(evidence, labels, policy))
}
