//! `khop restore`: make a store from a backup.

use std::path::PathBuf;

use khop_store::Restored;
use serde_json::json;

use crate::commands::store::spinner;
use crate::failure::Failure;
use crate::protection::ProtectionArgs;

/// Make a store from a backup.
///
/// Nobody comes back who was erased before the newest backup of the directory was made, whichever backup is restored.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RestoreArgs {
    /// Data directory to make; it must not be there yet
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// Directory of backups
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Number of the backup; without it the newest
    #[arg(long, value_name = "N")]
    backup: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    protection: ProtectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  khop restore /var/lib/khop --from /backups/khop
  khop restore /tmp/as-it-was --from /backups/khop --backup 12 && khop store verify /tmp/as-it-was";

pub fn run(args: RestoreArgs) -> Result<(), Failure> {
    let progress = spinner("{spinner} copying and looking for the forgotten");
    let Restored { number, encounters, segments, struck, dropped } =
        args.protection.opening().restore(&args.from, args.backup, &args.data)?;
    progress.finish_and_clear();
    if args.json {
        println!(
            "{}",
            json!({
                "backup": number, "encounters": encounters, "segments": segments, "erased_since": struck,
                "realms_dropped_since": dropped,
            })
        );
        return Ok(());
    }
    println!("{}: backup {number}, {encounters} encounters, {segments} segments", args.data.display());
    if struck + dropped > 0 {
        println!("  erased since and not brought back: {struck} encounters, {dropped} realms");
    }
    Ok(())
}
