//! `khop synth`: Make a synthetic population.

use crate::failure::Failure;

/// Make a synthetic population.
#[derive(clap::Args)]
pub struct SynthArgs {}

pub fn run(_args: SynthArgs) -> Result<(), Failure> {
    Err(Failure::new("synth is not built yet"))
}
