//! `khop calibrate`: Fit the tables that turn similarities into scores.

use crate::failure::Failure;

/// Fit the tables that turn similarities into scores.
#[derive(clap::Args)]
pub struct CalibrateArgs {}

pub fn run(_args: CalibrateArgs) -> Result<(), Failure> {
    Err(Failure::new("calibrate is not built yet"))
}
