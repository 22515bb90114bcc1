//! How often is a claim of identity judged wrongly? FMR, FNMR, their crossing and their trade-off.

use ndarray::Array1;
use rayon::prelude::*;

use khop_vocabulary::{Fmr, Fnmr};

use crate::curve::{allowed, crossing, det, highest_rejected};
use crate::resampling::Draws;
use crate::{Comparison, Comparisons, DetPoint, Interval, Resampling, Spread, Subjects};

/// Comparisons in order of similarity, ready to be measured. A similarity at or above a threshold is a match.
#[derive(Debug, Clone)]
pub struct Verification {
    subjects: Subjects,
    /// Ascending.
    mated: Vec<Comparison>,
    /// Descending.
    non_mated: Vec<Comparison>,
}

/// The equal error rate: the mean of FMR and FNMR at the threshold where they are nearest to each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eer {
    /// The rate, 0 to 1.
    pub rate: f64,
    /// Where they cross.
    pub threshold: f32,
    /// Bootstrap over subjects.
    pub ci95: Interval,
}

/// The lowest FNMR among all thresholds whose FMR does not exceed what was asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FnmrAtFmr {
    /// The FMR asked for.
    pub asked: Fmr,
    /// The lowest similarity observed that is still a match.
    pub threshold: f32,
    /// The FMR there.
    pub fmr: Fmr,
    /// Non-mated comparisons that match: below thirty, the threshold itself is only indicative.
    pub false_matches: u64,
    /// The FNMR there.
    pub fnmr: Fnmr,
    /// Mated comparisons that do not match.
    pub errors: u64,
    /// Mated comparisons.
    pub mated: u64,
    /// Of the FNMR: bootstrap over subjects; without an error at least the rule of three.
    pub ci95: Interval,
    /// Of the FNMR: Clopper–Pearson, as if comparisons were independent.
    pub binomial95: Interval,
}

/// What [`Verification::measure`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct VerificationMeasures {
    /// The equal error rate.
    pub eer: Eer,
    /// One line for each rate asked for, in the order asked.
    pub fnmr_at_fmr: Vec<FnmrAtFmr>,
}

/// Weights of one resample (or ones): per sample, with the totals of both lists.
struct Weights {
    of_sample: Vec<f32>,
    mated: f64,
    non_mated: f64,
}

impl Verification {
    /// Sorts both lists, on all threads of the current rayon pool.
    #[must_use]
    pub fn new(comparisons: Comparisons) -> Self {
        let Comparisons { subjects, mut mated, mut non_mated } = comparisons;
        mated.par_sort_unstable_by(|a, b| a.similarity.total_cmp(&b.similarity));
        non_mated.par_sort_unstable_by(|a, b| b.similarity.total_cmp(&a.similarity));
        Self { subjects, mated, non_mated }
    }

    /// Mated comparisons.
    #[must_use]
    pub fn mated(&self) -> u64 {
        self.mated.len() as u64
    }

    /// Non-mated comparisons.
    #[must_use]
    pub fn non_mated(&self) -> u64 {
        self.non_mated.len() as u64
    }

    /// How many subjects gave the samples.
    #[must_use]
    pub fn subject_count(&self) -> usize {
        self.subjects.count()
    }

    /// Whose samples were compared.
    pub(crate) fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    /// Mated comparisons ascending, non-mated ones descending.
    pub(crate) fn lists(&self) -> (&[Comparison], &[Comparison]) {
        (&self.mated, &self.non_mated)
    }

    /// Weights of the mated comparisons, in order, with which each subject's add up to the same.
    pub(crate) fn mated_weights(&self) -> Vec<f64> {
        let mut made = vec![0.0f64; self.subject_count()];
        let subjects = self.mated.iter().map(|c| self.subjects.of(c.probe) as usize);
        subjects.clone().for_each(|subject| made[subject] += 1.0);
        subjects.map(|subject| 1.0 / made[subject]).collect()
    }

    /// Mean and standard deviation of the mated similarities, every subject weighing the same, however many samples
    /// it gave.
    #[must_use]
    pub fn mated_spread(&self) -> Spread {
        let weights = self.mated_weights();
        Spread::of(self.mated.iter().map(|c| c.similarity).zip(weights.iter().copied()))
    }

    /// Mean and standard deviation of the non-mated similarities, every comparison weighing the same.
    #[must_use]
    pub fn non_mated_spread(&self) -> Spread {
        Spread::of(self.non_mated.iter().map(|c| (c.similarity, 1.0)))
    }

    /// Share of non-mated comparisons at or above the threshold.
    #[must_use]
    pub fn fmr(&self, threshold: f32) -> Fmr {
        let matches = self.non_mated.partition_point(|c| c.similarity >= threshold);
        Fmr::new(matches as f64 / self.non_mated.len() as f64).expect("a part of the whole")
    }

    /// Share of mated comparisons below the threshold.
    #[must_use]
    pub fn fnmr(&self, threshold: f32) -> Fnmr {
        let errors = self.mated.partition_point(|c| c.similarity < threshold);
        Fnmr::new(errors as f64 / self.mated.len() as f64).expect("a part of the whole")
    }

    /// The same where every subject weighs the same, however many samples it gave.
    #[must_use]
    pub fn fnmr_by_subject(&self, threshold: f32) -> Fnmr {
        let weights = self.mated_weights();
        let errors = self.mated.partition_point(|c| c.similarity < threshold);
        let (missed, all) = (weights[..errors].iter().sum::<f64>(), weights.iter().sum::<f64>());
        Fnmr::new((missed / all).min(1.0)).expect("a part of the whole")
    }

    /// The detection error trade-off: every step when there are few, else spread evenly over the decades of FMR.
    #[must_use]
    pub fn det(&self) -> Vec<DetPoint> {
        let of = |list: &[Comparison]| list.iter().map(|c| c.similarity).collect::<Vec<_>>();
        det(&of(&self.mated), &of(&self.non_mated))
    }

    /// EER and FNMR at each FMR, with intervals from resampled subjects. Resamples run on the current rayon pool;
    /// each costs one look at every mated comparison and at the non-mated ones above the lowest threshold.
    #[must_use]
    pub fn measure(&self, fmrs: &[Fmr], resampling: &Resampling) -> VerificationMeasures {
        self.measure_with(fmrs, &self.resampled(fmrs, resampling))
    }

    /// The same, with the intervals of these resamples.
    pub(crate) fn measure_with(&self, fmrs: &[Fmr], resampled: &[Vec<f64>]) -> VerificationMeasures {
        let interval = |measure: usize| Interval::percentile(resampled.iter().map(|r| r[measure]).collect());
        let ones = Weights {
            of_sample: vec![1.0; self.subjects.samples()],
            mated: self.mated.len() as f64,
            non_mated: self.non_mated.len() as f64,
        };
        let equal = self.eer_weighted(&ones);
        let eer = Eer {
            rate: equal.rate,
            threshold: equal.threshold,
            ci95: interval(0).rule_of_three(u64::from(equal.rate > 0.0), self.mated()),
        };
        let line = |(index, &asked): (usize, &Fmr)| {
            let rejected = self.rejected_weighted(asked, &ones);
            let threshold = rejected.map_or_else(|| self.lowest(), |r| self.lowest_above(r));
            let errors = self.mated.partition_point(|c| c.similarity < threshold) as u64;
            FnmrAtFmr {
                asked,
                threshold,
                fmr: self.fmr(threshold),
                false_matches: self.non_mated.partition_point(|c| c.similarity >= threshold) as u64,
                fnmr: self.fnmr(threshold),
                errors,
                mated: self.mated(),
                ci95: interval(index + 1).rule_of_three(errors, self.mated()),
                binomial95: Interval::clopper_pearson(errors, self.mated()),
            }
        };
        VerificationMeasures { eer, fnmr_at_fmr: fmrs.iter().enumerate().map(line).collect() }
    }

    /// One row per resample: EER, then FNMR at each FMR.
    pub(crate) fn resampled(&self, fmrs: &[Fmr], resampling: &Resampling) -> Vec<Vec<f64>> {
        let draws = Draws::new(&self.subjects, resampling);
        let mut mated_of = Array1::<f32>::zeros(self.subjects.count());
        for c in &self.mated {
            mated_of[self.subjects.of(c.probe) as usize] += 1.0;
        }
        let mated = draws.totals(&mated_of);
        let non_mated = draws.pair_totals(&self.subjects, &self.non_mated);
        let one = |resample: usize| {
            let of_sample = draws.of_samples(resample, &self.subjects);
            let weights = Weights { of_sample, mated: mated[resample], non_mated: non_mated[resample] };
            let eer = self.eer_weighted(&weights).rate;
            let fnmrs = fmrs.iter().map(|&fmr| self.fnmr_weighted(self.rejected_weighted(fmr, &weights), &weights));
            std::iter::once(eer).chain(fnmrs).collect()
        };
        (0..draws.resamples()).into_par_iter().map(one).collect()
    }

    fn eer_weighted(&self, weights: &Weights) -> crate::curve::Crossing {
        let mated = self.mated.iter().rev().map(|c| weights.mated(c));
        crossing(mated, weights.mated, self.non_mated.iter().map(|c| weights.non_mated(c)), weights.non_mated)
    }

    fn rejected_weighted(&self, fmr: Fmr, weights: &Weights) -> Option<f32> {
        let descending = self.non_mated.iter().map(|c| weights.non_mated(c));
        highest_rejected(descending, allowed(fmr.value(), weights.non_mated))
    }

    fn fnmr_weighted(&self, rejected: Option<f32>, weights: &Weights) -> f64 {
        if weights.non_mated == 0.0 {
            return f64::NAN; // one subject drawn every time: nothing to set a threshold by
        }
        let Some(rejected) = rejected else { return 0.0 };
        let missed = self.mated.iter().take_while(|c| c.similarity <= rejected);
        missed.map(|c| weights.mated(c).1).sum::<f64>() / weights.mated
    }

    /// The lowest similarity observed above this one, or just above it when there is none.
    fn lowest_above(&self, rejected: f32) -> f32 {
        let mated = self.mated.get(self.mated.partition_point(|c| c.similarity <= rejected));
        let above = self.non_mated.partition_point(|c| c.similarity > rejected);
        let non_mated = above.checked_sub(1).map(|last| &self.non_mated[last]);
        let lowest = mated.into_iter().chain(non_mated).map(|c| c.similarity).min_by(f32::total_cmp);
        lowest.unwrap_or_else(|| rejected.next_up())
    }

    /// The lowest similarity of all.
    fn lowest(&self) -> f32 {
        let ends = self.mated.first().into_iter().chain(self.non_mated.last());
        ends.map(|c| c.similarity).min_by(f32::total_cmp).expect("checked comparisons are never empty")
    }
}

impl Weights {
    fn mated(&self, c: &Comparison) -> (f32, f64) {
        (c.similarity, f64::from(self.of_sample[c.probe as usize]))
    }

    fn non_mated(&self, c: &Comparison) -> (f32, f64) {
        (c.similarity, f64::from(self.of_sample[c.probe as usize] * self.of_sample[c.reference as usize]))
    }
}
