//! What is left of a vector in four bits a number? Its turned numbers on a grid of sixteen steps, and how much they tell.
//!
//! A unit vector `o` becomes codes `u` of 0 to 15; `ō`, the direction of `2u − 15`, is a unit vector again, and its
//! *agreement* `a = ⟨ō, o⟩` is about 0.995. By the triangle inequality of angles, for every unit vector `q`,
//! `⟨o, q⟩ ≤ cos(arccos⟨ō, q⟩ − arccos a)`: whoever has `⟨ō, q⟩ < cos(arccos τ + arccos a)` is below τ. No probability
//! is involved, and no property of the data.

use crate::plane::{PlaneError, UNIT_ROWS};
use crate::rotation::Rotation;
use crate::signs::turned_unit;
use crate::vector::{MAX_DIM, VectorError, stride};

/// Steps of the grid that are tried, as shares of a number's root mean square; the best for normal numbers is 0.335.
const STEPS: [f32; 7] = [0.25, 0.29, 0.32, 0.35, 0.38, 0.43, 0.5];
/// Bytes of a row's two factors.
const FACTORS: usize = 8;

/// One vector as half-byte codes.
#[derive(Clone, PartialEq)]
pub struct NibbleRow {
    /// Byte `i` holds the code of number `i` of the turned vector in its low half, of number `W/2 + i` in its high half.
    pub codes: Box<[u8]>,
    /// ⟨ō, o⟩, above 0 and at most 1.
    pub agreement: f32,
    /// 1/‖2u − 15‖.
    pub inverse_norm: f32,
}

impl NibbleRow {
    /// Unit-normalises, turns and quantises, with the step of seven that agrees best. About 6 µs for 512 numbers.
    ///
    /// # Errors
    /// [`VectorError`] when the vector is not finite, zero, or not of the rotation's dimension.
    pub fn of(values: &[f32], rotation: &Rotation) -> Result<Self, VectorError> {
        let turned = turned_unit(values, rotation)?;
        let norm = turned.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        let per_number = (turned.len() as f32).sqrt();
        let agreement = |share: f32| {
            let scale = per_number / share;
            let (dot, square) = turned.iter().fold((0f32, 0f32), |(dot, square), &value| {
                let odd = 2.0 * code(value, scale) - 15.0;
                (dot + odd * value, square + odd * odd)
            });
            dot / square.sqrt()
        };
        let best = STEPS.map(|share| (agreement(share), share)).into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
        let scale = per_number / best.map_or(STEPS[0], |(_, share)| share);
        let odds = turned.iter().map(|&value| f64::from(2.0 * code(value, scale) - 15.0));
        let (dot, square) = odds
            .zip(&turned)
            .fold((0f64, 0f64), |(dot, square), (odd, &value)| (dot + odd * f64::from(value), square + odd * odd));
        let (low, high) = turned.split_at(turned.len() / 2);
        let codes = low.iter().zip(high).map(|(&low, &high)| code(low, scale) as u8 | (code(high, scale) as u8) << 4);
        Ok(Self {
            codes: codes.collect(),
            agreement: (dot / (square.sqrt() * norm)).clamp(f64::from(f32::MIN_POSITIVE), 1.0) as f32,
            inverse_norm: (1.0 / square.sqrt()) as f32,
        })
    }

    /// The row's eight bytes in the plane's column of factors: agreement and inverse norm, little-endian `f32`.
    #[must_use]
    pub fn factors(&self) -> [u8; FACTORS] {
        let mut bytes = [0; FACTORS];
        bytes[..4].copy_from_slice(&self.agreement.to_le_bytes());
        bytes[4..].copy_from_slice(&self.inverse_norm.to_le_bytes());
        bytes
    }
}

/// 0 to 15, whole: the step that a number times `scale` lies in.
fn code(value: f32, scale: f32) -> f32 {
    ((value * scale + 8.0) as i32).clamp(0, 15) as f32 // truncation is the floor, below zero the clamp
}

impl std::fmt::Debug for NibbleRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NibbleRow({} codes)", 2 * self.codes.len())
    }
}

/// Bytes of half-byte codes a row of `dim` numbers takes.
#[must_use]
pub fn nibble_stride(dim: usize) -> usize {
    stride(dim) / 2
}

/// A column of half-byte codes with their factors, borrowed. Copying it copies two slices.
#[derive(Clone, Copy)]
pub struct NibblePlane<'a> {
    dim: usize,
    codes: &'a [u8],
    factors: &'a [[u8; FACTORS]],
}

impl<'a> NibblePlane<'a> {
    /// Checks that the columns fit each other: [`nibble_stride`] bytes of codes and eight bytes of factors a row
    /// ([`NibbleRow::factors`]), zeros for an absent row. In constant time.
    ///
    /// # Errors
    /// [`PlaneError`] says which column has which length and which was expected.
    pub fn new(dim: usize, codes: &'a [u8], factors: &'a [u8]) -> Result<Self, PlaneError> {
        if !(1..=MAX_DIM).contains(&dim) {
            return Err(PlaneError::Dimension(dim));
        }
        let (factors, &[]) = factors.as_chunks::<FACTORS>() else {
            return Err(PlaneError::Factors(factors.len()));
        };
        if u32::try_from(factors.len()).is_err() {
            return Err(PlaneError::Rows(factors.len()));
        }
        let (rows, expected) = (factors.len(), factors.len().saturating_mul(nibble_stride(dim)));
        if codes.len() != expected {
            return Err(PlaneError::Codes { rows, dim, expected, got: codes.len() });
        }
        Ok(Self { dim, codes, factors })
    }

    /// Rows, absent ones included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.factors.len()
    }

    /// Numbers of a vector before it was turned.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The largest cosine that the row's vector can have with the probe; `None` when the row is absent.
    ///
    /// # Panics
    /// When the probe has another dimension.
    #[must_use]
    pub fn upper_bound(&self, row: usize, probe: &crate::Probe) -> Option<f32> {
        assert_eq!(probe.dim(), self.dim, "a probe of the plane's dimension");
        let nibbles = probe.screen().nibbles();
        let (agreement, inverse_norm) = self.factors(row)?;
        let stride = nibble_stride(self.dim);
        let mut dot = [0];
        let codes = &self.codes[row * stride..][..stride];
        khop_kernels::dot_nibbles_rows(codes, stride, nibbles.low(), nibbles.high(), &mut dot);
        let product = (nibbles.product(dot[0], inverse_norm) + nibbles.slack()).min(1.0);
        if product >= agreement {
            return Some(1.0);
        }
        let sines = ((1.0 - agreement * agreement) * (1.0 - product * product)).max(0.0).sqrt();
        Some((agreement * product + sines + 1e-6).min(1.0))
    }

    /// A row as it was written; `None` when it is absent.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<NibbleRow> {
        let (agreement, inverse_norm) = self.factors(row)?;
        let stride = nibble_stride(self.dim);
        Some(NibbleRow { codes: self.codes[row * stride..][..stride].into(), agreement, inverse_norm })
    }

    /// Agreement and inverse norm of a row; `None` when it is absent. Values that no builder writes count as absent.
    pub(crate) fn factors(&self, row: usize) -> Option<(f32, f32)> {
        let (agreement, inverse_norm) = split(self.factors.get(row)?);
        (agreement > 0.0 && agreement <= 1.0 && inverse_norm > 0.0).then_some((agreement, inverse_norm))
    }

    /// The least agreement and the largest inverse norm among the rows of a unit that are there; 1 and 0 when none is.
    pub(crate) fn extreme_factors(&self, unit: usize) -> (f32, f32) {
        let end = self.rows().min((unit + 1) * UNIT_ROWS);
        // As in `SignPlane::least_agreement`.
        let (mut least, mut largest) = (1f32.to_bits() - 1, 0);
        for &[a, b, c, d, e, f, g, h] in &self.factors[unit * UNIT_ROWS..end] {
            least = u32::from_le_bytes([a, b, c, d]).wrapping_sub(1).min(least);
            largest = u32::from_le_bytes([e, f, g, h]).max(largest);
        }
        (f32::from_bits(least + 1), f32::from_bits(largest.min(f32::MAX.to_bits())))
    }

    /// The rows of a unit against both halves of a probe; rows behind the last are left as they are.
    pub(crate) fn dots(&self, unit: usize, low: &[i8], high: &[i8], out: &mut [i32; UNIT_ROWS]) {
        let (stride, first) = (nibble_stride(self.dim), unit * UNIT_ROWS);
        let rows = UNIT_ROWS.min(self.rows() - first);
        let codes = &self.codes[first * stride..(first + rows) * stride];
        khop_kernels::dot_nibbles_rows(codes, stride, low, high, &mut out[..rows]);
    }
}

fn split(factors: &[u8; FACTORS]) -> (f32, f32) {
    let [a, b, c, d, e, f, g, h] = *factors;
    (f32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h]))
}

impl std::fmt::Debug for NibblePlane<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NibblePlane({} rows of {} numbers)", self.rows(), self.dim)
    }
}
