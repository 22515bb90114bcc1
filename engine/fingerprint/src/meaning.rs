//! What does a similarity of these two prints mean? What the table says, and what few minutiae take from it.

use khop_vocabulary::{Llr, Score};

use crate::comparator::{Probe, Reference, calibration};

/// Prints with fewer minutiae than this may reach high similarities more often than the table says: cut down to their 3
/// to 16 innermost minutiae, the prints that the table was fitted on do, by 5 to 14 points of score at an FMR of 1e-3
/// (docs/accuracy.md).
const SCANT: usize = 20;
/// What that takes off: a factor of sixteen, in points of score and in nats.
const SCANT_POINTS: f32 = 12.0;
const SCANT_NATS: f32 = 2.77;
/// With fewer than twelve minutiae a mate looks like a stranger in one comparison of 24 and a stranger does in one of
/// three: their ratio is e⁻². With more, and by the quality of their minutiae, it lies between e⁻³ and e⁻⁵; the table
/// stops at −3.
const FEW: usize = 12;
const FEW_FLOOR_NATS: f32 = -2.0;

/// Score and evidence of a similarity that [`Comparator::compare`](crate::Comparator::compare) gave these two: as
/// [`calibration`] has them, with 12 points and 2.77 nats taken off where one of them has fewer than 20 minutiae.
/// The evidence against a mate is at most 3 nats, 2 where one has fewer than 12. Rises with the similarity.
#[must_use]
pub fn meaning(similarity: f32, probe: &Probe, reference: &Reference) -> (Score, Llr) {
    let (score, llr) = (calibration().score(similarity), calibration().llr(similarity));
    let minutiae = probe.minutiae_count().min(reference.minutiae_count());
    if minutiae >= SCANT {
        return (score, llr);
    }
    let floor = if minutiae < FEW { FEW_FLOOR_NATS } else { calibration().llr(0.0).nats() };
    (Score::new(score.value() - SCANT_POINTS), Llr::new((llr.nats() - SCANT_NATS).max(floor)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Point, Template};
    use khop_vocabulary::MinutiaKind;

    fn prepared(count: i16) -> (Probe, Reference) {
        let point = |i: i16| Point { x: i * 9, y: i * i % 90, direction: 0, kind: MinutiaKind::Other, quality: 0 };
        let template = Template::packed(&(0..count).map(point).collect::<Vec<_>>(), None);
        (Probe::of(&template), Reference::of(&template))
    }

    #[test]
    fn few_minutiae_pay_and_contradict_less() {
        let (full, scant, few) = (prepared(20), prepared(19), prepared(11));
        let high = 30.0;
        let (score, llr) = meaning(high, &full.0, &full.1);
        assert_eq!((score, llr), (calibration().score(high), calibration().llr(high)));
        for (probe, reference) in [(&full.0, &scant.1), (&scant.0, &full.1), (&few.0, &few.1)] {
            let costed = meaning(high, probe, reference);
            assert!((score.value() - costed.0.value() - SCANT_POINTS).abs() < 1e-3);
            assert!((llr.nats() - costed.1.nats() - SCANT_NATS).abs() < 1e-3);
        }
        assert_eq!(meaning(0.0, &full.0, &full.1).1, meaning(0.0, &scant.0, &full.1).1);
        assert_eq!(meaning(0.0, &full.0, &few.1).1.nats(), FEW_FLOOR_NATS);
        assert_eq!(meaning(0.0, &full.0, &few.1).0.value(), 0.0);
    }
}
