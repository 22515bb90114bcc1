//! Which rows may a search see? Gallery, filter and tombstones as one bitmap per segment.

use khop_index::RowMask;
use khop_store::View;
use khop_vocabulary::{Filter, GalleryId};

use crate::Error;
use crate::columns::Columns;

/// Rows of one segment that belong to the gallery, pass the filter and are not erased.
///
/// Costs the bitmaps, and a pass over eight bytes a row only where the filter is not empty.
pub(crate) fn mask(view: &View, columns: &Columns<'_>, gallery: &GalleryId, filter: &Filter) -> Result<RowMask, Error> {
    let rows = columns.rows();
    let mut mask = if gallery.is_all() {
        RowMask::all(rows)
    } else {
        let mut members = RowMask::none(rows);
        for row in columns.gallery(gallery)?.iter().flatten() {
            members.set(row as usize);
        }
        members
    };
    for row in view.erased.iter() {
        mask.clear(row as usize);
    }
    if !filter.is_empty() {
        let region = filter.region.as_ref().map(|region| columns.region_index(region));
        let without_region = Filter { region: None, ..filter.clone() };
        for row in 0..rows {
            if mask.contains(row) {
                let (attributes, row_region) = columns.attributes(row);
                let here = region.is_none_or(|wanted| wanted == Some(row_region));
                if !here || !without_region.accepts(&attributes) {
                    mask.clear(row);
                }
            }
        }
    }
    Ok(mask)
}
