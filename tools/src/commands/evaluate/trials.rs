//! Which comparisons are made, and how fast? All of an evaluation, on all threads.

use std::ops::Range;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use khop_evaluate::{Comparison, Comparisons, Search};
use ndarray::Array2;
use rayon::prelude::*;

use super::samples::{Dataset, Samples};
use super::searched::search;
use crate::failure::Failure;

/// A comparator over prepared samples.
pub trait Comparing: Sync {
    type Probe;
    type Scratch;

    fn scratch(&self) -> Self::Scratch;

    /// Prepares a sample as a probe; `None` when it failed to enrol.
    fn probe(&self, sample: usize) -> Option<Self::Probe>;

    /// Compares with the references in this range; those that failed to enrol get 0.
    fn compare(&self, scratch: &mut Self::Scratch, probe: &Self::Probe, references: Range<usize>, out: &mut [f32]);

    /// Compares as a search does: the best candidates may be compared anew, more precisely.
    fn search(&self, scratch: &mut Self::Scratch, probe: &Self::Probe, references: Range<usize>, out: &mut [f32]) {
        self.compare(scratch, probe, references, out);
    }

    /// Samples that failed to enrol.
    fn failures(&self) -> usize;
}

/// Which samples of different subjects are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Impostors {
    /// All within a data set.
    All,
    /// Each subject's first sample only, as in the Fingerprint Verification Competitions.
    Fvc,
}

/// Time spent comparing, summed over threads; probes were prepared before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Effort {
    pub comparisons: u64,
    pub busy: Duration,
}

impl Effort {
    pub fn per_second_and_core(self) -> f64 {
        self.comparisons as f64 / self.busy.as_secs_f64().max(1e-9)
    }

    fn and(self, other: Self) -> Self {
        Self { comparisons: self.comparisons + other.comparisons, busy: self.busy + other.busy }
    }
}

/// Every pair of samples within each data set once, the earlier sample as the probe.
pub fn compare_pairs<C: Comparing>(
    samples: &Samples,
    comparing: &C,
    impostors: Impostors,
) -> Result<(Comparisons, Effort), Failure> {
    let is_made = |probe: usize, reference: usize, dataset: &Dataset| {
        impostors == Impostors::All
            || samples.of(probe) == samples.of(reference)
            || dataset.gallery.contains(&probe) && dataset.gallery.contains(&reference)
    };
    let row = |dataset: &Dataset, probe: usize, run: &mut Run<'_, C>| {
        let (mut mated, mut non_mated) = (Vec::new(), Vec::new());
        let later = probe + 1..dataset.samples.end;
        for references in stretches(later, |reference| is_made(probe, reference, dataset)) {
            let first = references.start;
            for (offset, &similarity) in run.time(references, C::compare).iter().enumerate() {
                let reference = first + offset;
                let list = if samples.of(probe) == samples.of(reference) { &mut mated } else { &mut non_mated };
                list.push(Comparison { similarity, probe: probe as u32, reference: reference as u32 });
            }
        }
        (mated, non_mated)
    };
    let (rows, effort) = each_probe(samples, comparing, row);
    let (mut mated, mut non_mated) = (Vec::new(), Vec::new());
    non_mated.reserve_exact(rows.iter().map(|r| r.1.len()).sum());
    for (m, n) in rows {
        mated.extend(m);
        non_mated.extend(n);
    }
    let comparisons = Comparisons::new(samples.subjects.clone(), mated, non_mated)?;
    Ok((comparisons, effort))
}

/// Every sample compared with its data set's gallery: by data set, a row a sample and a column a reference.
pub fn compare_with_galleries<C: Comparing>(
    samples: &Samples,
    comparing: &C,
) -> Result<(Vec<Array2<f32>>, Effort), Failure> {
    let row = |dataset: &Dataset, _, run: &mut Run<'_, C>| run.time(dataset.gallery.clone(), C::search).to_vec();
    let (rows, effort) = each_probe(samples, comparing, row);
    let mut rows = rows.into_iter();
    let mut matrices = Vec::new();
    for dataset in &samples.datasets {
        let shape = (dataset.samples.len(), dataset.gallery.len());
        let values = rows.by_ref().take(shape.0).flatten().collect();
        matrices.push(Array2::from_shape_vec(shape, values)?);
    }
    Ok((matrices, effort))
}

/// Every sample searched for in parts of its data set's gallery, each of `size` references, at most `parts` of them; and
/// how many seconds each search took. Data sets with fewer references are passed over.
pub fn search_parts<C: Comparing>(
    samples: &Samples,
    comparing: &C,
    size: usize,
    parts: usize,
) -> (Vec<Search>, Vec<f64>) {
    let row = |dataset: &Dataset, probe, run: &mut Run<'_, C>| {
        let firsts = dataset.gallery.clone().step_by(size).filter(|first| first + size <= dataset.gallery.end);
        let in_part = |first: usize| {
            let (references, before) = (first..first + size, run.effort.busy);
            let similarities = run.time(references.clone(), C::search).to_vec();
            let spent = run.probe.is_some().then(|| (run.effort.busy - before).as_secs_f64());
            (search(samples, probe, references, similarities), spent)
        };
        firsts.take(parts).map(in_part).collect::<Vec<_>>()
    };
    let (rows, _) = each_probe(samples, comparing, row);
    let (searches, seconds): (Vec<Search>, Vec<Option<f64>>) = rows.into_iter().flatten().unzip();
    (searches, seconds.into_iter().flatten().collect())
}

/// One probe's comparisons, timed.
struct Run<'a, C: Comparing> {
    comparing: &'a C,
    scratch: C::Scratch,
    probe: Option<C::Probe>,
    out: Vec<f32>,
    effort: Effort,
}

impl<C: Comparing> Run<'_, C> {
    fn time(
        &mut self,
        references: Range<usize>,
        compare: impl FnOnce(&C, &mut C::Scratch, &C::Probe, Range<usize>, &mut [f32]),
    ) -> &[f32] {
        self.out.clear();
        self.out.resize(references.len(), 0.0);
        if let Some(probe) = &self.probe {
            let started = Instant::now();
            self.effort.comparisons += references.len() as u64;
            compare(self.comparing, &mut self.scratch, probe, references, &mut self.out);
            self.effort.busy += started.elapsed();
        }
        &self.out
    }
}

/// Runs `row` for every sample of every data set, in parallel; results in the order of the samples.
fn each_probe<C: Comparing, T: Send>(
    samples: &Samples,
    comparing: &C,
    row: impl Fn(&Dataset, usize, &mut Run<'_, C>) -> T + Sync,
) -> (Vec<T>, Effort) {
    let progress = progress(samples.names.len() as u64);
    let probes: Vec<(&Dataset, usize)> =
        samples.datasets.iter().flat_map(|d| d.samples.clone().map(move |probe| (d, probe))).collect();
    let one = |(dataset, probe): (&Dataset, usize)| {
        let mut run = Run {
            comparing,
            scratch: comparing.scratch(),
            probe: comparing.probe(probe),
            out: Vec::new(),
            effort: Effort::default(),
        };
        let made = row(dataset, probe, &mut run);
        progress.inc(1);
        (made, run.effort)
    };
    let made: Vec<(T, Effort)> = probes.into_par_iter().map(one).collect();
    progress.finish_and_clear();
    let effort = made.iter().fold(Effort::default(), |sum, (_, effort)| sum.and(*effort));
    (made.into_iter().map(|(row, _)| row).collect(), effort)
}

/// On standard error; invisible when that is no terminal.
fn progress(probes: u64) -> ProgressBar {
    let template = "comparing {wide_bar} {pos}/{len} probes, {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(probes).with_style(style)
}

/// The parts of a range in which every member is wanted.
fn stretches(range: Range<usize>, is_wanted: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for member in range.filter(|&member| is_wanted(member)) {
        match found.last_mut() {
            Some(last) if last.end == member => last.end += 1,
            _ => found.push(member..member + 1),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::samples::Entry;
    use super::super::searched::searches;
    use super::*;

    /// Similarity = 100 · probe + reference; sample 3 failed to enrol.
    struct Tens;

    impl Comparing for Tens {
        type Probe = usize;
        type Scratch = ();

        fn scratch(&self) {}

        fn probe(&self, sample: usize) -> Option<usize> {
            (sample != 3).then_some(sample)
        }

        fn compare(&self, (): &mut (), probe: &usize, references: Range<usize>, out: &mut [f32]) {
            for (reference, out) in references.zip(out) {
                *out = if reference == 3 { 0.0 } else { (100 * probe + reference) as f32 };
            }
        }

        fn failures(&self) -> usize {
            1
        }
    }

    /// One data set of three subjects with two samples each: gallery 0, 1, 2; the others 3, 4, 5.
    fn samples() -> Samples {
        let entry = |subject: u32, number: u32| Entry {
            dataset: "d".into(),
            stratum: "d".into(),
            subject: subject.to_string(),
            number: number.to_string(),
            name: format!("{subject}_{number}"),
        };
        let entries: Vec<Entry> = (0..3).flat_map(|s| (1..3).map(move |n| entry(s, n))).collect();
        Samples::arrange(&entries).unwrap().0
    }

    fn made(list: &[Comparison]) -> Vec<(u32, u32, f32)> {
        list.iter().map(|c| (c.probe, c.reference, c.similarity)).collect()
    }

    #[test]
    fn pairs_once_within_a_data_set() {
        let (all, effort) = compare_pairs(&samples(), &Tens, Impostors::All).unwrap();
        assert_eq!(made(all.mated()), [(0, 3, 0.0), (1, 4, 104.0), (2, 5, 205.0)]);
        assert_eq!(all.non_mated().len(), 12);
        assert_eq!(made(&all.non_mated()[9..11]), [(3, 4, 0.0), (3, 5, 0.0)]);
        assert_eq!(effort.comparisons, 13, "a probe that failed to enrol costs nothing");
    }

    #[test]
    fn first_impressions_only() {
        let (fvc, _) = compare_pairs(&samples(), &Tens, Impostors::Fvc).unwrap();
        assert_eq!(fvc.mated().len(), 3);
        assert_eq!(made(fvc.non_mated()), [(0, 1, 1.0), (0, 2, 2.0), (1, 2, 102.0)]);
    }

    #[test]
    fn searches_leave_their_own_subject_out() {
        let samples = samples();
        let (matrices, effort) = compare_with_galleries(&samples, &Tens).unwrap();
        assert_eq!((matrices[0].dim(), effort.comparisons), ((6, 3), 15));
        let searches = searches(&samples, &samples.datasets[0], &matrices[0]).searches;
        assert_eq!(searches[0], Search::new(0, None, vec![1.0, 2.0]));
        assert_eq!(searches[4], Search::new(4, Some(401.0), vec![400.0, 402.0]));
        assert_eq!(searches[4].mate.unwrap().rank, 2);
        assert_eq!(searches[3].mate.unwrap().rank, 3, "a failure to enrol ties with everybody and comes last");
    }

    #[test]
    fn stretches_are_maximal() {
        assert_eq!(stretches(2..9, |i| i % 4 != 0), [2..4, 5..8]);
        assert!(stretches(0..3, |_| false).is_empty());
    }
}
