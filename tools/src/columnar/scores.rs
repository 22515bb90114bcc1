//! How are scores written for those who live in columns? Probe, reference, score, mated: one comparison a row.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, FloatType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::broken;
use crate::failure::Failure;

/// Rows of a row group.
const GROUP: usize = 1 << 19;

const SCHEMA: &str = "message scores { required binary probe (string); required binary reference (string); \
                      required float score; required boolean mated; }";

/// A file in the making. What was handed over is in it once [`ScoreWriter::finish`] has returned.
pub struct ScoreWriter {
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    names: Vec<ByteArray>,
    probes: Vec<ByteArray>,
    references: Vec<ByteArray>,
    scores: Vec<f32>,
    mated: Vec<bool>,
}

impl ScoreWriter {
    /// A file for comparisons of samples with these names.
    pub fn create(path: &Path, names: &[String]) -> Result<Self, Failure> {
        let file = File::create(path).map_err(Failure::at(path))?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let schema = parse_message_type(SCHEMA).map_err(|cause| broken(path, &cause))?;
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties));
        Ok(Self {
            path: path.to_owned(),
            writer: writer.map_err(|cause| broken(path, &cause))?,
            names: names.iter().map(|name| ByteArray::from(name.as_str())).collect(),
            probes: Vec::new(),
            references: Vec::new(),
            scores: Vec::new(),
            mated: Vec::new(),
        })
    }

    /// One more row; samples by number.
    pub fn write(&mut self, probe: usize, reference: usize, score: f32, mated: bool) -> Result<(), Failure> {
        self.probes.push(self.names[probe].clone());
        self.references.push(self.names[reference].clone());
        self.scores.push(score);
        self.mated.push(mated);
        if self.scores.len() == GROUP { self.write_group() } else { Ok(()) }
    }

    fn write_group(&mut self) -> Result<(), Failure> {
        let written = self.columns().map_err(|cause| broken(&self.path, &cause));
        self.probes.clear();
        self.references.clear();
        self.scores.clear();
        self.mated.clear();
        written
    }

    fn columns(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for place in 0.. {
            let Some(mut column) = group.next_column()? else { break };
            match place {
                0 => column.typed::<ByteArrayType>().write_batch(&self.probes, None, None)?,
                1 => column.typed::<ByteArrayType>().write_batch(&self.references, None, None)?,
                2 => column.typed::<FloatType>().write_batch(&self.scores, None, None)?,
                _ => column.typed::<BoolType>().write_batch(&self.mated, None, None)?,
            };
            column.close()?;
        }
        group.close()?;
        Ok(())
    }

    /// Writes what is left and the end of the file.
    pub fn finish(mut self) -> Result<(), Failure> {
        if !self.scores.is_empty() {
            self.write_group()?;
        }
        self.writer.close().map_err(|cause| broken(&self.path, &cause))?;
        Ok(())
    }
}
