//! `khop identify`: Search a gallery for the person in a probe.

use khop::{EncounterId, EncounterKey, FingerLabels, Search, SubjectId};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::open::{RealmArgs, SearchArgs, candidate_json, outcome_word};
use crate::probe::SampleArgs;

/// Search a gallery for the person in a probe.
///
/// Prints the decision and the candidates with their scores: 40 means one false match in ten thousand comparisons.
/// The decision is for the number of references searched: hit, adjudicate (a human looks) or clear.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct IdentifyArgs {
    #[command(flatten)]
    realm: RealmArgs,
    #[command(flatten)]
    probe: SampleArgs,
    /// Search for somebody enrolled instead of files, who is left out
    #[arg(long, value_name = "ID", conflicts_with_all = ["fingers", "face"], requires = "encounter")]
    subject: Option<SubjectId>,
    /// With the samples of this encounter of theirs
    #[arg(long, value_name = "ID", requires = "subject")]
    encounter: Option<EncounterId>,
    #[command(flatten)]
    search: SearchArgs,
    /// Doubt which finger is which: also try swapped hands, exchanged neighbours and fingers upside
    /// down, at a cost of ln k nats for k readings
    #[arg(long)]
    doubt_labels: bool,
    /// Say how it was searched and why, and what may have been missed
    #[arg(long)]
    explain: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop identify --data store --finger RIGHT_INDEX=probe.fmr
  khop identify --data store --face probe.npy --model arcface-512 --born-from 1985 --born-to 1995
  khop identify --data store --finger RIGHT_INDEX=a.fmr --finger RIGHT_MIDDLE=b.fmr --doubt-labels
  khop identify --data store --subject P12 --encounter P12-0 --json
  khop identify --data store --face probe.npy --model arcface-512 --mode certified --explain";

pub fn run(args: IdentifyArgs) -> Result<(), Failure> {
    let labels = if args.doubt_labels { FingerLabels::Doubted } else { FingerLabels::Believed };
    let search = Search { labels, ..args.search.search() };
    let enrolled = args.subject.zip(args.encounter).map(|(subject, encounter)| EncounterKey { subject, encounter });
    let probe = if enrolled.is_none() { args.probe.read()? } else { Vec::new() };
    let (_engine, realm) = args.realm.open()?;
    let found = match &enrolled {
        Some(encounter) => realm.identify_encounter(encounter, &search)?,
        None => realm.identify(&probe, &search)?,
    };
    let thresholds = found.decision.thresholds();
    if args.json {
        let candidates: Vec<Value> = found.candidates.iter().map(candidate_json).collect();
        let answer = json!({
            "decision": outcome_word(found.decision.outcome()),
            "threshold_hit": thresholds.hit.value(),
            "threshold_adjudicate": thresholds.adjudicate.value(),
            "candidates": candidates,
            "more": found.more,
            "searched": found.searched,
            "compared": found.compared,
            "guarantee": found.explanation.guarantee.to_string(),
            "explanation": args.explain.then(|| found.explanation.to_string()),
        });
        println!("{answer}");
        return Ok(());
    }
    let (hit, adjudicate) = (thresholds.hit.value(), thresholds.adjudicate.value());
    println!(
        "{}: {} references searched, {} compared in full",
        outcome_word(found.decision.outcome()),
        found.searched,
        found.compared
    );
    println!("a hit needs a score of {hit:.1}, a human looks from {adjudicate:.1} on\n");
    if args.explain {
        println!("{}\n", found.explanation);
    }
    if found.candidates.is_empty() {
        println!("no candidate");
        return Ok(());
    }
    println!("{:>4}  {:<32} {:<32} {:>6}", "rank", "subject", "encounter", "score");
    for (rank, c) in found.candidates.iter().enumerate() {
        println!("{:>4}  {:<32} {:<32} {:>6.1}", rank + 1, c.subject.as_str(), c.encounter.as_str(), c.score.value());
    }
    if found.more {
        println!("      there are more; raise --limit");
    }
    Ok(())
}
