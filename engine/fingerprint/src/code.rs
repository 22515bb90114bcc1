//! Which vector stands for a finger? A fixed-length code made of its minutiae, searched as faces are searched.
//!
//! Pairs of minutiae are counted in bins that no shift or turn changes ([`features`]); the counts become a
//! distribution, its square root is centred, brought to unit length, projected on the axes along which fingers differ
//! most for what impressions of one finger differ, each divided by its spread (whitening, which is what makes the code
//! work), and brought to unit length again. The axes were trained on synthetic prints alone (`models/finger-code.txt` says how). Codes compare by
//! cosine. The arithmetic is exact or fixed by IEEE 754: a template has the same code on every machine.

mod features;
mod projection;

use std::sync::LazyLock;

use khop_vocabulary::Calibration;

use crate::Template;
pub use features::{FEATURES, features};
pub use projection::{Projection, ProjectionError, centred, roots};

/// Numbers in a code.
pub const DIM: usize = 384;

/// Numbers in a code that is kept as signs: 64 bytes.
pub const SIGN_DIM: usize = 512;

/// Version of features and projection together. Codes of different versions do not compare.
pub const CODE_VERSION: u8 = 1;

/// Fewer minutiae than this say too little for a code.
pub const MIN_MINUTIAE: usize = 4;

static PROJECTION: LazyLock<Projection> = LazyLock::new(|| {
    Projection::from_bytes(include_bytes!("../models/finger-code.bin")).expect("the embedded projection is whole")
});

static CALIBRATION: LazyLock<Calibration> = LazyLock::new(|| {
    Calibration::from_text(include_str!("../calibrations/code.txt")).expect("the embedded table is one")
});

static SIGN_CALIBRATION: LazyLock<Calibration> = LazyLock::new(|| {
    Calibration::from_text(include_str!("../calibrations/code-signs.txt")).expect("the embedded table is one")
});

/// The code of a finger, [`DIM`] numbers of unit length; `None` with fewer than [`MIN_MINUTIAE`] minutiae or when no
/// two of them are near enough to make a pair.
#[must_use]
pub fn code(template: &Template) -> Option<Vec<f32>> {
    if template.minutiae_count() < MIN_MINUTIAE {
        return None;
    }
    PROJECTION.project(&features(template))
}

/// A code with zeros behind it up to [`SIGN_DIM`] numbers: turned, it has a third more signs, each of which tells the same
/// about it, and cosines stay what they are.
#[must_use]
pub fn widened(code: &[f32]) -> Vec<f32> {
    let mut wide = code.to_vec();
    wide.resize(SIGN_DIM, 0.0);
    wide
}

/// Cosine of two codes to score and log likelihood ratio.
#[must_use]
pub fn calibration() -> &'static Calibration {
    &CALIBRATION
}

/// The same of a cosine that is estimated from the signs of the [`widened`] reference.
#[must_use]
pub fn sign_calibration() -> &'static Calibration {
    &SIGN_CALIBRATION
}

#[cfg(test)]
mod tests {
    use khop_vocabulary::{FingerPosition, FingerSample, Impression, Minutia, MinutiaKind, Resolution};

    use super::*;

    /// A made-up finger: `count` minutiae along nearly level ridges, turned by `turn_deg` and shifted.
    fn finger(count: u32, which: u32, turn_deg: f64, shift: f64) -> Template {
        let minutia = |i: u32| {
            let chance = (i + 1) * (i + which) * which % 97;
            let (radius, at) = (15.0 * f64::from(i + 1).sqrt(), 2.4 * f64::from(i) + 0.02 * f64::from(chance));
            let (sin, cos) = (at + turn_deg.to_radians()).sin_cos();
            let angle = f64::from(chance % 2) * 180.0 + f64::from(chance % 40) + turn_deg;
            Minutia {
                x_px: (300.0 + shift + radius * cos).round() as u16,
                y_px: (300.0 + shift - radius * sin).round() as u16,
                angle_deg: angle.rem_euclid(360.0) as f32,
                kind: MinutiaKind::Ending,
                quality: None,
            }
        };
        let sample = FingerSample {
            position: FingerPosition::LeftRing,
            impression: Impression::LivePlain,
            quality: None,
            width_px: 700,
            height_px: 700,
            resolution: Resolution::DPI_500,
            minutiae: (0..count).map(minutia).collect(),
        };
        Template::of(&sample).unwrap()
    }

    fn cosine(a: &Template, b: &Template) -> f32 {
        code(a).unwrap().iter().zip(code(b).unwrap()).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn neither_turn_nor_shift_changes_a_code_much() {
        let still = finger(40, 5, 0.0, 0.0);
        assert!((cosine(&still, &still) - 1.0).abs() < 1e-5);
        for (turn, shift) in [(0.0, 60.0), (90.0, 0.0), (37.0, -50.0), (200.0, 11.0)] {
            let moved = cosine(&still, &finger(40, 5, turn, shift));
            let other = cosine(&still, &finger(40, 7, turn, shift));
            assert!(moved > 0.9 && other < 0.5, "{turn}° {shift} px: {moved}, another finger {other}");
        }
    }

    #[test]
    fn the_order_of_minutiae_says_nothing() {
        let a = finger(30, 5, 0.0, 0.0);
        let mut bytes = a.as_bytes().to_vec();
        bytes[3..].rotate_left(5 * 11);
        let b = Template::from_bytes(&bytes).unwrap();
        assert!(cosine(&a, &b) > 0.9999);
    }

    #[test]
    fn too_little_has_no_code() {
        assert!(code(&finger(3, 5, 0.0, 0.0)).is_none());
        let code = code(&finger(MIN_MINUTIAE as u32, 5, 0.0, 0.0)).unwrap();
        assert_eq!(code.len(), DIM);
        assert!((code.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-4);
    }

    #[test]
    fn the_embedded_files_fit_this_version() {
        assert!(calibration().name().ends_with(&format!("-{CODE_VERSION}")), "{}", calibration().name());
        assert!(
            sign_calibration().name().ends_with(&format!("-signs-{CODE_VERSION}")),
            "{}",
            sign_calibration().name()
        );
        assert_eq!(include_bytes!("../models/finger-code.bin")[8], CODE_VERSION);
        assert!(include_str!("../models/finger-code.txt").contains("khop train finger-code"));
    }
}
