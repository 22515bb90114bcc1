//! What does an alignment say? Five terms, each with a meaning, weighed to one number.

use crate::alignment::Alignment;
use crate::constellation::Constellation;
use crate::pairing::Pairing;

/// What was found when one finger was laid on the other.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Terms {
    /// Edges around the tree's pairs that confirm them, counted from both ends.
    pub confirmed: f32,
    /// Pairs in the tree, as a share of each finger's minutiae, mean of both.
    pub carried: f32,
    /// Pairs after alignment, as a share of the smaller finger's minutiae.
    pub paired: f32,
    /// Pairs after alignment, times the share of paired minutiae where both fingers were seen.
    pub agreeing: f32,
    /// Mean distance between where a minutia lies and where the other pairs predict it, pixels.
    pub residual_px: f32,
}

/// At this depth inside the other finger's hull a minutia should have been seen, pixels; as far outside it should not.
const BORDER_PX: f32 = 10.0;

impl Terms {
    pub(crate) fn of(
        tree: (usize, u32),
        alignment: &Alignment,
        pairing: &Pairing,
        probe: &Constellation,
        reference: &Constellation,
    ) -> Self {
        let (p, r) = (probe.points.len() as f32, reference.points.len() as f32);
        let pairs = pairing.pairs.len() as f32;
        let seen = |depth: f32| (0.5 + depth / (2.0 * BORDER_PX)).clamp(0.0, 1.0);
        let mut missing = 0.0;
        for (i, &(x, y)) in alignment.moved.iter().enumerate() {
            if !pairing.has_probe(i) {
                missing += seen(reference.hull.depth(x, y));
            }
        }
        for (i, point) in reference.points.iter().enumerate() {
            if !pairing.has_reference(i) {
                let (x, y) = alignment.backward((point.x.into(), point.y.into()));
                missing += seen(probe.hull.depth(x, y));
            }
        }
        Self {
            confirmed: 2.0 * tree.1 as f32,
            carried: tree.0 as f32 * (1.0 / p + 1.0 / r) / 2.0,
            paired: pairs / if p < r { p } else { r },
            agreeing: pairs * (2.0 * pairs / (2.0 * pairs + missing)),
            residual_px: pairing.residual_px / pairs,
        }
    }

    /// The weighed sum, from 0 (nothing agrees) upward.
    ///
    /// The weights are those of a logistic regression that tells mated from non-mated comparisons, over prints of four
    /// sensors and four extractors together, rounded. Fitted without one sensor and tried on it they miss about a
    /// tenth more mates at an FMR of 1e-3; without one extractor, no more.
    pub(crate) fn similarity(&self) -> f32 {
        let sum = 0.043 * self.confirmed + 10.7 * self.carried + 3.6 * self.paired + 0.59 * self.agreeing
            - 0.61 * self.residual_px;
        (6.0 + sum).max(0.0)
    }
}
