//! Where does every single score go? Into a file that other programs can evaluate: probe,reference,score,mated.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use khop_evaluate::Comparisons;
use ndarray::Array2;

use super::samples::Samples;
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

fn write(path: &Path, samples: &Samples, all: impl Iterator<Item = (usize, usize, f32)>) -> Result<(), Failure> {
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
