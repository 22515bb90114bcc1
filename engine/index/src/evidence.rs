//! Who do several planes together point at? Log likelihood ratios of ten fingers, added up row by row.

use khop_vocabulary::Calibration;
use rayon::prelude::*;

use crate::best::Best;
use crate::exhaustive::{TASK_WORDS, dots_of_unit};
use crate::mask::{RowMask, bits};
use crate::plane::{Plane, UNIT_ROWS, cosine};
use crate::probe::Probe;
use crate::search::SearchError;

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

    /// Nats at the table's nearest step to this cosine.
    #[must_use]
    pub fn llr(&self, cosine: f32) -> f32 {
        let entry = (cosine + 1.0) * ((ENTRIES - 1) as f32 / 2.0) + 0.5;
        self.entries[(entry as usize).min(ENTRIES - 1)] // a float below zero, or NaN, casts to 0
    }
}

impl std::fmt::Debug for EvidenceTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EvidenceTable({:.1} to {:.1} nats)", self.entries[0], self.most)
    }
}

/// One plane, what is searched for in it, and what its cosines mean.
#[derive(Debug, Clone, Copy)]
pub struct Term<'a> {
    /// Row `r` of every term's plane belongs to the same person.
    pub plane: Plane<'a>,
    /// Prepared vector of the plane's dimension.
    pub probe: &'a Probe,
    /// Cosine to nats.
    pub evidence: &'a EvidenceTable,
}

/// A row whose evidence reached the threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evident {
    /// Its number in the planes.
    pub row: u32,
    /// Log likelihood ratio summed over the planes that have the row, nats.
    pub llr: f32,
}

/// The best `limit` rows of the mask whose summed evidence is at or above `threshold_llr` nats, by falling evidence,
/// then by rising row; and whether there were more.
///
/// A plane that lacks a row says nothing about it (0 nats); a row that no plane has is never returned. Reads each
/// plane once, and leaves out what cannot change the answer: as soon as the terms to come could not lift a row over
/// the threshold, the row is not looked at again, so put the most telling term first. Runs on the rayon pool it is
/// called in.
///
/// # Errors
/// [`SearchError`] when a probe does not fit its plane, planes or mask differ in length, or the threshold is NaN.
pub fn scan_evidence(
    terms: &[Term<'_>],
    mask: &RowMask,
    threshold_llr: f32,
    limit: usize,
) -> Result<(Vec<Evident>, bool), SearchError> {
    for Term { plane, probe, .. } in terms {
        if probe.dim() != plane.dim() {
            return Err(SearchError::Dimension { expected: plane.dim(), got: probe.dim() });
        }
        if plane.rows() != mask.rows() {
            return Err(SearchError::Rows { what: "plane", expected: mask.rows(), got: plane.rows() });
        }
    }
    if threshold_llr.is_nan() {
        return Err(SearchError::Nats);
    }
    let tasks = mask.words().par_chunks(TASK_WORDS).enumerate();
    let best = tasks
        .map(|(task, words)| {
            let mut best = Best::new(limit);
            for (unit, &word) in (task * TASK_WORDS..).zip(words) {
                scan_unit(terms, unit * UNIT_ROWS, word, threshold_llr, &mut best);
            }
            best
        })
        .reduce(|| Best::new(limit), Best::merge);
    let (rows, more) = best.finish();
    Ok((rows.into_iter().map(|(llr, row)| Evident { row, llr }).collect(), more))
}

/// The 64 rows of one word of the mask.
fn scan_unit(terms: &[Term<'_>], first: usize, mut word: u64, threshold: f32, best: &mut Best) {
    let mut sums = [0f32; UNIT_ROWS];
    let mut dots = [0i32; UNIT_ROWS];
    let mut seen = 0u64;
    // What all terms still to come could add at most. A hair more, so that no rounding drops a row at the threshold.
    let mut to_come: f32 = terms.iter().map(|term| term.evidence.most.max(0.0)).sum::<f32>() + 1e-3;
    for Term { plane, probe, evidence } in terms {
        if word == 0 {
            return;
        }
        dots_of_unit(*plane, probe, first, word, &mut dots);
        to_come -= evidence.most.max(0.0);
        for bit in bits(word) {
            if let Some(scale) = plane.scale(first + bit) {
                seen |= 1 << bit;
                sums[bit] += evidence.llr(cosine(dots[bit], scale * probe.scale()));
            }
            if sums[bit] + to_come < threshold {
                word &= !(1 << bit);
            }
        }
    }
    for bit in bits(word & seen) {
        if sums[bit] >= threshold {
            best.push(sums[bit], (first + bit) as u32);
        }
    }
}
