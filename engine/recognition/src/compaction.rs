//! Which segments are made anew, and of what? Neighbours that fit into one, and those with erased rows.
//!
//! Rows are read back from their columns and written again, without those of the erased: no template is made anew.

use std::ops::Range;
use std::sync::Arc;

use khop_store::{Segment, SegmentRecord, View};

use crate::Error;
use crate::columns::{Columns, draft};
use crate::core::Core;
use crate::face_planes::FacePlanes;
use crate::realm_state::RealmState;
use crate::references::References;

/// Most rows of a segment that is made of others.
pub(crate) const ROWS: u64 = 65_536;

/// What a compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compaction {
    /// Segment files that were replaced.
    pub replaced: usize,
    /// Segment files that took their place.
    pub written: usize,
    /// Rows of erased encounters that are in no segment any more.
    pub dropped_rows: u64,
    /// Groups of segments that are still to be made anew, because no more than so many were asked for.
    pub left: usize,
}

/// Which of the segments that could be made anew are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of them.
    All,
    /// A fourteenth, and at least sixteen: done every day, rows of the erased are gone in two weeks.
    Daily,
    /// Where at least eight become one: done after each seal, so that there are never many small ones.
    Many,
}

impl Extent {
    /// The groups to be done now, and how many are left for later.
    pub(crate) fn of(self, mut groups: Vec<Range<usize>>) -> (Vec<Range<usize>>, usize) {
        let all = groups.len();
        match self {
            Self::All => {}
            Self::Daily => groups.truncate(all.div_ceil(14).max(16)),
            Self::Many => groups.retain(|group| group.len() >= 8),
        }
        let left = all - groups.len();
        (groups, left)
    }
}

/// A segment as the plan sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) rows: u64,
    pub(crate) erased: u64,
}

/// Groups of neighbouring segments, each to be made one: those of several whose live rows fit into one segment, and every
/// one with erased rows. Those with most erased rows first. What was compacted is in none.
pub(crate) fn groups(sizes: &[Size]) -> Vec<Range<usize>> {
    let live = |size: &Size| size.rows - size.erased;
    let (mut groups, mut first) = (Vec::new(), 0);
    while first < sizes.len() {
        let (mut end, mut rows) = (first + 1, live(&sizes[first]));
        while let Some(next) = sizes.get(end).filter(|next| rows + live(next) <= ROWS) {
            rows += live(next);
            end += 1;
        }
        groups.push(first..end);
        first = end;
    }
    let erased = |group: &Range<usize>| sizes[group.clone()].iter().map(|size| size.erased).sum::<u64>();
    groups.retain(|group| group.len() > 1 || erased(group) > 0);
    groups.sort_by_key(|group| std::cmp::Reverse(erased(group)));
    groups
}

/// Writes the rows of these segments as one, the erased ones left out; `None` where nothing is left.
///
/// Memory: about 15 kB a row, so a gigabyte for a full segment.
pub(crate) fn merged(
    core: &Core,
    realm: &RealmState,
    views: &[View],
    planes: FacePlanes,
) -> Result<Option<(SegmentRecord, Arc<Segment>)>, Error> {
    let (references, mut rows) = (References::committed(core, realm), Vec::new());
    for view in views {
        let columns = Columns::of(&view.segment)?;
        let galleries = columns.galleries()?;
        for row in (0..view.segment.rows()).filter(|&row| !view.erased.contains(row)) {
            let record = view.segment.record(row);
            match columns.row(row, &galleries)? {
                Some(row) => rows.push(Arc::new(row)),
                None if references.is_erased(record)? => {} // since the snapshot
                None => return Err(Error::key_is_gone(record)),
            }
        }
    }
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(core.store.write_segment(realm.number, &draft(&rows, planes)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows and erased ones of each segment, in; first and end of each group, out.
    fn of(sizes: &[(u64, u64)]) -> Vec<(usize, usize)> {
        let sizes: Vec<Size> = sizes.iter().map(|&(rows, erased)| Size { rows, erased }).collect();
        groups(&sizes).into_iter().map(|group| (group.start, group.end)).collect()
    }

    #[test]
    fn small_neighbours_and_erased_rows_are_grouped() {
        assert!(of(&[]).is_empty() && of(&[(ROWS, 0), (100, 0)]).is_empty());
        assert_eq!(of(&[(4096, 0); 20]), [(0, 16), (16, 20)]);
        assert_eq!(of(&[(ROWS, 1), (ROWS, 0), (ROWS, 5), (30, 0)]), [(2, 3), (0, 1)]);
        assert_eq!(of(&[(ROWS, ROWS), (ROWS, 0)]), [(0, 2)]); // nothing is left of the first
    }

    #[test]
    fn extents_do_as_much_as_they_say() {
        let groups: Vec<Range<usize>> = (0..300).map(|i| i..i + 1 + i % 9).collect();
        let done = |extent: Extent| extent.of(groups.clone()).0.len();
        assert_eq!([done(Extent::All), done(Extent::Daily), done(Extent::Many)], [300, 22, 66]);
        assert_eq!(Extent::Daily.of(groups[..20].to_vec()), (groups[..16].to_vec(), 4));
    }

    #[test]
    fn what_was_compacted_stays() {
        let mut sizes: Vec<Size> = (0..50).map(|i| Size { rows: 1 + i * 977 % 9000, erased: i % 2 }).collect();
        let mut all = groups(&sizes);
        all.sort_by_key(|group| std::cmp::Reverse(group.start));
        for group in all {
            let rows = sizes[group.clone()].iter().map(|size| size.rows - size.erased).sum();
            sizes.splice(group, [Size { rows, erased: 0 }]);
        }
        assert!(groups(&sizes).is_empty());
        assert!(sizes.iter().all(|size| size.rows <= ROWS));
    }
}
