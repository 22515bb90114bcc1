//! Which store and realm? The arguments that every command on a store takes, and the answers' common words.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use khop::{
    Candidate, Effort, Engine, Evidence, Filter, GalleryId, Mode, Outcome, Realm, RealmId, Region, Score, Search, Sex,
};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::protection::ProtectionArgs;

/// A realm of a store.
#[derive(clap::Args)]
pub struct RealmArgs {
    /// Data directory of the store
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Realm
    #[arg(long, value_name = "NAME", default_value = khop::DEFAULT_REALM)]
    realm: RealmId,
    /// Threads that compare; 0 takes one a core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    #[command(flatten)]
    protection: ProtectionArgs,
}

impl RealmArgs {
    /// Opens an existing store.
    pub fn open(&self) -> Result<(Engine, Realm), Failure> {
        if !self.data.is_dir() {
            let what = format!("{}: no store there; `khop import` or `khop serve` makes one", self.data.display());
            return Err(Failure::new(what));
        }
        self.open_or_make()
    }

    /// Opens the store, making it where it does not exist.
    pub fn open_or_make(&self) -> Result<(Engine, Realm), Failure> {
        let engine = self.protection.engine(&self.data).threads(self.threads).open()?;
        let realm = engine.realm(&self.realm)?;
        Ok((engine, realm))
    }
}

/// Where to look.
#[derive(clap::Args)]
pub struct SearchArgs {
    /// Gallery; ALL stands for everybody in the realm
    #[arg(long, value_name = "NAME", default_value = "ALL")]
    gallery: GalleryId,
    /// Most candidates to list, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// List only candidates with this score or more (40 = one false match in ten thousand)
    #[arg(long, value_name = "SCORE")]
    threshold: Option<f32>,
    /// Born in this year or later
    #[arg(long, value_name = "YEAR")]
    born_from: Option<u16>,
    /// Born in this year or earlier
    #[arg(long, value_name = "YEAR")]
    born_to: Option<u16>,
    /// Of this sex: F or M
    #[arg(long, value_name = "F|M", value_parser = sex)]
    sex: Option<Sex>,
    /// Registered in this region
    #[arg(long, value_name = "CODE")]
    region: Option<Region>,
    /// How faces are scanned; by default the cheapest way that loses no more than --loss
    #[arg(long, value_name = "MODE", value_enum)]
    mode: Option<ModeWord>,
    /// Probability with which the scan may miss a mate's face at its threshold; 0 for none
    #[arg(long, value_name = "P", default_value_t = DEFAULT_LOSS)]
    loss: f64,
    /// Give up, without an answer, after so many milliseconds
    #[arg(long, value_name = "MS")]
    deadline_ms: Option<u64>,
}

/// At a threshold that a false match passes once in a million comparisons, mates lie so far above it that this loses
/// fewer of them than the rounding of a byte.
const DEFAULT_LOSS: f64 = 1e-4;

/// The modes by name.
#[derive(Clone, Copy, clap::ValueEnum)]
enum ModeWord {
    /// Every face is compared in the byte plane
    Exact,
    /// Sign bits rule faces out, losing a mate with a probability of at most --loss
    Bounded,
    /// Half bytes rule faces out by an inequality, losing none
    Certified,
    /// A graph is walked; refused, because no decision rests on it
    Hnsw,
}

impl SearchArgs {
    /// The search as the engine takes it.
    pub fn search(&self) -> Search {
        Search {
            gallery: self.gallery.clone(),
            filter: Filter {
                year_of_birth_min: self.born_from,
                year_of_birth_max: self.born_to,
                sex: self.sex,
                region: self.region.clone(),
            },
            limit: self.limit,
            threshold: self.threshold.map(Score::new),
            effort: self.effort(),
            ..Search::default()
        }
    }
}

impl SearchArgs {
    fn effort(&self) -> Effort {
        let mode = self.mode.map(|mode| match mode {
            ModeWord::Exact => Mode::Exact,
            ModeWord::Bounded => Mode::Bounded { loss: self.loss },
            ModeWord::Certified => Mode::Certified,
            ModeWord::Hnsw => Mode::Graph,
        });
        let deadline = self.deadline_ms.map(|ms| Instant::now() + Duration::from_millis(ms));
        Effort { mode, loss: self.loss, deadline, cancelled: None }
    }
}

/// Reads `F` or `M`.
pub fn sex(text: &str) -> Result<Sex, String> {
    match text {
        "F" | "f" => Ok(Sex::Female),
        "M" | "m" => Ok(Sex::Male),
        _ => Err("expected F or M".into()),
    }
}

/// An outcome as scripts read it.
pub fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Clear => "clear",
        Outcome::Adjudicate => "adjudicate",
        Outcome::Hit => "hit",
    }
}

/// A candidate as scripts read it.
pub fn candidate_json(candidate: &Candidate) -> Value {
    json!({
        "subject": candidate.subject.as_str(),
        "encounter": candidate.encounter.as_str(),
        "score": candidate.score.value(),
        "llr": candidate.llr.nats(),
        "evidence": evidence_json(&candidate.evidence),
    })
}

/// Evidence trait by trait, as scripts read it.
pub fn evidence_json(evidence: &[Evidence]) -> Value {
    let one = |e: &Evidence| json!({ "of": e.of.to_string(), "score": e.score.value(), "llr": e.llr.nats() });
    evidence.iter().map(one).collect()
}
