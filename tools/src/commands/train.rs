//! `khop train`: Train the models that come with Khop, from synthetic people alone.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use khop_evaluate::synth::{FingerOptions, Population, PopulationOptions};
use khop_fingerprint::Template;
use khop_fingerprint::code::{CODE_VERSION, DIM, FEATURES, Projection, centred, features, roots};
use khop_vocabulary::FingerPosition;
use nalgebra::DMatrix;
use ndarray::{Array2, Axis, Slice};
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
  khop train finger-code --people 10000 --seed 1 --out finger-code.bin

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
    #[arg(long, value_name = "N", default_value_t = 10_000)]
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
    if prints.len() <= FEATURES {
        let found = prints.len();
        return Err(Failure::new(format!("--people: expected more than {FEATURES} prints in all, got {found}")));
    }
    let mean = mean(&prints);
    let axes = discriminating_axes(&prints, &mean);
    let projection = Projection::new(mean, &axes);
    std::fs::write(&args.out, projection.to_bytes()).map_err(Failure::at(&args.out))?;
    let note = args.out.with_extension("txt");
    let text = format!(
        "Projection of the finger code, version {CODE_VERSION}: {FEATURES} features on {DIM} discriminating axes.\n\
         Trained on {} synthetic prints of {} fingers and nothing else, by\n  \
         khop train finger-code --people {} --seed {} --impressions {}\n",
        prints.len(),
        args.people,
        args.people,
        args.seed,
        args.impressions
    );
    std::fs::write(&note, &text).map_err(Failure::at(&note))?;
    print!("{text}");
    Ok(())
}

/// A print of the training set: whose finger, and its features as [`roots`].
struct Print {
    person: u64,
    roots: Vec<f32>,
}

/// Captures and extractors from good to bad, so that the axes do not rely on what only a good one delivers. Person
/// after person takes the next.
fn conditions() -> [FingerOptions; 4] {
    let usual = FingerOptions { amputated: 0.0, dead: 0.0, worn_hands: 0.0, ..FingerOptions::default() };
    [
        usual.clone(),
        FingerOptions { spurious: 0.4, missing: 0.2, patches: 1.5, ..usual.clone() },
        FingerOptions { difficulty: 2.0, ..usual.clone() },
        FingerOptions { difficulty: 3.0, ..usual },
    ]
}

/// Every impression of one finger a person, in order.
fn prints(args: &FingerCodeArgs) -> Vec<Print> {
    let populations = conditions()
        .map(|finger| Population::new(args.seed, PopulationOptions { finger, ..PopulationOptions::default() }));
    let bar = ProgressBar::new(args.people)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} fingers").expect("a fixed template"));
    let impressions = |number: u64| {
        let person = populations[number as usize % populations.len()].person(number);
        let position = FingerPosition::TEN[number as usize / populations.len() % 10];
        let print = |encounter| {
            let template = Template::of(&person.finger(position, encounter)?).ok()?;
            Some(Print { person: number, roots: roots(&features(&template))? })
        };
        let prints: Vec<_> = (0..args.impressions).filter_map(print).collect();
        bar.inc(1);
        prints
    };
    (0..args.people).into_par_iter().map(impressions).flatten_iter().collect()
}

fn mean(prints: &[Print]) -> Vec<f32> {
    let mut sums = vec![0f64; FEATURES];
    for print in prints {
        sums.iter_mut().zip(&print.roots).for_each(|(sum, &root)| *sum += f64::from(root));
    }
    sums.iter().map(|sum| (sum / prints.len() as f64) as f32).collect()
}

/// The [`DIM`] axes along which fingers differ most for what impressions of one finger differ, each divided by the
/// spread along it.
///
/// With W the covariance within fingers and B that between them: the leading solutions of B·v = λ·(W + ε)·v, scaled
/// to vᵀ(W + B + ε)v = 1. The ridge ε keeps axes away that only the simulated noise calls quiet.
fn discriminating_axes(prints: &[Print], mean: &[f32]) -> Vec<Vec<f32>> {
    let (within, between) = covariances(prints, mean);
    let ridge = RIDGE * within.trace() / FEATURES as f64;
    let cholesky = (within + DMatrix::identity(FEATURES, FEATURES) * ridge)
        .cholesky()
        .expect("a covariance and a ridge are positive definite");
    let lower = cholesky.l();
    let half = lower.solve_lower_triangular(&between).expect("a Cholesky factor is regular");
    let whitened = lower.solve_lower_triangular(&half.transpose()).expect("a Cholesky factor is regular");
    let eigen = ((&whitened + whitened.transpose()) * 0.5).symmetric_eigen();
    let vectors = lower.transpose().solve_upper_triangular(&eigen.eigenvectors).expect("a Cholesky factor is regular");

    let mut order: Vec<usize> = (0..FEATURES).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let axis = |&k: &usize| {
        let vector = vectors.column(k);
        // An eigenvector has no sign of its own: let its largest part be positive.
        let sign = vector[vector.iamax()].signum();
        let scale = sign / (1.0 + eigen.eigenvalues[k].max(0.0)).sqrt();
        vector.iter().map(|v| (scale * v) as f32).collect()
    };
    order[..DIM].iter().map(axis).collect()
}

/// Variance added to every axis, as a share of the mean variance within fingers.
const RIDGE: f64 = 0.3;

/// Covariance within fingers and between them, of centred features.
fn covariances(prints: &[Print], mean: &[f32]) -> (DMatrix<f64>, DMatrix<f64>) {
    let mut rows = Array2::<f64>::zeros((prints.len(), FEATURES));
    for (mut row, print) in rows.outer_iter_mut().zip(prints) {
        if let Some(centred) = centred(&print.roots, mean) {
            row.iter_mut().zip(centred).for_each(|(to, value)| *to = f64::from(value));
        }
    }
    let total = covariance(&rows, prints.len());
    let mut first = 0;
    let mut fingers = 0;
    for finger in prints.chunk_by(|a, b| a.person == b.person) {
        let mut own = rows.slice_axis_mut(Axis(0), Slice::from(first..first + finger.len()));
        let middle = own.mean_axis(Axis(0)).expect("a chunk is not empty");
        own -= &middle;
        first += finger.len();
        fingers += 1;
    }
    let within = covariance(&rows, (prints.len() - fingers).max(1));
    let between = &total - &within;
    (within, between)
}

fn covariance(rows: &Array2<f64>, freedom: usize) -> DMatrix<f64> {
    let products = rows.t().dot(rows) / freedom as f64;
    DMatrix::from_fn(FEATURES, FEATURES, |i, j| products[[i, j]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn the_embedded_code_tells_people_it_never_saw_apart() {
        let population = Population::new(90_210, PopulationOptions::default());
        let code = |person: u64, encounter| {
            let finger = population.person(person).finger(FingerPosition::LeftIndex, encounter)?;
            khop_fingerprint::code::code(&Template::of(&finger).ok()?)
        };
        let codes: Vec<_> = (0..150).filter_map(|i| Some((code(i, 0)?, code(i, 1)?))).collect();
        let mut mated: Vec<f32> = codes.iter().map(|(a, b)| cosine(a, b)).collect();
        let others = codes.iter().enumerate().flat_map(|(i, (a, _))| codes[..i].iter().map(move |(_, b)| cosine(a, b)));
        let mut non_mated: Vec<f32> = others.collect();
        mated.sort_by(f32::total_cmp);
        non_mated.sort_by(f32::total_cmp);
        // At the median, mated comparisons stand beyond all but a thousandth of the others; at a tenth, beyond most.
        let non_mated_at = |share: f64| non_mated[(share * non_mated.len() as f64) as usize];
        assert!(mated[mated.len() / 2] > non_mated_at(0.999), "{} {}", mated[mated.len() / 2], non_mated_at(0.999));
        assert!(mated[mated.len() / 10] > non_mated_at(0.9), "{} {}", mated[mated.len() / 10], non_mated_at(0.9));
    }

    #[test]
    fn too_few_prints_are_refused() {
        let out = tempfile::tempdir().unwrap().path().join("code.bin");
        let what = What::FingerCode(FingerCodeArgs { people: 10, seed: 1, impressions: 2, out });
        let failure = run(TrainArgs { what }).unwrap_err().to_string();
        assert!(failure.contains("--people") && failure.contains("1152"), "{failure}");
    }
}
