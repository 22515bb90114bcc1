//! `khop verify`: Compare a probe with one enrolled person.

use khop::{Claim, EncounterId, FingerLabels, SubjectId};
use serde_json::json;

use crate::failure::Failure;
use crate::open::{RealmArgs, evidence_json};
use crate::probe::SampleArgs;

/// Compare a probe with one enrolled person.
///
/// The score is −10·log10 of the false match rate it stands for: 40 means one in ten thousand.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArgs {
    #[command(flatten)]
    realm: RealmArgs,
    /// The claimed person; the best of their encounters speaks
    #[arg(long, value_name = "ID")]
    subject: SubjectId,
    /// Compare with this encounter of theirs only
    #[arg(long, value_name = "ID")]
    encounter: Option<EncounterId>,
    #[command(flatten)]
    probe: SampleArgs,
    /// Doubt which finger is which: also try swapped hands, exchanged neighbours and fingers upside
    /// down, at a cost of ln k nats for k readings
    #[arg(long)]
    doubt_labels: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop verify --data store --subject P12 --finger RIGHT_INDEX=probe.fmr
  khop verify --data store --subject P12 --finger RIGHT_INDEX=probe.fmr --doubt-labels
  khop verify --data store --subject P12 --encounter P12-0 --face probe.npy --model arcface-512 --json";

pub fn run(args: VerifyArgs) -> Result<(), Failure> {
    let probe = args.probe.read()?;
    let claim = Claim { encounter: args.encounter, ..Claim::of(args.subject) };
    let (_engine, realm) = args.realm.open()?;
    let labels = if args.doubt_labels { FingerLabels::Doubted } else { FingerLabels::Believed };
    let answer = realm.verify_with(&claim, &probe, labels)?;
    let moved = &answer.labels.moved;
    if args.json {
        let object = json!({
            "match": answer.is_match,
            "score": answer.score.value(),
            "fmr": answer.fmr.value(),
            "llr": answer.llr.nats(),
            "threshold": answer.threshold.value(),
            "evidence": evidence_json(&answer.evidence),
            "labels_tried": answer.labels.tried,
            "labels_cost": answer.labels.cost.nats(),
            "labels_moved": moved.iter().map(|(told, read)| [told.name(), read.name()]).collect::<Vec<_>>(),
            "upside_down": answer.labels.upside_down,
        });
        println!("{object}");
        return Ok(());
    }
    let word = if answer.is_match { "match" } else { "no match" };
    println!("{word}: score {:.1} (needs {:.1})", answer.score.value(), answer.threshold.value());
    for evidence in &answer.evidence {
        println!("  {:<14} score {:>6.1}", evidence.of.to_string(), evidence.score.value());
    }
    if args.doubt_labels {
        let (tried, cost) = (answer.labels.tried, answer.labels.cost);
        println!("  {tried} readings of the labels tried, {:.1} points taken off", cost.score().value());
    }
    if answer.labels.upside_down {
        println!("  compared upside down");
    }
    for (told, read) in moved {
        println!("  labelled {}, compared with {}", told.name(), read.name());
    }
    Ok(())
}
