//! What does the project do for its developers? `cargo xtask test`, `tidy`, `golden`, `miri`.
#![forbid(unsafe_code)]

mod golden;
mod miri;
mod packages;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test   install what the tests need beyond cargo, then run all of them, doc tests and house rules included
  tidy   check the house rules alone (a second, no build of the workspace)
  golden write the golden files of testdata/ anew: formats and scores
  miri   run the tests of the crates with unsafe code under Miri, where a nightly toolchain has it";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => test::run(&root()),
        ["tidy"] => tidy::run(&root()),
        ["golden"] => golden::run(&root()),
        ["miri"] => miri::run(&root()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    result.unwrap_or_else(|message| {
        eprintln!("xtask: {message}");
        ExitCode::FAILURE
    })
}

/// The repository's root: the folder above this crate.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository's root").to_owned()
}

/// The cargo that started us.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

/// A child's exit status as ours; 1 where a signal ended it.
fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
