//! What are the fields of the next row of a score file? Of CSV, plain or packed, or of Parquet.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::StringRecord;
use flate2::bufread::MultiGzDecoder;

use crate::columnar::{Fields, MAGIC};
use crate::failure::Failure;
use crate::table::broken;

/// The rows of a file, one after the other.
pub struct ScoreRows {
    path: PathBuf,
    header: StringRecord,
    rows: Rows,
}

enum Rows {
    /// With the last line read.
    Text(csv::Reader<Box<dyn Read>>, u64),
    Columns(Fields),
}

impl ScoreRows {
    /// Opens the file and reads its header. What it is says its beginning.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(Failure::at(path))?);
        let start = file.fill_buf().map_err(Failure::at(path))?;
        let packed: Box<dyn Read> = match start {
            [] => return Err(Failure::at(path)("expected a header and rows, got an empty file")),
            start if start.starts_with(MAGIC) => {
                let fields = Fields::open(path)?;
                let header = fields.header().collect();
                return Ok(Self { path: path.to_owned(), header, rows: Rows::Columns(fields) });
            }
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(file)),
            _ => Box::new(file),
        };
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(packed);
        let header = reader.headers().map_err(|cause| broken(path, None, cause))?.clone();
        Ok(Self { path: path.to_owned(), header, rows: Rows::Text(reader, 1) })
    }

    /// The names of the columns.
    pub fn header(&self) -> &StringRecord {
        &self.header
    }

    /// Has this column read, by its place in the header; the fields of others may be empty.
    pub fn want(&mut self, column: usize) {
        if let Rows::Columns(fields) = &mut self.rows {
            fields.want(column);
        }
    }

    /// What the number of a row counts: lines from 1, or rows from 0.
    pub fn unit(&self) -> &'static str {
        match self.rows {
            Rows::Text(..) => "line",
            Rows::Columns(_) => "row",
        }
    }

    /// The next row and its number, until there is none.
    pub fn read(&mut self, record: &mut StringRecord) -> Result<Option<u64>, Failure> {
        let (reader, line) = match &mut self.rows {
            Rows::Columns(fields) => return fields.read(record),
            Rows::Text(reader, line) => (reader, line),
        };
        match reader.read_record(record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                *line = record.position().map_or(0, csv::Position::line);
                Ok(Some(*line))
            }
            Err(cause) if cause.is_io_error() => {
                Err(Failure::new(format!("{} after line {line}: {cause}", self.path.display())))
            }
            Err(cause) => Err(broken(&self.path, Some(&self.header), cause)),
        }
    }
}
