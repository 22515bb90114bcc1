//! Which record is it, and what does it hold? The three formats told apart by their headers.

use khop_vocabulary::FingerSample;

use crate::cursor::Cursor;
use crate::{Area, FormatError, MAX_RECORD_BYTES, MAX_VIEWS, incits_2004, iso_2005, iso_2011};

/// A finger minutiae record format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordFormat {
    /// ISO/IEC 19794-2:2005, record format: one image geometry for all views, angles of 360/256°.
    Iso19794Part2Of2005,
    /// ISO/IEC 19794-2:2011: each representation has its own geometry, capture time and quality blocks.
    Iso19794Part2Of2011,
    /// INCITS 378-2004: as ISO 2005 with a longer header and angles of 2°.
    Incits378Of2004,
}

impl std::fmt::Display for RecordFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Iso19794Part2Of2005 => "ISO/IEC 19794-2:2005",
            Self::Iso19794Part2Of2011 => "ISO/IEC 19794-2:2011",
            Self::Incits378Of2004 => "INCITS 378-2004",
        })
    }
}

/// What the record gets wrong and the reader forgave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deviation {
    /// The total length in the header, the bytes the views take and the bytes given are not all the same.
    Length {
        /// In the header.
        declared: u64,
        /// Up to the end of the last view.
        read: usize,
        /// Given by the caller.
        given: usize,
    },
    /// Minutiae beyond the image's edge were left out.
    OutsideImage {
        /// Index of the view, from 0.
        view: usize,
        /// How many were left out.
        dropped: usize,
    },
    /// The areas of the extended data end where they should under neither way of counting their length.
    AreaLengths {
        /// Index of the view, from 0.
        view: usize,
    },
}

impl std::fmt::Display for Deviation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length { declared, read, given } => {
                write!(f, "the header declares {declared} bytes, the views take {read}, {given} were given")
            }
            Self::OutsideImage { view, dropped } => write!(f, "view {view}: {dropped} minutiae lie outside the image"),
            Self::AreaLengths { view } => write!(f, "view {view}: extended data of unclear lengths was skipped"),
        }
    }
}

/// A decoded finger minutiae record.
#[derive(Debug, Clone, PartialEq)]
pub struct MinutiaeRecord {
    /// The format it was in.
    pub format: RecordFormat,
    /// The views in the order of the record, 1 to [`MAX_VIEWS`]. A view may be without minutiae; view numbers are
    /// not kept, because records in the field repeat them.
    pub views: Vec<FingerSample>,
    /// The extended data areas, by view: what kind and how long. The engine uses none of them.
    pub areas: Vec<Area>,
    /// What the record gets wrong; empty for a correct one.
    pub deviations: Vec<Deviation>,
}

/// Reads a finger minutiae record of any known format.
///
/// Linear in the number of bytes. Field by field after ISO/IEC 19794-2:2005 §7, ISO/IEC 19794-2:2011 §8 and
/// INCITS 378-2004 §6; ISO 2005 and INCITS 2004 carry the same magic and version and differ in where the total
/// length stands. In ISO 2005 and INCITS 2004 a finger quality of 0 is read as not reported: extractors that measure
/// none write it. Qualities above 100 (254 not attempted, 255 failed) are read as not reported.
///
/// # Errors
/// [`FormatError`] for more than [`MAX_RECORD_BYTES`] bytes, a wrong magic or version, a field out of its range, a
/// number of views outside 1 to [`MAX_VIEWS`] and for bytes that end too early.
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

/// A record under way: what has been read so far.
pub(crate) struct Reading {
    pub(crate) record: MinutiaeRecord,
    /// The total length in the header.
    pub(crate) declared: u64,
}

impl Reading {
    fn of(format: RecordFormat) -> Self {
        Self {
            record: MinutiaeRecord { format, views: Vec::new(), areas: Vec::new(), deviations: Vec::new() },
            declared: 0,
        }
    }

    /// Checks the number of views, found at `offset`.
    pub(crate) fn expect_views(&mut self, offset: usize, count: usize) -> Result<(), FormatError> {
        if (1..=MAX_VIEWS).contains(&count) {
            return Ok(());
        }
        Err(FormatError::unexpected("number of finger views", offset, format!("1 to {MAX_VIEWS}"), count))
    }
}
