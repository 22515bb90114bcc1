//! How similar are two fingers? Guesses a pair of minutiae, grows a tree from it, keeps the best tree.

use std::sync::LazyLock;

use khop_vocabulary::Calibration;

use crate::constellation::{Constellation, Edge};
use crate::probe::Probe;
use crate::template::{MAX_MINUTIAE, Template};
use crate::tree::Tree;

/// A finger that probes are compared to. Cheap to make: comparing stored templates needs no index of them.
pub struct Reference(Constellation);

impl Reference {
    /// Prepares a template.
    #[must_use]
    pub fn of(template: &Template) -> Self {
        Self(Constellation::of(template))
    }
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reference({} minutiae)", self.0.points.len())
    }
}

/// Scratch memory of comparisons, one for each thread.
pub struct Comparator {
    tree: Tree,
    seen: Box<[u64; MAX_MINUTIAE * MAX_MINUTIAE / 64 + 1]>,
    roots: Vec<(u8, u8)>,
}

impl Default for Comparator {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Comparator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Comparator")
    }
}

const MAX_ROOTS: usize = 70;
const MAX_LOOKUPS: usize = 1633;
const LONG_EDGE: u16 = 58;

impl Comparator {
    /// Reserves what every later comparison needs.
    #[must_use]
    pub fn new() -> Self {
        Self { tree: Tree::new(), seen: Box::new([0; _]), roots: Vec::with_capacity(MAX_ROOTS) }
    }

    /// Similarity, 0 or more.
    pub fn compare(&mut self, probe: &Probe, reference: &Reference) -> f32 {
        let reference = &reference.0;
        self.find_roots(probe, reference);
        let mut best = 0f32;
        for i in 0..self.roots.len() {
            self.tree.grow(&probe.finger, reference, self.roots[i]);
            best = best.max(crate::score::score(&self.tree.nodes, &probe.finger, reference));
        }
        best
    }

    fn find_roots(&mut self, probe: &Probe, reference: &Constellation) {
        self.roots.clear();
        self.seen.fill(0);
        let n = reference.points.len();
        let (mut tried, mut lookups) = (0, 0);
        for long in [true, false] {
            for period in 1..n {
                for phase in 0..=period {
                    for r in (phase..n).step_by(period + 1) {
                        let nb = (r + period) % n;
                        let edge = Edge::between(reference.points[r], reference.points[nb]);
                        if (edge.length >= LONG_EDGE) != long {
                            continue;
                        }
                        for pair in probe.near(edge) {
                            if !pair.edge.resembles(edge) {
                                continue;
                            }
                            let id = usize::from(pair.root) * MAX_MINUTIAE + r;
                            if self.seen[id / 64] >> (id % 64) & 1 == 0 {
                                self.seen[id / 64] |= 1 << (id % 64);
                                self.roots.push((pair.root, r as u8));
                            }
                            tried += 1;
                            if tried >= MAX_ROOTS {
                                return;
                            }
                        }
                        lookups += 1;
                        if lookups >= MAX_LOOKUPS {
                            return;
                        }
                    }
                }
            }
        }
    }
}

/// What the comparator's similarity means: score and likelihood ratio, with where the table comes from.
#[must_use]
pub fn calibration() -> &'static Calibration {
    static TABLE: LazyLock<Calibration> = LazyLock::new(|| {
        Calibration::from_text(include_str!("../calibrations/comparator.txt"))
            .expect("tested: the table is well formed")
    });
    &TABLE
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_well_formed() {
        assert!(super::calibration().knots().len() > 5);
    }
}
