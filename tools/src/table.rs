//! What stands in this CSV file? Rows whose columns are found by name, with errors that say where.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A CSV file with a header line, read whole.
pub struct Table {
    path: PathBuf,
    header: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    /// Reads the file; all rows must have as many fields as the header.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let file = std::fs::File::open(path).map_err(Failure::at(path))?;
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
        let header = reader.headers().map_err(|cause| broken(path, None, cause))?.clone();
        let rows = reader.into_records().collect::<Result<_, _>>();
        let rows = rows.map_err(|cause| broken(path, Some(&header), cause))?;
        Ok(Self { path: path.to_owned(), header, rows })
    }

    /// The file it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the columns, in the order of the file.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.header.iter()
    }

    /// The rows, in the order of the file.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.rows.iter().map(|fields| Row { table: self, fields })
    }

    /// One row, counted from 0 without the header.
    pub fn row(&self, index: usize) -> Row<'_> {
        Row { table: self, fields: &self.rows[index] }
    }

    /// The column with this name; the error lists those there are.
    pub fn column(&self, name: &str) -> Result<Column, Failure> {
        let index = self.header.iter().position(|column| column == name);
        index.map(Column).ok_or_else(|| {
            let columns: Vec<&str> = self.columns().collect();
            Failure::new(format!("{}: no column {name:?}; it has {}", self.path.display(), columns.join(", ")))
        })
    }
}

/// The place of a column in its [`Table`].
#[derive(Clone, Copy)]
pub struct Column(usize);

/// One row of a [`Table`].
#[derive(Clone, Copy)]
pub struct Row<'a> {
    table: &'a Table,
    fields: &'a csv::StringRecord,
}

impl<'a> Row<'a> {
    /// The field in this column, maybe empty.
    pub fn field(self, column: Column) -> &'a str {
        &self.fields[column.0]
    }

    /// The field in this column as a `T`; the error says line, column and what was `expected`.
    pub fn parse<T: std::str::FromStr>(self, column: Column, expected: &str) -> Result<T, Failure> {
        let text = self.field(column);
        text.parse().map_err(|_| self.wrong(column, &format!("expected {expected}, got {text:?}")))
    }

    /// A failure that names file, line and column.
    pub fn wrong(self, column: Column, what: &str) -> Failure {
        let line = self.fields.position().map_or(0, csv::Position::line);
        Failure::new(format!("{} line {line}, {}: {what}", self.table.path.display(), &self.table.header[column.0]))
    }
}

/// What is wrong with a CSV file as such: its line and, where it is one field, its column.
pub fn broken(path: &Path, header: Option<&csv::StringRecord>, cause: csv::Error) -> Failure {
    let line = |at: &Option<csv::Position>| at.as_ref().map_or(1, csv::Position::line);
    let what = match cause.kind() {
        csv::ErrorKind::Utf8 { pos, err } => {
            let column = header.and_then(|header| header.get(err.field())).unwrap_or("header");
            format!("line {}, {column}: expected text in UTF-8", line(pos))
        }
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            format!("line {}: expected {expected_len} fields as in the header, got {len}", line(pos))
        }
        _ => return Failure::at(path)(cause),
    };
    Failure::new(format!("{} {what}", path.display()))
}
