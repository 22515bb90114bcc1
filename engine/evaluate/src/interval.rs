//! How sure is a rate? Confidence intervals for counted errors.

/// A two-sided 95 % confidence interval of a rate, both ends from 0 to 1; of a difference of rates, from −1 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// The exact binomial interval of Clopper and Pearson for `errors` in `trials` independent trials.
    ///
    /// Comparisons that share a subject are not independent: read it as the width that counting alone explains,
    /// and the bootstrap over subjects as the honest one. Cost: at most a few thousand terms per bisection step.
    #[must_use]
    pub fn clopper_pearson(errors: u64, trials: u64) -> Self {
        let errors = errors.min(trials);
        if trials == 0 {
            return Self { low: 0.0, high: 1.0 };
        }
        Self { low: 1.0 - upper(trials - errors, trials), high: upper(errors, trials) }
    }

    /// The middle 95 % of resampled values, which it sorts; values that are not numbers are left out.
    #[must_use]
    pub fn percentile(values: Vec<f64>) -> Self {
        Self::percentile_or(values, Self { low: 0.0, high: 1.0 })
    }

    /// The same; `otherwise` where not one value is a number.
    pub(crate) fn percentile_or(mut values: Vec<f64>, otherwise: Self) -> Self {
        values.retain(|v| v.is_finite());
        values.sort_unstable_by(f64::total_cmp);
        match values.len().checked_sub(1) {
            None => otherwise,
            Some(last) => {
                let at = |p: f64| values[(p * last as f64).round() as usize] + 0.0; // an empty sum is −0
                Self { low: at(0.025), high: at(0.975) }
            }
        }
    }

    /// The rule of three: without an error in n trials the rate may still be as high as 3/n, whatever resampling says.
    #[must_use]
    pub fn rule_of_three(self, errors: u64, trials: u64) -> Self {
        match errors {
            0 => Self { low: self.low, high: self.high.max((3.0 / trials.max(1) as f64).min(1.0)) },
            _ => self,
        }
    }
}

/// The largest rate at which `errors` or fewer in `trials` still happen with probability 2.5 %.
fn upper(errors: u64, trials: u64) -> f64 {
    if errors == trials {
        return 1.0;
    }
    let (mut low, mut high) = (errors as f64 / trials as f64, 1.0);
    while high - low > 1e-12 * high {
        let middle = f64::midpoint(low, high);
        if at_most(errors, trials, middle) > 0.025 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// P(X ≤ errors) for a binomial X at a rate at or above errors/trials, where the terms fall away from the top.
fn at_most(errors: u64, trials: u64, rate: f64) -> f64 {
    let (k, n) = (errors as f64, trials as f64);
    let choose = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    let mut term = (choose + k * rate.ln() + (n - k) * (-rate).ln_1p()).exp();
    let (mut sum, mut i) = (term, k);
    while i > 0.0 && term > sum * 1e-12 {
        term *= i * (1.0 - rate) / ((n - i + 1.0) * rate);
        sum += term;
        i -= 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-4
    }

    #[test]
    fn clopper_pearson_as_in_the_tables() {
        for (errors, trials, low, high) in
            [(0, 10, 0.0, 0.3085), (5, 10, 0.1871, 0.8129), (1, 20, 0.0013, 0.2487), (10, 10, 0.6915, 1.0)]
        {
            let i = Interval::clopper_pearson(errors, trials);
            assert!(close(i.low, low) && close(i.high, high), "{errors}/{trials}: {i:?}");
        }
        let large = Interval::clopper_pearson(2_300_000, 23_000_000); // close to normal: 0.1 ± 1.96·6.26e-5
        assert!((large.low - 0.099_877_4).abs() < 1e-6 && (large.high - 0.100_122_6).abs() < 1e-6, "{large:?}");
    }

    #[test]
    fn no_error_is_not_no_rate() {
        let none = Interval { low: 0.0, high: 0.0 };
        assert_eq!(none.rule_of_three(0, 1000).high, 0.003);
        assert_eq!(none.rule_of_three(1, 1000).high, 0.0);
        assert_eq!(none.rule_of_three(0, 2).high, 1.0);
    }

    #[test]
    fn percentiles_are_the_middle() {
        let i = Interval::percentile((0..=1000).rev().map(f64::from).chain([f64::NAN]).collect());
        assert_eq!(i, Interval { low: 25.0, high: 975.0 });
    }

    proptest! {
        #[test]
        fn clopper_pearson_holds_the_rate(trials in 1u64..5000, part in 0.0..=1.0f64) {
            let errors = (part * trials as f64) as u64;
            let i = Interval::clopper_pearson(errors, trials);
            let rate = errors as f64 / trials as f64;
            prop_assert!(0.0 <= i.low && i.low <= rate + 1e-9 && rate - 1e-9 <= i.high && i.high <= 1.0);
        }
    }
}
