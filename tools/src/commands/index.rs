//! `khop index`: Show which planes of faces a realm keeps, how large they are and what they find, or choose others.

use khop::{FacePlanes, PlaneStatus};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::open::RealmArgs;

/// Show which planes of faces a realm keeps, how large they are and what they find, or choose others.
///
/// i8 is always there: a byte a number. b1, a bit a number, makes large searches fast (bounded); b4, half a byte a
/// number, makes them faster without any loss (certified). Choosing other planes makes every segment again from the
/// catalogue. The recall is measured: enrolled faces searched for in each mode, against the exact search.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct IndexArgs {
    #[command(flatten)]
    realm: RealmArgs,
    /// Keep these planes from now on: i8, i8,b1, i8,b4 or i8,b1,b4
    #[arg(long, value_name = "LIST")]
    planes: Option<FacePlanes>,
    /// Enrolled faces that the recall is measured with
    #[arg(long, value_name = "N", default_value_t = 100)]
    probes: usize,
    /// Probability with which a bounded search may miss a mate at the threshold
    #[arg(long, value_name = "P", default_value_t = 1e-4)]
    loss: f64,
    /// Cosine at which the recall is measured
    #[arg(long, value_name = "COSINE", default_value_t = 0.3)]
    threshold: f32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop index --data store
  khop index --data store --planes i8,b1,b4";

pub fn run(args: IndexArgs) -> Result<(), Failure> {
    let (engine, realm) = args.realm.open()?;
    if let Some(planes) = args.planes {
        engine.set_face_planes(realm.id(), planes)?;
    }
    let index = realm.face_index(args.probes, args.loss, args.threshold)?;
    if args.json {
        let plane = |plane: &PlaneStatus| {
            let PlaneStatus { name, bytes, mode, wanted, found } = plane;
            let mode = mode.map(|mode| mode.to_string());
            json!({ "plane": name, "bytes": bytes, "mode": mode, "pairs_wanted": wanted, "pairs_found": found })
        };
        let planes: Vec<Value> = index.planes.iter().map(plane).collect();
        println!(
            "{}",
            json!({ "faces": index.faces, "segments": index.segments, "probes": index.probes, "planes": planes })
        );
        return Ok(());
    }
    println!("{} faces in {} segments; recall of {} enrolled faces", index.faces, index.segments, index.probes);
    println!("{:<6} {:>14} {:>12}  {:<10} {:>8}  pairs found", "plane", "bytes", "bytes/face", "mode", "recall");
    for plane in &index.planes {
        let PlaneStatus { name, bytes, mode, wanted, found } = plane;
        let each = *bytes as f64 / (index.faces.max(1) as f64);
        let recall = plane.recall().map_or("-".to_owned(), |recall| format!("{recall:.6}"));
        let mode = mode.map_or("-".to_owned(), |mode| mode.to_string());
        println!("{name:<6} {bytes:>14} {each:>12.1}  {mode:<10} {recall:>8}  {found} of {wanted}");
    }
    Ok(())
}
