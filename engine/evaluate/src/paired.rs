//! Is one comparator better than another? Several on the same comparisons, resampled in step.
//!
//! Two rates measured on the same people rise and fall together from resample to resample: those who are hard are hard
//! for everybody. So their difference is known far better than either of them, and two intervals that overlap say
//! nothing about it.

use rayon::prelude::*;

use khop_vocabulary::Fmr;

use crate::{Interval, Resampling, Verification, VerificationMeasures};

/// Two or more comparators on the same comparisons of the same samples.
#[derive(Debug, Clone)]
pub struct Paired(Vec<Verification>);

/// Why comparators cannot be set against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PairedError {
    /// One comparator has nothing to be set against.
    #[error("expected at least two comparators, got {0}")]
    Few(usize),
    /// Other samples, subjects or data sets than the first comparator's.
    #[error("comparator {comparator}: expected the samples and subjects of the first")]
    Subjects {
        /// Which one, from 0.
        comparator: usize,
    },
    /// A comparison that this comparator or the first has made alone, or more often than the other.
    #[error("comparator {comparator}: expected the comparisons of the first; samples {probe} and {reference} differ")]
    Comparisons {
        /// Which one, from 0.
        comparator: usize,
        /// Index of the probe sample.
        probe: u32,
        /// Index of the reference sample.
        reference: u32,
    },
}

/// How much another comparator's rate lies above the first's: below zero, the other one is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The other's rate less the first's, −1 to 1.
    pub rate: f64,
    /// The middle 95 % of the differences in paired resamples; without an error on either side at least the rule of
    /// three both ways.
    pub ci95: Interval,
}

impl Difference {
    /// Whether the interval leaves out zero: then one of the two is better, and it is known which.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.ci95.low > 0.0 || self.ci95.high < 0.0
    }
}

/// How far another comparator is from the first, rate by rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences {
    /// Of the equal error rates.
    pub eer: Difference,
    /// Of the FNMRs, in the order asked.
    pub fnmr_at_fmr: Vec<Difference>,
}

/// What [`Paired::measure`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedMeasures {
    /// Each comparator's own rates.
    pub measures: Vec<VerificationMeasures>,
    /// The second comparator against the first, the third against the first, …
    pub differences: Vec<Differences>,
}

impl Paired {
    /// Checks that all have made the same comparisons. Sorts a copy of every list of pairs.
    ///
    /// # Errors
    /// [`PairedError`] names the first comparator that is out of step.
    pub fn new(verifications: Vec<Verification>) -> Result<Self, PairedError> {
        let [first, others @ ..] = &verifications[..] else { return Err(PairedError::Few(0)) };
        if others.is_empty() {
            return Err(PairedError::Few(1));
        }
        let expected = pairs(first);
        for (comparator, other) in (1..).zip(others) {
            if other.subjects() != first.subjects() {
                return Err(PairedError::Subjects { comparator });
            }
            let made = pairs(other);
            if made != expected {
                let apart = made.iter().zip(&expected).find(|(a, b)| a != b).map(|(a, b)| *a.min(b));
                let rest = made.get(expected.len()).or_else(|| expected.get(made.len()));
                let (probe, reference) = apart.or(rest.copied()).unwrap_or_default();
                return Err(PairedError::Comparisons { comparator, probe, reference });
            }
        }
        Ok(Self(verifications))
    }

    /// The comparators, in the order given.
    #[must_use]
    pub fn verifications(&self) -> &[Verification] {
        &self.0
    }

    /// EER and FNMR at each FMR of every comparator, and how far each is from the first.
    ///
    /// Every resample draws the same subjects for all of them and finds each one's threshold anew. Runs on the current
    /// rayon pool; costs what [`Verification::measure`] costs, for each comparator.
    #[must_use]
    pub fn measure(&self, fmrs: &[Fmr], resampling: &Resampling) -> PairedMeasures {
        let resampled: Vec<Vec<Vec<f64>>> = self.0.par_iter().map(|v| v.resampled(fmrs, resampling)).collect();
        let measures: Vec<VerificationMeasures> =
            self.0.iter().zip(&resampled).map(|(v, rows)| v.measure_with(fmrs, rows)).collect();
        let (first, first_rows) = (&measures[0], &resampled[0]);
        let against_first = |(other, rows): (&VerificationMeasures, &Vec<Vec<f64>>)| {
            let difference = |measure: usize, rates: [f64; 2]| {
                let differences = rows.iter().zip(first_rows).map(|(a, b)| a[measure] - b[measure]).collect();
                let ci95 = Interval::percentile_or(differences, Interval { low: -1.0, high: 1.0 });
                let least = if rates == [0.0; 2] { (3.0 / self.0[0].mated().max(1) as f64).min(1.0) } else { 0.0 };
                let ci95 =
                    if least > 0.0 { Interval { low: ci95.low.min(-least), high: ci95.high.max(least) } } else { ci95 };
                Difference { rate: rates[0] - rates[1], ci95 }
            };
            let of_fmr = |(index, (a, b)): (usize, (&crate::FnmrAtFmr, &crate::FnmrAtFmr))| {
                difference(index + 1, [a.fnmr.value(), b.fnmr.value()])
            };
            Differences {
                eer: difference(0, [other.eer.rate, first.eer.rate]),
                fnmr_at_fmr: other.fnmr_at_fmr.iter().zip(&first.fnmr_at_fmr).enumerate().map(of_fmr).collect(),
            }
        };
        let differences = measures[1..].iter().zip(&resampled[1..]).map(against_first).collect();
        PairedMeasures { measures, differences }
    }
}

/// Who was compared with whom, sorted.
fn pairs(verification: &Verification) -> Vec<(u32, u32)> {
    let (mated, non_mated) = verification.lists();
    let mut pairs: Vec<(u32, u32)> = mated.iter().chain(non_mated).map(|c| (c.probe, c.reference)).collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resampling::Draws;
    use crate::{Comparison, Comparisons, Subjects};

    /// Thirty subjects of four samples in two data sets; every third is hard, for whoever compares.
    fn subjects() -> Subjects {
        Subjects::new((0..120).map(|s| s / 4).collect(), (0..30).map(|s| s / 20).collect()).unwrap()
    }

    fn compared(similarity: impl Fn(u32, u32, bool) -> f32) -> Comparisons {
        let subjects = subjects();
        let (mut mated, mut non_mated) = (Vec::new(), Vec::new());
        for probe in 0..120 {
            for reference in probe + 1..120 {
                let is_mated = subjects.are_mated(probe, reference);
                let similarity = similarity(probe, reference, is_mated);
                let list = if is_mated { &mut mated } else { &mut non_mated };
                list.push(Comparison { similarity, probe, reference });
            }
        }
        Comparisons::new(subjects, mated, non_mated).unwrap()
    }

    /// A comparator whose mated similarities lie `better` higher, with noise of its own.
    fn comparator(better: f32, noise: u32) -> Comparisons {
        compared(|a, b, is_mated| {
            let draw = (a * 7919 + b * 104_729 + noise * 15_485_863) % 1000;
            let hard = if a / 4 % 3 == 0 { 0.5 } else { 0.0 };
            draw as f32 / 1000.0 * 0.6 + if is_mated { 0.45 + better - hard } else { 0.0 }
        })
    }

    fn verification(better: f32, noise: u32) -> Verification {
        Verification::new(comparator(better, noise))
    }

    fn fmr(rate: f64) -> Fmr {
        Fmr::new(rate).unwrap()
    }

    #[test]
    fn nobody_differs_from_himself() {
        let one = verification(0.0, 1);
        let found = Paired::new(vec![one.clone(), one.clone()]).unwrap().measure(&[fmr(1e-2)], &Resampling::default());
        let nothing = Difference { rate: 0.0, ci95: Interval { low: 0.0, high: 0.0 } };
        assert_eq!(found.differences, [Differences { eer: nothing, fnmr_at_fmr: vec![nothing] }]);
        assert!(!nothing.is_settled());
        let alone = one.measure(&[fmr(1e-2)], &Resampling::default());
        assert_eq!(found.measures, [alone.clone(), alone.clone()]);
        assert!(alone.fnmr_at_fmr[0].ci95.high - alone.fnmr_at_fmr[0].ci95.low > 0.1, "each alone is known badly");
    }

    #[test]
    fn a_difference_is_known_better_than_its_sides() {
        let found = Paired::new(vec![verification(0.1, 1), verification(0.0, 2), verification(0.1, 3)]).unwrap();
        let found = found.measure(&[fmr(1e-2)], &Resampling::default());
        let [better, worse, alike] = [0, 1, 2].map(|i| found.measures[i].fnmr_at_fmr[0]);
        let [against_worse, against_alike] = [0, 1].map(|i| found.differences[i].fnmr_at_fmr[0]);
        assert!(better.ci95.high > worse.ci95.low, "the intervals overlap: {better:?} {worse:?}");
        assert!(against_worse.is_settled() && against_worse.ci95.low > 0.0, "{against_worse:?}");
        assert!(!against_alike.is_settled(), "{against_alike:?}");
        assert!((against_alike.rate - (alike.fnmr.value() - better.fnmr.value())).abs() < 1e-12);
    }

    /// Rates by counting at every threshold there is.
    fn by_counting(c: &Comparisons, weight: &[f32], asked: f64) -> [f64; 2] {
        let of = |list: &[Comparison], product: bool| -> Vec<(f32, f64)> {
            let one = |c: &Comparison| {
                let w = weight[c.probe as usize] * if product { weight[c.reference as usize] } else { 1.0 };
                (c.similarity, f64::from(w))
            };
            list.iter().map(one).collect()
        };
        let (mated, non_mated) = (of(c.mated(), false), of(c.non_mated(), true));
        let share = |list: &[(f32, f64)], counts: &dyn Fn(f32) -> bool| {
            let total: f64 = list.iter().map(|c| c.1).sum();
            list.iter().filter(|c| counts(c.0)).map(|c| c.1).sum::<f64>() / total
        };
        let mut thresholds: Vec<f32> = mated.iter().chain(&non_mated).map(|c| c.0).collect();
        thresholds.push(f32::INFINITY);
        thresholds.sort_by(f32::total_cmp);
        let (mut fnmr_at, mut nearest) = (1.0f64, (2.0f64, 0.0));
        for t in thresholds {
            let (fmr, fnmr) = (share(&non_mated, &|s| s >= t), share(&mated, &|s| s < t));
            if fmr <= asked * (1.0 + 1e-9) {
                fnmr_at = fnmr_at.min(fnmr);
            }
            if (fmr - fnmr).abs() < nearest.0 - 1e-12 {
                nearest = ((fmr - fnmr).abs(), f64::midpoint(fmr, fnmr));
            }
        }
        [nearest.1, fnmr_at]
    }

    #[test]
    fn the_intervals_are_those_of_counting_in_every_resample() {
        let both = [comparator(0.1, 1), comparator(0.0, 2)];
        let resampling = Resampling { seed: 5, resamples: 12 };
        let paired = Paired::new(both.iter().cloned().map(Verification::new).collect()).unwrap();
        let found = paired.measure(&[fmr(1e-2)], &resampling);
        let draws = Draws::new(&subjects(), &resampling);
        let differences: Vec<[f64; 2]> = (0..12)
            .map(|resample| {
                let weight = draws.of_samples(resample, &subjects());
                let [a, b] = [0, 1].map(|i| by_counting(&both[i], &weight, 1e-2));
                [b[0] - a[0], b[1] - a[1]]
            })
            .collect();
        for (measure, got) in [(0, found.differences[0].eer), (1, found.differences[0].fnmr_at_fmr[0])] {
            let expected = Interval::percentile(differences.iter().map(|d| d[measure]).collect());
            let apart = (got.ci95.low - expected.low).abs().max((got.ci95.high - expected.high).abs());
            assert!(apart < 1e-9, "measure {measure}: {got:?}, not {expected:?}");
        }
    }

    #[test]
    fn without_an_error_the_rule_of_three_holds_both_ways() {
        let perfect = |step: u32| {
            Verification::new(compared(|a, b, is_mated| (a + b * step) as f32 / 1e4 + f32::from(u8::from(is_mated))))
        };
        let found = Paired::new(vec![perfect(1), perfect(2)]).unwrap().measure(&[fmr(1e-2)], &Resampling::default());
        let least = 3.0 / 180.0;
        assert_eq!(found.differences[0].fnmr_at_fmr[0].ci95, Interval { low: -least, high: least });
    }

    #[test]
    fn who_is_out_of_step_is_named() {
        let whole = comparator(0.0, 1);
        let part = |drop: usize| {
            let mut mated = whole.mated().to_vec();
            mated.remove(drop);
            Verification::new(Comparisons::new(subjects(), mated, whole.non_mated().to_vec()).unwrap())
        };
        let whole = Verification::new(whole.clone());
        let error = |verifications| Paired::new(verifications).unwrap_err();
        assert_eq!(error(vec![whole.clone()]), PairedError::Few(1));
        let lacking = PairedError::Comparisons { comparator: 1, probe: 0, reference: 2 };
        assert_eq!(error(vec![whole.clone(), part(1)]), lacking);
        assert_eq!(error(vec![part(1), whole.clone()]), lacking);
        let last = PairedError::Comparisons { comparator: 2, probe: 118, reference: 119 };
        assert_eq!(error(vec![whole.clone(), whole.clone(), part(179)]), last);
        let others = Subjects::new((0..120).map(|s| s / 4).collect(), vec![0; 30]).unwrap();
        let comparisons = comparator(0.0, 1);
        let others = Comparisons::new(others, comparisons.mated().to_vec(), comparisons.non_mated().to_vec()).unwrap();
        let subjects = PairedError::Subjects { comparator: 1 };
        assert_eq!(error(vec![whole, Verification::new(others)]), subjects);
    }
}
