//! What does an engine's score file say? One comparison a row, of any engine, as CSV, plain or packed, or as Parquet.
//!
//! Two layouts are read. `probe,reference,score,mated` is what `--scores` writes; a name `SET/REST` says which data set
//! a sample is of. `dataset,finger1,impression1,finger2,impression2,score` numbers fingers by data set; its samples are
//! called `DATASET/FINGER_IMPRESSION`, as `--scores` calls them. The first layout may say whose the samples are in the
//! columns `probe_subject` and `reference_subject`; other columns tell rates apart where asked for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::grouping::{By, Grouping};
use super::score_rows::ScoreRows;
use crate::failure::Failure;

/// A score file and what its engine is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    pub name: String,
    pub path: PathBuf,
}

impl FromStr for Engine {
    type Err = String;

    /// `NAME=FILE`, or a file, whose name without its endings names the engine.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((name, path)) = text.split_once('=')
            && !name.is_empty()
            && !Path::new(text).exists()
        {
            return Ok(Self { name: name.to_owned(), path: path.into() });
        }
        let file = Path::new(text).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = file.trim_end_matches(".gz").trim_end_matches(".csv").trim_end_matches(".parquet").to_owned();
        if name.is_empty() { Err("expected FILE or NAME=FILE".into()) } else { Ok(Self { name, path: text.into() }) }
    }
}

/// The samples that score files name, each once.
#[derive(Default)]
pub struct SampleNames {
    ids: HashMap<String, u32>,
    pub samples: Vec<NamedSample>,
}

/// A sample as score files call it.
pub struct NamedSample {
    pub name: String,
    /// What stands before the last `/` of its name, or the file's own column.
    pub dataset: String,
    /// Whose it is, where a file has a column that says so.
    pub subject: Option<String>,
}

impl SampleNames {
    fn id(&mut self, name: &str, dataset: Option<&str>) -> u32 {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = self.samples.len() as u32;
        let dataset = dataset.unwrap_or_else(|| name.rsplit_once('/').map_or("", |(set, _)| set)).to_owned();
        self.samples.push(NamedSample { name: name.to_owned(), dataset, subject: None });
        self.ids.insert(name.to_owned(), id);
        id
    }

    /// A sample has one subject, in all rows of all files.
    fn belongs(&mut self, sample: u32, subject: &str) -> Result<(), String> {
        let NamedSample { name, subject: known, .. } = &mut self.samples[sample as usize];
        match known {
            Some(known) if known != subject => {
                Err(format!("{name} is a sample of {subject:?} here, but of {known:?} in an earlier row"))
            }
            Some(_) => Ok(()),
            None => {
                *known = Some(subject.to_owned());
                Ok(())
            }
        }
    }

    /// Names that differ only in case or spaces are one sample or subject written in two ways, or ask to be taken for one.
    pub fn expect_distinct(&self) -> Result<(), Failure> {
        distinct("samples", self.samples.iter().map(|sample| &*sample.name))?;
        let mut subjects: Vec<&str> = self.samples.iter().filter_map(|sample| sample.subject.as_deref()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        distinct("subjects", subjects.into_iter())
    }
}

fn distinct<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for name in names {
        let folded: String = name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        if let Some(other) = seen.insert(folded, name) {
            return Err(Failure::new(format!("the {what} {other:?} and {name:?} differ only in case or spaces")));
        }
    }
    Ok(())
}

/// Two samples by number. Of a comparison the lower stands first, of a search the probe.
pub type Pair = (u32, u32);

/// A row of a score file, once its samples are known by number.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub pair: Pair,
    /// `None` where the field is empty.
    pub score: Option<f64>,
    /// Its number in the file, in the unit of its [`Sheet`](super::sheet::Sheet).
    pub number: u64,
    /// Which values the columns have by which rates are told apart.
    pub group: u32,
    pub mated: bool,
}

/// Which columns say what.
enum Layout {
    Named { probe: usize, reference: usize, mated: usize, subjects: Option<[usize; 2]> },
    Fingers { dataset: usize, probe: [usize; 2], reference: [usize; 2] },
}

/// Reads a file row by row; `row` gets each, once its sample names are known. Returns what the numbers of rows count:
/// lines or rows.
///
/// A score that is no finite number, an empty name, a label other than 0 or 1, a sample compared with itself or of two
/// subjects, and a file that has neither layout or lacks a column of `grouping` are failures that name file, line and
/// column.
pub fn read(
    path: &Path,
    names: &mut SampleNames,
    grouping: &mut Grouping,
    mut row: impl FnMut(Row),
) -> Result<&'static str, Failure> {
    let mut rows = ScoreRows::open(path)?;
    let (header, unit) = (rows.header().clone(), rows.unit());
    let column = |name: &str| header.iter().position(|column| column == name);
    let (layout, score) = layout(column).ok_or_else(|| {
        let expected = "probe, reference, score, mated or dataset, finger1, impression1, finger2, impression2, score";
        let found = match header.len() {
            0 => "no column".to_owned(),
            _ => header.iter().collect::<Vec<_>>().join(", "),
        };
        Failure::at(path)(format!("expected the columns {expected}; it has {found}"))
    })?;
    let further = |by: &By| {
        let name = &by.column;
        column(name).ok_or_else(|| {
            let found: Vec<&str> = header.iter().collect();
            Failure::at(path)(format!("no column {name:?}; it has {}", found.join(", ")))
        })
    };
    let further = grouping.columns().iter().map(further).collect::<Result<Vec<usize>, _>>()?;
    for column in layout.columns().into_iter().chain([score]).chain(further.iter().copied()) {
        if header.iter().filter(|name| *name == &header[column]).count() > 1 {
            return Err(Failure::at(path)(format!("the column {:?} stands there twice", &header[column])));
        }
        rows.want(column);
    }
    let mut record = csv::StringRecord::new();
    while let Some(place) = rows.read(&mut record)? {
        let wrong = |column: usize, what: &str| {
            Failure::new(format!("{} {unit} {place}, {}: {what}", path.display(), &header[column]))
        };
        let named = |column: usize| match &record[column] {
            "" => Err(wrong(column, "expected a value, got an empty field")),
            name => Ok(name),
        };
        let (pair, mated) = match layout {
            Layout::Named { probe, reference, mated, subjects } => {
                let is_mated = match &record[mated] {
                    "1" => true,
                    "0" => false,
                    other => return Err(wrong(mated, &format!("expected 0 or 1, got {other:?}"))),
                };
                let pair = (names.id(named(probe)?, None), names.id(named(reference)?, None));
                if let Some([of_probe, of_reference]) = subjects {
                    let (a, b) = (named(of_probe)?, named(of_reference)?);
                    if (a == b) != is_mated {
                        let expected = u8::from(a == b);
                        let what = format!("expected {expected} for the subjects {a:?} and {b:?}");
                        return Err(wrong(mated, &what));
                    }
                    names.belongs(pair.0, a).map_err(|what| wrong(of_probe, &what))?;
                    names.belongs(pair.1, b).map_err(|what| wrong(of_reference, &what))?;
                }
                (pair, is_mated)
            }
            Layout::Fingers { dataset, probe, reference } => {
                let set = named(dataset)?;
                let mut sample = |[finger, impression]: [usize; 2]| {
                    let (digit, number) = (named(finger)?, named(impression)?);
                    let id = names.id(&format!("{set}/{digit}_{number}"), Some(set));
                    names.belongs(id, &format!("{set}/{digit}")).map_err(|what| wrong(finger, &what))?;
                    Ok::<_, Failure>(id)
                };
                ((sample(probe)?, sample(reference)?), record[probe[0]] == record[reference[0]])
            }
        };
        if pair.0 == pair.1 {
            let what = format!("{place}: {} is compared with itself", names.samples[pair.0 as usize].name);
            return Err(Failure::new(format!("{} {unit} {what}", path.display())));
        }
        let score = match &record[score] {
            "" => None,
            text => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Some(number),
                _ => return Err(wrong(score, &format!("expected a finite number, got {text:?}"))),
            },
        };
        let group = grouping.number(further.iter().map(|&column| &record[column]));
        let group = group.map_err(|(place, what)| wrong(further[place], &what))?;
        row(Row { pair, score, number: place, group, mated });
    }
    Ok(unit)
}

fn layout(column: impl Fn(&str) -> Option<usize>) -> Option<(Layout, usize)> {
    let score = column("score")?;
    let named = || {
        let subjects = column("probe_subject").zip(column("reference_subject")).map(|(a, b)| [a, b]);
        let (probe, reference) = (column("probe")?, column("reference")?);
        Some(Layout::Named { probe, reference, mated: column("mated")?, subjects })
    };
    let fingers = || {
        let probe = [column("finger1")?, column("impression1")?];
        let reference = [column("finger2")?, column("impression2")?];
        Some(Layout::Fingers { dataset: column("dataset")?, probe, reference })
    };
    Some((named().or_else(fingers)?, score))
}

impl Layout {
    /// Those it takes its values from.
    fn columns(&self) -> Vec<usize> {
        match *self {
            Self::Named { probe, reference, mated, subjects } => {
                [probe, reference, mated].into_iter().chain(subjects.into_iter().flatten()).collect()
            }
            Self::Fingers { dataset, probe, reference } => {
                [dataset].into_iter().chain(probe).chain(reference).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read_text(bytes: &[u8]) -> Result<(SampleNames, Vec<Row>), String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.csv");
        std::fs::write(&path, bytes).unwrap();
        let (mut names, mut rows) = (SampleNames::default(), Vec::new());
        let read = read(&path, &mut names, &mut Grouping::default(), |row| rows.push(row));
        read.and_then(|_| names.expect_distinct())
            .map_err(|failure| failure.to_string().replace(path.to_str().unwrap(), "s.csv"))?;
        Ok((names, rows))
    }

    fn shown(bytes: &[u8]) -> Vec<String> {
        let (names, rows) = read_text(bytes).unwrap();
        let name = |id: u32| &names.samples[id as usize].name;
        let one = |r: Row| format!("{} {} {:?} {}", name(r.pair.0), name(r.pair.1), r.score, u8::from(r.mated));
        rows.into_iter().map(one).collect()
    }

    const NAMED: &[u8] = b"probe,reference,score,mated\na/1_1, a/1_2 ,0.5,1\na/1_1,a/2_1,-1e-3,0\na/1_1,a/2_2,,0\n";
    const FINGERS: &[u8] = b"dataset,finger1,impression1,finger2,impression2,score\na,1,1,1,2,7\nb,1,1,2,1,0.25\n";

    #[test]
    fn both_layouts_plain_and_packed() {
        let named = ["a/1_1 a/1_2 Some(0.5) 1", "a/1_1 a/2_1 Some(-0.001) 0", "a/1_1 a/2_2 None 0"];
        assert_eq!(shown(NAMED), named);
        assert_eq!(shown(FINGERS), ["a/1_1 a/1_2 Some(7.0) 1", "b/1_1 b/2_1 Some(0.25) 0"]);
        let mut packed = Vec::new();
        for half in [&NAMED[..40], &NAMED[40..]] {
            let mut encoder = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::fast());
            encoder.write_all(half).unwrap();
        }
        assert_eq!(shown(&packed), named, "two members, as concatenated files have");
        let (names, _) = read_text(FINGERS).unwrap();
        let of_b = &names.samples[2];
        assert_eq!((&*of_b.name, &*of_b.dataset, of_b.subject.as_deref()), ("b/1_1", "b", Some("b/1")));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |bytes: &[u8]| read_text(bytes).err().expect("a refusal");
        let named = |row: &str| refused(format!("probe,reference,score,mated\na,b,1,1\n{row}\n").as_bytes());
        assert_eq!(named("a,c,NaN,0"), "s.csv line 3, score: expected a finite number, got \"NaN\"");
        assert_eq!(named("a,c,inf,0"), "s.csv line 3, score: expected a finite number, got \"inf\"");
        assert_eq!(named("a,c,high,0"), "s.csv line 3, score: expected a finite number, got \"high\"");
        assert_eq!(named("a,,1,0"), "s.csv line 3, reference: expected a value, got an empty field");
        assert_eq!(named("a,c,1,yes"), "s.csv line 3, mated: expected 0 or 1, got \"yes\"");
        assert_eq!(named("c,c,1,1"), "s.csv line 3: c is compared with itself");
        assert_eq!(named("A,c,1,1"), "the samples \"a\" and \"A\" differ only in case or spaces");
        assert_eq!(named("x 1,x1,1,1"), "the samples \"x 1\" and \"x1\" differ only in case or spaces");
        assert_eq!(named("a,c"), "s.csv line 3: expected 4 fields as in the header, got 2");
        let columns = refused(b"probe,reference,score\na,b,1\n");
        assert!(columns.starts_with("s.csv: expected the columns probe, reference, score, mated or"), "{columns}");
        assert!(columns.ends_with("it has probe, reference, score"), "{columns}");
        let packed = refused(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]);
        assert!(packed.starts_with("s.csv: "), "{packed}");
    }

    #[test]
    fn subjects_may_have_columns() {
        let header = "probe,reference,score,mated,probe_subject,reference_subject";
        let read = |rows: &str| read_text(format!("{header}\n{rows}").as_bytes());
        let (names, _) = read("x,y,1,1,Ann,Ann\nx,z,0,0,Ann,Bob\n").unwrap();
        let subjects: Vec<_> = names.samples.iter().map(|sample| sample.subject.as_deref().unwrap()).collect();
        assert_eq!(subjects, ["Ann", "Ann", "Bob"]);
        let refused = |rows: &str| read(rows).err().expect("a refusal");
        let label = "s.csv line 2, mated: expected 0 for the subjects \"Ann\" and \"Bob\"";
        assert_eq!(refused("x,y,1,1,Ann,Bob\n"), label);
        let two = "s.csv line 3, probe_subject: x is a sample of \"Bob\" here, but of \"Ann\" in an earlier row";
        assert_eq!(refused("x,y,1,1,Ann,Ann\nx,z,1,1,Bob,Bob\n"), two);
        let cased = "the subjects \"Ann\" and \"ann\" differ only in case or spaces";
        assert_eq!(refused("x,y,1,0,Ann,ann\n"), cased);
        assert_eq!(refused("x,y,1,0,An n,Ann\n"), cased.replace("Ann", "An n").replace("ann", "Ann"));
        assert!(refused("x,y,1,0,Ann,\n").ends_with("reference_subject: expected a value, got an empty field"));
    }

    #[test]
    fn a_column_to_tell_rates_apart_is_read_or_missed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.csv");
        std::fs::write(&path, "probe,reference,score,mated,born\na,b,1,1,1984\na,c,0,0,1991\na,d,0,0,never\n").unwrap();
        let read = |by: &str| {
            let (mut grouping, mut groups) = (Grouping::new(&[by.parse().unwrap()]), Vec::new());
            let read = read(&path, &mut SampleNames::default(), &mut grouping, |row| groups.push(row.group));
            read.map_err(|failure| failure.to_string().replace(path.to_str().unwrap(), "s.csv"))?;
            Ok::<_, String>(groups.iter().map(|&group| grouping.value(group, 0).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(read("born").unwrap(), ["1984", "1991", "never"]);
        assert_eq!(
            read("born:10").unwrap_err(),
            "s.csv line 4, born: expected a number to put into a bin, got \"never\""
        );
        assert_eq!(read("sex").unwrap_err(), "s.csv: no column \"sex\"; it has probe, reference, score, mated, born");
    }

    #[test]
    fn an_engine_is_called_by_its_file_or_as_asked() {
        let engine = |text: &str| text.parse::<Engine>().map(|e| format!("{} {}", e.name, e.path.display()));
        assert_eq!(engine("x/peer-on-a.csv.gz").unwrap(), "peer-on-a x/peer-on-a.csv.gz");
        assert_eq!(engine("ours=x/scores.csv").unwrap(), "ours x/scores.csv");
        assert!(engine(".csv").is_err() && engine("").is_err());
    }
}
