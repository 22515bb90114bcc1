//! How far does a guess carry? From one pair of minutiae taken for the same, pairs are added along edges that
//! resemble each other, nearest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::constellation::Constellation;
use crate::template::MAX_MINUTIAE;

/// A probe's minutia and a reference's minutia taken for the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pair {
    pub probe: u8,
    pub reference: u8,
}

/// Scratch and result of growing one tree.
pub(crate) struct Tree {
    /// The pairs, root first; every minutia in at most one.
    pub pairs: Vec<Pair>,
    /// Pairs of edges between them that resemble each other, beyond those along which the tree grew.
    pub confirmed: u32,
    /// Edges out of the tree: [`Offer`]s as integers.
    offers: BinaryHeap<Reverse<u64>>,
    /// How many there have been.
    offered: usize,
    /// The partner of each minutia in the tree, [`FREE`] of the others.
    of_probe: [u8; MAX_MINUTIAE],
    of_reference: [u8; MAX_MINUTIAE],
}

const FREE: u8 = u8::MAX;
/// A tree looks no further after so many offers: the minutiae of fingers make a few hundred, a hundred minutiae on a heap
/// would make thousands and tell nothing.
const MAX_OFFERS: usize = 1000;

/// A pair that may be added. As an integer it is ordered by the length of the reference's edge, then by index.
struct Offer {
    length: u16,
    pair: Pair,
}

impl Offer {
    fn to_key(&self) -> u64 {
        u64::from(self.length) << 16 | u64::from(self.pair.probe) << 8 | u64::from(self.pair.reference)
    }

    fn pair_of(key: u64) -> Pair {
        Pair { probe: (key >> 8) as u8, reference: key as u8 }
    }
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self {
            pairs: Vec::with_capacity(MAX_MINUTIAE),
            confirmed: 0,
            offers: BinaryHeap::with_capacity(8 * MAX_MINUTIAE),
            offered: 0,
            of_probe: [FREE; MAX_MINUTIAE],
            of_reference: [FREE; MAX_MINUTIAE],
        }
    }

    /// Grows from `root` until no edge is left that resembles another.
    pub(crate) fn grow(&mut self, probe: &Constellation, reference: &Constellation, root: Pair) {
        for pair in self.pairs.drain(..) {
            self.of_probe[usize::from(pair.probe)] = FREE;
            self.of_reference[usize::from(pair.reference)] = FREE;
        }
        self.offers.clear();
        self.offered = 0;
        self.confirmed = 0;
        let mut next = Some(root);
        while let Some(pair) = next {
            self.pairs.push(pair);
            self.of_probe[usize::from(pair.probe)] = pair.reference;
            self.of_reference[usize::from(pair.reference)] = pair.probe;
            self.look_around(probe, reference, pair);
            next = self.nearest_offer();
        }
    }

    fn look_around(&mut self, probe: &Constellation, reference: &Constellation, from: Pair) {
        if self.offered > MAX_OFFERS {
            return;
        }
        let probe_star = &probe.stars[usize::from(from.probe)];
        for (edge, reference_tip) in reference.stars[usize::from(from.reference)].rays() {
            for probe_tip in probe_star.resembling(edge) {
                let pair = Pair { probe: probe_tip, reference: reference_tip };
                if self.is_free(pair) {
                    self.offered += 1;
                    self.offers.push(Reverse(Offer { length: edge.length, pair }.to_key()));
                } else {
                    self.confirm(pair);
                }
            }
        }
    }

    fn nearest_offer(&mut self) -> Option<Pair> {
        while let Some(Reverse(key)) = self.offers.pop() {
            let pair = Offer::pair_of(key);
            if self.is_free(pair) {
                return Some(pair);
            }
            self.confirm(pair);
        }
        None
    }

    fn is_free(&self, pair: Pair) -> bool {
        self.of_probe[usize::from(pair.probe)] == FREE && self.of_reference[usize::from(pair.reference)] == FREE
    }

    fn confirm(&mut self, pair: Pair) {
        self.confirmed += u32::from(self.of_probe[usize::from(pair.probe)] == pair.reference);
    }
}
