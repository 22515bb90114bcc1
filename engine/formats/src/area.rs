//! What else does a view carry? Its extended data, split into areas.

use crate::FormatError;
use crate::cursor::Cursor;
use crate::reading::{Deviation, Reading};

/// One extended data area of a view: ridge counts, cores and deltas, zonal quality or vendor data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Index of the view it belongs to, from 0.
    pub view: usize,
    /// Type code: 1 ridge counts, 2 cores and deltas, 3 zonal quality, 0x0100 and above a vendor's own.
    pub kind: u16,
    /// Bytes of data, without the four of the area's own header.
    pub length: usize,
}

/// Skips the extended data block and lists its areas.
///
/// Writers differ in whether an area's length counts its own four header bytes: the reading is taken whose areas end
/// exactly where the block ends, the inclusive one (the standards') first. The block's own length is what counts for
/// the rest of the record, so areas that fit neither way are skipped, never a reason to refuse the record.
pub(crate) fn read_areas(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<(), FormatError> {
    let length = cursor.u16("extended data block length")?;
    let block = cursor.take("extended data block", length.into())?;
    let view = reading.record.views.len();
    match split(block, view, 4).or_else(|| split(block, view, 0)) {
        Some(areas) => reading.record.areas.extend(areas),
        None => reading.record.deviations.push(Deviation::AreaLengths { view }),
    }
    Ok(())
}

/// The areas of `block`, when they end exactly at its end; `counted` of the four header bytes are in each length.
fn split(block: &[u8], view: usize, counted: usize) -> Option<Vec<Area>> {
    let mut cursor = Cursor::new(block);
    let mut areas = Vec::new();
    while cursor.left() > 0 {
        let kind = cursor.u16("area type").ok()?;
        let length = usize::from(cursor.u16("area length").ok()?).checked_sub(counted)?;
        cursor.take("area data", length).ok()?;
        areas.push(Area { view, kind, length });
    }
    Some(areas)
}
