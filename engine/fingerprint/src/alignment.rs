//! How does the one finger lie on the other? Shifted and turned as a whole, and stretched a little from place to
//! place, as the pairs tell.

use crate::constellation::Constellation;
use crate::direction;
use crate::tree::Pair;

/// A pair's directions tell as much of the turn as a second pair this far away, pixels.
const LEVER_PX: f32 = 20.0;
/// Pairs this near speak for the stretch of a place, pixels: their say falls to a quarter there.
const REACH_PX: f32 = 40.0;
/// How firmly a place stays where the finger as a whole puts it, in pairs that sit right on it.
const STIFFNESS: f32 = 1.0;

/// The probe's minutiae as they lie on the reference, pixels of the reference.
pub(crate) struct Alignment {
    /// Where each minutia of the probe comes to lie.
    pub moved: Vec<(f32, f32)>,
    /// How far the probe is turned, to be taken off its directions.
    pub turn: u8,
    rotation: (f32, f32),
    probe_centre: (f32, f32),
    reference_centre: (f32, f32),
    shifts: Vec<Shift>,
}

/// What one pair says of the stretch: a minutia that the whole puts `at` should lie `by` further.
struct Shift {
    probe: u8,
    at: (f32, f32),
    by: (f32, f32),
}

impl Alignment {
    pub(crate) fn new() -> Self {
        Self {
            moved: Vec::new(),
            turn: 0,
            rotation: (1.0, 0.0),
            probe_centre: (0.0, 0.0),
            reference_centre: (0.0, 0.0),
            shifts: Vec::new(),
        }
    }

    /// Lays the probe on the reference by these pairs, at least one.
    pub(crate) fn fit(&mut self, pairs: &[Pair], probe: &Constellation, reference: &Constellation) {
        self.turn_and_shift(pairs, probe, reference);
        self.shifts.clear();
        for pair in pairs {
            let at = self.forward(place(probe, pair.probe));
            let (x, y) = place(reference, pair.reference);
            self.shifts.push(Shift { probe: pair.probe, at, by: (x - at.0, y - at.1) });
        }
        self.moved.clear();
        for minutia in 0..probe.points.len() {
            let at = self.forward(place(probe, minutia as u8));
            self.moved.push(self.stretch(minutia, at));
        }
    }

    /// Least squares over positions and directions (Kabsch in the plane).
    fn turn_and_shift(&mut self, pairs: &[Pair], probe: &Constellation, reference: &Constellation) {
        let share = 1.0 / pairs.len() as f32;
        let (mut p, mut r) = ((0.0, 0.0), (0.0, 0.0));
        for pair in pairs {
            let (a, b) = (place(probe, pair.probe), place(reference, pair.reference));
            p = (p.0 + a.0, p.1 + a.1);
            r = (r.0 + b.0, r.1 + b.1);
        }
        (p, r) = ((p.0 * share, p.1 * share), (r.0 * share, r.1 * share));
        let (mut cosine, mut sine) = (0.0, 0.0);
        for pair in pairs {
            let (a, b) = (place(probe, pair.probe), place(reference, pair.reference));
            let (a, b) = ((a.0 - p.0, a.1 - p.1), (b.0 - r.0, b.1 - r.1));
            let turned = reference.points[usize::from(pair.reference)]
                .direction
                .wrapping_sub(probe.points[usize::from(pair.probe)].direction);
            let by_direction = direction::unit_vector(turned);
            cosine += a.0 * b.0 + a.1 * b.1 + LEVER_PX * LEVER_PX * by_direction.0;
            sine += a.0 * b.1 - a.1 * b.0 + LEVER_PX * LEVER_PX * by_direction.1;
        }
        let norm = (cosine * cosine + sine * sine).sqrt();
        // Pairs that cancel each other out say nothing: no turn.
        self.rotation = if norm > 0.0 { (cosine / norm, sine / norm) } else { (1.0, 0.0) };
        self.turn = direction::of_vector(self.rotation.0, self.rotation.1).wrapping_neg();
        (self.probe_centre, self.reference_centre) = (p, r);
    }

    /// Where the finger as a whole puts a place of the probe.
    fn forward(&self, (x, y): (f32, f32)) -> (f32, f32) {
        let ((c, s), p, r) = (self.rotation, self.probe_centre, self.reference_centre);
        let (x, y) = (x - p.0, y - p.1);
        (c * x - s * y + r.0, s * x + c * y + r.1)
    }

    /// The place of the probe that the finger as a whole puts here.
    pub(crate) fn backward(&self, (x, y): (f32, f32)) -> (f32, f32) {
        let ((c, s), p, r) = (self.rotation, self.probe_centre, self.reference_centre);
        let (x, y) = (x - r.0, y - r.1);
        (c * x + s * y + p.0, c * y - s * x + p.1)
    }

    /// A place moved as the pairs around it say, but for the pair of the minutia itself: so its distance from its
    /// partner measures how well the others predict it.
    fn stretch(&self, minutia: usize, at: (f32, f32)) -> (f32, f32) {
        let (mut x, mut y, mut weight) = (0.0, 0.0, STIFFNESS);
        for shift in &self.shifts {
            let (dx, dy) = (shift.at.0 - at.0, shift.at.1 - at.1);
            let near = 1.0 / (1.0 + (dx * dx + dy * dy) * (1.0 / (REACH_PX * REACH_PX)));
            let say = if usize::from(shift.probe) == minutia { 0.0 } else { near * near };
            x += say * shift.by.0;
            y += say * shift.by.1;
            weight += say;
        }
        (at.0 + x / weight, at.1 + y / weight)
    }
}

fn place(finger: &Constellation, minutia: u8) -> (f32, f32) {
    let point = finger.points[usize::from(minutia)];
    (point.x.into(), point.y.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairing::Pairing;
    use crate::template::{Point, Template};
    use crate::terms::Terms;
    use khop_vocabulary::MinutiaKind;

    /// Thirty minutiae; turned by a quarter, and those of one half pushed 12 px aside, when `other`.
    fn finger(other: bool) -> Constellation {
        let point = |i: i16| {
            let (x, y) = (i * 47 % 300, i * 83 % 310);
            let (x, y) = if other { (y + 40, 500 - x - if y > 150 { 12 } else { 0 }) } else { (x, y) };
            let direction = (i as u8).wrapping_mul(91).wrapping_add(if other { 64 } else { 0 });
            Point { x, y, direction, kind: MinutiaKind::Other, quality: 0 }
        };
        Constellation::of(&Template::packed(&(0..30).map(point).collect::<Vec<_>>(), None))
    }

    #[test]
    fn one_finger_comes_to_lie_on_the_other() {
        let (probe, reference) = (finger(false), finger(true));
        let pairs: Vec<Pair> = (0..30).map(|i| Pair { probe: i, reference: i }).collect();
        let mut alignment = Alignment::new();
        alignment.fit(&pairs, &probe, &reference);
        assert!(direction::apart(alignment.turn, 192) <= 1, "a quarter to the left is taken off: {}", alignment.turn);
        for (i, &(x, y)) in alignment.moved.iter().enumerate() {
            let at = place(&reference, i as u8);
            assert!((x - at.0).hypot(y - at.1) < 9.0, "minutia {i}: {x}, {y} is not {at:?}");
            let there = alignment.backward(alignment.forward(place(&probe, i as u8)));
            assert!((there.0 - place(&probe, i as u8).0).abs() < 0.01);
        }
        let mut pairing = Pairing::new();
        pairing.pair(&alignment, &probe, &reference);
        assert_eq!(pairing.pairs.len(), 30);
        assert!(pairing.pairs.iter().all(|pair| pair.probe == pair.reference));
        let terms = Terms::of((30, 0), &alignment, &pairing, &probe, &reference);
        assert_eq!((terms.paired, terms.agreeing, terms.carried), (30.0 / 34.0, 30.0, 30.0 / 34.0));
        assert!(terms.residual_px < 5.0, "{terms:?}");
    }

    #[test]
    fn pairs_that_contradict_each_other_do_not_turn_it() {
        let (probe, reference) = (finger(false), finger(true));
        let mut alignment = Alignment::new();
        alignment.fit(&[Pair { probe: 0, reference: 7 }], &probe, &reference);
        assert!(alignment.moved.iter().all(|(x, y)| x.is_finite() && y.is_finite()));
    }
}
