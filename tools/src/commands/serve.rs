//! `khop serve`: Run the HTTP service.

use crate::failure::Failure;

/// Run the HTTP service.
#[derive(clap::Args)]
pub struct ServeArgs {}

pub fn run(_args: ServeArgs) -> Result<(), Failure> {
    Err(Failure::new("serve is not built yet"))
}
