//! Does a row really reach the threshold? The byte plane's word for it or, where the vectors as received are at hand, theirs.

use crate::best::Best;
use crate::plane::{Plane, UNIT_ROWS, cosine};
use crate::probe::Probe;
use crate::search::Tally;

/// The vectors behind a plane as they were received, each divided by its norm, row by row; borrowed.
///
/// With them every mode returns exactly the rows whose single-precision cosine reaches the threshold, with that cosine:
/// the byte plane, its error bound added, then only says whose original is worth reading.
#[derive(Clone, Copy)]
pub struct Originals<'a> {
    dim: usize,
    values: &'a [f32],
}

impl<'a> Originals<'a> {
    /// `None` when `values` is no whole number of vectors of `dim` numbers.
    #[must_use]
    pub fn new(dim: usize, values: &'a [f32]) -> Option<Self> {
        (dim > 0 && values.len().is_multiple_of(dim)).then_some(Self { dim, values })
    }

    /// Vectors there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Numbers a vector.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The cosine of a row and a probe, −1 to 1.
    ///
    /// # Panics
    /// When there is no such row or the probe has another dimension.
    #[must_use]
    pub fn similarity(&self, row: usize, probe: &Probe) -> f32 {
        khop_kernels::dot_f32(&self.values[row * self.dim..(row + 1) * self.dim], probe.unit()).clamp(-1.0, 1.0)
    }
}

impl std::fmt::Debug for Originals<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Originals({} rows of {} numbers)", self.rows(), self.dim)
    }
}

/// One probe with what its rows are held against.
pub(crate) struct Settle<'a> {
    pub(crate) plane: Plane<'a>,
    pub(crate) originals: Option<Originals<'a>>,
    pub(crate) probe: &'a Probe,
    pub(crate) threshold: f32,
}

impl Settle<'_> {
    /// What a row's byte-plane cosine must reach to be looked at: the threshold, less the error it can have where
    /// originals decide.
    pub(crate) fn floor(&self, scale: f32) -> f32 {
        if self.originals.is_some() { self.threshold - self.plane.error_of(scale, self.probe) } else { self.threshold }
    }

    /// Takes the row if it reaches the threshold.
    pub(crate) fn take(&self, row: usize, dot: i32, found: &mut Found) {
        let Some(scale) = self.plane.scale(row) else { return };
        let similarity = cosine(dot, scale * self.probe.scale());
        match self.originals {
            None if similarity >= self.threshold => found.best.push(similarity, row as u32),
            Some(originals) if similarity >= self.floor(scale) => {
                found.tally.rescored += 1;
                let exact = originals.similarity(row, self.probe);
                if exact >= self.threshold {
                    found.best.push(exact, row as u32);
                }
            }
            _ => {}
        }
    }

    /// Compares the rows listed in the byte plane and takes those that reach the threshold.
    pub(crate) fn take_picked(&self, rows: &[u32], found: &mut Found) {
        found.tally.compared += rows.len() as u64;
        let mut dots = [0i32; UNIT_ROWS];
        // Whole chunks at once, each fetching rows ahead within itself.
        for rows in rows.chunks(UNIT_ROWS) {
            let dots = &mut dots[..rows.len()];
            self.plane.picked(self.probe.codes(), rows, dots);
            for (&row, &dot) in rows.iter().zip(&*dots) {
                self.take(row as usize, dot, found);
            }
        }
    }
}

/// What one thread has found for one probe so far.
pub(crate) struct Found {
    pub(crate) best: Best,
    pub(crate) tally: Tally,
}

impl Found {
    pub(crate) fn new(limit: usize) -> Self {
        Self { best: Best::new(limit), tally: Tally::default() }
    }

    pub(crate) fn merge(self, other: Self) -> Self {
        Self { best: self.best.merge(other.best), tally: self.tally.and(other.tally) }
    }
}
