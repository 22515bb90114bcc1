//! What do the tests need that cargo does not bring? Debian packages, installed by name where they are missing.

use std::process::{Command, Stdio};

/// Debian packages without which some test cannot run: `kill`, to stop a service as an operator does, `mount`, to give a
/// store a disk that fills up, and NumPy, which counts the errors of an evaluation once more.
pub const APT_PACKAGES: &[&str] = &["procps", "mount", "python3-numpy"];

/// Installs whatever of `packages` is missing.
///
/// # Errors
/// One line that names the packages and the command to type, when we may not install them ourselves.
pub fn install(packages: &[&str]) -> Result<(), String> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let prefix = if succeeds("test", &["-w", "/var/lib/dpkg"]) {
        ""
    } else if succeeds("sudo", &["-n", "true"]) {
        "sudo -n "
    } else {
        return Err(format!("the tests need Debian packages: sudo apt-get install {}", missing.join(" ")));
    };
    eprintln!("xtask: installing {}", missing.join(" "));
    let apt = format!("{prefix}env DEBIAN_FRONTEND=noninteractive apt-get");
    let names = missing.join(" ");
    let script = format!("{apt} update -qq && {apt} install -y -qq --no-install-recommends {names}");
    match Command::new("sh").args(["-c", &script]).stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("apt-get could not install {names}")),
    }
}

fn is_installed(package: &str) -> bool {
    let query = Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", package]).output();
    query.is_ok_and(|output| output.stdout == b"installed")
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let quiet = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}
