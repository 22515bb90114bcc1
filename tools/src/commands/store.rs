//! `khop store`: Check or rebuild a store.

use crate::failure::Failure;

/// Check or rebuild a store.
#[derive(clap::Args)]
pub struct StoreArgs {}

pub fn run(_args: StoreArgs) -> Result<(), Failure> {
    Err(Failure::new("store is not built yet"))
}
