//! Which places of two fingers look alike, wherever they lie? The cheap comparison, cylinders against cylinders.

use std::ops::Range;
use std::sync::LazyLock;

use khop_kernels::Line;

use crate::constellation::Constellation;
use crate::cylinder::{BLOCK, Cylinders};
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
    differing: [u16; MAX_MINUTIAE.next_multiple_of(BLOCK)],
    /// For each cylinder of the probe the nearest of the reference.
    of_probe: Vec<Key>,
    offers: Vec<u64>,
}

/// How unlike, squared, and which: a positive number, the lowest eight bits of it replaced by an index, so that the
/// smallest is found without a branch.
type Key = f32;

/// Not a likeness, and larger than all that are.
const NOTHING: Key = Key::INFINITY;

#[inline]
fn key(unlike: f32, minutia: u8) -> Key {
    Key::from_bits(unlike.to_bits() & !0xff | u32::from(minutia))
}

/// The smaller; one instruction, where [`f32::min`] also thinks of what is no number.
#[inline]
fn nearer(a: Key, b: Key) -> Key {
    if a < b { a } else { b }
}

impl Resemblances {
    pub(crate) fn new() -> Self {
        Self {
            found: Vec::with_capacity(MAX_RESEMBLANCES),
            differing: [0; _],
            of_probe: Vec::with_capacity(2 * MAX_MINUTIAE + BLOCK),
            offers: Vec::with_capacity(2 * MAX_MINUTIAE),
        }
    }

    /// Offers every minutia the one of the other finger that looks most like it; the most alike are kept, each minutia
    /// once.
    ///
    /// `turned` is by how much the probe is taken to be turned, on top of [`MAX_TURN`] either way.
    pub(crate) fn find(&mut self, probe: &Constellation, reference: &Constellation, turned: u8) {
        let (probe, reference) = (&probe.cylinders, &reference.cylinders);
        self.of_probe.clear();
        self.of_probe.resize(probe.norms.len(), NOTHING);
        self.offers.clear();
        for row in 0..reference.count() {
            let near = probe.around(reference.directions[row].wrapping_add(turned), MAX_TURN);
            let nearest =
                self.hold_against(probe, near, &reference.lines[row], reference.norms[row], reference.minutiae[row]);
            self.offers.push(offer(nearest, nearest.to_bits() as u8, reference.minutiae[row]));
        }
        for (cylinder, &minutia) in probe.minutiae[..probe.count()].iter().enumerate() {
            let nearest = nearer(self.of_probe[cylinder], self.of_probe[cylinder + probe.count()]);
            self.offers.push(offer(nearest, minutia, nearest.to_bits() as u8));
        }
        self.offers.sort_unstable();
        self.keep();
    }

    /// The nearest to a reference's cylinder of some of the probe's, which learn of it.
    fn hold_against(&mut self, probe: &Cylinders, near: Range<usize>, line: &Line, norm: f32, minutia: u8) -> Key {
        let (count, blocks) = (near.len(), near.len().next_multiple_of(BLOCK));
        khop_kernels::differing_bits(line, &probe.lines[near.clone()], &mut self.differing[..count]);
        // Those that complete the last block are made too unlike to be near.
        self.differing[count..blocks].fill(u16::MAX);
        let near = near.start..near.start + blocks;
        let differing = self.differing[..blocks].as_chunks::<BLOCK>().0;
        let norms = probe.norms[near.clone()].as_chunks::<BLOCK>().0;
        let minutiae = probe.minutiae[near.clone()].as_chunks::<BLOCK>().0;
        let of_probe = self.of_probe[near].as_chunks_mut::<BLOCK>().0;
        let mut nearest = [NOTHING; BLOCK];
        for (((differing, norms), minutiae), of_probe) in differing.iter().zip(norms).zip(minutiae).zip(of_probe) {
            let unlike = std::array::from_fn::<_, BLOCK, _>(|lane| {
                let norms = norm + norms[lane];
                f32::from(differing[lane]) / (norms * norms)
            });
            nearest = std::array::from_fn(|lane| nearer(key(unlike[lane], minutiae[lane]), nearest[lane]));
            *of_probe = std::array::from_fn(|lane| nearer(key(unlike[lane], minutia), of_probe[lane]));
        }
        nearest.into_iter().fold(NOTHING, nearer)
    }

    fn keep(&mut self) {
        let (mut of_probe, mut of_reference) = ([false; MAX_MINUTIAE], [false; MAX_MINUTIAE]);
        self.found.clear();
        for &offer in &self.offers {
            let pair = Pair { probe: (offer >> 8) as u8, reference: offer as u8 };
            let unlike = f32::from_bits((offer >> 16) as u32);
            if unlike >= 1.0 || self.found.len() == MAX_RESEMBLANCES {
                break;
            }
            let taken = (&mut of_probe[usize::from(pair.probe)], &mut of_reference[usize::from(pair.reference)]);
            if !*taken.0 && !*taken.1 {
                (*taken.0, *taken.1) = (true, true);
                self.found.push(Resemblance { pair, likeness: 1.0 - unlike.sqrt() });
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
    u64::from(nearest.to_bits() & !0xff) << 16 | u64::from(probe) << 8 | u64::from(reference)
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
