//! What area of a finger was seen? The convex hull of its minutiae stands for it.

use crate::template::Point;

/// Convex hull as the half-planes that meet in it.
pub(crate) struct Hull(Box<[HalfPlane]>);

/// Points with `x·normal.0 + y·normal.1 ≥ offset`; the normal has unit length.
#[derive(Clone, Copy)]
struct HalfPlane {
    normal: (f32, f32),
    offset: f32,
}

impl Hull {
    pub(crate) fn of(points: &[Point]) -> Self {
        let mut sorted: Vec<(i32, i32)> = points.iter().map(|p| (p.x.into(), p.y.into())).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let mut corners: Vec<(i32, i32)> = Vec::with_capacity(2 * sorted.len());
        chain(&mut corners, sorted.iter());
        chain(&mut corners, sorted.iter().rev());
        let side = |i: usize| {
            let (from, to) = (corners[i], corners[(i + 1) % corners.len()]);
            let (dx, dy) = ((to.0 - from.0) as f32, (to.1 - from.1) as f32);
            let length = (dx * dx + dy * dy).sqrt();
            let normal = (-dy / length, dx / length);
            HalfPlane { normal, offset: normal.0 * from.0 as f32 + normal.1 * from.1 as f32 }
        };
        // Fewer than three corners enclose nothing.
        Self(if corners.len() < 3 { Box::default() } else { (0..corners.len()).map(side).collect() })
    }

    /// How far inside a point lies, pixels; negative outside, minus infinity where there is no inside.
    #[inline]
    pub(crate) fn depth(&self, x: f32, y: f32) -> f32 {
        let depth = |side: &HalfPlane| x * side.normal.0 + y * side.normal.1 - side.offset;
        let nearest = self.0.iter().map(depth).fold(f32::INFINITY, |a, b| if b < a { b } else { a });
        if self.0.is_empty() { f32::NEG_INFINITY } else { nearest }
    }
}

impl Hull {
    /// The sides that a point lies less than `within` pixels inside of: the unit normal that points inside, and how far
    /// inside it lies.
    #[inline]
    pub(crate) fn sides_near(&self, (x, y): (f32, f32), within: f32) -> impl Iterator<Item = ((f32, f32), f32)> + '_ {
        let side = move |side: &HalfPlane| (side.normal, x * side.normal.0 + y * side.normal.1 - side.offset);
        self.0.iter().map(side).filter(move |(_, depth)| *depth < within)
    }

    /// Whether it encloses nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Half a hull (Andrew's monotone chain), without its last corner, which begins the other half.
fn chain<'a>(corners: &mut Vec<(i32, i32)>, points: impl Iterator<Item = &'a (i32, i32)>) {
    let start = corners.len();
    for &point in points {
        while let [.., a, b] = corners[start..] {
            let turn = (b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0);
            if turn > 0 {
                break;
            }
            corners.pop();
        }
        corners.push(point);
    }
    corners.pop();
}

#[cfg(test)]
mod tests {
    use super::*;
    use khop_vocabulary::MinutiaKind;

    fn hull(places: &[(i16, i16)]) -> Hull {
        let point = |&(x, y): &(i16, i16)| Point { x, y, direction: 0, kind: MinutiaKind::Other, quality: 0 };
        Hull::of(&places.iter().map(point).collect::<Vec<_>>())
    }

    #[test]
    fn depth_is_the_distance_to_the_nearest_side() {
        let square = hull(&[(0, 0), (100, 0), (50, 50), (100, 100), (0, 100), (50, 0), (100, 100)]);
        assert_eq!(square.0.len(), 4);
        assert_eq!(square.depth(50.0, 50.0), 50.0);
        assert_eq!(square.depth(90.0, 40.0), 10.0);
        assert_eq!(square.depth(-7.0, 40.0), -7.0);
    }

    #[test]
    fn points_on_a_line_enclose_nothing() {
        for places in [&[(5, 5)][..], &[(0, 0), (4095, 4095)], &[(0, 0), (10, 10), (20, 20), (10, 10)]] {
            assert_eq!(hull(places).depth(5.0, 5.0), f32::NEG_INFINITY);
        }
    }
}
