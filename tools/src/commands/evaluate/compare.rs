//! `khop evaluate compare`: Which engine is better, and is it sure? Score files of any engines, side by side.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use khop_evaluate::Resampling;
use khop_vocabulary::Fmr;

use super::joint::Joint;
use super::on_threads;
use super::score_file::Engine;
use super::side_by_side::SideBySide;
use crate::failure::Failure;

/// The files, and where the results go.
#[derive(Args)]
pub struct CompareArgs {
    /// Score files, plain or gzip: probe,reference,score,mated as `--scores` writes them, or
    /// dataset,finger1,impression1,finger2,impression2,score. The first is what the others are compared with.
    #[arg(value_name = "[NAME=]FILE", required = true, num_args = 2..)]
    engines: Vec<Engine>,
    /// What a comparison counts as that a file lacks or has no score for, where no template could be made; without it
    /// such a comparison is an error.
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    missing_score: Option<f64>,
    /// The rates at which FNMR is asked for.
    #[arg(long, value_name = "FMR", value_delimiter = ',', default_value = "1e-2,1e-3,1e-4", value_parser = fmr)]
    fmr: Vec<Fmr>,
    /// Also measure parts of the comparisons, each alone.
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Worker threads; all cores by default.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Resamples of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = Resampling::default().resamples)]
    resamples: usize,
    /// Seed of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = Resampling::default().seed)]
    seed: u64,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// Write every rate to this file, a line each, with its interval and its difference from the first engine's.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Draw the DET curves into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write a page for readers into this file, as HTML that needs nothing else.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// The data sets that sample names begin with, or that have a column.
    Dataset,
}

pub const EXAMPLES: &str = "\
Examples:
  khop evaluate verification --modality finger --manifest M.csv --where extractor=x --scores khop.csv
  khop evaluate compare khop.csv peer.csv.gz other=scores/run-7.csv.gz --by dataset --report engines.html
  khop evaluate compare a.csv b.csv --missing-score 0 --fmr 1e-2,1e-3 --json

A difference is another engine's rate less the first's, with its 95 % interval from the same resamples
of the subjects for both, each one's threshold found anew; a star says that the interval leaves out 0.";

pub fn fmr(text: &str) -> Result<Fmr, String> {
    let rate = text.parse().ok().and_then(|rate| Fmr::new(rate).ok());
    rate.filter(|rate| rate.value() > 0.0).ok_or_else(|| "expected a rate above 0, at most 1".into())
}

pub fn run(args: &CompareArgs) -> Result<(), Failure> {
    if args.missing_score.is_some_and(|score| !score.is_finite()) {
        return Err(Failure::new("--missing-score: expected a finite number"));
    }
    for (index, engine) in args.engines.iter().enumerate() {
        if args.engines[..index].iter().any(|other| other.name == engine.name) {
            return Err(Failure::new(format!("two engines are called {}: name them, NAME=FILE", engine.name)));
        }
    }
    let found = on_threads(args.threads, || {
        let joint = Joint::read(&args.engines, args.missing_score, &[])?;
        let resampling = Resampling { seed: args.seed, resamples: args.resamples };
        SideBySide::measure(joint, &args.fmr, args.by.is_some(), resampling)
    })?;
    if let Some(path) = &args.csv {
        std::fs::write(path, found.to_csv()?).map_err(Failure::at(path))?;
    }
    if let Some(path) = &args.svg {
        std::fs::write(path, found.to_svg()).map_err(Failure::at(path))?;
    }
    if let Some(path) = &args.report {
        std::fs::write(path, found.to_html()).map_err(Failure::at(path))?;
    }
    if args.json {
        println!("{}", found.to_json());
    } else {
        print!("{}", found.to_tables());
    }
    Ok(())
}
