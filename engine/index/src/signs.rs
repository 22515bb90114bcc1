//! What is left of a vector in one bit a number? Its turned signs, and how much of it they tell.
//!
//! After a random turn ([`Rotation`]) a unit vector `o` is stored as the signs of its numbers, which are themselves a
//! unit vector `ō = ±1/√W`, and the *agreement* `a = ⟨ō, o⟩`, about 0.8. Both factors of the estimate come from it:
//! `⟨o, q⟩ ≈ ⟨ō, q⟩/a` is unbiased over the turn, and its error is `√(1−a²)/a · √(1−⟨o,q⟩²) · X`, with `X` one
//! coordinate of a random point of the sphere in W−1 dimensions (Gao and Long, RaBitQ, SIGMOD 2024; the exact form
//! follows by splitting `q` along `o`). So P(error > z·√((1−a²)(1−⟨o,q⟩²)/(W−2))/a) ≤ e^(−z²/2): a bound on who can be
//! at or above a threshold, at which ⟨o,q⟩ is taken.
//!
//! Rows lie in units of 64, byte by byte, as [`khop_kernels::sum_signs`] reads them.

use khop_kernels::SignTable;

use crate::plane::{PlaneError, UNIT_ROWS};
use crate::rotation::Rotation;
use crate::screen::SignProbe;
use crate::vector::{self, MAX_DIM, VectorError, stride};

/// One vector as sign bits.
#[derive(Clone, PartialEq)]
pub struct SignRow {
    /// A bit a number of the turned vector, lowest bit first, 1 where it is positive.
    pub bits: Box<[u8]>,
    /// ⟨ō, o⟩, above 0 and at most 1.
    pub agreement: f32,
}

impl SignRow {
    /// Unit-normalises, turns and takes the signs. About 3 µs for 512 numbers.
    ///
    /// # Errors
    /// [`VectorError`] when the vector is not finite, zero, or not of the rotation's dimension.
    pub fn of(values: &[f32], rotation: &Rotation) -> Result<Self, VectorError> {
        let turned = turned_unit(values, rotation)?;
        let bits = turned.chunks(8).map(|eight| {
            eight.iter().enumerate().fold(0u8, |byte, (bit, &value)| byte | (u8::from(value > 0.0) << bit))
        });
        let sum: f64 = turned.iter().map(|&value| f64::from(value.abs())).sum();
        let norm: f64 = turned.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        let agreement = (sum / (norm * (turned.len() as f64).sqrt())).min(1.0) as f32;
        Ok(Self { bits: bits.collect(), agreement })
    }
}

impl std::fmt::Debug for SignRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignRow({} bits)", 8 * self.bits.len())
    }
}

/// A vector of length one, turned.
pub(crate) fn turned_unit(values: &[f32], rotation: &Rotation) -> Result<Vec<f32>, VectorError> {
    rotation.check(values.len())?;
    let norm = vector::norm(values)?;
    let unit: Vec<f32> = values.iter().map(|&v| (f64::from(v) / norm) as f32).collect();
    Ok(rotation.turn(&unit))
}

/// Bytes of sign bits that `rows` vectors of `dim` numbers take: whole units of 64 rows.
#[must_use]
pub fn sign_bytes(rows: usize, dim: usize) -> usize {
    rows.next_multiple_of(UNIT_ROWS) * (stride(dim) / 8)
}

/// Writes a row's bits where [`SignPlane`] looks for them, into the bytes of the whole plane.
///
/// # Panics
/// When the plane is too short for the row.
pub fn place_signs(codes: &mut [u8], row: usize, bits: &[u8]) {
    let unit = &mut codes[row / UNIT_ROWS * UNIT_ROWS * bits.len()..][..UNIT_ROWS * bits.len()];
    for (bytes, &bits) in unit.chunks_exact_mut(UNIT_ROWS).zip(bits) {
        bytes[row % UNIT_ROWS] = bits;
    }
}

/// A column of sign bits with their agreements, borrowed. Copying it copies two slices.
#[derive(Clone, Copy)]
pub struct SignPlane<'a> {
    dim: usize,
    codes: &'a [u8],
    agreements: &'a [[u8; 4]],
}

impl<'a> SignPlane<'a> {
    /// Checks that the columns fit each other: [`sign_bytes`] of codes, and a little-endian `f32` a row, 0 for an
    /// absent row. In constant time.
    ///
    /// # Errors
    /// [`PlaneError`] says which column has which length and which was expected.
    pub fn new(dim: usize, codes: &'a [u8], agreements: &'a [u8]) -> Result<Self, PlaneError> {
        if !(1..=MAX_DIM).contains(&dim) {
            return Err(PlaneError::Dimension(dim));
        }
        let (agreements, &[]) = agreements.as_chunks::<4>() else {
            return Err(PlaneError::Scales(agreements.len()));
        };
        if u32::try_from(agreements.len()).is_err() {
            return Err(PlaneError::Rows(agreements.len()));
        }
        let (rows, expected) = (agreements.len(), sign_bytes(agreements.len(), dim));
        if codes.len() != expected {
            return Err(PlaneError::Codes { rows, dim, expected, got: codes.len() });
        }
        Ok(Self { dim, codes, agreements })
    }

    /// Rows, absent ones included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.agreements.len()
    }

    /// Numbers of a vector before it was turned.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The estimate of the cosine of a row and a probe and the error that it has with a probability of at most `loss`
    /// in one direction; `None` when the row is absent.
    ///
    /// # Panics
    /// When the probe has another dimension, or `loss` is not above 0 and at most 1.
    #[must_use]
    pub fn estimate(&self, row: usize, probe: &crate::Probe, loss: f64) -> Option<(f32, f32)> {
        assert_eq!(probe.dim(), self.dim, "a probe of the plane's dimension");
        let signs = probe.screen().signs();
        let mut sums = [0; UNIT_ROWS];
        self.sums(row / UNIT_ROWS, signs.table(), &mut sums);
        let agreement = self.agreement(row)?;
        let error = signs.radius(agreement, 0.0, z_score(loss)) / agreement;
        Some((signs.product(sums[row % UNIT_ROWS]) / agreement, error))
    }

    /// The estimates of a range of rows' cosines, NaN for absent ones, at the speed of memory.
    ///
    /// # Panics
    /// When the probe has another dimension, the range lies outside the plane or `out` has another length.
    pub fn similarities(&self, probe: &crate::Probe, rows: std::ops::Range<usize>, out: &mut [f32]) {
        assert_eq!(probe.dim(), self.dim, "a probe of the plane's dimension");
        assert_eq!(out.len(), rows.len(), "similarities: one result a row");
        assert!(rows.end <= self.rows(), "rows of the plane");
        let (signs, mut estimates) = (probe.screen().signs(), [0f32; UNIT_ROWS]);
        let table = signs.table();
        for unit in rows.start / UNIT_ROWS..rows.end.div_ceil(UNIT_ROWS) {
            self.estimates(unit, signs, table, &mut estimates);
            let first = unit * UNIT_ROWS;
            for row in rows.start.max(first)..rows.end.min(first + UNIT_ROWS) {
                out[row - rows.start] = estimates[row - first];
            }
        }
    }

    /// A row as [`place_signs`] wrote it; `None` when it is absent.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<SignRow> {
        let (agreement, bytes) = (self.agreement(row)?, stride(self.dim) / 8);
        let unit = &self.codes[row / UNIT_ROWS * UNIT_ROWS * bytes..][..UNIT_ROWS * bytes];
        Some(SignRow { bits: unit.chunks_exact(UNIT_ROWS).map(|rows| rows[row % UNIT_ROWS]).collect(), agreement })
    }

    /// A row's agreement; `None` when it is absent. A value that no builder writes counts as absent.
    pub(crate) fn agreement(&self, row: usize) -> Option<f32> {
        let agreement = f32::from_le_bytes(*self.agreements.get(row)?);
        (agreement > 0.0 && agreement <= 1.0).then_some(agreement)
    }

    /// The least agreement among the rows of a unit that are there; 1 when none is.
    pub(crate) fn least_agreement(&self, unit: usize) -> f32 {
        khop_kernels::least_positive(&self.agreements_of(unit)).min(1.0)
    }

    /// The agreements of a unit's rows as they stand, 0 behind the last row.
    fn agreements_of(&self, unit: usize) -> [f32; UNIT_ROWS] {
        let mut agreements = [0f32; UNIT_ROWS];
        for (out, bytes) in agreements.iter_mut().zip(&self.agreements[unit * UNIT_ROWS..]) {
            *out = f32::from_le_bytes(*bytes);
        }
        agreements
    }

    /// The estimates of a unit's cosines with a probe; NaN for absent rows.
    pub(crate) fn estimates(&self, unit: usize, probe: &SignProbe, table: SignTable<'_>, out: &mut [f32; UNIT_ROWS]) {
        let (mut sums, agreements) = ([0; UNIT_ROWS], self.agreements_of(unit));
        self.sums(unit, table, &mut sums);
        for ((out, &sum), &agreement) in out.iter_mut().zip(&sums).zip(&agreements) {
            let is_there = agreement > 0.0 && agreement <= 1.0;
            *out = if is_there { probe.product(sum) / agreement } else { f32::NAN };
        }
    }

    /// The table's sums for the 64 rows of a unit.
    pub(crate) fn sums(&self, unit: usize, table: SignTable<'_>, out: &mut [u32; UNIT_ROWS]) {
        let bytes = UNIT_ROWS * (stride(self.dim) / 8);
        khop_kernels::sum_signs(&self.codes[unit * bytes..(unit + 1) * bytes], table, out);
    }
}

impl std::fmt::Debug for SignPlane<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignPlane({} rows of {} numbers)", self.rows(), self.dim)
    }
}

/// How many standard errors an estimate must be given so that it falls short with a probability of at most `loss`:
/// √(2·ln(1/loss)), from the sub-Gaussian tail e^(−z²/2), which holds for all z and all dimensions.
#[must_use]
pub fn z_score(loss: f64) -> f32 {
    (2.0 * (1.0 / loss).ln()).max(0.0).sqrt() as f32
}
