//! Does the unsafe code break Rust's rules? The kernels' tests under Miri.
//!
//! Miri offers no AVX by default, so the dispatcher takes the scalar path there; the vector paths are held to the
//! scalar twins by property tests on real hardware. Miri cannot map files, so the store's map module is not run.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// Runs them with few cases: Miri is some thousand times slower than the machine.
///
/// # Errors
/// When the nightly toolchain has no Miri.
pub fn run(root: &Path) -> Result<ExitCode, String> {
    let probe = Command::new("cargo").args(["+nightly", "miri", "--version"]).stderr(Stdio::null()).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return Err("no Miri: rustup toolchain install nightly --component miri rust-src".into());
    }
    let status = Command::new("cargo")
        .args(["+nightly", "miri", "test", "-p", "khop-kernels", "--lib", "--tests"])
        .env("MIRIFLAGS", "-Zmiri-disable-isolation")
        .env("PROPTEST_CASES", "4")
        .env_remove("RUSTC")
        .env_remove("RUSTUP_TOOLCHAIN")
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo miri: {error}"))?;
    Ok(crate::exit_code(status))
}
