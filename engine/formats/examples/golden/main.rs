//! How are the files of `testdata/` made? `cargo run -p khop-formats --example golden` writes them anew.

mod files;

use std::path::Path;

fn main() -> std::io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    for (name, bytes) in files::golden_files() {
        std::fs::write(directory.join(name), &bytes)?;
        println!("{name}: {} bytes", bytes.len());
    }
    Ok(())
}
