//! Which rows are similar, with none missed? Every row of the mask is compared, in blocks, on all threads.

use rayon::prelude::*;

use crate::best::Best;
use crate::mask::bits;
use crate::plane::{Plane, UNIT_ROWS, cosine};
use crate::probe::Probe;
use crate::search::{Answer, Guarantee, Neighbour, Query, SearchError, VectorIndex};
use crate::vector::stride;

/// Mask words a thread takes at a time: 16 384 rows, 8 MiB at 512 numbers a row.
pub(crate) const TASK_WORDS: usize = 256;
/// From this many rows of a unit on, comparing all of them is faster than picking.
pub(crate) const DENSE_ROWS: u32 = 24;

/// Compares the probe with every row of the mask. Runs on the rayon pool it is called in.
///
/// One probe is bound by memory: a row of 512 numbers costs 516 bytes of reading. From about 16 probes on use
/// [`Exhaustive::search_batch`], which reads each row once for all of them.
#[derive(Debug, Clone, Copy)]
pub struct Exhaustive<'a>(pub Plane<'a>);

impl VectorIndex for Exhaustive<'_> {
    fn search(&self, probe: &Probe, query: &Query<'_>) -> Result<Answer, SearchError> {
        let plane = self.0;
        check(plane, probe)?;
        query.check(plane.rows())?;
        let tasks = query.mask.words().par_chunks(TASK_WORDS).enumerate();
        let best = tasks
            .map(|(task, words)| {
                let mut best = Best::new(query.limit);
                for (unit, &word) in (task * TASK_WORDS..).zip(words) {
                    scan_unit(plane, probe, unit, word, query.threshold, &mut best);
                }
                best
            })
            .reduce(|| Best::new(query.limit), Best::merge);
        Ok(answer(best))
    }
}

impl Exhaustive<'_> {
    /// As [`VectorIndex::search`], for several probes with one query: answers in the order of the probes.
    ///
    /// # Errors
    /// [`SearchError`] when a probe, the mask or the threshold does not fit the plane.
    pub fn search_batch(&self, probes: &[Probe], query: &Query<'_>) -> Result<Vec<Answer>, SearchError> {
        let plane = self.0;
        probes.iter().try_for_each(|probe| check(plane, probe))?;
        query.check(plane.rows())?;
        let batch = Batch {
            codes: probes.iter().flat_map(Probe::codes).copied().collect(),
            scales: probes.iter().map(Probe::scale).collect(),
        };
        let none = || -> Vec<Best> { probes.iter().map(|_| Best::new(query.limit)).collect() };
        let tasks = query.mask.words().par_chunks(TASK_WORDS).enumerate();
        let best = tasks
            .map(|(task, words)| {
                let (mut best, mut dots) = (none(), vec![0i32; UNIT_ROWS * probes.len()]);
                for (unit, &word) in (task * TASK_WORDS..).zip(words) {
                    scan_unit_batch(plane, &batch, unit, word, query.threshold, &mut dots, &mut best);
                }
                best
            })
            .reduce(none, |a, b| a.into_iter().zip(b).map(|(a, b)| a.merge(b)).collect());
        Ok(best.into_iter().map(answer).collect())
    }
}

/// Probes behind each other.
struct Batch {
    codes: Vec<i8>,
    scales: Vec<f32>,
}

fn check(plane: Plane<'_>, probe: &Probe) -> Result<(), SearchError> {
    if probe.dim() == plane.dim() {
        Ok(())
    } else {
        Err(SearchError::Dimension { expected: plane.dim(), got: probe.dim() })
    }
}

fn answer(best: Best) -> Answer {
    let (rows, more) = best.finish();
    let neighbours = rows.into_iter().map(|(similarity, row)| Neighbour { row, similarity }).collect();
    Answer { neighbours, more, guarantee: Guarantee::Exhaustive }
}

/// The 64 rows of one word of the mask.
fn scan_unit(plane: Plane<'_>, probe: &Probe, unit: usize, word: u64, threshold: f32, best: &mut Best) {
    if word == 0 {
        return;
    }
    let first = unit * UNIT_ROWS;
    let mut dots = [0i32; UNIT_ROWS];
    dots_of_unit(plane, probe, first, word, &mut dots);
    let mut scales = [0f32; UNIT_ROWS];
    plane.copy_scales(first, &mut scales);
    if !any_reaches(&dots, &scales, probe.scale(), threshold) {
        return;
    }
    for bit in bits(word) {
        if let Some(scale) = plane.scale(first + bit) {
            let similarity = cosine(dots[bit], scale * probe.scale());
            if similarity >= threshold {
                best.push(similarity, (first + bit) as u32);
            }
        }
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

/// The 64 rows of one word of the mask against all probes; `dots` is scratch.
fn scan_unit_batch(
    plane: Plane<'_>,
    batch: &Batch,
    unit: usize,
    word: u64,
    threshold: f32,
    dots: &mut [i32],
    best: &mut [Best],
) {
    if word == 0 {
        return;
    }
    let first = unit * UNIT_ROWS;
    let rows = UNIT_ROWS.min(plane.rows() - first);
    let dots = &mut dots[..rows * best.len()];
    khop_kernels::dot_i8_block(plane.block(first, rows), stride(plane.dim()), &batch.codes, dots);
    for bit in bits(word) {
        let dots = &dots[bit * best.len()..(bit + 1) * best.len()];
        let Some(row_scale) = plane.scale(first + bit) else { continue };
        if any_reaches(dots, &batch.scales, row_scale, threshold) {
            for ((&dot, &scale), best) in dots.iter().zip(&batch.scales).zip(best.iter_mut()) {
                let similarity = cosine(dot, row_scale * scale);
                if similarity >= threshold {
                    best.push(similarity, (first + bit) as u32);
                }
            }
        }
    }
}
