//! How good is a sample? A number from its capture, 0 to 100.

/// Sample quality as reported by the capture side: 0 (worst) to 100 (best), ISO/IEC 29794-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quality(u8);

/// A quality above 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("quality: expected 0 to 100, got {0}")]
pub struct QualityError(pub u8);

impl Quality {
    /// Checks the range.
    ///
    /// # Errors
    /// [`QualityError`] above 100.
    pub fn new(value: u8) -> Result<Self, QualityError> {
        if value > 100 { Err(QualityError(value)) } else { Ok(Self(value)) }
    }

    /// 0 to 100.
    #[must_use]
    pub fn value(self) -> u8 {
        self.0
    }
}
