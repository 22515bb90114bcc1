//! What is kept of a finger? Its best minutiae at 500 dpi, packed and versioned, ready to be prepared.

use khop_vocabulary::{FingerSample, FingerSampleError, Minutia, MinutiaKind, Quality};

use crate::direction;

/// Version of the packed bytes. Templates of another version are made again from the sample as received.
pub const TEMPLATE_VERSION: u8 = 1;

/// At most this many minutiae are kept.
pub(crate) const MAX_MINUTIAE: usize = 100;

const HEADER_BYTES: usize = 3;
const MINUTIA_BYTES: usize = 5;
const NO_QUALITY: u8 = 255;
/// Coordinates take 12 bits: 4,095 px at 500 dpi are 208 mm.
const MAX_COORDINATE: u16 = 4095;

/// The minutiae of one finger, packed: three bytes of header and five bytes a minutia.
///
/// | bytes | content |
/// |---|---|
/// | 0 | [`TEMPLATE_VERSION`] |
/// | 1 | number of minutiae, 1 to 100 |
/// | 2 | sample quality 0 to 100, 255 where none was reported |
/// | 3 + 5·i | bits 0–11 x, 12–23 y (pixels at 500 dpi from the bounding box's corner, y downward), 24–31 direction (256ths of a turn, counter-clockwise), 32–33 kind (0 other, 1 ending, 2 bifurcation), 34–39 quality (0 not reported, 1 to 63), little-endian |
///
/// Of more than 100 minutiae those are kept that stand most alone: the distance to the fifth nearest neighbour
/// decides, since false minutiae come in clusters. Positions are relative to the bounding box; what lies further
/// than 4,095 px from its corner is moved onto that border.
#[derive(Clone, PartialEq, Eq)]
pub struct Template(Box<[u8]>);

/// Why there is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The sample cannot be used.
    #[error(transparent)]
    Sample(#[from] FingerSampleError),
    /// Shorter than its header.
    #[error("finger template: expected at least {HEADER_BYTES} bytes, got {0}")]
    Header(usize),
    /// Made by another version of the packing.
    #[error("finger template version: expected {TEMPLATE_VERSION}, got {0}")]
    Version(u8),
    /// None, or more than are ever kept.
    #[error("finger template count: expected 1 to {MAX_MINUTIAE} minutiae, got {0}")]
    Count(u8),
    /// Length and count disagree.
    #[error("finger template length: expected {expected} bytes for its count, got {got}")]
    Length {
        /// What the count asks for.
        expected: usize,
        /// What is there.
        got: usize,
    },
    /// A quality that does not exist.
    #[error("finger template quality: expected 0 to 100 or 255, got {0}")]
    Quality(u8),
    /// A kind that does not exist.
    #[error("finger template minutia {0}: expected kind 0, 1 or 2, got 3")]
    Kind(usize),
}

/// One minutia as the comparators see it: pixels at 500 dpi, y downward.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    pub x: i16,
    pub y: i16,
    pub direction: u8,
    pub kind: MinutiaKind,
    /// 0 not reported, else 1 to 63.
    pub quality: u8,
}

impl Template {
    /// Scales to 500 dpi, keeps the best minutiae, packs.
    ///
    /// # Errors
    /// [`TemplateError::Sample`] where [`FingerSample::validate`] objects, for instance without any minutia.
    pub fn of(sample: &FingerSample) -> Result<Self, TemplateError> {
        sample.validate()?;
        // 197 px/cm is how a record writes 500 dpi: it is taken for exactly that.
        let scale = |px_per_cm: u16| 197.0 / f64::from(px_per_cm);
        let (sx, sy) = (scale(sample.resolution.x_px_per_cm), scale(sample.resolution.y_px_per_cm));
        let place = |m: &Minutia| {
            let at = |px: u16, s: f64| (f64::from(px) * s).round() as u32;
            (at(m.x_px, sx), at(m.y_px, sy))
        };
        let places: Vec<(u32, u32)> = sample.minutiae.iter().map(place).collect();
        let left = places.iter().map(|p| p.0).min().unwrap_or(0);
        let top = places.iter().map(|p| p.1).min().unwrap_or(0);
        let clamp = |v: u32| v.min(u32::from(MAX_COORDINATE)) as i16;
        let points: Vec<Point> = sample
            .minutiae
            .iter()
            .zip(&places)
            .map(|(m, &(x, y))| Point {
                x: clamp(x - left),
                y: clamp(y - top),
                direction: direction::from_degrees(m.angle_deg),
                kind: m.kind,
                quality: m.quality.map_or(0, |q| (f32::from(q.clamp(1, 100)) * 0.63).ceil() as u8),
            })
            .collect();
        Ok(Self::packed(&most_alone(points), sample.quality))
    }

    /// Packs at least one and at most [`MAX_MINUTIAE`] points.
    pub(crate) fn packed(points: &[Point], quality: Option<Quality>) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + MINUTIA_BYTES * points.len());
        bytes.extend([TEMPLATE_VERSION, points.len() as u8, quality.map_or(NO_QUALITY, Quality::value)]);
        points.iter().for_each(|p| bytes.extend(p.pack()));
        Self(bytes.into())
    }

    /// Reads what [`Template::as_bytes`] gave.
    ///
    /// # Errors
    /// Everything but [`TemplateError::Sample`], by what is wrong. Never panics.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TemplateError> {
        let &[version, count, quality, ref minutiae @ ..] = bytes else {
            return Err(TemplateError::Header(bytes.len()));
        };
        if version != TEMPLATE_VERSION {
            return Err(TemplateError::Version(version));
        }
        if !(1..=MAX_MINUTIAE).contains(&usize::from(count)) {
            return Err(TemplateError::Count(count));
        }
        let expected = HEADER_BYTES + MINUTIA_BYTES * usize::from(count);
        if bytes.len() != expected {
            return Err(TemplateError::Length { expected, got: bytes.len() });
        }
        if quality > 100 && quality != NO_QUALITY {
            return Err(TemplateError::Quality(quality));
        }
        if let Some(index) = minutiae.chunks_exact(MINUTIA_BYTES).position(|m| m[4] & 3 == 3) {
            return Err(TemplateError::Kind(index));
        }
        Ok(Self(bytes.into()))
    }

    /// The packed bytes, 8 to 503 of them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Quality of the sample, if it was reported.
    #[must_use]
    pub fn quality(&self) -> Option<Quality> {
        Quality::new(self.0[2]).ok()
    }

    /// How many minutiae are kept, 1 to 100.
    #[must_use]
    pub fn minutiae_count(&self) -> usize {
        usize::from(self.0[1])
    }

    /// What a small sensor would have seen: the `count` minutiae nearest to the middle of all, at least one.
    #[must_use]
    pub fn innermost(&self, count: usize) -> Self {
        let mut points: Vec<Point> = self.points().collect();
        let share = 1.0 / points.len() as f32;
        let (x, y) =
            points.iter().fold((0.0, 0.0), |(x, y), p| (x + f32::from(p.x) * share, y + f32::from(p.y) * share));
        let distance2 = |p: &Point| (f32::from(p.x) - x).powi(2) + (f32::from(p.y) - y).powi(2);
        points.sort_by(|a, b| distance2(a).total_cmp(&distance2(b)));
        points.truncate(count.max(1));
        Self::packed(&points, self.quality())
    }

    /// The minutiae in packed order.
    pub(crate) fn points(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        self.0[HEADER_BYTES..].chunks_exact(MINUTIA_BYTES).map(Point::unpack)
    }
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Template({} minutiae)", self.minutiae_count())
    }
}

impl Point {
    fn pack(self) -> [u8; MINUTIA_BYTES] {
        let kind = match self.kind {
            MinutiaKind::Other => 0u64,
            MinutiaKind::Ending => 1,
            MinutiaKind::Bifurcation => 2,
        };
        let word = self.x as u64
            | (self.y as u64) << 12
            | u64::from(self.direction) << 24
            | kind << 32
            | u64::from(self.quality) << 34;
        let [a, b, c, d, e, ..] = word.to_le_bytes();
        [a, b, c, d, e]
    }

    fn unpack(bytes: &[u8]) -> Self {
        let word = bytes.iter().rev().fold(0u64, |word, &b| word << 8 | u64::from(b));
        Self {
            x: (word & 0xfff) as i16,
            y: (word >> 12 & 0xfff) as i16,
            direction: (word >> 24) as u8,
            kind: match word >> 32 & 3 {
                1 => MinutiaKind::Ending,
                2 => MinutiaKind::Bifurcation,
                _ => MinutiaKind::Other,
            },
            quality: (word >> 34) as u8,
        }
    }

    /// Squared distance in pixels.
    #[inline]
    pub(crate) fn distance2(self, other: Self) -> i32 {
        let (dx, dy) = (i32::from(self.x) - i32::from(other.x), i32::from(self.y) - i32::from(other.y));
        dx * dx + dy * dy
    }
}

/// The [`MAX_MINUTIAE`] points furthest from their fifth nearest neighbour, in their old order.
fn most_alone(points: Vec<Point>) -> Vec<Point> {
    if points.len() <= MAX_MINUTIAE {
        return points;
    }
    let mut ranked: Vec<(i32, usize)> = (0..points.len())
        .map(|i| {
            let mut distances: Vec<i32> = points.iter().map(|&p| points[i].distance2(p)).collect();
            (*distances.select_nth_unstable(5).1, i) // the point itself is the nearest, at 0
        })
        .collect();
    ranked.sort_unstable_by_key(|&(alone, i)| (std::cmp::Reverse(alone), i));
    let mut kept: Vec<usize> = ranked.into_iter().take(MAX_MINUTIAE).map(|(_, i)| i).collect();
    kept.sort_unstable();
    kept.into_iter().map(|i| points[i]).collect()
}
