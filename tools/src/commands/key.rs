//! `khop key`: who may use the service.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use khop_server::Role;
use khop_server::api_keys::{self, KeyRecord, NewKey};
use serde_json::{Value, json};

use crate::failure::Failure;

/// Make, list and revoke the keys that open the HTTP service.
///
/// A key belongs to somebody with a name, has one or more roles, and opens all realms or those named. What each role may
/// do is in docs/api.md. A running service sees a change within a second.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct KeyArgs {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  khop key create --data store --name gate-7 --role gate --realm 'VN*' --expires 90d
  khop key create --data store --name registry --role registry --expires 365d
  khop key list --data store
  khop key revoke --data store gate-7";

#[derive(clap::Subcommand)]
enum Command {
    /// Make a key and print it, once
    Create(CreateArgs),
    /// List the keys: whose they are, what for, until when
    List(ListArgs),
    /// End a key by its id, or every key of a name
    Revoke(RevokeArgs),
}

#[derive(clap::Args)]
struct CreateArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Whose key it is: 1 to 64 letters, digits and . _ : -
    #[arg(long)]
    name: String,
    /// What they are here for; can be given several times
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = PossibleValuesParser::new(Role::ALL.map(Role::name)))]
    roles: Vec<String>,
    /// A realm it opens, or with a * at the end what realms begin with; can be given several times [default: every realm]
    #[arg(long = "realm", value_name = "NAME")]
    realms: Vec<String>,
    /// How long it lives: minutes, hours or days, at most 365d
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = life)]
    expires: Duration,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct ListArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct RevokeArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The id of one key, or a name
    #[arg(value_name = "ID|NAME")]
    which: String,
}

pub fn run(args: KeyArgs) -> Result<(), Failure> {
    let (Command::Create(CreateArgs { data, .. })
    | Command::List(ListArgs { data, .. })
    | Command::Revoke(RevokeArgs { data, .. })) = &args.command;
    if !data.is_dir() {
        return Err(Failure::new(format!("{}: expected the directory of a store", data.display())));
    }
    match args.command {
        Command::Create(args) => create(args),
        Command::List(args) => list(&args),
        Command::Revoke(args) => revoke(&args),
    }
}

fn create(args: CreateArgs) -> Result<(), Failure> {
    let roles = args.roles.iter().filter_map(|role| Role::from_name(role)).collect();
    let new = NewKey { name: args.name, roles, realms: args.realms, lives: args.expires };
    let (key, record) = api_keys::create(&args.data, &new)?;
    if args.json {
        let mut object = in_json(&record);
        object["key"] = key.into();
        println!("{object}");
        return Ok(());
    }
    println!("{key}\n\nThis is the key of {}, shown only now. Requests carry it as", record.name);
    println!(
        "  Authorization: Bearer KEY\nIt is revoked by: khop key revoke --data {} {}",
        args.data.display(),
        record.id
    );
    Ok(())
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let keys = api_keys::list(&args.data)?;
    if args.json {
        println!("{}", json!({ "keys": keys.iter().map(in_json).collect::<Vec<_>>() }));
        return Ok(());
    }
    if keys.is_empty() {
        println!("no keys: `khop key create` makes one; until then the admin token does everything");
        return Ok(());
    }
    println!("{:<8}  {:<20}  {:<24}  {:<20}  expires", "id", "name", "roles", "realms");
    for key in &keys {
        let until = if key.is_expired() { "expired".to_owned() } else { left(key) };
        println!("{:<8}  {:<20}  {:<24}  {:<20}  {until}", key.id, key.name, roles(key), realms(key));
    }
    Ok(())
}

fn revoke(args: &RevokeArgs) -> Result<(), Failure> {
    for key in api_keys::revoke(&args.data, &args.which)? {
        println!("revoked {} of {}", key.id, key.name);
    }
    Ok(())
}

fn in_json(key: &KeyRecord) -> Value {
    json!({
        "id": key.id, "name": key.name, "roles": key.roles().into_iter().map(Role::name).collect::<Vec<_>>(),
        "realms": key.realms, "made_unix_s": key.made_unix_s, "expires_unix_s": key.expires_unix_s,
    })
}

fn roles(key: &KeyRecord) -> String {
    key.roles().into_iter().map(Role::name).collect::<Vec<_>>().join(",")
}

fn realms(key: &KeyRecord) -> String {
    if key.realms.is_empty() { "all".to_owned() } else { key.realms.join(",") }
}

fn left(key: &KeyRecord) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    match key.expires_unix_s.saturating_sub(now) {
        seconds if seconds >= 2 * 86_400 => format!("in {} days", seconds / 86_400),
        seconds if seconds >= 2 * 3600 => format!("in {} hours", seconds / 3600),
        seconds => format!("in {} minutes", seconds / 60),
    }
}

/// A number and a unit: `30m`, `12h`, `90d`.
fn life(text: &str) -> Result<Duration, String> {
    let expected = || "expected a number and m, h or d, such as 90d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(expected)?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(expected()),
    };
    let number: u32 = number.parse().map_err(|_| expected())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}
