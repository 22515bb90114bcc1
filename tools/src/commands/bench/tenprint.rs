//! How fast are people found by their ten fingers? Scans of codes in signs and in bytes, against the memory ceiling.

mod mishap;
mod searches;

use std::hint::black_box;

use khop_evaluate::synth::{Population, PopulationOptions};
use khop_fingerprint::code;
use khop_index::{EvidenceQuery, EvidenceTable, Probe, RowMask, Term, scan_evidence, stride};
use rayon::prelude::*;

use super::figures::Figures;
use super::hands::{FINGERS, Hands, codes_of};
use super::planes::bar;
use super::stopwatch::{Spent, Stopwatch, median};
use crate::failure::Failure;
use mishap::Mishaps;

/// Measure searches by ten fingers among synthetic people: how fast codes are scanned, and whom whole searches lose.
///
/// Each round reads all signs once with nothing but loads (the memory ceiling), then scans them with one probe and with
/// sixteen, and the codes in bytes with one. Ratios are of one round, then the median is taken. Beyond 20 000 the people
/// are the first ones with the signs of their codes' numbers flipped by chance: strangers, made fast.
///
/// Then people are enrolled in an engine and some of them searched for, with mishaps of every kind between both captures and
/// with doubted labels. Whoever the full comparison alone would have sent to a human at least, and the search did not list,
/// was lost by the scans.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct TenprintArgs {
    /// People
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(64..))]
    n: u32,
    /// People enrolled in the engine
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(64..))]
    people: u64,
    /// How many of them are searched for; 0 leaves that out
    #[arg(long, value_name = "N", default_value_t = 250)]
    probes: u64,
    #[command(flatten)]
    mishaps: Mishaps,
    /// Threads that search; rates are for one of them
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Rounds of which medians are taken
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Seed of the population
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Leave the codes in bytes out: 3.9 kB a person less
    #[arg(long)]
    without_i8: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop bench tenprint --n 1000000
  khop bench tenprint --people 20000 --probes 4000
  khop bench tenprint --n 10000000 --without-i8 --threads 2 --json";

/// Probes of a batch.
const BATCH: usize = 16;
/// Evidence that a row must reach, nats.
const LEAST_LLR: f32 = 9.2;
/// Bytes that are read at least in one measurement, so that it is long enough to be timed.
const MEASURED_BYTES: usize = 256 << 20;

pub fn measure(args: &TenprintArgs) -> Result<Figures, Failure> {
    let n = args.n as usize;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.into()).build()?;
    let population = Population::new(args.seed, PopulationOptions::default());
    let hands = Hands::of(&population, n, !args.without_i8);
    let bytes_of_signs = FINGERS * (code::SIGN_DIM / 8 + 4);
    let mut figures = Figures::default();
    figures.add("level", khop_kernels::level().to_string());
    figures.add("people", n);
    figures.add("threads", args.threads);
    figures.add("rounds", args.rounds);
    figures.add("bytes_per_person_signs", bytes_of_signs);
    figures.add("bytes_per_person_i8", FINGERS * (stride(code::DIM) + 4));
    let tables = [code::sign_calibration(), code::calibration()].map(|table| EvidenceTable::new(table, -2.0, 6.0));
    let probes: Vec<TenProbes> = (0..BATCH as u64).map(|p| TenProbes::of(&population, p)).collect::<Result<_, _>>()?;
    let scans = Scans { hands: &hands, probes: &probes, tables: &tables, mask: RowMask::all(n) };
    let stopwatch = Stopwatch(&pool);
    let times = MEASURED_BYTES.div_ceil(n * bytes_of_signs);
    let progress = bar(args.rounds.into(), "scanning {wide_bar} round {pos} of {len}");
    let mut rounds = Vec::new();
    for _ in 0..args.rounds {
        let ceiling = || {
            for column in hands.sign_columns() {
                column.par_chunks(8 << 20).for_each(|part| _ = black_box(khop_kernels::stream_read(part)));
            }
        };
        rounds.push(Round {
            ceiling: stopwatch.time(times, ceiling),
            signs: stopwatch.time(times, || scans.signs(1)),
            batch: stopwatch.time(times.div_ceil(BATCH), || scans.signs(BATCH)),
            bytes: (!args.without_i8).then(|| stopwatch.time(times.div_ceil(5), || scans.bytes(1))),
        });
        progress.inc(1);
    }
    progress.finish_and_clear();
    let over = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    let people = n as f64;
    let ceiling = |round: &Round| (n * FINGERS * code::SIGN_DIM / 8) as f64 / round.ceiling.cpu_s / 1e9;
    figures.measured("memory_ceiling_gb_per_s_per_core", over(&ceiling));
    figures.measured("signs_ms", over(&|round| round.signs.wall_s * 1e3));
    figures.measured("signs_people_per_s_per_core", over(&|round| people / round.signs.cpu_s));
    let of_ceiling =
        |bytes: usize, spent: &Spent, round: &Round| people * bytes as f64 / spent.cpu_s / 1e9 / ceiling(round);
    figures.measured("signs_share_of_ceiling", over(&|round| of_ceiling(bytes_of_signs, &round.signs, round)));
    figures.measured(
        format!("signs_batch_{BATCH}_people_per_s_per_core"),
        over(&|round| people * BATCH as f64 / round.batch.cpu_s),
    );
    if !args.without_i8 {
        let spent = |round: &Round| round.bytes.unwrap_or(round.signs);
        figures.measured("i8_ms", over(&|round| spent(round).wall_s * 1e3));
        figures.measured("i8_people_per_s_per_core", over(&|round| people / spent(round).cpu_s));
        let bytes = FINGERS * (stride(code::DIM) + 4);
        figures.measured("i8_share_of_ceiling", over(&|round| of_ceiling(bytes, &spent(round), round)));
    }
    figures.add("resident_mib", crate::memory::resident_mib());
    drop(scans);
    drop(hands);
    if args.probes > 0 {
        let probes = args.probes.min(args.people);
        searches::measure(&population, args.people, probes, &args.mishaps, args.threads.into(), &mut figures)?;
    }
    Ok(figures)
}

/// What was measured one after the other.
struct Round {
    ceiling: Spent,
    signs: Spent,
    batch: Spent,
    bytes: Option<Spent>,
}

/// The fingers of one person who came back.
struct TenProbes {
    signs: [Option<Probe>; FINGERS],
    bytes: [Option<Probe>; FINGERS],
}

impl TenProbes {
    fn of(population: &Population, person: u64) -> Result<Self, Failure> {
        let (mut signs, mut bytes) = ([const { None }; FINGERS], [const { None }; FINGERS]);
        for (finger, code) in codes_of(population, person, 1).into_iter().enumerate() {
            let Some(code) = code else { continue };
            signs[finger] = Some(Probe::new(&code::widened(&code))?);
            bytes[finger] = Some(Probe::new(&code)?);
        }
        Ok(Self { signs, bytes })
    }
}

struct Scans<'a> {
    hands: &'a Hands,
    probes: &'a [TenProbes],
    /// Of signs and of bytes.
    tables: &'a [EvidenceTable; 2],
    mask: RowMask,
}

impl<'a> Scans<'a> {
    fn signs(&self, probes: usize) {
        self.scan(probes, |finger, probe| {
            let codes = self.hands.signs(finger).ok()?;
            Some(Term { codes, probe: probe.signs[finger].as_ref()?, evidence: &self.tables[0] })
        });
    }

    fn bytes(&self, probes: usize) {
        self.scan(probes, |finger, probe| {
            let codes = self.hands.bytes(finger).ok()?;
            Some(Term { codes, probe: probe.bytes[finger].as_ref()?, evidence: &self.tables[1] })
        });
    }

    /// The first so many probes together.
    fn scan(&self, probes: usize, term: impl Fn(usize, &'a TenProbes) -> Option<Term<'a>>) {
        let query = |probe: &'a TenProbes| {
            let terms = (0..FINGERS).filter_map(|finger| term(finger, probe)).collect();
            EvidenceQuery { terms, threshold_llr: LEAST_LLR }
        };
        let queries: Vec<EvidenceQuery<'_>> = self.probes[..probes].iter().map(query).collect();
        _ = black_box(scan_evidence(&queries, &self.mask, self.hands.people()));
    }
}
