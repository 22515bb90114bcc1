//! Which minutiae are the same, once one finger lies on the other? Best fits first, each minutia once.

use crate::alignment::Alignment;
use crate::constellation::Constellation;
use crate::direction::apart;
use crate::template::MAX_MINUTIAE;
use crate::tree::Pair;

/// Paired minutiae lie at most this far from each other, pixels.
const REACH_PX: f32 = 18.0;
/// Their directions differ at most this much, 256ths of a turn: 34°.
const REACH_STEPS: u8 = 24;
/// What is usual: the misfit counts in these units.
const USUAL_PX: f32 = 6.0;
const USUAL_STEPS: f32 = 8.0;

const FREE: u8 = u8::MAX;

/// Scratch and result of pairing two aligned fingers.
pub(crate) struct Pairing {
    pub pairs: Vec<Pair>,
    /// Sum over the pairs of the distance between where a minutia lies and where the others predict it, pixels.
    pub residual_px: f32,
    of_probe: [u8; MAX_MINUTIAE],
    of_reference: [u8; MAX_MINUTIAE],
    /// Misfit (as the bits of a positive float, which sort as it does), then indices.
    offers: Vec<u64>,
}

impl Pairing {
    pub(crate) fn new() -> Self {
        Self {
            pairs: Vec::with_capacity(MAX_MINUTIAE),
            residual_px: 0.0,
            of_probe: [FREE; MAX_MINUTIAE],
            of_reference: [FREE; MAX_MINUTIAE],
            offers: Vec::with_capacity(8 * MAX_MINUTIAE),
        }
    }

    /// Whether a minutia of the probe has a partner.
    pub(crate) fn has_probe(&self, minutia: usize) -> bool {
        self.of_probe[minutia] != FREE
    }

    /// Whether a minutia of the reference has a partner.
    pub(crate) fn has_reference(&self, minutia: usize) -> bool {
        self.of_reference[minutia] != FREE
    }

    pub(crate) fn pair(&mut self, alignment: &Alignment, probe: &Constellation, reference: &Constellation) {
        self.offers.clear();
        for (index, &moved) in alignment.moved.iter().enumerate() {
            let direction = probe.points[index].direction.wrapping_sub(alignment.turn);
            self.offer(index, moved, direction, reference);
        }
        self.offers.sort_unstable();
        self.pairs.clear();
        self.residual_px = 0.0;
        self.of_probe.fill(FREE);
        self.of_reference.fill(FREE);
        for &offer in &self.offers {
            let pair = Pair { probe: (offer >> 8) as u8, reference: offer as u8 };
            let (of_probe, of_reference) =
                (&mut self.of_probe[usize::from(pair.probe)], &mut self.of_reference[usize::from(pair.reference)]);
            if *of_probe == FREE && *of_reference == FREE {
                (*of_probe, *of_reference) = (pair.reference, pair.probe);
                let at = reference.points[usize::from(pair.reference)];
                let (x, y) = alignment.moved[usize::from(pair.probe)];
                let (dx, dy) = (x - f32::from(at.x), y - f32::from(at.y));
                self.residual_px += (dx * dx + dy * dy).sqrt();
                self.pairs.push(pair);
            }
        }
    }

    fn offer(&mut self, index: usize, (x, y): (f32, f32), direction: u8, reference: &Constellation) {
        for other in reference.around((x, y), direction, REACH_PX as i32, REACH_STEPS) {
            let at = reference.points[other];
            let (dx, dy) = (x - f32::from(at.x), y - f32::from(at.y));
            let distance2 = dx * dx + dy * dy;
            if distance2 <= REACH_PX * REACH_PX {
                let turned = f32::from(apart(direction, at.direction)) / USUAL_STEPS;
                let misfit = distance2 / (USUAL_PX * USUAL_PX) + turned * turned;
                self.offers.push(u64::from(misfit.to_bits()) << 16 | (index as u64) << 8 | other as u64);
            }
        }
    }
}
