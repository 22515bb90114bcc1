//! Where might two fingers agree? Pairs of minutiae whose surroundings look alike, most alike first.

use crate::constellation::Constellation;
use crate::probe::Probe;
use crate::tree::Pair;

/// So many pairs are tried as roots of a tree.
const MAX_ROOTS: usize = 12;

/// Counts, for every pair of a probe's and a reference's minutia, the edges around them that resemble each other.
pub(crate) struct RootSearch {
    /// By reference minutia, then probe minutia; all zero between searches.
    votes: Vec<u8>,
    /// Cells of `votes` that are not zero.
    voted: Vec<u16>,
}

impl RootSearch {
    pub(crate) fn new() -> Self {
        Self { votes: Vec::new(), voted: Vec::new() }
    }

    /// At most [`MAX_ROOTS`] pairs, those with most votes, into `roots`; equal ones by index.
    pub(crate) fn best(&mut self, probe: &Probe, reference: &Constellation, roots: &mut Vec<Pair>) {
        let width = probe.finger.points.len();
        if self.votes.len() < width * reference.points.len() {
            self.votes.resize(width * reference.points.len(), 0);
        }
        for (row, star) in reference.stars.iter().enumerate() {
            for (edge, _) in star.rays() {
                for root in probe.roots_of(edge) {
                    let cell = row * width + usize::from(root);
                    if self.votes[cell] == 0 {
                        self.voted.push(cell as u16);
                    }
                    self.votes[cell] = self.votes[cell].saturating_add(1);
                }
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
