//! Which keys end, and where does the first one come from?

use std::path::Path;

use khop::RootKey;
use khop_store::Forgotten;
use serde_json::json;

use super::{Which, must_be_a_store};
use crate::failure::Failure;

/// Destroys the keys of everything that was erased.
pub(super) fn forget(store: &Which, as_json: bool) -> Result<(), Failure> {
    must_be_a_store(&store.data)?;
    let Forgotten { records, realms, segments, epoch, nodes } =
        store.protection.opening().open(&store.data)?.forget()?;
    if as_json {
        let destroyed = json!({ "encounters": records, "realms": realms, "segments": segments });
        println!("{}", json!({ "destroyed": destroyed, "epoch": epoch, "key_tree_nodes": nodes }));
    } else if (records, realms, segments) == (0, 0, 0) {
        println!("nothing was erased since the last time: no key to destroy");
    } else {
        println!("destroyed the keys of {records} encounters, {realms} realms and {segments} segment files");
        println!("what was sealed under them cannot be read again, here or in a backup without its own old keys");
    }
    Ok(())
}

/// Makes a root key.
pub(super) fn make_root(file: &Path) -> Result<(), Failure> {
    RootKey::random()?.write_new(file)?;
    println!(
        "{}: a new root key. Whoever has it and the data can read the data; without it, nobody can.",
        file.display()
    );
    println!("Keep a copy where neither the data nor its backups are.");
    Ok(())
}
