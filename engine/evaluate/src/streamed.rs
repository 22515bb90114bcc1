//! How are more similarities measured than memory holds? Counted twice: by their leading bits, then exactly where it matters.
//!
//! A similarity's order-preserving bits have 65,536 leading halves. The first pass counts each of them; the rates asked for
//! and the equal error rate then fall into few of these *ranges*, and the second pass counts every similarity in those.
//! All rates are exact; memory is bounded by the ranges, not by the similarities: about a mebibyte for each.

use khop_vocabulary::{Fmr, Fnmr};

use crate::curve::{allowed, crossing, highest_rejected};
use crate::{DetPoint, Eer, FnmrAtFmr, Interval, VerificationMeasures};

/// Similarities that share their leading sixteen bits: so many, and so many ranges.
const RANGE: usize = 1 << 16;
/// Points of a trade-off within one decade of FMR.
const STEPS_PER_DECADE: f64 = 60.0;

/// A similarity that is NaN or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("score {index}: expected a finite number")]
pub struct NotFinite {
    /// Its place among those given.
    pub index: usize,
}

/// The first pass over one kind of comparisons: how many similarities lie in each range.
#[derive(Clone, PartialEq, Eq)]
pub struct ScoreCounts {
    ranges: Vec<u64>,
}

impl Default for ScoreCounts {
    fn default() -> Self {
        Self { ranges: vec![0; RANGE] }
    }
}

impl ScoreCounts {
    /// Counts more similarities. About a nanosecond each.
    ///
    /// # Errors
    /// [`NotFinite`]; the counts are then of no use.
    pub fn add(&mut self, similarities: &[f32]) -> Result<(), NotFinite> {
        for (index, &similarity) in similarities.iter().enumerate() {
            if !similarity.is_finite() {
                return Err(NotFinite { index });
            }
            self.ranges[range(similarity)] += 1;
        }
        Ok(())
    }

    /// Of two parts together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.ranges.iter_mut().zip(&other.ranges).for_each(|(count, other)| *count += other);
        self
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.ranges.iter().sum()
    }
}

impl std::fmt::Debug for ScoreCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScoreCounts({})", self.total())
    }
}

/// The ranges that decide about what is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciding {
    /// Rising.
    ranges: Vec<usize>,
}

impl Deciding {
    /// The ranges in which FMR passes each rate and the two errors meet, each with the next one above it in which there
    /// is any similarity: the lowest similarity that is still accepted may lie there.
    #[must_use]
    pub fn of(mated: &ScoreCounts, non_mated: &ScoreCounts, fmrs: &[Fmr]) -> Self {
        let is_filled = |&range: &usize| mated.ranges[range] + non_mated.ranges[range] > 0;
        let mut ranges: Vec<usize> = (0..RANGE).find(is_filled).into_iter().collect();
        let totals = [mated.total() as f64, non_mated.total() as f64];
        let mut met = |is_met: &dyn Fn(f64, f64) -> bool| {
            let (mut hits, mut false_matches) = (0.0, 0.0);
            let decides = (0..RANGE).rev().find(|&range| {
                hits += mated.ranges[range] as f64;
                false_matches += non_mated.ranges[range] as f64;
                is_met(hits, false_matches)
            });
            ranges.extend(decides);
            ranges.extend(decides.and_then(|range| (range + 1..RANGE).find(is_filled)));
        };
        met(&|hits, false_matches| false_matches / totals[1] >= 1.0 - hits / totals[0]);
        for fmr in fmrs {
            let allowed = allowed(fmr.value(), totals[1]);
            met(&|_, false_matches| false_matches > allowed);
        }
        ranges.sort_unstable();
        ranges.dedup();
        Self { ranges }
    }
}

/// The second pass over one kind of comparisons: every similarity of the deciding ranges.
#[derive(Clone)]
pub struct DecidingCounts {
    /// Where a range's counts begin; `None` of those that do not decide.
    places: Vec<Option<u32>>,
    counts: Vec<u64>,
}

impl DecidingCounts {
    /// None yet.
    #[must_use]
    pub fn new(deciding: &Deciding) -> Self {
        let mut places = vec![None; RANGE];
        for (place, &range) in (0u32..).zip(&deciding.ranges) {
            places[range] = Some(place);
        }
        Self { places, counts: vec![0; deciding.ranges.len() * RANGE] }
    }

    /// Counts more similarities, the same as before. About a nanosecond each.
    pub fn add(&mut self, similarities: &[f32]) {
        for &similarity in similarities {
            if let Some(place) = self.places[range(similarity)] {
                self.counts[place as usize * RANGE + key(similarity) as usize % RANGE] += 1;
            }
        }
    }

    /// Of two parts together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
        self
    }

    /// Similarities and their counts, rising: each one in the deciding ranges, the low end of the others.
    fn counted(&self, all: &ScoreCounts) -> Vec<(f32, u64)> {
        let mut counted = Vec::new();
        for (range, &count) in all.ranges.iter().enumerate() {
            let low = range * RANGE;
            match self.places[range] {
                Some(place) => {
                    let counts = &self.counts[place as usize * RANGE..][..RANGE];
                    let each = counts.iter().enumerate().filter(|(_, count)| **count > 0);
                    counted.extend(each.map(|(offset, &count)| (similarity((low + offset) as u32), count)));
                }
                None if count > 0 => counted.push((similarity(low as u32), count)),
                None => {}
            }
        }
        counted
    }
}

impl std::fmt::Debug for DecidingCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DecidingCounts({} ranges)", self.counts.len() / RANGE)
    }
}

/// Both kinds of comparisons, counted twice. Subjects are not known.
#[derive(Debug, Clone)]
pub struct Streamed {
    /// Ascending.
    mated: Vec<(f32, u64)>,
    /// Ascending.
    non_mated: Vec<(f32, u64)>,
    totals: [u64; 2],
}

impl Streamed {
    /// Of both passes; `None` where there is no similarity of one kind.
    #[must_use]
    pub fn new(mated: (&ScoreCounts, &DecidingCounts), non_mated: (&ScoreCounts, &DecidingCounts)) -> Option<Self> {
        let totals = [mated.0.total(), non_mated.0.total()];
        let [mated, non_mated] = [mated, non_mated].map(|(all, deciding)| deciding.counted(all));
        (!mated.is_empty() && !non_mated.is_empty()).then_some(Self { mated, non_mated, totals })
    }

    /// Mated comparisons.
    #[must_use]
    pub fn mated(&self) -> u64 {
        self.totals[0]
    }

    /// Non-mated comparisons.
    #[must_use]
    pub fn non_mated(&self) -> u64 {
        self.totals[1]
    }

    /// EER, and FNMR at each FMR the ranges were chosen for: the same to the last count as
    /// [`Verification`](crate::Verification) measures of the same similarities. Intervals are binomial (Clopper–Pearson),
    /// the equal error rate's that of the FNMR there: too narrow where comparisons share subjects.
    #[must_use]
    pub fn measure(&self, fmrs: &[Fmr]) -> VerificationMeasures {
        let [mated, non_mated] = self.totals;
        let equal = crossing(descending(&self.mated), mated as f64, descending(&self.non_mated), non_mated as f64);
        let interval = |errors: u64| Interval::clopper_pearson(errors, mated);
        let eer = Eer {
            rate: equal.rate,
            threshold: equal.threshold,
            ci95: interval(mated - at_or_above(&self.mated, equal.threshold)),
        };
        let line = |&asked: &Fmr| {
            let rejected = highest_rejected(descending(&self.non_mated), allowed(asked.value(), non_mated as f64));
            let threshold = self.lowest_above(rejected);
            let false_matches = at_or_above(&self.non_mated, threshold);
            let errors = mated - at_or_above(&self.mated, threshold);
            FnmrAtFmr {
                asked,
                threshold,
                fmr: Fmr::new(false_matches as f64 / non_mated as f64).expect("a part of the whole"),
                false_matches,
                fnmr: Fnmr::new(errors as f64 / mated as f64).expect("a part of the whole"),
                errors,
                mated,
                ci95: interval(errors),
                binomial95: interval(errors),
            }
        };
        VerificationMeasures { eer, fnmr_at_fmr: fmrs.iter().map(line).collect() }
    }

    /// The detection error trade-off, at up to sixty ends of ranges within a decade of FMR.
    #[must_use]
    pub fn det(&self) -> Vec<DetPoint> {
        let [mated, non_mated] = self.totals.map(|total| total as f64);
        let (mut points, mut accepted, mut next) = (Vec::new(), 0u64, 0.0);
        let mut mates = self.mated.iter().rev().peekable();
        let mut hits = 0u64;
        for &(threshold, count) in self.non_mated.iter().rev() {
            accepted += count;
            while let Some((_, count)) = mates.next_if(|(similarity, _)| *similarity >= threshold) {
                hits += count;
            }
            if accepted as f64 >= next {
                let (false_positive, false_negative) = (accepted as f64 / non_mated, 1.0 - hits as f64 / mated);
                points.push(DetPoint { threshold, false_positive, false_negative });
                next = accepted as f64 * 10f64.powf(1.0 / STEPS_PER_DECADE);
            }
        }
        points
    }

    /// The lowest similarity observed above this one, or just above it when there is none; without one, the lowest.
    fn lowest_above(&self, rejected: Option<f32>) -> f32 {
        let lowest = |list: &[(f32, u64)]| {
            let from = rejected.map_or(0, |rejected| list.partition_point(|(similarity, _)| *similarity <= rejected));
            list.get(from).map(|(similarity, _)| *similarity)
        };
        let lowest = [lowest(&self.mated), lowest(&self.non_mated)].into_iter().flatten().min_by(f32::total_cmp);
        lowest.or(rejected.map(f32::next_up)).expect("without a rejected one all are left, and neither list is empty")
    }
}

fn descending(list: &[(f32, u64)]) -> impl Iterator<Item = (f32, f64)> + '_ {
    list.iter().rev().map(|&(similarity, count)| (similarity, count as f64))
}

fn at_or_above(list: &[(f32, u64)], threshold: f32) -> u64 {
    list[list.partition_point(|(similarity, _)| *similarity < threshold)..].iter().map(|(_, count)| count).sum()
}

fn range(similarity: f32) -> usize {
    (key(similarity) >> 16) as usize
}

/// Bits that rise as similarities rise; both zeros have the same.
fn key(similarity: f32) -> u32 {
    let bits = (similarity + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// The similarity of a key.
fn similarity(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Comparison, Comparisons, Resampling, Subjects, Verification};
    use proptest::prelude::*;

    fn streamed(mated: &[f32], non_mated: &[f32], fmrs: &[Fmr]) -> Streamed {
        let count = |list: &[f32]| {
            let parts = list.chunks(7).map(|part| {
                let mut counts = ScoreCounts::default();
                counts.add(part).unwrap();
                counts
            });
            parts.fold(ScoreCounts::default(), |all, part| all.and(&part))
        };
        let coarse = [count(mated), count(non_mated)];
        let deciding = Deciding::of(&coarse[0], &coarse[1], fmrs);
        let fine = [mated, non_mated].map(|list| {
            let parts = list.chunks(5).map(|part| {
                let mut counts = DecidingCounts::new(&deciding);
                counts.add(part);
                counts
            });
            parts.fold(DecidingCounts::new(&deciding), |all, part| all.and(&part))
        });
        Streamed::new((&coarse[0], &fine[0]), (&coarse[1], &fine[1])).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn keys_keep_the_order(a: f32, b: f32) {
            prop_assume!(a.is_finite() && b.is_finite());
            prop_assert_eq!(a.partial_cmp(&b), Some(key(a).cmp(&key(b))));
            prop_assert_eq!(similarity(key(a)), a);
        }

        /// To the last count, with ties within and between the lists, zeros of both signs, and ranges near and far.
        #[test]
        fn measures_what_all_in_memory_do(
            mated in prop::collection::vec((-30i32..60, 0u8..4), 1..120),
            non_mated in prop::collection::vec((-60i32..30, 0u8..4), 1..200),
        ) {
            // Steps within one range, steps of ranges, and few distinct values.
            let value = |&(step, kind): &(i32, u8)| match kind {
                0 => step as f32 * 1e-6 + 0.5,
                1 => step as f32 * 0.05,
                2 => (step / 20) as f32,
                _ => -0.0,
            };
            let [mated, non_mated] = [&mated, &non_mated].map(|list| list.iter().map(value).collect::<Vec<f32>>());
            let fmrs = [1.0, 0.3, 0.1, 0.01].map(|rate| Fmr::new(rate).unwrap());
            let streamed = streamed(&mated, &non_mated, &fmrs);
            let comparison = |reference| move |&similarity: &f32| Comparison { similarity: similarity + 0.0, probe: 0, reference };
            let subjects = Subjects::new(vec![0, 0, 1], vec![0, 0]).unwrap();
            let lists = [mated.iter().map(comparison(1)).collect(), non_mated.iter().map(comparison(2)).collect()];
            let [mated, non_mated] = lists;
            let whole = Verification::new(Comparisons::new(subjects, mated, non_mated).unwrap());
            let wanted = whole.measure(&fmrs, &Resampling { seed: 1, resamples: 1 });
            let found = streamed.measure(&fmrs);
            prop_assert_eq!((found.eer.rate, found.eer.threshold), (wanted.eer.rate, wanted.eer.threshold));
            for (found, wanted) in found.fnmr_at_fmr.iter().zip(&wanted.fnmr_at_fmr) {
                let counts = |line: &FnmrAtFmr| (line.threshold, line.errors, line.false_matches, line.fnmr, line.fmr);
                prop_assert_eq!(counts(found), counts(wanted));
                prop_assert_eq!(found.binomial95, wanted.binomial95);
            }
            for point in streamed.det() {
                prop_assert_eq!(point.false_positive, whole.fmr(point.threshold).value());
                prop_assert!((point.false_negative - whole.fnmr(point.threshold).value()).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn what_is_no_number_is_named() {
        let mut counts = ScoreCounts::default();
        assert_eq!(counts.add(&[0.5, f32::NAN]), Err(NotFinite { index: 1 }));
        assert_eq!(counts.add(&[f32::INFINITY]), Err(NotFinite { index: 0 }));
    }
}
