//! What does a search look at? An immutable list of segments, each with the rows that were erased since it was made.

use std::sync::Arc;

use roaring::{RoaringBitmap, RoaringTreemap};

use crate::{RecordNumber, Segment};

/// One segment as a search sees it.
#[derive(Debug, Clone)]
pub struct View {
    /// The rows.
    pub segment: Arc<Segment>,
    /// Rows that no longer count.
    pub erased: Arc<RoaringBitmap>,
}

/// A gallery at one moment. Changing it means making another one: cloning costs one pointer pair per segment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    views: Vec<View>,
}

impl View {
    fn new(segment: Arc<Segment>, erased: &RoaringTreemap) -> Self {
        let rows: RoaringBitmap = match segment.rows() {
            0 => RoaringBitmap::new(),
            rows => {
                let (first, last) = (segment.record(0).get(), segment.record(rows - 1).get());
                let mut between = erased.iter();
                between.advance_to(first);
                let between = between.take_while(|&record| record <= last);
                between.filter_map(|record| segment.row_of(RecordNumber::new(record))).collect()
            }
        };
        Self { segment, erased: Arc::new(rows) }
    }

    /// Rows that count.
    #[must_use]
    pub fn live_rows(&self) -> u64 {
        u64::from(self.segment.rows()) - self.erased.len()
    }
}

impl Snapshot {
    /// These segments, the rows of erased encounters left out.
    #[must_use]
    pub fn of(segments: impl IntoIterator<Item = Arc<Segment>>, erased: &RoaringTreemap) -> Self {
        Self { views: segments.into_iter().map(|segment| View::new(segment, erased)).collect() }
    }

    /// The segments, in the order they were appended.
    #[must_use]
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// Rows, erased ones included.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.views.iter().map(|view| u64::from(view.segment.rows())).sum()
    }

    /// Rows that count.
    #[must_use]
    pub fn live_rows(&self) -> u64 {
        self.views.iter().map(View::live_rows).sum()
    }

    /// Where an encounter's row is, erased or not: the index into [`Snapshot::views`] and the row there.
    #[must_use]
    pub fn locate(&self, record: RecordNumber) -> Option<(usize, u32)> {
        self.views.iter().enumerate().find_map(|(index, view)| Some((index, view.segment.row_of(record)?)))
    }

    /// With one more segment at the end.
    #[must_use]
    pub fn with_appended(&self, segment: Arc<Segment>) -> Self {
        let mut views = self.views.clone();
        views.push(View { segment, erased: Arc::default() });
        Self { views }
    }

    /// Without this encounter's row. The same snapshot when it has none.
    #[must_use]
    pub fn with_erased(&self, record: RecordNumber) -> Self {
        let mut views = self.views.clone();
        for view in &mut views {
            if let Some(row) = view.segment.row_of(record) {
                Arc::make_mut(&mut view.erased).insert(row);
            }
        }
        Self { views }
    }

    /// With `added` in the place of the `removed` segments (the same objects, by identity). Whatever was erased
    /// from a removed segment, also while the new one was being made, stays erased in the new one.
    #[must_use]
    pub fn with_replaced(&self, removed: &[Arc<Segment>], added: impl IntoIterator<Item = Arc<Segment>>) -> Self {
        let is_removed = |view: &View| removed.iter().any(|segment| Arc::ptr_eq(segment, &view.segment));
        let place = self.views.iter().position(&is_removed).unwrap_or(self.views.len());
        let records = |view: &View| {
            let rows = view.erased.iter().map(|row| view.segment.record(row).get());
            rows.collect::<Vec<_>>()
        };
        let erased: RoaringTreemap = self.views.iter().filter(|view| is_removed(view)).flat_map(records).collect();
        let mut views: Vec<View> = self.views.iter().filter(|view| !is_removed(view)).cloned().collect();
        let added: Vec<View> = added.into_iter().map(|segment| View::new(segment, &erased)).collect();
        views.splice(place..place, added);
        Self { views }
    }
}
