//! What do the fields of a row say? Text, numbers and booleans of flat columns, as they would stand in a CSV file.

use std::fmt::Write;
use std::fs::File;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use parquet::basic::LogicalType;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::{BATCH, broken, columns, is_flat, name, open};
use crate::failure::Failure;

/// The rows of a file, read batch by batch. Columns with lists or parts are passed over.
pub struct Fields {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    header: Vec<String>,
    /// Of each name of the header its place among all columns.
    places: Vec<usize>,
    /// Of each name of the header whether it is read; the fields of others stay empty.
    wanted: Vec<bool>,
    /// The next row group.
    group: usize,
    /// Rows of the current one that are not decoded yet.
    left: usize,
    readers: Vec<Option<ColumnReader>>,
    batch: Vec<Texts>,
    /// Rows of the batch, and the next of them.
    rows: usize,
    next: usize,
    /// Rows handed out so far.
    passed: u64,
}

/// The fields of a column in a batch, one behind the other.
#[derive(Default)]
struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    fn field(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.ends.get(row).map_or("", |&end| &self.text[start..end])
    }
}

impl Fields {
    /// Reads what the file says of its columns.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let reader = open(path)?;
        let flat = columns(&reader).iter().enumerate().filter(|(_, column)| is_flat(column));
        let (places, header): (Vec<usize>, Vec<String>) =
            flat.map(|(place, column)| (place, name(column).to_owned())).unzip();
        let count = header.len();
        Ok(Self {
            path: path.to_owned(),
            reader,
            header,
            places,
            wanted: vec![false; count],
            group: 0,
            left: 0,
            readers: Vec::new(),
            batch: Vec::new(),
            rows: 0,
            next: 0,
            passed: 0,
        })
    }

    /// The names of the columns.
    pub fn header(&self) -> impl Iterator<Item = &str> {
        self.header.iter().map(String::as_str)
    }

    /// Has this column read, by its place in the header. Without it its fields are empty.
    pub fn want(&mut self, column: usize) {
        self.wanted[column] = true;
    }

    /// The next row and its number from 0, until there is none.
    pub fn read(&mut self, record: &mut StringRecord) -> Result<Option<u64>, Failure> {
        if self.next == self.rows && !self.refill()? {
            return Ok(None);
        }
        record.clear();
        for (texts, wanted) in self.batch.iter().zip(&self.wanted) {
            record.push_field(if *wanted { texts.field(self.next).trim() } else { "" });
        }
        self.next += 1;
        self.passed += 1;
        Ok(Some(self.passed - 1))
    }

    /// Decodes the next batch, unless nothing is left.
    fn refill(&mut self) -> Result<bool, Failure> {
        while self.left == 0 {
            if self.group == self.reader.num_row_groups() {
                return Ok(false);
            }
            let group = self.reader.get_row_group(self.group).map_err(|cause| broken(&self.path, &cause))?;
            let column =
                |(&place, &wanted): (&usize, &bool)| wanted.then(|| group.get_column_reader(place)).transpose();
            let readers = self.places.iter().zip(&self.wanted).map(column).collect::<Result<_, _>>();
            self.readers = readers.map_err(|cause| broken(&self.path, &cause))?;
            self.left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            self.group += 1;
        }
        let (count, all) = (self.left.min(BATCH), columns(&self.reader));
        self.batch.resize_with(self.header.len(), Texts::default);
        for (index, (reader, texts)) in self.readers.iter_mut().zip(&mut self.batch).enumerate() {
            texts.text.clear();
            texts.ends.clear();
            let Some(reader) = reader else { continue };
            let column = &all[self.places[index]];
            decode(reader, column.logical_type_ref(), column.max_def_level(), count, texts).map_err(
                |wrong| match wrong {
                    Wrong::Field(row, what) => {
                        let (path, row, name) = (self.path.display(), self.passed + row as u64, &self.header[index]);
                        Failure::new(format!("{path} row {row}, {name}: {what}"))
                    }
                    Wrong::Column(what) => {
                        Failure::new(format!("{}, column {}: {what}", self.path.display(), self.header[index]))
                    }
                    Wrong::File(cause) => broken(&self.path, &cause),
                },
            )?;
        }
        (self.rows, self.next) = (count, 0);
        self.left -= count;
        Ok(true)
    }
}

enum Wrong {
    /// In the batch, from 0.
    Field(usize, String),
    Column(String),
    File(parquet::errors::ParquetError),
}

/// Appends `count` fields.
fn decode(
    reader: &mut ColumnReader,
    meaning: Option<&LogicalType>,
    highest: i16,
    count: usize,
    out: &mut Texts,
) -> Result<(), Wrong> {
    let is_unsigned = match meaning {
        None | Some(LogicalType::String | LogicalType::Enum) => false,
        Some(LogicalType::Integer(whole)) => !whole.is_signed,
        Some(other) => return Err(Wrong::Column(format!("expected text, numbers or booleans, got {other:?}"))),
    };
    match reader {
        ColumnReader::BoolColumnReader(r) => fill(r, highest, count, out, |&v, text| number(text, u8::from(v))),
        ColumnReader::Int32ColumnReader(r) if is_unsigned => {
            fill(r, highest, count, out, |&v, text| number(text, v as u32))
        }
        ColumnReader::Int32ColumnReader(r) => fill(r, highest, count, out, |&v, text| number(text, v)),
        ColumnReader::Int64ColumnReader(r) if is_unsigned => {
            fill(r, highest, count, out, |&v, text| number(text, v as u64))
        }
        ColumnReader::Int64ColumnReader(r) => fill(r, highest, count, out, |&v, text| number(text, v)),
        ColumnReader::FloatColumnReader(r) => fill(r, highest, count, out, |&v, text| number(text, v)),
        ColumnReader::DoubleColumnReader(r) => fill(r, highest, count, out, |&v, text| number(text, v)),
        ColumnReader::ByteArrayColumnReader(r) => fill(r, highest, count, out, |bytes, text| {
            let field = std::str::from_utf8(bytes.data()).map_err(|_| "expected text in UTF-8".to_owned())?;
            text.push_str(field);
            Ok(())
        }),
        ColumnReader::Int96ColumnReader(_) | ColumnReader::FixedLenByteArrayColumnReader(_) => {
            Err(Wrong::Column("expected text, numbers or booleans".into()))
        }
    }
}

/// With as few digits as tell it from its neighbours.
fn number(text: &mut String, number: impl std::fmt::Display) -> Result<(), String> {
    write!(text, "{number}").map_err(|cause| cause.to_string())
}

fn fill<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    highest: i16,
    count: usize,
    out: &mut Texts,
    write: impl Fn(&T::T, &mut String) -> Result<(), String>,
) -> Result<(), Wrong> {
    let (mut values, mut levels, mut read) = (Vec::new(), Vec::new(), 0);
    while read < count {
        let (rows, ..) = reader
            .read_records(count - read, (highest > 0).then_some(&mut levels), None, &mut values)
            .map_err(Wrong::File)?;
        if rows == 0 {
            return Err(Wrong::Column("has fewer rows than the file says".into()));
        }
        read += rows;
    }
    let mut values = values.iter();
    for row in 0..count {
        if highest == 0 || levels.get(row) == Some(&highest) {
            let value = values.next().ok_or_else(|| Wrong::Column("has fewer values than rows".into()))?;
            write(value, &mut out.text).map_err(|what| Wrong::Field(row, what))?;
        }
        out.ends.push(out.text.len());
    }
    Ok(())
}
