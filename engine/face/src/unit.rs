//! Which direction does an embedding point in? A vector of length one, and the cosine of two.

use khop_vocabulary::FaceVector;

/// A face vector divided by its norm. What a model's vector means lies in its direction alone.
#[derive(Clone, PartialEq)]
pub struct UnitVector(Box<[f32]>);

impl UnitVector {
    /// Normalises; a [`FaceVector`] is finite and not zero, so it always has a direction. The norm is off from 1 by
    /// less than 1e-6.
    #[must_use]
    pub fn of(vector: &FaceVector) -> Self {
        let norm = vector.values().iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
        Self(vector.values().iter().map(|&v| (f64::from(v) / norm) as f32).collect())
    }

    /// The numbers.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// How many.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.0.len()
    }
}

impl std::fmt::Debug for UnitVector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UnitVector({} numbers)", self.dim())
    }
}

/// The cosine of two vectors, −1 to 1, in single precision: off by less than 1e-5 at up to 4096 numbers.
///
/// Vectors of different models must not be compared; their [`FaceVector`]s know the model.
///
/// # Panics
/// When the dimensions differ.
#[must_use]
pub fn cosine(a: &UnitVector, b: &UnitVector) -> f32 {
    khop_kernels::dot_f32(&a.0, &b.0).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use khop_vocabulary::ModelId;
    use proptest::prelude::*;

    fn face(values: Vec<f32>) -> FaceVector {
        FaceVector::new(ModelId::new("test").unwrap(), values).unwrap()
    }

    fn values(dim: usize) -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-1f32..1.0, dim).prop_filter("a direction", |v| v.iter().any(|v| v.abs() > 0.1))
    }

    proptest! {
        #[test]
        fn cosine_is_exact_to_rounding(
            (a, b) in (64usize..=1024).prop_flat_map(|dim| (values(dim), values(dim))), exponent in -30i32..60,
        ) {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
            let exact = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
            let scaled = a.iter().map(|v| v * 2f32.powi(exponent)).collect();
            let (a, b) = (UnitVector::of(&face(scaled)), UnitVector::of(&face(b)));
            prop_assert!((f64::from(cosine(&a, &b)) - exact).abs() < 1e-5);
            prop_assert!((dot(a.as_slice(), a.as_slice()).sqrt() - 1.0).abs() < 1e-6);
            prop_assert!(cosine(&a, &a) <= 1.0 && cosine(&a, &a) > 0.99999);
        }
    }

    #[test]
    fn debug_prints_no_numbers() {
        assert_eq!(format!("{:?}", UnitVector::of(&face(vec![0.25; 64]))), "UnitVector(64 numbers)");
    }
}
