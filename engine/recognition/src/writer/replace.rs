//! How does a segment take the place of others? Made by a thread beside the writer, put in by the writer.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use khop_store::{Change, Segment, SegmentRecord};

use super::{Command, WriterThread};
use crate::Error;
use crate::compaction::{Compaction, Extent, Size, groups, merged};
use crate::realm_state::RealmState;
use crate::recovery::remade;
use crate::writer::{Commands, Reply};

/// Segments, and what was made of their rows.
pub(super) struct Replacement {
    removed: Vec<Arc<Segment>>,
    with: Option<(SegmentRecord, Arc<Segment>)>,
}

/// Asks the writer to put a segment in the place of others; whether it did.
fn replace(commands: &Commands, realm: &Arc<RealmState>, replacement: Replacement) -> Result<bool, Error> {
    commands.ask(|reply| Command::Replace(Arc::clone(realm), replacement, reply))
}

impl WriterThread {
    /// Has a thread make damaged segments again from the catalogue, while enrolments go on. Those that cannot be made stay
    /// as they are, an error to every search, until somebody looks.
    pub(super) fn mend(&mut self, realm: &Arc<RealmState>) {
        let snapshot = realm.snapshot.load_full();
        let segments = snapshot.views().iter().map(|view| &view.segment);
        let damaged: Vec<Arc<Segment>> = segments.filter(|segment| segment.is_damaged()).cloned().collect();
        let (core, commands, realm) = (Arc::clone(&self.core), self.commands.clone(), Arc::clone(realm));
        self.beside(move || {
            let one = |damaged: Arc<Segment>| {
                let with = remade(&core, &realm, &damaged)?;
                replace(&commands, &realm, Replacement { removed: vec![damaged], with })
            };
            let failed = damaged.into_iter().map(one).filter(Result::is_err).count();
            realm.is_mending.store(failed > 0, Ordering::Relaxed);
        });
    }

    /// Has a thread make segments anew, one group after the other, while searches and enrolments go on.
    pub(super) fn compact(&mut self, realm: &Arc<RealmState>, extent: Extent, reply: Option<Reply<Compaction>>) {
        let (core, commands, realm) = (Arc::clone(&self.core), self.commands.clone(), Arc::clone(realm));
        let snapshot = realm.snapshot.load_full();
        let filed = snapshot.views().iter().take_while(|view| view.segment.path().is_some());
        let sizes: Vec<Size> =
            filed.map(|view| Size { rows: view.segment.rows().into(), erased: view.erased.len() }).collect();
        let (groups, left) = extent.of(groups(&sizes));
        let (planes, compacting) = (**realm.planes.load(), Arc::clone(&realm));
        let work = move || {
            let mut done = Compaction { left, ..Compaction::default() };
            for group in groups {
                let views = &snapshot.views()[group.clone()];
                let with = core.pool.install(|| merged(&core, &realm, views, planes))?;
                let written = with.as_ref().map_or(0, |(_, segment)| u64::from(segment.rows()));
                let rows: u64 = sizes[group.clone()].iter().map(|size| size.rows).sum();
                let removed = views.iter().map(|view| Arc::clone(&view.segment)).collect();
                let made = usize::from(with.is_some());
                if replace(&commands, &realm, Replacement { removed, with })? {
                    done.replaced += group.len();
                    done.written += made;
                    done.dropped_rows += rows - written;
                }
            }
            Ok(done)
        };
        self.beside(move || {
            let done = work();
            match reply {
                Some(reply) => super::answer(reply, done),
                None => compacting.is_compacting.store(false, Ordering::Relaxed),
            }
        });
    }

    /// Puts a segment in the place of others, if these are still all there.
    pub(super) fn replace(
        &self,
        realm: &RealmState,
        Replacement { removed, with }: Replacement,
    ) -> Result<bool, Error> {
        let snapshot = realm.snapshot.load_full();
        let is_there = |removed: &Arc<Segment>| snapshot.views().iter().any(|view| Arc::ptr_eq(&view.segment, removed));
        let (add, added): (Vec<SegmentRecord>, Vec<Arc<Segment>>) = with.into_iter().unzip();
        if !removed.iter().all(is_there) || !self.tails.contains_key(&realm.number) {
            // Rebuilt or dropped meanwhile.
            add.iter().for_each(|segment| self.core.store.discard_segment(realm.number, segment.number));
            return Ok(false);
        }
        let remove = removed.iter().map(|segment| segment.number()).collect();
        self.one(Change::SetSegments { realm: realm.number, add, remove })?;
        realm.snapshot.store(Arc::new(snapshot.with_replaced(&removed, added)));
        Ok(true)
    }
}
