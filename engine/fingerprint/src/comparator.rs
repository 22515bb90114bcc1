//! How similar are two fingers? Finds places that look alike, grows those that hold together, lays one finger on the
//! other and weighs what falls together and what does not.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::LazyLock;

use khop_vocabulary::Calibration;

use crate::alignment::Alignment;
use crate::constellation::Constellation;
use crate::pairing::Pairing;
use crate::relaxation::Relaxation;
use crate::resemblance::{Resemblances, expected_places};
use crate::template::Template;
use crate::terms::Terms;
use crate::trace::Trace;
use crate::tree::{Pair, Tree};
use crate::weights::Weights;

/// Version of what similarities mean: another one has another calibration. Changes with every change that moves one.
pub const COMPARATOR_VERSION: u8 = 2;

/// A finger prepared once, to be compared to many references.
///
/// For 35 minutiae it takes some 8 kB, and 59 µs as `khop bench fingerprint` measured (docs/performance.md).
pub struct Probe(Constellation);

/// A finger that probes are compared to, prepared in the same way.
pub struct Reference(Constellation);

impl Probe {
    /// Prepares a template.
    #[must_use]
    pub fn of(template: &Template) -> Self {
        Self(Constellation::of(template))
    }

    /// How many minutiae it has, 1 to 100.
    #[must_use]
    pub fn minutiae_count(&self) -> usize {
        self.0.points.len()
    }
}

impl Reference {
    /// Prepares a template.
    #[must_use]
    pub fn of(template: &Template) -> Self {
        Self(Constellation::of(template))
    }

    /// How many minutiae it has, 1 to 100.
    #[must_use]
    pub fn minutiae_count(&self) -> usize {
        self.0.points.len()
    }
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Probe({} minutiae)", self.0.points.len())
    }
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reference({} minutiae)", self.0.points.len())
    }
}

/// Scratch memory of comparisons, one for each thread, and the weights of their terms.
pub struct Comparator {
    weights: Weights,
    resemblances: Resemblances,
    relaxation: Relaxation,
    tree: Tree,
    guesses: Vec<Guess>,
    /// The pairs of all guesses, one after the other.
    guessed: Vec<Pair>,
    alignment: Alignment,
    pairing: Pairing,
}

/// A tree once grown.
struct Guess {
    pairs: Range<usize>,
    confirmed: u32,
}

/// So many resemblances are tried as roots of a tree.
const MAX_ROOTS: usize = 12;
/// So many of the trees are laid on.
const MAX_ALIGNED: usize = 3;
/// How far a probe may be expected to be turned, 256ths of a turn; alignments within 90° of that are looked for.
const UPRIGHT: u8 = 0;
const UPSIDE_DOWN: u8 = 128;
/// How often an alignment is made anew from the pairs found by the one before.
const ALIGNMENTS: usize = 2;

impl Comparator {
    /// Reserves what every later comparison needs.
    #[must_use]
    pub fn new() -> Self {
        Self::weighing(Weights::built_in().clone())
    }

    /// As [`Comparator::new`], with weights of one's own: for fitting them. [`calibration`] does not hold for these.
    #[must_use]
    pub fn weighing(weights: Weights) -> Self {
        Self {
            weights,
            resemblances: Resemblances::new(),
            relaxation: Relaxation::new(),
            tree: Tree::new(),
            guesses: Vec::new(),
            guessed: Vec::new(),
            alignment: Alignment::new(),
            pairing: Pairing::new(),
        }
    }

    /// How similar they are: 0 or more, finite; [`calibration`] says what it means.
    ///
    /// Alignments in which the probe is turned by up to 90° either way are looked for. The same on every machine.
    /// Allocates nothing once its scratch has grown to the largest finger it met.
    pub fn compare(&mut self, probe: &Probe, reference: &Reference) -> f32 {
        self.terms(probe, reference).map_or(0.0, |terms| self.weights.similarity(&terms))
    }

    /// How many places look alike wherever they lie: the first stage of [`Comparator::compare`] alone, for ruling out
    /// most references at a seventh of the time. 0 to 1, finite, on a scale of its own, without a calibration.
    pub fn compare_places(&mut self, probe: &Probe, reference: &Reference) -> f32 {
        self.resemblances.find(&probe.0, &reference.0, UPRIGHT);
        self.resemblances.mean(expected_places(&probe.0, &reference.0))
    }

    /// [`Comparator::compare`], but 0 at once where [`Comparator::compare_places`] is below `places`.
    pub fn compare_from(&mut self, probe: &Probe, reference: &Reference, places: f32) -> f32 {
        if self.compare_places(probe, reference) < places {
            return 0.0;
        }
        self.terms_of_places(probe, reference).map_or(0.0, |terms| self.weights.similarity(&terms))
    }

    /// [`Comparator::compare`] for a probe put down upside down, which `compare` takes for another finger: it looks for
    /// alignments turned by 90° at most. Who takes the better of both must allow for having tried twice.
    pub fn compare_upside_down(&mut self, probe: &Probe, reference: &Reference) -> f32 {
        self.resemblances.find(&probe.0, &reference.0, UPSIDE_DOWN);
        self.terms_of_places(probe, reference).map_or(0.0, |terms| self.weights.similarity(&terms))
    }

    /// The terms of the best alignment; `None` where no two places look alike.
    pub fn terms(&mut self, probe: &Probe, reference: &Reference) -> Option<Terms> {
        self.resemblances.find(&probe.0, &reference.0, UPRIGHT);
        self.terms_of_places(probe, reference)
    }

    fn terms_of_places(&mut self, probe: &Probe, reference: &Reference) -> Option<Terms> {
        let mut best = None;
        self.align(&probe.0, &reference.0, |_, terms, _, _| best = Some(*terms));
        best
    }

    /// Lays the guesses on and shows each that is better than those before, with its similarity.
    fn align(
        &mut self,
        probe: &Constellation,
        reference: &Constellation,
        mut better: impl FnMut(f32, &Terms, &Alignment, &Pairing),
    ) {
        let expected = expected_places(probe, reference);
        let relaxed = self.relaxation.relax(&self.resemblances.found, &probe.points, &reference.points, expected);
        self.guess(probe, reference);
        let mut most = f32::NEG_INFINITY;
        for i in 0..self.guesses.len().min(MAX_ALIGNED) {
            if let Some(terms) = self.lay_on(i, probe, reference) {
                let terms = Terms { relaxed, ..terms };
                let similarity = self.weights.similarity(&terms);
                if similarity > most {
                    most = similarity;
                    better(similarity, &terms, &self.alignment, &self.pairing);
                }
            }
        }
    }

    /// The same comparison, kept for people to look at. Costs a few allocations more.
    #[must_use]
    pub fn trace(&mut self, probe: &Probe, reference: &Reference) -> Trace {
        let (probe, reference) = (&probe.0, &reference.0);
        self.resemblances.find(probe, reference, UPRIGHT);
        let mut trace = Trace::apart(probe, reference);
        self.align(probe, reference, |similarity, terms, alignment, pairing| {
            trace.align(similarity, terms, alignment, pairing, probe);
        });
        trace
    }

    /// Grows trees from the likeliest roots and ranks them by size and confirmation.
    fn guess(&mut self, probe: &Constellation, reference: &Constellation) {
        self.guesses.clear();
        self.guessed.clear();
        for &root in self.relaxation.roots.iter().take(MAX_ROOTS) {
            if self.guessed.contains(&root) {
                continue; // a tree that holds it has been grown
            }
            self.tree.grow(probe, reference, root);
            let start = self.guessed.len();
            self.guessed.extend(&self.tree.pairs);
            self.guesses.push(Guess { pairs: start..self.guessed.len(), confirmed: self.tree.confirmed });
        }
        self.guesses.sort_by_key(|guess| Reverse(guess.pairs.len() + guess.confirmed as usize));
    }

    fn lay_on(&mut self, guess: usize, probe: &Constellation, reference: &Constellation) -> Option<Terms> {
        let Guess { pairs, confirmed } = &self.guesses[guess];
        self.alignment.fit(&self.guessed[pairs.clone()], probe, reference);
        self.pairing.pair(&self.alignment, probe, reference);
        for _ in 1..ALIGNMENTS {
            if self.pairing.pairs.is_empty() {
                return None;
            }
            self.alignment.fit(&self.pairing.pairs, probe, reference);
            self.pairing.pair(&self.alignment, probe, reference);
        }
        let tree = (pairs.len(), *confirmed);
        (!self.pairing.pairs.is_empty()).then(|| Terms::of(tree, &self.alignment, &self.pairing, probe, reference))
    }
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

/// What the comparator's similarity means: score and likelihood ratio, with where the table comes from.
///
/// Made by `khop calibrate fingerprint` on the minutiae of the extractor with most false matches of the four tried;
/// those of the others keep more than it promises. [`meaning`](crate::meaning) applies it.
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
    fn the_table_is_well_formed_and_made_for_this_comparator() {
        assert!(super::calibration().knots().len() > 5);
        assert_eq!(super::calibration().name(), format!("khop-minutiae-{}", super::COMPARATOR_VERSION));
    }
}
