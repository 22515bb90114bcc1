//! What stands in the columns of a Parquet file? Fields of rows as text, or numbers as an array; scores are written to one.

mod fields;
mod numbers;
mod scores;

use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

pub use fields::Fields;
pub use numbers::numbers;
pub use scores::ScoreWriter;

use crate::failure::Failure;

/// How a Parquet file begins.
pub const MAGIC: &[u8] = b"PAR1";

/// Rows decoded at a time.
const BATCH: usize = 8192;

fn open(path: &Path) -> Result<SerializedFileReader<File>, Failure> {
    let file = File::open(path).map_err(Failure::at(path))?;
    SerializedFileReader::new(file).map_err(|cause| broken(path, &cause))
}

/// An error of the decoder, and what to do about the one that is nobody's fault.
fn broken(path: &Path, cause: &parquet::errors::ParquetError) -> Failure {
    let text = cause.to_string();
    let hint = match text.contains("compressed") || text.contains("codec") || text.contains("feature") {
        true => "; expected columns that are packed with Snappy or not at all",
        false => "",
    };
    Failure::at(path)(format!("{text}{hint}"))
}

/// A column whose rows have a value or none, but no list and no parts.
fn is_flat(column: &ColumnDescriptor) -> bool {
    column.max_rep_level() == 0 && column.path().parts().len() == 1
}

/// What a column is called, its parts apart.
fn name(column: &ColumnDescriptor) -> &str {
    column.path().parts().first().map_or("", String::as_str)
}

/// Its columns in the order of the file.
fn columns(reader: &SerializedFileReader<File>) -> &[parquet::schema::types::ColumnDescPtr] {
    reader.metadata().file_metadata().schema_descr().columns()
}
