//! Can any record stop or stall the engine? Millions of them, good, broken and made up, decoded, prepared and compared.

mod records;

use std::panic::{AssertUnwindSafe, catch_unwind};

use indicatif::{ParallelProgressIterator, ProgressBar, ProgressStyle};
use khop_fingerprint::{Comparator, Probe, Reference, Template};
use rayon::prelude::*;

use super::figures::Figures;
use super::stopwatch::thread_cpu_ms;
use crate::failure::Failure;
use records::Records;

/// Decode, prepare and compare records that are broken or made up.
///
/// Each is made from the seed and its number: a synthetic print in one of the three formats with bytes changed, bits
/// flipped, its end cut off or its minutiae replaced (by random ones, or by a lattice that is the most work there can be),
/// or plain noise. What can be read is compared, both ways, with an ordinary print and with itself. A panic, or a
/// similarity that is negative or no number, is a failure that names the record. What a record takes is the processor
/// time to decode and prepare it and of the longest of its comparisons; of the slow ones, the shorter of two tries.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RobustnessArgs {
    /// How many records
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    records: u64,
    /// Number of the first one
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u64,
    /// Seed of the records
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Worker threads; all cores by default
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop bench robustness --records 1000000 --json
  khop bench robustness --seed 1 --from 4711 --records 1      one record again";

/// No record should take longer to be decoded, prepared and compared.
const SLOW_MS: f64 = 5.0;
/// What became of one record.
#[derive(Clone, Copy, Default)]
struct Fate {
    decoded: bool,
    views: u64,
    prepared: u64,
    comparisons: u64,
    panicked: bool,
    /// A similarity was negative or not finite.
    unsound: bool,
    /// Decoding, preparing, and the longest of the comparisons.
    took_ms: f64,
}

/// The fates of many.
#[derive(Default)]
struct Tally {
    decoded: u64,
    views: u64,
    prepared: u64,
    comparisons: u64,
    /// Numbers of the records that went wrong.
    panicked: Vec<u64>,
    unsound: Vec<u64>,
    took_ms: f64,
    slow: u64,
    /// The longest time, and whose it was.
    slowest: (f64, u64),
}

pub fn measure(args: &RobustnessArgs) -> Result<Figures, Failure> {
    let records = Records::new(args.seed)?;
    let ordinary = khop_formats::read_minutiae(records.ordinary())?;
    let ordinary = Template::of(&ordinary.views[0])?;
    let ordinary = (Probe::of(&ordinary), Reference::of(&ordinary));
    let style = ProgressStyle::with_template("comparing {wide_bar} {pos} of {len}, {eta} left");
    let bar = ProgressBar::new(args.records).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build()?;
    let tally = pool.install(|| {
        let one = |comparator: &mut Comparator, number: u64| {
            let bytes = records.record(number);
            let mut fate = fate(&bytes, &ordinary, comparator);
            if fate.took_ms > SLOW_MS {
                fate.took_ms = fate.took_ms.min(self::fate(&bytes, &ordinary, comparator).took_ms);
            }
            (number, fate)
        };
        let numbers = (0..args.records).into_par_iter().progress_with(bar.clone());
        let fates = numbers.map_init(Comparator::new, |comparator, n| one(comparator, args.from.wrapping_add(n)));
        fates.fold(Tally::default, Tally::with).reduce(Tally::default, Tally::and)
    });
    bar.finish_and_clear();
    for (what, numbers) in [("panicked", &tally.panicked), ("gave no sound similarity", &tally.unsound)] {
        if let Some(first) = numbers.iter().min() {
            let (count, seed) = (numbers.len(), args.seed);
            let again = format!("khop bench robustness --seed {seed} --from {first} --records 1");
            return Err(Failure::new(format!("{count} of {} records {what}; {again}", args.records)));
        }
    }
    let mut figures = Figures::default();
    figures.add("records", args.records);
    figures.add("decoded", tally.decoded);
    figures.add("views", tally.views);
    figures.add("templates", tally.prepared);
    figures.add("comparisons", tally.comparisons);
    figures.add("panics", tally.panicked.len());
    figures.measured("slowest_ms", tally.slowest.0);
    figures.add("slowest_record", tally.slowest.1);
    figures.add("over_5_ms", tally.slow);
    figures.measured("decoded_mean_ms", tally.took_ms / tally.decoded.max(1) as f64);
    Ok(figures)
}

/// Decodes the record, prepares every view and compares it, both ways, with an ordinary print and with itself.
fn fate(bytes: &[u8], ordinary: &(Probe, Reference), comparator: &mut Comparator) -> Fate {
    let mut fate = Fate::default();
    let (mut compared_ms, mut longest_ms) = (0.0, 0.0f64);
    let start_ms = thread_cpu_ms();
    let went_well = catch_unwind(AssertUnwindSafe(|| {
        let Ok(record) = khop_formats::read_minutiae(bytes) else { return };
        fate.decoded = true;
        for view in &record.views {
            fate.views += 1;
            let Ok(template) = Template::of(view) else { continue };
            fate.prepared += 1;
            let (probe, reference) = (Probe::of(&template), Reference::of(&template));
            for (probe, reference) in [(&probe, &ordinary.1), (&ordinary.0, &reference), (&probe, &reference)] {
                let before_ms = thread_cpu_ms();
                let similarity = comparator.compare(probe, reference);
                let took_ms = thread_cpu_ms() - before_ms;
                longest_ms = longest_ms.max(took_ms);
                compared_ms += took_ms;
                fate.unsound |= !similarity.is_finite() || similarity < 0.0;
                fate.comparisons += 1;
            }
        }
    }));
    fate.took_ms = thread_cpu_ms() - start_ms - compared_ms + longest_ms;
    if went_well.is_err() {
        fate.panicked = true;
        *comparator = Comparator::new(); // whatever it was in the middle of
    }
    fate
}

impl Tally {
    fn with(mut self, (number, fate): (u64, Fate)) -> Self {
        self.decoded += u64::from(fate.decoded);
        self.views += fate.views;
        self.prepared += fate.prepared;
        self.comparisons += fate.comparisons;
        self.panicked.extend(fate.panicked.then_some(number));
        self.unsound.extend(fate.unsound.then_some(number));
        self.took_ms += if fate.decoded { fate.took_ms } else { 0.0 };
        self.slow += u64::from(fate.took_ms > SLOW_MS);
        if fate.took_ms > self.slowest.0 {
            self.slowest = (fate.took_ms, number);
        }
        self
    }

    fn and(mut self, other: Self) -> Self {
        self.decoded += other.decoded;
        self.views += other.views;
        self.prepared += other.prepared;
        self.comparisons += other.comparisons;
        self.panicked.extend(other.panicked);
        self.unsound.extend(other.unsound);
        self.took_ms += other.took_ms;
        self.slow += other.slow;
        if other.slowest.0 > self.slowest.0 {
            self.slowest = other.slowest;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_record_stops_the_engine() {
        let args = RobustnessArgs { records: 4000, from: 0, seed: 20_26, threads: 0, json: false };
        let found = measure(&args).map(|figures| figures.json()).unwrap_or_else(|failure| panic!("{failure}"));
        let count = |name: &str| found[name].as_u64().unwrap();
        assert_eq!((count("records"), count("panics")), (4000, 0));
        assert!((2000..3500).contains(&count("decoded")), "{found}");
        assert!(count("templates") > 1700 && count("comparisons") == 3 * count("templates"), "{found}");
        assert!(found["slowest_ms"].as_f64().unwrap() > 0.0 && count("slowest_record") < 4000);
    }

    #[test]
    fn the_fates_of_many_add_up() {
        let good = Fate { decoded: true, views: 1, prepared: 1, comparisons: 3, took_ms: 2.0, ..Fate::default() };
        let one = Tally::default().with((4, good)).with((5, Fate { took_ms: 1.0, ..Fate::default() }));
        let two = Tally::default().with((6, Fate { panicked: true, took_ms: 6.0, ..good }));
        let both = one.and(two.with((7, Fate { unsound: true, ..good })));
        assert_eq!((both.decoded, both.comparisons, both.took_ms), (3, 9, 10.0));
        assert_eq!((both.panicked, both.unsound, both.slowest), (vec![6], vec![7], (6.0, 6)));
        assert_eq!(both.slow, 1);
    }
}
