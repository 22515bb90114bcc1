//! Which places of two fingers look alike, wherever they lie? The cheap comparison, cylinders against cylinders.

use std::sync::LazyLock;

use crate::constellation::Constellation;
use crate::direction::apart;
use crate::template::MAX_MINUTIAE;
use crate::tree::Pair;

/// So many resemblances are kept.
pub(crate) const MAX_RESEMBLANCES: usize = 24;
/// Minutiae whose directions differ more are not taken for the same: 90°, more than a finger put down upright is turned.
/// Without this bound the comparator misses about a tenth more mates.
const MAX_TURN: u8 = 64;

/// Two minutiae with surroundings that look alike.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Resemblance {
    pub pair: Pair,
    /// More than 0, at most 1.
    pub likeness: f32,
}

/// Scratch and result of comparing two fingers place by place.
pub(crate) struct Resemblances {
    /// Most alike first, every minutia in at most one.
    pub found: Vec<Resemblance>,
    differing: Vec<u16>,
    /// For each minutia of the probe the nearest of the reference, as a [`Key`].
    of_probe: Vec<u32>,
    offers: Vec<u64>,
}

/// How unlike, squared, and which: the bits of a positive float, which sort as it does, the lowest eight replaced by an
/// index. So the smallest is found without a branch.
type Key = u32;

const NOTHING: Key = u32::MAX;

fn key(unlike: f32, index: usize) -> Key {
    unlike.to_bits() & !0xff | index as u32
}

impl Resemblances {
    pub(crate) fn new() -> Self {
        Self {
            found: Vec::with_capacity(MAX_RESEMBLANCES),
            differing: Vec::new(),
            of_probe: Vec::with_capacity(MAX_MINUTIAE),
            offers: Vec::with_capacity(2 * MAX_MINUTIAE),
        }
    }

    /// Offers every minutia the one of the other finger that looks most like it; the most alike are kept, each minutia
    /// once.
    ///
    /// `turned` is by how much the probe is taken to be turned, on top of [`MAX_TURN`] either way.
    pub(crate) fn find(&mut self, probe: &Constellation, reference: &Constellation, turned: u8) {
        let width = probe.points.len();
        self.differing.resize(width * reference.points.len(), 0);
        khop_kernels::differing_bits(&reference.cylinders.lines, &probe.cylinders.lines, &mut self.differing);
        self.offers.clear();
        self.of_probe.clear();
        self.of_probe.resize(width, NOTHING);
        for (row, differing) in self.differing.chunks_exact(width).enumerate() {
            let norm = reference.cylinders.norms[row];
            let direction = reference.directions[row].wrapping_add(turned);
            let mut nearest = NOTHING;
            let columns = differing.iter().zip(&probe.cylinders.norms).zip(&probe.directions).zip(&mut self.of_probe);
            for (column, (((&differing, &norm_of_probe), &direction_of_probe), of_probe)) in columns.enumerate() {
                let norms = norm + norm_of_probe;
                // No number where one has no cylinder; its bits are above those of all numbers.
                let unlike = f32::from(differing) / (norms * norms);
                let unlike = if apart(direction, direction_of_probe) <= MAX_TURN { unlike } else { 1.0 };
                nearest = nearest.min(key(unlike, column));
                *of_probe = (*of_probe).min(key(unlike, row));
            }
            self.offers.push(offer(nearest, nearest as u8, row as u8));
        }
        let of_probe = self.of_probe.iter().enumerate();
        self.offers.extend(of_probe.map(|(column, &nearest)| offer(nearest, column as u8, nearest as u8)));
        self.offers.sort_unstable();
        self.keep();
    }

    fn keep(&mut self) {
        let (mut of_probe, mut of_reference) = ([false; MAX_MINUTIAE], [false; MAX_MINUTIAE]);
        self.found.clear();
        for &offer in &self.offers {
            let pair = Pair { probe: (offer >> 8) as u8, reference: offer as u8 };
            let likeness = 1.0 - f32::from_bits((offer >> 16) as u32).sqrt();
            if likeness <= 0.0 || likeness.is_nan() || self.found.len() == MAX_RESEMBLANCES {
                break;
            }
            let taken = (&mut of_probe[usize::from(pair.probe)], &mut of_reference[usize::from(pair.reference)]);
            if !*taken.0 && !*taken.1 {
                (*taken.0, *taken.1) = (true, true);
                self.found.push(Resemblance { pair, likeness });
            }
        }
    }

    /// Mean likeness of as many places as may be expected to be alike, 0 to 1.
    pub(crate) fn mean(&self, expected: usize) -> f32 {
        self.found.iter().take(expected).map(|resemblance| resemblance.likeness).sum::<f32>() / expected as f32
    }
}

/// Sorts by how unlike, then by minutiae.
fn offer(nearest: Key, probe: u8, reference: u8) -> u64 {
    u64::from(nearest & !0xff) << 16 | u64::from(probe) << 8 | u64::from(reference)
}

/// How many places two impressions of a finger are expected to share, 4 to 12: by the minutiae of the smaller one, as
/// Cappelli, Ferrara and Maltoni count them.
pub(crate) fn expected_places(probe: &Constellation, reference: &Constellation) -> usize {
    static PLACES: LazyLock<[u8; MAX_MINUTIAE + 1]> = LazyLock::new(|| {
        let share = |minutiae: usize| 1.0 / (1.0 + libm::exp(-0.4 * (minutiae as f64 - 20.0)));
        std::array::from_fn(|minutiae| 4 + libm::round(8.0 * share(minutiae)) as u8)
    });
    usize::from(PLACES[probe.points.len().min(reference.points.len())])
}
