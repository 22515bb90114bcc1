//! Which way? Directions as 256ths of a turn, so that wrapping arithmetic is circular arithmetic.
//!
//! One step is 1.40625°, the unit of an ISO/IEC 19794-2 record. Everything here uses only additions,
//! multiplications and divisions, whose results IEEE 754 fixes: no CPU and no C library gives another answer.

/// Steps to a turn.
pub(crate) const TURN: f32 = 256.0;

/// Shortest way from one direction to another, 0 to 128 steps.
#[inline]
pub(crate) fn apart(a: u8, b: u8) -> u8 {
    (a.wrapping_sub(b) as i8).unsigned_abs()
}

/// Direction from degrees; NaN and infinities count as 0.
pub(crate) fn from_degrees(degrees: f32) -> u8 {
    let steps = (degrees * (TURN / 360.0)).round();
    if steps.is_finite() { steps.rem_euclid(TURN) as u8 } else { 0 }
}

/// Direction of the vector (dx, dy) where y grows downward: counter-clockwise as one looks at the image, to the
/// nearest step. The zero vector points along +x.
#[inline]
pub(crate) fn of_vector(dx: f32, dy: f32) -> u8 {
    // An odd polynomial for atan on 0..=1, largest error 1e-5 rad, then the octant by symmetry.
    let (ax, ay) = (dx.abs(), dy.abs());
    let (low, high) = if ax < ay { (ax, ay) } else { (ay, ax) };
    let t = if high > 0.0 { low / high } else { 0.0 };
    let s = t * t;
    let series = 0.999_866 + s * (-0.330_299_5 + s * (0.180_141 + s * (-0.085_133 + s * 0.020_835_1)));
    let octant = t * series * (TURN / std::f32::consts::TAU);
    let quadrant = if ax < ay { TURN / 4.0 - octant } else { octant };
    let half = if dx < 0.0 { TURN / 2.0 - quadrant } else { quadrant };
    let turn = if dy > 0.0 { TURN - half } else { half };
    ((turn + 0.5) as i32) as u8
}

/// Unit vector (dx, dy) of a direction, y downward: the inverse of [`of_vector`].
#[inline]
pub(crate) fn unit_vector(direction: u8) -> (f32, f32) {
    UNIT_VECTORS[usize::from(direction)]
}

static UNIT_VECTORS: [(f32, f32); 256] = {
    let mut table = [(0.0, 0.0); 256];
    let mut step = 0;
    while step < 256 {
        // Taylor series for the angle in −π..π, exact to f32 at twenty terms.
        let angle = (if step < 128 { step as f64 } else { step as f64 - 256.0 }) * std::f64::consts::TAU / 256.0;
        let (mut cosine, mut sine, mut term, mut k) = (0.0, 0.0, 1.0, 0);
        while k < 40 {
            match k % 4 {
                0 => cosine += term,
                1 => sine += term,
                2 => cosine -= term,
                _ => sine -= term,
            }
            k += 1;
            term *= angle / k as f64;
        }
        table[step] = (cosine as f32, -sine as f32);
        step += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_point_as_the_library_says() {
        for dx in -40i16..=40 {
            for dy in -40i16..=40 {
                let exact = f64::from(-dy).atan2(f64::from(dx)) * 256.0 / std::f64::consts::TAU;
                let error = (f64::from(of_vector(dx.into(), dy.into())) - exact + 128.0).rem_euclid(256.0) - 128.0;
                assert!(error.abs() <= 0.501, "({dx}, {dy}): {error}");
            }
        }
    }

    #[test]
    fn unit_vectors_lead_back() {
        for direction in 0..=255 {
            let (dx, dy) = unit_vector(direction);
            assert!((dx * dx + dy * dy - 1.0).abs() < 1e-6);
            assert_eq!(of_vector(dx, dy), direction);
        }
    }

    #[test]
    fn wrapping_is_circular() {
        assert_eq!((apart(250, 3), apart(3, 250), apart(0, 128)), (9, 9, 128));
        assert_eq!((from_degrees(0.0), from_degrees(90.0), from_degrees(359.9), from_degrees(-90.0)), (0, 64, 0, 192));
        assert_eq!((from_degrees(f32::NAN), from_degrees(f32::INFINITY), from_degrees(1e30)), (0, 0, 0));
    }
}
