//! Do all tests pass? One command for everything, with one line at the end that adds it up.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::packages::{APT_PACKAGES, install};

/// Sums of cargo's closing lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Tally {
    /// Adds a line if it is one of the test runner's closing lines: `test result: ok. 3 passed; 0 failed; …`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for count in counts.split(';') {
            let Some((number, what)) = count.trim().split_once(' ') else { continue };
            let number = number.parse::<u64>().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// Installs what the tests need, runs `cargo test` on the whole workspace and passes its exit status on.
///
/// # Errors
/// When a package is missing, cargo cannot be started, or no test ran.
pub fn run(root: &Path) -> Result<ExitCode, String> {
    install(APT_PACKAGES)?;
    let mut child = Command::new(crate::cargo())
        .args(["test", "--workspace", "--all-features", "--no-fail-fast"])
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cargo test: {error}"))?;
    let mut tally = Tally::default();
    let output = BufReader::new(child.stdout.take().expect("standard output is piped"));
    for line in output.split(b'\n') {
        let line = line.map_err(|error| format!("reading cargo test's output: {error}"))?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        tally.add(&line);
    }
    let status = child.wait().map_err(|error| format!("cargo test: {error}"))?;
    println!("total: {} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.ignored);
    if status.success() && tally.passed == 0 {
        return Err("cargo test ran no test".into());
    }
    Ok(crate::exit_code(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up() {
        let mut tally = Tally::default();
        tally.add("running 3 tests");
        tally.add("test a ... ok");
        tally.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        tally.add("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out; finished in 1.2s");
        assert_eq!(tally, Tally { passed: 5, failed: 1, ignored: 1 });
    }
}
