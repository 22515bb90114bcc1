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
