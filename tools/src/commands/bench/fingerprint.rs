//! How fast are fingerprint comparisons? Mated and non-mated with the probe prepared, and the preparing itself.

use std::hint::black_box;
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use khop_evaluate::synth::{Population, PopulationOptions};
use khop_fingerprint::{Comparator, Probe, Reference, Template, code};

use super::figures::Figures;
use super::stopwatch::{Spent, Stopwatch, median};
use crate::commands::evaluate::fingers::Fingers;
use crate::failure::Failure;

/// Measure comparisons of fingerprints on one core.
///
/// On synthetic prints, or on the records of a manifest as `khop evaluate` reads them. The probe is prepared once and
/// compared with many prepared references, as in a search.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct FingerprintArgs {
    /// Synthetic people, ten fingers and two encounters each
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u64).range(2..=10_000))]
    people: u64,
    /// Seed of the population
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Take the records this manifest lists instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["people", "seed"])]
    manifest: Option<PathBuf>,
    /// Keep rows of the manifest where the column has one of the values
    #[arg(long = "where", value_name = "COLUMN=VALUE|VALUE", requires = "manifest")]
    wheres: Vec<String>,
    /// Rounds of which medians are taken
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop bench fingerprint --json
  khop bench fingerprint --manifest M.csv --where extractor=x --where dataset=a|b";

/// Comparisons in a round, of each kind, at most.
const COMPARISONS: usize = 10_000;
/// References each probe is compared with in a row.
const RUN: usize = 100;
/// Templates prepared in a round, at most.
const PREPARED: usize = 500;

pub fn measure(args: &FingerprintArgs) -> Result<Figures, Failure> {
    let fingers = match &args.manifest {
        Some(manifest) => Fingers::read(manifest, &args.wheres)?,
        None => Fingers::synthetic(&Population::new(args.seed, PopulationOptions::default()), args.people)?,
    };
    let (subjects, templates): (Vec<u32>, Vec<&Template>) = (0..fingers.templates.len())
        .filter_map(|sample| Some((fingers.samples.of(sample), fingers.templates[sample].as_ref()?)))
        .unzip();
    let (mated, non_mated) = pairs(&subjects);
    if mated.is_empty() || non_mated.is_empty() {
        return Err(Failure::new("expected two impressions of a finger and two fingers at least"));
    }
    let references: Vec<Reference> = templates.iter().map(|template| Reference::of(template)).collect();
    let some = &templates[..templates.len().min(PREPARED)];

    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let stopwatch = Stopwatch(&pool);
    let style = ProgressStyle::with_template("measuring {wide_bar} round {pos} of {len}");
    let bar = ProgressBar::new(args.rounds.into()).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut rounds: Vec<Round> = Vec::new();
    for _ in 0..args.rounds {
        rounds.push(Round {
            probe: stopwatch.time(1, || some.iter().for_each(|t| _ = black_box(Probe::of(t)))),
            reference: stopwatch.time(1, || some.iter().for_each(|t| _ = black_box(Reference::of(t)))),
            code: stopwatch.time(1, || some.iter().for_each(|t| _ = black_box(code::code(t)))),
            places: compare(&stopwatch, &non_mated, &templates, &references, Comparator::compare_places),
            mated: compare(&stopwatch, &mated, &templates, &references, Comparator::compare),
            non_mated: compare(&stopwatch, &non_mated, &templates, &references, Comparator::compare),
            packed: packed(&stopwatch, &non_mated, &templates),
        });
        bar.inc(1);
    }
    bar.finish_and_clear();

    let mut figures = Figures::default();
    let mean = |total: usize| total as f64 / templates.len() as f64;
    figures.add("templates", templates.len());
    figures.add("rounds", args.rounds);
    figures.measured("minutiae_mean", mean(templates.iter().map(|t| t.minutiae_count()).sum()));
    figures.measured("template_bytes_mean", mean(templates.iter().map(|t| t.as_bytes().len()).sum()));
    let over = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    figures.measured("non_mated_first_stages_per_s_per_core", over(&|r| r.places));
    figures.measured("non_mated_comparisons_per_s_per_core", over(&|r| r.non_mated));
    figures.measured("mated_comparisons_per_s_per_core", over(&|r| r.mated));
    let each_us = |spent: Spent| spent.cpu_s * 1e6 / some.len() as f64;
    figures.measured("non_mated_comparisons_from_packed_per_s_per_core", over(&|r| r.packed));
    figures.measured("probe_prepare_us", over(&|r| each_us(r.probe)));
    figures.measured("reference_prepare_us", over(&|r| each_us(r.reference)));
    figures.measured("code_us", over(&|r| each_us(r.code)));
    figures.add("resident_mib", crate::memory::resident_mib());
    Ok(figures)
}

/// What was measured one after the other.
struct Round {
    probe: Spent,
    reference: Spent,
    code: Spent,
    /// First stages of comparisons a second.
    places: f64,
    /// Comparisons a second.
    mated: f64,
    /// Comparisons a second.
    non_mated: f64,
    /// Comparisons a second with references that lie packed, as in a segment.
    packed: f64,
}

/// A probe and the references it is compared with, by sample.
type Run = (usize, Vec<usize>);

/// Every finger's impressions against its others, and probes spread over all samples against runs of other fingers.
fn pairs(subjects: &[u32]) -> (Vec<Run>, Vec<Run>) {
    let n = subjects.len();
    let mut by_subject: Vec<Vec<usize>> = Vec::new();
    for (sample, &subject) in subjects.iter().enumerate() {
        by_subject.resize(by_subject.len().max(subject as usize + 1), Vec::new());
        by_subject[subject as usize].push(sample);
    }
    let others = |sample: usize| -> Vec<usize> {
        by_subject[subjects[sample] as usize].iter().copied().filter(|&other| other != sample).collect()
    };
    let mut left = COMPARISONS;
    let enough = |run: &Run| {
        left = left.saturating_sub(run.1.len());
        left > 0
    };
    let mated = (0..n).map(|sample| (sample, others(sample))).filter(|run| !run.1.is_empty()).take_while(enough);
    let probes = (COMPARISONS / RUN).min(n);
    let strangers = |probe: usize| {
        let sample = probe * n / probes;
        let strangers = (1..n).map(|step| (sample + step) % n).filter(|&other| subjects[other] != subjects[sample]);
        (sample, strangers.take(RUN).collect())
    };
    (mated.collect(), (0..probes).map(strangers).filter(|run: &Run| !run.1.is_empty()).collect())
}

/// Comparisons a second of one core; preparing is not counted.
fn compare(
    stopwatch: &Stopwatch<'_>,
    runs: &[Run],
    templates: &[&Template],
    references: &[Reference],
    stage: fn(&mut Comparator, &Probe, &Reference) -> f32,
) -> f64 {
    let probes = probes(runs, templates);
    let spent = stopwatch.time(1, || {
        let mut comparator = Comparator::new();
        for (probe, (_, run)) in probes.iter().zip(runs) {
            for &reference in run {
                black_box(stage(&mut comparator, probe, &references[reference]));
            }
        }
    });
    count(runs) / spent.cpu_s
}

/// The same, references prepared from their packed bytes one by one.
fn packed(stopwatch: &Stopwatch<'_>, runs: &[Run], templates: &[&Template]) -> f64 {
    let probes = probes(runs, templates);
    let spent = stopwatch.time(1, || {
        let mut comparator = Comparator::new();
        for (probe, (_, run)) in probes.iter().zip(runs) {
            for &reference in run {
                black_box(comparator.compare(probe, &Reference::of(templates[reference])));
            }
        }
    });
    count(runs) / spent.cpu_s
}

fn probes(runs: &[Run], templates: &[&Template]) -> Vec<Probe> {
    runs.iter().map(|(probe, _)| Probe::of(templates[*probe])).collect()
}

fn count(runs: &[Run]) -> f64 {
    runs.iter().map(|(_, run)| run.len()).sum::<usize>() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_of_their_kind() {
        let subjects = [0, 0, 1, 1, 1, 2];
        let (mated, non_mated) = pairs(&subjects);
        assert_eq!(mated.iter().map(|run| run.1.len()).sum::<usize>(), 2 + 6);
        assert_eq!(non_mated.iter().map(|run| run.1.len()).sum::<usize>(), 4 + 4 + 3 + 3 + 3 + 5);
        let all = |runs: &[Run], holds: fn(u32, u32) -> bool| {
            runs.iter().all(|(probe, run)| run.iter().all(|&other| holds(subjects[*probe], subjects[other])))
        };
        assert!(all(&mated, |a, b| a == b) && all(&non_mated, |a, b| a != b));
        assert!(pairs(&[]).0.is_empty());
    }
}
