//! How does a vector become bytes? Unit-normalised, then one signed byte a number and one scale for all.

/// The longest vector a plane holds.
pub(crate) const MAX_DIM: usize = 4096;

/// Why numbers cannot be a row or a probe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// Not as long as the plane is wide, or not 1 to 4096 long.
    #[error("vector: expected {expected} numbers, got {got}")]
    Dimension {
        /// What was expected, in words.
        expected: String,
        /// Numbers given.
        got: usize,
    },
    /// NaN or infinite.
    #[error("vector: expected finite numbers, but number {0} is not")]
    NotFinite(usize),
    /// A norm of (almost) zero has no direction.
    #[error("vector: expected a non-zero vector, but its norm is zero")]
    Zero,
}

/// Bytes a row of `dim` numbers takes: `dim` rounded up to 64, so that rows are whole cache lines. Padding counts as
/// zero.
#[must_use]
pub fn stride(dim: usize) -> usize {
    dim.next_multiple_of(64)
}

/// The norm of a vector that has a direction.
pub(crate) fn norm(values: &[f32]) -> Result<f64, VectorError> {
    if let Some(index) = values.iter().position(|v| !v.is_finite()) {
        return Err(VectorError::NotFinite(index));
    }
    let norm = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
    if norm < 1e-12 { Err(VectorError::Zero) } else { Ok(norm) }
}

/// Each number as a signed byte in −127..=127, and the scale that turns bytes back into the unit vector.
///
/// The largest number becomes ±127; no byte is off by more than half a step.
pub(crate) fn quantise(values: &[f32], norm: f64) -> (impl Iterator<Item = i8>, f32) {
    let largest = values.iter().fold(0f32, |largest, v| largest.max(v.abs()));
    let step = f64::from(largest) / 127.0;
    let codes = values.iter().map(move |&v| (f64::from(v) / step).round() as i8);
    (codes, (step / norm) as f32)
}

/// Unit-normalises one vector, writes it as a row of a plane and returns its scale.
///
/// `codes` gets `value + 128`, padding 128 (zero). The scale is positive; it is 0, which marks the row as absent, and
/// every code 128, when the vector is empty, longer than `codes`, not finite or zero.
pub fn quantise_row(values: &[f32], codes: &mut [u8]) -> f32 {
    codes.fill(128);
    match norm(values) {
        Ok(norm) if values.len() <= codes.len() => {
            let (quantised, scale) = quantise(values, norm);
            for (code, value) in codes.iter_mut().zip(quantised) {
                *code = (value as u8) ^ 0x80; // two's complement + 128
            }
            scale
        }
        _ => 0.0,
    }
}
