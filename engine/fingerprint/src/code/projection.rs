//! Which directions tell fingers apart? The trained projection from features to the code, and its file.

use super::features::FEATURES;
use super::{CODE_VERSION, DIM};

const MAGIC: &[u8; 8] = b"KHOPCODE";
const HEADER_BYTES: usize = 24;

/// A mean and [`DIM`] axes over [`FEATURES`] features; an axis is stored as bytes and a scale.
///
/// | bytes | content (little-endian) |
/// |---|---|
/// | 0–7 | `KHOPCODE` |
/// | 8 | [`CODE_VERSION`] |
/// | 9–11 | 0 |
/// | 12, 14 | features, axes: two `u16` |
/// | 16–23 | FNV-1a (64 bits) of everything behind |
/// | 24 … | mean, `f32` each; scales, `f32` an axis; axes, a byte (value + 128) each |
pub struct Projection {
    mean: Vec<f32>,
    scales: Vec<f32>,
    axes: Vec<u8>,
}

/// Why bytes are not a projection of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectionError {
    /// Not the file of this build: magic, version, or sizes.
    #[error(
        "finger code projection: expected the header of version {CODE_VERSION} with {FEATURES} features and {DIM} axes"
    )]
    Header,
    /// Cut off, or too long.
    #[error("finger code projection: expected {expected} bytes, got {got}")]
    Length {
        /// What the header asks for.
        expected: usize,
        /// What is there.
        got: usize,
    },
    /// Changed since it was written.
    #[error("finger code projection: the checksum does not fit the content")]
    Checksum,
}

impl Projection {
    /// Rounds a trained projection to bytes. `mean` and every axis hold [`FEATURES`] numbers; there are [`DIM`] axes.
    ///
    /// # Panics
    /// When they do not.
    #[must_use]
    pub fn new(mean: Vec<f32>, axes: &[Vec<f32>]) -> Self {
        assert_eq!((mean.len(), axes.len()), (FEATURES, DIM), "a mean and axes of this build's sizes");
        let (mut scales, mut bytes) = (Vec::with_capacity(DIM), Vec::with_capacity(DIM * FEATURES));
        for axis in axes {
            assert_eq!(axis.len(), FEATURES, "an axis over all features");
            let (scale, codes) = quantise(axis);
            scales.push(scale);
            bytes.extend(codes.map(|code| (i16::from(code) + 128) as u8));
        }
        Self { mean, scales, axes: bytes }
    }

    /// The file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = self.mean.iter().chain(&self.scales).flat_map(|v| v.to_le_bytes());
        let body: Vec<u8> = numbers.chain(self.axes.iter().copied()).collect();
        let mut bytes = MAGIC.to_vec();
        bytes.extend([CODE_VERSION, 0, 0, 0]);
        bytes.extend([FEATURES as u16, DIM as u16].into_iter().flat_map(u16::to_le_bytes));
        bytes.extend(checksum(&body).to_le_bytes());
        bytes.extend(body);
        bytes
    }

    /// Reads what [`Projection::to_bytes`] gave.
    ///
    /// # Errors
    /// [`ProjectionError`]; never panics.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProjectionError> {
        let (header, body) = bytes.split_at_checked(HEADER_BYTES).ok_or(ProjectionError::Header)?;
        let (fixed, sum) = header.split_at(16);
        let mut wanted = MAGIC.to_vec();
        wanted.extend([CODE_VERSION, 0, 0, 0]);
        wanted.extend([FEATURES as u16, DIM as u16].into_iter().flat_map(u16::to_le_bytes));
        if fixed != wanted {
            return Err(ProjectionError::Header);
        }
        let expected = 4 * (FEATURES + DIM) + FEATURES * DIM;
        if body.len() != expected {
            return Err(ProjectionError::Length { expected: HEADER_BYTES + expected, got: bytes.len() });
        }
        if sum != checksum(body).to_le_bytes() {
            return Err(ProjectionError::Checksum);
        }
        let (numbers, axes) = body.split_at(4 * (FEATURES + DIM));
        let mut mean: Vec<f32> = numbers.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        let scales = mean.split_off(FEATURES);
        Ok(Self { mean, scales, axes: axes.to_vec() })
    }

    /// Projects raw features; `None` when nothing is left of them.
    pub(super) fn project(&self, features: &[f32]) -> Option<Vec<f32>> {
        let centred = centred(&roots(features)?, &self.mean)?;
        let probe: Vec<i8> = quantise(&centred).1.collect();
        let mut products = vec![0i32; DIM];
        khop_kernels::dot_i8_rows(&self.axes, FEATURES, &probe, &mut products);
        unit(products.iter().zip(&self.scales).map(|(&p, s)| p as f32 * s).collect())
    }
}

impl std::fmt::Debug for Projection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Projection({FEATURES} features, {DIM} axes)")
    }
}

/// Square roots of the features as a distribution; `None` for features that are all zero.
#[must_use]
pub fn roots(features: &[f32]) -> Option<Vec<f32>> {
    let total: f32 = features.iter().sum();
    (total > 0.0).then(|| features.iter().map(|f| (f / total).sqrt()).collect())
}

/// [`roots`] minus their mean, to unit length: what the axes are trained on. `None` for the mean itself.
#[must_use]
pub fn centred(roots: &[f32], mean: &[f32]) -> Option<Vec<f32>> {
    unit(roots.iter().zip(mean).map(|(r, m)| r - m).collect())
}

fn unit(mut values: Vec<f32>) -> Option<Vec<f32>> {
    let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    (norm > 0.0).then(|| {
        values.iter_mut().for_each(|v| *v /= norm);
        values
    })
}

/// Scale and bytes of a vector, −127 to 127.
fn quantise(values: &[f32]) -> (f32, impl Iterator<Item = i8>) {
    let largest = values.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
    let scale = largest / 127.0;
    (scale, values.iter().map(move |v| (v / scale).round() as i8))
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projection() -> Projection {
        let axis = |k: usize| (0..FEATURES).map(|i| ((i * 31 + k * 17) % 101) as f32 - 50.0).collect();
        Projection::new(vec![0.01; FEATURES], &(0..DIM).map(axis).collect::<Vec<_>>())
    }

    #[test]
    fn a_file_reads_back() {
        let bytes = projection().to_bytes();
        let read = Projection::from_bytes(&bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        let features: Vec<f32> = (0..FEATURES).map(|i| (i % 7) as f32).collect();
        assert_eq!(read.project(&features), projection().project(&features));
    }

    #[test]
    fn damage_is_named() {
        let bytes = projection().to_bytes();
        let error = |bytes: &[u8]| Projection::from_bytes(bytes).unwrap_err();
        assert_eq!(error(&bytes[..20]), ProjectionError::Header);
        assert!(matches!(error(&bytes[..bytes.len() - 1]), ProjectionError::Length { .. }));
        for (place, expected) in
            [(0, ProjectionError::Header), (8, ProjectionError::Header), (24, ProjectionError::Checksum)]
        {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert_eq!(error(&damaged), expected);
        }
    }

    #[test]
    fn bytes_keep_the_direction() {
        let features: Vec<f32> = (0..FEATURES).map(|i| ((i * i) % 13) as f32).collect();
        let projection = projection();
        let centred = centred(&roots(&features).unwrap(), &projection.mean).unwrap();
        let axis = |k: usize| (0..FEATURES).map(move |i| ((i * 31 + k * 17) % 101) as f32 - 50.0);
        let exact = unit((0..DIM).map(|k| axis(k).zip(&centred).map(|(a, c)| a * c).sum()).collect()).unwrap();
        let cosine: f32 = exact.iter().zip(projection.project(&features).unwrap()).map(|(a, b)| a * b).sum();
        assert!(cosine > 0.999, "{cosine}");
    }
}
