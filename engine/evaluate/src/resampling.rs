//! What if other people had come? Bootstrap over subjects.
//!
//! One resample draws, within each data set, as many subjects as it has, with replacement. A subject drawn k times
//! stands for k people: its mated comparisons and searches count k times, a non-mated comparison of two subjects
//! drawn k and m times counts k·m times. Two copies of one subject are never compared with each other. Data sets
//! are kept, because sensors are chosen and people are sampled. Thresholds are found anew in every resample.

use ndarray::{Array1, Array2, ArrayView1, Axis, Zip};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::{Comparison, Subjects};

/// How often and from which seed subjects are drawn. The same seed and subjects give the same draws, so that two
/// comparators evaluated on the same samples are resampled in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// Seed of the draws.
    pub seed: u64,
    /// How many resamples; 200 to 1000 settle a 95 % interval.
    pub resamples: usize,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { seed: 1, resamples: 1000 }
    }
}

/// The draws: how often each subject counts in each resample.
pub(crate) struct Draws {
    /// Subjects × resamples.
    times: Array2<f32>,
}

impl Draws {
    pub(crate) fn new(subjects: &Subjects, resampling: &Resampling) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(resampling.seed);
        let strata = subjects.strata();
        let mut members = vec![Vec::new(); strata.iter().max().map_or(0, |&m| m as usize + 1)];
        for (subject, &stratum) in strata.iter().enumerate() {
            members[stratum as usize].push(subject);
        }
        let mut times = Array2::zeros((subjects.count(), resampling.resamples));
        for mut column in times.axis_iter_mut(Axis(1)) {
            for stratum in &members {
                for _ in stratum {
                    column[stratum[random.random_range(0..stratum.len())]] += 1.0;
                }
            }
        }
        Self { times }
    }

    pub(crate) fn resamples(&self) -> usize {
        self.times.ncols()
    }

    /// How often each *sample* counts in one resample: as often as its subject.
    pub(crate) fn of_samples(&self, resample: usize, subjects: &Subjects) -> Vec<f32> {
        let column = self.times.column(resample);
        (0..subjects.samples()).map(|s| column[subjects.of(s as u32) as usize]).collect()
    }

    /// Total weight of per-subject trials in each resample, given how many trials each subject has.
    pub(crate) fn totals(&self, trials: &Array1<f32>) -> Vec<f64> {
        let exact =
            |column: ArrayView1<'_, f32>| column.iter().zip(trials).map(|(&w, &n)| f64::from(w) * f64::from(n)).sum();
        self.times.axis_iter(Axis(1)).map(exact).collect()
    }

    /// Total weight of non-mated comparisons in each resample: Σ wᵢ·nᵢⱼ·wⱼ over pairs of subjects, as one matrix
    /// product for all resamples.
    pub(crate) fn pair_totals(&self, subjects: &Subjects, comparisons: &[Comparison]) -> Vec<f64> {
        let mut counts = Array2::<f32>::zeros((subjects.count(), subjects.count()));
        for c in comparisons {
            counts[(subjects.of(c.probe) as usize, subjects.of(c.reference) as usize)] += 1.0;
        }
        let met = counts.dot(&self.times);
        let mut totals = vec![0.0; self.resamples()];
        for (resample, total) in totals.iter_mut().enumerate() {
            Zip::from(self.times.column(resample))
                .and(met.column(resample))
                .for_each(|&w, &m| *total += f64::from(w) * f64::from(m));
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_data_set_keeps_its_size() {
        let subjects = Subjects::new((0..50).collect(), (0..50).map(|s| u32::from(s >= 20)).collect()).unwrap();
        let draws = Draws::new(&subjects, &Resampling { seed: 3, resamples: 40 });
        for resample in 0..40 {
            let times = draws.of_samples(resample, &subjects);
            assert_eq!(times[..20].iter().sum::<f32>(), 20.0);
            assert_eq!(times[20..].iter().sum::<f32>(), 30.0);
        }
        let left_out = draws.times.iter().filter(|&&t| t == 0.0).count() as f64 / 2000.0;
        assert!((left_out - 0.36).abs() < 0.03, "{left_out}"); // (1 − 1/n)ⁿ
    }

    #[test]
    fn totals_are_the_sums_of_the_weights() {
        let of_sample: Vec<u32> = (0..60).map(|s| s * s % 12).collect();
        let subjects = Subjects::new(of_sample, (0..12).map(|s| s % 2).collect()).unwrap();
        let mut comparisons = Vec::new();
        for probe in 0..60u32 {
            for reference in (probe % 7..60).step_by(3) {
                if !subjects.are_mated(probe, reference) {
                    comparisons.push(Comparison { similarity: 0.0, probe, reference });
                }
            }
        }
        let draws = Draws::new(&subjects, &Resampling { seed: 9, resamples: 5 });
        let totals = draws.pair_totals(&subjects, &comparisons);
        for (resample, &total) in totals.iter().enumerate() {
            let w = draws.of_samples(resample, &subjects);
            let sum: f32 = comparisons.iter().map(|c| w[c.probe as usize] * w[c.reference as usize]).sum();
            assert_eq!(total, f64::from(sum));
        }
    }
}
