//! How is a gallery searched? Its planes together, in the mode asked for, with the guarantee that goes with it.

use std::borrow::Borrow;

use crate::coarse::{ByNibbles, BySigns, screened};
use crate::exhaustive::{check, exhaustive, exhaustive_batch};
use crate::graph::Graph;
use crate::nibbles::NibblePlane;
use crate::plane::{Plane, UNIT_ROWS};
use crate::probe::Probe;
use crate::search::{Answer, Guarantee, Query, SearchError, VectorIndex};
use crate::settle::{Originals, Settle};
use crate::signs::SignPlane;
use crate::vector::stride;

/// How rows are found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Every row is compared in the byte plane.
    Exact,
    /// Sign bits rule rows out first; a row whose exact cosine reaches the threshold is lost with at most this
    /// probability, above 0 and at most 0.5.
    Bounded {
        /// For each such row alone, over the plane's random turn.
        loss: f64,
    },
    /// Half-byte codes rule rows out first, by an inequality: nothing is lost.
    Certified,
    /// A graph is walked: rows are missed, and the answer says how many were when it was measured.
    Graph,
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Bounded { .. } => "bounded",
            Self::Certified => "certified",
            Self::Graph => "hnsw",
        })
    }
}

/// The planes of one set of rows. Copying it copies some slices.
#[derive(Debug, Clone, Copy)]
pub struct Gallery<'a> {
    plane: Plane<'a>,
    signs: Option<SignPlane<'a>>,
    nibbles: Option<NibblePlane<'a>>,
    graph: Option<&'a Graph>,
    originals: Option<Originals<'a>>,
}

impl<'a> Gallery<'a> {
    /// A gallery of a byte plane alone.
    #[must_use]
    pub fn new(plane: Plane<'a>) -> Self {
        Self { plane, signs: None, nibbles: None, graph: None, originals: None }
    }

    /// With sign bits, for [`Mode::Bounded`].
    ///
    /// # Errors
    /// [`SearchError`] when they are of other rows or another dimension than the byte plane.
    pub fn with_signs(self, signs: SignPlane<'a>) -> Result<Self, SearchError> {
        self.fits("sign plane", signs.rows(), signs.dim())?;
        Ok(Self { signs: Some(signs), ..self })
    }

    /// With half-byte codes, for [`Mode::Certified`].
    ///
    /// # Errors
    /// [`SearchError`] when they are of other rows or another dimension than the byte plane.
    pub fn with_nibbles(self, nibbles: NibblePlane<'a>) -> Result<Self, SearchError> {
        self.fits("half-byte plane", nibbles.rows(), nibbles.dim())?;
        Ok(Self { nibbles: Some(nibbles), ..self })
    }

    /// With the vectors as received, which then decide who reaches a threshold.
    ///
    /// # Errors
    /// [`SearchError`] when they are of other rows or another dimension than the byte plane.
    pub fn with_originals(self, originals: Originals<'a>) -> Result<Self, SearchError> {
        self.fits("originals", originals.rows(), originals.dim())?;
        Ok(Self { originals: Some(originals), ..self })
    }

    /// With a graph of the same byte plane, for [`Mode::Graph`].
    #[must_use]
    pub fn with_graph(self, graph: &'a Graph) -> Self {
        Self { graph: Some(graph), ..self }
    }

    fn fits(&self, what: &'static str, rows: usize, dim: usize) -> Result<(), SearchError> {
        if dim != self.plane.dim() {
            Err(SearchError::Dimension { expected: self.plane.dim(), got: dim })
        } else if rows != self.plane.rows() {
            Err(SearchError::Rows { what, expected: self.plane.rows(), got: rows })
        } else {
            Ok(())
        }
    }

    /// The byte plane.
    #[must_use]
    pub fn plane(&self) -> Plane<'a> {
        self.plane
    }

    /// The sign bits, if it has them.
    #[must_use]
    pub fn signs(&self) -> Option<SignPlane<'a>> {
        self.signs
    }

    /// The half-byte codes, if it has them.
    #[must_use]
    pub fn nibbles(&self) -> Option<NibblePlane<'a>> {
        self.nibbles
    }

    /// Whether the gallery has what a mode reads.
    #[must_use]
    pub fn has(&self, mode: Mode) -> bool {
        self.need(mode).is_ok()
    }

    /// The measured recall of the graph, if there is one.
    pub(crate) fn graph_recall(&self) -> Option<f64> {
        self.graph.map(Graph::recall)
    }

    fn need(&self, mode: Mode) -> Result<(), SearchError> {
        match mode {
            Mode::Bounded { .. } if self.signs.is_none() => Err(SearchError::without_signs()),
            Mode::Certified if self.nibbles.is_none() => Err(SearchError::without_nibbles()),
            Mode::Graph if self.graph.is_none() => Err(SearchError::without_graph()),
            _ => Ok(()),
        }
    }

    /// The best rows at or above the threshold, found in this mode. Runs on the rayon pool it is called in.
    ///
    /// Every mode gives the same answer but for what its guarantee excepts.
    ///
    /// # Errors
    /// [`SearchError`] when probe, mask, threshold, limit or loss do not fit, the mode needs a plane that is not
    /// there, or the search was stopped.
    pub fn search(&self, probe: &Probe, query: &Query<'_>, mode: Mode) -> Result<Answer, SearchError> {
        let mut answers = self.search_batch(std::slice::from_ref(probe), query, mode)?;
        answers.pop().ok_or(SearchError::Limit(0))
    }

    /// As [`Gallery::search`] for several probes: answers in their order. Rows are read once for all of them.
    ///
    /// # Errors
    /// As [`Gallery::search`].
    pub fn search_batch<P: Borrow<Probe>>(
        &self,
        probes: &[P],
        query: &Query<'_>,
        mode: Mode,
    ) -> Result<Vec<Answer>, SearchError> {
        let probes: Vec<&Probe> = probes.iter().map(Borrow::borrow).collect();
        probes.iter().try_for_each(|probe| check(self.plane, probe))?;
        query.check(self.plane.rows())?;
        self.need(mode)?;
        let settle = |probe| Settle { plane: self.plane, originals: self.originals, probe, threshold: query.threshold };
        let settles: Vec<Settle<'_>> = probes.iter().copied().map(settle).collect();
        match (mode, self.signs, self.nibbles, self.graph) {
            (Mode::Bounded { loss }, Some(signs), ..) => {
                if !(loss > 0.0 && loss <= 0.5) {
                    return Err(SearchError::Loss(loss));
                }
                let coarse = probes.iter().map(|probe| BySigns::new(signs, probe, query.threshold, loss));
                screened(&settles, &coarse.collect::<Vec<_>>(), query, Guarantee::Bounded { loss })
            }
            (Mode::Certified, _, Some(nibbles), _) => {
                let coarse: Vec<ByNibbles<'_>> = settles.iter().map(|settle| ByNibbles::new(nibbles, settle)).collect();
                screened(&settles, &coarse, query, Guarantee::Certified)
            }
            (Mode::Graph, _, _, Some(graph)) => probes.iter().map(|probe| graph.search(probe, query)).collect(),
            _ => match settles.as_slice() {
                [settle] => Ok(vec![exhaustive(settle, query)?]),
                settles => exhaustive_batch(self.plane, settles, query),
            },
        }
    }

    /// As [`Gallery::search_batch`], in so many parts that each takes no more than `memory_bytes` besides its answers.
    ///
    /// # Errors
    /// As [`Gallery::search`], and [`SearchError::Memory`] when not even one probe fits.
    pub fn search_within<P: Borrow<Probe>>(
        &self,
        probes: &[P],
        query: &Query<'_>,
        mode: Mode,
        memory_bytes: usize,
    ) -> Result<Vec<Answer>, SearchError> {
        let one = self.bytes_per_probe(query);
        let size = memory_bytes / one;
        if size == 0 {
            return Err(SearchError::Memory { needed: one, limit: memory_bytes });
        }
        let parts = probes.chunks(size).map(|probes| self.search_batch(probes, query, mode));
        Ok(parts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// Memory a probe takes in a batch, on every thread of the pool: its codes and tables, a unit's products, and
    /// twice the rows it may return.
    fn bytes_per_probe(&self, query: &Query<'_>) -> usize {
        let kept = query.limit.min(self.plane.rows()).saturating_mul(2).saturating_add(64) * 8;
        stride(self.plane.dim()) * 16 + rayon::current_num_threads() * (UNIT_ROWS * 4 + kept)
    }
}
