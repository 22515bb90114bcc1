//! How much should each term of a fingerprint comparison count? Weights fitted on pairs, and tried on prints that had
//! no say in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use khop_evaluate::logistic::LogOdds;
use khop_fingerprint::{Comparator, Probe, Reference, Terms, Weights};
use rayon::prelude::*;

use crate::commands::evaluate::fingers::Fingers;
use crate::failure::Failure;

/// The non-mated comparisons weigh so many times what the mated ones weigh, so that the fit is best where decisions
/// are made: at odds of a hundred and more for a mate.
const NON_MATED_WEIGHT: f64 = 100.0;
/// Weights choose the alignment whose terms they are fitted on, so that fit and comparison take turns so often.
const ROUNDS: usize = 2;
/// What is added to the log odds, so that hardly any similarity lies below zero.
const LIFT: f64 = 12.0;

/// Terms of every pair of prints within each data set.
struct Pairs<'a> {
    fingers: &'a Fingers,
    probes: Vec<Option<(Probe, Reference)>>,
}

/// One comparison.
struct Compared {
    probe: usize,
    reference: usize,
    mated: bool,
    terms: Terms,
}

impl<'a> Pairs<'a> {
    fn of(fingers: &'a Fingers) -> Self {
        let prepared = |t: &Option<_>| t.as_ref().map(|t| (Probe::of(t), Reference::of(t)));
        Self { fingers, probes: fingers.templates.par_iter().map(prepared).collect() }
    }

    /// Of the data sets that `is_wanted`, those with a failure to enrol left out.
    fn compare(&self, weights: &Weights, is_wanted: impl Fn(&str) -> bool + Sync) -> Vec<Compared> {
        let samples = &self.fingers.samples;
        let wanted = samples.datasets.iter().filter(|dataset| is_wanted(capture(&dataset.name)));
        let places: Vec<(usize, usize)> =
            wanted.flat_map(|d| d.samples.clone().map(|probe| (probe, d.samples.end))).collect();
        let row = |comparator: &mut Comparator, (probe, end): (usize, usize)| {
            let one = |reference: usize| {
                let (Some((p, _)), Some((_, r))) = (&self.probes[probe], &self.probes[reference]) else { return None };
                let terms = comparator.terms(p, r).unwrap_or_default();
                Some(Compared { probe, reference, mated: samples.of(probe) == samples.of(reference), terms })
            };
            (probe + 1..end).filter_map(one).collect::<Vec<_>>()
        };
        places.into_par_iter().map_init(|| Comparator::weighing(weights.clone()), row).flatten().collect()
    }

    /// Weights fitted on the data sets that `is_wanted`, from a start that knows nothing of them.
    fn fit(&self, is_wanted: impl Fn(&str) -> bool + Sync) -> Result<Weights, Failure> {
        let mut weights = Weights { constant: 0.0, terms: [0.0; Terms::COUNT], provenance: Vec::new() };
        weights.terms[3] = 1.0; // `agreeing` alone
        for _ in 0..ROUNDS {
            weights = fit(&self.compare(&weights, &is_wanted))?;
        }
        Ok(weights)
    }
}

/// The data set without the extractor that may stand behind it: the same fingers, however extracted.
fn capture(dataset: &str) -> &str {
    dataset.split('/').next().unwrap_or(dataset)
}

/// All of them, once each, by name.
fn captures(fingers: &Fingers) -> Vec<&str> {
    let names: BTreeSet<&str> = fingers.samples.datasets.iter().map(|dataset| capture(&dataset.name)).collect();
    names.into_iter().collect()
}

fn fit(compared: &[Compared]) -> Result<Weights, Failure> {
    let mated = compared.iter().filter(|c| c.mated).count();
    let non_mated = compared.len() - mated;
    if mated < 100 || non_mated < 100 {
        let found = format!("expected at least 100 mated and 100 non-mated comparisons, got {mated} and {non_mated}");
        return Err(Failure::new(found));
    }
    let share = |is_mated| if is_mated { 1.0 / mated as f64 } else { NON_MATED_WEIGHT / non_mated as f64 };
    // A term that comes out with the wrong sign is left out and the others fitted anew: more agreement never counts less.
    let mut used: Vec<usize> = (0..Terms::COUNT).collect();
    loop {
        let odds = LogOdds::fit(used.len(), |visit| {
            let mut terms = vec![0.0; used.len()];
            for c in compared {
                let values = c.terms.values();
                terms.iter_mut().zip(&used).for_each(|(term, &index)| *term = values[index]);
                visit(&terms, share(c.mated), c.mated);
            }
        });
        let odds = odds.ok_or_else(|| Failure::new("mated comparisons are no more alike than non-mated ones"))?;
        let wrong =
            used.iter().zip(&odds.slopes).position(|(&index, slope)| slope * f64::from(Terms::SIGNS[index]) < 0.0);
        if let Some(wrong) = wrong {
            used.remove(wrong);
            continue;
        }
        let mut terms = [0.0; Terms::COUNT];
        used.iter().zip(&odds.slopes).for_each(|(&index, &slope)| terms[index] = rounded(slope));
        let constant = rounded(odds.intercept + NON_MATED_WEIGHT.ln() + LIFT);
        return Ok(Weights { constant, terms, provenance: Vec::new() });
    }
}

/// To four digits: more say nothing.
fn rounded(value: f64) -> f32 {
    format!("{value:.3e}").parse().unwrap_or(0.0)
}

/// Fits on everything and writes the file.
pub fn write(fingers: &Fingers, command: &str, path: &Path) -> Result<Weights, Failure> {
    let pairs = Pairs::of(fingers);
    let fitted = pairs.fit(|_| true)?;
    let sets = captures(fingers);
    let provenance = vec![
        command.to_owned(),
        format!(
            "{} samples of {} data sets, {} fingers",
            fingers.samples.names.len(),
            sets.len(),
            fingers.samples.subjects.count()
        ),
        format!(
            "logistic regression, non-mated comparisons weighing {NON_MATED_WEIGHT} times as much; log odds + {LIFT}"
        ),
    ];
    let weights = Weights { provenance, ..fitted };
    std::fs::write(path, weights.to_text()).map_err(Failure::at(path))?;
    Ok(weights)
}

/// Scores every data set with weights fitted on the others, a file for each extractor: probe,reference,score,mated.
pub fn write_cross_validated(fingers: &Fingers, directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory).map_err(Failure::at(directory))?;
    let pairs = Pairs::of(fingers);
    let captures = captures(fingers);
    if captures.len() < 2 {
        return Err(Failure::new(
            "--cross-validated: expected at least two data sets, to fit on one and try the other",
        ));
    }
    let mut scored: Vec<(Compared, f32)> = Vec::new();
    for held_out in captures {
        let weights = pairs.fit(|dataset| dataset != held_out)?;
        let found = pairs.compare(&weights, |dataset| dataset == held_out);
        scored.extend(found.into_iter().map(|c| {
            let similarity = weights.similarity(&c.terms);
            (c, similarity)
        }));
    }
    let extractor = |sample: usize| {
        let dataset = fingers.samples.datasets.iter().find(|d| d.samples.contains(&sample));
        dataset.and_then(|d| d.name.split_once('/')).map_or("scores", |(_, extractor)| extractor)
    };
    let mut files: BTreeMap<&str, csv::Writer<BufWriter<File>>> = Default::default();
    for (compared, similarity) in scored {
        let of = extractor(compared.probe);
        if !files.contains_key(of) {
            let path = directory.join(format!("{of}.csv"));
            let file = File::create(&path).map_err(Failure::at(&path))?;
            let mut writer = csv::Writer::from_writer(BufWriter::new(file));
            writer.write_record(["probe", "reference", "score", "mated"])?;
            files.insert(of, writer);
        }
        let name = |sample: usize| fingers.samples.names[sample].replacen(&format!("/{of}/"), "/", 1);
        let mated = if compared.mated { "1" } else { "0" };
        let record = [name(compared.probe), name(compared.reference), similarity.to_string(), mated.to_owned()];
        files.get_mut(of).expect("made above").write_record(&record)?;
    }
    for (name, mut file) in files {
        file.flush().map_err(Failure::at(&directory.join(name)))?;
    }
    Ok(())
}
