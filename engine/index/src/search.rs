//! What is asked of an index, and what does it answer? Every row at or above a threshold, best first.

use crate::mask::RowMask;
use crate::probe::Probe;

/// What to return.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The cosine a row must reach, −1 to 1; exactly at it counts.
    pub threshold: f32,
    /// Rows returned at most, the best; at least 1. There are never more than 4294967295.
    pub limit: usize,
    /// Rows that may be returned.
    pub mask: &'a RowMask,
    /// Asked now and then whether to go on; [`Watch::NEVER`] always does.
    pub watch: Watch<'a>,
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
    /// How many rows took part in which stage.
    pub tally: Tally,
}

/// How a search narrowed its rows down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows that the mask allows, absent ones included; all of them were looked at, except by a graph.
    pub rows: u64,
    /// Rows compared in the byte plane: all, or those that a coarse plane could not rule out.
    pub compared: u64,
    /// Rows compared exactly, as received.
    pub rescored: u64,
}

impl Tally {
    /// Of two searches together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            compared: self.compared + other.compared,
            rescored: self.rescored + other.rescored,
        }
    }
}

/// What a search promises about the rows it did not return.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Guarantee {
    /// Every row allowed by the mask was compared.
    Exhaustive,
    /// Every row allowed by the mask was either compared or proven to be below the threshold, by an inequality.
    Certified,
    /// Every row allowed by the mask was looked at; one whose exact cosine reaches the threshold was missed with at
    /// most this probability.
    Bounded {
        /// Above 0, at most 0.5; over the random turn of the plane, for each row alone.
        loss: f64,
    },
    /// Rows can be missed: this share of the ten nearest was found, measured on the index itself when it was built.
    Measured {
        /// Share of the true ten nearest rows that were found, 0 to 1.
        recall: f64,
        /// Searches it was measured with.
        probes: usize,
    },
}

impl Guarantee {
    /// What holds for the union of two searches: the weaker of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Measured { recall: a, probes: p }, Self::Measured { recall: b, probes: q }) => {
                if a <= b {
                    Self::Measured { recall: a, probes: p }
                } else {
                    Self::Measured { recall: b, probes: q }
                }
            }
            (Self::Measured { recall, probes }, _) | (_, Self::Measured { recall, probes }) => {
                Self::Measured { recall, probes }
            }
            (Self::Bounded { loss: a }, Self::Bounded { loss: b }) => Self::Bounded { loss: a.max(b) },
            (Self::Bounded { loss }, _) | (_, Self::Bounded { loss }) => Self::Bounded { loss },
            (Self::Certified, _) | (_, Self::Certified) => Self::Certified,
            (Self::Exhaustive, Self::Exhaustive) => Self::Exhaustive,
        }
    }
}

impl std::fmt::Display for Guarantee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exhaustive => f.write_str("exhaustive: every reference was compared"),
            Self::Certified => f.write_str("certified: whoever was not compared is proven to be below the threshold"),
            Self::Bounded { loss } => {
                write!(f, "bounded: a mate at the threshold is missed with a probability of at most {loss:e}")
            }
            Self::Measured { recall, probes } => {
                write!(f, "measured: {recall:.4} of the ten nearest were found in {probes} searches")
            }
        }
    }
}

/// Why a search was told to stop before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Nobody wants the answer any more.
    Cancelled,
    /// Its time is up.
    Deadline,
}

/// Whether a running search goes on. Asked every 16 384 rows of a thread, which is some milliseconds at most.
#[derive(Clone, Copy, Default)]
pub struct Watch<'a>(Option<&'a (dyn Fn() -> Option<Stop> + Sync)>);

impl<'a> Watch<'a> {
    /// Goes on to the end.
    pub const NEVER: Self = Self(None);

    /// Stops once the function says so; it is called on every thread that searches.
    #[must_use]
    pub fn new(stop: &'a (dyn Fn() -> Option<Stop> + Sync)) -> Self {
        Self(Some(stop))
    }

    /// # Errors
    /// [`SearchError::Stopped`] when it is time to stop.
    pub(crate) fn check(self) -> Result<(), SearchError> {
        self.0.and_then(|stop| stop()).map_or(Ok(()), |stop| Err(SearchError::Stopped(stop)))
    }
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Watch(asked)" } else { "Watch(never)" })
    }
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
    /// A threshold that is no cosine.
    #[error("threshold: expected a cosine of -1 to 1, got {0}")]
    Threshold(f32),
    /// A threshold of evidence that orders nothing.
    #[error("threshold: expected a number of nats, got NaN")]
    Nats,
    /// An answer of no rows, or of more than a plane has.
    #[error("limit: expected 1 to 4294967295, got {0}")]
    Limit(usize),
    /// A probability of missing a mate that is none.
    #[error("loss: expected a probability above 0 and at most 0.5, got {0}")]
    Loss(f64),
    /// The mode asked for needs a plane or graph that is not there.
    #[error("mode: {mode} needs {needs}, which this gallery does not have")]
    Missing {
        /// `bounded`, `certified` or `graph`.
        mode: &'static str,
        /// What is missing.
        needs: &'static str,
    },
    /// The batch does not fit into the memory it may use, not even probe by probe.
    #[error("memory: expected at least {needed} bytes for one probe, got a limit of {limit}")]
    Memory {
        /// Bytes that a search for one probe takes.
        needed: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// It was stopped before it had seen everything, so there is no answer.
    #[error("{}", match .0 {
        Stop::Cancelled => "cancelled before every reference was seen",
        Stop::Deadline => "out of time before every reference was seen",
    })]
    Stopped(Stop),
}

impl SearchError {
    pub(crate) fn without_signs() -> Self {
        Self::Missing { mode: "bounded", needs: "a sign plane (b1)" }
    }

    pub(crate) fn without_nibbles() -> Self {
        Self::Missing { mode: "certified", needs: "a half-byte plane (b4)" }
    }

    pub(crate) fn without_graph() -> Self {
        Self::Missing { mode: "hnsw", needs: "a graph" }
    }
}

impl Query<'_> {
    pub(crate) fn check(&self, rows: usize) -> Result<(), SearchError> {
        if self.mask.rows() != rows {
            return Err(SearchError::Rows { what: "mask", expected: rows, got: self.mask.rows() });
        }
        if !(-1.0..=1.0).contains(&self.threshold) {
            return Err(SearchError::Threshold(self.threshold));
        }
        if self.limit == 0 || u32::try_from(self.limit).is_err() { Err(SearchError::Limit(self.limit)) } else { Ok(()) }
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
