//! Which record is it? The three formats told apart by their headers, each read by its own reader.

use crate::cursor::Cursor;
use crate::reading::Reading;
use crate::{Deviation, FormatError, MAX_RECORD_BYTES, MinutiaeRecord, RecordFormat, incits_2004, iso_2005, iso_2011};

/// Reads a finger minutiae record of any known format.
///
/// Linear in the number of bytes. Field by field after ISO/IEC 19794-2:2005 §7, ISO/IEC 19794-2:2011 §8 and
/// INCITS 378-2004 §6; ISO 2005 and INCITS 2004 carry the same magic and version and differ in where the total
/// length stands. In ISO 2005 and INCITS 2004 a finger quality of 0 is read as not reported: extractors that measure
/// none write it. Qualities above 100 (254 not attempted, 255 failed) are read as not reported.
///
/// # Errors
/// [`FormatError`] for more than [`MAX_RECORD_BYTES`] bytes, a wrong magic or version, a field out of its range, a
/// number of views outside 1 to [`crate::MAX_VIEWS`] and for bytes that end too early.
pub fn read_minutiae(bytes: &[u8]) -> Result<MinutiaeRecord, FormatError> {
    if bytes.len() > MAX_RECORD_BYTES {
        let (limit, found) = (MAX_RECORD_BYTES, bytes.len());
        return Err(FormatError::TooLarge { what: "minutiae record", limit, found });
    }
    let mut cursor = Cursor::new(bytes);
    let magic = cursor.take("format identifier", 4)?;
    if magic != b"FMR\0" {
        return Err(FormatError::unexpected("format identifier", 0, "\"FMR\\0\"", quoted(magic)));
    }
    let mut reading = match cursor.take("version", 4)? {
        b"030\0" => Reading::of(RecordFormat::Iso19794Part2Of2011),
        b" 20\0" => Reading::of(sniff_version_20(cursor.clone())?),
        other => {
            let expected = "\" 20\\0\" (ISO 2005, INCITS 2004) or \"030\\0\" (ISO 2011)";
            return Err(FormatError::unexpected("version", 4, expected, quoted(other)));
        }
    };
    match reading.record.format {
        RecordFormat::Iso19794Part2Of2005 => iso_2005::read(&mut cursor, &mut reading)?,
        RecordFormat::Iso19794Part2Of2011 => iso_2011::read(&mut cursor, &mut reading)?,
        RecordFormat::Incits378Of2004 => incits_2004::read(&mut cursor, &mut reading)?,
    }
    let (declared, read, given) = (reading.declared, cursor.offset(), bytes.len());
    if declared != read as u64 || given != read {
        reading.record.deviations.insert(0, Deviation::Length { declared, read, given });
    }
    Ok(reading.record)
}

/// ISO 2005 has a 32-bit total length at byte 8; INCITS 2004 a 16-bit one, or 0 and then 32 bits.
fn sniff_version_20(mut after_version: Cursor<'_>) -> Result<RecordFormat, FormatError> {
    let first = after_version.u16("total length")?;
    let second = after_version.u16("total length")?;
    Ok(match (first, second) {
        (26.., _) | (0, ..24) => RecordFormat::Incits378Of2004,
        _ => RecordFormat::Iso19794Part2Of2005,
    })
}

fn quoted(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}
