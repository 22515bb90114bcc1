//! Where are the minutiae of a finger? The master: the whole pad as it is, before anyone presses it on glass.

use std::f64::consts::PI;

use khop_vocabulary::MinutiaKind;

use super::draws::Draws;
use super::flow::{Flow, Pattern};

/// Ridges per pixel at 500 dpi: one in about 9 pixels.
const RIDGES_PER_PX: f64 = 0.11;
/// Mean minutiae per square pixel at 500 dpi: about 0.2 per square millimetre.
const DENSITY: f64 = 5.8e-4;
/// Size of the pad relative to the index finger's, thumb to little finger.
const SIZES: [f64; 5] = [1.15, 1.0, 1.03, 1.0, 0.84];

/// One minutia of a master, pixels at 500 dpi from the middle of the pad, y upward.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub x: f64,
    pub y: f64,
    /// Radians, counter-clockwise.
    pub angle: f64,
    pub kind: MinutiaKind,
    /// How clear it is to an extractor, 0 (never seen) to 1 (always).
    pub clarity: f64,
}

/// A finger as it is.
pub(super) struct Master {
    pub flow: Flow,
    pub marks: Vec<Mark>,
    /// Size relative to an average index finger.
    pub size: f64,
}

impl Master {
    /// `finger` 0 thumb to 4 little; `hand_size` is the person's, 1 on average.
    pub fn draw(finger: usize, right_hand: bool, hand_size: f64, flow: &mut Draws, draws: &mut Draws) -> Self {
        let pattern = Pattern::draw(finger, right_hand, flow);
        let flow = Flow::draw(pattern, flow);
        let size = SIZES[finger] * hand_size;
        let (half_width, half_height) = (165.0 * size, 225.0 * size);
        let density = DENSITY * draws.log_normal(0.16);
        let wanted = (density * PI * half_width * half_height).round() as usize;
        let mut marks: Vec<Mark> = Vec::with_capacity(wanted);
        for _ in 0..60 * wanted {
            if marks.len() == wanted {
                break;
            }
            let (u, v) = (draws.between(-1.0, 1.0), draws.between(-1.0, 1.0));
            if u * u + v * v > 1.0 {
                continue;
            }
            let (x, y) = (u * half_width, v * half_height);
            let crowding = 0.55 + 0.45 * (-flow.singular_distance(x, y) / 60.0).exp();
            let squared = |m: &Mark| (m.x - x).powi(2) + (m.y - y).powi(2);
            let nearest = marks.iter().map(squared).fold(f64::INFINITY, f64::min).sqrt();
            if !draws.chance(crowding * ((nearest - 6.0) / 15.0).min(1.0)) {
                continue;
            }
            // Ridges that keep their distance are born where the flow widens: the sign of most minutiae follows.
            let pull = 0.9 * RIDGES_PER_PX * flow.divergence(x, y) / density;
            let forward = draws.chance(0.5 + 0.5 * pull.tanh());
            marks.push(Mark {
                x,
                y,
                angle: flow.direction(x, y) + if forward { 0.0 } else { PI } + 0.05 * draws.normal(),
                kind: if draws.chance(0.58) { MinutiaKind::Ending } else { MinutiaKind::Bifurcation },
                clarity: 1.0 - draws.uniform().powi(4),
            });
        }
        Self { flow, marks, size }
    }
}

#[cfg(test)]
mod tests {
    use super::super::draws::Topic;
    use super::*;

    fn master(person: u64) -> Master {
        let stream = |topic| Draws::of(3, topic, 1, person, 0);
        Master::draw(1, true, 1.0, &mut stream(Topic::Flow), &mut stream(Topic::Minutiae))
    }

    #[test]
    fn marks_keep_apart_and_follow_the_ridges() {
        for person in 0..20 {
            let master = master(person);
            assert!((35..=110).contains(&master.marks.len()), "{}", master.marks.len());
            for (i, a) in master.marks.iter().enumerate() {
                assert!(master.marks[..i].iter().all(|b| (a.x - b.x).hypot(a.y - b.y) > 6.0));
                let off = (a.angle - master.flow.direction(a.x, a.y) + 0.5 * PI).rem_euclid(PI) - 0.5 * PI;
                assert!(off.abs() < 0.3, "{off}");
            }
        }
    }
}
