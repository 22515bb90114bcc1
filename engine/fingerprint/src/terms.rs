//! What does an alignment say? Six terms, each with a meaning.

use crate::alignment::Alignment;
use crate::constellation::Constellation;
use crate::pairing::Pairing;

/// What was found when one finger was laid on the other.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Terms {
    /// Edges around the tree's pairs that confirm them, counted from both ends.
    pub confirmed: f32,
    /// Pairs in the tree, as a share of each finger's minutiae and four more, mean of both.
    pub carried: f32,
    /// Pairs after alignment, as a share of the smaller finger's minutiae and four more.
    pub paired: f32,
    /// Pairs after alignment, times the square of the share of paired minutiae where both fingers were seen.
    pub agreeing: f32,
    /// Mean distance between where a minutia lies and where the other pairs predict it, pixels.
    pub residual_px: f32,
    /// Mean standing of the places that look alike after they have judged each other, before any alignment.
    pub relaxed: f32,
}

/// At this depth inside the other finger's hull a minutia should have been seen, pixels; as far outside it should not.
const BORDER_PX: f32 = 10.0;

/// Shares are of the minutiae that were found and so many more: three of three agree easily. Fitted with the weights; with
/// it, the number of minutiae says nothing more.
const UNFOUND: f32 = 4.0;

impl Terms {
    /// How many there are.
    pub const COUNT: usize = 6;

    /// Their names, in the order of [`Terms::values`].
    pub const NAMES: [&str; Self::COUNT] = ["confirmed", "carried", "paired", "agreeing", "residual_px", "relaxed"];

    /// What each says, in one line.
    pub const MEANINGS: [&str; Self::COUNT] = [
        "edges around the tree's pairs that confirm them, from both ends",
        "pairs in the tree, as a share of each finger's minutiae and four more",
        "pairs once aligned, as a share of the smaller finger's minutiae and four more",
        "pairs once aligned, times the squared share of paired minutiae where both were seen",
        "mean distance from where the other pairs predict a minutia, px",
        "mean standing of the places that look alike, judged by each other",
    ];

    /// Whether more of it speaks for the same finger (1) or against it (−1).
    pub const SIGNS: [f32; Self::COUNT] = [1.0, 1.0, 1.0, 1.0, -1.0, 1.0];

    /// All values.
    #[must_use]
    pub fn values(&self) -> [f32; Self::COUNT] {
        [self.confirmed, self.carried, self.paired, self.agreeing, self.residual_px, self.relaxed]
    }

    /// All but `relaxed`, which no alignment knows.
    pub(crate) fn of(
        tree: (usize, u32),
        alignment: &Alignment,
        pairing: &Pairing,
        probe: &Constellation,
        reference: &Constellation,
    ) -> Self {
        let (p, r) = (probe.points.len() as f32 + UNFOUND, reference.points.len() as f32 + UNFOUND);
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
        let share = 2.0 * pairs / (2.0 * pairs + missing);
        Self {
            confirmed: 2.0 * tree.1 as f32,
            carried: tree.0 as f32 * (1.0 / p + 1.0 / r) / 2.0,
            paired: pairs / if p < r { p } else { r },
            agreeing: pairs * share * share,
            residual_px: pairing.residual_px / pairs,
            relaxed: 0.0,
        }
    }
}
