//! How are a gallery's vectors stored for search? A byte a number, a scale a row, rows behind each other.

use std::ops::Range;

use crate::probe::Probe;
use crate::vector::{MAX_DIM, VectorError, quantise_row, stride};

/// Similarities are computed this many rows at a time: one word of a mask.
pub(crate) const UNIT_ROWS: usize = 64;

/// The two columns of a plane, ready to be written to a file.
#[derive(Clone, PartialEq, Eq)]
pub struct PlaneBytes {
    /// [`stride`] bytes a row: `value + 128`, padding and absent rows 128.
    pub codes: Vec<u8>,
    /// Four bytes a row: a little-endian `f32`; code × scale is the number of the unit vector; 0 marks an absent row.
    pub scales: Vec<u8>,
}

impl std::fmt::Debug for PlaneBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PlaneBytes({} rows, {} bytes)", self.scales.len() / 4, self.codes.len())
    }
}

/// Makes a plane row by row.
#[derive(Debug)]
pub struct PlaneBuilder {
    dim: usize,
    bytes: PlaneBytes,
}

impl PlaneBuilder {
    /// An empty plane of vectors of `dim` numbers.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        Self { dim, bytes: PlaneBytes { codes: Vec::new(), scales: Vec::new() } }
    }

    /// Adds a row; `None` adds an absent one. The vector need not have unit length.
    ///
    /// # Errors
    /// [`VectorError`] when it has another dimension, is not finite or is zero; no row is added then.
    pub fn push(&mut self, values: Option<&[f32]>) -> Result<(), VectorError> {
        if let Some(values) = values {
            if values.len() != self.dim {
                return Err(VectorError::Dimension { expected: self.dim.to_string(), got: values.len() });
            }
            crate::vector::norm(values)?;
        }
        let at = self.bytes.codes.len();
        self.bytes.codes.resize(at + stride(self.dim), 128);
        let scale = values.map_or(0.0, |values| quantise_row(values, &mut self.bytes.codes[at..]));
        self.bytes.scales.extend(scale.to_le_bytes());
        Ok(())
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.bytes.scales.len() / 4
    }

    /// The columns.
    #[must_use]
    pub fn finish(self) -> PlaneBytes {
        self.bytes
    }
}

/// Why bytes are not a plane.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaneError {
    /// Not 1 to 4096 numbers wide.
    #[error("plane: expected a dimension of 1 to 4096, got {0}")]
    Dimension(usize),
    /// The columns do not fit each other.
    #[error("plane: expected {expected} bytes of codes for {rows} rows of {dim} numbers, got {got}")]
    Codes {
        /// Rows by the length of the scales.
        rows: usize,
        /// Numbers a row.
        dim: usize,
        /// Bytes that would be.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// A column that ends inside a number.
    #[error("plane: expected scales of 4 bytes each, got {0} bytes")]
    Scales(usize),
    /// A column that ends inside a row's two factors.
    #[error("plane: expected factors of 8 bytes each, got {0} bytes")]
    Factors(usize),
    /// Rows are numbered with 32 bits.
    #[error("plane: expected at most 4294967295 rows, got {0}")]
    Rows(usize),
}

/// A column of quantised vectors, borrowed. Copying it copies two slices.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    dim: usize,
    codes: &'a [u8],
    scales: &'a [[u8; 4]],
}

impl<'a> Plane<'a> {
    /// Checks that the columns fit each other, in constant time. What the bytes say is taken as it is: their checksum
    /// is the business of whoever reads them.
    ///
    /// # Errors
    /// [`PlaneError`] says which column has which length and which was expected.
    pub fn new(dim: usize, codes: &'a [u8], scales: &'a [u8]) -> Result<Self, PlaneError> {
        if !(1..=MAX_DIM).contains(&dim) {
            return Err(PlaneError::Dimension(dim));
        }
        let (scales, &[]) = scales.as_chunks::<4>() else {
            return Err(PlaneError::Scales(scales.len()));
        };
        if u32::try_from(scales.len()).is_err() {
            return Err(PlaneError::Rows(scales.len()));
        }
        let expected = scales.len().saturating_mul(stride(dim));
        if codes.len() != expected {
            return Err(PlaneError::Codes { rows: scales.len(), dim, expected, got: codes.len() });
        }
        Ok(Self { dim, codes, scales })
    }

    /// Rows, absent ones included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.scales.len()
    }

    /// Numbers a row.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The bytes of all rows' codes, as they lie in memory.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.codes
    }

    /// A row as it was written: its codes, padding included, and its scale; `None` when it is absent.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<(&'a [u8], f32)> {
        let scale = self.scale(row)?;
        Some((self.codes_of(row), scale))
    }

    /// Whether the row exists and holds a vector.
    #[must_use]
    pub fn is_present(&self, row: usize) -> bool {
        self.scale(row).is_some()
    }

    /// The cosine between a row and the probe, −1 to 1, as the quantised vectors have it; `None` when the row is
    /// absent.
    ///
    /// # Panics
    /// When the probe has another dimension.
    #[must_use]
    pub fn similarity(&self, row: usize, probe: &Probe) -> Option<f32> {
        let scale = self.scale(row)?;
        Some(cosine(khop_kernels::dot_i8(self.codes_of(row), self.checked(probe)), scale * probe.scale()))
    }

    /// The cosines of a range of rows, NaN for absent ones, at the speed of memory.
    ///
    /// # Panics
    /// When the probe has another dimension, the range lies outside the plane or `out` has another length.
    pub fn similarities(&self, probe: &Probe, rows: Range<usize>, out: &mut [f32]) {
        assert_eq!(out.len(), rows.len(), "similarities: one result a row");
        let codes = self.checked(probe);
        let units = rows.clone().step_by(UNIT_ROWS).zip(out.chunks_mut(UNIT_ROWS));
        for (first, out) in units {
            let mut dots = [0i32; UNIT_ROWS];
            let dots = &mut dots[..out.len()];
            self.dots(first, codes, dots);
            for (index, out) in out.iter_mut().enumerate() {
                let scale = self.scale(first + index).unwrap_or(f32::NAN);
                *out = cosine(dots[index], scale * probe.scale());
            }
        }
    }

    /// By how much [`Plane::similarity`] can differ from the cosine of the vectors as given, at most.
    ///
    /// By Cauchy–Schwarz, for unit vectors o and q stored with errors e and f: |⟨o+e, q+f⟩ − ⟨o, q⟩| ≤
    /// ‖e‖(1 + ‖f‖) + ‖f‖, with ‖f‖ known and ‖e‖ at most half a step a number. The errors met in practice are some
    /// thirty times smaller. `None` when the row is absent.
    #[must_use]
    pub fn error_bound(&self, row: usize, probe: &Probe) -> Option<f32> {
        Some(self.error_of(self.scale(row)?, probe))
    }

    /// [`Plane::error_bound`] of a row of this scale.
    pub(crate) fn error_of(&self, scale: f32, probe: &Probe) -> f32 {
        scale * 0.5 * (self.dim as f32).sqrt() * (1.0 + probe.error()) + probe.error() + 1e-6
    }

    /// The longest a row of this scale can be as its bytes have it, all of them being of length one before.
    pub(crate) fn longest(&self, scale: f32) -> f32 {
        1.0 + scale * 0.5 * (self.dim as f32).sqrt()
    }

    /// The row's scale; `None` when it is absent. A scale no builder writes counts as absent.
    pub(crate) fn scale(&self, row: usize) -> Option<f32> {
        let scale = f32::from_le_bytes(*self.scales.get(row)?);
        (scale > 0.0 && scale.is_finite()).then_some(scale)
    }

    /// The scales from row `first` on as they stand, 0 behind the last row.
    pub(crate) fn copy_scales(&self, first: usize, out: &mut [f32]) {
        for (out, scale) in out.iter_mut().zip(&self.scales[first..]) {
            *out = f32::from_le_bytes(*scale);
        }
    }

    /// The largest scale of a unit's rows that are there; 0 when none is.
    pub(crate) fn largest_scale(&self, unit: usize) -> f32 {
        let end = self.rows().min((unit + 1) * UNIT_ROWS);
        // Positive numbers are ordered as their bits are, and whole numbers are compared many at once.
        let bits = self.scales[unit * UNIT_ROWS..end].iter().map(|bytes| u32::from_le_bytes(*bytes));
        let bits = bits.map(|bits| if bits < f32::INFINITY.to_bits() { bits } else { 0 });
        f32::from_bits(bits.fold(0, u32::max))
    }

    /// The row's bytes.
    pub(crate) fn codes_of(&self, row: usize) -> &'a [u8] {
        let stride = stride(self.dim);
        &self.codes[row * stride..(row + 1) * stride]
    }

    /// `out.len()` rows from `first` on against the probe's codes.
    pub(crate) fn dots(&self, first: usize, probe: &[i8], out: &mut [i32]) {
        khop_kernels::dot_i8_rows(self.block(first, out.len()), stride(self.dim), probe, out);
    }

    /// The rows listed against the probe's codes.
    pub(crate) fn picked(&self, probe: &[i8], rows: &[u32], out: &mut [i32]) {
        khop_kernels::dot_i8_picked(self.codes, stride(self.dim), probe, rows, out);
    }

    /// The bytes of `count` rows from `first` on.
    pub(crate) fn block(&self, first: usize, count: usize) -> &'a [u8] {
        let stride = stride(self.dim);
        &self.codes[first * stride..(first + count) * stride]
    }

    fn checked<'p>(&self, probe: &'p Probe) -> &'p [i8] {
        assert_eq!(probe.dim(), self.dim, "a probe of the plane's dimension");
        probe.codes()
    }
}

/// The cosine that quantised vectors have; rounding may carry it past 1, so it is held to −1..=1. NaN stays NaN.
pub(crate) fn cosine(dot: i32, scale: f32) -> f32 {
    (dot as f32 * scale).clamp(-1.0, 1.0)
}

impl std::fmt::Debug for Plane<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plane({} rows of {} numbers)", self.rows(), self.dim)
    }
}
