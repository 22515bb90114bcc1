//! `khop store`: Check a store, make its segments again, and end the keys of what was erased.

mod keys;

use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use khop::{Calibration, Compaction, Engine, FaceModel, ModelId, RealmId};
use khop_store::{Opening, Problem, VerifyReport};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::protection::ProtectionArgs;

/// Check a store, make its segments again, end the keys of what was erased.
///
/// The store must not be in use: stop the service first. The catalogue keeps what was enrolled, as received; segments
/// hold what searches need of it and can be made again at any time.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct StoreArgs {
    #[command(subcommand)]
    act: Act,
}

/// Which store.
#[derive(clap::Args)]
struct Which {
    /// Data directory of the store
    #[arg(value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    protection: ProtectionArgs,
}

#[derive(clap::Subcommand)]
enum Act {
    /// Compare every seal, checksum, index entry, count and audit entry; the exit status is 1 when anything is damaged
    Verify {
        #[command(flatten)]
        store: Which,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Make the segments again from the catalogue
    Rebuild {
        #[command(flatten)]
        store: Which,
        /// Only this realm
        #[arg(long, value_name = "NAME")]
        realm: Option<RealmId>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Make small segments one, and segments with rows of the erased anew without them
    Compact {
        #[command(flatten)]
        store: Which,
        /// Only this realm
        #[arg(long, value_name = "NAME")]
        realm: Option<RealmId>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Destroy the keys of everything that was erased: its bytes, wherever they still lie, can never be read again
    Forget {
        #[command(flatten)]
        store: Which,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Make a root key, to be kept elsewhere than the data and given with --root-key when the store is made
    RootKey {
        /// File to make, readable by its owner alone; it must not be there yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Keep a face model and its calibration table in the store, for this and every later opening
    AddModel {
        /// Made when it does not exist
        #[command(flatten)]
        store: Which,
        /// Table written by `khop calibrate face`; it names the model
        #[arg(long, value_name = "FILE")]
        table: PathBuf,
        /// Numbers in a vector of the model
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(64..=4096))]
        dim: u32,
    },
}

const EXAMPLES: &str = "\
Examples:
  khop store add-model DIR --table my-model-512.txt --dim 512
  khop store verify ~/.local/share/khop
  khop store verify DIR --json
  khop store rebuild DIR --realm default
  khop store compact DIR && khop store forget DIR
  khop store root-key /media/key/khop.root && khop serve --data DIR --root-key /media/key/khop.root";

pub fn run(args: StoreArgs) -> Result<(), Failure> {
    match args.act {
        Act::Verify { store, json } => verify(&store, json),
        Act::Rebuild { store, realm, json } => rebuild(&store, realm, json),
        Act::Compact { store, realm, json } => compact(&store, realm, json),
        Act::Forget { store, json } => keys::forget(&store, json),
        Act::RootKey { file } => keys::make_root(&file),
        Act::AddModel { store, table, dim } => add_model(&store, &table, dim),
    }
}

fn add_model(store: &Which, table: &Path, dim: u32) -> Result<(), Failure> {
    let text = std::fs::read_to_string(table).map_err(Failure::at(table))?;
    let calibration = Calibration::from_text(&text).map_err(Failure::at(table))?;
    let id = ModelId::new(calibration.name()).map_err(Failure::at(table))?;
    let engine = store.protection.engine(&store.data).open()?;
    engine.register_face_model(FaceModel { id: id.clone(), dim: dim as usize, calibration: Some(calibration) })?;
    println!("{id}: vectors of {dim} numbers have scores in this store now");
    Ok(())
}

fn verify(store: &Which, as_json: bool) -> Result<(), Failure> {
    must_be_a_store(&store.data)?;
    let progress = spinner("{spinner} reading the catalogue's pages");
    let store = Opening { check: true, ..store.protection.opening() }.open(&store.data)?;
    progress.set_style(style("{spinner} {human_pos} entries compared"));
    let report = store.verify_with(&|entries| progress.set_position(entries))?;
    progress.finish_and_clear();
    if as_json {
        println!("{}", report_json(&report));
    } else {
        print_report(&report);
    }
    match report.problems.first() {
        None => Ok(()),
        Some(first) if report.problem_count == 1 => Err(Failure::new(first.to_string())),
        Some(first) => Err(Failure::new(format!("{} problems; the first: {first}", report.problem_count))),
    }
}

fn print_report(report: &VerifyReport) {
    for (what, count) in counts(report) {
        println!("{what:<16} {count:>14}");
    }
    for problem in &report.problems {
        println!("{}: {problem}", kind(problem));
    }
    let hidden = report.problem_count - report.problems.len() as u64;
    if hidden > 0 {
        println!("and {hidden} more");
    }
}

fn report_json(report: &VerifyReport) -> Value {
    let problem = |problem: &Problem| json!({ "in": kind(problem), "error": problem.to_string() });
    let mut value: serde_json::Map<_, _> =
        counts(report).into_iter().map(|(what, count)| (what.replace(' ', "_"), json!(count))).collect();
    value.insert("sound".into(), json!(report.is_sound()));
    value.insert("listed".into(), report.problems.iter().map(problem).collect());
    value.into()
}

fn counts(report: &VerifyReport) -> [(&'static str, u64); 8] {
    [
        ("realms", report.realms),
        ("encounters", report.records),
        ("erased", report.erased),
        ("cases", report.cases),
        ("segments", report.segments),
        ("segment bytes", report.segment_bytes),
        ("audit entries", report.audit_entries),
        ("problems", report.problem_count),
    ]
}

/// Where a problem is: a segment can be made again, the catalogue cannot.
fn kind(problem: &Problem) -> &'static str {
    match problem {
        Problem::Catalogue(_) => "catalogue",
        Problem::Segment(_) => "segment",
    }
}

fn rebuild(store: &Which, realm: Option<RealmId>, as_json: bool) -> Result<(), Failure> {
    let rebuilt = each_realm(store, realm, |engine, realm| Ok(engine.rebuild(realm)?))?;
    if as_json {
        let one = |(realm, segments): &(RealmId, usize)| json!({ "realm": realm.as_str(), "segments": segments });
        println!("{}", json!({ "realms": rebuilt.iter().map(one).collect::<Vec<_>>() }));
    } else {
        for (realm, segments) in rebuilt {
            println!("{realm}: {segments} segments made");
        }
    }
    Ok(())
}

fn compact(store: &Which, realm: Option<RealmId>, as_json: bool) -> Result<(), Failure> {
    let compacted = each_realm(store, realm, |engine, realm| Ok(engine.realm(realm)?.compact()?))?;
    if as_json {
        let one = |(realm, done): &(RealmId, Compaction)| {
            let Compaction { replaced, written, dropped_rows, .. } = done;
            json!({ "realm": realm.as_str(), "replaced": replaced, "written": written, "dropped_rows": dropped_rows })
        };
        println!("{}", json!({ "realms": compacted.iter().map(one).collect::<Vec<_>>() }));
    } else {
        for (realm, Compaction { replaced, written, dropped_rows, .. }) in compacted {
            match replaced {
                0 => println!("{realm}: no small segments, no rows of the erased"),
                _ => println!("{realm}: {written} written for {replaced}, {dropped_rows} rows of the erased dropped"),
            }
        }
    }
    Ok(())
}

/// Does something to one realm of a store, or to each.
fn each_realm<T>(
    store: &Which,
    realm: Option<RealmId>,
    act: impl Fn(&Engine, &RealmId) -> Result<T, Failure>,
) -> Result<Vec<(RealmId, T)>, Failure> {
    must_be_a_store(&store.data)?;
    let progress = spinner("{spinner} {msg}");
    progress.set_message("opening the store");
    let engine = store.protection.engine(&store.data).open()?;
    let realms = match realm {
        Some(realm) => vec![realm],
        None => engine.realms().into_iter().map(|status| status.id).collect(),
    };
    let mut done = Vec::new();
    for realm in realms {
        progress.set_message(format!("realm {realm}"));
        let outcome = act(&engine, &realm)?;
        done.push((realm, outcome));
    }
    drop(engine);
    progress.finish_and_clear();
    Ok(done)
}

/// Opening a store makes one where there is none: not what anybody wants who came to check one.
pub(super) fn must_be_a_store(data: &Path) -> Result<(), Failure> {
    let there = ["FORMAT", "catalogue.redb"].iter().any(|name| data.join(name).exists());
    if there { Ok(()) } else { Err(Failure::new(format!("{}: no store there", data.display()))) }
}

/// Moves on standard error while work goes on; nothing where that is no terminal.
pub(super) fn spinner(template: &str) -> ProgressBar {
    let progress = ProgressBar::new_spinner().with_style(style(template));
    progress.enable_steady_tick(Duration::from_millis(100));
    progress
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a template written here")
}
