//! What is a minutia? A place on a finger where a ridge ends or splits, with the ridge's direction there.

/// What the ridge does at a minutia (ISO/IEC 19794-2:2005 §6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MinutiaKind {
    /// Neither, or not told apart.
    Other,
    /// A ridge ends.
    Ending,
    /// A ridge splits in two.
    Bifurcation,
}

/// One minutia in the pixels of its own image: origin top left, y grows downward.
#[derive(Clone, Copy, PartialEq)]
pub struct Minutia {
    /// Column, pixels at the sample's resolution, 0 to 16383.
    pub x_px: u16,
    /// Row, pixels at the sample's resolution, 0 to 16383.
    pub y_px: u16,
    /// Direction in degrees, 0 ≤ angle < 360, counter-clockwise from +x as one looks at the image.
    pub angle_deg: f32,
    /// Ending or bifurcation.
    pub kind: MinutiaKind,
    /// Confidence of the extractor, 1 to 100; `None` where it reported none.
    pub quality: Option<u8>,
}

impl std::fmt::Debug for Minutia {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Minutia(..)")
    }
}
