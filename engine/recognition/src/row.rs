//! What does a segment hold of one encounter? Its record number, memberships, attributes and derived templates.

use khop_store::RecordNumber;
use khop_vocabulary::{Attributes, Encounter, GalleryId};

use crate::prepared::Prepared;

/// One encounter as it will stand in a segment. Derived: can be made again from the catalogue at any time.
pub(crate) struct Row {
    pub(crate) record: RecordNumber,
    pub(crate) galleries: Vec<GalleryId>,
    pub(crate) attributes: Attributes,
    pub(crate) prepared: Prepared,
}

impl Row {
    pub(crate) fn new(record: RecordNumber, encounter: &Encounter, prepared: Prepared) -> Self {
        let galleries = encounter.galleries.iter().cloned().collect();
        Self { record, galleries, attributes: encounter.attributes.clone(), prepared }
    }
}
