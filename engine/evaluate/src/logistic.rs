//! Which straight line comes nearest to the log likelihood ratio? Logistic regression without a prior.

/// LLR = intercept + slope · similarity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    pub intercept: f64,
    pub slope: f64,
}

impl Line {
    pub(crate) fn at(&self, similarity: f64) -> f64 {
        self.intercept + self.slope * similarity
    }
}

/// Maximum likelihood by Newton's method with both classes weighing the same, which makes the log odds a log
/// likelihood ratio. The iterators yield similarity and weight, the weights of each sum to 1; they are walked once
/// per step. `None` when similarity does not rise with being mated.
pub(crate) fn fit<M, N>(mated: impl Fn() -> M, non_mated: impl Fn() -> N) -> Option<Line>
where
    M: Iterator<Item = (f32, f64)>,
    N: Iterator<Item = (f32, f64)>,
{
    let mean = |moment: &dyn Fn(f64) -> f64| {
        let of = |sum: f64, (s, w): (f32, f64)| sum + w * moment(f64::from(s));
        f64::midpoint(mated().fold(0.0, of), non_mated().fold(0.0, of))
    };
    let centre = mean(&|s| s);
    let scale = mean(&|s| (s - centre).powi(2)).sqrt();
    if scale == 0.0 || !scale.is_finite() {
        return None;
    }
    // A faint pull towards a flat line keeps the slope finite when the two classes do not overlap at all.
    const RIDGE: f64 = 1e-7;
    let (mut a, mut b) = (0.0, 0.0);
    for _ in 0..60 {
        let (mut gradient, mut hessian) = ([0.0, -RIDGE * b], [0.0, 0.0, RIDGE]);
        let mut add = |similarity: f32, weight: f64, is_mated: f64| {
            let x = (f64::from(similarity) - centre) / scale;
            let p = 1.0 / (1.0 + (-(a + b * x)).exp());
            let (error, curve) = (weight * (is_mated - p), weight * p * (1.0 - p));
            gradient[0] += error;
            gradient[1] += error * x;
            hessian[0] += curve;
            hessian[1] += curve * x;
            hessian[2] += curve * x * x;
        };
        mated().for_each(|(s, w)| add(s, w, 1.0));
        non_mated().for_each(|(s, w)| add(s, w, 0.0));
        let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
        if determinant <= f64::MIN_POSITIVE {
            break;
        }
        let step_a = (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant;
        let step_b = (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant;
        let damping = (4.0 / step_a.abs().max(step_b.abs())).min(1.0);
        a += damping * step_a;
        b += damping * step_b;
        if step_a.abs().max(step_b.abs()) < 1e-9 {
            break;
        }
    }
    (b > 0.0 && a.is_finite()).then(|| Line { intercept: a - b * centre / scale, slope: b / scale })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighted(values: &[f32]) -> impl Iterator<Item = (f32, f64)> + '_ {
        values.iter().map(|&v| (v, 1.0 / values.len() as f64))
    }

    /// Quantiles of a standard normal by its logistic approximation: exactly logistic samples.
    fn logistic(shift: f32) -> Vec<f32> {
        (1..20_000).map(|i| shift + (i as f32 / (20_000 - i) as f32).ln()).collect()
    }

    #[test]
    fn equal_spread_gives_the_line_in_between() {
        let (mated, non_mated) = (logistic(4.0), logistic(0.0));
        let line = fit(|| weighted(&mated), || weighted(&non_mated)).unwrap();
        assert!(line.at(2.0).abs() < 1e-3, "halfway the classes are equally likely: {line:?}");
        let more = fit(|| weighted(&mated[..10_000]), || weighted(&non_mated)).unwrap();
        assert!(more.slope > 0.0);
    }

    #[test]
    fn counts_do_not_matter_only_shapes() {
        let (mated, non_mated) = (logistic(4.0), logistic(0.0));
        let few: Vec<f32> = mated.iter().copied().step_by(40).collect();
        let (a, b) =
            (fit(|| weighted(&mated), || weighted(&non_mated)), fit(|| weighted(&few), || weighted(&non_mated)));
        assert!((a.unwrap().at(2.0) - b.unwrap().at(2.0)).abs() < 0.02);
    }

    #[test]
    fn separable_and_reversed_classes() {
        let apart = fit(|| weighted(&[3.0, 4.0]), || weighted(&[1.0, 2.0])).unwrap();
        assert!(apart.slope.is_finite() && apart.at(2.5).abs() < 1e-2, "{apart:?}");
        assert_eq!(fit(|| weighted(&[1.0, 2.0]), || weighted(&[3.0, 4.0])), None);
        assert_eq!(fit(|| weighted(&[1.0]), || weighted(&[1.0])), None);
    }
}
