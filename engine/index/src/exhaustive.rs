//! Which rows are similar, with none missed? Every row of the mask is compared, in blocks, on all threads.

use rayon::prelude::*;

use crate::batch::{Batch, Pass};
use crate::mask::bits;
use crate::plane::{Plane, UNIT_ROWS};
use crate::probe::Probe;
use crate::search::{Answer, Guarantee, Neighbour, Query, SearchError, VectorIndex};
use crate::settle::{Found, Settle};

/// Mask words a thread takes at a time: 16 384 rows, 8 MiB at 512 numbers a row.
pub(crate) const TASK_WORDS: usize = 256;
/// From this many rows of a unit on, comparing all of them is faster than picking.
pub(crate) const DENSE_ROWS: u32 = 24;
/// From this many rows of a unit on, comparing all of them with a batch is faster than gathering them first.
const DENSE_ROWS_OF_BATCH: u32 = 40;

/// Compares the probe with every row of the mask. Runs on the rayon pool it is called in.
///
/// One probe is bound by memory: a row of 512 numbers costs 516 bytes of reading. From about 16 probes on use
/// [`Exhaustive::search_batch`], which reads each row once for all of them.
#[derive(Debug, Clone, Copy)]
pub struct Exhaustive<'a>(pub Plane<'a>);

impl VectorIndex for Exhaustive<'_> {
    fn search(&self, probe: &Probe, query: &Query<'_>) -> Result<Answer, SearchError> {
        let settle = Settle { plane: self.0, originals: None, probe, threshold: query.threshold };
        check(self.0, probe)?;
        query.check(self.0.rows())?;
        exhaustive(&settle, query)
    }
}

impl Exhaustive<'_> {
    /// As [`VectorIndex::search`], for several probes with one query: answers in the order of the probes.
    ///
    /// # Errors
    /// [`SearchError`] when a probe, the mask or the threshold does not fit the plane.
    pub fn search_batch(&self, probes: &[Probe], query: &Query<'_>) -> Result<Vec<Answer>, SearchError> {
        let settle = |probe| Settle { plane: self.0, originals: None, probe, threshold: query.threshold };
        probes.iter().try_for_each(|probe| check(self.0, probe))?;
        query.check(self.0.rows())?;
        exhaustive_batch(self.0, &probes.iter().map(settle).collect::<Vec<_>>(), query)
    }
}

/// One probe, checked.
pub(crate) fn exhaustive(settle: &Settle<'_>, query: &Query<'_>) -> Result<Answer, SearchError> {
    let tasks = query.mask.words().par_chunks(TASK_WORDS).enumerate();
    let found = tasks
        .map(|(task, words)| {
            query.watch.check()?;
            let (mut found, mut picked) = (Found::new(query.limit), Vec::new());
            for (unit, &word) in (task * TASK_WORDS..).zip(words) {
                if word.count_ones() >= DENSE_ROWS {
                    scan_unit(settle, unit, word, &mut found);
                } else {
                    picked.extend(bits(word).map(|bit| (unit * UNIT_ROWS + bit) as u32));
                }
            }
            settle.take_picked(&picked, &mut found);
            Ok(found)
        })
        .try_reduce(|| Found::new(query.limit), |a, b| Ok(a.merge(b)))?;
    Ok(answer(found, query, Guarantee::Exhaustive))
}

/// Several probes, checked.
pub(crate) fn exhaustive_batch(
    plane: Plane<'_>,
    settles: &[Settle<'_>],
    query: &Query<'_>,
) -> Result<Vec<Answer>, SearchError> {
    let batch = Batch::new(plane, settles);
    let none = || -> Vec<Found> { settles.iter().map(|_| Found::new(query.limit)).collect() };
    let tasks = query.mask.words().par_chunks(TASK_WORDS).enumerate();
    let found = tasks
        .map(|(task, words)| {
            query.watch.check()?;
            let mut pass = Pass::new(&batch, none());
            for (unit, &word) in (task * TASK_WORDS..).zip(words) {
                if word.count_ones() >= DENSE_ROWS_OF_BATCH {
                    pass.unit(unit, bits(word));
                } else {
                    bits(word).for_each(|bit| pass.row(unit * UNIT_ROWS + bit));
                }
            }
            Ok(pass.finish())
        })
        .try_reduce(none, |a, b| Ok(a.into_iter().zip(b).map(|(a, b)| a.merge(b)).collect()))?;
    Ok(found.into_iter().map(|found| answer(found, query, Guarantee::Exhaustive)).collect())
}

pub(crate) fn check(plane: Plane<'_>, probe: &Probe) -> Result<(), SearchError> {
    if probe.dim() == plane.dim() {
        Ok(())
    } else {
        Err(SearchError::Dimension { expected: plane.dim(), got: probe.dim() })
    }
}

pub(crate) fn answer(found: Found, query: &Query<'_>, guarantee: Guarantee) -> Answer {
    let mut tally = found.tally;
    tally.rows = query.mask.count() as u64;
    let (rows, more) = found.best.finish();
    let neighbours = rows.into_iter().map(|(similarity, row)| Neighbour { row, similarity }).collect();
    Answer { neighbours, more, guarantee, tally }
}

/// The 64 rows of one word of the mask, most of them set.
fn scan_unit(settle: &Settle<'_>, unit: usize, word: u64, found: &mut Found) {
    let (plane, probe, first) = (settle.plane, settle.probe, unit * UNIT_ROWS);
    let mut dots = [0i32; UNIT_ROWS];
    let rows = UNIT_ROWS.min(plane.rows() - first);
    plane.dots(first, probe.codes(), &mut dots[..rows]);
    found.tally.compared += u64::from(word.count_ones());
    let mut scales = [0f32; UNIT_ROWS];
    plane.copy_scales(first, &mut scales);
    let floor = settle.floor(plane.largest_scale(unit));
    if any_reaches(&dots, &scales, probe.scale(), floor) {
        bits(word).for_each(|bit| settle.take(first + bit, dots[bit], found));
    }
}

/// Whether one of these cosines may reach the threshold: says yes too often, never too rarely. Without branches,
/// because almost always the answer is no.
fn any_reaches(dots: &[i32], scales: &[f32], scale: f32, threshold: f32) -> bool {
    let reaches = |(&dot, &other): (&i32, &f32)| u32::from(dot as f32 * (other * scale) >= threshold);
    // Cosines are held to −1..=1, so at such a threshold even a product below it counts.
    threshold <= -1.0 || dots.iter().zip(scales).map(reaches).sum::<u32>() > 0
}

/// Fills `dots[bit]` for every set bit of `word`; others may hold anything.
pub(crate) fn dots_of_unit(plane: Plane<'_>, probe: &Probe, first: usize, word: u64, dots: &mut [i32; UNIT_ROWS]) {
    if word.count_ones() >= DENSE_ROWS {
        let rows = UNIT_ROWS.min(plane.rows() - first);
        plane.dots(first, probe.codes(), &mut dots[..rows]);
    } else {
        for bit in bits(word) {
            dots[bit] = khop_kernels::dot_i8(plane.codes_of(first + bit), probe.codes());
        }
    }
}
