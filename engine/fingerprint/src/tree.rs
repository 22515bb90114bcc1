//! How far does a guess carry? From one pair of minutiae taken for the same, pairs are added along edges that
//! resemble each other, nearest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::constellation::{Constellation, Edge};
use crate::template::MAX_MINUTIAE;

/// A probe's minutia and a reference's minutia taken for the same, and how the tree came to them.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    pub probe: u8,
    pub reference: u8,
    /// The edges that led here; equal and empty at the root.
    pub probe_edge: Edge,
    pub reference_edge: Edge,
    /// Further pairs of edges that confirm it.
    pub support: u16,
}

/// A pair that may be added: ordered by the reference edge's length, then by the minutiae.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Offer {
    length: u16,
    probe: u8,
    reference: u8,
    from: u8,
    edges: (u8, u8, u8, u8, u16),
}

/// Scratch and result of growing one tree.
pub(crate) struct Tree {
    pub nodes: Vec<Node>,
    offers: BinaryHeap<Reverse<Offer>>,
    /// Node of each minutia, [`FREE`] where it is in none.
    of_probe: [u8; MAX_MINUTIAE],
    of_reference: [u8; MAX_MINUTIAE],
}

const FREE: u8 = u8::MAX;

impl Tree {
    pub(crate) fn new() -> Self {
        Self {
            nodes: Vec::with_capacity(MAX_MINUTIAE),
            offers: BinaryHeap::with_capacity(8 * MAX_MINUTIAE),
            of_probe: [FREE; MAX_MINUTIAE],
            of_reference: [FREE; MAX_MINUTIAE],
        }
    }

    /// Grows from `(probe_root, reference_root)` until no edge is left that resembles another.
    pub(crate) fn grow(&mut self, probe: &Constellation, reference: &Constellation, root: (u8, u8)) {
        for node in self.nodes.drain(..) {
            self.of_probe[usize::from(node.probe)] = FREE;
            self.of_reference[usize::from(node.reference)] = FREE;
        }
        self.offers.clear();
        self.add(root.0, root.1, Edge::default(), Edge::default());
        let mut at = 0;
        loop {
            self.offer_around(probe, reference, at);
            let next = loop {
                let Some(Reverse(offer)) = self.offers.pop() else { return };
                if self.is_free(offer.probe, offer.reference) {
                    break offer;
                }
                self.confirm(offer.probe, offer.reference, offer.from);
            };
            at = self.nodes.len() as u8;
            let (pr, pt, rr, rt, pl) = next.edges;
            self.add(
                next.probe,
                next.reference,
                Edge { length: pl, at_root: pr, at_tip: pt },
                Edge { length: next.length, at_root: rr, at_tip: rt },
            );
        }
    }

    fn add(&mut self, probe: u8, reference: u8, probe_edge: Edge, reference_edge: Edge) {
        let node = self.nodes.len() as u8;
        self.of_probe[usize::from(probe)] = node;
        self.of_reference[usize::from(reference)] = node;
        self.nodes.push(Node { probe, reference, probe_edge, reference_edge, support: 0 });
    }

    fn is_free(&self, probe: u8, reference: u8) -> bool {
        self.of_probe[usize::from(probe)] == FREE && self.of_reference[usize::from(reference)] == FREE
    }

    /// An edge from node `from` leads to a pair that the tree already has: both gain support.
    fn confirm(&mut self, probe: u8, reference: u8, from: u8) {
        let node = self.of_probe[usize::from(probe)];
        if node != FREE && node == self.of_reference[usize::from(reference)] {
            self.nodes[usize::from(node)].support += 1;
            self.nodes[usize::from(from)].support += 1;
        }
    }

    fn offer_around(&mut self, probe: &Constellation, reference: &Constellation, from: u8) {
        let node = self.nodes[usize::from(from)];
        let (probe_star, reference_star) = (probe.star(node.probe), reference.star(node.reference));
        for reference_ray in reference_star {
            for probe_ray in probe_star {
                if !probe_ray.edge.resembles(reference_ray.edge) {
                    continue;
                }
                if self.is_free(probe_ray.tip, reference_ray.tip) {
                    let (p, r) = (probe_ray.edge, reference_ray.edge);
                    self.offers.push(Reverse(Offer {
                        length: r.length,
                        probe: probe_ray.tip,
                        reference: reference_ray.tip,
                        from,
                        edges: (p.at_root, p.at_tip, r.at_root, r.at_tip, p.length),
                    }));
                } else {
                    self.confirm(probe_ray.tip, reference_ray.tip, from);
                }
            }
        }
    }
}
