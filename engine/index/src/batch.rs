//! Which rows may reach the threshold of any of these probes? All probes at once, each in numbers of five bits.
//!
//! The exact search of several probes reads a row once and is bound by arithmetic, so it first compares in the few bits
//! that the kernel is fastest in. With p the probe in the byte plane's terms, q in five bits and x a row's bytes,
//! ⟨x, p⟩ ≤ ⟨x, q⟩ + ‖x‖·‖p − q‖ (Cauchy and Schwarz): a row that stays that far below the floor is ruled out for
//! certain, every other one is compared byte by byte. ‖p − q‖ is known, about 0.06 for faces of 512 numbers.

use khop_kernels::ProbeBlock;

use crate::plane::{Plane, UNIT_ROWS};
use crate::settle::{Found, Settle};
use crate::vector::stride;

/// The largest number of a probe in five bits; its largest byte is 127.
const MOST: i32 = ProbeBlock::MOST as i32;
/// Products and sums are rounded by less than this share of a cosine.
const ROUNDING: f32 = 1e-5;
/// Probes whose products are looked at together.
const TOGETHER: usize = 16;

/// Probes behind each other, of one plane and one threshold.
pub(crate) struct Batch<'a> {
    settles: &'a [Settle<'a>],
    plane: Plane<'a>,
    codes: Vec<i8>,
    /// Number of five bits × scale = number of the unit vector, about.
    scales: Vec<f32>,
    /// The largest ‖p − q‖.
    error: f32,
    /// The probe whose bytes are the furthest from what they stand for, so that its floor is the lowest.
    loosest: Option<&'a Settle<'a>>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(plane: Plane<'a>, settles: &'a [Settle<'a>]) -> Self {
        let mut codes = Vec::with_capacity(settles.len() * stride(plane.dim()));
        let (mut scales, mut error) = (Vec::with_capacity(settles.len()), 0f32);
        for settle in settles {
            let (bytes, byte_scale) = (settle.probe.codes(), settle.probe.scale());
            let small = bytes.iter().map(|&byte| five_bits(byte));
            // What rounding took away, in whole numbers: fifteen times the byte less 127 times the step is 64 at most.
            let away =
                bytes.iter().zip(small.clone()).map(|(&byte, small)| MOST * i32::from(byte) - 127 * i32::from(small));
            let squares: i32 = away.map(|away| away * away).sum();
            error = error.max((squares as f32).sqrt() / MOST as f32 * byte_scale);
            codes.extend(small);
            scales.push(127.0 / MOST as f32 * byte_scale);
        }
        let loosest = settles.iter().max_by(|a, b| a.probe.error().total_cmp(&b.probe.error()));
        Self { settles, plane, codes, scales, error, loosest }
    }

    pub(crate) fn probes(&self) -> usize {
        self.settles.len()
    }

    fn block(&self) -> ProbeBlock<'_> {
        ProbeBlock::new(stride(self.plane.dim()), &self.codes).expect("rounded to at most five bits")
    }

    /// Compares a row with one probe byte by byte, and takes it if it reaches the threshold.
    fn settle(&self, probe: usize, row: usize, found: &mut Found) {
        let settle = &self.settles[probe];
        settle.take(row, khop_kernels::dot_i8(self.plane.codes_of(row), settle.probe.codes()), found);
    }

    /// What a row of this scale must reach to be looked at for any probe.
    fn floor(&self, scale: f32) -> f32 {
        let floor = self.loosest.map_or(1.0, |settle| settle.floor(scale));
        // Cosines are held to −1..=1, so at such a floor even a product below it counts.
        if floor <= -1.0 { f32::NEG_INFINITY } else { floor - self.error * self.plane.longest(scale) - ROUNDING }
    }
}

/// A thread's work with a batch: its products, what it gathered, what it found.
pub(crate) struct Pass<'a> {
    batch: &'a Batch<'a>,
    block: ProbeBlock<'a>,
    dots: Vec<i32>,
    /// Codes of rows picked here and there, copied behind each other so that a batch can pass over them.
    gathered: Vec<u8>,
    gathered_rows: Vec<u32>,
    found: Vec<Found>,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(batch: &'a Batch<'a>, found: Vec<Found>) -> Self {
        let dots = vec![0; UNIT_ROWS * batch.probes()];
        Self { batch, block: batch.block(), dots, gathered: Vec::new(), gathered_rows: Vec::new(), found }
    }

    /// Compares all rows of a unit and takes those listed.
    pub(crate) fn unit(&mut self, unit: usize, wanted: impl Iterator<Item = usize>) {
        let (plane, first) = (self.batch.plane, unit * UNIT_ROWS);
        let rows = UNIT_ROWS.min(plane.rows() - first);
        let dots = &mut self.dots[..rows * self.batch.probes()];
        khop_kernels::dot_i5_block(plane.block(first, rows), self.block, dots);
        self.take(wanted.map(|at| (at, first + at)));
    }

    /// Compares one row, when enough have come together.
    pub(crate) fn row(&mut self, row: usize) {
        self.gathered.extend_from_slice(self.batch.plane.codes_of(row));
        self.gathered_rows.push(row as u32);
        if self.gathered_rows.len() == UNIT_ROWS {
            self.flush();
        }
    }

    /// What was found.
    pub(crate) fn finish(mut self) -> Vec<Found> {
        self.flush();
        self.found
    }

    fn flush(&mut self) {
        let rows = std::mem::take(&mut self.gathered_rows);
        let dots = &mut self.dots[..rows.len() * self.batch.probes()];
        khop_kernels::dot_i5_block(&self.gathered, self.block, dots);
        self.take(rows.iter().map(|&row| row as usize).enumerate());
        self.gathered.clear();
    }

    /// Takes the rows, given by their place among the products and their number, that reach their probe's threshold.
    fn take(&mut self, rows: impl Iterator<Item = (usize, usize)>) {
        let (batch, probes, mut compared) = (self.batch, self.batch.probes(), 0);
        for (place, row) in rows {
            compared += 1;
            let Some(scale) = batch.plane.scale(row) else { continue };
            let least = batch.floor(scale) / scale;
            let dots = &self.dots[place * probes..(place + 1) * probes];
            for (part, (dots, scales)) in dots.chunks(TOGETHER).zip(batch.scales.chunks(TOGETHER)).enumerate() {
                if !any_reaches(dots, scales, least) {
                    continue;
                }
                for (at, (&dot, &of)) in (part * TOGETHER..).zip(dots.iter().zip(scales)) {
                    if dot as f32 * of >= least {
                        batch.settle(at, row, &mut self.found[at]);
                    }
                }
            }
        }
        self.found.iter_mut().for_each(|found| found.tally.compared += compared);
    }
}

/// A byte in steps of 127/15, to the nearest: halves away from zero, as whole numbers, which compilers do many at once.
fn five_bits(byte: i8) -> i8 {
    let byte = i32::from(byte);
    ((2 * MOST * byte + 127 * byte.signum()) / 254) as i8
}

/// Does any of these products reach `least`? Without branches, because most often the answer is no.
fn any_reaches(dots: &[i32], scales: &[f32], least: f32) -> bool {
    let near = |(&dot, &scale): (&i32, &f32)| u32::from(dot as f32 * scale >= least);
    match (<&[i32; TOGETHER]>::try_from(dots), <&[f32; TOGETHER]>::try_from(scales)) {
        (Ok(dots), Ok(scales)) => dots.iter().zip(scales).map(near).sum::<u32>() > 0,
        _ => dots.iter().zip(scales).map(near).sum::<u32>() > 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_bits_are_the_nearest() {
        let exact = |byte: i8| f64::from(byte) * f64::from(ProbeBlock::MOST) / 127.0;
        assert!((-127..=127).all(|byte| f64::from(five_bits(byte)) == exact(byte).round()));
    }
}
