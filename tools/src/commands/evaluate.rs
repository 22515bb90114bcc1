//! `khop evaluate`: Measure accuracy: DET, EER, FNMR at FMR, FNIR at FPIR.

use crate::failure::Failure;

/// Measure accuracy: DET, EER, FNMR at FMR, FNIR at FPIR.
#[derive(clap::Args)]
pub struct EvaluateArgs {}

pub fn run(_args: EvaluateArgs) -> Result<(), Failure> {
    Err(Failure::new("evaluate is not built yet"))
}
