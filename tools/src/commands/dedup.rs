//! `khop dedup`: Find encounters of one person under different subjects.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::open::{RealmArgs, SearchArgs, candidate_json, outcome_word};

/// Find encounters of one person under different subjects.
///
/// Every encounter of the gallery is searched against those enrolled before it; each suspicious pair is listed once,
/// best evidence first.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct DedupArgs {
    #[command(flatten)]
    realm: RealmArgs,
    #[command(flatten)]
    search: SearchArgs,
    /// Write the pairs into this file: encounter, subject, other encounter, other subject, outcome, score
    #[arg(long, value_name = "CSV")]
    csv: Option<std::path::PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop dedup --data store
  khop dedup --data store --gallery HAIPHONG --csv pairs.csv
  khop dedup --data store --json | jq '.duplicates | length'";

/// Pairs printed in the table; all are in the CSV and the JSON.
const PRINTED: usize = 20;

pub fn run(args: DedupArgs) -> Result<(), Failure> {
    let (_engine, realm) = args.realm.open()?;
    let style = "{wide_bar} {human_pos}/{human_len}  {per_sec}  {eta} left";
    let progress = ProgressBar::new(realm.status()?.encounters);
    progress.set_style(ProgressStyle::with_template(style)?);
    let mut found = realm.deduplicate(&args.search.search(), &|done, _| progress.set_position(done))?;
    progress.finish_and_clear();
    found.sort_by(|a, b| b.candidate.score.value().total_cmp(&a.candidate.score.value()));
    if let Some(path) = &args.csv {
        let mut csv = csv::Writer::from_path(path).map_err(Failure::at(path))?;
        csv.write_record(["encounter", "subject", "other_encounter", "other_subject", "outcome", "score"])?;
        for pair in &found {
            let c = &pair.candidate;
            let ids = [pair.encounter.as_str(), pair.subject.as_str(), c.encounter.as_str(), c.subject.as_str()];
            let [a, b, c_encounter, c_subject] = ids;
            let score = format!("{:.1}", c.score.value());
            csv.write_record([a, b, c_encounter, c_subject, outcome_word(pair.outcome), &score])?;
        }
        csv.flush().map_err(Failure::at(path))?;
    }
    let searched = realm.status()?.encounters;
    if args.json {
        let pairs: Vec<Value> = found
            .iter()
            .map(|d| {
                json!({
                    "encounter": d.encounter.as_str(),
                    "subject": d.subject.as_str(),
                    "outcome": outcome_word(d.outcome),
                    "candidate": candidate_json(&d.candidate),
                })
            })
            .collect();
        println!("{}", json!({ "encounters": searched, "duplicates": pairs }));
        return Ok(());
    }
    println!("{searched} encounters, {} suspicious pairs", found.len());
    for pair in found.iter().take(PRINTED) {
        let c = &pair.candidate;
        let (word, score) = (outcome_word(pair.outcome), c.score.value());
        println!("  {:<32} {:<32} {word:<10} {score:>6.1}", pair.encounter.as_str(), c.encounter.as_str());
    }
    if found.len() > PRINTED {
        println!("  and {} more; --csv FILE has them all", found.len() - PRINTED);
    }
    Ok(())
}
