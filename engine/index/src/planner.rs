//! Which mode is fastest here, among those that promise what was asked? A cost of each, from what rows and planes weigh.
//!
//! Costs are processor time of one core by a model with few constants: bytes read, bytes computed on, rows that a
//! coarse plane is expected to keep. They need only be right enough to order the modes; the constants are of the
//! machine in `docs/performance.md`.

use crate::gallery::{Gallery, Mode};
use crate::search::{Query, SearchError};
use crate::signs::z_score;
use crate::vector::stride;

/// Reading one byte that lies behind the last one, ns.
const READ_NS: f64 = 0.065;
/// Reading and computing one byte of a row somewhere else, ns.
const PICKED_NS: f64 = 0.25;
/// Multiplying one number of a row with one of a probe of a batch, ns.
const MULTIPLY_NS: f64 = 0.015;
/// The same in half bytes, ns.
const NIBBLE_NS: f64 = 0.035;
/// Looking up one number's sign, ns.
const SIGN_NS: f64 = 0.004;
/// Standard deviation of the cosine of non-mated faces of the usual models.
const NON_MATED_DEVIATION: f64 = 0.06;
/// A row's error in sign bits, of 512 numbers and its agreement; of others it goes with 1/√numbers.
const SIGN_ERROR: f64 = 0.0334;
/// Rows of a unit that are picked without asking a coarse plane, as a share.
const SPARSE: f64 = 0.1;

/// What a caller accepts, and what it insists on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// The mode to take, whatever it costs.
    pub mode: Option<Mode>,
    /// The probability of missing a mate at the threshold that is acceptable; 0: none.
    pub loss: f64,
    /// The share of the nearest rows that is acceptable to find; 1: all of them.
    pub recall: f64,
    /// What a walk of the graph took when it was measured, if there is one: µs.
    pub graph_us: Option<f64>,
}

impl Default for Demand {
    /// Lossless, by whichever mode is fastest.
    fn default() -> Self {
        Self { mode: None, loss: 0.0, recall: 1.0, graph_us: None }
    }
}

/// The mode taken, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How the gallery is searched.
    pub mode: Mode,
    /// Whether the caller insisted on it.
    pub forced: bool,
    /// What each mode that is possible here is expected to cost a probe, on one core, ms; the cheapest first.
    pub costs_ms: Vec<(Mode, f64)>,
    /// Modes left out, and what they lack.
    pub left_out: Vec<(&'static str, &'static str)>,
    /// Probes searched together.
    pub probes: usize,
    /// Rows there are.
    pub rows: usize,
    /// Rows that the mask allows.
    pub selected: usize,
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let why = if self.forced { "as asked" } else { "the cheapest that promises what was asked" };
        let Self { mode, probes, rows, selected, .. } = self;
        write!(f, "{mode}, {why}: {probes} probe(s), {selected} of {rows} references in scope")?;
        for (mode, cost) in &self.costs_ms {
            write!(f, "; {mode} about {cost:.3} ms a probe on one core")?;
        }
        self.left_out.iter().try_for_each(|(mode, lacks)| write!(f, "; not {mode}: {lacks}"))
    }
}

/// What is to be searched, in numbers; of one gallery or of several that are searched as one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Situation {
    /// Probes searched together.
    pub probes: usize,
    /// Rows there are.
    pub rows: usize,
    /// Rows that the mask allows.
    pub selected: usize,
    /// Numbers a vector.
    pub dim: usize,
    /// The cosine a row must reach.
    pub threshold: f32,
    /// Whether there are sign bits of all rows.
    pub signs: bool,
    /// Whether there are half-byte codes of all rows.
    pub nibbles: bool,
    /// The measured recall of a graph of all rows.
    pub graph_recall: Option<f64>,
}

impl Situation {
    /// One gallery. Costs the count of the mask.
    #[must_use]
    pub fn of(gallery: &Gallery<'_>, probes: usize, query: &Query<'_>) -> Self {
        Self {
            probes,
            rows: gallery.plane().rows(),
            selected: query.mask.count(),
            dim: gallery.plane().dim(),
            threshold: query.threshold,
            signs: gallery.has(Mode::Bounded { loss: 0.5 }),
            nibbles: gallery.has(Mode::Certified),
            graph_recall: gallery.graph_recall(),
        }
    }

    /// Two galleries of one dimension, searched with the same probes at the same threshold. Graphs do not add up.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            selected: self.selected + other.selected,
            signs: self.signs && other.signs,
            nibbles: self.nibbles && other.nibbles,
            graph_recall: None,
            ..self
        }
    }

    fn need(&self, mode: Mode) -> Result<(), SearchError> {
        match mode {
            Mode::Bounded { .. } if !self.signs => Err(SearchError::without_signs()),
            Mode::Certified if !self.nibbles => Err(SearchError::without_nibbles()),
            Mode::Graph if self.graph_recall.is_none() => Err(SearchError::without_graph()),
            _ => Ok(()),
        }
    }
}

/// Chooses how a situation is searched.
///
/// # Errors
/// [`SearchError`] when the mode insisted on needs a plane that is not there, or the accepted loss is no probability
/// of at most 0.5.
pub fn plan(situation: &Situation, demand: &Demand) -> Result<Plan, SearchError> {
    if !(0.0..=0.5).contains(&demand.loss) {
        return Err(SearchError::Loss(demand.loss));
    }
    let Situation { probes, rows, selected, .. } = *situation;
    let costs = Costs {
        rows: rows as f64,
        selected: selected as f64,
        dim: situation.dim as f64,
        probes: probes.max(1) as f64,
        threshold: f64::from(situation.threshold),
    };
    let (mut costs_ms, mut left_out) = (vec![(Mode::Exact, costs.exact())], Vec::new());
    if demand.loss <= 0.0 {
        left_out.push(("bounded", "no loss was accepted"));
    } else if situation.signs {
        costs_ms.push((Mode::Bounded { loss: demand.loss }, costs.bounded(demand.loss)));
    } else {
        left_out.push(("bounded", "no sign plane (b1)"));
    }
    if situation.nibbles {
        costs_ms.push((Mode::Certified, costs.certified()));
    } else {
        left_out.push(("certified", "no half-byte plane (b4)"));
    }
    match (situation.graph_recall, demand.graph_us) {
        (Some(recall), Some(us)) if recall >= demand.recall => costs_ms.push((Mode::Graph, us / 1e3)),
        (Some(_), Some(_)) => left_out.push(("hnsw", "its measured recall is below what was asked")),
        (Some(_), None) => left_out.push(("hnsw", "its time was not measured")),
        (None, _) => left_out.push(("hnsw", "no graph")),
    }
    costs_ms.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mode = demand.mode.unwrap_or(costs_ms[0].0);
    situation.need(mode)?;
    Ok(Plan { mode, forced: demand.mode.is_some(), costs_ms, left_out, probes, rows, selected })
}

/// What the costs depend on.
struct Costs {
    rows: f64,
    selected: f64,
    dim: f64,
    probes: f64,
    threshold: f64,
}

impl Costs {
    /// Reading once for all probes or computing for each, whichever takes longer, ms a probe.
    fn scan(&self, bytes: f64, compute_ns: f64) -> f64 {
        self.rows * (bytes * READ_NS / self.probes).max(compute_ns) / 1e6
    }

    fn picked(&self, rows: f64) -> f64 {
        rows * stride(self.dim as usize) as f64 * PICKED_NS / 1e6
    }

    fn exact(&self) -> f64 {
        let whole = self.scan(stride(self.dim as usize) as f64, self.dim * MULTIPLY_NS);
        whole.min(self.picked(self.selected))
    }

    fn bounded(&self, loss: f64) -> f64 {
        let error = SIGN_ERROR * (512.0 / self.dim).sqrt();
        let at_threshold = error * (1.0 - self.threshold.clamp(-1.0, 1.0).powi(2)).sqrt();
        let least = self.threshold - f64::from(z_score(loss)) * at_threshold;
        let kept = upper_tail(least / NON_MATED_DEVIATION.hypot(error));
        self.coarse(self.scan(self.dim / 8.0, self.dim * SIGN_NS), kept)
    }

    fn certified(&self) -> f64 {
        // The angle between a vector and its half bytes, of which the agreement is about 0.995.
        let least = (self.threshold.clamp(-1.0, 1.0).acos() + 0.098).cos() - 0.01;
        let kept = if self.threshold > 0.0 { upper_tail(least / NON_MATED_DEVIATION) } else { 1.0 };
        self.coarse(self.scan(self.dim / 2.0, self.dim * NIBBLE_NS), kept)
    }

    fn coarse(&self, scan: f64, kept: f64) -> f64 {
        if self.selected < SPARSE * self.rows {
            return self.picked(self.selected).min(scan) + self.picked(self.selected);
        }
        scan + self.picked(self.selected * kept)
    }
}

/// How much of a normal distribution lies above so many deviations, well enough to order costs.
fn upper_tail(deviations: f64) -> f64 {
    if deviations < 0.0 { 1.0 - upper_tail(-deviations) } else { 0.5 * (-0.5 * deviations * deviations).exp() }
}
