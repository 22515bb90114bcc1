//! How are the golden scores made? From the stored records, by `cargo xtask golden`; the records themselves by
//! `cargo run -p khop-fingerprint --example golden_scores -- fingers`.

mod fingers;
mod scores;

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let folder = testdata.join("fingers");
    if std::env::args().nth(1).as_deref() == Some("fingers") {
        std::fs::create_dir_all(&folder)?;
        for (name, finger) in fingers::golden_fingers() {
            let bytes = khop_formats::write_iso_2005(std::slice::from_ref(&finger))?;
            std::fs::write(folder.join(format!("{name}.fmr")), &bytes)?;
            println!("fingers/{name}.fmr: {} bytes, {} minutiae", bytes.len(), finger.minutiae.len());
        }
    }
    let scores = scores::golden_scores(&folder)?;
    std::fs::write(testdata.join("fingers/scores.txt"), &scores)?;
    println!("fingers/scores.txt: {} lines", scores.lines().count());
    Ok(())
}
