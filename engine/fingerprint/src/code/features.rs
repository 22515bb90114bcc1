//! What can be counted on a finger that no shift and no turn changes? Every pair of minutiae, in soft bins.
//!
//! Only additions, multiplications, divisions and square roots: the counts are the same on every machine.

use std::sync::LazyLock;

use crate::Template;
use crate::constellation::Edge;
use crate::template::Point;

/// Bins of the distance between two minutiae.
const LENGTHS: usize = 8;
/// Bins of the first minutia's direction relative to the line to the second.
const BEARINGS: usize = 12;
/// Bins of the second minutia's direction relative to the first's.
const TURNS: usize = 12;

/// Length of [`features`].
pub const FEATURES: usize = LENGTHS * BEARINGS * TURNS;

/// Pairs nearer or further than this are not counted, pixels at 500 dpi.
const NEAREST_PX: u16 = 8;
const FURTHEST_PX: u16 = 120;
/// Minutiae within this distance crowd each other, pixels at 500 dpi.
const CROWD_PX: u16 = 52;

/// Two neighbouring bins and the share of the second.
#[derive(Clone, Copy, Default)]
struct Split {
    bins: [u16; 2],
    second: f32,
}

impl Split {
    /// Shares that fall linearly with the distance to the middle of the bin at `place`, counted in bins.
    fn at(place: f32, bins: impl Fn(i32) -> usize, stride: usize) -> Self {
        let first = place.floor();
        let bin = |index| (bins(index) * stride) as u16;
        Self { bins: [bin(first as i32), bin(first as i32 + 1)], second: place - first }
    }

    fn shares(self) -> [(usize, f32); 2] {
        [(usize::from(self.bins[0]), 1.0 - self.second), (usize::from(self.bins[1]), self.second)]
    }
}

struct Splits {
    length: [Split; FURTHEST_PX as usize],
    bearing: [Split; 256],
    turn: [Split; 256],
}

static SPLITS: LazyLock<Splits> = LazyLock::new(|| {
    let circle = |direction: usize, bins: usize, stride| {
        let place = direction as f32 * bins as f32 / 256.0;
        Split::at(place, |index| index.rem_euclid(bins as i32) as usize, stride)
    };
    let length = |px: usize| {
        let place = (px as f32 - f32::from(NEAREST_PX)) * LENGTHS as f32 / f32::from(FURTHEST_PX - NEAREST_PX) - 0.5;
        Split::at(place, |index| index.clamp(0, LENGTHS as i32 - 1) as usize, BEARINGS * TURNS)
    };
    Splits {
        length: std::array::from_fn(length),
        bearing: std::array::from_fn(|direction| circle(direction, BEARINGS, TURNS)),
        turn: std::array::from_fn(|direction| circle(direction, TURNS, 1)),
    }
});

/// Raw features of a template: for every ordered pair of its minutiae, 8 to 120 px apart, the distance, the bearing
/// and the turn, shared linearly among neighbouring bins. About 15 µs for 40 minutiae.
///
/// A pair weighs the product of its minutiae's weights: quality over the best quality on the finger (1 where none is
/// reported), divided by how crowded the minutia stands, since false minutiae come in clusters.
#[must_use]
pub fn features(template: &Template) -> Vec<f32> {
    let points: Vec<Point> = template.points().collect();
    let weights = weights(&points);
    let splits = &*SPLITS;
    let mut counts = vec![0f32; FEATURES];
    for (i, &a) in points.iter().enumerate() {
        for (j, &b) in points.iter().enumerate().skip(i + 1) {
            let edge = Edge::between(a, b);
            if !(NEAREST_PX..FURTHEST_PX).contains(&edge.length) {
                continue;
            }
            let weight = weights[i] * weights[j];
            for seen in [edge, edge.reversed()] {
                let turn = splits.turn[usize::from(seen.at_tip.wrapping_sub(seen.at_root))].shares();
                for (length, share) in splits.length[usize::from(seen.length)].shares() {
                    let share = share * weight;
                    for (bearing, part) in splits.bearing[usize::from(seen.at_root)].shares() {
                        let place = length + bearing;
                        counts[place + turn[0].0] += share * part * turn[0].1;
                        counts[place + turn[1].0] += share * part * turn[1].1;
                    }
                }
            }
        }
    }
    counts
}

fn weights(points: &[Point]) -> Vec<f32> {
    let best = points.iter().map(|p| p.quality).max().unwrap_or(0);
    let quality = |p: &Point| if p.quality == 0 { 1.0 } else { f32::from(p.quality) / f32::from(best) };
    let reach2 = i32::from(CROWD_PX).pow(2);
    let crowd = |p: &Point| {
        let near = |q: &Point| {
            let d2 = p.distance2(*q);
            if d2 < reach2 { (1.0 - d2 as f32 / reach2 as f32).powi(2) } else { 0.0 }
        };
        points.iter().map(near).sum::<f32>()
    };
    points.iter().map(|p| quality(p) / crowd(p)).collect()
}
