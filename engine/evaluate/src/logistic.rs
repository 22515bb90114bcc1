//! Which weighed sum comes nearest to the log odds of being mated? Logistic regression.

/// Log odds = intercept + Σ slope · term.
#[derive(Debug, Clone, PartialEq)]
pub struct LogOdds {
    /// Log odds where every term is 0.
    pub intercept: f64,
    /// In the order of the terms, for one unit of each.
    pub slopes: Vec<f64>,
}

impl LogOdds {
    /// Log odds at these terms.
    #[must_use]
    pub fn at(&self, terms: &[f32]) -> f64 {
        self.intercept + self.slopes.iter().zip(terms).map(|(slope, &term)| slope * f64::from(term)).sum::<f64>()
    }

    /// Maximum likelihood by Newton's method.
    ///
    /// `walk` calls its argument for every comparison with its terms, its weight and whether it is mated; it does so
    /// once a step, a dozen times in all, and always in the same order. The weights of the two classes set the prior:
    /// where they sum to the same, the log odds are a log likelihood ratio; where the non-mated ones weigh more, the
    /// fit is best at higher odds. `None` when a term never changes or there is nothing to tell apart.
    #[must_use]
    pub fn fit(terms: usize, walk: impl Fn(&mut dyn FnMut(&[f32], f64, bool))) -> Option<Self> {
        let scaling = Scaling::of(terms, &walk)?;
        // A faint pull towards flatness keeps the slopes finite when the classes do not overlap at all.
        const RIDGE: f64 = 1e-7;
        let n = terms + 1;
        let mut solution = vec![0.0; n];
        for _ in 0..60 {
            let (mut gradient, mut curvature) = (vec![0.0; n], vec![0.0; n * n]);
            for i in 1..n {
                gradient[i] = -RIDGE * solution[i];
                curvature[i * n + i] = RIDGE;
            }
            let mut x = vec![1.0; n];
            walk(&mut |terms, weight, is_mated| {
                scaling.apply(terms, &mut x[1..]);
                let log_odds: f64 = solution.iter().zip(&x).map(|(s, x)| s * x).sum();
                let p = 1.0 / (1.0 + (-log_odds).exp());
                let (error, curve) = (weight * (f64::from(u8::from(is_mated)) - p), weight * p * (1.0 - p));
                for i in 0..n {
                    gradient[i] += error * x[i];
                    for j in 0..=i {
                        curvature[i * n + j] += curve * x[i] * x[j];
                    }
                }
            });
            let Some(step) = solve(&mut curvature, gradient) else { break };
            let longest = step.iter().fold(0.0, |longest: f64, s| longest.max(s.abs()));
            let damping = (4.0 / longest).min(1.0);
            solution.iter_mut().zip(step).for_each(|(s, step)| *s += damping * step);
            if longest < 1e-9 {
                break;
            }
        }
        solution.iter().all(|s| s.is_finite()).then(|| scaling.undo(&solution))
    }
}

/// Centre and spread of every term, so that steps are of one size.
struct Scaling {
    centres: Vec<f64>,
    spreads: Vec<f64>,
}

impl Scaling {
    fn of(terms: usize, walk: &impl Fn(&mut dyn FnMut(&[f32], f64, bool))) -> Option<Self> {
        let mean = |of: &dyn Fn(usize, f64) -> f64| {
            let (mut sums, mut total) = (vec![0.0; terms], 0.0);
            walk(&mut |values, weight, _| {
                total += weight;
                sums.iter_mut().zip(values).enumerate().for_each(|(i, (sum, &v))| *sum += weight * of(i, f64::from(v)));
            });
            sums.iter().map(|sum| sum / total).collect::<Vec<f64>>()
        };
        let centres = mean(&|_, value| value);
        let spreads: Vec<f64> = mean(&|i, value| (value - centres[i]).powi(2)).iter().map(|v| v.sqrt()).collect();
        spreads.iter().all(|spread| *spread > 0.0 && spread.is_finite()).then_some(Self { centres, spreads })
    }

    fn apply(&self, terms: &[f32], out: &mut [f64]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = (f64::from(terms[i]) - self.centres[i]) / self.spreads[i];
        }
    }

    fn undo(&self, solution: &[f64]) -> LogOdds {
        let slopes: Vec<f64> = solution[1..].iter().zip(&self.spreads).map(|(s, spread)| s / spread).collect();
        let moved: f64 = slopes.iter().zip(&self.centres).map(|(slope, centre)| slope * centre).sum();
        LogOdds { intercept: solution[0] - moved, slopes }
    }
}

/// Solves a symmetric positive definite system of which the lower half is given (Cholesky); `None` when it is singular.
fn solve(a: &mut [f64], mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            let left = a[i * n + j] - sum;
            if i == j {
                if left <= f64::MIN_POSITIVE {
                    return None;
                }
                a[i * n + i] = left.sqrt();
            } else {
                a[i * n + j] = left / a[j * n + j];
            }
        }
    }
    for i in 0..n {
        b[i] = (b[i] - (0..i).map(|k| a[i * n + k] * b[k]).sum::<f64>()) / a[i * n + i];
    }
    for i in (0..n).rev() {
        b[i] = (b[i] - (i + 1..n).map(|k| a[k * n + i] * b[k]).sum::<f64>()) / a[i * n + i];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One term, both classes of equal weight.
    fn fit(mated: &[f32], non_mated: &[f32]) -> Option<LogOdds> {
        LogOdds::fit(1, |visit| {
            mated.iter().for_each(|&s| visit(&[s], 1.0 / mated.len() as f64, true));
            non_mated.iter().for_each(|&s| visit(&[s], 1.0 / non_mated.len() as f64, false));
        })
    }

    /// Quantiles of a standard normal by its logistic approximation: exactly logistic samples.
    fn logistic(shift: f32) -> Vec<f32> {
        (1..20_000).map(|i| shift + (i as f32 / (20_000 - i) as f32).ln()).collect()
    }

    #[test]
    fn equal_spread_gives_the_line_in_between() {
        let (mated, non_mated) = (logistic(4.0), logistic(0.0));
        let line = fit(&mated, &non_mated).unwrap();
        assert!(line.at(&[2.0]).abs() < 1e-3, "halfway the classes are equally likely: {line:?}");
        let more = fit(&mated[..10_000], &non_mated).unwrap();
        assert!(more.slopes[0] > 0.0);
    }

    #[test]
    fn counts_do_not_matter_only_shapes() {
        let (mated, non_mated) = (logistic(4.0), logistic(0.0));
        let few: Vec<f32> = mated.iter().copied().step_by(40).collect();
        let (a, b) = (fit(&mated, &non_mated).unwrap(), fit(&few, &non_mated).unwrap());
        assert!((a.at(&[2.0]) - b.at(&[2.0])).abs() < 0.02);
    }

    #[test]
    fn separable_and_reversed_classes() {
        let apart = fit(&[3.0, 4.0], &[1.0, 2.0]).unwrap();
        assert!(apart.slopes[0].is_finite() && apart.at(&[2.5]).abs() < 1e-2, "{apart:?}");
        assert!(fit(&[1.0, 2.0], &[3.0, 4.0]).unwrap().slopes[0] < 0.0);
        assert_eq!(fit(&[1.0], &[1.0]), None);
    }

    #[test]
    fn several_terms_find_the_odds_that_made_them() {
        // Every point of a grid, mated with the odds of a known sum: the fit must find that sum.
        let truth = LogOdds { intercept: -0.5, slopes: vec![1.5, -0.75, 0.25] };
        let axis = || (-8..=8).map(|i| i as f32 / 4.0);
        let fitted = LogOdds::fit(3, |visit| {
            for a in axis() {
                for b in axis() {
                    for c in axis() {
                        let p = 1.0 / (1.0 + (-truth.at(&[a, b, c])).exp());
                        visit(&[a, b, c], p, true);
                        visit(&[a, b, c], 1.0 - p, false);
                    }
                }
            }
        });
        let fitted = fitted.unwrap();
        assert!((fitted.intercept - truth.intercept).abs() < 1e-4, "{fitted:?}");
        assert!(fitted.slopes.iter().zip(&truth.slopes).all(|(a, b)| (a - b).abs() < 1e-4), "{fitted:?}");
    }

    #[test]
    fn a_term_that_never_changes_is_refused() {
        let walk = |visit: &mut dyn FnMut(&[f32], f64, bool)| {
            visit(&[1.0, 3.0], 1.0, true);
            visit(&[0.0, 3.0], 1.0, false);
        };
        assert_eq!(LogOdds::fit(2, walk), None);
    }
}
