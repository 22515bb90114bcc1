//! What was captured of a finger? Its position, the image's geometry and the minutiae found.

use crate::{Minutia, Quality};

/// Which finger (ISO/IEC 19794-2:2005 table 5): 0 unknown, 1–5 right thumb to little, 6–10 left thumb to little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FingerPosition {
    /// Not told.
    Unknown = 0,
    /// Right thumb.
    RightThumb = 1,
    /// Right index finger.
    RightIndex = 2,
    /// Right middle finger.
    RightMiddle = 3,
    /// Right ring finger.
    RightRing = 4,
    /// Right little finger.
    RightLittle = 5,
    /// Left thumb.
    LeftThumb = 6,
    /// Left index finger.
    LeftIndex = 7,
    /// Left middle finger.
    LeftMiddle = 8,
    /// Left ring finger.
    LeftRing = 9,
    /// Left little finger.
    LeftLittle = 10,
}

impl FingerPosition {
    /// The ten named fingers in code order, without [`FingerPosition::Unknown`].
    pub const TEN: [Self; 10] = [
        Self::RightThumb,
        Self::RightIndex,
        Self::RightMiddle,
        Self::RightRing,
        Self::RightLittle,
        Self::LeftThumb,
        Self::LeftIndex,
        Self::LeftMiddle,
        Self::LeftRing,
        Self::LeftLittle,
    ];

    /// The ISO code, 0 to 10.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The position with this ISO code, if it is 0 to 10.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Unknown),
            1..=10 => Some(Self::TEN[usize::from(code) - 1]),
            _ => None,
        }
    }

    /// The OSIA name, for instance `RIGHT_INDEX`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::RightThumb => "RIGHT_THUMB",
            Self::RightIndex => "RIGHT_INDEX",
            Self::RightMiddle => "RIGHT_MIDDLE",
            Self::RightRing => "RIGHT_RING",
            Self::RightLittle => "RIGHT_LITTLE",
            Self::LeftThumb => "LEFT_THUMB",
            Self::LeftIndex => "LEFT_INDEX",
            Self::LeftMiddle => "LEFT_MIDDLE",
            Self::LeftRing => "LEFT_RING",
            Self::LeftLittle => "LEFT_LITTLE",
        }
    }

    /// The position with this OSIA name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        (0..=10).filter_map(Self::from_code).find(|p| p.name() == name)
    }
}

/// How the finger met the sensor (ISO/IEC 19794-2:2005 table 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Impression {
    /// Live scan, plain.
    LivePlain,
    /// Live scan, rolled.
    LiveRolled,
    /// Scan of ink or another carrier, plain.
    NonLivePlain,
    /// Scan of ink or another carrier, rolled.
    NonLiveRolled,
    /// Live swipe.
    Swipe,
    /// Any other code, kept as read.
    Other(u8),
}

/// Pixels per centimetre along x and y. 197 is 500 dpi.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Resolution {
    /// Pixels per centimetre along x, at least 1.
    pub x_px_per_cm: u16,
    /// Pixels per centimetre along y, at least 1.
    pub y_px_per_cm: u16,
}

impl Resolution {
    /// 500 dpi, written 197 px/cm in ISO records.
    pub const DPI_500: Self = Self { x_px_per_cm: 197, y_px_per_cm: 197 };
}

/// Minutiae of one impression of one finger, as decoded: not yet scaled, filtered or packed.
#[derive(Clone, PartialEq)]
pub struct FingerSample {
    /// Which finger.
    pub position: FingerPosition,
    /// How it was captured.
    pub impression: Impression,
    /// Sample quality, if reported.
    pub quality: Option<Quality>,
    /// Image width, pixels, 1 to 16384.
    pub width_px: u16,
    /// Image height, pixels, 1 to 16384.
    pub height_px: u16,
    /// Scale of the image.
    pub resolution: Resolution,
    /// The minutiae, at most 255.
    pub minutiae: Vec<Minutia>,
}

/// Why a finger sample cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FingerSampleError {
    /// Nothing to compare.
    #[error("finger {position}: expected at least one minutia, got none")]
    NoMinutiae {
        /// OSIA name of the finger.
        position: &'static str,
    },
    /// More than a record can carry.
    #[error("finger {position}: expected at most 255 minutiae, got {count}")]
    TooManyMinutiae {
        /// OSIA name of the finger.
        position: &'static str,
        /// How many were given.
        count: usize,
    },
    /// A resolution of zero.
    #[error("finger {position}: expected a resolution of at least 1 px/cm, got {x} × {y}")]
    Resolution {
        /// OSIA name of the finger.
        position: &'static str,
        /// Along x.
        x: u16,
        /// Along y.
        y: u16,
    },
}

impl FingerSample {
    /// Whether the sample can be compared at all: 1 to 255 minutiae and a positive resolution.
    ///
    /// # Errors
    /// The first thing wrong, named by finger.
    pub fn validate(&self) -> Result<(), FingerSampleError> {
        let position = self.position.name();
        let Resolution { x_px_per_cm: x, y_px_per_cm: y } = self.resolution;
        match self.minutiae.len() {
            0 => Err(FingerSampleError::NoMinutiae { position }),
            count @ 256.. => Err(FingerSampleError::TooManyMinutiae { position, count }),
            _ if x == 0 || y == 0 => Err(FingerSampleError::Resolution { position, x, y }),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for FingerSample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FingerSample({}, {} minutiae)", self.position.name(), self.minutiae.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_round_trip() {
        for code in 0..=10 {
            let position = FingerPosition::from_code(code).unwrap();
            assert_eq!(position.code(), code);
            assert_eq!(FingerPosition::from_name(position.name()), Some(position));
        }
        assert_eq!(FingerPosition::from_code(11), None);
    }

    #[test]
    fn debug_prints_sizes_only() {
        let minutia =
            Minutia { x_px: 1234, y_px: 77, angle_deg: 12.5, kind: crate::MinutiaKind::Ending, quality: None };
        let sample = FingerSample {
            position: FingerPosition::LeftRing,
            impression: Impression::LivePlain,
            quality: None,
            width_px: 300,
            height_px: 400,
            resolution: Resolution::DPI_500,
            minutiae: vec![minutia],
        };
        let shown = format!("{sample:?} {minutia:?}");
        assert!(!shown.contains("1234") && shown.contains("1 minutiae"), "{shown}");
    }
}
