//! How is the service started and killed? The real binary on a directory, from the outside.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const KHOP: &str = env!("CARGO_BIN_EXE_khop");

/// A service that was started; killed when it is dropped.
pub struct Process {
    child: Child,
    out: BufReader<ChildStdout>,
}

/// Where a service listens, and the token if it printed one.
pub struct Serving {
    pub process: Process,
    pub address: String,
    pub token: Option<String>,
}

impl Process {
    pub fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(KHOP);
        command.args(["serve", "--listen", "127.0.0.1:0", "--threads", "2", "--data"]).arg(data).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// Waits until it serves.
    ///
    /// # Panics
    /// When it ends before, which no killed service gives a reason for.
    pub fn serving(mut self) -> Serving {
        let mut address = None;
        loop {
            let mut line = String::new();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "the service did not open what a kill left");
            match line.split_once(' ').map(|(name, value)| (name, value.trim())) {
                Some(("serving", value)) => address = value.strip_prefix("http://").map(str::to_owned),
                Some(("token", value)) => {
                    let token = Some(value.to_owned()).filter(|token| token.starts_with("khop_"));
                    return Serving { process: self, address: address.expect("an address"), token };
                }
                _ => (),
            }
        }
    }

    /// `kill -9` after a while. Whether it had not said yet that it serves.
    pub fn kill_after(mut self, while_us: u64) -> bool {
        std::thread::sleep(Duration::from_micros(while_us));
        self.kill();
        !self.out.by_ref().lines().map_while(Result::ok).any(|line| line.starts_with("serving"))
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end. What it wrote, and whether it went well.
pub fn khop(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(KHOP).args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}
