//! How is ISO/IEC 19794-2:2005 laid out? Its reader and its writer.

use khop_vocabulary::{FingerSample, Resolution};

use crate::area::read_areas;
use crate::cursor::Cursor;
use crate::minutia::{self, Packing};
use crate::reading::Reading;
use crate::{FormatError, MAX_RECORD_BYTES, MAX_SIDE_PX, MAX_VIEWS};

/// Reads what follows magic and version.
pub(crate) fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<(), FormatError> {
    reading.declared = cursor.u32("total length")?.into();
    read_after_length(cursor, Packing::ISO_2005, reading)
}

/// Reads the rest of the header and the views, which INCITS 378-2004 shares but for the unit of the angle.
pub(crate) fn read_after_length(
    cursor: &mut Cursor<'_>,
    packing: Packing,
    reading: &mut Reading,
) -> Result<(), FormatError> {
    cursor.u16("capture equipment")?;
    let width_px = minutia::read_side(cursor, "image width")?;
    let height_px = minutia::read_side(cursor, "image height")?;
    let x_px_per_cm = minutia::read_resolution(cursor, "x resolution")?;
    let y_px_per_cm = minutia::read_resolution(cursor, "y resolution")?;
    let offset = cursor.offset();
    let count = usize::from(cursor.u8("number of finger views")?);
    reading.expect_views(offset, count)?;
    cursor.u8("reserved byte")?;
    for _ in 0..count {
        let position = minutia::read_position(cursor)?;
        let number_and_impression = cursor.u8("view number and impression type")?;
        let quality = minutia::quality_of(cursor.u8("finger quality")?);
        let minutiae = cursor.u8("number of minutiae")?;
        let mut sample = FingerSample {
            position,
            impression: minutia::impression_of(number_and_impression & 0x0f),
            quality,
            width_px,
            height_px,
            resolution: Resolution { x_px_per_cm, y_px_per_cm },
            minutiae: Vec::new(),
        };
        minutia::read_minutiae(cursor, packing, minutiae, &mut sample, reading)?;
        read_areas(cursor, reading)?;
        reading.record.views.push(sample);
    }
    Ok(())
}

/// Writes an ISO/IEC 19794-2:2005 record, without extended data, capture equipment 0.
///
/// Angles are rounded to 360/256°; a finger or minutia quality that was not reported is written as 0, a minutia
/// quality outside 1–100 as the nearest in it. What is written reads back as the same samples but for that rounding
/// (and a finger quality of 0, which reads back as not reported).
///
/// # Errors
/// [`FormatError::Unwritable`] when the samples do not fit one record: no view or more than [`MAX_VIEWS`], images of
/// different size or resolution, more than 16 views of a finger or 255 minutiae in a view, a minutia outside the
/// image, an angle that is not finite, an impression code above 15.
pub fn write_iso_2005(views: &[FingerSample]) -> Result<Vec<u8>, FormatError> {
    let Some(first) = views.first().filter(|_| views.len() <= MAX_VIEWS) else {
        let expected = format!("1 to {MAX_VIEWS}");
        return Err(FormatError::unwritable(0, "number of finger views", expected, views.len()));
    };
    let mut bytes = b"FMR\0 20\0\0\0\0\0\0\0".to_vec();
    let Resolution { x_px_per_cm, y_px_per_cm } = first.resolution;
    for number in [first.width_px, first.height_px, x_px_per_cm, y_px_per_cm] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend([views.len() as u8, 0]);
    let mut views_of = [0u8; 11];
    for (index, view) in views.iter().enumerate() {
        check(index, view, first)?;
        let number = &mut views_of[usize::from(view.position.code())];
        if *number > 15 {
            return Err(FormatError::unwritable(index, "view number", "at most 16 views of one finger", *number + 1));
        }
        let quality = view.quality.map_or(0, |q| q.value());
        let impression = *number << 4 | minutia::code_of(view.impression);
        bytes.extend([view.position.code(), impression, quality, view.minutiae.len() as u8]);
        *number += 1;
        for one in &view.minutiae {
            minutia::write_minutia(one, &mut bytes);
        }
        bytes.extend([0, 0]); // no extended data
    }
    debug_assert!(bytes.len() <= MAX_RECORD_BYTES);
    let length = (bytes.len() as u32).to_be_bytes();
    bytes[8..12].copy_from_slice(&length);
    Ok(bytes)
}

/// Whether a view fits the record that `first` begins.
fn check(index: usize, view: &FingerSample, first: &FingerSample) -> Result<(), FormatError> {
    let unwritable =
        |field, expected: String, found: String| Err(FormatError::unwritable(index, field, expected, found));
    let size = |s: &FingerSample| format!("{} × {} px", s.width_px, s.height_px);
    let side = 1..=MAX_SIDE_PX;
    let Resolution { x_px_per_cm: x, y_px_per_cm: y } = view.resolution;
    let code = minutia::code_of(view.impression);
    if !side.contains(&view.width_px) || !side.contains(&view.height_px) {
        return unwritable("image size", format!("1 to {MAX_SIDE_PX} px each way"), size(view));
    }
    if (view.width_px, view.height_px) != (first.width_px, first.height_px) {
        return unwritable("image size", format!("{} as in view 0", size(first)), size(view));
    }
    if x == 0 || y == 0 {
        return unwritable("resolution", "at least 1 px/cm".into(), format!("{x} × {y}"));
    }
    if view.resolution != first.resolution {
        let Resolution { x_px_per_cm: x0, y_px_per_cm: y0 } = first.resolution;
        return unwritable("resolution", format!("{x0} × {y0} px/cm as in view 0"), format!("{x} × {y}"));
    }
    if code > 15 {
        return unwritable("impression type", "0 to 15".into(), code.to_string());
    }
    if view.minutiae.len() > 255 {
        return unwritable("number of minutiae", "at most 255".into(), view.minutiae.len().to_string());
    }
    let outside = |m: &&khop_vocabulary::Minutia| m.x_px >= view.width_px || m.y_px >= view.height_px;
    let count = view.minutiae.iter().filter(outside).count();
    if count > 0 {
        return unwritable("minutia", "all inside the image".into(), format!("{count} outside"));
    }
    if view.minutiae.iter().any(|m| !m.angle_deg.is_finite()) {
        return unwritable("minutia angle", "finite degrees".into(), "one that is not".into());
    }
    Ok(())
}
