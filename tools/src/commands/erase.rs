//! `khop erase`: Erase a person or an encounter.

use khop::{EncounterId, EncounterKey, SubjectId};
use serde_json::json;

use crate::failure::Failure;
use crate::open::RealmArgs;

/// Erase a person or an encounter: unreachable at once, for every search and every read.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct EraseArgs {
    #[command(flatten)]
    realm: RealmArgs,
    /// The person
    #[arg(long, value_name = "ID")]
    subject: SubjectId,
    /// This encounter of theirs only
    #[arg(long, value_name = "ID")]
    encounter: Option<EncounterId>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop erase --data store --subject P12
  khop erase --data store --subject P12 --encounter P12-1 --json";

pub fn run(args: EraseArgs) -> Result<(), Failure> {
    let (_engine, realm) = args.realm.open()?;
    let erasure = match args.encounter {
        None => realm.erase_subject(&args.subject)?,
        Some(encounter) => realm.erase_encounter(&EncounterKey { subject: args.subject, encounter })?,
    };
    if args.json {
        let encounters: Vec<&str> = erasure.encounters.iter().map(|key| key.encounter.as_str()).collect();
        println!("{}", json!({ "erased": encounters }));
    } else {
        for encounter in &erasure.encounters {
            println!("erased {}", encounter.encounter);
        }
    }
    Ok(())
}
