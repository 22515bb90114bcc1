//! `khop compare`: Compare two minutiae records or two face vectors, without a store.

mod trace_plot;

use std::path::{Path, PathBuf};

use khop::{ModelId, Policy, Sample, SampleFormat, Trait, Verification};
use serde_json::json;

use crate::array::ArrayFile;
use crate::failure::Failure;
use crate::source::read_record;
use trace_plot::TracePlot;

/// Compare two minutiae records or two face vectors, without a store.
///
/// Of records, every finger that both hold is compared; fingers whose position neither record tells are compared with
/// each other. The score is −10·log10 of the false match rate it stands for: 40 means one in ten thousand.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CompareArgs {
    /// A minutiae record (ISO 19794-2, INCITS 378) or a face vector (.npy, .npz, .parquet); FILE:ROW takes a row of a matrix
    #[arg(value_name = "A")]
    probe: String,
    /// The file to compare with, of the same sort
    #[arg(value_name = "B")]
    reference: String,
    /// The model that made the face vectors; may be left out where only one knows their length
    #[arg(long, value_name = "ID")]
    model: Option<ModelId>,
    /// Draw what the comparator saw into this file: both sets of minutiae with their pairing, and one laid on the other
    #[arg(long, value_name = "SVG")]
    trace: Option<PathBuf>,
    /// Print one JSON object: score, fmr, llr
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop compare probe.fmr reference.fmr
  khop compare --json probe.fmr reference.fmr
  khop compare probe.fmr reference.fmr --trace pairing.svg
  khop compare --model webface600k-mbf-512 a.npy b.npy
  khop compare --model webface600k-mbf-512 people.npy:0 people.npy:17";

pub fn run(args: CompareArgs) -> Result<(), Failure> {
    let probe = read(&args.probe, args.model.as_ref())?;
    let reference = read(&args.reference, args.model.as_ref())?;
    if std::mem::discriminant(&probe.format) != std::mem::discriminant(&reference.format) {
        let what = "expected two minutiae records or two face vectors, got one of each";
        return Err(Failure::new(format!("{} and {}: {what}", args.probe, args.reference)));
    }
    // Each is checked alone first, so that what is wrong is said of its own file.
    for (name, sample) in [(&args.probe, &probe), (&args.reference, &reference)] {
        compare(sample, sample).map_err(|cause| match cause {
            khop::Error::BadSample { cause, .. } => Failure::new(format!("{name}: {cause}")),
            other => Failure::new(format!("{name}: {other}")),
        })?;
    }
    let answer = compare(&probe, &reference)?;
    if let Some(path) = &args.trace {
        let svg = trace([&args.probe, &args.reference], [&probe, &reference], &answer)?;
        std::fs::write(path, svg).map_err(Failure::at(path))?;
    }
    if args.json {
        let object = json!({ "score": answer.score.value(), "fmr": answer.fmr.value(), "llr": answer.llr.nats() });
        println!("{object}");
        return Ok(());
    }
    println!(
        "score {:.1}, false match rate {:.2e}, likelihood ratio {:+.2} nats",
        answer.score.value(),
        answer.fmr.value(),
        answer.llr.nats()
    );
    for evidence in &answer.evidence {
        let (score, llr) = (evidence.score.value(), evidence.llr.nats());
        println!("  {:<14} score {score:>6.1}  {llr:+.2} nats", evidence.of.to_string());
    }
    Ok(())
}

fn compare(probe: &Sample, reference: &Sample) -> Result<Verification, khop::Error> {
    khop::compare(std::slice::from_ref(probe), std::slice::from_ref(reference), &[], &Policy::default())
}

/// What the comparator saw of each finger, drawn.
fn trace(names: [&str; 2], [probe, reference]: [&Sample; 2], answer: &Verification) -> Result<String, Failure> {
    if probe.format != SampleFormat::Minutiae {
        return Err(Failure::new("--trace: expected minutiae records, a face vector shows nothing"));
    }
    let traces = khop::trace(std::slice::from_ref(probe), std::slice::from_ref(reference))?;
    let evidence = |position| answer.evidence.iter().find(|e| e.of == Trait::Finger(position)).copied();
    let with_evidence = traces.into_iter().filter_map(|(at, trace)| Some((at, trace, evidence(at)?)));
    let names = names.map(|name| name.rsplit(['/', '\\']).next().unwrap_or(name));
    let (score, llr) = (answer.score.value(), answer.llr.nats());
    let title = format!("{} and {}: score {score:.1}, likelihood ratio {llr:+.2} nats", names[0], names[1]);
    Ok(TracePlot { names, title, fingers: with_evidence.collect() }.to_svg())
}

/// One file as a sample: a vector where the name is that of an array, else a record.
fn read(name: &str, model: Option<&ModelId>) -> Result<Sample, Failure> {
    let is_array =
        [".npy", ".npz", ".parquet"].iter().any(|end| name.ends_with(end) || name.contains(&format!("{end}:")));
    let (path, row) = match name.rsplit_once(':') {
        Some((path, row)) if is_array && row.bytes().all(|b| b.is_ascii_digit()) && !row.is_empty() => {
            (PathBuf::from(path), Some(row.parse()?))
        }
        _ => (PathBuf::from(name), None),
    };
    if !is_array {
        let bytes = read_record(&path)?;
        return Ok(Sample { format: SampleFormat::Minutiae, position: None, quality: None, bytes });
    }
    let values = vector(&path, row)?;
    let model = match model {
        Some(model) => model.clone(),
        None => only_model(values.len()).map_err(Failure::at(&path))?,
    };
    let bytes = khop_formats::write_face_vector(&values);
    Ok(Sample { format: SampleFormat::FaceVector(model), position: None, quality: None, bytes })
}

fn vector(path: &Path, row: Option<usize>) -> Result<Vec<f32>, Failure> {
    let array = ArrayFile::read(path)?;
    let (rows, length) = match array.shape[..] {
        [length] => (1, length),
        [rows, length] => (rows, length),
        _ => return Err(Failure::at(path)("expected one or two dimensions")),
    };
    match row {
        None if rows != 1 => {
            Err(Failure::at(path)(format!("expected one vector, got {rows}; name a row: {}:0", path.display())))
        }
        Some(row) if row >= rows => Err(Failure::at(path)(format!("expected a row below {rows}, got {row}"))),
        _ => Ok(array.values[row.unwrap_or(0) * length..][..length].to_vec()),
    }
}

/// The one calibrated model with vectors of this length.
fn only_model(length: usize) -> Result<ModelId, String> {
    let models = khop_face::embedded_models();
    let mut fitting = models.iter().filter(|model| model.dim == length);
    match (fitting.next(), fitting.next()) {
        (Some(model), None) => Ok(model.id.clone()),
        _ => {
            let known: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
            Err(format!("a vector of {length} numbers: expected --model ID, one of {}", known.join(", ")))
        }
    }
}
