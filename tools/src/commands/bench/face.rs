//! How fast are searches among faces? One probe, batches and the graph, against the memory ceiling of the same rounds.

use std::hint::black_box;

use indicatif::{ProgressBar, ProgressStyle};
use khop_evaluate::synth::{FaceOptions, Population, PopulationOptions};
use khop_index::{
    Exhaustive, Graph, GraphParameters, Plane, PlaneBytes, Probe, Query, RowMask, VectorIndex, Watch, quantise_row,
    stride,
};
use rayon::prelude::*;

use super::figures::Figures;
use super::stopwatch::{Spent, Stopwatch, median};
use crate::failure::Failure;

/// Measure searches among synthetic faces.
///
/// Each round reads the plane once with nothing but loads (the memory ceiling), then searches it with one probe and
/// with batches, so that ceiling and searches meet the same machine. References and probes are synthetic people;
/// every probe has its mate among the references.
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
    /// Build and measure the graph index too; building takes some milliseconds a reference
    #[arg(long)]
    graph: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop bench face --n 1000000 --dim 512 --threads 1 --json
  khop bench face --n 20000 --graph";

const BATCHES: [usize; 2] = [16, 64];
/// Probes there are, and searches the graph is measured with.
const PROBES: usize = 64;
/// At or above this cosine a reference is a candidate; about one non-mated pair in 100 000 is, of this population.
const THRESHOLD: f32 = 0.335;
/// Bytes that are read at least in one measurement, so that it is long enough to be timed.
const MEASURED_BYTES: usize = 256 << 20;

pub fn measure(args: &FaceArgs) -> Result<Figures, Failure> {
    let (n, dim) = (args.n as usize, usize::from(args.dim));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.into()).build()?;
    let stopwatch = Stopwatch(&pool);
    let face = FaceOptions { dim, ..FaceOptions::default() };
    let population = Population::new(args.seed, PopulationOptions { face, ..PopulationOptions::default() });
    let bytes = enrolled(&population, n, dim);
    let plane = Plane::new(dim, &bytes.codes, &bytes.scales)?;
    let mate = |probe: usize| probe * (n / PROBES);
    let came_back = |probe| Probe::new(&population.person(mate(probe) as u64).face(1));
    let probes = (0..PROBES).map(came_back).collect::<Result<Vec<_>, _>>()?;
    let mask = RowMask::all(n);
    let query = Query { threshold: THRESHOLD, limit: 10, mask: &mask, watch: Watch::NEVER };
    let search = Exhaustive(plane);

    let bar = bar(u64::from(args.rounds), "measuring {wide_bar} round {pos} of {len}");
    let times = MEASURED_BYTES.div_ceil(bytes.codes.len());
    let mut rounds: Vec<Round> = Vec::new();
    for round in 0..usize::from(args.rounds) {
        let probe = &probes[round % PROBES];
        let ceiling =
            || bytes.codes.par_chunks(8 << 20).for_each(|part| _ = black_box(khop_kernels::stream_read(part)));
        let batch = |size| {
            let batch = || _ = black_box(search.search_batch(&probes[..size], &query));
            stopwatch.time(times.div_ceil(size), batch)
        };
        rounds.push(Round {
            ceiling: stopwatch.time(times, ceiling),
            search: stopwatch.time(times, || _ = black_box(search.search(probe, &query))),
            batches: BATCHES.map(batch),
        });
        bar.inc(1);
    }
    bar.finish_and_clear();

    let mut figures = Figures::default();
    figures.add("level", khop_kernels::level().to_string());
    figures.add("references", n);
    figures.add("dim", dim);
    figures.add("threads", args.threads);
    figures.add("rounds", args.rounds);
    figures.add("bytes_per_reference", stride(dim) + 4);
    let over = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    let gb = bytes.codes.len() as f64 / 1e9;
    figures.measured("memory_ceiling_gb_per_s_per_core", over(&|r| gb / r.ceiling.cpu_s));
    figures.measured("exhaustive_ms", over(&|r| r.search.wall_s * 1e3));
    figures.measured("exhaustive_cpu_ms", over(&|r| r.search.cpu_s * 1e3));
    figures.measured("exhaustive_gb_per_s_per_core", over(&|r| gb / r.search.cpu_s));
    figures.measured("exhaustive_share_of_ceiling", over(&|r| r.ceiling.cpu_s / r.search.cpu_s));
    figures.measured("exhaustive_comparisons_per_s_per_core", over(&|r| n as f64 / r.search.cpu_s));
    for (index, size) in BATCHES.into_iter().enumerate() {
        let probes = size as f64;
        figures.measured(format!("batch_{size}_ms_per_probe"), over(&|r| r.batches[index].wall_s * 1e3 / probes));
        figures.measured(
            format!("batch_{size}_comparisons_per_s_per_core"),
            over(&|r| n as f64 * probes / r.batches[index].cpu_s),
        );
    }
    let answers = pool.install(|| search.search_batch(&probes, &query))?;
    let found = (0..PROBES).filter(|&p| answers[p].neighbours.iter().any(|near| near.row as usize == mate(p))).count();
    figures.add("mates_searched", PROBES);
    figures.add("mates_found", found);
    if args.graph {
        graph(plane, &probes, &query, &stopwatch, &mut figures)?;
    }
    figures.add("resident_mib", crate::memory::resident_mib());
    figures.add("peak_resident_mib", peak_resident_mib());
    Ok(figures)
}

/// What was measured one after the other.
struct Round {
    ceiling: Spent,
    search: Spent,
    batches: [Spent; BATCHES.len()],
}

/// Everyone's first face, quantised.
fn enrolled(population: &Population, n: usize, dim: usize) -> PlaneBytes {
    const ROWS: usize = 1000;
    let mut bytes = PlaneBytes { codes: vec![128; n * stride(dim)], scales: vec![0; 4 * n] };
    let bar = bar(n as u64, "making faces {wide_bar} {pos}/{len}, {eta} left");
    let parts = bytes.codes.par_chunks_mut(ROWS * stride(dim)).zip(bytes.scales.par_chunks_mut(4 * ROWS));
    parts.enumerate().for_each(|(part, (codes, scales))| {
        let rows = codes.chunks_exact_mut(stride(dim)).zip(scales.chunks_exact_mut(4));
        for (person, (codes, scale)) in (part * ROWS..).zip(rows) {
            let face = population.person(person as u64).face(0);
            scale.copy_from_slice(&quantise_row(&face, codes).to_le_bytes());
        }
        bar.inc((scales.len() / 4) as u64);
    });
    bar.finish_and_clear();
    bytes
}

/// Builds the graph and searches it with every probe.
fn graph(
    plane: Plane<'_>,
    probes: &[Probe],
    query: &Query<'_>,
    stopwatch: &Stopwatch<'_>,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let before_mib = crate::memory::resident_mib();
    let bar = ProgressBar::new_spinner().with_message("building the graph");
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    let start = std::time::Instant::now();
    let graph = Graph::build(plane, &GraphParameters { scanned_rows: 0, ..GraphParameters::default() })?;
    bar.finish_and_clear();
    figures.measured("graph_build_s", start.elapsed().as_secs_f64());
    figures.add("graph_mib", crate::memory::resident_mib().saturating_sub(before_mib));
    figures.measured("graph_recall", graph.recall());
    let spent = probes.iter().map(|probe| stopwatch.time(1, || _ = black_box(graph.search(probe, query))));
    let spent: Vec<Spent> = spent.collect();
    figures.measured("graph_ms", median(spent.iter().map(|spent| spent.wall_s * 1e3).collect()));
    figures.measured("graph_cpu_ms", median(spent.iter().map(|spent| spent.cpu_s * 1e3).collect()));
    Ok(())
}

/// The most memory this process ever held, in MiB; 0 where the system does not tell.
fn peak_resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib / 1024)
}

/// On standard error; invisible when that is no terminal.
fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}
