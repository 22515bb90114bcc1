//! Whom do several fingers together point at? Log likelihood ratios of ten codes, added up row by row.

use khop_kernels::SignTable;
use khop_vocabulary::Calibration;
use rayon::prelude::*;

use crate::best::Best;
use crate::exhaustive::{TASK_WORDS, dots_of_unit};
use crate::mask::{RowMask, bits};
use crate::plane::{Plane, UNIT_ROWS, cosine};
use crate::probe::Probe;
use crate::screen::SignProbe;
use crate::search::SearchError;
use crate::signs::SignPlane;

/// Steps of the look-up table: 0.002 of cosine each.
const ENTRIES: usize = 1024;

/// Cosine to log likelihood ratio, as a look-up table.
#[derive(Clone)]
pub struct EvidenceTable {
    entries: Box<[f32; ENTRIES]>,
    most: f32,
}

impl EvidenceTable {
    /// Tabulates a calibration, held to `floor..=cap` nats: the floor so that one bad sample cannot outvote the
    /// others, the cap so that one sample cannot decide alone.
    ///
    /// # Panics
    /// When `floor > cap` or one of them is NaN.
    #[must_use]
    pub fn new(calibration: &Calibration, floor: f32, cap: f32) -> Self {
        let step = 2.0 / (ENTRIES - 1) as f32;
        let llr = |entry: usize| calibration.llr(entry as f32 * step - 1.0).nats().clamp(floor, cap);
        let entries: Box<[f32; ENTRIES]> = Box::new(std::array::from_fn(llr));
        let most = entries.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        Self { entries, most }
    }

    /// Nats at the table's nearest step to this cosine; 0 where it is NaN.
    #[must_use]
    pub fn llr(&self, cosine: f32) -> f32 {
        let mut sum = 0.0;
        self.add(&[cosine], std::slice::from_mut(&mut sum));
        sum
    }

    /// Adds to each sum the nats of its cosine; nothing where that is NaN.
    fn add(&self, cosines: &[f32], sums: &mut [f32]) {
        khop_kernels::add_looked_up(cosines, &*self.entries, sums);
    }
}

impl std::fmt::Debug for EvidenceTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EvidenceTable({:.1} to {:.1} nats)", self.entries[0], self.most)
    }
}

/// How one finger of everybody is kept: what its cosines are read from.
#[derive(Debug, Clone, Copy)]
pub enum Codes<'a> {
    /// A byte a number.
    Bytes(Plane<'a>),
    /// A bit a number: an eighth of the reading, and cosines that are estimates. They have a table of their own.
    Signs(SignPlane<'a>),
}

impl Codes<'_> {
    /// Rows, absent ones included.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Self::Bytes(plane) => plane.rows(),
            Self::Signs(plane) => plane.rows(),
        }
    }

    /// Numbers a vector.
    #[must_use]
    pub fn dim(&self) -> usize {
        match self {
            Self::Bytes(plane) => plane.dim(),
            Self::Signs(plane) => plane.dim(),
        }
    }

    /// The cosine of a row and a probe, of signs the estimate; `None` when the row is absent.
    ///
    /// # Panics
    /// When there is no such row or the probe has another dimension.
    #[must_use]
    pub fn similarity(&self, row: usize, probe: &Probe) -> Option<f32> {
        match self {
            Self::Bytes(plane) => plane.similarity(row, probe),
            Self::Signs(plane) => plane.estimate(row, probe, 1.0).map(|(cosine, _)| cosine),
        }
    }

    fn is_present(&self, row: usize) -> bool {
        match self {
            Self::Bytes(plane) => plane.is_present(row),
            Self::Signs(plane) => plane.agreement(row).is_some(),
        }
    }
}

/// One finger: how everybody's is kept, what is searched for, and what its cosines mean.
#[derive(Debug, Clone, Copy)]
pub struct Term<'a> {
    /// Row `r` of every term's codes belongs to the same person.
    pub codes: Codes<'a>,
    /// Prepared vector of the codes' dimension.
    pub probe: &'a Probe,
    /// Cosine to nats.
    pub evidence: &'a EvidenceTable,
}

/// The fingers of one person and the evidence that a row must reach together.
#[derive(Debug, Clone)]
pub struct EvidenceQuery<'a> {
    /// Finger by finger, the most telling first.
    pub terms: Vec<Term<'a>>,
    /// Nats.
    pub threshold_llr: f32,
}

/// A row whose evidence reached the threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evident {
    /// Its number.
    pub row: u32,
    /// Log likelihood ratio summed over the terms that have the row, nats.
    pub llr: f32,
}

/// What one scan found for one query.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceAnswer {
    /// By falling evidence, then by rising row.
    pub rows: Vec<Evident>,
    /// There were more at or above the threshold.
    pub more: bool,
}

/// For each query, in their order, the best `limit` rows of the mask whose summed evidence is at or above its threshold.
///
/// Codes that lack a row say nothing about it (0 nats); a row that no term has is never returned. Codes are read once for
/// all queries, 64 rows at a time, and what cannot change the answer is left out: as soon as the terms to come could not
/// lift a row over the threshold, the row is not looked at again. Runs on the rayon pool it is called in.
///
/// # Errors
/// [`SearchError`] when a probe does not fit its codes, codes or mask differ in length, or the threshold is NaN.
pub fn scan_evidence(
    queries: &[EvidenceQuery<'_>],
    mask: &RowMask,
    limit: usize,
) -> Result<Vec<EvidenceAnswer>, SearchError> {
    for EvidenceQuery { terms, threshold_llr } in queries {
        for Term { codes, probe, .. } in terms {
            if probe.dim() != codes.dim() {
                return Err(SearchError::Dimension { expected: codes.dim(), got: probe.dim() });
            }
            if codes.rows() != mask.rows() {
                return Err(SearchError::Rows { what: "plane", expected: mask.rows(), got: codes.rows() });
            }
        }
        if threshold_llr.is_nan() {
            return Err(SearchError::Nats);
        }
    }
    let prepared: Vec<Prepared<'_>> = queries.iter().map(Prepared::of).collect();
    let none = || -> Vec<Best> { queries.iter().map(|_| Best::new(limit)).collect() };
    let tasks = mask.words().par_chunks(TASK_WORDS).enumerate();
    let best = tasks
        .map(|(task, words)| {
            let mut best = none();
            for (unit, &word) in (task * TASK_WORDS..).zip(words).filter(|&(_, &word)| word != 0) {
                prepared.iter().zip(&mut best).for_each(|(query, best)| query.scan_unit(unit, word, best));
            }
            best
        })
        .reduce(none, |a, b| a.into_iter().zip(b).map(|(a, b)| a.merge(b)).collect());
    let answer = |best: Best| {
        let (rows, more) = best.finish();
        EvidenceAnswer { rows: rows.into_iter().map(|(llr, row)| Evident { row, llr }).collect(), more }
    };
    Ok(best.into_iter().map(answer).collect())
}

/// How the rows of one term are compared.
enum Compared<'a> {
    Bytes { plane: Plane<'a>, probe: &'a Probe },
    Signs { plane: SignPlane<'a>, probe: &'a SignProbe, table: SignTable<'a> },
}

impl Compared<'_> {
    /// The cosines of a unit's rows; NaN for those that are absent, anything for those whose bit is not set.
    fn cosines(&self, unit: usize, word: u64, out: &mut [f32; UNIT_ROWS]) {
        match *self {
            Self::Bytes { plane, probe } => {
                let (mut dots, first) = ([0i32; UNIT_ROWS], unit * UNIT_ROWS);
                dots_of_unit(plane, probe, first, word, &mut dots);
                for bit in bits(word) {
                    out[bit] = plane.scale(first + bit).map_or(f32::NAN, |of| cosine(dots[bit], of * probe.scale()));
                }
            }
            Self::Signs { plane, probe, table } => plane.estimates(unit, probe, table, out),
        }
    }
}

/// A query made ready to meet every unit.
struct Prepared<'a> {
    query: &'a EvidenceQuery<'a>,
    terms: Vec<(Compared<'a>, &'a EvidenceTable)>,
    /// What all terms could add at most. A hair more, so that no rounding drops a row at the threshold.
    most: f32,
}

impl<'a> Prepared<'a> {
    fn of(query: &'a EvidenceQuery<'a>) -> Self {
        let compared = |term: &'a Term<'a>| match term.codes {
            Codes::Bytes(plane) => Compared::Bytes { plane, probe: term.probe },
            Codes::Signs(plane) => {
                let probe = term.probe.screen().signs();
                Compared::Signs { plane, probe, table: probe.table() }
            }
        };
        let most = query.terms.iter().map(|term| term.evidence.most.max(0.0)).sum::<f32>() + 1e-3;
        let terms = query.terms.iter().map(|term| (compared(term), term.evidence));
        Self { query, terms: terms.collect(), most }
    }

    /// The 64 rows of one word of the mask.
    fn scan_unit(&self, unit: usize, mut word: u64, best: &mut Best) {
        let (mut sums, mut cosines) = ([0f32; UNIT_ROWS], [0f32; UNIT_ROWS]);
        let (threshold, mut to_come) = (self.query.threshold_llr, self.most);
        for (compared, evidence) in &self.terms {
            compared.cosines(unit, word, &mut cosines);
            evidence.add(&cosines, &mut sums);
            to_come -= evidence.most.max(0.0);
            let least = threshold - to_come;
            // Most often nobody is ruled out, and asking whom costs as much as the sums.
            if sums.iter().copied().fold(f32::INFINITY, f32::min) < least {
                word &= (0..UNIT_ROWS).fold(0, |word, bit| word | u64::from(sums[bit] >= least) << bit);
                if word == 0 {
                    return;
                }
            }
        }
        let row_of = |bit: usize| unit * UNIT_ROWS + bit;
        for bit in bits(word).filter(|&bit| sums[bit] >= threshold) {
            if self.query.terms.iter().any(|term| term.codes.is_present(row_of(bit))) {
                best.push(sums[bit], row_of(bit) as u32);
            }
        }
    }
}
