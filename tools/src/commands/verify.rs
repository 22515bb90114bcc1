//! `khop verify`: Compare a probe with one enrolled person.

use crate::failure::Failure;

/// Compare a probe with one enrolled person.
#[derive(clap::Args)]
pub struct VerifyArgs {}

pub fn run(_args: VerifyArgs) -> Result<(), Failure> {
    Err(Failure::new("verify is not built yet"))
}
