//! What do two sets of traits say together? Trait by trait, calibrated, clipped, summed.

use khop_fingerprint::{Comparator, Probe as FingerProbe, Reference, Template};
use khop_vocabulary::{Calibration, Evidence, FingerPosition, Llr, Policy, Score, Trait};

use crate::labels::{FingerLabels, LabelsRead, Reading};
use crate::prepared::SLOTS;

/// Share of people whose fingers are all unreadable at one of two encounters: worn, wet or bandaged hands. Fingers fail
/// together, so their sum is a mixture with "says nothing", and ten bad fingers take back at most ln 0.05 = 3 nats of
/// what a face says. A mixture of likelihood ratios is one again, so the bound on the FMR stays.
const UNREADABLE_HANDS: f32 = 0.05;
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
    /// How the fingers were told apart, and what that cost: it is taken off everything but the evidence.
    pub(crate) labels: LabelsRead,
}

impl Fused {
    /// Sums evidence; `None` when no trait was shared.
    ///
    /// The best of k readings says max Lᵢ, and (1/k)·Σ e^Lᵢ is a likelihood ratio again that is at least e^(max Lᵢ − ln k):
    /// so with ln k taken off, the bound on the FMR stays. A trait alone is right k times as often by chance.
    pub(crate) fn of(evidence: Vec<Evidence>, labels: LabelsRead, policy: &Policy) -> Option<Self> {
        let cost = labels.cost;
        let (fingers, face): (Vec<&Evidence>, Vec<&Evidence>) = evidence.iter().partition(|e| e.of != Trait::Face);
        let sum: Llr = fingers.iter().map(|e| e.llr).sum();
        let fingers = hands(Llr::new(sum.nats() - cost.nats()));
        let llr: Llr = [fingers].into_iter().chain(face.iter().map(|e| e.llr)).sum();
        let (score, verified) = match evidence[..] {
            [] => return None,
            [only] => {
                let costed = |score: Score| Score::new(score.value() - cost.score().value());
                (costed(only.score), costed(only.score.min(cap(only.of, policy).score())))
            }
            _ => (llr.score(), llr.score()),
        };
        Some(Self { evidence, llr, score, verified, labels })
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

/// One comparison of fingers: the probe's by its label, the reference's by its position.
#[derive(Clone, Copy, PartialEq)]
struct Compared {
    slot: usize,
    other: usize,
    upside_down: bool,
}

/// Fingers of the probe, each prepared once for many references.
pub(crate) struct FingerProbes {
    probes: [Option<FingerProbe>; SLOTS],
    readings: Vec<Reading>,
}

impl FingerProbes {
    pub(crate) fn of<'a>(templates: impl Iterator<Item = (usize, &'a Template)>, labels: FingerLabels) -> Self {
        let mut probes = [const { None }; SLOTS];
        for (slot, template) in templates {
            probes[slot] = Some(FingerProbe::of(template));
        }
        Self { probes, readings: labels.readings() }
    }

    /// How many fingers.
    pub(crate) fn count(&self) -> u64 {
        self.probes.iter().flatten().count() as u64
    }

    /// Full comparison of every finger that both sides have, as the reading of the labels has it that says most for a
    /// mate. A pair of fingers is compared once, however many readings hold it: with ten fingers 46 instead of 10.
    pub(crate) fn compare(
        &self,
        references: &[Option<Template>; SLOTS],
        comparator: &mut Comparator,
        policy: &Policy,
    ) -> (Vec<Evidence>, LabelsRead) {
        let shared = |reading: &Reading| -> Vec<Compared> {
            let pairs = reading.positions.iter().copied().enumerate();
            let pairs = pairs.filter(|&(slot, other)| self.probes[slot].is_some() && references[other].is_some());
            pairs.map(|(slot, other)| Compared { slot, other, upside_down: reading.upside_down }).collect()
        };
        // Told labels count as tried even where they compare nothing; other readings where they compare something else.
        let mut readings: Vec<(&Reading, Vec<Compared>)> = Vec::with_capacity(self.readings.len());
        for (place, reading) in self.readings.iter().enumerate() {
            let pairs = shared(reading);
            if place == 0 || (!pairs.is_empty() && readings.iter().all(|(_, other)| *other != pairs)) {
                readings.push((reading, pairs));
            }
        }
        let mut prepared = [const { None }; SLOTS];
        let mut known: [[[Option<Evidence>; 2]; SLOTS]; SLOTS] = [[[None; 2]; SLOTS]; SLOTS];
        let mut evidence = |Compared { slot, other, upside_down }: Compared| -> Option<Evidence> {
            let known = &mut known[slot][other][usize::from(upside_down)];
            if known.is_none() {
                let (probe, template) = (self.probes[slot].as_ref()?, references[other].as_ref()?);
                let reference = prepared[other].get_or_insert_with(|| Reference::of(template));
                let similarity = match upside_down {
                    false => comparator.compare(probe, reference),
                    true => comparator.compare_upside_down(probe, reference),
                };
                let of = Trait::Finger(FingerPosition::from_code(slot as u8)?);
                let meaning = khop_fingerprint::meaning(similarity, probe, reference);
                *known = Some(capped(of, meaning, policy));
            }
            *known
        };
        let tried = readings.len() as u32;
        let mut best: Option<(f32, &Reading, Vec<Evidence>)> = None;
        for (reading, pairs) in readings.into_iter().filter(|(_, pairs)| !pairs.is_empty()) {
            let said: Vec<Evidence> = pairs.into_iter().filter_map(&mut evidence).collect();
            let sum = said.iter().map(|e| e.llr).sum::<Llr>().nats();
            if best.as_ref().is_none_or(|(most, ..)| sum > *most) {
                best = Some((sum, reading, said));
            }
        }
        let Some((_, reading, said)) = best else { return (Vec::new(), LabelsRead::BELIEVED) };
        let compared = shared(reading).into_iter().map(|compared| compared.slot);
        (said, LabelsRead::of(reading, tried, compared))
    }
}

/// Evidence of one face comparison.
pub(crate) fn face_evidence(cosine: f32, calibration: &Calibration, policy: &Policy) -> Evidence {
    let llr = calibration.llr(cosine).nats().max(FACE_FLOOR_NATS);
    capped(Trait::Face, (calibration.score(cosine), Llr::new(llr)), policy)
}

fn capped(of: Trait, (score, llr): (Score, Llr), policy: &Policy) -> Evidence {
    Evidence { of, score, llr: Llr::new(llr.nats().min(cap(of, policy).nats())) }
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
        let fused = |evidence| Fused::of(evidence, LabelsRead::BELIEVED, &policy);
        assert_eq!(fused(vec![]), None);
        let face = evidence(Trait::Face, 72.0, 13.8);
        assert_eq!(fused(vec![face]).unwrap().score, Score::new(72.0));
        assert_eq!(fused(vec![face]).unwrap().verified, policy.face_cap.score());
        let finger = evidence(Trait::Finger(FingerPosition::LeftIndex), 5.0, -2.0);
        let both = fused(vec![finger, face]).unwrap();
        assert!(both.llr.nats() > 13.8 - 2.0 && both.llr.nats() < 13.8);
        assert_eq!(both.score, both.llr.score());
    }

    #[test]
    fn ten_dead_fingers_do_not_hide_a_face() {
        let dead = FingerPosition::TEN.map(|p| evidence(Trait::Finger(p), 0.0, -2.0));
        let face = evidence(Trait::Face, 72.0, 13.8);
        let of = |evidence| Fused::of(evidence, LabelsRead::BELIEVED, &Policy::default()).unwrap();
        let fused = of(dead.into_iter().chain([face]).collect());
        assert!(fused.llr.nats() > 13.8 - 3.1, "{fused:?}");
        let good = FingerPosition::TEN.map(|p| evidence(Trait::Finger(p), 40.0, 5.0));
        assert!((of(good.to_vec()).llr.nats() - 50.0).abs() < 0.1);
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
