//! Who is in a gallery? Its encounters, page by page.

use khop_store::View;
use khop_vocabulary::{EncounterKey, GalleryId};
use roaring::RoaringBitmap;

use crate::columns::Columns;
use crate::references::References;
use crate::{Error, Realm};

impl Realm {
    /// The encounters of a gallery, inactive ones included, in the order they were enrolled or last changed: `limit` of
    /// them behind the first `offset`. One that is erased or changed between two pages moves those behind it.
    ///
    /// Costs a look at the gallery's bitmap in each segment, and reading the names that are listed.
    ///
    /// # Errors
    /// An unknown gallery, an expired realm, damage.
    pub fn members(&self, gallery: &GalleryId, offset: u64, limit: usize) -> Result<Vec<EncounterKey>, Error> {
        let state = self.state()?;
        self.check_gallery(gallery)?;
        let snapshot = state.snapshot.load_full();
        let references = References::committed(&self.core, &state);
        let (mut skip, mut members) = (offset, Vec::new());
        for view in snapshot.views() {
            let rows = rows_in(view, gallery)?;
            let skipped = skip.min(rows.len());
            skip -= skipped;
            let wanted = rows.iter().skip(skipped as usize).take(limit - members.len());
            for row in wanted {
                members.extend(references.identity(view.segment.record(row))?);
            }
            if members.len() >= limit {
                break;
            }
        }
        Ok(members)
    }
}

/// Rows of a segment that are in the gallery and not erased.
fn rows_in(view: &View, gallery: &GalleryId) -> Result<RoaringBitmap, Error> {
    let mut rows = RoaringBitmap::new();
    if gallery.is_all() {
        rows.insert_range(0..view.segment.rows());
    } else if let Some(members) = Columns::of(&view.segment)?.gallery(gallery)? {
        rows = members;
    }
    Ok(rows - &*view.erased)
}
