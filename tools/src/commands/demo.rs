//! `khop demo`: Show everything on a synthetic population in a temporary store.

mod counter;
mod gate;

use khop::Engine;
use khop_evaluate::synth::{Population, PopulationOptions};

use crate::failure::Failure;

/// Show everything on a synthetic population in a temporary store.
///
/// Ten fingers as ISO 19794-2 records and a 512-number face for each of several thousand synthetic people; a known
/// share comes back under another name. First the counter: every enrolment is searched against everyone before its
/// card is printed. Then the gate: a flight of 200 boards from its own gallery, with impostors in the queue.
/// Nothing is left behind.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArgs {
    /// People who come to the counter
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = clap::value_parser!(u64).range(250..=1_000_000))]
    people: u64,
    /// Share of them that comes back under another name
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    duplicates: f64,
    /// Seed of the population: the same seed makes the same people
    #[arg(long, value_name = "SEED", default_value_t = 2026)]
    seed: u64,
    /// Threads that compare; 0 takes one a core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop demo
  khop demo --people 20000 --duplicates 0.005
  khop demo --json | jq .counter";

const NEXT: &str = "\
Try next
  khop serve                                   the same engine as an HTTP service
  khop synth --people 1000 --out people        such a population as files
  khop import --data store --population people
  khop dedup --data store                      who is enrolled twice?
  khop evaluate verification --help            how accurate is it, on your own data?";

pub fn run(args: DemoArgs) -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let engine = Engine::builder(dir.path()).threads(args.threads).open()?;
    let population = Population::new(args.seed, PopulationOptions::default());
    if !args.json {
        println!(
            "{} synthetic people, ten fingers and a face each; {:.1} % come back under another name.\n",
            args.people,
            args.duplicates * 100.0
        );
    }
    let counter = counter::enrol_everyone(&engine, &population, args.people, args.duplicates)?;
    if !args.json {
        println!("{counter}\n");
    }
    let gate = gate::board_a_flight(&engine, &population, args.people)?;
    if args.json {
        println!("{}", serde_json::json!({ "counter": counter.json(), "gate": gate.json() }));
    } else {
        println!("{gate}\n\n{NEXT}");
    }
    Ok(())
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=0.5).contains(&share) => Ok(share),
        _ => Err("expected a share from 0 to 0.5".into()),
    }
}
