//! Who stands around whom? The minutiae of one finger, each with the edges to its nearest neighbours.

use crate::direction;
use crate::hull::Hull;
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
/// Longer edges are not looked at: 13 mm, further than skin stretches evenly.
pub(crate) const MAX_LENGTH: u16 = 255;

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

    #[inline]
    pub(crate) fn resembles(self, other: Self) -> bool {
        self.length.abs_diff(other.length) <= LENGTH_TOLERANCE.into()
            && direction::apart(self.at_root, other.at_root) <= DIRECTION_TOLERANCE
            && direction::apart(self.at_tip, other.at_tip) <= DIRECTION_TOLERANCE
    }
}

/// Edges kept for every minutia.
const MAX_RAYS: usize = 9;
/// Lanes of a star: one vector register of bytes.
pub(crate) const LANES: usize = 16;

/// The edges from one minutia to its nearest neighbours within [`MAX_LENGTH`], shortest first, side by side so that
/// all are tested at once.
#[derive(Clone, Copy, Default)]
#[repr(align(16))]
pub(crate) struct Star {
    length: [u8; LANES],
    at_root: [u8; LANES],
    at_tip: [u8; LANES],
    tip: [u8; LANES],
    rays: usize,
}

impl Star {
    /// The edges and the minutiae they lead to.
    #[inline]
    pub(crate) fn rays(&self) -> impl Iterator<Item = (Edge, u8)> + '_ {
        (0..self.rays).map(|i| {
            (Edge { length: self.length[i].into(), at_root: self.at_root[i], at_tip: self.at_tip[i] }, self.tip[i])
        })
    }

    /// The minutiae to which an edge leads that resembles the given one.
    #[inline]
    pub(crate) fn resembling(&self, edge: Edge) -> impl Iterator<Item = u8> + '_ {
        let length = edge.length as u8;
        let mut hits = [0u8; LANES];
        for (i, hit) in hits.iter_mut().enumerate() {
            *hit = u8::from(self.length[i].abs_diff(length) <= LENGTH_TOLERANCE)
                & u8::from(direction::apart(self.at_root[i], edge.at_root) <= DIRECTION_TOLERANCE)
                & u8::from(direction::apart(self.at_tip[i], edge.at_tip) <= DIRECTION_TOLERANCE);
        }
        set_bytes(hits).take_while(|&lane| lane < self.rays).map(|lane| self.tip[lane])
    }
}

/// Positions of the bytes that are 1 among bytes that are 0 or 1.
#[inline]
pub(crate) fn set_bytes(bytes: [u8; LANES]) -> impl Iterator<Item = usize> {
    let mut word = u128::from_le_bytes(bytes);
    std::iter::from_fn(move || {
        let lane = word.trailing_zeros() as usize / 8;
        word &= word.wrapping_sub(1);
        (lane < LANES).then_some(lane)
    })
}

/// Minutiae, their stars and the area they cover.
pub(crate) struct Constellation {
    pub points: Box<[Point]>,
    pub stars: Box<[Star]>,
    /// The points' coordinates in blocks of sixteen, the last filled up with [`NOWHERE`].
    pub columns: Box<[[i16; LANES]]>,
    pub rows: Box<[[i16; LANES]]>,
    pub hull: Hull,
}

/// Far from every minutia and from wherever one may be moved.
const NOWHERE: i16 = -30_000;

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
                if key < nearest[MAX_RAYS - 1] {
                    insert(&mut nearest, key);
                }
            }
            let mut star = Star::default();
            for tip in nearest.into_iter().filter(|&key| key != u32::MAX).map(|key| key as u8) {
                let edge = Edge::between(root, points[usize::from(tip)]);
                if edge.length <= MAX_LENGTH {
                    let lane = star.rays;
                    star.length[lane] = edge.length as u8;
                    (star.at_root[lane], star.at_tip[lane], star.tip[lane]) = (edge.at_root, edge.at_tip, tip);
                    star.rays += 1;
                }
            }
            star
        };
        let stars = points.iter().enumerate().map(star).collect();
        let hull = Hull::of(&points);
        let blocks = |coordinate: fn(&Point) -> i16| {
            let block = |points: &[Point]| {
                let mut block = [NOWHERE; LANES];
                block.iter_mut().zip(points).for_each(|(lane, point)| *lane = coordinate(point));
                block
            };
            points.chunks(LANES).map(block).collect()
        };
        let (columns, rows) = (blocks(|p| p.x), blocks(|p| p.y));
        Self { points, stars, columns, rows, hull }
    }
}

/// Puts `key` in its place among the sorted, dropping the last.
fn insert(sorted: &mut [u32; MAX_RAYS], key: u32) {
    let mut at = MAX_RAYS - 1;
    while at > 0 && sorted[at - 1] > key {
        sorted[at] = sorted[at - 1];
        at -= 1;
    }
    sorted[at] = key;
}
