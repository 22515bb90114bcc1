//! `khop inspect`: Show what a record, a vector file or a store holds.

use crate::failure::Failure;

/// Show what a record, a vector file or a store holds.
#[derive(clap::Args)]
pub struct InspectArgs {}

pub fn run(_args: InspectArgs) -> Result<(), Failure> {
    Err(Failure::new("inspect is not built yet"))
}
