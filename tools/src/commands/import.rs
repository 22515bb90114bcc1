//! `khop import`: Read records and vectors in bulk, with a duplicate check.

use crate::failure::Failure;

/// Read records and vectors in bulk, with a duplicate check.
#[derive(clap::Args)]
pub struct ImportArgs {}

pub fn run(_args: ImportArgs) -> Result<(), Failure> {
    Err(Failure::new("import is not built yet"))
}
