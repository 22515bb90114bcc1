//! What happens at the gate? A flight boards from its own small gallery, impostors included, and is forgotten.

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use khop::{DuplicateCheck, Encounter, Engine, Outcome, RealmId, Search};
use khop_evaluate::synth::Population;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::source::{Source, SyntheticVisits, Visit};

const PASSENGERS: u64 = 200;
const IMPOSTORS: u64 = 20;
/// The gallery outlives departure by this much at most.
const LIFE_AFTER_DEPARTURE_S: u64 = 2 * 3600;

/// What a gate officer wants to know of the flight.
pub struct Gate {
    boarded: u64,
    as_somebody_else: u64,
    sent_to_human: u64,
    impostors_stopped: u64,
    median: Duration,
    slowest: Duration,
    forgotten: u64,
}

/// Boards 200 of the people by face; 20 others try with faces that belong to nobody on the flight.
pub fn board_a_flight(engine: &Engine, population: &Population, people: u64) -> Result<Gate, Failure> {
    let flight = RealmId::new("VN1234")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    engine.create_realm(&flight, Some(now + LIFE_AFTER_DEPARTURE_S))?;
    let realm = engine.realm(&flight)?;
    let stride = people / PASSENGERS;
    let visit = |person, occasion| Visit { person, occasion, under_another_name: false };
    let manifest = (0..PASSENGERS).map(|i| visit(i * stride.max(1), 0)).collect();
    let source = SyntheticVisits::new(population.clone(), manifest);
    for index in 0..source.count() {
        let Some(passenger) = source.encounter(index)? else { continue };
        let face_only = Encounter { samples: vec![source.face(source.visit(index))], ..passenger };
        realm.enrol(face_only, DuplicateCheck::Skip)?;
    }

    let mut gate = Gate {
        boarded: 0,
        as_somebody_else: 0,
        sent_to_human: 0,
        impostors_stopped: 0,
        median: Duration::ZERO,
        slowest: Duration::ZERO,
        forgotten: 0,
    };
    let mut times = Vec::new();
    let in_the_queue = (0..PASSENGERS).map(|i| visit(i * stride.max(1), 2));
    let impostors = (0..IMPOSTORS).map(|i| visit(people + i, 0));
    for visit in in_the_queue.chain(impostors) {
        let is_passenger = visit.person < people;
        let probe = [source.face(&visit)];
        let started = Instant::now();
        let found = realm.identify(&probe, &Search::default())?;
        times.push(started.elapsed());
        let opens = found.decision.outcome() == Outcome::Hit;
        let is_right = found.candidates.first().is_some_and(|c| source.subject(&visit).is_ok_and(|s| s == c.subject));
        match (is_passenger, opens) {
            (true, true) if is_right => gate.boarded += 1,
            (_, true) => gate.as_somebody_else += 1,
            (true, false) => gate.sent_to_human += 1,
            (false, false) => gate.impostors_stopped += 1,
        }
    }
    times.sort_unstable();
    gate.median = times[times.len() / 2];
    gate.slowest = times[times.len() - 1];
    gate.forgotten = engine.drop_realm(&flight)?.encounters;
    Ok(gate)
}

impl Gate {
    pub fn json(&self) -> Value {
        json!({
            "passengers": PASSENGERS,
            "impostors": IMPOSTORS,
            "boarded": self.boarded,
            "sent_to_human": self.sent_to_human,
            "impostors_stopped": self.impostors_stopped,
            "boarded_as_somebody_else": self.as_somebody_else,
            "median_ms": self.median.as_secs_f64() * 1e3,
            "slowest_ms": self.slowest.as_secs_f64() * 1e3,
            "forgotten": self.forgotten,
        })
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |d: Duration| d.as_secs_f64() * 1e3;
        writeln!(f, "The gate: flight VN1234, {PASSENGERS} passengers by face, {IMPOSTORS} impostors in the queue")?;
        writeln!(f, "  boarded               {:>8}", self.boarded)?;
        writeln!(
            f,
            "  sent to a human       {:>8}   of the passengers; a gate never locks anybody out",
            self.sent_to_human
        )?;
        writeln!(f, "  impostors stopped     {:>8}   of {IMPOSTORS}", self.impostors_stopped)?;
        writeln!(f, "  boarded as another    {:>8}", self.as_somebody_else)?;
        writeln!(
            f,
            "  answer                {:>8.1} ms in the median, {:.1} ms at most",
            ms(self.median),
            ms(self.slowest)
        )?;
        write!(f, "  after departure       {:>8}   faces forgotten with their flight", self.forgotten)
    }
}
