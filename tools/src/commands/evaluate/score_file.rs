//! What does an engine's score file say? One comparison a row, of any engine, plain or compressed.
//!
//! Two layouts are read. `probe,reference,score,mated` is what `--scores` writes; a name `SET/REST` says which data set
//! a sample is of. `dataset,finger1,impression1,finger2,impression2,score` numbers fingers by data set; its samples are
//! called `DATASET/FINGER_IMPRESSION`, as `--scores` calls them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use flate2::bufread::MultiGzDecoder;

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
        let name = file.trim_end_matches(".gz").trim_end_matches(".csv").to_owned();
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
    pub finger: Option<String>,
}

impl SampleNames {
    fn id(&mut self, name: &str, dataset: Option<&str>, finger: Option<&str>) -> u32 {
        let id = *self.ids.entry(name.to_owned()).or_insert_with(|| {
            let dataset = dataset.unwrap_or_else(|| name.rsplit_once('/').map_or("", |(set, _)| set)).to_owned();
            self.samples.push(NamedSample { name: name.to_owned(), dataset, finger: None });
            self.samples.len() as u32 - 1
        });
        if let Some(finger) = finger {
            self.samples[id as usize].finger = Some(finger.to_owned());
        }
        id
    }

    /// Names that differ only in case or spaces are one sample written in two ways, or ask to be taken for one.
    pub fn expect_distinct(&self) -> Result<(), Failure> {
        let mut seen: HashMap<String, &str> = HashMap::new();
        for NamedSample { name, .. } in &self.samples {
            let folded: String = name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
            if let Some(other) = seen.insert(folded, name) {
                return Err(Failure::new(format!("the samples {other:?} and {name:?} differ only in case or spaces")));
            }
        }
        Ok(())
    }
}

/// One row: who was compared with whom, and how alike they were.
#[derive(Clone, Copy)]
pub struct ScoreRow {
    /// In the file, from 1.
    pub line: u64,
    pub probe: u32,
    pub reference: u32,
    /// `None` where the field is empty: no template could be made.
    pub score: Option<f64>,
    pub mated: bool,
}

/// Which columns say what.
enum Layout {
    Named { probe: usize, reference: usize, mated: usize },
    Fingers { dataset: usize, probe: [usize; 2], reference: [usize; 2] },
}

/// Reads a file row by row; `row` gets each, once its sample names are known.
///
/// A score that is no finite number, an empty name, a label other than 0 or 1, a sample compared with itself and a
/// file that has neither layout are failures that name file, line and column.
pub fn read(
    path: &Path,
    names: &mut SampleNames,
    mut row: impl FnMut(ScoreRow) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(open(path)?);
    let header = reader.headers().map_err(Failure::at(path))?.clone();
    let column = |name: &str| header.iter().position(|column| column == name);
    let (layout, score) = layout(column).ok_or_else(|| {
        let expected = "probe, reference, score, mated or dataset, finger1, impression1, finger2, impression2, score";
        let found: Vec<&str> = header.iter().collect();
        Failure::at(path)(format!("expected the columns {expected}; it has {}", found.join(", ")))
    })?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(Failure::at(path))? {
        let line = record.position().map_or(0, csv::Position::line);
        let wrong = |column: usize, what: &str| {
            Failure::new(format!("{} line {line}, {}: {what}", path.display(), &header[column]))
        };
        let named = |column: usize| match &record[column] {
            "" => Err(wrong(column, "expected a value, got an empty field")),
            name => Ok(name),
        };
        let (probe, reference, mated) = match layout {
            Layout::Named { probe, reference, mated } => {
                let mated = match &record[mated] {
                    "1" => true,
                    "0" => false,
                    other => return Err(wrong(mated, &format!("expected 0 or 1, got {other:?}"))),
                };
                (names.id(named(probe)?, None, None), names.id(named(reference)?, None, None), mated)
            }
            Layout::Fingers { dataset, probe, reference } => {
                let set = named(dataset)?;
                let mut sample = |[finger, impression]: [usize; 2]| {
                    let (finger, impression) = (named(finger)?, named(impression)?);
                    Ok::<_, Failure>(names.id(&format!("{set}/{finger}_{impression}"), Some(set), Some(finger)))
                };
                (sample(probe)?, sample(reference)?, record[probe[0]] == record[reference[0]])
            }
        };
        if probe == reference {
            let what = format!("{line}: {} is compared with itself", names.samples[probe as usize].name);
            return Err(Failure::new(format!("{} line {what}", path.display())));
        }
        let score = match &record[score] {
            "" => None,
            text => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Some(number),
                _ => return Err(wrong(score, &format!("expected a finite number, got {text:?}"))),
            },
        };
        row(ScoreRow { line, probe, reference, score, mated })?;
    }
    Ok(())
}

fn layout(column: impl Fn(&str) -> Option<usize>) -> Option<(Layout, usize)> {
    let score = column("score")?;
    let named = || {
        let (probe, reference) = (column("probe")?, column("reference")?);
        Some(Layout::Named { probe, reference, mated: column("mated")? })
    };
    let fingers = || {
        let probe = [column("finger1")?, column("impression1")?];
        let reference = [column("finger2")?, column("impression2")?];
        Some(Layout::Fingers { dataset: column("dataset")?, probe, reference })
    };
    Some((named().or_else(fingers)?, score))
}

/// The bytes of the file, unpacked where it begins as gzip does.
fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(Failure::at(path))?);
    let is_packed = file.fill_buf().map_err(Failure::at(path))?.starts_with(&[0x1f, 0x8b]);
    Ok(if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read_text(bytes: &[u8]) -> Result<(SampleNames, Vec<ScoreRow>), String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.csv");
        std::fs::write(&path, bytes).unwrap();
        let (mut names, mut rows) = (SampleNames::default(), Vec::new());
        let read = read(&path, &mut names, |row| {
            rows.push(row);
            Ok(())
        });
        read.and_then(|()| names.expect_distinct())
            .map_err(|failure| failure.to_string().replace(path.to_str().unwrap(), "s.csv"))?;
        Ok((names, rows))
    }

    fn shown(bytes: &[u8]) -> Vec<String> {
        let (names, rows) = read_text(bytes).unwrap();
        let name = |id: u32| &names.samples[id as usize].name;
        let one = |r: ScoreRow| format!("{} {} {:?} {}", name(r.probe), name(r.reference), r.score, u8::from(r.mated));
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
        assert_eq!((&*of_b.name, &*of_b.dataset, of_b.finger.as_deref()), ("b/1_1", "b", Some("1")));
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
        assert!(named("a,c").starts_with("s.csv: CSV error"), "{}", named("a,c"));
        let columns = refused(b"probe,reference,score\na,b,1\n");
        assert!(columns.starts_with("s.csv: expected the columns probe, reference, score, mated or"), "{columns}");
        assert!(columns.ends_with("it has probe, reference, score"), "{columns}");
        let packed = refused(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]);
        assert!(packed.starts_with("s.csv: "), "{packed}");
    }

    #[test]
    fn an_engine_is_called_by_its_file_or_as_asked() {
        let engine = |text: &str| text.parse::<Engine>().map(|e| format!("{} {}", e.name, e.path.display()));
        assert_eq!(engine("x/peer-on-a.csv.gz").unwrap(), "peer-on-a x/peer-on-a.csv.gz");
        assert_eq!(engine("ours=x/scores.csv").unwrap(), "ours x/scores.csv");
        assert!(engine(".csv").is_err() && engine("").is_err());
    }
}
