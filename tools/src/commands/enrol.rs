//! `khop enrol`: Enrol one person from files, with a duplicate search.

use crate::failure::Failure;

/// Enrol one person from files, with a duplicate search.
#[derive(clap::Args)]
pub struct EnrolArgs {}

pub fn run(_args: EnrolArgs) -> Result<(), Failure> {
    Err(Failure::new("enrol is not built yet"))
}
