//! How fast are searches among faces? Every mode, alone and in batches, against the memory ceiling of the same rounds.

use std::hint::black_box;

use indicatif::ProgressBar;
use khop_evaluate::synth::{FaceOptions, Population, PopulationOptions};
use khop_index::{
    Gallery, Graph, GraphParameters, Mode, Plane, Probe, Query, RowMask, VectorIndex, Watch, nibble_stride, stride,
};
use rayon::prelude::*;

use super::figures::Figures;
use super::growth;
use super::mapped;
use super::planes::{Planes, bar, drawn};
use super::stopwatch::{Spent, Stopwatch, median};
use crate::failure::Failure;

/// Measure searches among synthetic faces.
///
/// Each round reads the byte plane once with nothing but loads (the memory ceiling), then searches in every mode, with
/// one probe and with batches, so that ceiling and searches meet the same machine. Ratios are of one round, then the
/// median is taken. References and probes are synthetic people; every probe has its mate among the references. Beyond
/// 200 000 the references are the first ones with the signs of their numbers flipped by chance, which makes strangers of
/// the same spectrum, and makes them fast.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct FaceArgs {
    /// References
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(64..))]
    n: u32,
    /// Numbers in a vector
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u16).range(64..=4096))]
    dim: u16,
    /// Threads that search; rates are for one of them
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Rounds of which medians are taken
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Seed of the population
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Probability with which a bounded search may miss a mate at the threshold
    #[arg(long, value_name = "P", default_value_t = 1e-4)]
    loss: f64,
    /// Leave the half-byte plane and certified searches out: a quarter of a kilobyte a reference less
    #[arg(long)]
    without_b4: bool,
    /// Measure the modes at 10 000 references, at ten times as many, and so on up to --n, instead of batches and filters
    #[arg(long)]
    growth: bool,
    /// Draw the times of --growth into this file, on to ten times as many references in proportion
    #[arg(long, value_name = "FILE", requires = "growth")]
    svg: Option<std::path::PathBuf>,
    /// Build and measure the graph index too; building takes some milliseconds a reference
    #[arg(long)]
    graph: bool,
    /// Then write the planes as segments under this folder, open them mapped and sealed, and measure a bounded search
    #[arg(long, value_name = "DIR")]
    files: Option<std::path::PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop bench face --n 1000000 --dim 512 --threads 1 --json
  khop bench face --n 10000000 --growth --threads 2 --without-b4 --files /var/tmp
  khop bench face --n 20000 --graph";

const BATCHES: [usize; 3] = [16, 64, 256];
/// Probes there are, and searches the graph is measured with.
const PROBES: usize = 256;
/// At or above this cosine a reference is a candidate; about one non-mated pair in 100 000 is, of this population.
const THRESHOLD: f32 = 0.335;
/// Bytes that are read at least in one measurement, so that it is long enough to be timed.
const MEASURED_BYTES: usize = 256 << 20;

/// What all measurements share.
struct Bench<'a> {
    gallery: Gallery<'a>,
    probes: &'a [Probe],
    stopwatch: Stopwatch<'a>,
    modes: Vec<Mode>,
    /// Times one search is repeated so that it can be timed.
    times: usize,
}

impl Bench<'_> {
    /// One probe in one mode; another probe each time.
    fn one(&self, round: usize, mode: Mode, mask: &RowMask) -> Spent {
        let query = query(mask);
        let next = std::sync::atomic::AtomicUsize::new(round);
        self.stopwatch.time(self.times, || {
            let probe = &self.probes[next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % self.probes.len()];
            _ = black_box(self.gallery.search(probe, &query, mode));
        })
    }

    fn batch(&self, size: usize, mode: Mode, mask: &RowMask) -> Spent {
        let query = query(mask);
        let batch = || _ = black_box(self.gallery.search_batch(&self.probes[..size], &query, mode));
        self.stopwatch.time(self.times.div_ceil(size), batch)
    }
}

fn query(mask: &RowMask) -> Query<'_> {
    Query { threshold: THRESHOLD, limit: 10, mask, watch: Watch::NEVER }
}

pub fn measure(args: &FaceArgs) -> Result<Figures, Failure> {
    let (n, dim) = (args.n as usize, usize::from(args.dim));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.into()).build()?;
    let face = FaceOptions { dim, ..FaceOptions::default() };
    let population = Population::new(args.seed, PopulationOptions { face, ..PopulationOptions::default() });
    let planes = Planes::of(&population, n, dim, !args.without_b4);
    let count = PROBES.min(n / 10);
    let mut figures = Figures::default();
    figures.add("level", khop_kernels::level().to_string());
    figures.add("references", n);
    figures.add("dim", dim);
    figures.add("threads", args.threads);
    figures.add("rounds", args.rounds);
    figures.add("bytes_per_reference_i8", stride(dim) + 4);
    figures.add("bytes_per_reference_b1", stride(dim) / 8 + 4);
    figures.add("bytes_per_reference_b4", nibble_stride(dim) + 8);
    let mut sizes = vec![n];
    if args.growth {
        sizes = std::iter::successors(Some(10_000), |size| Some(size * 10)).take_while(|&size| size <= n).collect();
    }
    for &size in &sizes {
        let came_back = |probe: usize| Probe::new(&population.person((probe * (drawn(size) / count)) as u64).face(1));
        let probes = (0..count).map(came_back).collect::<Result<Vec<_>, _>>()?;
        let gallery = planes.gallery(size)?;
        let modes = [Mode::Exact, Mode::Bounded { loss: args.loss }, Mode::Certified];
        let bench = Bench {
            gallery,
            probes: &probes,
            stopwatch: Stopwatch(&pool),
            modes: modes.into_iter().filter(|&mode| gallery.has(mode)).collect(),
            times: MEASURED_BYTES.div_ceil(size * stride(dim)),
        };
        let prefix = if args.growth { format!("n_{size}_") } else { String::new() };
        one_probe(&bench, args.rounds.into(), &prefix, &mut figures);
        found(&bench, &pool, drawn(size) / count, &prefix, &mut figures)?;
        if !args.growth {
            batches(&bench, args.rounds.into(), &mut figures);
            filters(&bench, args.rounds.into(), &mut figures);
            if args.graph {
                graph(gallery.plane(), &probes, &bench.stopwatch, &mut figures)?;
            }
        }
    }
    if let Some(path) = &args.svg {
        let title = format!("One search, {} threads, faces of {dim} numbers", args.threads);
        std::fs::write(path, growth::chart(&title, &sizes, &figures).to_svg()).map_err(Failure::at(path))?;
    }
    if let Some(folder) = &args.files {
        let came_back = |probe: u64| Probe::new(&population.person(probe * (drawn(n) as u64 / 16)).face(1));
        let probes = (0..16).map(came_back).collect::<Result<Vec<_>, _>>()?;
        let searches = mapped::Searches { probes: &probes, loss: args.loss, threshold: THRESHOLD, pool: &pool };
        mapped::measure(folder, planes, &searches, &mut figures)?;
    }
    figures.add("resident_mib", crate::memory::resident_mib());
    figures.add("peak_resident_mib", peak_resident_mib());
    Ok(figures)
}

/// What was measured one after the other.
struct Round {
    ceiling: Spent,
    modes: Vec<Spent>,
}

/// One probe in every mode, beside the ceiling.
fn one_probe(bench: &Bench<'_>, rounds: usize, prefix: &str, figures: &mut Figures) {
    let rows = bench.gallery.plane().rows();
    let mask = RowMask::all(rows);
    let bytes = bench.gallery.plane().bytes();
    let progress = bar(rounds as u64, "one probe {wide_bar} round {pos} of {len}");
    let measured: Vec<Round> = (0..rounds)
        .map(|round| {
            let ceiling = || bytes.par_chunks(8 << 20).for_each(|part| _ = black_box(khop_kernels::stream_read(part)));
            let ceiling = bench.stopwatch.time(bench.times, ceiling);
            progress.inc(1);
            Round { ceiling, modes: bench.modes.iter().map(|&mode| bench.one(round, mode, &mask)).collect() }
        })
        .collect();
    progress.finish_and_clear();
    let over = |figure: &dyn Fn(&Round) -> f64| median(measured.iter().map(figure).collect());
    let gb = bytes.len() as f64 / 1e9;
    figures.measured(format!("{prefix}memory_ceiling_gb_per_s_per_core"), over(&|round| gb / round.ceiling.cpu_s));
    for (at, mode) in bench.modes.iter().enumerate() {
        figures.measured(format!("{prefix}{mode}_ms"), over(&|round| round.modes[at].wall_s * 1e3));
        figures.measured(format!("{prefix}{mode}_cpu_ms"), over(&|round| round.modes[at].cpu_s * 1e3));
        let rate = over(&|round| rows as f64 / round.modes[at].cpu_s);
        figures.measured(format!("{prefix}{mode}_references_per_s_per_core"), rate);
        if at == 0 {
            let share = over(&|round| round.ceiling.cpu_s / round.modes[0].cpu_s);
            figures.measured(format!("{prefix}{mode}_share_of_ceiling"), share);
        } else {
            let ratio = over(&|round| round.modes[0].cpu_s / round.modes[at].cpu_s);
            figures.measured(format!("{prefix}{mode}_times_exact"), ratio);
        }
    }
}

/// Who was found, and how many had to be compared for it.
fn found(
    bench: &Bench<'_>,
    pool: &rayon::ThreadPool,
    step: usize,
    prefix: &str,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let mask = RowMask::all(bench.gallery.plane().rows());
    let count = bench.probes.len();
    figures.add(format!("{prefix}mates_searched"), count);
    for &mode in &bench.modes {
        let answers = pool.install(|| bench.gallery.search_batch(bench.probes, &query(&mask), mode))?;
        let is_found = |&p: &usize| answers[p].neighbours.iter().any(|near| near.row as usize == p * step);
        figures.add(format!("{prefix}{mode}_mates_found"), (0..count).filter(is_found).count());
        let compared = answers.iter().map(|answer| answer.tally.compared).sum::<u64>() as f64;
        figures.measured(format!("{prefix}{mode}_rows_compared"), compared / count as f64);
    }
    Ok(())
}

fn batches(bench: &Bench<'_>, rounds: usize, figures: &mut Figures) {
    let rows = bench.gallery.plane().rows();
    let mask = RowMask::all(rows);
    for mode in bench.modes.iter().copied() {
        for size in BATCHES.into_iter().filter(|&size| size <= bench.probes.len()) {
            let spent: Vec<Spent> = (0..rounds.min(5)).map(|_| bench.batch(size, mode, &mask)).collect();
            let probes = size as f64;
            let over = |figure: &dyn Fn(&Spent) -> f64| median(spent.iter().map(figure).collect());
            figures.measured(format!("{mode}_batch_{size}_ms_per_probe"), over(&|s| s.wall_s * 1e3 / probes));
            let rate = over(&|s| rows as f64 * probes / s.cpu_s);
            figures.measured(format!("{mode}_batch_{size}_comparisons_per_s_per_core"), rate);
        }
    }
}

/// One row in a hundred, in places without order, and one in a thousand.
fn filters(bench: &Bench<'_>, rounds: usize, figures: &mut Figures) {
    let rows = bench.gallery.plane().rows();
    let all = RowMask::all(rows);
    for (name, every) in [("1_percent", 100u64), ("0.1_percent", 1000)] {
        let mut mask = RowMask::none(rows);
        let chosen = |row: &usize| (*row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 < (1 << 32) / every;
        (0..rows).filter(chosen).for_each(|row| mask.set(row));
        for mode in bench.modes.iter().copied() {
            let one = |round| (bench.one(round, mode, &all).cpu_s, bench.one(round, mode, &mask).cpu_s);
            let spent: Vec<(f64, f64)> = (0..rounds).map(one).collect();
            let filtered = median(spent.iter().map(|(_, filtered)| filtered * 1e3).collect());
            figures.measured(format!("{mode}_filter_{name}_cpu_ms"), filtered);
            let share = median(spent.iter().map(|(whole, filtered)| filtered / whole).collect());
            figures.measured(format!("{mode}_filter_{name}_share_of_whole"), share);
        }
    }
}

/// Builds the graph and searches it with every probe.
fn graph(plane: Plane<'_>, probes: &[Probe], stopwatch: &Stopwatch<'_>, figures: &mut Figures) -> Result<(), Failure> {
    let mask = RowMask::all(plane.rows());
    let before_mib = crate::memory::resident_mib();
    let bar = ProgressBar::new_spinner().with_message("building the graph");
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    let start = std::time::Instant::now();
    let graph = Graph::build(plane, &GraphParameters { scanned_rows: 0, ..GraphParameters::default() })?;
    bar.finish_and_clear();
    figures.measured("graph_build_s", start.elapsed().as_secs_f64());
    figures.add("graph_mib", crate::memory::resident_mib().saturating_sub(before_mib));
    figures.measured("graph_recall", graph.recall());
    let spent = probes.iter().map(|probe| stopwatch.time(1, || _ = black_box(graph.search(probe, &query(&mask)))));
    let spent: Vec<Spent> = spent.collect();
    figures.measured("graph_ms", median(spent.iter().map(|spent| spent.wall_s * 1e3).collect()));
    figures.measured("graph_cpu_ms", median(spent.iter().map(|spent| spent.cpu_s * 1e3).collect()));
    let step = drawn(plane.rows()) / probes.len();
    let mut hits = 0;
    for (at, probe) in probes.iter().enumerate() {
        let answer = graph.search(probe, &query(&mask))?;
        hits += usize::from(answer.neighbours.iter().any(|near| near.row as usize == at * step));
    }
    figures.add("graph_mates_found", hits);
    Ok(())
}

/// The most memory this process ever held, in MiB; 0 where the system does not tell.
fn peak_resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib / 1024)
}
