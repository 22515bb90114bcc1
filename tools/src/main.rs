//! Which command was asked for? The `khop` program: one file per subcommand in `commands/`.
#![forbid(unsafe_code)]

mod array;
mod choice;
mod columnar;
mod commands;
mod failure;
mod labels;
mod manifest;
mod memory;
mod open;
mod probe;
mod protection;
mod source;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Khop: open-source 1:1 and 1:N face and fingerprint matching.
#[derive(Parser)]
#[command(name = "khop", version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
struct Khop {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  khop demo                                   five minutes that show it all, nothing to set up
  khop serve                                  the HTTP service, on 127.0.0.1, with a private store
  khop import --data DIR --manifest M.csv     minutiae records listed in a manifest
  khop identify --data DIR --finger probe.fmr who is this?
  khop evaluate verification --modality finger --manifest M.csv --json

Every command takes --help; results go to standard output (--json for scripts), progress and errors to
standard error; the exit status is 0 when it worked, 1 when it did not, 2 for a wrong command line.";

#[derive(Subcommand)]
enum Command {
    Demo(commands::demo::DemoArgs),
    Serve(commands::serve::ServeArgs),
    Key(commands::key::KeyArgs),
    Import(commands::import::ImportArgs),
    Enrol(commands::enrol::EnrolArgs),
    Verify(commands::verify::VerifyArgs),
    Identify(commands::identify::IdentifyArgs),
    Dedup(commands::dedup::DedupArgs),
    Erase(commands::erase::EraseArgs),
    Compare(commands::compare::CompareArgs),
    Inspect(commands::inspect::InspectArgs),
    Evaluate(commands::evaluate::EvaluateArgs),
    Calibrate(commands::calibrate::CalibrateArgs),
    Synth(commands::synth::SynthArgs),
    Train(commands::train::TrainArgs),
    Bench(commands::bench::BenchArgs),
    Index(commands::index::IndexArgs),
    Store(commands::store::StoreArgs),
    Backup(commands::backup::BackupArgs),
    Restore(commands::restore::RestoreArgs),
}

fn main() -> ExitCode {
    let result = match Khop::parse().command {
        Command::Demo(args) => commands::demo::run(args),
        Command::Serve(args) => commands::serve::run(args),
        Command::Key(args) => commands::key::run(args),
        Command::Import(args) => commands::import::run(args),
        Command::Enrol(args) => commands::enrol::run(args),
        Command::Verify(args) => commands::verify::run(args),
        Command::Identify(args) => commands::identify::run(args),
        Command::Dedup(args) => commands::dedup::run(args),
        Command::Erase(args) => commands::erase::run(args),
        Command::Compare(args) => commands::compare::run(args),
        Command::Inspect(args) => commands::inspect::run(args),
        Command::Evaluate(args) => commands::evaluate::run(args),
        Command::Calibrate(args) => commands::calibrate::run(args),
        Command::Synth(args) => commands::synth::run(args),
        Command::Train(args) => commands::train::run(args),
        Command::Bench(args) => commands::bench::run(args),
        Command::Index(args) => commands::index::run(args),
        Command::Store(args) => commands::store::run(args),
        Command::Backup(args) => commands::backup::run(args),
        Command::Restore(args) => commands::restore::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("khop: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        super::Khop::command().debug_assert();
    }
}
