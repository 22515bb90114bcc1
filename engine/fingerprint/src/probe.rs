//! Where else is there such an edge? The probe finger, prepared so that one look-up finds its edges that
//! resemble a given one.

use crate::constellation::{Constellation, DIRECTION_TOLERANCE, Edge, LENGTH_TOLERANCE, MAX_LENGTH};
use crate::template::Template;

/// Lengths share a bin of 16 px, directions one of 11.25°.
const LENGTH_SHIFT: u32 = 4;
const DIRECTION_SHIFT: u32 = 3;
const LENGTH_BINS: usize = (MAX_LENGTH as usize >> LENGTH_SHIFT) + 1;
const DIRECTION_BINS: usize = 32;

/// A finger prepared once, to be compared to many references.
///
/// Holds every ordered pair of its minutiae, entered in all the bins that its tolerance touches. For 40 minutiae
/// that takes about 200 kB and well under a millisecond.
pub struct Probe {
    pub(crate) finger: Constellation,
    pairs: Vec<Pair>,
    /// `entries[starts[bin]..starts[bin + 1]]` index `pairs`.
    starts: Box<[u32]>,
    entries: Box<[u16]>,
}

#[derive(Clone, Copy)]
struct Pair {
    edge: Edge,
    root: u8,
}

impl Probe {
    /// Prepares a template.
    #[must_use]
    pub fn of(template: &Template) -> Self {
        let finger = Constellation::of(template);
        let mut pairs = Vec::with_capacity(finger.points.len() * (finger.points.len() - 1));
        for (i, &a) in finger.points.iter().enumerate() {
            for (j, &b) in finger.points.iter().enumerate().skip(i + 1) {
                let edge = Edge::between(a, b);
                if edge.length <= MAX_LENGTH {
                    pairs.push(Pair { edge, root: i as u8 });
                    pairs.push(Pair { edge: edge.reversed(), root: j as u8 });
                }
            }
        }
        let mut starts = vec![0u32; DIRECTION_BINS * DIRECTION_BINS * LENGTH_BINS + 1];
        for pair in &pairs {
            touched_bins(pair.edge, |bin| starts[bin] += 1);
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total; // the bin's end, for now
        }
        let mut entries = vec![0u16; total as usize];
        for (index, pair) in pairs.iter().enumerate().rev() {
            touched_bins(pair.edge, |bin| {
                starts[bin] -= 1;
                entries[starts[bin] as usize] = index as u16;
            });
        }
        Self { finger, pairs, starts: starts.into(), entries: entries.into() }
    }

    /// The minutiae from which an edge starts that resembles the given one, of at most [`MAX_LENGTH`].
    #[inline]
    pub(crate) fn roots_of(&self, edge: Edge) -> impl Iterator<Item = u8> + '_ {
        let bin = bin(edge.length >> LENGTH_SHIFT, edge.at_root >> DIRECTION_SHIFT, edge.at_tip >> DIRECTION_SHIFT);
        let entries = &self.entries[self.starts[bin] as usize..self.starts[bin + 1] as usize];
        let pairs = entries.iter().map(|&index| self.pairs[usize::from(index)]);
        pairs.filter(move |pair| pair.edge.resembles(edge)).map(|pair| pair.root)
    }
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Probe({} minutiae, {} edges)", self.finger.points.len(), self.pairs.len())
    }
}

#[inline]
fn bin(length: u16, at_root: u8, at_tip: u8) -> usize {
    (usize::from(length) * DIRECTION_BINS + usize::from(at_root)) * DIRECTION_BINS + usize::from(at_tip)
}

/// Calls `visit` for every bin that holds an edge resembling this one.
fn touched_bins(edge: Edge, mut visit: impl FnMut(usize)) {
    let lengths = edge.length.saturating_sub(LENGTH_TOLERANCE.into()) >> LENGTH_SHIFT
        ..=(edge.length + u16::from(LENGTH_TOLERANCE)).min(MAX_LENGTH) >> LENGTH_SHIFT;
    for length in lengths {
        for at_root in direction_bins(edge.at_root) {
            for at_tip in direction_bins(edge.at_tip) {
                visit(bin(length, at_root, at_tip));
            }
        }
    }
}

fn direction_bins(direction: u8) -> impl Iterator<Item = u8> {
    let first = direction.wrapping_sub(DIRECTION_TOLERANCE) >> DIRECTION_SHIFT;
    let last = direction.wrapping_add(DIRECTION_TOLERANCE) >> DIRECTION_SHIFT;
    let bins = last.wrapping_sub(first) & (DIRECTION_BINS as u8 - 1);
    (0..=bins).map(move |step| (first + step) & (DIRECTION_BINS as u8 - 1))
}
