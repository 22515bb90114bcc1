//! `khop bench`: Measure the speed of this machine and of the engine on it.

mod face;
mod figures;
mod fingerprint;
pub mod growth;
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
    /// Show what a run saved with --json measured beside it, and how many times that it is now
    #[arg(long, value_name = "JSON", global = true)]
    beside: Option<std::path::PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  khop bench face --n 1000000                 searches of every mode among a million synthetic faces
  khop bench face --n 20000 --graph           the graph index beside it
  khop bench tenprint --n 1000000             scans of the codes of ten fingers
  khop bench fingerprint --json               the minutiae comparator on synthetic prints
  khop bench fingerprint --manifest M.csv --where extractor=x
  khop bench robustness --records 1000000     no record may stop or stall it
  khop bench face --json > saved.json; khop bench face --beside saved.json";

#[derive(Subcommand)]
enum What {
    Face(face::FaceArgs),
    Fingerprint(fingerprint::FingerprintArgs),
    Robustness(robustness::RobustnessArgs),
    Tenprint(tenprint::TenprintArgs),
}

pub fn run(args: BenchArgs) -> Result<(), Failure> {
    // Read first: nobody wants to hear after minutes that the file is not there.
    let saved = args.beside.map(|path| match std::fs::read_to_string(&path) {
        Ok(saved) => Ok((path, saved)),
        Err(cause) => Err(Failure::at(&path)(cause)),
    });
    let saved = saved.transpose()?;
    let (figures, json) = match args.what {
        What::Face(args) => (face::measure(&args)?, args.json),
        What::Fingerprint(args) => (fingerprint::measure(&args)?, args.json),
        What::Tenprint(args) => (tenprint::measure(&args)?, args.json),
        What::Robustness(args) => (robustness::measure(&args)?, args.json),
    };
    if json {
        println!("{}", figures.json())
    } else if let Some((path, saved)) = saved {
        print!("{}", figures.beside(&saved).map_err(Failure::at(&path))?)
    } else {
        print!("{}", figures.table())
    }
    Ok(())
}
