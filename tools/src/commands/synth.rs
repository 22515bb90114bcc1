//! `khop synth`: Make a synthetic population, with duplicates hidden in it, ready to import.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use khop_evaluate::synth::{FingerOptions, Kinship, PeopleOptions, Population, PopulationOptions};
use khop_vocabulary::{Attributes, Sex};
use rand::SeedableRng;
use rand::seq::{IteratorRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::failure::Failure;

/// Make a synthetic population, with duplicates hidden in it, ready to import.
///
/// Every person has ten fingers (ISO/IEC 19794-2:2005 records), a face (a 512-d vector), a year of birth, a sex and a
/// region; some come a second time under another name, age and region. The same people and seed give the same files.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct SynthArgs {
    /// How many people to make
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    people: u64,
    /// Seed of everything that is drawn
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Directory to write; must be empty or not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Share of the people who come a second time under another name, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    duplicates: f64,
    /// Noise of the finger impressions: 1 is usual, 2 is twice as hard
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = factor)]
    difficulty: f64,
    /// Share of the fingers that do not exist, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = FingerOptions::default().amputated, value_parser = share)]
    amputated: f64,
    /// Share of the impressions of which hardly anything shows (dry, wet, dirty), 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = FingerOptions::default().dead, value_parser = share)]
    dead: f64,
    /// Share of the people who have three brothers or sisters among the others, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    siblings: f64,
    /// Share of the people who are monozygotic twins: nearly one face, ten fingers of their own; 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    twins: f64,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop synth --people 1000 --seed 7 --out people
  khop synth --people 1000 --dead 0.05 --amputated 0.01 --out worn
  khop synth --people 1000 --siblings 0.3 --twins 0.01 --out families
  khop import --data store --population people
  khop dedup --data store

Writes people.csv, fingers/, faces.npy and model.txt for `khop import`, truth.csv (subject, duplicate_of), which says
who the hidden duplicates are, and relatives.csv (subject, relative, relation: twin or sibling), which says who is related
to whom, each pair once and by the subject under which a person comes first. A person takes about 6 kB.";

/// The model id of synthetic faces.
const MODEL: &str = khop_face::SYNTHETIC_MODEL;
/// Rows made at a time.
const CHUNK: usize = 512;

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|s| (0.0..=1.0).contains(s)).ok_or_else(|| "expected a number from 0 to 1".into())
}

pub fn factor(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|s| (0.0..=10.0).contains(s)).ok_or_else(|| "expected a number from 0 to 10".into())
}

/// Who stands in a row of `people.csv`.
#[derive(Clone, Copy)]
struct Appearance {
    person: u64,
    /// For the second time, under the attributes of this other number.
    posing_as: Option<u64>,
}

pub fn run(args: SynthArgs) -> Result<(), Failure> {
    make_empty(&args.out)?;
    let finger = FingerOptions {
        difficulty: args.difficulty,
        amputated: args.amputated,
        dead: args.dead,
        ..FingerOptions::default()
    };
    let people = PeopleOptions { siblings: args.siblings, twins: args.twins, ..PeopleOptions::default() };
    let options = PopulationOptions { finger, people, ..PopulationOptions::default() };
    let dim = options.face.dim;
    let population = Population::new(args.seed, options);
    let rows = appearances(args.people, args.duplicates, args.seed);

    let mut people = Sheet::create(&args.out.join("people.csv"), &columns())?;
    let faces = args.out.join("faces.npy");
    let mut vectors = BufWriter::new(File::create(&faces).map_err(Failure::at(&faces))?);
    vectors.write_all(&khop_formats::npy::header_f32(&[rows.len(), dim])).map_err(Failure::at(&faces))?;
    let model = args.out.join("model.txt");
    std::fs::write(&model, format!("{MODEL}\n")).map_err(Failure::at(&model))?;

    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} people, {eta} left").expect("a fixed template");
    let bar = ProgressBar::new(rows.len() as u64).with_style(style);
    let (mut fingers, numbered) = (0, rows.iter().copied().enumerate().collect::<Vec<_>>());
    for chunk in numbered.chunks(CHUNK) {
        let directory = args.out.join(directory(chunk[0].0));
        std::fs::create_dir_all(&directory).map_err(Failure::at(&directory))?;
        let make = |&(row, appearance): &(usize, Appearance)| encounter(&args.out, &population, row, appearance);
        for (row, made) in chunk.iter().zip(chunk.par_iter().map(make).collect::<Result<Vec<_>, _>>()?) {
            fingers += made.fingers.iter().filter(|path| !path.is_empty()).count();
            people.write(&made.fields(row.0))?;
            let face: Vec<u8> = made.face.iter().flat_map(|v| v.to_le_bytes()).collect();
            vectors.write_all(&face).map_err(Failure::at(&faces))?;
        }
        bar.inc(chunk.len() as u64);
    }
    people.finish()?;
    vectors.flush().map_err(Failure::at(&faces))?;
    let (firsts, duplicates) = write_truth(&args.out.join("truth.csv"), &rows)?;
    let related = write_relatives(&args.out.join("relatives.csv"), &population, &rows, &firsts)?;
    bar.finish_and_clear();
    report(&args, rows.len(), duplicates, related, fingers);
    Ok(())
}

fn report(args: &SynthArgs, encounters: usize, duplicates: usize, [twins, siblings]: [usize; 2], fingers: usize) {
    let (out, people) = (args.out.display().to_string(), args.people);
    if args.json {
        let object = serde_json::json!({
            "out": out, "people": people, "encounters": encounters, "duplicates": duplicates, "fingers": fingers,
            "twins": twins, "siblings": siblings,
        });
        println!("{object}");
    } else {
        println!("{people} people in {encounters} encounters, {duplicates} of them hidden duplicates, in {out}");
        if twins + siblings > 0 {
            println!("{twins} pairs of twins, {siblings} of siblings");
        }
        println!("{fingers} finger records, {encounters} faces of model {MODEL}");
        println!("next: khop import --data store --population {out}");
    }
}

fn make_empty(directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory).map_err(Failure::at(directory))?;
    match std::fs::read_dir(directory).map_err(Failure::at(directory))?.next() {
        None => Ok(()),
        Some(_) => Err(Failure::new(format!("--out {}: expected an empty directory", directory.display()))),
    }
}

/// Everyone once and some twice, in random order.
fn appearances(people: u64, duplicates: f64, seed: u64) -> Vec<Appearance> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let returning = (people as f64 * duplicates).round() as usize;
    let again = (0..people).sample(&mut rng, returning).into_iter().zip(people..);
    let mut rows: Vec<_> = (0..people).map(|person| Appearance { person, posing_as: None }).collect();
    rows.extend(again.map(|(person, other)| Appearance { person, posing_as: Some(other) }));
    rows.shuffle(&mut rng);
    rows
}

/// What becomes of one row.
struct Encounter {
    attributes: Attributes,
    fingers: [String; 10],
    face: Vec<f32>,
}

fn encounter(out: &Path, population: &Population, row: usize, appearance: Appearance) -> Result<Encounter, Failure> {
    let person = population.person(appearance.person);
    let mut attributes = person.attributes.clone();
    if let Some(other) = appearance.posing_as {
        attributes = Attributes { sex: attributes.sex, ..population.person(other).attributes };
    }
    let number = u32::from(appearance.posing_as.is_some());
    let mut fingers: [String; 10] = Default::default();
    for sample in person.fingers(number) {
        let code = usize::from(sample.position.code());
        let path = format!("{}/{}_{code}.fmr", directory(row), subject(row));
        let file = out.join(&path);
        let record = khop_formats::write_iso_2005(&[sample]).map_err(Failure::at(&file))?;
        std::fs::write(&file, record).map_err(Failure::at(&file))?;
        fingers[code - 1] = path;
    }
    Ok(Encounter { attributes, fingers, face: person.face(number) })
}

impl Encounter {
    fn fields(&self, row: usize) -> Vec<String> {
        let Attributes { year_of_birth, sex, region } = &self.attributes;
        let sex = sex.map_or("", |sex| match sex {
            Sex::Female => "F",
            Sex::Male => "M",
        });
        let mut fields = vec![
            subject(row),
            format!("E{row:09}"),
            year_of_birth.map_or_else(String::new, |year| year.to_string()),
            sex.to_owned(),
            region.as_ref().map_or_else(String::new, ToString::to_string),
        ];
        fields.extend(self.fingers.iter().cloned());
        fields.push(row.to_string());
        fields
    }
}

fn columns() -> Vec<String> {
    let mut columns = ["subject", "encounter", "year_of_birth", "sex", "region"].map(String::from).to_vec();
    columns.extend((1..=10).map(|finger| format!("finger_{finger}")));
    columns.push("face_row".to_owned());
    columns
}

fn subject(row: usize) -> String {
    format!("P{row:09}")
}

fn directory(row: usize) -> String {
    format!("fingers/{:06}", row / CHUNK)
}

/// The later appearance of a person names the earlier one. Returns in which row everyone comes first, and how many come
/// again.
fn write_truth(path: &Path, rows: &[Appearance]) -> Result<(HashMap<u64, usize>, usize), Failure> {
    let mut truth = Sheet::create(path, &["subject".to_owned(), "duplicate_of".to_owned()])?;
    let mut first = HashMap::new();
    let mut duplicates = 0;
    for (row, appearance) in rows.iter().enumerate() {
        let earlier = *first.entry(appearance.person).or_insert(row);
        if earlier != row {
            truth.write(&[subject(row), subject(earlier)])?;
            duplicates += 1;
        }
    }
    truth.finish()?;
    Ok((first, duplicates))
}

/// Each pair of relatives once, at whoever comes later; how many are twins and siblings.
fn write_relatives(
    path: &Path,
    population: &Population,
    rows: &[Appearance],
    firsts: &HashMap<u64, usize>,
) -> Result<[usize; 2], Failure> {
    let mut sheet = Sheet::create(path, &["subject", "relative", "relation"].map(String::from))?;
    let mut pairs = [0; 2];
    for (row, appearance) in rows.iter().enumerate().filter(|(row, of)| firsts.get(&of.person) == Some(row)) {
        for (other, kinship) in population.person(appearance.person).relatives() {
            if let Some(&other) = firsts.get(&other).filter(|&&other| other < row) {
                sheet.write(&[subject(row), subject(other), kinship.name().to_owned()])?;
                pairs[usize::from(kinship == Kinship::Sibling)] += 1;
            }
        }
    }
    sheet.finish()?;
    Ok(pairs)
}

struct Sheet {
    path: PathBuf,
    writer: csv::Writer<File>,
}

impl Sheet {
    fn create(path: &Path, columns: &[String]) -> Result<Self, Failure> {
        let writer = csv::Writer::from_path(path).map_err(Failure::at(path))?;
        let mut table = Self { path: path.to_owned(), writer };
        table.write(columns)?;
        Ok(table)
    }

    fn write(&mut self, fields: &[String]) -> Result<(), Failure> {
        self.writer.write_record(fields).map_err(Failure::at(&self.path))
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(Failure::at(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use khop_fingerprint::{Comparator, Probe, Reference, Template};

    use super::*;

    fn args(out: &Path) -> SynthArgs {
        SynthArgs {
            people: 12,
            seed: 5,
            out: out.to_owned(),
            duplicates: 0.25,
            difficulty: 1.0,
            amputated: 0.002,
            dead: 0.01,
            siblings: 0.0,
            twins: 0.0,
            json: true,
        }
    }

    #[test]
    fn a_population_is_whole_and_the_same_again() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        run(args(a.path())).unwrap();
        run(args(b.path())).unwrap();
        let read = |directory: &Path, name: &str| std::fs::read(directory.join(name)).unwrap();
        for name in ["people.csv", "faces.npy", "truth.csv", "model.txt", "relatives.csv"] {
            assert_eq!(read(a.path(), name), read(b.path(), name), "{name}");
        }
        let faces = khop_formats::npy::read(&read(a.path(), "faces.npy")).unwrap();
        assert_eq!(faces.shape, [15, 512]);

        let mut subjects = HashSet::new();
        for row in csv::Reader::from_path(a.path().join("people.csv")).unwrap().records() {
            let row = row.unwrap();
            assert!(subjects.insert(row[0].to_owned()));
            for path in row.iter().skip(5).take(10).filter(|path| !path.is_empty()) {
                assert_eq!(khop_formats::read_minutiae(&read(a.path(), path)).unwrap().views.len(), 1);
                assert_eq!(read(a.path(), path), read(b.path(), path));
            }
        }
        let truth: Vec<_> = csv::Reader::from_path(a.path().join("truth.csv")).unwrap().into_records().collect();
        assert_eq!((subjects.len(), truth.len()), (15, 3));
        for pair in truth {
            let rows = pair.unwrap().iter().map(|s| s[1..].parse::<usize>().unwrap()).collect::<Vec<_>>();
            let face = |row: usize| &faces.values[row * 512..][..512];
            let cosine: f32 = face(rows[0]).iter().zip(face(rows[1])).map(|(a, b)| a * b).sum();
            assert!(cosine > 0.2, "{cosine}");
        }
    }

    #[test]
    fn relatives_are_told_and_only_their_faces_are_alike() {
        let directory = tempfile::tempdir().unwrap();
        run(SynthArgs { people: 41, siblings: 0.6, twins: 0.6, ..args(directory.path()) }).unwrap();
        let rows: Vec<csv::StringRecord> = {
            let reader = csv::Reader::from_path(directory.path().join("relatives.csv")).unwrap();
            reader.into_records().collect::<Result<_, _>>().unwrap()
        };
        let bytes = std::fs::read(directory.path().join("faces.npy")).unwrap();
        let faces = khop_formats::npy::read(&bytes).unwrap();
        let people: Vec<csv::StringRecord> = {
            let reader = csv::Reader::from_path(directory.path().join("people.csv")).unwrap();
            reader.into_records().collect::<Result<_, _>>().unwrap()
        };
        let cosine = |a: usize, b: usize| -> f32 {
            let [a, b] = [a, b].map(|row| &faces.values[row * 512..][..512]);
            a.iter().zip(b).map(|(a, b)| a * b).sum()
        };
        // The same finger of both, where both have it.
        let finger = |a: usize, b: usize| {
            let [a, b] = [a, b].map(|row| {
                let path = people[row].iter().skip(5).take(10).find(|path| path.ends_with("_2.fmr"))?;
                let record = khop_formats::read_minutiae(&std::fs::read(directory.path().join(path)).unwrap()).unwrap();
                Template::of(&record.views[0]).ok()
            });
            Some(Comparator::new().compare(&Probe::of(&a?), &Reference::of(&b?)))
        };
        let mut seen = HashSet::new();
        let (mut twins, mut siblings, mut fingers) = (Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            let [a, b] = [&row[0], &row[1]].map(|subject| subject[1..].parse::<usize>().unwrap());
            assert!(b < a && a < people.len() && seen.insert((a, b)), "each pair once, the earlier second");
            let of_relation = if &row[2] == "twin" { &mut twins } else { &mut siblings };
            of_relation.push(cosine(a, b));
            if &row[2] == "twin" {
                assert_eq!(people[a][3], people[b][3], "of one sex");
                fingers.extend(finger(a, b));
            }
        }
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
        assert!(twins.len() > 5 && siblings.len() > 20, "{} {}", twins.len(), siblings.len());
        assert!(mean(&twins) > 0.5 && (0.1..0.3).contains(&mean(&siblings)), "{twins:?} {siblings:?}");
        // Mated impressions have about 40 on average, strangers 8.
        assert!(mean(&fingers) < 16.0, "{fingers:?}");
    }

    #[test]
    fn who_has_no_fingers_still_has_a_row_and_a_face() {
        let directory = tempfile::tempdir().unwrap();
        run(SynthArgs { amputated: 1.0, ..args(directory.path()) }).unwrap();
        let rows = csv::Reader::from_path(directory.path().join("people.csv")).unwrap().into_records();
        let rows: Vec<_> = rows.collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), 15);
        assert!(rows.iter().all(|row| row.iter().skip(5).take(10).all(str::is_empty) && !row[15].is_empty()));
    }

    #[test]
    fn dead_impressions_show_little() {
        let bytes = |dead: f64| {
            let directory = tempfile::tempdir().unwrap();
            run(SynthArgs { dead, ..args(directory.path()) }).unwrap();
            let files = std::fs::read_dir(directory.path().join("fingers/000000")).unwrap();
            files.map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>()
        };
        assert!(bytes(1.0) * 2 < bytes(0.0));
    }

    #[test]
    fn a_directory_with_files_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("mine.txt"), "keep me").unwrap();
        let failure = run(args(directory.path())).unwrap_err().to_string();
        assert!(failure.contains("--out") && failure.contains("empty"), "{failure}");
    }
}
