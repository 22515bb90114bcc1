//! What does a search see of one segment? Its columns and the rows in scope.

use khop_index::RowMask;
use khop_store::{RecordNumber, Segment, Snapshot, View};
use khop_vocabulary::{Filter, GalleryId};
use rayon::prelude::*;

use crate::Error;
use crate::columns::Columns;
use crate::effort::Effort;
use crate::mask::mask;
use crate::probe_set::ProbeSet;
use crate::request::Search;

/// Which references are searched.
pub(crate) struct Scope<'a> {
    pub(crate) gallery: &'a GalleryId,
    pub(crate) filter: &'a Filter,
    /// Only this record and those enrolled after it.
    pub(crate) from: RecordNumber,
    pub(crate) effort: &'a Effort,
}

impl<'a> Scope<'a> {
    /// Every record of the search's gallery that passes its filter.
    pub(crate) fn all(request: &'a Search) -> Self {
        let Search { gallery, filter, effort, .. } = request;
        Self { gallery, filter, from: RecordNumber::new(0), effort }
    }
}

/// One segment of the snapshot with the rows in scope.
pub(crate) struct Part<'a> {
    pub(crate) view: &'a View,
    pub(crate) columns: Columns<'a>,
    pub(crate) mask: RowMask,
    rows_in_scope: u64,
}

impl<'a> Part<'a> {
    /// `None` when the segment has no record in scope enrolled before this one; then nothing of it is read.
    fn of(view: &'a View, scope: &Scope<'_>, before: RecordNumber) -> Result<Option<Self>, Error> {
        let first = rows_before(&view.segment, scope.from);
        let end = rows_before(&view.segment, before);
        if first >= end {
            return Ok(None);
        }
        let columns = Columns::of(&view.segment)?;
        let mut mask = mask(view, &columns, scope.gallery, scope.filter)?;
        (0..first).chain(end..columns.rows()).for_each(|row| mask.clear(row));
        let rows_in_scope = mask.count() as u64;
        Ok(Some(Self { view, columns, mask, rows_in_scope }))
    }

    /// Rows in scope.
    pub(crate) fn rows(&self) -> u64 {
        self.rows_in_scope
    }

    /// How many of its rows hold records before this one.
    pub(crate) fn rows_before(&self, record: RecordNumber) -> u32 {
        rows_before(&self.view.segment, record) as u32
    }

    /// How many of its rows this probe is compared with.
    pub(crate) fn rows_for(&self, probe: &ProbeSet) -> u64 {
        let end = rows_before(&self.view.segment, probe.before);
        if end >= self.mask.rows() { self.rows_in_scope } else { self.mask.count_before(end) as u64 }
    }

    /// Whether any of its rows can be compared with the probe at all.
    pub(crate) fn shares_a_trait(&self, probe: &ProbeSet) -> bool {
        (probe.face.is_some() && self.columns.face.is_some())
            || (probe.fingers.is_some() && self.columns.has_templates())
    }
}

/// The parts of a snapshot that have a record in scope enrolled before this one. Costs their masks.
pub(crate) fn parts<'a>(
    snapshot: &'a Snapshot,
    scope: &Scope<'_>,
    before: RecordNumber,
) -> Result<Vec<Part<'a>>, Error> {
    snapshot.views().par_iter().filter_map(|view| Part::of(view, scope, before).transpose()).collect()
}

/// How many rows hold records before this one: records ascend within a segment.
fn rows_before(segment: &Segment, record: RecordNumber) -> usize {
    let (mut low, mut high) = (0, segment.rows());
    while low < high {
        let middle = low + (high - low) / 2;
        if segment.record(middle) < record { low = middle + 1 } else { high = middle }
    }
    low as usize
}
