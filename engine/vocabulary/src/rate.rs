//! How often is it wrong? Error rates that cannot be mixed up (ISO/IEC 19795-1).

/// A rate outside 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{name}: expected a rate from 0 to 1, got {value}")]
pub struct RateError {
    /// Which rate.
    pub name: &'static str,
    /// What was given.
    pub value: f64,
}

macro_rules! rate {
    ($(#[$doc:meta])* $name:ident, $text:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            /// Checks the range 0 to 1.
            ///
            /// # Errors
            /// [`RateError`] outside it, or for NaN.
            pub fn new(value: f64) -> Result<Self, RateError> {
                if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(RateError { name: $text, value }) }
            }

            /// The share, 0 to 1.
            #[must_use]
            pub fn value(self) -> f64 {
                self.0
            }
        }
    };
}

rate!(
    /// False match rate: share of non-mated comparisons that reach the threshold.
    Fmr,
    "FMR"
);
rate!(
    /// False non-match rate: share of mated comparisons that stay below the threshold.
    Fnmr,
    "FNMR"
);
rate!(
    /// False-positive identification rate: share of non-mated searches that return a candidate.
    Fpir,
    "FPIR"
);
rate!(
    /// False-negative identification rate: share of mated searches that do not return the mate.
    Fnir,
    "FNIR"
);
