//! `khop erase`: Erase a person or an encounter.

use khop::{EncounterId, SubjectId};
use serde_json::json;

use crate::failure::Failure;
use crate::open::RealmArgs;

/// Erase a person or an encounter: unreachable at once, for every search and every read.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("whom").required(true).args(["subject", "encounter"]))]
pub struct EraseArgs {
    #[command(flatten)]
    realm: RealmArgs,
    /// Every encounter of this person
    #[arg(long, value_name = "ID")]
    subject: Option<SubjectId>,
    /// This encounter only
    #[arg(long, value_name = "ID")]
    encounter: Option<EncounterId>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  khop erase --data store --subject P12
  khop erase --data store --encounter P12-1 --json";

pub fn run(args: EraseArgs) -> Result<(), Failure> {
    let (_engine, realm) = args.realm.open()?;
    let erasure = match (&args.subject, &args.encounter) {
        (Some(subject), _) => realm.erase_subject(subject)?,
        (None, Some(encounter)) => realm.erase_encounter(encounter)?,
        (None, None) => return Err(Failure::new("expected --subject or --encounter")),
    };
    if args.json {
        let encounters: Vec<&str> = erasure.encounters.iter().map(EncounterId::as_str).collect();
        println!("{}", json!({ "erased": encounters }));
    } else {
        for encounter in &erasure.encounters {
            println!("erased {encounter}");
        }
    }
    Ok(())
}
