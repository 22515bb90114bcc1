//! What became of the encounters? The running totals of an import and how they are told.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use khop::Outcome;
use serde_json::{Value, json};

use crate::failure::Failure;

/// Failures listed in the result itself; all are in the report.
const LISTED: usize = 10;

/// What became of one encounter.
pub enum Fate {
    /// It is on stable storage; with the outcome of its duplicate search, unless that was skipped.
    Enrolled(Option<Outcome>),
    /// The same encounter is enrolled already.
    AlreadyThere,
    /// The source has nothing for it.
    NotCaptured,
    /// It was refused; the reason.
    Failed(String),
}

/// The totals.
pub struct Tally {
    started: Instant,
    enrolled: u64,
    clear: u64,
    to_review: u64,
    duplicates: u64,
    already_there: u64,
    not_captured: u64,
    failed: u64,
    listed: Vec<(String, String)>,
    report: Option<Report>,
}

/// The CSV file of all failures.
struct Report {
    path: PathBuf,
    writer: csv::Writer<std::fs::File>,
}

impl Tally {
    /// Starts the clock; failures go to the file at `report`, made anew, as well.
    pub fn start(report: Option<&Path>) -> Result<Self, Failure> {
        let report = match report {
            Some(path) => {
                let mut writer = csv::Writer::from_path(path).map_err(Failure::at(path))?;
                writer.write_record(["encounter", "reason"]).map_err(Failure::at(path))?;
                Some(Report { path: path.to_owned(), writer })
            }
            None => None,
        };
        Ok(Self {
            started: Instant::now(),
            enrolled: 0,
            clear: 0,
            to_review: 0,
            duplicates: 0,
            already_there: 0,
            not_captured: 0,
            failed: 0,
            listed: Vec::new(),
            report,
        })
    }

    /// Counts one more.
    pub fn add(&mut self, encounter: String, fate: Fate) -> Result<(), Failure> {
        match fate {
            Fate::Enrolled(outcome) => {
                self.enrolled += 1;
                match outcome {
                    Some(Outcome::Hit) => self.duplicates += 1,
                    Some(Outcome::Adjudicate) => self.to_review += 1,
                    Some(Outcome::Clear) => self.clear += 1,
                    None => {}
                }
            }
            Fate::AlreadyThere => self.already_there += 1,
            Fate::NotCaptured => self.not_captured += 1,
            Fate::Failed(reason) => {
                self.failed += 1;
                if let Some(Report { path, writer }) = &mut self.report {
                    writer.write_record([&encounter, &reason]).map_err(Failure::at(path))?;
                }
                if self.listed.len() < LISTED {
                    self.listed.push((encounter, reason));
                }
            }
        }
        Ok(())
    }

    /// What stands at the end.
    pub fn finish(mut self, is_checked: bool) -> Result<Totals, Failure> {
        if let Some(Report { path, writer }) = &mut self.report {
            writer.flush().map_err(Failure::at(path))?;
        }
        Ok(Totals { took: self.started.elapsed(), tally: self, is_checked })
    }
}

/// The totals of an import that came to its end.
pub struct Totals {
    tally: Tally,
    is_checked: bool,
    took: Duration,
}

impl Totals {
    fn per_second(&self) -> f64 {
        self.tally.enrolled as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// One JSON object.
    pub fn json(&self) -> Value {
        let tally = &self.tally;
        let checked = |count: u64| if self.is_checked { json!(count) } else { Value::Null };
        let failures: Vec<Value> =
            tally.listed.iter().map(|(encounter, reason)| json!({"encounter": encounter, "reason": reason})).collect();
        json!({
            "enrolled": tally.enrolled,
            "already_there": tally.already_there,
            "not_captured": tally.not_captured,
            "failed": tally.failed,
            "clear": checked(tally.clear),
            "to_review": checked(tally.to_review),
            "duplicates": checked(tally.duplicates),
            "seconds": self.took.as_secs_f64(),
            "per_second": self.per_second(),
            "failures": failures,
        })
    }

    /// A failure when an encounter was refused.
    pub fn verdict(&self) -> Result<(), Failure> {
        let Tally { failed, report, .. } = &self.tally;
        let place = report.as_ref().map_or(String::new(), |report| format!("; see {}", report.path.display()));
        match failed {
            0 => Ok(()),
            1 => Err(Failure::new(format!("1 encounter was refused, all others are enrolled{place}"))),
            many => Err(Failure::new(format!("{many} encounters were refused, all others are enrolled{place}"))),
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { enrolled, clear, to_review, duplicates, already_there, not_captured, failed, listed, .. } =
            &self.tally;
        writeln!(f, "enrolled          {enrolled:>9}   {:.1} per second", self.per_second())?;
        if self.is_checked {
            writeln!(f, "  clear           {clear:>9}")?;
            writeln!(f, "  to review       {to_review:>9}")?;
            writeln!(f, "  duplicate found {duplicates:>9}")?;
        } else {
            writeln!(f, "  without a duplicate check")?;
        }
        writeln!(f, "already there     {already_there:>9}")?;
        writeln!(f, "not captured      {not_captured:>9}")?;
        write!(f, "failed            {failed:>9}")?;
        for (encounter, reason) in listed {
            write!(f, "\n  {encounter}: {reason}")?;
        }
        let rest = failed - listed.len() as u64;
        if rest > 0 { write!(f, "\n  and {rest} more") } else { Ok(()) }
    }
}
