//! Which way is a vector turned before it is coarsened? The same seeded orthogonal turn for every row and probe.
//!
//! Sign bits and half-byte codes are good for vectors whose numbers are all alike in size, and the bound of the sign
//! bits is a statement about a random turn. Rounds of random sign flips and fast Hadamard transforms give one in
//! O(n log n). Lengths that are no power of two get two overlapping transforms and a butterfly of both halves a round.

use crate::vector::{VectorError, stride};

/// Which turn this is. Planes made with another one are not comparable with these probes.
pub const ROTATION_VERSION: u32 = 1;

const ROUNDS: usize = 3;
const SEED: u64 = 0x6b68_6f70_7369_676e;

/// A turn of vectors of one dimension, zeros added up to a multiple of 64. Made from a constant seed in about 1 µs.
#[derive(Debug, Clone)]
pub struct Rotation {
    dim: usize,
    /// A bit a number and transform: whether its sign is flipped before it.
    flips: Vec<u64>,
}

impl Rotation {
    /// The turn of vectors of `dim` numbers.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        let mut draws = Draws::new(SEED ^ dim as u64);
        let transforms = if stride(dim).is_power_of_two() { ROUNDS } else { 2 * ROUNDS };
        Self { dim, flips: (0..transforms * stride(dim) / 64).map(|_| draws.word()).collect() }
    }

    /// Numbers of a turned vector: the dimension rounded up to a multiple of 64.
    #[must_use]
    pub fn width(&self) -> usize {
        stride(self.dim)
    }

    pub(crate) fn check(&self, numbers: usize) -> Result<(), VectorError> {
        if numbers == self.dim {
            Ok(())
        } else {
            Err(VectorError::Dimension { expected: self.dim.to_string(), got: numbers })
        }
    }

    /// The vector turned: lengths and angles stay, up to an error of 1e-5 for a unit vector of 4096 numbers.
    /// About 2 µs for 512 numbers.
    ///
    /// # Panics
    /// When `values` is not of this dimension.
    #[must_use]
    pub fn turn(&self, values: &[f32]) -> Vec<f32> {
        assert_eq!(values.len(), self.dim, "a vector of the rotation's dimension");
        let width = self.width();
        let mut turned = vec![0f32; width];
        turned[..values.len()].copy_from_slice(values);
        if width == 0 {
            return turned;
        }
        let block = 1 << width.ilog2();
        let scale = 1.0 / (block as f32).sqrt();
        for (transform, flips) in self.flips.chunks(width / 64).enumerate() {
            for (numbers, word) in turned.chunks_mut(64).zip(flips) {
                for (bit, number) in numbers.iter_mut().enumerate() {
                    *number = f32::from_bits(number.to_bits() ^ (((word >> bit & 1) as u32) << 31));
                }
            }
            if block == width || transform % 2 == 0 {
                hadamard(&mut turned[..block], scale);
            } else {
                hadamard(&mut turned[width - block..], scale);
                let (first, second) = turned.split_at_mut(width / 2);
                butterfly(first, second);
                turned.iter_mut().for_each(|number| *number *= std::f32::consts::FRAC_1_SQRT_2);
            }
        }
        turned
    }
}

/// The Walsh–Hadamard transform in place, times `scale`.
fn hadamard(numbers: &mut [f32], scale: f32) {
    let mut half = 1;
    while half < numbers.len() {
        for pair in numbers.chunks_exact_mut(2 * half) {
            let (first, second) = pair.split_at_mut(half);
            butterfly(first, second);
        }
        half *= 2;
    }
    numbers.iter_mut().for_each(|number| *number *= scale);
}

fn butterfly(first: &mut [f32], second: &mut [f32]) {
    for (a, b) in first.iter_mut().zip(second) {
        (*a, *b) = (*a + *b, *a - *b);
    }
}

/// SplitMix64: words that look random, the same for the same seed on every machine.
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Uniform in 0..1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dot(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }

    proptest! {
        #[test]
        fn lengths_and_angles_stay(seed: u64, dim in 1usize..1300) {
            let mut draws = Draws::new(seed);
            let mut unit = || {
                let values: Vec<f32> = (0..dim).map(|_| draws.unit() as f32 - 0.5).collect();
                let norm = dot(&values, &values).sqrt() as f32 + 1e-9;
                values.into_iter().map(|v| v / norm).collect::<Vec<f32>>()
            };
            let (a, b, rotation) = (unit(), unit(), Rotation::new(dim));
            let (c, d) = (rotation.turn(&a), rotation.turn(&b));
            prop_assert_eq!(c.len(), dim.next_multiple_of(64));
            prop_assert!((dot(&a, &b) - dot(&c, &d)).abs() < 1e-5);
            prop_assert!((dot(&a, &a) - dot(&c, &c)).abs() < 1e-5);
        }
    }

    /// A vector of a single number is spread over all: no number of the turned one holds much of it.
    #[test]
    fn single_numbers_are_spread() {
        for dim in [64, 100, 512, 640, 960, 1000, 4096] {
            for at in [0, dim / 2, dim - 1] {
                let mut values = vec![0f32; dim];
                values[at] = 1.0;
                let turned = Rotation::new(dim).turn(&values);
                let largest = turned.iter().fold(0f32, |most, v| most.max(v.abs()));
                assert!(largest < 6.0 / (turned.len() as f32).sqrt(), "{dim} {at}: {largest}");
            }
        }
    }
}
