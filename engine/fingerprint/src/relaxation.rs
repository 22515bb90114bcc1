//! Which resemblances hold together? Each is judged by how the others see it, a few times over.
//!
//! The relaxation of the minutia cylinder code, with the edges between minutiae as the geometry that two fingers share.

use std::sync::LazyLock;

use crate::constellation::Edge;
use crate::direction::apart;
use crate::resemblance::{MAX_RESEMBLANCES, Resemblance};
use crate::template::Point;
use crate::tree::Pair;

/// How often all are judged anew.
const ROUNDS: usize = 3;
/// Weight of the others' judgement in each.
const OTHERS: f32 = 0.5;
/// Half agreed: an edge may differ by so much between the fingers, pixels and degrees; and how sharply that falls off.
const LENGTH_PX: f64 = 5.0;
const LENGTH_SLOPE: f64 = 1.6;
const TURN_DEG: f64 = 15.0;
const TURN_SLOPE: f64 = 30.0;

/// From this difference on, pixels, two pairs have no say in each other: what the slope leaves is below 0.01.
const NO_SAY_PX: f32 = 8.0;

/// Scratch and result of a relaxation.
pub(crate) struct Relaxation {
    /// Pairs that the others believe in, most believed first.
    pub roots: Vec<Pair>,
    standing: Vec<Standing>,
    /// How well two resemblances go together, row by row.
    agreement: Vec<f32>,
}

/// A resemblance and what has become of it.
#[derive(Clone, Copy)]
struct Standing {
    pair: Pair,
    likeness: f32,
    now: f32,
}

impl Relaxation {
    pub(crate) fn new() -> Self {
        Self {
            roots: Vec::with_capacity(MAX_RESEMBLANCES),
            standing: Vec::with_capacity(MAX_RESEMBLANCES),
            agreement: Vec::with_capacity(MAX_RESEMBLANCES * MAX_RESEMBLANCES),
        }
    }

    /// Lets the resemblances judge each other; returns the mean standing of the `expected` most believed, 0 to 1.
    pub(crate) fn relax(
        &mut self,
        found: &[Resemblance],
        probe: &[Point],
        reference: &[Point],
        expected: usize,
    ) -> f32 {
        self.standing.clear();
        let standing = |r: &Resemblance| Standing { pair: r.pair, likeness: r.likeness, now: r.likeness };
        self.standing.extend(found.iter().map(standing));
        self.agree(probe, reference);
        let count = self.standing.len();
        let share = OTHERS / count.saturating_sub(1).max(1) as f32;
        for _ in 0..ROUNDS {
            let mut now = [0.0; MAX_RESEMBLANCES];
            for (now, row) in now.iter_mut().zip(self.agreement.chunks_exact(count.max(1))) {
                *now = row.iter().zip(&self.standing).map(|(agreement, other)| agreement * other.now).sum();
            }
            for (standing, others) in self.standing.iter_mut().zip(now) {
                standing.now = (1.0 - OTHERS) * standing.now + share * others;
            }
        }
        let belief = |s: &Standing| s.now / s.likeness;
        self.standing.sort_by(|a, b| belief(b).total_cmp(&belief(a)));
        self.roots.clear();
        self.roots.extend(self.standing.iter().map(|s| s.pair));
        self.standing.iter().take(expected).map(|s| s.now).sum::<f32>() / expected as f32
    }

    fn agree(&mut self, probe: &[Point], reference: &[Point]) {
        let (count, tables) = (self.standing.len(), &*AGREEMENT);
        self.agreement.clear();
        self.agreement.resize(count * count, 0.0);
        let ends = |standing: Standing| {
            (probe[usize::from(standing.pair.probe)], reference[usize::from(standing.pair.reference)])
        };
        for i in 0..count {
            let here = ends(self.standing[i]);
            for j in 0..i {
                let there = ends(self.standing[j]);
                let length = |a: Point, b: Point| (a.distance2(b) as f32).sqrt();
                if (length(here.0, there.0) - length(here.1, there.1)).abs() < NO_SAY_PX {
                    let agreement = tables.of(Edge::between(here.0, there.0), Edge::between(here.1, there.1));
                    self.agreement[i * count + j] = agreement;
                    self.agreement[j * count + i] = agreement;
                }
            }
        }
    }
}

/// How far two edges may be taken for the same, 0 to 1, by what they differ in.
struct Agreement {
    length: [f32; 256],
    turn: [f32; 129],
}

static AGREEMENT: LazyLock<Agreement> = LazyLock::new(|| {
    let falling = |by: f64, half: f64, slope: f64| (1.0 / (1.0 + libm::exp(slope * (by - half)))) as f32;
    Agreement {
        length: std::array::from_fn(|px| falling(px as f64, LENGTH_PX, LENGTH_SLOPE)),
        turn: std::array::from_fn(|steps| {
            falling(steps as f64 * std::f64::consts::TAU / 256.0, TURN_DEG.to_radians(), TURN_SLOPE)
        }),
    }
});

impl Agreement {
    fn of(&self, a: Edge, b: Edge) -> f32 {
        let turn = |a, b| self.turn[usize::from(apart(a, b))];
        self.length[usize::from(a.length.abs_diff(b.length).min(255))]
            * turn(a.at_root, b.at_root)
            * turn(a.at_tip, b.at_tip)
    }
}
