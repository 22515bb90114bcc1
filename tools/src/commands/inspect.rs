//! `khop inspect`: Show what a record, a vector file or a store holds.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use khop::RealmStatus;
use khop_formats::{MAX_RECORD_BYTES, MinutiaeRecord, npy, read_minutiae};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::protection::ProtectionArgs;

/// Show what a record, a vector file or a store holds.
///
/// Sizes, formats and counts; never a minutia or a number of a vector. A file that cannot be read does not hide the
/// others; the exit status is then 1.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct InspectArgs {
    /// Minutiae records, NumPy arrays or data directories
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    protection: ProtectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  khop inspect right_index.fmr
  khop inspect faces.npy
  khop inspect --json ~/.local/share/khop";

pub fn run(args: InspectArgs) -> Result<(), Failure> {
    let inspected: Vec<_> = args.files.iter().map(|path| (path, Contents::of(path, &args.protection))).collect();
    if args.json {
        let files = inspected.iter().map(|(path, contents)| {
            let mut value = match contents {
                Ok(contents) => contents.json(),
                Err(failure) => json!({"error": failure.to_string()}),
            };
            value["path"] = json!(path.display().to_string());
            value
        });
        println!("{}", json!({"files": files.collect::<Vec<_>>()}));
    } else {
        for (path, contents) in &inspected {
            match contents {
                Ok(contents) => println!("{}: {contents}", path.display()),
                Err(failure) => println!("{failure}"),
            }
        }
    }
    let mut failures = inspected.into_iter().filter_map(|(_, contents)| contents.err());
    match (failures.next(), failures.count()) {
        (None, _) => Ok(()),
        (Some(failure), 0) => Err(failure),
        (Some(_), more) => Err(Failure::new(format!("{} of {} files cannot be read", more + 1, args.files.len()))),
    }
}

/// What lies at a path.
enum Contents {
    Record(MinutiaeRecord),
    Array(npy::Header),
    Store(Vec<RealmStatus>),
}

impl Contents {
    fn of(path: &Path, protection: &ProtectionArgs) -> Result<Self, Failure> {
        if path.is_dir() {
            return store(path, protection);
        }
        let mut file = std::fs::File::open(path).map_err(Failure::at(path))?;
        let mut start = Vec::new();
        file.by_ref().take(MAX_RECORD_BYTES as u64 + 1).read_to_end(&mut start).map_err(Failure::at(path))?;
        match &start[..] {
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => {
                let header = npy::read_header(&start).map_err(Failure::at(path))?;
                let size = file.metadata().map_err(Failure::at(path))?.len();
                let expected = header.data_bytes().and_then(|data| data.checked_add(header.data_offset));
                match expected {
                    Some(expected) if expected as u64 == size => Ok(Self::Array(header)),
                    _ => {
                        let what = expected.map_or("no file can be as long".into(), |n| format!("expected {n} bytes"));
                        Err(Failure::at(path)(format!("shape {:?}: {what}, found {size}", header.shape)))
                    }
                }
            }
            [b'F', b'M', b'R', 0, ..] => Ok(Self::Record(read_minutiae(&start).map_err(Failure::at(path))?)),
            _ => Err(Failure::at(path)("expected a minutiae record, a NumPy array or a data directory")),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Record(record) => {
                let views = record.views.iter().enumerate().map(|(index, view)| {
                    let areas = record.areas.iter().filter(|area| area.view == index);
                    let areas = areas.map(|area| json!({"type": area.kind, "bytes": area.length}));
                    json!({
                        "position": view.position.name(),
                        "impression": format!("{:?}", view.impression),
                        "quality": view.quality.map(|q| q.value()),
                        "width_px": view.width_px,
                        "height_px": view.height_px,
                        "x_px_per_cm": view.resolution.x_px_per_cm,
                        "y_px_per_cm": view.resolution.y_px_per_cm,
                        "minutiae": view.minutiae.len(),
                        "areas": areas.collect::<Vec<_>>(),
                    })
                });
                let deviations: Vec<String> = record.deviations.iter().map(ToString::to_string).collect();
                let (format, views) = (record.format.to_string(), views.collect::<Vec<_>>());
                json!({"kind": "minutiae", "format": format, "views": views, "deviations": deviations})
            }
            Self::Array(header) => {
                json!({"kind": "array", "dtype": header.element.descr(), "shape": header.shape})
            }
            Self::Store(realms) => {
                let realms = realms.iter().map(|realm| {
                    let model = realm.face_model.as_ref();
                    json!({
                        "realm": realm.id.as_str(),
                        "expires_at_unix_s": realm.expires_at_unix_s,
                        "encounters": realm.encounters,
                        "segments": realm.segments,
                        "tail_rows": realm.tail_rows,
                        "segment_bytes": realm.file_bytes,
                        "opened_bytes": realm.opened_bytes,
                        "may_be_swapped": realm.may_be_swapped,
                        "face_model": model.map(|(model, dim)| json!({"id": model.as_str(), "dim": dim})),
                    })
                });
                json!({"kind": "store", "realms": realms.collect::<Vec<_>>()})
            }
        }
    }
}

/// Opens a data directory, but makes none.
fn store(path: &Path, protection: &ProtectionArgs) -> Result<Contents, Failure> {
    if !path.join("FORMAT").is_file() {
        return Err(Failure::at(path)("expected a data directory, but it holds no file FORMAT"));
    }
    let engine = protection.engine(path).open().map_err(Failure::at(path))?;
    Ok(Contents::Store(engine.realms()))
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(record) => {
                write!(f, "{}, {}", record.format, counted(record.views.len(), "view"))?;
                for (index, view) in record.views.iter().enumerate() {
                    let (x, y) = (view.resolution.x_px_per_cm, view.resolution.y_px_per_cm);
                    write!(f, "\n  {:<12} {:?}", view.position.name(), view.impression)?;
                    write!(f, ", {} × {} px at {x} × {y} px/cm", view.width_px, view.height_px)?;
                    write!(f, ", quality {}", view.quality.map_or("not reported".into(), |q| q.value().to_string()))?;
                    write!(f, ", {} minutiae", view.minutiae.len())?;
                    for area in record.areas.iter().filter(|area| area.view == index) {
                        write!(f, "\n    extended data of type {:#06x}, {} bytes", area.kind, area.length)?;
                    }
                }
                record.deviations.iter().try_for_each(|deviation| write!(f, "\n  forgiven: {deviation}"))
            }
            Self::Array(header) => {
                write!(f, "NumPy array of {}, shape {:?}", header.element.descr(), header.shape)
            }
            Self::Store(realms) => {
                write!(f, "store, {}", counted(realms.len(), "realm"))?;
                for realm in realms {
                    write!(f, "\n  {:<12} {} encounters", realm.id, realm.encounters)?;
                    write!(f, ", {} ({} bytes in files", counted(realm.segments, "segment"), realm.file_bytes)?;
                    write!(f, ", {} of them opened into memory)", realm.opened_bytes)?;
                    write!(f, ", {} rows in the tail", realm.tail_rows)?;
                    if let Some((model, dim)) = &realm.face_model {
                        write!(f, ", faces by {model} ({dim} numbers)")?;
                    }
                    if let Some(at) = realm.expires_at_unix_s {
                        write!(f, ", expires at {at} s since 1970")?;
                    }
                }
                Ok(())
            }
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
