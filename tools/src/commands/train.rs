//! `khop train`: Train the models that come with Khop, from synthetic people alone.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use khop_evaluate::synth::{FingerOptions, Population, PopulationOptions};
use khop_fingerprint::Template;
use khop_fingerprint::code::{CODE_VERSION, DIM, FEATURES, Projection, centred, features, roots};
use khop_vocabulary::FingerPosition;
use nalgebra::{DMatrix, DVector};
use ndarray::Array2;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::failure::Failure;

/// Train the models that come with Khop, from synthetic people alone.
///
/// The same people and seed give the same model on the same kind of machine.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct TrainArgs {
    #[command(subcommand)]
    what: What,
}

const EXAMPLES: &str = "\
Examples:
  khop train finger-code --people 4000 --seed 1 --out finger-code.bin

Writes the projection and, beside it, a .txt that says where it comes from. Build Khop with the new file in
engine/fingerprint/models to use it, after raising CODE_VERSION and calibrating (khop calibrate finger-code).";

#[derive(Subcommand)]
enum What {
    /// The projection of the fixed-length finger code.
    FingerCode(FingerCodeArgs),
}

#[derive(Args)]
struct FingerCodeArgs {
    /// People to make; each gives one finger.
    #[arg(long, value_name = "N", default_value_t = 4_000)]
    people: u64,
    /// Seed of the population.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Impressions of every finger.
    #[arg(long, value_name = "K", default_value_t = 3)]
    impressions: u32,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub fn run(args: TrainArgs) -> Result<(), Failure> {
    let What::FingerCode(args) = args.what;
    let prints = prints(&args);
    if prints.len() <= DIM {
        return Err(Failure::new(format!("--people: expected more than {DIM} prints in all, got {}", prints.len())));
    }
    let mean = mean(&prints);
    let centred: Vec<f32> = prints.iter().filter_map(|p| centred(p, &mean)).flatten().collect();
    let axes = whitened_axes(&centred);
    let projection = Projection::new(mean, &axes);
    std::fs::write(&args.out, projection.to_bytes()).map_err(Failure::at(&args.out))?;
    let note = args.out.with_extension("txt");
    let text = format!(
        "Projection of the finger code, version {CODE_VERSION}: {FEATURES} features on {DIM} whitened principal axes.\n\
         Trained on {} synthetic prints and nothing else, by\n  khop train finger-code --people {} --seed {} --impressions {}\n",
        prints.len(),
        args.people,
        args.seed,
        args.impressions
    );
    std::fs::write(&note, &text).map_err(Failure::at(&note))?;
    print!("{text}");
    Ok(())
}

/// Features of every impression of one finger a person, in order.
fn prints(args: &FingerCodeArgs) -> Vec<Vec<f32>> {
    let finger = FingerOptions { amputated: 0.0, dead: 0.0, worn_hands: 0.0, ..FingerOptions::default() };
    let population = Population::new(args.seed, PopulationOptions { finger, ..PopulationOptions::default() });
    let bar = ProgressBar::new(args.people)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} fingers").expect("a fixed template"));
    let impressions = |number: u64| {
        let (person, position) = (population.person(number), FingerPosition::TEN[number as usize % 10]);
        let print = |encounter| {
            let template = Template::of(&person.finger(position, encounter)?).ok()?;
            Some(features(&template)).filter(|f| roots(f).is_some())
        };
        let prints: Vec<_> = (0..args.impressions).filter_map(print).collect();
        bar.inc(1);
        prints
    };
    (0..args.people).into_par_iter().map(impressions).flatten_iter().collect()
}

fn mean(prints: &[Vec<f32>]) -> Vec<f32> {
    let mut sums = vec![0f64; FEATURES];
    for roots in prints.iter().filter_map(|p| roots(p)) {
        sums.iter_mut().zip(roots).for_each(|(sum, root)| *sum += f64::from(root));
    }
    sums.iter().map(|sum| (sum / prints.len() as f64) as f32).collect()
}

/// The [`DIM`] leading principal axes of unit vectors laid end to end, each divided by the spread along it.
fn whitened_axes(centred: &[f32]) -> Vec<Vec<f32>> {
    let count = centred.len() / FEATURES;
    let rows = Array2::from_shape_vec((count, FEATURES), centred.iter().map(|&v| f64::from(v)).collect())
        .expect("every print has all features");
    let covariance = rows.t().dot(&rows) / count as f64;
    let covariance = DMatrix::from_fn(FEATURES, FEATURES, |i, j| covariance[[i, j]]);
    let eigen = covariance.symmetric_eigen();
    let mut order: Vec<usize> = (0..FEATURES).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let axis = |&k: &usize| {
        let vector: DVector<f64> = eigen.eigenvectors.column(k) / eigen.eigenvalues[k].max(1e-12).sqrt();
        // An eigenvector has no sign of its own: let its largest part be positive.
        let sign = vector[vector.iamax()].signum();
        vector.iter().map(|v| (sign * v) as f32).collect()
    };
    order[..DIM].iter().map(axis).collect()
}
