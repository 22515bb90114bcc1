//! How do the ridges of a finger run? Pattern class, cores and deltas, and the direction field they make.
//!
//! Zero-pole model of Sherlock and Monro (1993): the direction is half the sum of the angles to the cores minus
//! half the sum of the angles to the deltas; to it come the bend of ridges over the finger tip and slow waves that
//! make every finger's flow its own. Coordinates: pixels at 500 dpi from the middle of the pad, y upward.

use std::f64::consts::{PI, TAU};

use super::draws::Draws;

/// Henry's classes, left and right as seen in the print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// No core, no delta.
    Arch,
    /// A core right above its delta.
    TentedArch,
    /// A loop that opens to the lower left.
    LeftLoop,
    /// A loop that opens to the lower right.
    RightLoop,
    /// Two cores, two deltas.
    Whorl,
}

/// Share of plain arch, tented arch, radial loop, ulnar loop (the rest are whorls) from thumb to little finger:
/// round figures of published ten-print statistics.
const SHARES: [[f64; 4]; 5] = [
    [0.03, 0.01, 0.01, 0.50],
    [0.06, 0.08, 0.20, 0.34],
    [0.06, 0.03, 0.03, 0.70],
    [0.02, 0.01, 0.02, 0.50],
    [0.01, 0.01, 0.01, 0.82],
];

impl Pattern {
    /// Draws the class of `finger` (0 thumb to 4 little) of a right or left hand. Ulnar loops open to the side of
    /// the little finger, which in a print is the right side on the right hand.
    pub(super) fn draw(finger: usize, right_hand: bool, draws: &mut Draws) -> Self {
        let mut u = draws.uniform();
        let (radial, ulnar) =
            if right_hand { (Self::LeftLoop, Self::RightLoop) } else { (Self::RightLoop, Self::LeftLoop) };
        for (share, pattern) in SHARES[finger].into_iter().zip([Self::Arch, Self::TentedArch, radial, ulnar]) {
            if u < share {
                return pattern;
            }
            u -= share;
        }
        Self::Whorl
    }
}

struct Wave {
    x: f64,
    y: f64,
    phase: f64,
    amplitude: f64,
}

/// The ridge flow of one finger.
pub(super) struct Flow {
    cores: Vec<[f64; 2]>,
    deltas: Vec<[f64; 2]>,
    bend: f64,
    waves: [Wave; 5],
}

impl Flow {
    pub fn draw(pattern: Pattern, draws: &mut Draws) -> Self {
        let top = [12.0 * draws.normal(), 25.0 + 18.0 * draws.normal()];
        let mut delta = |side: f64| [top[0] + side * draws.between(65.0, 150.0), top[1] - draws.between(75.0, 165.0)];
        let (cores, deltas) = match pattern {
            Pattern::Arch => (vec![], vec![]),
            Pattern::TentedArch => (
                vec![top],
                vec![{
                    let [x, y] = delta(0.0);
                    [x, y + 30.0]
                }],
            ),
            Pattern::LeftLoop => (vec![top], vec![delta(1.0)]),
            Pattern::RightLoop => (vec![top], vec![delta(-1.0)]),
            Pattern::Whorl => {
                let deltas = vec![delta(-1.0), delta(1.0)];
                let apart = 12.0 + 60.0 * draws.uniform().powi(2);
                (vec![top, [top[0] + 0.35 * apart * draws.normal(), top[1] - apart]], deltas)
            }
        };
        let bend = (if cores.is_empty() { 0.75 } else { 0.35 }) * draws.log_normal(0.25);
        let waves = std::array::from_fn(|_| {
            let (length, (sin, cos)) = (draws.between(140.0, 450.0), (TAU * draws.uniform()).sin_cos());
            Wave {
                x: TAU / length * cos,
                y: TAU / length * sin,
                phase: TAU * draws.uniform(),
                amplitude: 0.05 * draws.normal(),
            }
        });
        Self { cores, deltas, bend, waves }
    }

    /// Ridge direction, radians, modulo π.
    pub fn direction(&self, x: f64, y: f64) -> f64 {
        let angle = |&[cx, cy]: &[f64; 2]| (y - cy).atan2(x - cx);
        let poles = self.cores.iter().map(angle).sum::<f64>() - self.deltas.iter().map(angle).sum::<f64>();
        let over_the_tip = 1.0 / (1.0 + (-(y + 60.0) / 45.0).exp());
        let bend = -(self.bend * x / 150.0 * over_the_tip).atan();
        let waves: f64 = self.waves.iter().map(|w| w.amplitude * (w.x * x + w.y * y + w.phase).sin()).sum();
        (0.5 * poles + bend + waves).rem_euclid(PI)
    }

    /// Divergence of the unit field along [`Flow::direction`], per pixel: positive where ridges that keep their
    /// distance must be born on the way forward, negative where they must end.
    pub fn divergence(&self, x: f64, y: f64) -> f64 {
        let here = self.direction(x, y);
        let change = |there: f64| (there - here + 1.5 * PI).rem_euclid(PI) - 0.5 * PI;
        let (by_x, by_y) = (change(self.direction(x + 1.0, y)), change(self.direction(x, y + 1.0)));
        here.cos() * by_y - here.sin() * by_x
    }

    /// Distance to the nearest core or delta; infinite on a plain arch.
    pub fn singular_distance(&self, x: f64, y: f64) -> f64 {
        let distance = |&[cx, cy]: &[f64; 2]| (x - cx).hypot(y - cy);
        self.cores.iter().chain(&self.deltas).map(distance).fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::super::draws::Topic;
    use super::*;

    /// Turns of the direction along a circle around a point, in halves of a turn.
    fn index(flow: &Flow, [cx, cy]: [f64; 2]) -> i32 {
        let at = |step: i32| {
            let (sin, cos) = (TAU * f64::from(step) / 200.0).sin_cos();
            flow.direction(cx + 4.0 * cos, cy + 4.0 * sin)
        };
        let turn: f64 = (0..200).map(|s| (at(s + 1) - at(s) + 1.5 * PI).rem_euclid(PI) - 0.5 * PI).sum();
        (turn / PI).round() as i32
    }

    #[test]
    fn cores_and_deltas_have_their_index() {
        for (person, pattern) in
            [Pattern::LeftLoop, Pattern::RightLoop, Pattern::Whorl, Pattern::TentedArch].into_iter().enumerate()
        {
            let flow = Flow::draw(pattern, &mut Draws::of(7, Topic::Flow, 0, person as u64, 0));
            assert!(flow.cores.iter().all(|&c| index(&flow, c) == 1), "{pattern:?}");
            assert!(flow.deltas.iter().all(|&d| index(&flow, d) == -1), "{pattern:?}");
            assert_eq!(index(&flow, [300.0, 300.0]), 0);
        }
    }

    #[test]
    fn classes_come_with_their_shares() {
        let mut draws = Draws::of(7, Topic::Flow, 0, 0, 0);
        let ulnar = (0..20_000).filter(|_| Pattern::draw(4, true, &mut draws) == Pattern::RightLoop).count();
        assert!((ulnar as f64 / 20_000.0 - 0.82).abs() < 0.01, "{ulnar}");
    }
}
