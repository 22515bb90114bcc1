//! Where might two fingers agree? Pairs of minutiae whose surroundings look alike, most alike first.

use crate::constellation::{Constellation, Edge};
use crate::probe::{Bin, Probe};
use crate::tree::Pair;

/// So many pairs are tried as roots of a tree.
const MAX_ROOTS: usize = 12;

/// Counts, for every pair of a probe's and a reference's minutia, the edges around them that resemble each other.
pub(crate) struct RootSearch {
    /// By reference minutia, then probe minutia; all zero between searches.
    votes: Vec<u8>,
    /// Cells of `votes` that are not zero.
    voted: Vec<u16>,
    /// Where the probe has edges like those of the reference, with the edge and the row of `votes`.
    bins: Vec<(Bin, Edge, usize)>,
}

impl RootSearch {
    pub(crate) fn new() -> Self {
        Self { votes: Vec::new(), voted: Vec::new(), bins: Vec::new() }
    }

    /// At most [`MAX_ROOTS`] pairs, those with most votes, into `roots`; equal ones by index.
    pub(crate) fn best(&mut self, probe: &Probe, reference: &Constellation, roots: &mut Vec<Pair>) {
        let width = probe.finger.points.len();
        if self.votes.len() < width * reference.points.len() {
            self.votes.resize(width * reference.points.len(), 0);
        }
        self.bins.clear();
        for (row, star) in reference.stars.iter().enumerate() {
            let bins = star.rays().filter_map(|(edge, _)| Some((probe.bin(edge)?, edge, row * width)));
            self.bins.extend(bins);
        }
        for &(bin, edge, row) in &self.bins {
            for (root, resembles) in probe.roots_of(bin, edge) {
                // Without a branch: half of them resemble, in no order that a CPU could foresee.
                let cell = row + usize::from(root);
                self.voted.push(cell as u16);
                let first = resembles & (self.votes[cell] == 0);
                self.voted.truncate(self.voted.len() - usize::from(!first));
                self.votes[cell] = self.votes[cell].saturating_add(resembles.into());
            }
        }
        let rank = |cell: &u16| (u8::MAX - self.votes[usize::from(*cell)], *cell);
        let count = MAX_ROOTS.min(self.voted.len());
        if count > 0 {
            self.voted.select_nth_unstable_by_key(count - 1, rank);
            self.voted[..count].sort_unstable_by_key(rank);
        }
        let pair = |&cell: &u16| Pair {
            probe: (usize::from(cell) % width) as u8,
            reference: (usize::from(cell) / width) as u8,
        };
        roots.clear();
        roots.extend(self.voted[..count].iter().map(pair));
        self.voted.drain(..).for_each(|cell| self.votes[usize::from(cell)] = 0);
    }
}
