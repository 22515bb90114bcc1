//! Might fingers be labelled wrongly? The ways in which a probe's labels are read, and what trying them costs.

use khop_vocabulary::{FingerPosition, Llr};

use crate::prepared::SLOTS;

/// Whether the positions that samples are labelled with are believed.
///
/// Operators take the wrong finger, and swap hands: a mate is then compared with the wrong fingers and looks like a
/// stranger. Doubting the labels finds them, at a price: whoever tries k readings finds the best of k by chance, so ln k
/// nats are taken off what the fingers say, of mates and non-mates alike. With ten fingers k is 11 and the cost 2.4 nats
/// or 10.4 points of score; with one finger at most 5, 1.6 nats or 7 points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FingerLabels {
    /// Every finger is compared with the one of its own position.
    #[default]
    Believed,
    /// Also tried: both hands swapped, each two neighbouring fingers of a hand exchanged, and all fingers as labelled but
    /// put down upside down.
    Doubted,
}

/// How the labels were read in the end.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelsRead {
    /// Readings tried, the labels as told among them; 1 where they were believed.
    pub tried: u32,
    /// What that took off the evidence of the fingers: ln `tried`, nats.
    pub cost: Llr,
    /// Fingers of the probe, by their label, that were compared with another position of the reference; empty where the
    /// labels as told said most.
    pub moved: Vec<(FingerPosition, FingerPosition)>,
    /// Whether the fingers were compared upside down.
    pub upside_down: bool,
}

impl LabelsRead {
    /// Labels as told, and nothing else tried.
    pub(crate) const BELIEVED: Self = Self { tried: 1, cost: Llr::NONE, moved: Vec::new(), upside_down: false };

    pub(crate) fn of(reading: &Reading, tried: u32, compared: impl Iterator<Item = usize>) -> Self {
        let position = |slot: usize| FingerPosition::from_code(slot as u8).expect("slots are the ISO codes 0 to 10");
        let moved = compared.filter(|&slot| reading.positions[slot] != slot);
        let moved = moved.map(|slot| (position(slot), position(reading.positions[slot]))).collect();
        Self { tried, cost: Llr::new((tried as f32).ln()), moved, upside_down: reading.upside_down }
    }
}

/// One way to take the probe's fingers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// For each label of the probe the position of the reference that it is taken for.
    pub(crate) positions: [usize; SLOTS],
    /// All fingers were put down upside down.
    pub(crate) upside_down: bool,
}

/// Neighbouring positions of a hand by their lower code.
const NEIGHBOURS: [usize; 8] = [1, 2, 3, 4, 6, 7, 8, 9];

impl FingerLabels {
    /// The readings to try, the labels as told first. A finger of unknown position stays one.
    pub(crate) fn readings(self) -> Vec<Reading> {
        let told: [usize; SLOTS] = std::array::from_fn(|slot| slot);
        let upright = |positions| Reading { positions, upside_down: false };
        if self == Self::Believed {
            return vec![upright(told)];
        }
        let swapped = std::array::from_fn(|slot| match slot {
            0 => 0,
            1..=5 => slot + 5,
            _ => slot - 5,
        });
        let exchanged = NEIGHBOURS.map(|lower| {
            let mut positions = told;
            positions.swap(lower, lower + 1);
            positions
        });
        let upside_down = Reading { positions: told, upside_down: true };
        [told, swapped].into_iter().chain(exchanged).map(upright).chain([upside_down]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_stay_within_what_operators_do() {
        assert_eq!(FingerLabels::default().readings().len(), 1);
        let readings = FingerLabels::Doubted.readings();
        let told: [usize; SLOTS] = std::array::from_fn(|slot| slot);
        assert_eq!((readings.len(), readings[0].positions), (11, told));
        assert_eq!(readings[10], Reading { positions: told, upside_down: true });
        assert!(readings[..10].iter().all(|reading| !reading.upside_down));
        let readings: Vec<_> = readings.iter().map(|reading| reading.positions).collect();
        for reading in &readings {
            let mut sorted = *reading;
            sorted.sort_unstable();
            assert_eq!(sorted, told, "a permutation: no finger is taken for two");
            assert!((0..SLOTS).all(|slot| reading[reading[slot]] == slot), "an exchange: both ways the same");
            assert_eq!(reading[0], 0);
        }
        assert!(readings.iter().all(|r| r[5] != 6 && r[6] != 5), "a little finger and a thumb are no neighbours");
        let index = FingerPosition::RightIndex;
        let taken_for: Vec<usize> = readings.iter().map(|r| r[usize::from(index.code())]).collect();
        assert_eq!(taken_for, [2, 7, 1, 3, 2, 2, 2, 2, 2, 2, 2]);
    }
}
