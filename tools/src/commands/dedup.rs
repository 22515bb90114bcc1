//! `khop dedup`: Find encounters of one person under different subjects.

use crate::failure::Failure;

/// Find encounters of one person under different subjects.
#[derive(clap::Args)]
pub struct DedupArgs {}

pub fn run(_args: DedupArgs) -> Result<(), Failure> {
    Err(Failure::new("dedup is not built yet"))
}
