//! Where else is there such an edge? The probe finger, prepared so that one look-up finds its edges that
//! resemble a given one.

use crate::constellation::{Constellation, DIRECTION_TOLERANCE, Edge, LENGTH_TOLERANCE, MAX_LENGTH};
use crate::direction::apart;
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
    /// `entries[starts[bin]..starts[bin + 1]]` are the edges of a bin.
    starts: Box<[u32]>,
    entries: Box<[Entry]>,
}

/// An edge of at most [`MAX_LENGTH`] and the minutia at its root.
#[derive(Clone, Copy, Default)]
struct Entry {
    length: u8,
    at_root: u8,
    at_tip: u8,
    root: u8,
}

/// The bin of an edge that was looked for.
#[derive(Clone, Copy)]
pub(crate) struct Bin {
    start: u32,
    end: u32,
}

impl Probe {
    /// Prepares a template.
    #[must_use]
    pub fn of(template: &Template) -> Self {
        let finger = Constellation::of(template);
        let mut edges = Vec::with_capacity(finger.points.len() * (finger.points.len() - 1));
        for (i, &a) in finger.points.iter().enumerate() {
            for (j, &b) in finger.points.iter().enumerate().skip(i + 1) {
                let edge = Edge::between(a, b);
                if edge.length <= MAX_LENGTH {
                    edges.push((edge, i as u8));
                    edges.push((edge.reversed(), j as u8));
                }
            }
        }
        let mut starts = vec![0u32; DIRECTION_BINS * DIRECTION_BINS * LENGTH_BINS + 1];
        for &(edge, _) in &edges {
            touched_bins(edge, |bin| starts[bin] += 1);
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total; // the bin's end, for now
        }
        let mut entries = vec![Entry::default(); total as usize];
        for &(edge, root) in edges.iter().rev() {
            let entry = Entry { length: edge.length as u8, at_root: edge.at_root, at_tip: edge.at_tip, root };
            touched_bins(edge, |bin| {
                starts[bin] -= 1;
                entries[starts[bin] as usize] = entry;
            });
        }
        Self { finger, starts: starts.into(), entries: entries.into() }
    }

    /// Where edges are that resemble this one, of at most [`MAX_LENGTH`]; `None` where there are none. Kept apart from
    /// [`Probe::roots_of`] so that many bins can be found before the first is read: memory answers them side by side.
    #[inline]
    pub(crate) fn bin(&self, edge: Edge) -> Option<Bin> {
        let bin = bin(edge.length >> LENGTH_SHIFT, edge.at_root >> DIRECTION_SHIFT, edge.at_tip >> DIRECTION_SHIFT);
        let (start, end) = (self.starts[bin], self.starts[bin + 1]);
        (start < end).then_some(Bin { start, end })
    }

    /// The minutiae from which an edge starts, and whether that edge resembles the given one.
    #[inline]
    pub(crate) fn roots_of(&self, bin: Bin, edge: Edge) -> impl Iterator<Item = (u8, bool)> + '_ {
        self.entries[bin.start as usize..bin.end as usize].iter().map(move |entry| {
            let resembles = (entry.length.abs_diff(edge.length as u8) <= LENGTH_TOLERANCE)
                & (apart(entry.at_root, edge.at_root) <= DIRECTION_TOLERANCE)
                & (apart(entry.at_tip, edge.at_tip) <= DIRECTION_TOLERANCE);
            (entry.root, resembles)
        })
    }
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Probe({} minutiae)", self.finger.points.len())
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
