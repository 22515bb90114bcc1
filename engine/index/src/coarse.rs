//! Which rows can a coarse plane rule out? Sign bits by a probability, half bytes by an inequality; the rest are compared.

use khop_kernels::SignTable;
use rayon::prelude::*;

use crate::exhaustive::{TASK_WORDS, answer};
use crate::mask::bits;
use crate::nibbles::NibblePlane;
use crate::plane::UNIT_ROWS;
use crate::probe::Probe;
use crate::screen::{NibbleProbe, SignProbe};
use crate::search::{Answer, Guarantee, Query, SearchError};
use crate::settle::{Found, Settle};
use crate::signs::{SignPlane, z_score};

/// Up to this many rows of a unit, reading them in the byte plane is less than reading the unit in a coarse one.
const SPARSE_ROWS: u32 = 6;

/// A coarse plane with one probe.
pub(crate) trait Coarse: Sync {
    /// Which rows of a unit, of those whose bits are set, may reach the threshold.
    fn keep(&self, unit: usize, word: u64) -> u64;
}

/// Sign bits: a row at the threshold is ruled out with at most the probability that `z` stands for.
pub(crate) struct BySigns<'a> {
    plane: SignPlane<'a>,
    probe: &'a SignProbe,
    table: SignTable<'a>,
    threshold: f32,
    z: f32,
}

impl<'a> BySigns<'a> {
    pub(crate) fn new(plane: SignPlane<'a>, probe: &'a Probe, threshold: f32, loss: f64) -> Self {
        let probe = probe.screen().signs();
        Self { plane, probe, table: probe.table(), threshold, z: z_score(loss) }
    }
}

impl Coarse for BySigns<'_> {
    fn keep(&self, unit: usize, word: u64) -> u64 {
        if self.threshold <= 0.0 {
            return word; // the least sum rises with the agreement only above zero; nobody searches below
        }
        let mut sums = [0u32; UNIT_ROWS];
        self.plane.sums(unit, self.table, &mut sums);
        let least = self.probe.least_sum(self.threshold, self.plane.least_agreement(unit), self.z);
        let near = khop_kernels::at_or_above(&sums, least.clamp(0, i64::from(u32::MAX)) as u32) & word;
        // A row's own least sum takes a root: only for rows that reach the unit's, which is no higher.
        let reaches = |bit: &usize| {
            let agreement = self.plane.agreement(unit * UNIT_ROWS + bit);
            agreement.is_some_and(|a| i64::from(sums[*bit]) >= self.probe.least_sum(self.threshold, a, self.z))
        };
        bits(near).filter(reaches).fold(0, |kept, bit| kept | 1 << bit)
    }
}

/// Half bytes: a row is ruled out by Cauchy–Schwarz alone.
pub(crate) struct ByNibbles<'a> {
    plane: NibblePlane<'a>,
    probe: &'a NibbleProbe,
    settle: &'a Settle<'a>,
}

impl<'a> ByNibbles<'a> {
    pub(crate) fn new(plane: NibblePlane<'a>, settle: &'a Settle<'a>) -> Self {
        Self { plane, probe: settle.probe.screen().nibbles(), settle }
    }

    /// The threshold for exact cosines: where the byte plane decides, less by what it can be too high.
    fn threshold(&self, unit: usize) -> f32 {
        if self.settle.originals.is_some() {
            return self.settle.threshold;
        }
        self.settle.threshold - self.settle.plane.error_of(self.settle.plane.largest_scale(unit), self.settle.probe)
    }
}

impl Coarse for ByNibbles<'_> {
    fn keep(&self, unit: usize, word: u64) -> u64 {
        let threshold = self.threshold(unit);
        if threshold <= -0.9 {
            return word; // both angles add up to more than half a turn: nothing can be ruled out
        }
        let mut dots = [0i32; UNIT_ROWS];
        self.plane.dots(unit, self.probe.low(), self.probe.high(), &mut dots);
        let (sine, slack) = ((1.0 - threshold * threshold).max(0.0).sqrt(), self.probe.slack());
        let least = |agreement: f32| agreement * threshold - (1.0 - agreement * agreement).max(0.0).sqrt() * sine;
        // The most that any row of the unit can have against the least that any must: almost always too little.
        let (agreement, inverse_norm) = self.plane.extreme_factors(unit);
        let most = self.probe.product(dots.iter().copied().fold(0, i32::max), inverse_norm) + slack;
        let least_of_all = least(agreement);
        if least_of_all > 0.0 && most < least_of_all {
            return 0;
        }
        let may_reach =
            |bit: usize| least_of_all <= 0.0 || self.probe.product(dots[bit], inverse_norm) + slack >= least_of_all;
        let reaches = |&bit: &usize| {
            let factors = self.plane.factors(unit * UNIT_ROWS + bit).filter(|_| may_reach(bit));
            factors.is_some_and(|(agreement, inverse_norm)| {
                self.probe.product(dots[bit], inverse_norm) + slack >= least(agreement)
            })
        };
        bits(word).filter(reaches).fold(0, |kept, bit| kept | 1 << bit)
    }
}

/// Scans a coarse plane for each probe, a unit at a time for all of them, and compares who is kept.
pub(crate) fn screened<C: Coarse>(
    settles: &[Settle<'_>],
    coarse: &[C],
    query: &Query<'_>,
    guarantee: Guarantee,
) -> Result<Vec<Answer>, SearchError> {
    let none = || -> Vec<Found> { settles.iter().map(|_| Found::new(query.limit)).collect() };
    let tasks = query.mask.words().par_chunks(TASK_WORDS).enumerate();
    let found = tasks
        .map(|(task, words)| {
            query.watch.check()?;
            let (mut found, mut kept) = (none(), vec![Vec::new(); settles.len()]);
            for (unit, &word) in (task * TASK_WORDS..).zip(words) {
                for (coarse, kept) in coarse.iter().zip(&mut kept) {
                    let keep = if word.count_ones() <= SPARSE_ROWS { word } else { coarse.keep(unit, word) };
                    kept.extend(bits(keep).map(|bit| (unit * UNIT_ROWS + bit) as u32));
                }
            }
            for ((settle, kept), found) in settles.iter().zip(&kept).zip(&mut found) {
                settle.take_picked(kept, found);
            }
            Ok(found)
        })
        .try_reduce(none, |a, b| Ok(a.into_iter().zip(b).map(|(a, b)| a.merge(b)).collect()))?;
    Ok(found.into_iter().map(|found| answer(found, query, guarantee)).collect())
}
