//! `khop import`: Read records and vectors in bulk, with a duplicate check.

mod tally;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

use clap::ArgGroup;
use indicatif::{ProgressBar, ProgressStyle};
use khop::{DuplicateCheck, Engine, Error, ErrorKind, GalleryId, ModelId, Realm, RealmId};

pub use self::tally::Fate;
use self::tally::Tally;
use crate::failure::Failure;
use crate::source::{LabelledFaces, ListedFingers, Population, Source, SubjectPer};

/// Read records and vectors in bulk, with a duplicate check.
///
/// Every encounter is searched against everyone in the realm and enrolled whatever the outcome; those that look like
/// somebody else open a case. Safe to interrupt: the same command again skips what is there and does the rest.
/// Encounters that are refused are reported with the reason, all others are enrolled, and the exit status is 1.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("source").required(true).args(["manifest", "vectors", "population"]))]
pub struct ImportArgs {
    /// Data directory of the store; made when it does not exist
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Realm that the encounters go into
    #[arg(long, value_name = "NAME", default_value = "default")]
    realm: RealmId,
    /// Make the realm if it does not exist
    #[arg(long)]
    create_realm: bool,
    /// Gallery that the encounters belong to; may be given several times
    #[arg(long, value_name = "NAME", value_parser = |name: &str| GalleryId::named(name))]
    gallery: Vec<GalleryId>,
    /// CSV list of finger records: columns dataset, extractor, finger, impression, path (relative to the list)
    #[arg(long, value_name = "CSV")]
    manifest: Option<PathBuf>,
    /// Take only rows of the manifest with these values; may be given several times
    #[arg(long = "where", value_name = "COLUMN=VALUE|VALUE", requires = "manifest")]
    wheres: Vec<String>,
    /// Array of face vectors, one a row (.npy, .npz, Parquet; FILE:NAME where there are several)
    #[arg(long, value_name = "NPY", requires_all = ["labels", "model"])]
    vectors: Option<PathBuf>,
    /// Labels of the vectors: columns row, subject, sample
    #[arg(long, value_name = "CSV", requires = "vectors")]
    labels: Option<PathBuf>,
    /// Model that made the vectors
    #[arg(long, value_name = "ID", requires = "vectors")]
    model: Option<ModelId>,
    /// Leave out vectors whose label_ok is 0
    #[arg(long, requires = "vectors")]
    clean: bool,
    /// Directory written by `khop synth`
    #[arg(long, value_name = "DIR")]
    population: Option<PathBuf>,
    /// Whose the encounters are said to be
    #[arg(long, value_enum, default_value_t = SubjectPer::Person, conflicts_with = "population")]
    subject_per: SubjectPer,
    /// Enrol without searching for duplicates
    #[arg(long)]
    no_check: bool,
    /// Write every refused encounter and the reason into this file
    #[arg(long, value_name = "CSV")]
    failures: Option<PathBuf>,
    /// Threads that compare; 0 takes one a core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Encounters under way at the same time; 0 takes four a thread
    #[arg(long, value_name = "N", default_value_t = 0)]
    in_flight: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop import --data store --manifest fingers/manifest.csv --where extractor=leader
  khop import --data store --vectors faces.npy --labels faces.csv --model arcface-512 --no-check
  khop synth --people 10000 --out people && khop import --data store --population people
  khop import --data store --manifest m.csv --subject-per encounter && khop dedup --data store";

pub fn run(args: ImportArgs) -> Result<(), Failure> {
    let source = args.source()?;
    expect_different_names(&*source)?;
    let engine = Engine::builder(&args.data).threads(args.threads).open()?;
    if args.create_realm {
        match engine.create_realm(&args.realm, None) {
            Ok(()) | Err(Error::RealmExists(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let realm = engine.realm(&args.realm)?;
    let check = if args.no_check { DuplicateCheck::Skip } else { DuplicateCheck::Search };
    expect_comparable_faces(&*source, &engine, &realm, check)?;
    let workers = match args.in_flight {
        0 => 4 * engine.status().threads,
        given => given,
    };
    let mut tally = Tally::start(args.failures.as_deref())?;
    let progress = progress_bar(source.count());
    enrol_all(&*source, &realm, check, workers, |index, fate| {
        progress.inc(1);
        tally.add(source.name(index), fate)
    })?;
    progress.finish_and_clear();
    let totals = tally.finish(check == DuplicateCheck::Search)?;
    if args.json {
        println!("{}", totals.json());
    } else {
        println!("{totals}");
    }
    totals.verdict()
}

impl ImportArgs {
    fn source(&self) -> Result<Box<dyn Source>, Failure> {
        let galleries = self.gallery.iter().cloned().collect();
        match (&self.manifest, &self.vectors, &self.labels, &self.model, &self.population) {
            (Some(manifest), ..) => {
                Ok(Box::new(ListedFingers::read(manifest, &self.wheres, self.subject_per, galleries)?))
            }
            (_, Some(vectors), Some(labels), Some(model), _) => Ok(Box::new(LabelledFaces::read(
                vectors,
                model.clone(),
                labels,
                self.clean,
                self.subject_per,
                galleries,
            )?)),
            (.., Some(population)) => Ok(Box::new(Population::read(population, galleries)?)),
            _ => Err(Failure::new("expected --manifest, --population, or --vectors with --labels and --model")),
        }
    }
}

/// Two encounters of one name would look like one that is there already.
fn expect_different_names(source: &dyn Source) -> Result<(), Failure> {
    let mut names = HashSet::with_capacity(source.count());
    match (0..source.count()).map(|index| source.name(index)).find(|name| !names.insert(name.clone())) {
        Some(twice) => {
            Err(Failure::new(format!("encounter {twice}: expected different encounters, this one is listed twice")))
        }
        None => Ok(()),
    }
}

/// Says once what every single encounter would be refused for.
fn expect_comparable_faces(
    source: &dyn Source,
    engine: &Engine,
    realm: &Realm,
    check: DuplicateCheck,
) -> Result<(), Failure> {
    let Some((model, dim)) = source.face_model() else { return Ok(()) };
    if let Some((expected, expected_dim)) = realm.status()?.face_model
        && (&expected, expected_dim) != (model, dim)
    {
        return Err(Error::ModelMismatch { expected, expected_dim, found: model.clone(), found_dim: dim }.into());
    }
    if check == DuplicateCheck::Search && !engine.face_models().contains(model) {
        return Err(Error::Uncalibrated(model.clone()).into());
    }
    Ok(())
}

pub fn progress_bar(count: usize) -> ProgressBar {
    let style = "{wide_bar} {human_pos}/{human_len}  {per_sec}  {eta} left";
    ProgressBar::new(count as u64).with_style(ProgressStyle::with_template(style).expect("a valid constant"))
}

/// Enrols every encounter of the source, `workers` at a time, and tells what became of each.
///
/// Ends early on a failure that is not one encounter's own (a full disk, a damaged store) and when `tell` fails.
pub fn enrol_all(
    source: &dyn Source,
    realm: &Realm,
    check: DuplicateCheck,
    workers: usize,
    mut tell: impl FnMut(usize, Fate) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, done) = sync_channel(workers);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let sender = sender.clone();
            let (next, stop) = (&next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= source.count() || sender.send((index, enrol(source, index, realm, check))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut result = Ok(());
        for (index, fate) in done {
            if let Err(failure) = fate.and_then(|fate| tell(index, fate)) {
                stop.store(true, Ordering::Relaxed);
                result = result.and(Err(failure));
            }
        }
        result
    })
}

/// Enrols one encounter. A failure stops the import; what is wrong with the encounter itself is a [`Fate`].
fn enrol(source: &dyn Source, index: usize, realm: &Realm, check: DuplicateCheck) -> Result<Fate, Failure> {
    let encounter = match source.encounter(index) {
        Ok(Some(encounter)) => encounter,
        Ok(None) => return Ok(Fate::NotCaptured),
        Err(failure) => return Ok(Fate::Failed(failure.to_string())),
    };
    let (key, samples) = (encounter.key(), encounter.samples.clone());
    let error = match realm.enrol(encounter, check) {
        Ok(enrolment) => return Ok(Fate::Enrolled(enrolment.identification.map(|i| i.decision.outcome()))),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::EncounterExists => Ok(if realm.read(&key)?.samples != samples {
            Fate::Failed(format!("{error}, with other samples"))
        } else {
            Fate::AlreadyThere
        }),
        ErrorKind::BadInput | ErrorKind::ModelMismatch | ErrorKind::NotComparable => {
            Ok(Fate::Failed(error.to_string()))
        }
        _ => Err(error.into()),
    }
}
