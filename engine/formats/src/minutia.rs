//! How is a minutia packed? Six bytes (five without quality), the same in all formats but for the unit of the angle.

use khop_vocabulary::{FingerPosition, FingerSample, Impression, Minutia, MinutiaKind, Quality};

use crate::cursor::Cursor;
use crate::reading::Reading;
use crate::{Deviation, FormatError, MAX_SIDE_PX};

const COORDINATE: u16 = 0x3fff;

/// How a format packs its minutiae.
#[derive(Clone, Copy)]
pub(crate) struct Packing {
    /// Degrees in one unit of the angle: 360/256 in ISO, 2 in INCITS.
    pub(crate) degrees_per_unit: f32,
    /// Whether a quality byte follows.
    pub(crate) has_quality: bool,
    /// Whether a quality of 0 means that none was reported (2004, 2005) or the worst (2011).
    pub(crate) zero_is_unreported: bool,
}

impl Packing {
    pub(crate) const ISO_2005: Self =
        Self { degrees_per_unit: 360.0 / 256.0, has_quality: true, zero_is_unreported: true };
    pub(crate) const INCITS_2004: Self = Self { degrees_per_unit: 2.0, ..Self::ISO_2005 };
}

/// Reads `count` minutiae into `sample` and notes those that lie outside its image.
pub(crate) fn read_minutiae(
    cursor: &mut Cursor<'_>,
    packing: Packing,
    count: u8,
    sample: &mut FingerSample,
    reading: &mut Reading,
) -> Result<(), FormatError> {
    let mut dropped = 0;
    sample.minutiae.reserve_exact(count.into());
    for _ in 0..count {
        let minutia = read_minutia(cursor, packing)?;
        if minutia.x_px < sample.width_px && minutia.y_px < sample.height_px {
            sample.minutiae.push(minutia);
        } else {
            dropped += 1;
        }
    }
    if dropped > 0 {
        let view = reading.record.views.len();
        reading.record.deviations.push(Deviation::OutsideImage { view, dropped });
    }
    Ok(())
}

fn read_minutia(cursor: &mut Cursor<'_>, packing: Packing) -> Result<Minutia, FormatError> {
    let kind_and_x = cursor.u16("minutia type and x")?;
    let y = cursor.u16("minutia y")?;
    let offset = cursor.offset();
    let units = cursor.u8("minutia angle")?;
    let angle_deg = f32::from(units) * packing.degrees_per_unit;
    if angle_deg >= 360.0 {
        return Err(FormatError::unexpected("minutia angle", offset, "0 to 179 units of 2°", units));
    }
    let quality = if packing.has_quality { Some(cursor.u8("minutia quality")?) } else { None };
    let kind = match kind_and_x >> 14 {
        1 => MinutiaKind::Ending,
        2 => MinutiaKind::Bifurcation,
        _ => MinutiaKind::Other,
    };
    let quality = match quality {
        Some(0) if !packing.zero_is_unreported => Some(1), // the worst that can be said of a minutia
        Some(given @ 1..=100) => Some(given),
        _ => None,
    };
    Ok(Minutia { x_px: kind_and_x & COORDINATE, y_px: y & COORDINATE, angle_deg, kind, quality })
}

/// Appends the six bytes of ISO 2005. The caller has checked that coordinates lie below 2^14 and the angle is finite.
pub(crate) fn write_minutia(minutia: &Minutia, bytes: &mut Vec<u8>) {
    let kind: u16 = match minutia.kind {
        MinutiaKind::Other => 0,
        MinutiaKind::Ending => 1,
        MinutiaKind::Bifurcation => 2,
    };
    let units = (minutia.angle_deg.rem_euclid(360.0) * (256.0 / 360.0)).round() as u16;
    bytes.extend((kind << 14 | minutia.x_px & COORDINATE).to_be_bytes());
    bytes.extend((minutia.y_px & COORDINATE).to_be_bytes());
    bytes.push((units % 256) as u8);
    bytes.push(minutia.quality.map_or(0, |q| q.clamp(1, 100)));
}

pub(crate) fn read_side(cursor: &mut Cursor<'_>, field: &'static str) -> Result<u16, FormatError> {
    cursor.u16_where(field, "1 to 16384 px", |px| (1..=MAX_SIDE_PX).contains(&px))
}

pub(crate) fn read_resolution(cursor: &mut Cursor<'_>, field: &'static str) -> Result<u16, FormatError> {
    cursor.u16_where(field, "at least 1 px/cm", |px_per_cm| px_per_cm > 0)
}

pub(crate) fn read_position(cursor: &mut Cursor<'_>) -> Result<FingerPosition, FormatError> {
    let offset = cursor.offset();
    let code = cursor.u8("finger position")?;
    FingerPosition::from_code(code).ok_or_else(|| FormatError::unexpected("finger position", offset, "0 to 10", code))
}

pub(crate) fn impression_of(code: u8) -> Impression {
    match code {
        0 => Impression::LivePlain,
        1 => Impression::LiveRolled,
        2 => Impression::NonLivePlain,
        3 => Impression::NonLiveRolled,
        8 => Impression::Swipe,
        other => Impression::Other(other),
    }
}

pub(crate) fn code_of(impression: Impression) -> u8 {
    match impression {
        Impression::LivePlain => 0,
        Impression::LiveRolled => 1,
        Impression::NonLivePlain => 2,
        Impression::NonLiveRolled => 3,
        Impression::Swipe => 8,
        Impression::Other(other) => other,
    }
}

/// Finger quality in 2004 and 2005 records: 0 is what extractors write that measure none.
pub(crate) fn quality_of(value: u8) -> Option<Quality> {
    Quality::new(value).ok().filter(|q| q.value() > 0)
}
