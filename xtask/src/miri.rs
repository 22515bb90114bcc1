//! Does the code below the vector instructions and the map obey Rust's memory rules? Its tests under Miri.
//!
//! Under Miri the kernels take their scalar path and the map module reads its file instead of mapping it: vector
//! instructions and maps themselves are beyond it, and are held to their safe twins by ordinary tests.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// Crate, and which of its tests.
const RUNS: [&[&str]; 2] = [&["khop-kernels", "--tests"], &["khop-store", "--lib", "map::"]];

/// Runs them with few cases: Miri is some thousand times slower than the machine.
///
/// # Errors
/// When the nightly toolchain has no Miri.
pub fn run(root: &Path) -> Result<ExitCode, String> {
    let probe = Command::new("cargo").args(["+nightly", "miri", "--version"]).stderr(Stdio::null()).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return Err("no Miri here: rustup toolchain install nightly --component miri,rust-src".into());
    }
    for package_and_tests in RUNS {
        let status = Command::new("cargo")
            .args(["+nightly", "miri", "test", "--package"])
            .args(package_and_tests)
            .env("MIRIFLAGS", "-Zmiri-disable-isolation")
            .env("PROPTEST_CASES", "4")
            .env_remove("RUSTUP_TOOLCHAIN")
            .current_dir(root)
            .status()
            .map_err(|error| format!("cargo miri: {error}"))?;
        if !status.success() {
            return Ok(crate::exit_code(status));
        }
    }
    Ok(ExitCode::SUCCESS)
}
