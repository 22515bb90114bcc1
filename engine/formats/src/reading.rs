//! What does a record hold? Its views, and what was forgiven in reading them.

use khop_vocabulary::FingerSample;

use crate::{Area, FormatError, MAX_VIEWS};

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

/// A record under way: what has been read so far.
pub(crate) struct Reading {
    pub(crate) record: MinutiaeRecord,
    /// The total length in the header.
    pub(crate) declared: u64,
}

impl Reading {
    pub(crate) fn of(format: RecordFormat) -> Self {
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
