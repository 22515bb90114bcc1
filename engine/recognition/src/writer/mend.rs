//! What becomes of a segment that turns out damaged? Made again from the catalogue by a thread, and put in its place.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use khop_store::{Change, Segment, SegmentRecord};

use super::{Command, WriterThread};
use crate::Error;
use crate::realm_state::RealmState;
use crate::recovery::remade;

/// A damaged segment and what was made of its records.
pub(super) struct Remade {
    damaged: Arc<Segment>,
    with: Result<Option<(SegmentRecord, Arc<Segment>)>, Error>,
}

impl WriterThread {
    /// Hands damaged segments to a thread that makes them again, while enrolments go on.
    pub(super) fn mend(&mut self, realm: &Arc<RealmState>) {
        let snapshot = realm.snapshot.load_full();
        let segments = snapshot.views().iter().map(|view| &view.segment);
        let damaged: Vec<Arc<Segment>> = segments.filter(|segment| segment.is_damaged()).cloned().collect();
        let (core, sender, realm) = (Arc::clone(&self.core), self.sender.clone(), Arc::clone(realm));
        self.beside(move || {
            let one = |damaged: Arc<Segment>| {
                let with = remade(&core, &realm, &damaged);
                Remade { damaged, with }
            };
            let remade = damaged.into_iter().map(one).collect();
            let _ = sender.send(Command::Mended(realm, remade));
        });
    }

    /// Segments that could not be made again stay as they are, an error to every search, until somebody looks.
    pub(super) fn finish_mend(&mut self, realm: &Arc<RealmState>, remade: Vec<Remade>) {
        let failed = remade.into_iter().map(|remade| self.replace_damaged(realm, remade)).filter(Result::is_err);
        realm.is_mending.store(failed.count() > 0, Ordering::Relaxed);
    }

    /// Puts a segment that was made again in the place of the damaged one, if that still is there.
    fn replace_damaged(&self, realm: &RealmState, Remade { damaged, with }: Remade) -> Result<(), Error> {
        let snapshot = realm.snapshot.load_full();
        let is_there = snapshot.views().iter().any(|view| Arc::ptr_eq(&view.segment, &damaged));
        if !is_there || !self.tails.contains_key(&realm.number) {
            return Ok(()); // rebuilt or dropped meanwhile: its file goes at the next opening
        }
        let (add, added): (Vec<SegmentRecord>, Vec<Arc<Segment>>) = with?.into_iter().unzip();
        self.one(Change::SetSegments { realm: realm.number, add, remove: vec![damaged.number()] })?;
        realm.snapshot.store(Arc::new(snapshot.with_replaced(&[damaged], added)));
        Ok(())
    }
}
