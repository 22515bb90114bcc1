//! `khop bench`: Measure the speed of this machine and of the engine on it.

mod face;
mod figures;
mod fingerprint;
mod growth;
mod hands;
mod mapped;
mod planes;
mod robustness;
mod stopwatch;
mod tenprint;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// Measure the speed of this machine and of the engine on it.
///
/// Every figure is the median of several rounds. Rates are for one core: work divided by the processor time it took,
/// so that other programs on the machine disturb them little; figures in plain milliseconds are by the clock on the
/// wall. Build with --release.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

const EXAMPLES: &str = "\
Examples:
  khop bench face --n 1000000                 searches of every mode among a million synthetic faces
  khop bench face --n 20000 --graph           the graph index beside it
  khop bench tenprint --n 1000000             scans of the codes of ten fingers
  khop bench fingerprint --json               the minutiae comparator on synthetic prints
  khop bench fingerprint --manifest M.csv --where extractor=x
  khop bench robustness --records 1000000     no record may stop or stall it";

#[derive(Subcommand)]
enum What {
    Face(face::FaceArgs),
    Fingerprint(fingerprint::FingerprintArgs),
    Robustness(robustness::RobustnessArgs),
    Tenprint(tenprint::TenprintArgs),
}

pub fn run(args: BenchArgs) -> Result<(), Failure> {
    let (figures, json) = match args.what {
        What::Face(args) => (face::measure(&args)?, args.json),
        What::Fingerprint(args) => (fingerprint::measure(&args)?, args.json),
        What::Tenprint(args) => (tenprint::measure(&args)?, args.json),
        What::Robustness(args) => (robustness::measure(&args)?, args.json),
    };
    if json {
        println!("{}", figures.json())
    } else {
        print!("{}", figures.table())
    }
    Ok(())
}
