//! Whose face is each row of an array? The labels: a CSV file beside a `.npy` file of face vectors.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::table::Table;

/// The labelled rows of an array, in the order of the file.
pub struct Labels {
    path: PathBuf,
    pub rows: Vec<LabelRow>,
}

/// One face vector: which row of the array, of whom, which sample of that person.
pub struct LabelRow {
    pub row: usize,
    pub subject: String,
    pub sample: String,
}

impl Labels {
    /// Reads a labels file; `clean` drops the rows with `label_ok` 0.
    ///
    /// Needs the columns row, subject and sample, and label_ok (0 or 1) when `clean`. A row number listed twice, an
    /// empty subject or sample, and a file without rows are failures.
    pub fn read(path: &Path, clean: bool) -> Result<Self, Failure> {
        let table = Table::read(path)?;
        let (number, subject, sample) = (table.column("row")?, table.column("subject")?, table.column("sample")?);
        let label_ok = if clean { Some(table.column("label_ok")?) } else { None };
        let mut seen = HashSet::new();
        let mut rows = Vec::new();
        for line in table.rows() {
            let row: usize = line.parse(number, "a row number of the array, from 0")?;
            if !seen.insert(row) {
                return Err(line.wrong(number, &format!("row {row} is listed twice")));
            }
            if let Some(&empty) = [subject, sample].iter().find(|&&column| line.field(column).is_empty()) {
                return Err(line.wrong(empty, "expected a value, got an empty field"));
            }
            let keep = match label_ok.map(|column| (column, line.field(column))) {
                None | Some((_, "1")) => true,
                Some((_, "0")) => false,
                Some((column, other)) => return Err(line.wrong(column, &format!("expected 0 or 1, got {other:?}"))),
            };
            if keep {
                let (subject, sample) = (line.field(subject).to_owned(), line.field(sample).to_owned());
                rows.push(LabelRow { row, subject, sample });
            }
        }
        if rows.is_empty() {
            return Err(Failure::new(format!("{}: no row left", path.display())));
        }
        Ok(Self { path: table.path().to_owned(), rows })
    }

    /// Whether an array of so many rows has all that are labelled.
    pub fn expect_within(&self, count: usize, vectors: &Path) -> Result<(), Failure> {
        match self.rows.iter().find(|label| label.row >= count) {
            None => Ok(()),
            Some(LabelRow { row, .. }) => Err(Failure::new(format!(
                "{}: row {row} is labelled, but {} has {count} rows",
                self.path.display(),
                vectors.display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "row,subject,sample,label_ok,detector_score\n2,A,1,1,0.8\n0,A,2,0,0.7\n1,B,1,1,0.9\n";

    fn read(text: &str, clean: bool) -> Result<Labels, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("l.csv");
        std::fs::write(&path, text).unwrap();
        Labels::read(&path, clean).map_err(|failure| failure.to_string().replace(path.to_str().unwrap(), "l.csv"))
    }

    #[test]
    fn rows_as_they_stand() {
        let rows = |clean| {
            let rows = read(GOOD, clean).unwrap().rows;
            rows.into_iter().map(|l| format!("{}:{}/{}", l.row, l.subject, l.sample)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(rows(false), "2:A/1 0:A/2 1:B/1");
        assert_eq!(rows(true), "2:A/1 1:B/1");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |text: &str| read(text, true).err().expect("a refusal");
        let without = GOOD.replace("label_ok", "ok");
        assert_eq!(refused(&without), "l.csv: no column \"label_ok\"; it has row, subject, sample, ok, detector_score");
        assert!(read(&without, false).is_ok());
        let number = refused(&GOOD.replace("2,A,1", "two,A,1"));
        assert_eq!(number, "l.csv line 2, row: expected a row number of the array, from 0, got \"two\"");
        assert_eq!(refused(&format!("{GOOD}1,C,1,1,0\n")), "l.csv line 5, row: row 1 is listed twice");
        let subject = refused(&format!("{GOOD}3,,1,1,0\n"));
        assert_eq!(subject, "l.csv line 5, subject: expected a value, got an empty field");
        let long = refused(&GOOD.replace("0.7", "0.7,9"));
        assert_eq!(long, "l.csv line 3: expected 5 fields as in the header, got 6");
        assert_eq!(
            refused(&GOOD.replace(",1,0.9", ",yes,0.9")),
            "l.csv line 4, label_ok: expected 0 or 1, got \"yes\""
        );
        assert_eq!(refused("row,subject,sample,label_ok\n0,A,1,0\n"), "l.csv: no row left");
    }

    #[test]
    fn a_label_beyond_the_array_is_named() {
        let labels = read(GOOD, false).unwrap();
        assert!(labels.expect_within(3, Path::new("x.npy")).is_ok());
        let error = labels.expect_within(2, Path::new("x.npy")).unwrap_err().to_string();
        assert!(error.ends_with("l.csv: row 2 is labelled, but x.npy has 2 rows"), "{error}");
    }
}
