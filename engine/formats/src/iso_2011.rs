//! How is ISO/IEC 19794-2:2011 laid out? Representations, each with its own capture, quality and image fields.

use khop_vocabulary::{FingerSample, Quality, Resolution};

use crate::FormatError;
use crate::area::read_areas;
use crate::cursor::Cursor;
use crate::minutia::{self, Packing};
use crate::reading::Reading;

/// Reads what follows magic and version.
pub(crate) fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<(), FormatError> {
    reading.declared = cursor.u32("total length")?.into();
    let offset = cursor.offset();
    let count = usize::from(cursor.u16("number of representations")?);
    reading.expect_views(offset, count)?;
    let offset = cursor.offset();
    let has_certificates = match cursor.u8("certification flag")? {
        flag @ 0..=1 => flag == 1,
        other => return Err(FormatError::unexpected("certification flag", offset, "0 or 1", other)),
    };
    for _ in 0..count {
        read_representation(cursor, has_certificates, reading)?;
    }
    Ok(())
}

fn read_representation(
    cursor: &mut Cursor<'_>,
    has_certificates: bool,
    reading: &mut Reading,
) -> Result<(), FormatError> {
    let start = cursor.offset();
    let length = cursor.u32("representation length")?;
    cursor.take("capture time", 9)?;
    cursor.u8("capture device technology")?;
    cursor.u16("capture device vendor")?;
    cursor.u16("capture device type")?;
    let mut quality = None;
    for _ in 0..cursor.u8("number of quality blocks")? {
        let block = cursor.take("quality block", 5)?;
        quality = quality.or(Quality::new(block[0]).ok()); // 255: this algorithm failed
    }
    if has_certificates {
        let count = cursor.u8("number of certification blocks")?;
        cursor.take("certification blocks", usize::from(count) * 3)?;
    }
    let position = minutia::read_position(cursor)?;
    cursor.u8("representation number")?;
    let x_px_per_cm = minutia::read_resolution(cursor, "x resolution")?;
    let y_px_per_cm = minutia::read_resolution(cursor, "y resolution")?;
    let impression = minutia::impression_of(cursor.u8("impression type")?);
    let width_px = minutia::read_side(cursor, "image width")?;
    let height_px = minutia::read_side(cursor, "image height")?;
    let offset = cursor.offset();
    let has_quality = match cursor.u8("minutia size and ridge ending type")? >> 4 {
        5 => false,
        6 => true,
        other => return Err(FormatError::unexpected("minutia size", offset, "5 or 6 bytes", other)),
    };
    let packing = Packing { has_quality, zero_is_unreported: false, ..Packing::ISO_2005 };
    let count = cursor.u8("number of minutiae")?;
    let resolution = Resolution { x_px_per_cm, y_px_per_cm };
    let mut sample =
        FingerSample { position, impression, quality, width_px, height_px, resolution, minutiae: Vec::new() };
    minutia::read_minutiae(cursor, packing, count, &mut sample, reading)?;
    read_areas(cursor, reading)?;
    let read = cursor.offset() - start;
    let Some(rest) = (length as usize).checked_sub(read) else {
        let expected = format!("at least the {read} bytes its fields take");
        return Err(FormatError::unexpected("representation length", start, expected, length));
    };
    cursor.take("rest of the representation", rest)?;
    reading.record.views.push(sample);
    Ok(())
}
