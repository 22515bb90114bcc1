//! How do golden files change? By one command, after which the commit says why.

use std::path::Path;
use std::process::{Command, ExitCode};

/// Packages whose example `golden` writes files of `testdata/`.
const PACKAGES: [&str; 2] = ["khop-formats", "khop-fingerprint"];

/// Writes the golden files anew, from constants and from stored records.
///
/// # Errors
/// When cargo cannot be started.
pub fn run(root: &Path) -> Result<ExitCode, String> {
    for package in PACKAGES {
        let status = Command::new(crate::cargo())
            .args(["run", "--quiet", "--package", package, "--example", "golden"])
            .current_dir(root)
            .status()
            .map_err(|error| format!("cargo run: {error}"))?;
        if !status.success() {
            return Ok(crate::exit_code(status));
        }
    }
    println!("git diff testdata shows what moved: say why in the commit, scores also in CHANGELOG.md");
    Ok(ExitCode::SUCCESS)
}
