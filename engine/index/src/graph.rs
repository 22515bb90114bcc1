//! Which rows are probably nearest, without looking at all of them? A navigable small-world graph, by `hnsw_rs`.
//!
//! The crate is contained here; nothing else names it. What it is kept from, and how:
//! - **NaN and negative distances** make it panic: it sees no floats of callers, only row numbers and probes, and the
//!   one distance it is given is a clamped cosine.
//! - **Its dump and load** can end the process on damaged files: never called. A graph lives in memory and is rebuilt.
//! - **Parameters** out of range end the process: checked first.
//! - **Parallel insertion** depends on timing and takes locks in no fixed order: rows are inserted one after another,
//!   so the same plane gives the same graph. Searches only read.
//! - **It cannot delete**, and its filter visits more the fewer rows pass: tombstones are mask bits, and a mask that
//!   leaves few rows is scanned instead.
//! - **It misses rows**: recall is measured on the finished graph and reported with every answer.

use std::sync::Arc;

use hnsw_rs::anndists::dist::distances::Distance;
use hnsw_rs::hnsw::Hnsw;

use crate::best::Best;
use crate::exhaustive::Exhaustive;
use crate::mask::RowMask;
use crate::plane::{Plane, PlaneBytes, cosine};
use crate::probe::Probe;
use crate::search::{Answer, Guarantee, Neighbour, Query, SearchError, Tally, VectorIndex, Watch};

/// Nearest rows counted when recall is measured.
const RECALL_ROWS: usize = 10;
/// A breadth that comes this near to the rows there are leaves nothing to save by walking.
const ROWS_PER_BREADTH: usize = 8;

/// How a graph is built and searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphParameters {
    /// Links a row keeps on each upper layer, twice as many on the lowest; 4 to 64.
    pub connections: usize,
    /// Rows considered when a row is linked; `connections` to 2000.
    pub construction_breadth: usize,
    /// Rows kept in sight during a search; 16 to 10 000. Recall rises with it, and so does the time.
    pub search_breadth: usize,
    /// Searches that recall is measured with, at most one for each two rows.
    pub recall_probes: usize,
    /// A mask that leaves no more rows than this is scanned. The default is about where a walk of the default breadth
    /// takes as long: `khop bench face --n 20000 --graph` met 3.6 ms a walk, and a scan takes 0.03 ms for 1000 rows.
    pub scanned_rows: usize,
}

impl Default for GraphParameters {
    fn default() -> Self {
        Self {
            connections: 16,
            construction_breadth: 200,
            search_breadth: 256,
            recall_probes: 200,
            scanned_rows: 100_000,
        }
    }
}

/// A parameter out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("graph: {name}: expected {low} to {high}, got {got}")]
pub struct GraphError {
    name: &'static str,
    low: usize,
    high: usize,
    got: usize,
}

/// A graph over its own copy of a plane, for interactive look-ups where a recall below 1 is acceptable.
///
/// Memory: the plane once more, and about 3 KiB of links a row at 16 connections. It must not decide about
/// duplicates: use [`Exhaustive`] for that.
pub struct Graph {
    hnsw: Hnsw<'static, Vector, Cosine>,
    rows: Arc<Rows>,
    search_breadth: usize,
    scanned_rows: usize,
    recall: f64,
    recall_probes: usize,
}

impl Graph {
    /// Builds the graph of all present rows, one after another, then measures its recall.
    ///
    /// # Errors
    /// [`GraphError`] names the parameter that is out of range.
    pub fn build(plane: Plane<'_>, parameters: &GraphParameters) -> Result<Self, GraphError> {
        let GraphParameters { connections, construction_breadth, search_breadth, recall_probes, scanned_rows } =
            *parameters;
        within("connections", 4, 64, connections)?;
        within("construction_breadth", connections, 2000, construction_breadth)?;
        within("search_breadth", 16, 10_000, search_breadth)?;
        let rows = Arc::new(Rows { dim: plane.dim(), bytes: plane.to_bytes() });
        let present: Vec<usize> = (0..plane.rows()).filter(|&row| plane.is_present(row)).collect();
        let hnsw =
            Hnsw::new(connections, present.len().max(1), 16, construction_breadth, Cosine { rows: Arc::clone(&rows) });
        for &row in &present {
            hnsw.insert_slice((&[Vector::Row(row)], row));
        }
        let mut graph = Self { hnsw, rows, search_breadth, scanned_rows, recall: 1.0, recall_probes: 0 };
        graph.measure_recall(&present, recall_probes);
        Ok(graph)
    }

    /// Share of the ten nearest rows found when it was measured, 0 to 1; 1 when there was nothing to measure.
    #[must_use]
    pub fn recall(&self) -> f64 {
        self.recall
    }

    /// Searches as the graph alone does, and as scanning does, for probes halfway between two rows: as near to both
    /// as samples of one person are to each other, but not themselves in the graph.
    fn measure_recall(&mut self, present: &[usize], probes: usize) {
        let probes = probes.min(present.len() / 2);
        let (plane, mask) = (self.rows.plane(), RowMask::all(self.rows.plane().rows()));
        let (mut found, mut wanted) = (0, 0);
        for index in 0..probes {
            let at = index * (present.len() / 2) / probes;
            let (a, b) = (plane.values(present[at]), plane.values(present[at + present.len() / 2]));
            let middle: Vec<f32> = a.zip(b).map(|(a, b)| a + b).collect();
            let Ok(probe) = Probe::new(&middle) else { continue };
            let query = Query { threshold: -1.0, limit: RECALL_ROWS, mask: &mask, watch: Watch::NEVER };
            let Ok(truth) = Exhaustive(plane).search(&probe, &query) else { continue };
            let graph = self.walk(&probe, &query, self.search_breadth.max(RECALL_ROWS));
            wanted += truth.neighbours.len();
            found += truth.neighbours.iter().filter(|neighbour| graph.neighbours.contains(neighbour)).count();
        }
        if wanted > 0 {
            (self.recall, self.recall_probes) = (found as f64 / wanted as f64, probes);
        }
    }

    /// The graph's own answer, keeping `breadth` rows in sight.
    fn walk(&self, probe: &Probe, query: &Query<'_>, breadth: usize) -> Answer {
        let wanted = [Vector::Probe(Arc::new(probe.clone()))];
        let filter = |row: &usize| query.mask.contains(*row);
        let found = if query.mask.count() == self.rows.plane().rows() {
            self.hnsw.search(&wanted, breadth, breadth)
        } else {
            self.hnsw.search_filter(&wanted, breadth, breadth, Some(&filter))
        };
        let mut best = Best::new(query.limit);
        for row in found.iter().map(|point| point.d_id).filter(|&row| query.mask.contains(row)) {
            if let Some(similarity) = self.rows.plane().similarity(row, probe)
                && similarity >= query.threshold
            {
                best.push(similarity, row as u32);
            }
        }
        let (rows, more) = best.finish();
        let tally = Tally { rows: query.mask.count() as u64, compared: found.len() as u64, rescored: 0 };
        Answer {
            tally,
            neighbours: rows.into_iter().map(|(similarity, row)| Neighbour { row, similarity }).collect(),
            more,
            guarantee: Guarantee::Measured { recall: self.recall, probes: self.recall_probes },
        }
    }
}

impl VectorIndex for Graph {
    /// Walks the graph; scans instead, with the guarantee that goes with it, where the mask leaves so few rows or the
    /// limit asks for so many that walking would not be faster.
    fn search(&self, probe: &Probe, query: &Query<'_>) -> Result<Answer, SearchError> {
        let plane = self.rows.plane();
        let allowed = query.mask.count();
        let breadth = self.search_breadth.max(query.limit.saturating_add(1).saturating_mul(2));
        let nothing_saved = allowed <= breadth.saturating_mul(ROWS_PER_BREADTH) || allowed < plane.rows() / 8;
        if allowed <= self.scanned_rows || nothing_saved {
            return Exhaustive(plane).search(probe, query);
        }
        if probe.dim() != plane.dim() {
            return Err(SearchError::Dimension { expected: plane.dim(), got: probe.dim() });
        }
        query.check(plane.rows())?;
        query.watch.check()?;
        Ok(self.walk(probe, query, breadth))
    }
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Graph(of {:?}, recall {:.3})", self.rows.plane(), self.recall)
    }
}

fn within(name: &'static str, low: usize, high: usize, got: usize) -> Result<(), GraphError> {
    if (low..=high).contains(&got) { Ok(()) } else { Err(GraphError { name, low, high, got }) }
}

/// The rows the graph links, stored once.
struct Rows {
    dim: usize,
    bytes: PlaneBytes,
}

impl Rows {
    fn plane(&self) -> Plane<'_> {
        Plane::new(self.dim, &self.bytes.codes, &self.bytes.scales).expect("copied from a plane")
    }
}

/// What the graph holds for a vector: a stored row by its number, or what is searched for.
#[derive(Clone)]
enum Vector {
    Row(usize),
    Probe(Arc<Probe>),
}

/// 1 − cosine, 0 to 2, never NaN.
struct Cosine {
    rows: Arc<Rows>,
}

impl Distance<Vector> for Cosine {
    fn eval(&self, a: &[Vector], b: &[Vector]) -> f32 {
        let plane = self.rows.plane();
        let similarity = match (a, b) {
            ([Vector::Row(a)], [Vector::Row(b)]) => plane.similarity_of_rows(*a, *b),
            ([Vector::Row(row)], [Vector::Probe(probe)]) | ([Vector::Probe(probe)], [Vector::Row(row)]) => {
                plane.similarity(*row, probe)
            }
            _ => None, // the graph is given nothing else
        };
        (1.0 - similarity.unwrap_or(-1.0)).max(0.0) // `max` turns NaN into 0
    }
}

impl Plane<'_> {
    fn similarity_of_rows(&self, a: usize, b: usize) -> Option<f32> {
        let scale = self.scale(a)? * self.scale(b)?;
        Some(cosine(khop_kernels::dot_u8(self.codes_of(a), self.codes_of(b)), scale))
    }

    /// A row's numbers, as far as quantisation kept them.
    fn values(&self, row: usize) -> impl Iterator<Item = f32> {
        let scale = self.scale(row).unwrap_or(0.0);
        self.codes_of(row)[..self.dim()].iter().map(move |&code| (f32::from(code) - 128.0) * scale)
    }

    fn to_bytes(self) -> PlaneBytes {
        let scales = (0..self.rows()).flat_map(|row| self.scale(row).unwrap_or(0.0).to_le_bytes()).collect();
        PlaneBytes { codes: self.block(0, self.rows()).to_vec(), scales }
    }
}
