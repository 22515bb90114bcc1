//! What is asked of an index, and what does it answer? Every row at or above a threshold, best first.

use crate::mask::RowMask;
use crate::probe::Probe;

/// What to return.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The cosine a row must reach, −1 to 1; exactly at it counts.
    pub threshold: f32,
    /// Rows returned at most, the best.
    pub limit: usize,
    /// Rows that may be returned.
    pub mask: &'a RowMask,
}

/// A row that reached the threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Its number in the plane.
    pub row: u32,
    /// Cosine, −1 to 1.
    pub similarity: f32,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The best, by falling similarity, then by rising row.
    pub neighbours: Vec<Neighbour>,
    /// Whether more rows reached the threshold than the limit let through.
    pub more: bool,
    /// What may have been missed.
    pub guarantee: Guarantee,
}

/// What a search promises about the rows it did not return.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Guarantee {
    /// Every row allowed by the mask was compared.
    Exhaustive,
    /// Rows can be missed: this share of the ten nearest was found, measured on the index itself when it was built.
    Measured {
        /// Share of the true ten nearest rows that were found, 0 to 1.
        recall: f64,
        /// Searches it was measured with.
        probes: usize,
    },
}

/// Why a search could not be done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SearchError {
    /// The probe cannot be compared with these rows.
    #[error("probe: expected {expected} numbers, got {got}")]
    Dimension {
        /// Numbers a row.
        expected: usize,
        /// Numbers of the probe.
        got: usize,
    },
    /// A mask, or another plane, of another length.
    #[error("{what}: expected {expected} rows, got {got}")]
    Rows {
        /// `mask` or `plane`.
        what: &'static str,
        /// Rows searched.
        expected: usize,
        /// Rows it has.
        got: usize,
    },
    /// A threshold that orders nothing.
    #[error("threshold: expected a number, got NaN")]
    Threshold,
}

impl Query<'_> {
    pub(crate) fn check(&self, rows: usize) -> Result<(), SearchError> {
        if self.mask.rows() != rows {
            return Err(SearchError::Rows { what: "mask", expected: rows, got: self.mask.rows() });
        }
        if self.threshold.is_nan() { Err(SearchError::Threshold) } else { Ok(()) }
    }
}

/// Something that can be searched for the rows near a probe.
pub trait VectorIndex {
    /// The best `limit` rows of the mask at or above the threshold.
    ///
    /// # Errors
    /// [`SearchError`] when probe, mask or threshold do not fit the index. An index that could not look everywhere it
    /// promises to look fails; it never answers with less.
    fn search(&self, probe: &Probe, query: &Query<'_>) -> Result<Answer, SearchError>;
}
