//! Who stands around whom? The minutiae of one finger, each with the edges to its nearest neighbours.

use crate::cylinder::Cylinders;
use crate::direction;
use crate::hull::Hull;
use crate::lanes::{LANES, Lanes};
use crate::template::{Point, Template};

/// What the line between two minutiae looks like from the line itself: nothing of it changes when the finger is
/// shifted or turned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Edge {
    /// Pixels.
    pub length: u16,
    /// Direction of the minutia at the root, relative to the edge.
    pub at_root: u8,
    /// Direction of the minutia at the tip, relative to the edge as seen from there.
    pub at_tip: u8,
}

/// Edges may differ by this many pixels, and still be the same edge on a stretched skin.
pub(crate) const LENGTH_TOLERANCE: u8 = 13;
/// Directions may differ by this much: 9.8°.
pub(crate) const DIRECTION_TOLERANCE: u8 = 7;
const TOLERANCES: [u8; 3] = [LENGTH_TOLERANCE, DIRECTION_TOLERANCE, DIRECTION_TOLERANCE];
/// Longer edges are not looked at: 12 mm, further than skin stretches evenly. The longest is still more than the
/// tolerance away from the shortest when lengths are bytes that wrap around.
pub(crate) const MAX_LENGTH: u16 = 255 - LENGTH_TOLERANCE as u16;

impl Edge {
    #[inline]
    pub(crate) fn between(root: Point, tip: Point) -> Self {
        let (dx, dy) = (i32::from(tip.x) - i32::from(root.x), i32::from(tip.y) - i32::from(root.y));
        let along = direction::of_vector(dx as f32, dy as f32);
        Self {
            length: ((dx * dx + dy * dy) as f32).sqrt().round() as u16,
            at_root: root.direction.wrapping_sub(along),
            at_tip: tip.direction.wrapping_sub(along).wrapping_sub(128),
        }
    }

    /// The same edge, seen from its tip.
    pub(crate) fn reversed(self) -> Self {
        Self { length: self.length, at_root: self.at_tip, at_tip: self.at_root }
    }
}

/// Edges kept for every minutia.
const MAX_RAYS: usize = 9;

/// The edges from one minutia to its nearest neighbours within [`MAX_LENGTH`], shortest first.
#[derive(Clone, Copy, Default)]
pub(crate) struct Star {
    /// Length, direction at the root, direction at the tip.
    edges: Lanes,
    tips: [u8; LANES],
    rays: usize,
}

impl Star {
    /// The edges and the minutiae they lead to.
    #[inline]
    pub(crate) fn rays(&self) -> impl Iterator<Item = (Edge, u8)> + '_ {
        self.tips[..self.rays].iter().enumerate().map(|(lane, &tip)| {
            let [length, at_root, at_tip] = self.edges.get(lane);
            (Edge { length: length.into(), at_root, at_tip }, tip)
        })
    }

    /// The minutiae to which an edge leads that resembles the given one.
    #[inline]
    pub(crate) fn resembling(&self, edge: Edge) -> impl Iterator<Item = u8> + '_ {
        let hits = self.edges.within(TOLERANCES, [edge.length as u8, edge.at_root, edge.at_tip]);
        hits.take_while(|&lane| lane < self.rays).map(|lane| self.tips[lane])
    }
}

/// Pixels to a step of [`Constellation::places`].
const STEP_PX: i32 = 8;

/// A finger prepared to be compared: its minutiae, their stars and cylinders, and the area they cover.
pub(crate) struct Constellation {
    pub points: Box<[Point]>,
    pub stars: Box<[Star]>,
    /// Sixteen at a time: x and y in steps of [`STEP_PX`], direction.
    places: Box<[Lanes]>,
    pub cylinders: Cylinders,
    pub hull: Hull,
}

impl Constellation {
    pub(crate) fn of(template: &Template) -> Self {
        let points: Box<[Point]> = template.points().collect();
        let mut distances = [u32::MAX; 256];
        let star = |(i, &root): (usize, &Point)| {
            // Squared distance and index in one word: the nearest first, then the one that comes first.
            for (key, (j, &tip)) in distances.iter_mut().zip(points.iter().enumerate()) {
                let near = root.distance2(tip) as u32;
                *key = near.min(0x00ff_ffff) << 8 | j as u32;
            }
            distances[i] = u32::MAX;
            let mut nearest = [u32::MAX; MAX_RAYS];
            for &key in &distances[..points.len()] {
                insert(&mut nearest, key);
            }
            let mut star = Star::default();
            for tip in nearest.into_iter().filter(|&key| key != u32::MAX).map(|key| key as u8) {
                let edge = Edge::between(root, points[usize::from(tip)]);
                if edge.length <= MAX_LENGTH {
                    star.edges.set(star.rays, [edge.length as u8, edge.at_root, edge.at_tip]);
                    star.tips[star.rays] = tip;
                    star.rays += 1;
                }
            }
            star
        };
        let stars = points.iter().enumerate().map(star).collect();
        let hull = Hull::of(&points);
        let block = |points: &[Point]| {
            let mut block = Lanes::default();
            for (lane, p) in points.iter().enumerate() {
                block.set(lane, [step(p.x.into()), step(p.y.into()), p.direction]);
            }
            block
        };
        let places = points.chunks(LANES).map(block).collect();
        let cylinders = Cylinders::of(&points, &hull);
        Self { points, stars, places, cylinders, hull }
    }

    /// The minutiae less than `reach_px` away along x and along y, and some a little further, whose directions are
    /// within `reach_steps`.
    #[inline]
    pub(crate) fn around(
        &self,
        (x, y): (f32, f32),
        direction: u8,
        reach_px: i32,
        reach_steps: u8,
    ) -> impl Iterator<Item = usize> + '_ {
        let reach = ((reach_px + STEP_PX - 1) / STEP_PX) as u8;
        let of = [step(x as i32), step(y as i32), direction];
        let blocks = self.places.iter().enumerate();
        let hits = blocks.flat_map(move |(block, lanes)| {
            lanes.within([reach, reach, reach_steps], of).map(move |lane| block * LANES + lane)
        });
        hits.take_while(|&minutia| minutia < self.points.len())
    }
}

/// A coordinate in steps, around a circle of 2,048 px.
#[inline]
fn step(px: i32) -> u8 {
    px.div_euclid(STEP_PX) as u8
}

/// Puts `key` in its place among the sorted, dropping the largest. Without a branch: most keys come in no order.
#[inline]
fn insert(sorted: &mut [u32; MAX_RAYS], mut key: u32) {
    for place in sorted {
        (*place, key) = ((*place).min(key), (*place).max(key));
    }
}
