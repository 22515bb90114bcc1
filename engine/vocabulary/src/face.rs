//! What was captured of a face? A vector made by a named embedding model.

use crate::ModelId;

/// An embedding as received: finite, not zero, 64 to 4096 numbers. Not normalised here.
#[derive(Clone, PartialEq)]
pub struct FaceVector {
    model: ModelId,
    values: Box<[f32]>,
}

/// Why numbers are not a face vector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaceVectorError {
    /// Too short or too long.
    #[error("face vector: expected 64 to 4096 numbers, got {0}")]
    Dimension(usize),
    /// NaN or infinite.
    #[error("face vector: expected finite numbers, but number {0} is not")]
    NotFinite(usize),
    /// A norm of zero has no direction.
    #[error("face vector: expected a non-zero vector, but its norm is {0}")]
    Norm(&'static str),
}

impl FaceVector {
    /// Checks dimension, finiteness and norm.
    ///
    /// # Errors
    /// [`FaceVectorError`] names the first thing wrong; it never prints a value.
    pub fn new(model: ModelId, values: impl Into<Box<[f32]>>) -> Result<Self, FaceVectorError> {
        let values = values.into();
        if !(64..=4096).contains(&values.len()) {
            return Err(FaceVectorError::Dimension(values.len()));
        }
        if let Some(index) = values.iter().position(|v| !v.is_finite()) {
            return Err(FaceVectorError::NotFinite(index));
        }
        let norm2: f64 = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        if norm2 < 1e-24 {
            return Err(FaceVectorError::Norm("zero"));
        }
        Ok(Self { model, values })
    }

    /// The model that made it.
    #[must_use]
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// The numbers as received.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

impl std::fmt::Debug for FaceVector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FaceVector({}, {} numbers)", self.model, self.values.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_vectors_are_named() {
        let model = || ModelId::new("m").unwrap();
        let make = |v: Vec<f32>| FaceVector::new(model(), v).map(|_| ()).unwrap_err();
        assert_eq!(make(vec![1.0; 63]), FaceVectorError::Dimension(63));
        assert_eq!(make(vec![1.0; 4097]), FaceVectorError::Dimension(4097));
        assert_eq!(make(vec![0.0; 64]), FaceVectorError::Norm("zero"));
        let mut nan = vec![1.0; 64];
        nan[7] = f32::NAN;
        assert_eq!(make(nan), FaceVectorError::NotFinite(7));
        let mut inf = vec![1.0; 64];
        inf[9] = f32::INFINITY;
        assert_eq!(make(inf), FaceVectorError::NotFinite(9));
    }
}
