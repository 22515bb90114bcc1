//! `khop erase`: Erase a person or an encounter.

use crate::failure::Failure;

/// Erase a person or an encounter.
#[derive(clap::Args)]
pub struct EraseArgs {}

pub fn run(_args: EraseArgs) -> Result<(), Failure> {
    Err(Failure::new("erase is not built yet"))
}
