//! Who stands around whom? The minutiae of one finger, each with the edges to its nearest neighbours.

use crate::direction;
use crate::template::{Point, Template};

/// Edges kept for every minutia, nearest neighbours first.
pub(crate) const STAR_RAYS: usize = 9;

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

/// Edges may differ by this much, and still be the same edge on a stretched skin.
pub(crate) const LENGTH_TOLERANCE: u16 = 13;
/// Directions may differ by this much: 9.8°.
pub(crate) const DIRECTION_TOLERANCE: u8 = 7;

impl Edge {
    pub(crate) fn between(root: Point, tip: Point) -> Self {
        let (dx, dy) = (i32::from(tip.x) - i32::from(root.x), i32::from(tip.y) - i32::from(root.y));
        let along = direction::of_vector(dx, dy);
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
        self.length.abs_diff(other.length) <= LENGTH_TOLERANCE
            && direction::apart(self.at_root, other.at_root) <= DIRECTION_TOLERANCE
            && direction::apart(self.at_tip, other.at_tip) <= DIRECTION_TOLERANCE
    }
}

/// An edge of a star and the minutia it leads to.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ray {
    pub edge: Edge,
    pub tip: u8,
}

/// Minutiae and their stars.
pub(crate) struct Constellation {
    pub points: Box<[Point]>,
    rays: Box<[Ray]>,
    rays_per_star: usize,
}

impl Constellation {
    pub(crate) fn of(template: &Template) -> Self {
        let points: Box<[Point]> = template.points().collect();
        let rays_per_star = STAR_RAYS.min(points.len() - 1);
        let mut rays = Vec::with_capacity(points.len() * rays_per_star);
        for (i, &root) in points.iter().enumerate() {
            let mut nearest = [u32::MAX; STAR_RAYS];
            for (j, &tip) in points.iter().enumerate() {
                // Distances beyond 4,095 px count as that; then the index decides.
                let key = (root.distance2(tip).min(0x00ff_ffff) as u32) << 8 | j as u32;
                if key < nearest[STAR_RAYS - 1] && i != j {
                    insert(&mut nearest, key);
                }
            }
            rays.extend(nearest[..rays_per_star].iter().map(|&key| {
                let tip = key as u8;
                Ray { edge: Edge::between(root, points[usize::from(tip)]), tip }
            }));
        }
        Self { points, rays: rays.into(), rays_per_star }
    }

    /// The edges of one minutia, shortest first.
    #[inline]
    pub(crate) fn star(&self, root: u8) -> &[Ray] {
        &self.rays[usize::from(root) * self.rays_per_star..][..self.rays_per_star]
    }
}

/// Puts `key` in its place among the sorted, dropping the last.
fn insert(sorted: &mut [u32; STAR_RAYS], key: u32) {
    let mut at = STAR_RAYS - 1;
    while at > 0 && sorted[at - 1] > key {
        sorted[at] = sorted[at - 1];
        at -= 1;
    }
    sorted[at] = key;
}
