//! What happens at the counter? Everyone is enrolled with a duplicate search, and the alarms are held against the truth.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use khop::{DuplicateCheck, Engine, Outcome, RealmId};
use khop_evaluate::synth::Population;
use serde_json::{Value, json};

use crate::commands::import::{Fate, enrol_all, progress_bar};
use crate::failure::Failure;
use crate::memory::resident_mib;
use crate::source::{Source, SyntheticVisits, Visit};

/// What a card officer wants to know of the day.
pub struct Counter {
    enrolled: u64,
    clear: u64,
    to_review: u64,
    hits: u64,
    hidden: u64,
    found: u64,
    false_alarms: u64,
    references: u64,
    searched: u64,
    compared: u64,
    searches: u64,
    took: Duration,
    resident_mib: u64,
}

/// Enrols `people` people, a share of whom come back under another name before the day is over.
pub fn enrol_everyone(
    engine: &Engine,
    population: &Population,
    people: u64,
    duplicates: f64,
) -> Result<Counter, Failure> {
    let hidden = (people as f64 * duplicates).round() as u64;
    let returning: BTreeSet<u64> = (0..hidden).map(|i| i * people / hidden.max(1)).collect();
    let own = |person| Visit { person, occasion: 0, under_another_name: false };
    let again = |&person: &u64| Visit { person, occasion: 1, under_another_name: true };
    let visits: Vec<Visit> = (0..people).map(own).chain(returning.iter().map(again)).collect();
    let source = SyntheticVisits::new(population.clone(), visits);
    let realm = engine.realm(&RealmId::new(khop::DEFAULT_REALM)?)?;
    let mut counter = Counter {
        enrolled: 0,
        clear: 0,
        to_review: 0,
        hits: 0,
        hidden: returning.len() as u64,
        found: 0,
        false_alarms: 0,
        references: 0,
        searched: 0,
        compared: 0,
        searches: 0,
        took: Duration::ZERO,
        resident_mib: 0,
    };
    let mut found = BTreeSet::new();
    let progress = progress_bar(source.count());
    let started = Instant::now();
    let workers = 4 * engine.status().threads;
    enrol_all(&source, &realm, DuplicateCheck::Search, workers, |index, fate| {
        progress.inc(1);
        let outcome = match fate {
            Fate::Enrolled(outcome) => outcome.unwrap_or(Outcome::Clear),
            Fate::Failed(reason) => return Err(Failure::new(reason)),
            Fate::AlreadyThere | Fate::NotCaptured => return Ok(()),
        };
        counter.enrolled += 1;
        match outcome {
            Outcome::Clear => counter.clear += 1,
            Outcome::Adjudicate => counter.to_review += 1,
            Outcome::Hit => counter.hits += 1,
        }
        if outcome > Outcome::Clear {
            let person = source.visit(index).person;
            if returning.contains(&person) {
                found.insert(person);
            } else {
                counter.false_alarms += 1;
            }
        }
        Ok(())
    })?;
    progress.finish_and_clear();
    let status = engine.status();
    counter.took = started.elapsed();
    counter.found = found.len() as u64;
    counter.references = realm.status()?.encounters;
    (counter.searches, counter.searched, counter.compared) =
        (status.searches, status.references_searched, status.full_comparisons);
    counter.resident_mib = resident_mib();
    Ok(counter)
}

impl Counter {
    fn per_second(&self) -> f64 {
        self.enrolled as f64 / self.took.as_secs_f64().max(1e-9)
    }

    pub fn json(&self) -> Value {
        json!({
            "enrolled": self.enrolled,
            "clear": self.clear,
            "to_review": self.to_review,
            "hits": self.hits,
            "duplicates_hidden": self.hidden,
            "duplicates_found": self.found,
            "false_alarms": self.false_alarms,
            "enrolments_per_s": self.per_second(),
            "references": self.references,
            "references_searched": self.searched,
            "full_comparisons": self.compared,
            "resident_mib": self.resident_mib,
            "seconds": self.took.as_secs_f64(),
        })
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ruled_out = 100.0 * (1.0 - self.compared as f64 / (self.searched as f64).max(1.0));
        writeln!(f, "The counter: every enrolment searched against everyone before its card is printed")?;
        writeln!(f, "  enrolled              {:>8}", self.enrolled)?;
        writeln!(f, "    clear, card printed {:>8}", self.clear)?;
        writeln!(f, "    to review           {:>8}   a human looks before the card is printed", self.to_review)?;
        writeln!(f, "    duplicate, stopped  {:>8}", self.hits)?;
        writeln!(f, "  duplicates found      {:>8}   of {} hidden under another name", self.found, self.hidden)?;
        writeln!(f, "  false alarms          {:>8}", self.false_alarms)?;
        writeln!(f, "  enrolments a second   {:>8.0}   durable, search included", self.per_second())?;
        writeln!(f, "  ruled out by scans    {ruled_out:>8.2} % of {} references looked at", self.searched)?;
        write!(f, "  memory                {:>8} MiB", self.resident_mib)
    }
}
