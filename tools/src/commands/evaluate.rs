//! `khop evaluate`: Measure accuracy: DET, EER, FNMR at FMR, FNIR at FPIR.

mod compare;
mod figures;
mod findings;
pub mod fingers;
mod grouping;
mod growth;
mod joint;
mod page;
mod people;
mod reading;
mod realism;
pub mod samples;
mod scale;
mod score_array;
mod score_file;
mod score_rows;
mod scores;
mod searched;
mod searching;
mod sheet;
mod side_by_side;
mod subgroups;
pub mod trials;
pub mod vectors;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use khop_evaluate::Resampling;
use khop_evaluate::synth::Population;
use khop_vocabulary::{Fmr, Fpir};

use crate::failure::Failure;
use findings::Findings;
use fingers::{Fingers, Minutiae, Stage};
use grouping::By;
use growth::Growth;
use joint::Joint;
use samples::Samples;
use score_file::Engine;
use searched::{Lacking, SearchFile, searches};
use searching::Searching;
use trials::{Comparing, Impostors};
use vectors::{Exact, Int8, Signs, Vectors};

/// Measure accuracy: DET, EER, FNMR at FMR, FNIR at FPIR.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct EvaluateArgs {
    #[command(subcommand)]
    measure: Measure,
}

const EXAMPLES: &str = "\
Examples:
  khop evaluate verification --modality finger --manifest M.csv --where extractor=x
  khop evaluate verification --modality finger --manifest M.csv --comparator code --svg det.svg
  khop evaluate identification --modality face --vectors X.npy --labels L.csv --clean --json
  khop evaluate compare khop.csv peer.csv.gz --by dataset --svg det.svg
  khop evaluate realism --modality face --vectors X.npy --labels L.csv --clean

Rates come with their counts and a 95 % interval from resampled subjects; JSON adds
Clopper-Pearson, as if comparisons were independent. A sample without a template scores 0.";

const VERIFICATION_EXAMPLES: &str = "\
Examples:
  khop evaluate verification --modality finger --manifest M.csv --where 'dataset=a|b' --json
  khop evaluate verification --modality face --vectors X.npy --labels L.csv --report report.html
  khop evaluate verification --scores-file peer.csv.gz --by finger_position --json
  khop evaluate verification --scores-file scores.parquet --report report.html
  khop evaluate verification --mated mated.npy --non-mated non-mated.npy --fmr 1e-4,1e-6
  khop evaluate verification --mated scores.npz:mated --non-mated scores.npz:non_mated";

const IDENTIFICATION_EXAMPLES: &str = "\
Examples:
  khop evaluate identification --modality finger --manifest M.csv --where extractor=x
  khop evaluate identification --modality face --vectors X.npy --labels L.csv --cmc cmc.csv
  khop evaluate identification --modality face --vectors X.npy --labels L.csv --growth --report report.html
  khop evaluate identification --scores-file peer.csv.gz --by sex --by year_of_birth:10
  khop evaluate identification --scores-file lists.csv --candidates-of 1600000 --mate-absent-only

Every probe of a score file is a search; of several references of one subject the most similar speaks.
A rate is not measured (null in JSON) where fewer than ten false positives are expected.";

#[derive(Subcommand)]
enum Measure {
    /// One to one: all mated pairs, and all non-mated pairs within a data set.
    #[command(after_help = VERIFICATION_EXAMPLES)]
    Verification(VerificationArgs),
    /// One to many: gallery = first sample of each subject, every sample is searched, with its mate and without; or the
    /// searches of a score file.
    #[command(after_help = IDENTIFICATION_EXAMPLES)]
    Identification(IdentificationArgs),
    /// Engines side by side: score files of the same comparisons, differences with paired intervals, one DET plot.
    #[command(after_help = compare::EXAMPLES)]
    Compare(compare::CompareArgs),
    /// Real samples beside synthetic ones: how far the made-up population is from yours.
    #[command(after_help = realism::EXAMPLES)]
    Realism(realism::RealismArgs),
}

#[derive(Args)]
struct VerificationArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    file: FileArgs,
    /// The rates at which FNMR is asked for; by default those that the comparisons carry.
    #[arg(long, value_name = "FMR", value_delimiter = ',', value_parser = compare::fmr)]
    fmr: Option<Vec<Fmr>>,
    /// Take the scores of all mated comparisons from this array (.npy, .npz, Parquet), any number of them, instead of
    /// comparing.
    #[arg(long, value_name = "FILE[:NAME]", requires = "non_mated")]
    #[arg(conflicts_with_all = ["modality", "manifest", "vectors", "scores", "scores_file"])]
    mated: Option<PathBuf>,
    /// And those of all non-mated comparisons from this one.
    #[arg(long, value_name = "FILE[:NAME]", requires = "mated")]
    non_mated: Option<PathBuf>,
    /// Which non-mated pairs are compared.
    #[arg(long, value_enum, default_value = "all", conflicts_with = "scores_file")]
    impostors: Impostors,
}

/// Scores that another engine made.
#[derive(Args)]
struct FileArgs {
    /// Take the scores of any engine from this file instead of comparing; its columns as for `khop evaluate compare`,
    /// and where wanted probe_subject, reference_subject.
    #[arg(long, value_name = "[NAME=]FILE", conflicts_with_all = ["modality", "manifest", "vectors", "scores"])]
    scores_file: Option<Engine>,
    /// What a row without a score counts as; without it such a row is an error.
    #[arg(long, value_name = "SCORE", requires = "scores_file", allow_negative_numbers = true, value_parser = score)]
    missing_score: Option<f64>,
    /// Also tell apart the rows by the values of this column, numbers in bins of a width; may be given several times.
    #[arg(long, value_name = "COLUMN[:WIDTH]", requires = "scores_file")]
    by: Vec<By>,
}

fn score(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|score: &f64| score.is_finite()).ok_or_else(|| "expected a finite number".into())
}

fn fpir(text: &str) -> Result<Fpir, String> {
    let rate = text.parse().ok().and_then(|rate| Fpir::new(rate).ok());
    rate.filter(|rate| rate.value() > 0.0).ok_or_else(|| "expected a rate above 0, at most 1".into())
}

#[derive(Args)]
struct IdentificationArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    file: FileArgs,
    /// The file holds candidate lists of searches among N enrolled subjects: whom a list lacks was not returned, and a
    /// mate that was not has a row without a score.
    #[arg(long, value_name = "N", requires = "scores_file", conflicts_with = "missing_score")]
    candidates_of: Option<u64>,
    /// Count false positives in searches without a mate in the gallery alone; by default also in the others, their mate
    /// set aside. For engines whose scores depend on the rest of the gallery.
    #[arg(long)]
    mate_absent_only: bool,
    /// The rates at which FNIR is asked for.
    #[arg(long, value_name = "FPIR", value_delimiter = ',', default_value = "1e-1,1e-2,1e-3", value_parser = fpir)]
    fpir: Vec<Fpir>,
    /// Count a mate only within this rank; by default any rank counts.
    #[arg(long, value_name = "R")]
    rank: Option<u32>,
    /// Also measure FNIR and the time of a search over the size of the gallery: at these sizes, or at the whole, a half, a
    /// quarter … of it. Takes up to four times as long again.
    #[arg(long, value_name = "N,…", num_args = 0.., value_delimiter = ',', require_equals = true, conflicts_with = "candidates_of")]
    growth: Option<Vec<usize>>,
    /// Write what --growth found to this file: references,measure,value,low,high,errors,trials.
    #[arg(long, value_name = "FILE", requires = "growth")]
    growth_csv: Option<PathBuf>,
    /// Write the cumulative match characteristic to this file: rank,miss,hit.
    #[arg(long, value_name = "FILE")]
    cmc: Option<PathBuf>,
}

/// What is compared, and where the results go.
#[derive(Args)]
struct InputArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Worker threads; all cores by default.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Resamples of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = Resampling::default().resamples)]
    resamples: usize,
    /// Seed of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = Resampling::default().seed)]
    seed: u64,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Also write the JSON object to this file.
    #[arg(long, value_name = "FILE")]
    out_json: Option<PathBuf>,
    /// Write the points of the DET curve to this file.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Draw the DET curve into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write a page for readers into this file: curves, tables and what they rest on, as HTML that needs nothing else.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write every comparison to this file: probe,reference,score,mated, as CSV or, where its name ends so, as .parquet; the
    /// scores alone as the arrays mated and non_mated of a .npz.
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
}

/// Samples and the comparator.
#[derive(Args)]
pub struct SourceArgs {
    /// What is compared.
    #[arg(long, value_enum)]
    modality: Option<Modality>,
    /// Fingers: CSV with the columns dataset, extractor, finger, impression, path.
    #[arg(long, value_name = "CSV", required_if_eq("modality", "finger"), conflicts_with = "vectors")]
    manifest: Option<PathBuf>,
    /// Fingers: rows of the manifest to use; several conditions must all hold.
    #[arg(long = "where", value_name = "COLUMN=A|B", requires = "manifest")]
    wheres: Vec<String>,
    /// Fingers: the minutiae comparator, its cheap first stage alone, or the fixed-length code of 1:N searches.
    #[arg(long, value_enum, default_value = "minutiae", conflicts_with = "vectors")]
    comparator: FingerComparator,
    /// Fingers: cut every probe to its N minutiae nearest to the middle, as a small sensor would.
    #[arg(long, value_name = "N", requires = "manifest")]
    innermost: Option<std::num::NonZeroUsize>,
    /// Faces: vectors as an array (.npy, .npz, Parquet; FILE:NAME where there are several).
    #[arg(long, value_name = "FILE[:NAME]", required_if_eq("modality", "face"), requires = "labels")]
    vectors: Option<PathBuf>,
    /// Faces: CSV with the columns row, subject, sample.
    #[arg(long, value_name = "CSV", requires = "vectors")]
    labels: Option<PathBuf>,
    /// Faces: leave out rows with label_ok=0.
    #[arg(long, requires = "labels")]
    clean: bool,
    /// Vectors: quantised (and the candidates of a search rescored) as the engine does it, or otherwise.
    #[arg(long, value_enum, default_value = "int8")]
    precision: Precision,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Modality {
    Finger,
    Face,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FingerComparator {
    Minutiae,
    Places,
    Code,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Precision {
    /// A byte a number, as searches compare.
    Int8,
    /// As they are.
    F32,
    /// A bit a number of the reference, as the first scan of a search estimates.
    Signs,
}

/// What is to be done with the samples and the comparator, whichever they are.
pub trait Task {
    type Done;
    /// Whether galleries are to stand in random order.
    const SCATTERED: bool = false;
    fn run<C: Comparing>(self, samples: &Samples, comparing: &C, comparator: &str) -> Result<Self::Done, Failure>;
}

/// Samples, before a comparator is made ready for them.
enum Material {
    Fingers(Fingers),
    Faces(Samples, Vectors),
}

impl Material {
    fn scattered(self) -> Result<Self, Failure> {
        Ok(match self {
            Self::Fingers(fingers) => Self::Fingers(fingers.scattered()?),
            Self::Faces(samples, vectors) => {
                let (samples, order) = samples.scattered()?;
                Self::Faces(samples, vectors.arranged(order))
            }
        })
    }
}

impl SourceArgs {
    /// Reads the samples, prepares the comparator and runs the task on both.
    pub fn with<T: Task>(&self, task: T) -> Result<T::Done, Failure> {
        let material = match (&self.manifest, &self.vectors, &self.labels) {
            (Some(manifest), ..) => Material::Fingers(Fingers::read(manifest, &self.wheres)?),
            (None, Some(vectors), Some(labels)) => {
                let (samples, vectors) = Vectors::read(vectors, labels, self.clean)?;
                Material::Faces(samples, vectors)
            }
            _ => {
                return Err(Failure::new(
                    "expected --modality with --manifest for fingers, or with --vectors and --labels for faces",
                ));
            }
        };
        self.with_material(material, task)
    }

    /// Runs the task on two encounters of each of so many synthetic people, compared in the same way.
    fn with_synthetic<T: Task>(&self, population: &Population, people: u64, task: T) -> Result<T::Done, Failure> {
        let material = if self.manifest.is_some() {
            Material::Fingers(Fingers::synthetic(population, people)?)
        } else {
            let (samples, vectors) = Vectors::synthetic(population, people)?;
            Material::Faces(samples, vectors)
        };
        self.with_material(material, task)
    }

    fn with_material<T: Task>(&self, material: Material, task: T) -> Result<T::Done, Failure> {
        let material = if T::SCATTERED { material.scattered()? } else { material };
        let fingers = match material {
            Material::Fingers(fingers) => fingers,
            Material::Faces(samples, vectors) => return self.with_vectors(&samples, vectors, "face-cosine", task),
        };
        let innermost = self.innermost.map(std::num::NonZeroUsize::get);
        let minutiae = |stage| Minutiae::new(&fingers.templates).with(stage, innermost);
        match self.comparator {
            FingerComparator::Minutiae => task.run(&fingers.samples, &minutiae(Stage::Full), "finger-minutiae"),
            FingerComparator::Places => task.run(&fingers.samples, &minutiae(Stage::Places), "finger-places"),
            FingerComparator::Code if innermost.is_some() => {
                Err(Failure::new("--innermost: expected --comparator minutiae or places"))
            }
            FingerComparator::Code => {
                let is_signs = self.precision == Precision::Signs;
                let codes = if is_signs { fingers.widened_codes() } else { fingers.codes() };
                self.with_vectors(&fingers.samples, codes, "finger-code", task)
            }
        }
    }

    fn with_vectors<T: Task>(
        &self,
        samples: &Samples,
        vectors: Vectors,
        comparator: &str,
        task: T,
    ) -> Result<T::Done, Failure> {
        match self.precision {
            Precision::Int8 => task.run(samples, &Int8::new(vectors)?, &format!("{comparator}-int8")),
            Precision::F32 => task.run(samples, &Exact::new(vectors), &format!("{comparator}-f32")),
            Precision::Signs => task.run(samples, &Signs::new(vectors)?, &format!("{comparator}-signs")),
        }
    }
}

/// Runs on a pool of so many threads; 0 for all cores.
pub fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, Failure> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build()?.install(work)
}

pub fn run(args: EvaluateArgs) -> Result<(), Failure> {
    let (input, cmc, growth_csv) = match &args.measure {
        Measure::Verification(v) => (&v.input, &None, &None),
        Measure::Identification(i) => (&i.input, &i.cmc, &i.growth_csv),
        Measure::Compare(args) => return compare::run(args),
        Measure::Realism(args) => return realism::run(args),
    };
    let findings = on_threads(input.threads, || match &args.measure {
        Measure::Verification(v) => v.findings(),
        Measure::Identification(i) => i.findings(),
        Measure::Compare(_) | Measure::Realism(_) => unreachable!("returned above"),
    })?;
    let object = findings.to_json();
    let write = |path: &Option<PathBuf>, text: &dyn Fn() -> String| match path {
        Some(path) => std::fs::write(path, text()).map_err(Failure::at(path)),
        None => Ok(()),
    };
    write(&input.out_json, &|| format!("{object:#}\n"))?;
    write(&input.csv, &|| findings.to_csv())?;
    write(&input.svg, &|| findings.to_svg())?;
    write(&input.report, &|| findings.to_html())?;
    write(cmc, &|| findings.to_cmc_csv())?;
    write(growth_csv, &|| findings.to_growth_csv())?;
    if input.json {
        println!("{object}");
    } else {
        print!("{}", findings.to_table());
    }
    Ok(())
}

impl InputArgs {
    fn resampling(&self) -> Resampling {
        Resampling { seed: self.seed, resamples: self.resamples }
    }
}

impl VerificationArgs {
    fn findings(&self) -> Result<Findings, Failure> {
        match (&self.file.scores_file, &self.mated, &self.non_mated) {
            (Some(engine), ..) => self.of_file(engine),
            (None, Some(mated), Some(non_mated)) => self.of_arrays(mated, non_mated),
            _ => self.input.source.with(self),
        }
    }

    /// What arrays of scores say, however long they are.
    fn of_arrays(&self, mated: &Path, non_mated: &Path) -> Result<Findings, Failure> {
        let fmrs = self.fmr.as_deref();
        let (all, measured) = score_array::count(mated, non_mated, |count| findings::asked(fmrs, count, true).0)?;
        let stem = |path: &Path| match path.file_name().unwrap_or_default().to_string_lossy().rsplit_once(':') {
            Some((_, name)) => name.to_owned(),
            None => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        };
        Ok(Findings::streamed(&format!("{} and {}", stem(mated), stem(non_mated)), &all, &measured, fmrs))
    }

    /// What the scores of a file say.
    fn of_file(&self, engine: &Engine) -> Result<Findings, Failure> {
        let joint = Joint::read(std::slice::from_ref(engine), self.file.missing_score, &self.file.by)?;
        let Joint { subjects, names, datasets, mut engines, grouping } = joint;
        let scores = engines.remove(0);
        let samples = Samples::in_order(names, subjects, datasets);
        let findings = Findings::new(&scores.name, &samples, 0, self.input.resampling());
        let mut findings = findings.on_scale(scores.scale, scores.missing);
        let groups = Some((&grouping, &scores.groups));
        findings.verification(&samples, scores.comparisons, self.fmr.as_deref(), groups)?;
        Ok(findings)
    }
}

impl IdentificationArgs {
    fn findings(&self) -> Result<Findings, Failure> {
        match &self.file.scores_file {
            Some(engine) => self.of_file(engine),
            None => self.input.source.with(self),
        }
    }

    fn searching(&self) -> Searching {
        // Who was not returned is missed at any rank: a rank that no list is long enough for says so.
        let any = self.candidates_of.map(|_| u32::MAX - 1);
        Searching { rank: self.rank.or(any), fpirs: self.fpir.clone(), mate_absent_only: self.mate_absent_only }
    }

    /// What the searches of a file say.
    fn of_file(&self, engine: &Engine) -> Result<Findings, Failure> {
        let lacking = Lacking { missing_score: self.file.missing_score, candidates_of: self.candidates_of };
        let file = SearchFile::read(engine, lacking, &self.file.by)?;
        let growth = |sizes: &Vec<usize>| Growth::of_file(&file, sizes, &self.searching(), &self.input.resampling());
        let growth = self.growth.as_ref().map(growth).transpose().map_err(Failure::at(&engine.path))?;
        let findings = Findings::new(&file.name, &file.samples, 0, self.input.resampling());
        let mut findings = Findings { growth, ..findings.on_scale(file.scale, file.missing) };
        let groups = Some((&file.grouping, &file.groups));
        let measured = findings.identification(&file.samples, file.sets, &self.searching(), groups);
        measured.map_err(Failure::at(&engine.path))?;
        Ok(findings)
    }
}

impl Task for &VerificationArgs {
    type Done = Findings;

    fn run<C: Comparing>(self, samples: &Samples, comparing: &C, comparator: &str) -> Result<Findings, Failure> {
        let (comparisons, effort) = trials::compare_pairs(samples, comparing, self.impostors)?;
        if let Some(path) = &self.input.scores {
            scores::write_pairs(path, samples, &comparisons)?;
        }
        let findings = Findings::new(comparator, samples, comparing.failures(), self.input.resampling());
        let mut findings = findings.after(effort);
        findings.verification(samples, comparisons, self.fmr.as_deref(), None)?;
        Ok(findings)
    }
}

impl Task for &IdentificationArgs {
    type Done = Findings;
    const SCATTERED: bool = true;

    fn run<C: Comparing>(self, samples: &Samples, comparing: &C, comparator: &str) -> Result<Findings, Failure> {
        let (similarities, effort) = trials::compare_with_galleries(samples, comparing)?;
        if let Some(path) = &self.input.scores {
            scores::write_searches(path, samples, &similarities)?;
        }
        let of_sets = samples.datasets.iter().zip(&similarities).map(|(set, matrix)| searches(samples, set, matrix));
        let findings = Findings::new(comparator, samples, comparing.failures(), self.input.resampling());
        let mut findings = findings.after(effort);
        findings.identification(samples, of_sets.collect(), &self.searching(), None)?;
        if let Some(sizes) = &self.growth {
            let resampling = self.input.resampling();
            findings.growth = Some(Growth::of_comparing(samples, comparing, sizes, &self.searching(), &resampling)?);
        }
        Ok(findings)
    }
}
