//! Which of sixteen are near? Three circular bytes each, all sixteen tested at once.
//!
//! Written so that the compiler makes vector instructions of it on every CPU.

use crate::direction::apart;

pub(crate) const LANES: usize = 16;

/// Sixteen points of a three-dimensional torus.
#[derive(Clone, Copy, Default)]
#[repr(align(16))]
pub(crate) struct Lanes(pub [[u8; LANES]; 3]);

impl Lanes {
    #[inline]
    pub(crate) fn set(&mut self, lane: usize, values: [u8; 3]) {
        self.0.iter_mut().zip(values).for_each(|(row, value)| row[lane] = value);
    }

    #[inline]
    pub(crate) fn get(&self, lane: usize) -> [u8; 3] {
        self.0.map(|row| row[lane])
    }

    /// The lanes, in order, whose every byte is within its tolerance of the given one.
    #[inline]
    pub(crate) fn within(&self, tolerances: [u8; 3], of: [u8; 3]) -> impl Iterator<Item = usize> + use<> {
        let [a, b, c] = &self.0;
        let mut hits = [0u8; LANES];
        for (lane, hit) in hits.iter_mut().enumerate() {
            *hit = u8::from(apart(a[lane], of[0]) <= tolerances[0])
                & u8::from(apart(b[lane], of[1]) <= tolerances[1])
                & u8::from(apart(c[lane], of[2]) <= tolerances[2]);
        }
        // One bit is set in the byte of each hit.
        let mut word = u128::from_le_bytes(hits);
        std::iter::from_fn(move || {
            let lane = word.trailing_zeros() as usize / 8;
            word &= word.wrapping_sub(1);
            (lane < LANES).then_some(lane)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_must_be_near_around_the_circle() {
        let mut lanes = Lanes([[100; LANES]; 3]);
        lanes.set(3, [250, 10, 20]);
        lanes.set(15, [4, 12, 23]);
        lanes.set(7, [4, 12, 24]);
        assert_eq!(lanes.within([5, 2, 3], [255, 10, 20]).collect::<Vec<_>>(), [3, 15]);
        assert_eq!(lanes.get(15), [4, 12, 23]);
        assert_eq!(Lanes::default().within([0; 3], [0; 3]).count(), LANES);
    }
}
