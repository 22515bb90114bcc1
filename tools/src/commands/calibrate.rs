//! `khop calibrate`: Fit the tables that turn similarities into scores.

mod weights;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use khop_evaluate::Verification;
use khop_evaluate::calibration::{Fit, FitOptions, fit};
use khop_evaluate::synth::{Population, PopulationOptions};
use khop_fingerprint::{COMPARATOR_VERSION, Weights, code::CODE_VERSION};
use khop_vocabulary::{Llr, ModelId};

use super::evaluate::fingers::{Fingers, Minutiae};
use super::evaluate::samples::Samples;
use super::evaluate::trials::{Comparing, Impostors, compare_pairs};
use super::evaluate::vectors::{Int8, Signs, Vectors};
use super::evaluate::{Task, on_threads};
use crate::failure::Failure;

/// Fit the tables that turn similarities into scores.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct CalibrateArgs {
    #[command(subcommand)]
    what: What,
}

const EXAMPLES: &str = "\
Examples:
  khop calibrate face --model my-model-512 --vectors X.npy --labels L.csv --clean --out my-model-512.txt
  khop calibrate fingerprint --manifest M.csv --where extractor=x --out comparator.txt
  khop calibrate fingerprint --manifest M.csv --weights weights.txt --cross-validated folds --out comparator.txt
  khop calibrate finger-code --synthetic 100 --out code.txt

A table holds aggregate numbers only, with where they come from; it never holds a sample.";

const FINGER_EXAMPLE: &str = "\
Examples:
  khop calibrate fingerprint --manifest M.csv --where extractor=x --out comparator.txt
  khop calibrate fingerprint --manifest M.csv --weights weights.txt --cross-validated folds --out comparator.txt
  khop evaluate compare khop=folds/x.csv peer.csv.gz --by dataset

Cross-validated scores are those of every data set by weights fitted on the others alone, so that no finger is on
both sides. The files go to khop evaluate compare, or to any other program.";

const CODE_EXAMPLE: &str = "\
Examples:
  khop calibrate finger-code --synthetic 100 --out code.txt
  khop calibrate finger-code --signs --synthetic 100 --out code-signs.txt";

const FACE_EXAMPLE: &str = "\
Example:
  khop calibrate face --model my-model-512 --vectors X.npy --labels L.csv --out my-model-512.txt";

#[derive(Subcommand)]
enum What {
    /// The minutiae comparator.
    #[command(after_help = FINGER_EXAMPLE)]
    Fingerprint(FingerprintArgs),
    /// The fixed-length finger code, compared as searches compare it.
    #[command(after_help = CODE_EXAMPLE)]
    FingerCode(CodeArgs),
    /// A face model, compared as searches compare it.
    #[command(after_help = FACE_EXAMPLE)]
    Face(FaceArgs),
}

#[derive(Args)]
struct FingerprintArgs {
    #[command(flatten)]
    fingers: FingerArgs,
    /// First fit the weights of the comparator's terms, write them here, and fit the table to them.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Write the scores of every data set by weights fitted on the others, a file for each extractor.
    #[arg(long, value_name = "DIR")]
    cross_validated: Option<PathBuf>,
}

#[derive(Args)]
struct CodeArgs {
    #[command(flatten)]
    fingers: FingerArgs,
    /// The table of the first scan's estimates, from one bit a number of the reference.
    #[arg(long)]
    signs: bool,
}

#[derive(Args)]
struct FingerArgs {
    /// CSV with the columns dataset, extractor, finger, impression, path.
    #[arg(long, value_name = "CSV", required_unless_present = "synthetic", conflicts_with = "synthetic")]
    manifest: Option<PathBuf>,
    /// Rows of the manifest to use; several conditions must all hold.
    #[arg(long = "where", value_name = "COLUMN=A|B", requires = "manifest")]
    wheres: Vec<String>,
    #[command(flatten)]
    fit: FitArgs,
}

#[derive(Args)]
struct FaceArgs {
    /// The model that made the vectors.
    #[arg(long, value_name = "ID")]
    model: String,
    /// Vectors as a NumPy array.
    #[arg(long, value_name = "NPY", requires = "labels")]
    #[arg(required_unless_present = "synthetic", conflicts_with = "synthetic")]
    vectors: Option<PathBuf>,
    /// CSV with the columns row, subject, sample.
    #[arg(long, value_name = "CSV", requires = "vectors")]
    labels: Option<PathBuf>,
    /// Leave out rows with label_ok=0.
    #[arg(long, requires = "labels")]
    clean: bool,
    #[command(flatten)]
    fit: FitArgs,
}

#[derive(Args)]
struct FitArgs {
    /// The table.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Use so many synthetic people, two encounters each, instead of files.
    #[arg(long, value_name = "PEOPLE")]
    synthetic: Option<u64>,
    /// Seed of the synthetic people.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Every comparison weighs the same, so that subjects with many samples weigh more; by default subjects do.
    #[arg(long)]
    by_comparison: bool,
    /// The lowest log likelihood ratio, nats: how much one bad sample may speak against the right person.
    #[arg(long, value_name = "NATS", default_value_t = -4.0, allow_negative_numbers = true)]
    floor: f32,
    /// Worker threads; all cores by default.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

pub fn run(args: CalibrateArgs) -> Result<(), Failure> {
    let args = &args;
    let out = match &args.what {
        What::Fingerprint(a) => &a.fingers.fit,
        What::FingerCode(a) => &a.fingers.fit,
        What::Face(a) => &a.fit,
    };
    let Fit { calibration, cap, measured_to, cllr_bits, mean_non_mated_ratio } =
        on_threads(out.threads, || match &args.what {
            What::Fingerprint(a) => fingerprint(a),
            What::FingerCode(a) => finger_code(a),
            What::Face(a) => face(a),
        })?;
    std::fs::write(&out.out, calibration.to_text()).map_err(Failure::at(&out.out))?;
    println!("{}: {} knots, written to {}", calibration.name(), calibration.knots().len(), out.out.display());
    println!("  FMR counted up to {measured_to}, score {:.1}", calibration.score(measured_to).value());
    println!("  LLR verified up to {:.2} nats", cap.nats());
    println!("  Cllr {cllr_bits:.4} bits, mean of e^LLR over non-mated {mean_non_mated_ratio:.3} (about 1 or less)");
    Ok(())
}

fn fingerprint(args: &FingerprintArgs) -> Result<Fit, Failure> {
    let fingers = args.fingers.fingers()?;
    let mut command = args.fingers.command("fingerprint");
    if let Some(directory) = &args.cross_validated {
        weights::write_cross_validated(&fingers, directory)?;
    }
    let weights = match &args.weights {
        None => Weights::built_in().clone(),
        Some(path) => {
            command.push_str(&format!(" --weights {}", file_name(path)));
            weights::write(&fingers, &command, path)?
        }
    };
    let name = format!("khop-minutiae-{COMPARATOR_VERSION}");
    let comparing = Minutiae::weighing(&fingers.templates, weights);
    args.fingers.fit.task(name, command).run(&fingers.samples, &comparing, "")
}

fn finger_code(args: &CodeArgs) -> Result<Fit, Failure> {
    let fingers = args.fingers.fingers()?;
    let of = |what: &str, name: &str| {
        let name = format!("khop-{name}-{CODE_VERSION}");
        args.fingers.fit.task(name, args.fingers.command(what))
    };
    if args.signs {
        let fitting = of("finger-code --signs", "finger-code-signs");
        fitting.run(&fingers.samples, &Signs::new(fingers.widened_codes())?, "")
    } else {
        of("finger-code", "finger-code").run(&fingers.samples, &Int8::new(fingers.codes())?, "")
    }
}

fn face(args: &FaceArgs) -> Result<Fit, Failure> {
    let model = ModelId::new(&*args.model)?;
    let mut command = format!("khop calibrate face --model {}", model.as_str());
    let (samples, vectors) = match (&args.vectors, &args.labels, args.fit.synthetic) {
        (Some(vectors), Some(labels), _) => {
            command.push_str(&format!(" --vectors {} --labels {}", file_name(vectors), file_name(labels)));
            command.push_str(if args.clean { " --clean" } else { "" });
            Vectors::read(vectors, labels, args.clean)?
        }
        (_, _, Some(people)) => Vectors::synthetic(&population(args.fit.seed), people)?,
        _ => return Err(Failure::new("expected --vectors and --labels, or --synthetic")),
    };
    args.fit.task(model.as_str().to_owned(), command).run(&samples, &Int8::new(vectors)?, "")
}

fn population(seed: u64) -> Population {
    Population::new(seed, PopulationOptions::default())
}

/// A path without the directories of the machine at hand.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

impl FingerArgs {
    fn fingers(&self) -> Result<Fingers, Failure> {
        match (&self.manifest, self.fit.synthetic) {
            (Some(manifest), _) => Fingers::read(manifest, &self.wheres),
            (None, Some(people)) => Fingers::synthetic(&population(self.fit.seed), people),
            (None, None) => Err(Failure::new("expected --manifest or --synthetic")),
        }
    }

    fn command(&self, what: &str) -> String {
        let mut command = format!("khop calibrate {what}");
        if let Some(manifest) = &self.manifest {
            command.push_str(&format!(" --manifest {}", file_name(manifest)));
        }
        for condition in &self.wheres {
            command.push_str(&format!(" --where '{condition}'"));
        }
        command
    }
}

impl FitArgs {
    fn task(&self, name: String, mut command: String) -> Fitting {
        if let Some(people) = self.synthetic {
            command.push_str(&format!(" --synthetic {people} --seed {}", self.seed));
        }
        if self.by_comparison {
            command.push_str(" --by-comparison");
        }
        command.push_str(&format!(" --floor {}", self.floor));
        let (provenance, floor) = (vec![command], Llr::new(self.floor));
        Fitting(FitOptions { name, provenance, equal_subjects: !self.by_comparison, floor })
    }
}

/// All pairs of samples, then the fit.
struct Fitting(FitOptions);

impl Task for Fitting {
    type Done = Fit;

    fn run<C: Comparing>(mut self, samples: &Samples, comparing: &C, _: &str) -> Result<Fit, Failure> {
        let (comparisons, _) = compare_pairs(samples, comparing, Impostors::All)?;
        let data = format!("{} samples, {} failed to enrol", samples.names.len(), comparing.failures());
        self.0.provenance.push(data);
        Ok(fit(&Verification::new(comparisons), &self.0)?)
    }
}
