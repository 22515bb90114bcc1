//! `khop compare`: Compare two records or vectors.

use crate::failure::Failure;

/// Compare two records or vectors.
#[derive(clap::Args)]
pub struct CompareArgs {}

pub fn run(_args: CompareArgs) -> Result<(), Failure> {
    Err(Failure::new("compare is not built yet"))
}
