//! How often does a search miss the mate, or return a stranger? FNIR(N, R, T), FPIR(N, T), rank, selectivity.

use ndarray::Array1;
use rayon::prelude::*;

use khop_vocabulary::{Fnir, Fpir};

use crate::curve::{allowed, det, highest_rejected};
use crate::resampling::Draws;
use crate::{Counted, DetPoint, Interval, Resampling, Subjects};

/// How many of a search's strangers are kept, best first: the longest candidate list that can be evaluated.
pub const CANDIDATES: usize = 50;

/// A rate is measured only where at least this many errors are expected among the searches made.
pub const ERRORS_WORTH: f64 = 10.0;

/// One search of a gallery, with its probe's own subject set apart.
///
/// The same comparisons serve twice: with the mate in the gallery as a mated search, without it as a non-mated one.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Index of the probe sample.
    pub probe: u32,
    /// The subject's own reference, unless the probe itself is that reference.
    pub mate: Option<Mate>,
    /// Similarities of the references of other subjects, best first, at most [`CANDIDATES`].
    pub strangers: Vec<f32>,
}

/// Where the mate came out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mate {
    /// Similarity of the mate.
    pub similarity: f32,
    /// 1 + strangers at least as similar: ties count against the mate.
    pub rank: u32,
}

impl Search {
    /// A search that compared its probe with one reference per subject. `mate` is the similarity of the probe's own
    /// subject, if that is a search of its own; `strangers` are the others in any order.
    #[must_use]
    pub fn new(probe: u32, mate: Option<f32>, mut strangers: Vec<f32>) -> Self {
        let at_least = |similarity: f32| strangers.iter().filter(|&&s| s >= similarity).count() as u32;
        let mate = mate.map(|similarity| Mate { similarity, rank: 1 + at_least(similarity) });
        if strangers.len() > CANDIDATES {
            strangers.select_nth_unstable_by(CANDIDATES, |a, b| b.total_cmp(a));
            strangers.truncate(CANDIDATES);
        }
        strangers.sort_unstable_by(|a, b| b.total_cmp(a));
        strangers.shrink_to_fit();
        Self { probe, mate, strangers }
    }
}

/// Searches of galleries of comparable size, ready to be measured.
#[derive(Debug, Clone)]
pub struct Identification {
    subjects: Subjects,
    references: u64,
    /// Mates by ascending similarity, with the probe.
    mates: Vec<(Mate, u32)>,
    /// The best stranger of each search by descending similarity, with the probe.
    best: Vec<(f32, u32)>,
    /// All kept strangers, descending.
    strangers: Vec<f32>,
}

/// Why searches cannot be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SearchesError {
    /// No search had its mate in the gallery.
    #[error("expected at least one mated search, got none")]
    NoMatedSearch,
    /// No search met a stranger.
    #[error("expected at least one search among other subjects, got none")]
    NoNonMatedSearch,
    /// A search whose probe has no subject.
    #[error("search {index}: expected a probe below {samples}")]
    UnknownSample {
        /// Index of the search.
        index: usize,
        /// How many samples there are.
        samples: usize,
    },
    /// A similarity that is NaN or infinite.
    #[error("search {index}: expected finite similarities")]
    NotFinite {
        /// Index of the search.
        index: usize,
    },
}

/// The lowest FNIR among all thresholds whose FPIR does not exceed what was asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FnirAtFpir {
    /// The FPIR asked for.
    pub asked: Fpir,
    /// What was measured; `None` where fewer than [`ERRORS_WORTH`] errors are expected among the searches made.
    pub measured: Option<MeasuredFnir>,
}

/// What was measured at one FPIR.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuredFnir {
    /// The lowest best-stranger or mate similarity still returned.
    pub threshold: f32,
    /// The FPIR there.
    pub fpir: Fpir,
    /// Non-mated searches that return somebody.
    pub false_positives: u64,
    /// The FNIR there.
    pub fnir: Fnir,
    /// Mated searches that do not return the mate.
    pub errors: u64,
    /// Mean number of candidates a non-mated search returns there (of at most [`CANDIDATES`]).
    pub selectivity: f64,
    /// Of the FNIR: bootstrap over the probes' subjects, gallery held; without an error at least the rule of three.
    pub ci95: Interval,
    /// Of the FNIR: Clopper–Pearson, as if searches were independent.
    pub binomial95: Interval,
}

impl Identification {
    /// Sorts what is needed. `references` is the gallery size N (the mean, when several galleries are pooled).
    ///
    /// # Errors
    /// [`SearchesError`] names the first search that is wrong.
    pub fn new(subjects: Subjects, references: u64, searches: &[Search]) -> Result<Self, SearchesError> {
        let samples = subjects.samples();
        for (index, search) in searches.iter().enumerate() {
            if search.probe as usize >= samples {
                return Err(SearchesError::UnknownSample { index, samples });
            }
            if !search.mate.iter().map(|m| &m.similarity).chain(&search.strangers).all(|s| s.is_finite()) {
                return Err(SearchesError::NotFinite { index });
            }
        }
        let mut mates: Vec<_> = searches.iter().filter_map(|s| Some((s.mate?, s.probe))).collect();
        let mut best: Vec<_> = searches.iter().filter_map(|s| Some((*s.strangers.first()?, s.probe))).collect();
        let mut strangers: Vec<_> = searches.iter().flat_map(|s| s.strangers.iter().copied()).collect();
        if mates.is_empty() {
            return Err(SearchesError::NoMatedSearch);
        }
        if best.is_empty() {
            return Err(SearchesError::NoNonMatedSearch);
        }
        mates.sort_by(|a, b| a.0.similarity.total_cmp(&b.0.similarity));
        best.sort_by(|a, b| b.0.total_cmp(&a.0));
        strangers.sort_unstable_by(|a, b| b.total_cmp(a));
        Ok(Self { subjects, references, mates, best, strangers })
    }

    /// References in the gallery, N.
    #[must_use]
    pub fn references(&self) -> u64 {
        self.references
    }

    /// Searches whose mate is in the gallery.
    #[must_use]
    pub fn mated(&self) -> u64 {
        self.mates.len() as u64
    }

    /// Searches without a mate in the gallery.
    #[must_use]
    pub fn non_mated(&self) -> u64 {
        self.best.len() as u64
    }

    /// FNIR(N, R, T): mated searches whose mate is below the threshold or beyond rank R (`None`: any rank).
    #[must_use]
    pub fn fnir(&self, rank: Option<u32>, threshold: f32) -> Fnir {
        let missed = self.mates.iter().filter(|(m, _)| m.similarity < threshold || rank.is_some_and(|r| m.rank > r));
        Fnir::new(missed.count() as f64 / self.mates.len() as f64).expect("a part of the whole")
    }

    /// FPIR(N, T): non-mated searches that return somebody.
    #[must_use]
    pub fn fpir(&self, threshold: f32) -> Fpir {
        let returned = self.best.partition_point(|b| b.0 >= threshold);
        Fpir::new(returned as f64 / self.best.len() as f64).expect("a part of the whole")
    }

    /// Mean number of candidates of a non-mated search (of at most [`CANDIDATES`]).
    #[must_use]
    pub fn selectivity(&self, threshold: f32) -> f64 {
        self.strangers.partition_point(|&s| s >= threshold) as f64 / self.best.len() as f64
    }

    /// Share of mated searches whose mate is beyond rank 1, 2, … `ranks`: one minus the CMC.
    #[must_use]
    pub fn misses(&self, ranks: u32) -> Vec<Fnir> {
        (1..=ranks).map(|rank| self.fnir(Some(rank), f32::NEG_INFINITY)).collect()
    }

    /// The trade-off of FPIR against FNIR at any rank.
    #[must_use]
    pub fn det(&self) -> Vec<DetPoint> {
        let mates: Vec<f32> = self.mates.iter().map(|(m, _)| m.similarity).collect();
        det(&mates, &self.best.iter().map(|b| b.0).collect::<Vec<_>>())
    }

    /// Mated searches whose mate is not in the first place, with intervals.
    #[must_use]
    pub fn rank1_miss(&self, resampling: &Resampling) -> Counted {
        let trials: Vec<(u32, bool)> = self.mates.iter().map(|&(mate, probe)| (probe, mate.rank > 1)).collect();
        Counted::of_samples(&self.subjects, &trials, resampling).expect("there is at least one mated search")
    }

    /// Mated searches of which the mate is below the threshold or beyond the rank, among those whose probe is wanted.
    /// `None` without such a search.
    #[must_use]
    pub fn false_negatives(
        &self,
        rank: Option<u32>,
        threshold: f32,
        is_wanted: impl Fn(u32) -> bool,
        resampling: &Resampling,
    ) -> Option<Counted> {
        let is_missed = |mate: &Mate| mate.similarity < threshold || rank.is_some_and(|r| mate.rank > r);
        let wanted = self.mates.iter().filter(|(_, probe)| is_wanted(*probe));
        let trials: Vec<(u32, bool)> = wanted.map(|(mate, probe)| (*probe, is_missed(mate))).collect();
        Counted::of_samples(&self.subjects, &trials, resampling)
    }

    /// Non-mated searches that return somebody, among those whose probe is wanted. `None` without such a search.
    #[must_use]
    pub fn false_positives(
        &self,
        threshold: f32,
        is_wanted: impl Fn(u32) -> bool,
        resampling: &Resampling,
    ) -> Option<Counted> {
        let wanted = self.best.iter().filter(|(_, probe)| is_wanted(*probe));
        let trials: Vec<(u32, bool)> = wanted.map(|&(best, probe)| (probe, best >= threshold)).collect();
        Counted::of_samples(&self.subjects, &trials, resampling)
    }

    /// FNIR at each FPIR, within rank `rank` (`None`: any), with intervals.
    #[must_use]
    pub fn measure(&self, fpirs: &[Fpir], rank: Option<u32>, resampling: &Resampling) -> Vec<FnirAtFpir> {
        let line = |&asked: &Fpir| {
            let enough = asked.value() * self.best.len() as f64 >= ERRORS_WORTH;
            FnirAtFpir { asked, measured: enough.then(|| self.measure_one(asked, rank, resampling)) }
        };
        fpirs.iter().map(line).collect()
    }

    fn measure_one(&self, asked: Fpir, rank: Option<u32>, resampling: &Resampling) -> MeasuredFnir {
        let ones = |&(similarity, _): &(f32, u32)| (similarity, 1.0);
        let rejected = highest_rejected(self.best.iter().map(ones), allowed(asked.value(), self.best.len() as f64));
        let threshold = rejected.map_or(f32::NEG_INFINITY, |r| self.lowest_above(r));
        let resampled = self.resampled(resampling, |weights| {
            let best = self.best.iter().map(|&(similarity, probe)| (similarity, weights.of(probe)));
            let rejected = highest_rejected(best, allowed(asked.value(), weights.non_mated));
            let is_missed = |m: &Mate| rejected.is_some_and(|r| m.similarity <= r) || rank.is_some_and(|r| m.rank > r);
            let missed = self.mates.iter().filter(|(m, _)| is_missed(m));
            missed.map(|m| weights.of(m.1)).sum::<f64>() / weights.mated
        });
        let fnir = self.fnir(rank, threshold);
        let errors = (fnir.value() * self.mates.len() as f64).round() as u64;
        MeasuredFnir {
            threshold,
            fpir: self.fpir(threshold),
            false_positives: self.best.partition_point(|b| b.0 >= threshold) as u64,
            fnir,
            errors,
            selectivity: self.selectivity(threshold),
            ci95: Interval::percentile(resampled).rule_of_three(errors, self.mated()),
            binomial95: Interval::clopper_pearson(errors, self.mated()),
        }
    }

    /// The lowest similarity of a mate or a best stranger above this one, or just above it when there is none.
    fn lowest_above(&self, rejected: f32) -> f32 {
        let mate = self.mates.get(self.mates.partition_point(|(m, _)| m.similarity <= rejected));
        let above = self.best.partition_point(|b| b.0 > rejected);
        let best = above.checked_sub(1).map(|last| self.best[last].0);
        let lowest = mate.map(|m| m.0.similarity).into_iter().chain(best).min_by(f32::total_cmp);
        lowest.unwrap_or_else(|| rejected.next_up())
    }

    fn resampled(&self, resampling: &Resampling, measure: impl Fn(&Weights) -> f64 + Sync) -> Vec<f64> {
        let draws = Draws::new(&self.subjects, resampling);
        let count = |probes: &mut dyn Iterator<Item = u32>| {
            let mut trials = Array1::<f32>::zeros(self.subjects.count());
            probes.for_each(|p| trials[self.subjects.of(p) as usize] += 1.0);
            draws.totals(&trials)
        };
        let mated = count(&mut self.mates.iter().map(|m| m.1));
        let non_mated = count(&mut self.best.iter().map(|b| b.1));
        let one = |resample: usize| {
            let of_sample = draws.of_samples(resample, &self.subjects);
            measure(&Weights { of_sample, mated: mated[resample], non_mated: non_mated[resample] })
        };
        (0..draws.resamples()).into_par_iter().map(one).collect()
    }
}

/// Weights of one resample: per sample, with the totals of both kinds of search.
struct Weights {
    of_sample: Vec<f32>,
    mated: f64,
    non_mated: f64,
}

impl Weights {
    fn of(&self, probe: u32) -> f64 {
        f64::from(self.of_sample[probe as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three subjects with two samples each; gallery = samples 0, 2, 4.
    fn subjects() -> Subjects {
        Subjects::new(vec![0, 0, 1, 1, 2, 2], vec![0, 0, 0]).unwrap()
    }

    #[test]
    fn three_people_by_hand() {
        let searches = [
            Search::new(0, None, vec![0.1, 0.2]),
            Search::new(1, Some(0.9), vec![0.3, 0.1]),
            Search::new(2, None, vec![0.1, 0.4]),
            Search::new(3, Some(0.35), vec![0.4, 0.1]),
            Search::new(4, None, vec![0.2, 0.4]),
            Search::new(5, Some(0.4), vec![0.1, 0.4]),
        ];
        let all = Identification::new(subjects(), 3, &searches).unwrap();
        assert_eq!((all.mated(), all.non_mated(), all.references()), (3, 6, 3));
        let third = |n: f64| Fnir::new(n / 3.0).unwrap();
        assert_eq!(all.misses(3), [third(2.0), third(0.0), third(0.0)]); // the tie counts against the mate
        assert_eq!(all.fnir(None, 0.4), third(1.0));
        assert_eq!(all.fnir(Some(1), 0.3), third(2.0));
        assert_eq!(all.fpir(0.3).value(), 5.0 / 6.0);
        assert_eq!(all.selectivity(0.2), 7.0 / 6.0);
        assert_eq!(all.rank1_miss(&Resampling::default()).errors, 2);
    }

    #[test]
    fn too_few_searches_give_no_rate() {
        let mut searches = Vec::new();
        for i in 0..1000 {
            searches.push(Search::new(i % 6, Some(0.5 + i as f32 / 1e4), vec![0.1 + i as f32 / 2e3]));
        }
        let all = Identification::new(subjects(), 2, &searches).unwrap();
        let rates = [0.01, 0.009].map(|r| Fpir::new(r).unwrap());
        let [measured, refused] = all.measure(&rates, None, &Resampling::default())[..] else { panic!("two lines") };
        assert_eq!(refused.measured, None);
        let measured = measured.measured.unwrap();
        // Ten strangers of 1000 may pass: the 11th best is 0.1 + 989/2000 = 0.5945, so mates up to there are missed.
        assert_eq!((measured.false_positives, measured.errors), (10, 946));
        assert_eq!(measured.fnir, Fnir::new(0.946).unwrap());
        assert!(measured.ci95.low <= 0.946 && measured.ci95.high >= 0.946 && measured.ci95.low < measured.ci95.high);
    }

    #[test]
    fn long_lists_are_cut_but_ranks_are_not() {
        let search = Search::new(1, Some(0.05), (0..500).map(|i| i as f32 / 1e3).collect());
        assert_eq!(search.mate.unwrap().rank, 451);
        assert_eq!(search.strangers.len(), CANDIDATES);
        assert_eq!(search.strangers[0], 0.499);
        assert_eq!(search.strangers[CANDIDATES - 1], 0.45);
    }

    #[test]
    fn bad_searches_are_named() {
        let new = |searches: &[Search]| Identification::new(subjects(), 3, searches).map(|_| ()).unwrap_err();
        assert_eq!(new(&[Search::new(0, None, vec![0.1])]), SearchesError::NoMatedSearch);
        assert_eq!(new(&[Search::new(0, Some(0.1), vec![])]), SearchesError::NoNonMatedSearch);
        assert_eq!(new(&[Search::new(6, Some(0.1), vec![])]), SearchesError::UnknownSample { index: 0, samples: 6 });
        assert_eq!(new(&[Search::new(0, Some(f32::NAN), vec![])]), SearchesError::NotFinite { index: 0 });
    }
}
