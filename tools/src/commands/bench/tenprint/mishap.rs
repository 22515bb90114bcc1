//! What goes wrong with ten fingers between two captures? Dead and missing fingers, worn hands, hands swapped.

use khop_evaluate::synth::Population;
use khop_vocabulary::{FingerPosition, FingerSample};

/// Of the fingers of worn hands so many are dead.
const DEAD_OF_WORN: f64 = 0.9;
/// Whose fingers stand in for dead ones: people far behind all others.
const ELSEWHERE: u64 = 1 << 40;

/// How often what goes wrong, shares from 0 to 1.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Mishaps {
    /// Share of dead fingers, which say nothing about the person, of everybody but those with worn hands
    #[arg(long, value_name = "SHARE", default_value_t = 0.032, value_parser = share)]
    dead: f64,
    /// Share of the probes with worn hands: nine fingers of ten are dead
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share)]
    worn: f64,
    /// Share of missing fingers
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    missing: f64,
    /// Share of the probes whose hands are swapped
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share)]
    swapped: f64,
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "expected a share from 0 to 1".into())
}

/// What went wrong with one probe, by what hurts most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Worn,
    Swapped,
    /// Single fingers at most.
    Usual,
}

impl Cause {
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Worn, "worn_hands"), (Self::Swapped, "swapped_hands"), (Self::Usual, "others")];
}

impl Mishaps {
    /// The fingers with which a person comes back, and what went wrong with them. The same for the same person.
    pub fn come_back(&self, population: &Population, person: u64) -> (Vec<FingerSample>, Cause) {
        let is_worn = chance(person, 0) < self.worn;
        let is_swapped = chance(person, 1) < self.swapped;
        let dead_share = if is_worn { DEAD_OF_WORN } else { self.dead };
        let others = population.person(ELSEWHERE + person).fingers(1);
        let mut fingers = population.person(person).fingers(1);
        fingers.retain(|finger| chance(person, 100 + u64::from(finger.position.code())) >= self.missing);
        for finger in &mut fingers {
            let is_dead = chance(person, 200 + u64::from(finger.position.code())) < dead_share;
            if let Some(other) = others.iter().find(|other| is_dead && other.position == finger.position) {
                *finger = other.clone();
            }
            if is_swapped {
                finger.position = other_hand(finger.position);
            }
        }
        let cause = if is_worn {
            Cause::Worn
        } else if is_swapped {
            Cause::Swapped
        } else {
            Cause::Usual
        };
        (fingers, cause)
    }
}

fn other_hand(position: FingerPosition) -> FingerPosition {
    let other = match position.code() {
        code @ 1..=5 => code + 5,
        code @ 6..=10 => code - 5,
        code => code,
    };
    FingerPosition::from_code(other).unwrap_or(position)
}

/// A number from 0 to below 1, another for every draw.
fn chance(person: u64, draw: u64) -> f64 {
    let mut word = person.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(draw.wrapping_mul(0xd1b5_4a32_d192_ed03));
    for _ in 0..2 {
        word = (word ^ word >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    }
    (word >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use khop_evaluate::synth::PopulationOptions;

    #[test]
    fn mishaps_happen_as_often_as_is_said() {
        let population = Population::new(1, PopulationOptions::default());
        let never = Mishaps { dead: 0.0, worn: 0.0, missing: 0.0, swapped: 0.0 };
        assert_eq!(never.come_back(&population, 7), (population.person(7).fingers(1), Cause::Usual));
        let always = Mishaps { dead: 0.0, worn: 0.0, missing: 1.0, swapped: 1.0 };
        assert_eq!(always.come_back(&population, 7), (Vec::new(), Cause::Swapped));
        let some = Mishaps { dead: 0.3, worn: 0.0, missing: 0.2, swapped: 0.0 };
        let (mut there, mut dead, mut there_before) = (0usize, 0usize, 0usize);
        for person in 0..60 {
            let own = population.person(person).fingers(1);
            let (fingers, _) = some.come_back(&population, person);
            there_before += own.len();
            there += fingers.len();
            dead += fingers.iter().filter(|finger| !own.contains(finger)).count();
        }
        let (missing, dead) = (1.0 - there as f64 / there_before as f64, dead as f64 / there as f64);
        assert!((missing - 0.2).abs() < 0.06 && (dead - 0.3).abs() < 0.08, "{missing} {dead}");
        let swapped = Mishaps { swapped: 1.0, ..never }.come_back(&population, 7).0;
        let back: Vec<_> = swapped.iter().map(|finger| other_hand(finger.position)).collect();
        assert_eq!(back, population.person(7).fingers(1).iter().map(|finger| finger.position).collect::<Vec<_>>());
    }
}
