//! `khop bench`: Measure the speed of this machine and of the engine on it.

use crate::failure::Failure;

/// Measure the speed of this machine and of the engine on it.
#[derive(clap::Args)]
pub struct BenchArgs {}

pub fn run(_args: BenchArgs) -> Result<(), Failure> {
    Err(Failure::new("bench is not built yet"))
}
