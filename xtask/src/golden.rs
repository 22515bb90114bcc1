//! How do golden files change? By one command, after which the commit says why.

use std::path::Path;
use std::process::{Command, ExitCode};

/// Examples that write files of `testdata/`, by package.
const EXAMPLES: [(&str, &str); 2] = [("khop-formats", "golden"), ("khop-fingerprint", "golden_scores")];

/// Writes the golden files anew, from constants and from stored records.
///
/// # Errors
/// When cargo cannot be started.
pub fn run(root: &Path) -> Result<ExitCode, String> {
    for (package, example) in EXAMPLES {
        let status = Command::new(crate::cargo())
            .args(["run", "--quiet", "--package", package, "--example", example])
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
