//! How often did it go wrong, among how many, and how sure is that share? Counted errors with both intervals.

use ndarray::Array1;
use rayon::prelude::*;

use crate::resampling::Draws;
use crate::{Comparison, Interval, Resampling, Subjects};

/// Errors counted among trials: comparisons or searches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted {
    /// Trials that went wrong.
    pub errors: u64,
    /// All of them; never 0.
    pub trials: u64,
    /// Of the share: bootstrap over subjects; without an error at least the rule of three.
    pub ci95: Interval,
    /// Of the share: Clopper–Pearson, as if trials were independent.
    pub binomial95: Interval,
}

impl Counted {
    /// The share of errors, 0 to 1.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.errors as f64 / self.trials as f64
    }

    /// Trials that are drawn with one subject, that of their sample: mated comparisons, and searches by their probe.
    /// `None` without a trial. Costs a look at every error in each resample.
    #[must_use]
    pub fn of_samples(subjects: &Subjects, trials: &[(u32, bool)], resampling: &Resampling) -> Option<Self> {
        let draws = Draws::new(subjects, resampling);
        let mut made = Array1::<f32>::zeros(subjects.count());
        trials.iter().for_each(|&(sample, _)| made[subjects.of(sample) as usize] += 1.0);
        let wrong: Vec<u32> = trials.iter().filter(|trial| trial.1).map(|trial| trial.0).collect();
        let weighed = |weights: &[f32]| wrong.iter().map(|&s| f64::from(weights[s as usize])).sum();
        Self::resampled(subjects, &draws, [wrong.len(), trials.len()], &draws.totals(&made), weighed)
    }

    /// Non-mated comparisons, which are drawn with both their subjects; at or above the threshold they are errors.
    /// `None` without one. Costs a look at every error in each resample and a number for every pair of subjects.
    #[must_use]
    pub fn of_pairs(
        subjects: &Subjects,
        comparisons: &[Comparison],
        threshold: f32,
        resampling: &Resampling,
    ) -> Option<Self> {
        let draws = Draws::new(subjects, resampling);
        let wrong: Vec<&Comparison> = comparisons.iter().filter(|c| c.similarity >= threshold).collect();
        let weighed = |weights: &[f32]| {
            wrong.iter().map(|c| f64::from(weights[c.probe as usize] * weights[c.reference as usize])).sum()
        };
        let totals = draws.pair_totals(subjects, comparisons);
        Self::resampled(subjects, &draws, [wrong.len(), comparisons.len()], &totals, weighed)
    }

    fn resampled(
        subjects: &Subjects,
        draws: &Draws,
        [errors, trials]: [usize; 2],
        totals: &[f64],
        weighed: impl Fn(&[f32]) -> f64 + Sync,
    ) -> Option<Self> {
        let (errors, trials) = (errors as u64, trials as u64);
        let share = |resample: usize| weighed(&draws.of_samples(resample, subjects)) / totals[resample];
        let shares = (0..draws.resamples()).into_par_iter().map(share).collect();
        (trials > 0).then(|| Self {
            errors,
            trials,
            ci95: Interval::percentile(shares).rule_of_three(errors, trials),
            binomial95: Interval::clopper_pearson(errors, trials),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten subjects with two samples each.
    fn subjects() -> Subjects {
        Subjects::new((0..20).map(|s| s / 2).collect(), vec![0; 10]).unwrap()
    }

    #[test]
    fn a_subject_is_drawn_with_all_its_trials() {
        // All errors are one subject's: in a third of the resamples there is none, in others two or three times as many.
        let trials: Vec<(u32, bool)> = (0..20).map(|sample| (sample, sample < 2)).collect();
        let found = Counted::of_samples(&subjects(), &trials, &Resampling::default()).unwrap();
        assert_eq!((found.errors, found.trials, found.rate()), (2, 20, 0.1));
        assert_eq!(found.ci95.low, 0.0);
        assert!((0.25..0.45).contains(&found.ci95.high), "{found:?}");
        let spread: Vec<(u32, bool)> = (0..20).map(|sample| (sample, sample % 2 == 0)).collect();
        let found = Counted::of_samples(&subjects(), &spread, &Resampling::default()).unwrap();
        assert_eq!(found.ci95, Interval { low: 0.5, high: 0.5 }, "everybody fails every second time");
    }

    #[test]
    fn no_error_is_bounded_and_no_trial_is_no_rate() {
        let none = Counted::of_samples(&subjects(), &[(0, false); 30], &Resampling::default()).unwrap();
        assert_eq!((none.errors, none.ci95.high), (0, 0.1));
        assert_eq!(Counted::of_samples(&subjects(), &[], &Resampling::default()), None);
        assert_eq!(Counted::of_pairs(&subjects(), &[], 0.5, &Resampling::default()), None);
    }

    #[test]
    fn pairs_are_drawn_with_both_subjects() {
        let mut all = Vec::new();
        for probe in 0..20u32 {
            for reference in (probe / 2 + 1) * 2..20 {
                let similarity = if probe / 2 == 0 && reference / 2 == 1 { 0.9 } else { 0.1 };
                all.push(Comparison { similarity, probe, reference });
            }
        }
        let resampling = Resampling { seed: 3, resamples: 400 };
        let found = Counted::of_pairs(&subjects(), &all, 0.9, &resampling).unwrap();
        assert_eq!((found.errors, found.trials), (4, 180));
        let draws = Draws::new(&subjects(), &resampling);
        let share = |resample: usize| {
            let w = draws.of_samples(resample, &subjects());
            let weight = |c: &&Comparison| f64::from(w[c.probe as usize] * w[c.reference as usize]);
            let wrong: f64 = all.iter().filter(|c| c.similarity >= 0.9).map(|c| weight(&c)).sum();
            wrong / all.iter().map(|c| weight(&c)).sum::<f64>()
        };
        assert_eq!(found.ci95, Interval::percentile((0..400).map(share).collect()));
    }
}
