//! `khop enrol`: Enrol one person from files, with a duplicate search.

use std::collections::BTreeSet;

use khop::{Attributes, DuplicateCheck, Encounter, EncounterId, EncounterKey, GalleryId, Region, Sex, SubjectId};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::open::{RealmArgs, candidate_json, outcome_word, sex};
use crate::probe::SampleArgs;

/// Enrol one person from files, with a duplicate search.
///
/// Stored whatever the search finds; when somebody comes near, a case is opened and the candidates are printed.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct EnrolArgs {
    #[command(flatten)]
    realm: RealmArgs,
    /// The person
    #[arg(long, value_name = "ID")]
    subject: SubjectId,
    /// The encounter, unique among those of its subject
    #[arg(long, value_name = "ID")]
    encounter: EncounterId,
    #[command(flatten)]
    samples: SampleArgs,
    /// Gallery to put it into; may be given several times
    #[arg(long, value_name = "NAME", value_parser = |name: &str| GalleryId::named(name))]
    gallery: Vec<GalleryId>,
    /// Year of birth
    #[arg(long, value_name = "YEAR")]
    born: Option<u16>,
    /// Sex: F or M
    #[arg(long, value_name = "F|M", value_parser = sex)]
    sex: Option<Sex>,
    /// Region of registration
    #[arg(long, value_name = "CODE")]
    region: Option<Region>,
    /// Enrol without searching for duplicates
    #[arg(long)]
    no_check: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop enrol --data store --subject P12 --encounter P12-0 --finger right_index.fmr --finger left_index.fmr
  khop enrol --data store --subject P12 --encounter P12-1 --face face.npy --model arcface-512 --born 1990 --json";

pub fn run(args: EnrolArgs) -> Result<(), Failure> {
    let encounter = Encounter {
        galleries: args.gallery.into_iter().collect::<BTreeSet<_>>(),
        attributes: Attributes { year_of_birth: args.born, sex: args.sex, region: args.region },
        ..Encounter::new(EncounterKey { subject: args.subject, encounter: args.encounter }, args.samples.read()?)
    };
    let (_engine, realm) = args.realm.open_or_make()?;
    let check = if args.no_check { DuplicateCheck::Skip } else { DuplicateCheck::Search };
    let enrolment = realm.enrol(encounter, check)?;
    let found = enrolment.identification.as_ref();
    if args.json {
        let candidates: Vec<Value> = found.iter().flat_map(|f| &f.candidates).map(candidate_json).collect();
        let answer = json!({
            "encounter": enrolment.encounter.as_str(),
            "subject": enrolment.subject.as_str(),
            "decision": found.map(|f| outcome_word(f.decision.outcome())),
            "case": enrolment.case.map(|c| c.0),
            "searched": found.map(|f| f.searched),
            "candidates": candidates,
        });
        println!("{answer}");
        return Ok(());
    }
    match found {
        None => println!("enrolled without a duplicate check"),
        Some(found) => {
            println!("enrolled, {}: {} references searched", outcome_word(found.decision.outcome()), found.searched);
            if let Some(case) = enrolment.case {
                println!("case {} waits for a human:", case.0);
                for c in &found.candidates {
                    println!(
                        "  {:<32} {:<32} score {:>6.1}",
                        c.subject.as_str(),
                        c.encounter.as_str(),
                        c.score.value()
                    );
                }
            }
        }
    }
    Ok(())
}
