//! What does a comparison say? A score that means a rate, and a likelihood ratio that can be added.

use crate::Fmr;

/// −10·log10(FMR): 30 means one false match in a thousand, 40 one in ten thousand.
///
/// The public scale of Khop, the same for every modality and for fused evidence. 0 to 200.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Score(f32);

impl Score {
    /// No evidence at all: FMR 1.
    pub const ZERO: Self = Self(0.0);

    /// Clamped to 0–200; NaN becomes 0.
    #[must_use]
    pub fn new(value: f32) -> Self {
        Self(if value.is_nan() { 0.0 } else { value.clamp(0.0, 200.0) })
    }

    /// The lower of the two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The number, 0 to 200.
    #[must_use]
    pub fn value(self) -> f32 {
        self.0
    }

    /// The false match rate this score stands for.
    #[must_use]
    pub fn fmr(self) -> Fmr {
        Fmr::new(10f64.powf(f64::from(-self.0) / 10.0)).expect("a power of ten with exponent <= 0 lies in 0..=1")
    }

    /// The score whose FMR is `fmr`.
    #[must_use]
    pub fn of_fmr(fmr: Fmr) -> Self {
        Self::new((-10.0 * fmr.value().max(1e-20).log10()) as f32)
    }
}

/// Natural-log likelihood ratio, ln P(similarity | mated) − ln P(similarity | non-mated), in nats.
///
/// Likelihood ratios of independent traits add. Under the non-mated hypothesis P(LLR ≥ t) ≤ e^−t (Markov), so a
/// sum of calibrated ratios bounds its own false match rate: see [`Llr::score`].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Llr(f32);

impl Llr {
    /// A trait that says nothing (missing, unreadable).
    pub const NONE: Self = Self(0.0);

    /// In nats; NaN becomes 0.
    #[must_use]
    pub fn new(nats: f32) -> Self {
        Self(if nats.is_nan() { 0.0 } else { nats })
    }

    /// In nats.
    #[must_use]
    pub fn nats(self) -> f32 {
        self.0
    }

    /// 10·LLR/ln 10 as a score: an upper bound on the FMR, by Markov's inequality.
    #[must_use]
    pub fn score(self) -> Score {
        Score::new(self.0 * 10.0 / std::f32::consts::LN_10)
    }
}

impl std::iter::Sum for Llr {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        Self(iter.map(|l| l.0).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_means_a_rate() {
        assert!((Score::new(40.0).fmr().value() - 1e-4).abs() < 1e-12);
        assert_eq!(Score::of_fmr(Fmr::new(1e-3).unwrap()), Score::new(30.0));
        assert_eq!(Score::new(f32::NAN), Score::ZERO);
        assert!((Llr::new((1e6f32).ln()).score().value() - 60.0).abs() < 1e-3);
    }
}
