//! Who is related to whom? Siblings in families of four that follow each other, twins in pairs of two.
//!
//! Whether a family or a pair is one is drawn from its number, so nobody has to be asked about anybody else.

use super::draws::{Draws, Topic};
use super::options::PeopleOptions;

/// How two people are related.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kinship {
    /// Monozygotic twins: nearly one face, fingers of their own.
    Twin,
    /// Brothers and sisters: faces with something in common.
    Sibling,
}

impl Kinship {
    /// As files call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Twin => "twin",
            Self::Sibling => "sibling",
        }
    }
}

/// People of a family.
const FAMILY: u64 = 4;
/// Twins of a pair.
const PAIR: u64 = 2;

/// To which family and which pair of twins a person belongs, if any: their first member's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kin {
    number: u64,
    pub family: Option<u64>,
    pub twins: Option<u64>,
}

impl Kin {
    pub fn of(seed: u64, options: &PeopleOptions, number: u64) -> Self {
        let first = |size: u64| number / size * size;
        let is_one = |size: u64, share: f64| {
            share > 0.0 && Draws::of(seed, Topic::Kin, size as u8, first(size), 0).chance(share)
        };
        Self {
            number,
            family: is_one(FAMILY, options.siblings).then(|| first(FAMILY)),
            twins: is_one(PAIR, options.twins).then(|| first(PAIR)),
        }
    }

    /// Everyone related to this person, by rising number.
    pub fn relatives(self) -> impl Iterator<Item = (u64, Kinship)> {
        let first = self.number / FAMILY * FAMILY;
        (first..=first + (FAMILY - 1)).filter(move |&other| other != self.number).filter_map(move |other| {
            let is_twin = self.twins == Some(other / PAIR * PAIR);
            let kinship = if is_twin { Kinship::Twin } else { Kinship::Sibling };
            (is_twin || self.family.is_some()).then_some((other, kinship))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinship_is_mutual_and_as_frequent_as_asked() {
        let options = PeopleOptions { siblings: 0.3, twins: 0.1, ..PeopleOptions::default() };
        let relatives = |number: u64| Kin::of(5, &options, number).relatives().collect::<Vec<_>>();
        let (mut with_twin, mut with_sibling) = (0, 0);
        for number in 0..20_000 {
            let found = relatives(number);
            for &(other, kinship) in &found {
                assert!(other != number && relatives(other).contains(&(number, kinship)), "{number} {other}");
            }
            assert!(found.iter().filter(|(_, kinship)| *kinship == Kinship::Twin).count() <= 1);
            with_twin += usize::from(found.iter().any(|(_, kinship)| *kinship == Kinship::Twin));
            with_sibling += usize::from(found.len() == 3);
        }
        assert!(
            (1_800..2_200).contains(&with_twin) && (5_600..6_400).contains(&with_sibling),
            "{with_twin} {with_sibling}"
        );
        let none = PeopleOptions::default();
        assert!((0..1_000).all(|number| Kin::of(5, &none, number).relatives().next().is_none()));
        let all = PeopleOptions { siblings: 1.0, twins: 1.0, ..none };
        let last: Vec<_> = Kin::of(5, &all, u64::MAX).relatives().collect();
        assert_eq!(last.last(), Some(&(u64::MAX - 1, Kinship::Twin)), "to the last number there is");
    }
}
