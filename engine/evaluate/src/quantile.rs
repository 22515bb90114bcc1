//! How long does one in so many take? Quantiles with intervals that assume no distribution.

/// A quantile of measured values with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    /// The value that so many of all do not exceed.
    pub value: f64,
    /// Two of the values, between which the true quantile lies with 95 %, as if they were independent.
    pub ci95: [f64; 2],
}

impl Quantile {
    /// Of values in any order; `part` from 0 to 1. `None` without a value. Sorts them.
    ///
    /// The interval is that of order statistics: how many values lie below a quantile is binomial, whatever their
    /// distribution. With few values a far quantile's ends are the lowest or highest there is.
    #[must_use]
    pub fn of(values: &mut [f64], part: f64) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let (count, last) = (values.len() as f64, values.len().checked_sub(1)?);
        let at = |below: f64| values[(below.ceil() as usize).saturating_sub(1).min(last)];
        let spread = 1.96 * (count * part * (1.0 - part)).sqrt();
        Some(Self { value: at(count * part), ci95: [at(count * part - spread), at(count * part + spread + 1.0)] })
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn quantiles_of_few() {
        assert_eq!(Quantile::of(&mut [], 0.5), None);
        assert_eq!(Quantile::of(&mut [7.0], 0.99), Some(Quantile { value: 7.0, ci95: [7.0, 7.0] }));
        let median = Quantile::of(&mut [3.0, 1.0, 2.0, 5.0, 4.0], 0.5).unwrap();
        assert_eq!((median.value, median.ci95), (3.0, [1.0, 5.0]));
    }

    #[test]
    fn the_interval_covers_the_truth_nineteen_times_in_twenty() {
        let mut draws = rand_chacha::ChaCha8Rng::seed_from_u64(4);
        for part in [0.5, 0.99] {
            // Squares of uniform numbers: their quantile is the square of the part.
            let covers = |_| {
                let mut values: Vec<f64> = (0..1000).map(|_| draws.random::<f64>().powi(2)).collect();
                let [low, high] = Quantile::of(&mut values, part).unwrap().ci95;
                (low..=high).contains(&(part * part))
            };
            let covered = (0..2000).map(covers).filter(|&covered| covered).count();
            assert!((1870..=1950).contains(&covered), "{part}: {covered} of 2000");
        }
    }
}
