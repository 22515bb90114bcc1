//! Which numbers stand in a column? One a row, or a list of them that is as long in every row.

use std::path::Path;

use khop_formats::npy::Element;
use parquet::basic::{LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;
use parquet::schema::types::ColumnDescriptor;

use super::{BATCH, broken, columns, is_flat, name, open};
use crate::choice::choose;
use crate::failure::Failure;

/// Hands the numbers of a column to `take`, in the order of the rows, and returns the shape: rows, or rows and numbers a
/// row. Halves, singles and doubles, the latter rounded to singles, as of `.npy` files. Without a name the file must have
/// one such column.
///
/// # Errors
/// Nulls and lists of another length than the first; the error names row and column.
pub fn numbers(
    path: &Path,
    asked: Option<&str>,
    mut take: impl FnMut(&[f32]) -> std::io::Result<()>,
) -> Result<Vec<usize>, Failure> {
    let reader = open(path)?;
    let all = columns(&reader);
    let names: Vec<&str> = all.iter().filter(|column| is_numbers(column)).map(|column| name(column)).collect();
    let asked = choose("a column of floats, or of lists of them,", &names, asked, path)?;
    let place = all.iter().position(|column| is_numbers(column) && name(column) == asked).unwrap_or_default();
    let column = &all[place];
    let mut rows = Rows {
        lists: column.max_rep_level() > 0,
        highest: column.max_def_level(),
        row: 0,
        width: None,
        filled: 0,
        numbers: Vec::new(),
    };
    let wrong = |row: usize, what: String| Failure::new(format!("{} row {row}, {asked}: {what}", path.display()));
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(|cause| broken(path, &cause))?;
        let mut reader = group.get_column_reader(place).map_err(|cause| broken(path, &cause))?;
        let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        while left > 0 {
            let batch = batch(&mut reader, column, left.min(BATCH)).map_err(|cause| broken(path, &cause))?;
            if batch.rows == 0 {
                return Err(Failure::at(path)(format!("column {asked} has fewer rows than the file says")));
            }
            left -= batch.rows;
            rows.add(&batch).map_err(|(row, what)| wrong(row, what))?;
            take(&rows.numbers)?;
            rows.numbers.clear();
        }
    }
    rows.end().map_err(|(row, what)| wrong(row, what))?;
    Ok(if rows.lists { vec![rows.row, rows.width.unwrap_or(0)] } else { vec![rows.row] })
}

fn is_half(column: &ColumnDescriptor) -> bool {
    column.physical_type() == Type::FIXED_LEN_BYTE_ARRAY && column.logical_type_ref() == Some(&LogicalType::Float16)
}

fn is_numbers(column: &ColumnDescriptor) -> bool {
    let is_float = matches!(column.physical_type(), Type::FLOAT | Type::DOUBLE) || is_half(column);
    is_float && (is_flat(column) || column.max_rep_level() == 1)
}

/// Some rows as they are stored: values, and where there is one.
struct Batch {
    rows: usize,
    values: Vec<f32>,
    present: Vec<i16>,
    repeated: Vec<i16>,
}

fn batch(reader: &mut ColumnReader, column: &ColumnDescriptor, count: usize) -> Result<Batch, ParquetError> {
    match reader {
        ColumnReader::FloatColumnReader(reader) => values(reader, column, count, |values| values),
        ColumnReader::DoubleColumnReader(reader) => {
            values(reader, column, count, |values| values.into_iter().map(|v| v as f32).collect())
        }
        ColumnReader::FixedLenByteArrayColumnReader(reader) => values(reader, column, count, |values| {
            Element::F16.decode(&values.iter().flat_map(|v| v.data().iter().copied()).collect::<Vec<u8>>())
        }),
        _ => Err(ParquetError::General("expected floats".into())),
    }
}

fn values<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    column: &ColumnDescriptor,
    count: usize,
    turn: impl FnOnce(Vec<T::T>) -> Vec<f32>,
) -> Result<Batch, ParquetError> {
    let (mut values, mut present, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    let (rows, ..) = reader.read_records(
        count,
        (column.max_def_level() > 0).then_some(&mut present),
        (column.max_rep_level() > 0).then_some(&mut repeated),
        &mut values,
    )?;
    Ok(Batch { rows, values: turn(values), present, repeated })
}

/// Rows in the making, across batches.
struct Rows {
    lists: bool,
    highest: i16,
    /// Rows begun; of lists the last of them may go on.
    row: usize,
    /// Numbers a row, once one is whole.
    width: Option<usize>,
    /// Numbers of the last row so far.
    filled: usize,
    numbers: Vec<f32>,
}

impl Rows {
    fn add(&mut self, batch: &Batch) -> Result<(), (usize, String)> {
        let slots = if self.highest > 0 { batch.present.len() } else { batch.values.len() };
        let mut values = batch.values.iter();
        for slot in 0..slots {
            let begins = !self.lists || batch.repeated.get(slot).is_none_or(|&level| level == 0);
            if begins {
                self.end()?;
                self.row += 1;
                self.filled = 0;
            }
            let level = batch.present.get(slot).copied().unwrap_or(self.highest);
            if level == self.highest {
                let value = values.next().ok_or_else(|| (self.row - 1, "expected a number, got none".to_owned()))?;
                self.numbers.push(*value);
                self.filled += 1;
            } else if !self.lists || level + 1 == self.highest {
                return Err((self.row.saturating_sub(1), "expected a number, got null".into()));
            }
        }
        Ok(())
    }

    /// The last row is whole: it must be as long as those before it.
    fn end(&mut self) -> Result<(), (usize, String)> {
        if self.row == 0 || !self.lists {
            return Ok(());
        }
        match self.width {
            None => self.width = Some(self.filled),
            Some(width) if width != self.filled => {
                return Err((self.row - 1, format!("expected {width} numbers as in row 0, got {}", self.filled)));
            }
            Some(_) => {}
        }
        Ok(())
    }
}
