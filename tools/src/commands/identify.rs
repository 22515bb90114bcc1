//! `khop identify`: Search a gallery for the person in a probe.

use crate::failure::Failure;

/// Search a gallery for the person in a probe.
#[derive(clap::Args)]
pub struct IdentifyArgs {}

pub fn run(_args: IdentifyArgs) -> Result<(), Failure> {
    Err(Failure::new("identify is not built yet"))
}
