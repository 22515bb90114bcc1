//! How is INCITS 378-2004 laid out? As ISO/IEC 19794-2:2005 with a longer header and angles in units of 2°.

use crate::FormatError;
use crate::cursor::Cursor;
use crate::iso_2005::read_after_length;
use crate::minutia::Packing;
use crate::reading::Reading;

/// Reads what follows magic and version.
pub(crate) fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<(), FormatError> {
    reading.declared = match cursor.u16("total length")? {
        0 => cursor.u32("long total length")?.into(),
        short => short.into(),
    };
    cursor.u16("CBEFF product owner")?;
    cursor.u16("CBEFF product type")?;
    read_after_length(cursor, Packing::INCITS_2004, reading)
}
