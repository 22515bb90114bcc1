//! `khop backup`: copy a store into a directory of backups.

use std::path::PathBuf;

use khop::Backup;
use serde_json::json;

use crate::commands::store::{must_be_a_store, spinner};
use crate::failure::Failure;
use crate::protection::ProtectionArgs;

/// Copy a store into a directory of backups.
///
/// Only what is new is copied: segments are shared by all backups of the directory. Everything stays sealed. The directory
/// keeps the newest keys for all of its backups, so that nobody who was erased comes back with an older one. With a root
/// key kept elsewhere (--root-key), keep a copy of that key, too: without it no backup can be read.
///
/// A restored store needs a directory of its own. The store must not be in use; a running service makes backups itself (khop serve --backup-to DIR).
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct BackupArgs {
    /// Data directory of the store
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// Directory of backups, of this store alone; made when it does not exist
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    protection: ProtectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  khop backup ~/.local/share/khop --to /backups/khop
  khop restore /var/lib/khop --from /backups/khop";

pub fn run(args: BackupArgs) -> Result<(), Failure> {
    must_be_a_store(&args.data)?;
    let progress = spinner("{spinner} {msg}");
    progress.set_message("opening the store");
    let store = args.protection.opening().open(&args.data)?;
    let told =
        |entries, bytes| progress.set_message(format!("{entries} entries, {} MB of segments", bytes / 1_000_000));
    let Backup { number, entries, catalogue_bytes, copied, copied_bytes, kept, left_out } =
        store.backup(&args.to, &told)?;
    progress.finish_and_clear();
    if args.json {
        println!(
            "{}",
            json!({
                "backup": number, "entries": entries, "catalogue_bytes": catalogue_bytes, "segments_copied": copied,
                "segment_bytes_copied": copied_bytes, "segments_kept": kept, "segments_left_out": left_out,
            })
        );
        return Ok(());
    }
    println!("backup {number} in {}", args.to.display());
    println!("  catalogue   {entries} entries, {catalogue_bytes} bytes");
    println!("  segments    {copied} copied ({copied_bytes} bytes), {kept} there already");
    if left_out > 0 {
        println!("              {left_out} left out: their vectors lie open, and are made again from the catalogue");
    }
    Ok(())
}
