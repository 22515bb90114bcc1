//! How similar are two fingers? Guesses where they agree, grows the guesses, lays one finger on the other and weighs
//! what falls together and what does not.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::LazyLock;

use khop_vocabulary::Calibration;

use crate::alignment::Alignment;
use crate::constellation::Constellation;
use crate::pairing::Pairing;
use crate::probe::Probe;
use crate::root::RootSearch;
use crate::similarity::Terms;
use crate::template::Template;
use crate::trace::Trace;
use crate::tree::{Pair, Tree};

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
    search: RootSearch,
    roots: Vec<Pair>,
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

/// So many of the trees are laid on.
const MAX_ALIGNED: usize = 3;
/// How often an alignment is made anew from the pairs found by the one before.
const ALIGNMENTS: usize = 2;

impl Comparator {
    /// Reserves what every later comparison needs.
    #[must_use]
    pub fn new() -> Self {
        Self {
            search: RootSearch::new(),
            roots: Vec::new(),
            tree: Tree::new(),
            guesses: Vec::new(),
            guessed: Vec::new(),
            alignment: Alignment::new(),
            pairing: Pairing::new(),
        }
    }

    /// How similar they are: 0 or more, finite; [`calibration`] says what it means.
    ///
    /// The same on every machine. Allocates nothing once its scratch has grown to the largest finger it met.
    pub fn compare(&mut self, probe: &Probe, reference: &Reference) -> f32 {
        self.terms(probe, reference).map_or(0.0, |terms| terms.similarity())
    }

    /// The terms of the best alignment; `None` where no two edges resemble each other.
    pub(crate) fn terms(&mut self, probe: &Probe, reference: &Reference) -> Option<Terms> {
        let reference = &reference.0;
        self.guess(probe, reference);
        let mut best: Option<(f32, Terms)> = None;
        for i in 0..self.guesses.len().min(MAX_ALIGNED) {
            if let Some(terms) = self.lay_on(i, &probe.finger, reference) {
                let similarity = terms.similarity();
                if best.is_none_or(|(other, _)| similarity > other) {
                    best = Some((similarity, terms));
                }
            }
        }
        best.map(|(_, terms)| terms)
    }

    /// The same comparison, kept for people to look at. Costs a few allocations more.
    #[must_use]
    pub fn trace(&mut self, probe: &Probe, reference: &Reference) -> Trace {
        let reference = &reference.0;
        self.guess(probe, reference);
        let mut trace = Trace::apart(&probe.finger, reference);
        for i in 0..self.guesses.len().min(MAX_ALIGNED) {
            if let Some(terms) = self.lay_on(i, &probe.finger, reference)
                && (trace.terms.is_empty() || terms.similarity() > trace.similarity)
            {
                trace.align(&terms, &self.alignment, &self.pairing, &probe.finger);
            }
        }
        trace
    }

    /// Grows trees from the likeliest roots and ranks them by size and confirmation.
    fn guess(&mut self, probe: &Probe, reference: &Constellation) {
        self.search.best(probe, reference, &mut self.roots);
        self.guesses.clear();
        self.guessed.clear();
        for &root in &self.roots {
            if self.guessed.contains(&root) {
                continue; // a tree that holds it has been grown
            }
            self.tree.grow(&probe.finger, reference, root);
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
/// those of the others keep more than it promises.
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
