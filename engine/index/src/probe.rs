//! Which vector is searched for? Prepared once, compared with many rows.

use std::sync::{Arc, OnceLock};

use crate::screen::Screen;
use crate::vector::{self, MAX_DIM, VectorError};

/// A vector to search for: unit-normalised and quantised as rows are.
#[derive(Clone)]
pub struct Probe {
    dim: usize,
    codes: Box<[i8]>,
    scale: f32,
    error: f32,
    unit: Arc<[f32]>,
    /// Made when a coarse plane is first searched.
    screen: Arc<OnceLock<Screen>>,
}

impl Probe {
    /// Prepares a vector of 1 to 4096 finite numbers that are not all zero. Its length is its own business.
    ///
    /// # Errors
    /// [`VectorError`] names the first thing wrong; it never prints a value.
    pub fn new(values: &[f32]) -> Result<Self, VectorError> {
        if !(1..=MAX_DIM).contains(&values.len()) {
            return Err(VectorError::Dimension { expected: format!("1 to {MAX_DIM}"), got: values.len() });
        }
        let norm = vector::norm(values)?;
        let (quantised, scale) = vector::quantise(values, norm);
        let mut codes = vec![0i8; vector::stride(values.len())].into_boxed_slice();
        codes.iter_mut().zip(quantised).for_each(|(code, value)| *code = value);
        let errors = values.iter().zip(&codes).map(|(&v, &c)| f64::from(v) / norm - f64::from(c) * f64::from(scale));
        let error = errors.map(|e| e * e).sum::<f64>().sqrt() as f32;
        let unit = values.iter().map(|&v| (f64::from(v) / norm) as f32).collect();
        Ok(Self { dim: values.len(), codes, scale, error, unit, screen: Arc::default() })
    }

    /// Numbers of the vector.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// One byte a number, zero-padded to [`stride`](crate::stride).
    pub(crate) fn codes(&self) -> &[i8] {
        &self.codes
    }

    /// Byte × scale = number of the unit vector.
    pub(crate) fn scale(&self) -> f32 {
        self.scale
    }

    /// The norm of what quantisation took away.
    pub(crate) fn error(&self) -> f32 {
        self.error
    }

    /// The vector divided by its norm.
    pub(crate) fn unit(&self) -> &[f32] {
        &self.unit
    }

    /// The probe as coarse planes need it: some microseconds the first time.
    pub(crate) fn screen(&self) -> &Screen {
        self.screen.get_or_init(|| Screen::of(&self.unit))
    }
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Probe({} numbers)", self.dim)
    }
}
