//! Which finger records belong to which finger? The manifest: a CSV file beside a directory of minutiae records.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::table::{Column, Table};

/// The impressions listed in a manifest, in the order of the file.
pub struct Manifest {
    pub rows: Vec<ManifestRow>,
}

/// One impression of one finger, as one extractor saw it.
pub struct ManifestRow {
    pub dataset: String,
    pub extractor: String,
    pub finger: String,
    pub impression: String,
    /// Where the record is; `None` where the extractor failed (a failure to enrol).
    pub path: Option<PathBuf>,
}

impl Manifest {
    /// Reads a manifest and keeps the rows that pass every condition of `wheres`, each `COLUMN=VALUE|VALUE…`.
    ///
    /// Needs the columns dataset, extractor, finger, impression and path, the last relative to the manifest.
    /// An unknown column, an impression listed twice and conditions that no row passes are failures.
    pub fn read(path: &Path, wheres: &[String]) -> Result<Self, Failure> {
        let table = Table::read(path)?;
        let named = ["dataset", "extractor", "finger", "impression"].map(|name| table.column(name));
        let [dataset, extractor, finger, impression] = named;
        let key = [dataset?, extractor?, finger?, impression?];
        let file = table.column("path")?;
        let conditions = wheres.iter().map(|text| Condition::parse(text, &table)).collect::<Result<Vec<_>, _>>()?;
        let directory = path.parent().unwrap_or(Path::new(""));
        let mut seen = HashSet::new();
        let mut rows = Vec::new();
        for row in table.rows() {
            if let Some(&empty) = key.iter().find(|&&column| row.field(column).is_empty()) {
                return Err(row.wrong(empty, "expected a value, got an empty field"));
            }
            if !seen.insert(key.map(|column| row.field(column))) {
                return Err(row.wrong(key[3], "this impression is listed twice"));
            }
            if conditions.iter().all(|condition| condition.accepts(row.field(condition.column))) {
                let [dataset, extractor, finger, impression] = key.map(|column| row.field(column).to_owned());
                let path = Some(row.field(file)).filter(|text| !text.is_empty()).map(|text| directory.join(text));
                rows.push(ManifestRow { dataset, extractor, finger, impression, path });
            }
        }
        if rows.is_empty() {
            let wheres: Vec<String> = wheres.iter().map(|text| format!(" --where {text}")).collect();
            return Err(Failure::new(format!("{}: no row left{}", path.display(), wheres.concat())));
        }
        Ok(Self { rows })
    }
}

/// `COLUMN=VALUE|VALUE…`
struct Condition<'a> {
    column: Column,
    values: Vec<&'a str>,
}

impl<'a> Condition<'a> {
    fn parse(text: &'a str, table: &Table) -> Result<Self, Failure> {
        let Some((name, values)) = text.split_once('=') else {
            return Err(Failure::new(format!("--where: expected COLUMN=VALUE or COLUMN=VALUE|VALUE, got {text:?}")));
        };
        Ok(Self { column: table.column(name.trim())?, values: values.split('|').map(str::trim).collect() })
    }

    fn accepts(&self, field: &str) -> bool {
        self.values.contains(&field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "dataset,extractor,finger,impression,ppi,path\n\
        a,x,1,1,500,a/1_1.fmr\na,x,1,2,500,\nb,x,1,1,569,b/1_1.fmr\nb,y,1,1,569,b/y/1_1.fmr\n";

    fn read(text: &str, wheres: &[&str]) -> Result<Manifest, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("m.csv");
        std::fs::write(&path, text).unwrap();
        let wheres: Vec<String> = wheres.iter().map(|&text| text.to_owned()).collect();
        Manifest::read(&path, &wheres).map_err(|failure| failure.to_string().replace(path.to_str().unwrap(), "m.csv"))
    }

    fn refused(text: &str, wheres: &[&str]) -> String {
        read(text, wheres).err().expect("a refusal")
    }

    #[test]
    fn rows_as_they_stand() {
        let manifest = read(GOOD, &[]).unwrap();
        assert_eq!(manifest.rows.len(), 4);
        let [first, failed, ..] = &manifest.rows[..] else { panic!("at least two rows") };
        assert_eq!((&*first.dataset, &*first.extractor, &*first.finger, &*first.impression), ("a", "x", "1", "1"));
        assert!(first.path.as_ref().unwrap().ends_with("a/1_1.fmr") && first.path.as_ref().unwrap().is_absolute());
        assert_eq!(failed.path, None);
    }

    #[test]
    fn every_condition_must_hold_and_any_of_its_values_may() {
        let count = |wheres: &[&str]| read(GOOD, wheres).unwrap().rows.len();
        assert_eq!(count(&["dataset=a|b"]), 4);
        assert_eq!(count(&["dataset=b"]), 2);
        assert_eq!(count(&["dataset=a|b", "extractor=y"]), 1);
        assert_eq!(count(&["ppi=569", "impression=1"]), 2);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let columns = "it has dataset, extractor, finger, impression, ppi, path";
        assert_eq!(refused(GOOD, &["sensor=x"]), format!("m.csv: no column \"sensor\"; {columns}"));
        assert!(refused(GOOD, &["dataset"]).starts_with("--where: expected COLUMN=VALUE"));
        assert_eq!(refused(GOOD, &["dataset=c"]), "m.csv: no row left --where dataset=c");
        let no_path = "dataset,extractor,finger,impression\na,x,1,1\n";
        assert_eq!(refused(no_path, &[]), "m.csv: no column \"path\"; it has dataset, extractor, finger, impression");
        let twice = format!("{GOOD}a,x,1,1,500,other.fmr\n");
        assert_eq!(refused(&twice, &[]), "m.csv line 6, impression: this impression is listed twice");
        let empty = format!("{GOOD}a,x,,1,500,other.fmr\n");
        assert_eq!(refused(&empty, &[]), "m.csv line 6, finger: expected a value, got an empty field");
        let ragged = refused(&format!("{GOOD}a,x\n"), &[]);
        assert_eq!(ragged, "m.csv line 6: expected 6 fields as in the header, got 2");
        let missing = Manifest::read(Path::new("/nonexistent/m.csv"), &[]).err().expect("a refusal").to_string();
        assert!(missing.starts_with("/nonexistent/m.csv: No such file"), "{missing}");
    }
}
