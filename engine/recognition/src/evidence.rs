//! What do two sets of traits say together? Trait by trait, calibrated, clipped, summed.

use khop_fingerprint::{Comparator, Probe as FingerProbe, Reference, Template};
use khop_vocabulary::{Calibration, Evidence, FingerPosition, Llr, Policy, Score, Trait};

use crate::prepared::SLOTS;

/// Share of people whose fingers are all unreadable at one of two encounters: worn, wet or bandaged hands. Fingers fail
/// together, so their sum is a mixture with "says nothing", and ten bad fingers take back at most ln 0.05 = 3 nats of
/// what a face says. A mixture of likelihood ratios is one again, so the bound on the FMR stays.
const UNREADABLE_HANDS: f32 = 0.05;
/// One finger contradicts a mate by at most this much, nats: fingers get cut, bandaged and swapped.
const FINGER_FLOOR_NATS: f32 = -2.0;
/// A face contradicts a mate by at most this much, nats.
const FACE_FLOOR_NATS: f32 = -3.0;

/// The sum of what the shared traits say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fused {
    /// Trait by trait, fingers in code order, face last; never empty.
    pub(crate) evidence: Vec<Evidence>,
    /// Clipped evidence, summed.
    pub(crate) llr: Llr,
    /// On the public scale: the sum's bound where several traits speak, the trait's own score where one does.
    pub(crate) score: Score,
    /// As much of it as measurement stands behind.
    pub(crate) verified: Score,
}

impl Fused {
    /// Sums evidence; `None` when no trait was shared.
    pub(crate) fn of(evidence: Vec<Evidence>, policy: &Policy) -> Option<Self> {
        let (fingers, face): (Vec<&Evidence>, Vec<&Evidence>) = evidence.iter().partition(|e| e.of != Trait::Face);
        let fingers = hands(fingers.iter().map(|e| e.llr).sum());
        let llr: Llr = [fingers].into_iter().chain(face.iter().map(|e| e.llr)).sum();
        let (score, verified) = match evidence[..] {
            [] => return None,
            [only] => (only.score, only.score.min(cap(only.of, policy).score())),
            _ => (llr.score(), llr.score()),
        };
        Some(Self { evidence, llr, score, verified })
    }
}

/// The most that one trait may say.
fn cap(of: Trait, policy: &Policy) -> Llr {
    match of {
        Trait::Finger(_) => policy.finger_cap,
        Trait::Face => policy.face_cap,
    }
}

/// What all fingers say together: ln((1 − p)·e^sum + p).
fn hands(sum: Llr) -> Llr {
    let ratio = (1.0 - UNREADABLE_HANDS) * sum.nats().exp() + UNREADABLE_HANDS;
    if sum == Llr::NONE { sum } else { Llr::new(ratio.ln()) }
}

/// Fingers of the probe, each prepared once for many references.
pub(crate) struct FingerProbes([Option<FingerProbe>; SLOTS]);

impl FingerProbes {
    pub(crate) fn of<'a>(templates: impl Iterator<Item = (usize, &'a Template)>) -> Self {
        let mut probes = [const { None }; SLOTS];
        for (slot, template) in templates {
            probes[slot] = Some(FingerProbe::of(template));
        }
        Self(probes)
    }

    /// How many fingers.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().flatten().count() as u64
    }

    /// Full comparison of every finger slot that both sides have.
    pub(crate) fn compare(
        &self,
        references: &[Option<Template>; SLOTS],
        comparator: &mut Comparator,
        policy: &Policy,
    ) -> Vec<Evidence> {
        let calibration = khop_fingerprint::calibration();
        let shared = self
            .0
            .iter()
            .zip(references)
            .enumerate()
            .filter_map(|(slot, (p, r))| Some((slot, p.as_ref()?, r.as_ref()?)));
        shared
            .map(|(slot, probe, reference)| {
                let similarity = comparator.compare(probe, &Reference::of(reference));
                let position = FingerPosition::from_code(slot as u8).expect("slots are the ISO codes 0 to 10");
                calibrated(Trait::Finger(position), similarity, calibration, FINGER_FLOOR_NATS, policy)
            })
            .collect()
    }
}

/// Evidence of one face comparison.
pub(crate) fn face_evidence(cosine: f32, calibration: &Calibration, policy: &Policy) -> Evidence {
    calibrated(Trait::Face, cosine, calibration, FACE_FLOOR_NATS, policy)
}

fn calibrated(of: Trait, similarity: f32, calibration: &Calibration, floor: f32, policy: &Policy) -> Evidence {
    let llr = calibration.llr(similarity).nats().clamp(floor, cap(of, policy).nats().max(floor));
    Evidence { of, score: calibration.score(similarity), llr: Llr::new(llr) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(of: Trait, score: f32, llr: f32) -> Evidence {
        Evidence { of, score: Score::new(score), llr: Llr::new(llr) }
    }

    #[test]
    fn one_trait_keeps_its_own_score_and_several_show_the_bound() {
        let policy = Policy::default();
        assert_eq!(Fused::of(vec![], &policy), None);
        let face = evidence(Trait::Face, 72.0, 13.8);
        assert_eq!(Fused::of(vec![face], &policy).unwrap().score, Score::new(72.0));
        assert_eq!(Fused::of(vec![face], &policy).unwrap().verified, policy.face_cap.score());
        let finger = evidence(Trait::Finger(FingerPosition::LeftIndex), 5.0, -2.0);
        let both = Fused::of(vec![finger, face], &policy).unwrap();
        assert!(both.llr.nats() > 13.8 - 2.0 && both.llr.nats() < 13.8);
        assert_eq!(both.score, both.llr.score());
    }

    #[test]
    fn ten_dead_fingers_do_not_hide_a_face() {
        let dead = FingerPosition::TEN.map(|p| evidence(Trait::Finger(p), 0.0, -2.0));
        let face = evidence(Trait::Face, 72.0, 13.8);
        let fused = Fused::of(dead.into_iter().chain([face]).collect(), &Policy::default()).unwrap();
        assert!(fused.llr.nats() > 13.8 - 3.1, "{fused:?}");
        let good = FingerPosition::TEN.map(|p| evidence(Trait::Finger(p), 40.0, 5.0));
        assert!((Fused::of(good.to_vec(), &Policy::default()).unwrap().llr.nats() - 50.0).abs() < 0.1);
    }

    #[test]
    fn floors_and_caps_hold() {
        let knot = |similarity, score, llr| khop_vocabulary::Knot { similarity, score, llr };
        let table =
            Calibration::new("t", vec![knot(-1.0, 0.0, -40.0), knot(1.0, 90.0, 40.0)], Default::default()).unwrap();
        assert_eq!(face_evidence(1.0, &table, &Policy::default()).llr, Llr::new(13.8));
        assert_eq!(face_evidence(-1.0, &table, &Policy::default()).llr, Llr::new(FACE_FLOOR_NATS));
    }
}
