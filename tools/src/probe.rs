//! What was handed over on the command line? Finger records and a face vector in files, as samples.

use std::path::{Path, PathBuf};

use khop::{FingerPosition, ModelId, Sample, SampleFormat};

use crate::array::ArrayFile;
use crate::failure::Failure;
use crate::source::read_record;

/// Samples of one person in files.
#[derive(clap::Args)]
pub struct SampleArgs {
    /// A minutiae record (ISO 19794-2, INCITS 378); POSITION=FILE where the record does not say which finger
    #[arg(long = "finger", value_name = "[POSITION=]FILE")]
    fingers: Vec<String>,
    /// A face vector (.npy, .npz, Parquet); FILE:ROW takes one row of a matrix
    #[arg(long, value_name = "FILE[:ROW]", requires = "model")]
    face: Option<String>,
    /// The model that made the face vector
    #[arg(long, value_name = "ID")]
    model: Option<ModelId>,
}

impl SampleArgs {
    /// Reads the files; at least one must be given.
    pub fn read(&self) -> Result<Vec<Sample>, Failure> {
        let mut samples = self.fingers.iter().map(|text| finger(text)).collect::<Result<Vec<_>, Failure>>()?;
        if let (Some(face), Some(model)) = (&self.face, &self.model) {
            samples.push(self::face(face, model)?);
        }
        if samples.is_empty() {
            return Err(Failure::new("expected at least one --finger FILE or --face FILE --model ID"));
        }
        Ok(samples)
    }
}

fn finger(text: &str) -> Result<Sample, Failure> {
    let (position, path) = match text.split_once('=') {
        Some((name, path)) => {
            let position = FingerPosition::from_name(name).ok_or_else(|| {
                Failure::new(format!("--finger {name}: expected a position such as RIGHT_INDEX or LEFT_THUMB"))
            })?;
            (Some(position), path)
        }
        None => (None, text),
    };
    let bytes = read_record(Path::new(path))?;
    Ok(Sample { format: SampleFormat::Minutiae, position, quality: None, bytes })
}

fn face(text: &str, model: &ModelId) -> Result<Sample, Failure> {
    let (path, row) = match text.rsplit_once(':') {
        Some((path, row)) if !row.is_empty() && row.bytes().all(|b| b.is_ascii_digit()) => {
            (PathBuf::from(path), row.parse()?)
        }
        _ => (PathBuf::from(text), 0),
    };
    let array = ArrayFile::read(&path)?;
    let (rows, dim) = match array.shape[..] {
        [dim] => (1, dim),
        [rows, dim] => (rows, dim),
        _ => return Err(Failure::new(format!("{}: expected one or two dimensions", path.display()))),
    };
    if row >= rows {
        return Err(Failure::new(format!("{}: expected a row below {rows}, got {row}", path.display())));
    }
    let bytes = khop_formats::write_face_vector(&array.values[row * dim..][..dim]);
    Ok(Sample { format: SampleFormat::FaceVector(model.clone()), position: None, quality: None, bytes })
}
