//! `khop demo`: Show everything on a synthetic population in a temporary store.

use crate::failure::Failure;

/// Show everything on a synthetic population in a temporary store.
#[derive(clap::Args)]
pub struct DemoArgs {}

pub fn run(_args: DemoArgs) -> Result<(), Failure> {
    Err(Failure::new("demo is not built yet"))
}
