//! Where does every single score go? Into a file that other programs can evaluate: probe, reference, score, mated.
//!
//! As CSV, as Parquet where the name ends so, and as the two arrays `mated` and `non_mated` of a `.npz`.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use khop_evaluate::Comparisons;
use ndarray::Array2;

use super::samples::Samples;
use crate::array::write_npz;
use crate::columnar::ScoreWriter;
use crate::failure::Failure;

/// All pairs: mated ones first.
pub fn write_pairs(path: &Path, samples: &Samples, comparisons: &Comparisons) -> Result<(), Failure> {
    let all = comparisons.mated().iter().chain(comparisons.non_mated());
    write(path, samples, all.map(|c| (c.probe as usize, c.reference as usize, c.similarity)))
}

/// All searches: every sample against its data set's gallery, but never against itself.
pub fn write_searches(path: &Path, samples: &Samples, similarities: &[Array2<f32>]) -> Result<(), Failure> {
    let of_set = samples.datasets.iter().zip(similarities).flat_map(|(dataset, matrix)| {
        matrix.indexed_iter().map(move |((row, column), &similarity)| {
            (dataset.samples.start + row, dataset.gallery.start + column, similarity)
        })
    });
    write(path, samples, of_set.filter(|(probe, reference, _)| probe != reference))
}

/// In the format that the ending of the name asks for.
fn write(
    path: &Path,
    samples: &Samples,
    all: impl Iterator<Item = (usize, usize, f32)> + Clone,
) -> Result<(), Failure> {
    let is_mated = |probe: usize, reference: usize| samples.of(probe) == samples.of(reference);
    match path.extension().and_then(std::ffi::OsStr::to_str) {
        Some("parquet") => {
            let mut writer = ScoreWriter::create(path, &samples.names)?;
            for (probe, reference, similarity) in all {
                writer.write(probe, reference, similarity, is_mated(probe, reference))?;
            }
            writer.finish()
        }
        Some("npz") => {
            let of = |wanted: bool| all.clone().filter(move |&(p, r, _)| is_mated(p, r) == wanted).map(|(.., s)| s);
            let named = [("mated", true), ("non_mated", false)];
            write_npz(path, named.map(|(name, wanted)| (name, of(wanted).count(), of(wanted))))
        }
        _ => write_text(path, samples, all),
    }
}

fn write_text(path: &Path, samples: &Samples, all: impl Iterator<Item = (usize, usize, f32)>) -> Result<(), Failure> {
    let file = File::create(path).map_err(Failure::at(path))?;
    let mut writer = csv::Writer::from_writer(BufWriter::with_capacity(1 << 20, file));
    writer.write_record(["probe", "reference", "score", "mated"]).map_err(Failure::at(path))?;
    for (probe, reference, similarity) in all {
        let mated = if samples.of(probe) == samples.of(reference) { "1" } else { "0" };
        let record = [&samples.names[probe], &samples.names[reference], &similarity.to_string(), mated];
        writer.write_record(record).map_err(Failure::at(path))?;
    }
    writer.flush().map_err(Failure::at(path))
}
