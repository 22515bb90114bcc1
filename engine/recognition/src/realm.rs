//! What can be asked of one realm? The handle on which enrol, verify, identify, deduplicate and erase live.

use std::sync::Arc;

use khop_vocabulary::{Encounter, EncounterId, EncounterKey, GalleryId, RealmId, SubjectId};

use crate::compaction::Extent;
use crate::core::Core;
use crate::realm_state::RealmState;
use crate::receipt::Pending;
use crate::writer::Writer;
use crate::{Compaction, Error};

/// A handle on one realm; cheap to clone, usable from any thread but those of [`crate::Engine::pool`].
#[derive(Clone)]
pub struct Realm {
    pub(crate) id: RealmId,
    pub(crate) core: Arc<Core>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) receipt: Pending,
}

impl std::fmt::Debug for Realm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Realm({})", self.id)
    }
}

impl Realm {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &RealmId {
        &self.id
    }

    /// The realm as it is now; an error once it was dropped or its time is over.
    pub(crate) fn state(&self) -> Result<Arc<RealmState>, Error> {
        self.core.realm(&self.id)
    }

    /// Passes on what a search said. Where it failed on a damaged segment, that is made again from the catalogue meanwhile,
    /// and a later search succeeds.
    pub(crate) fn mending<T>(&self, state: &Arc<RealmState>, said: Result<T, Error>) -> Result<T, Error> {
        let is_damaged = || state.snapshot.load().views().iter().any(|view| view.segment.is_damaged());
        if matches!(said, Err(Error::Incomplete { .. })) && is_damaged() {
            self.writer.mend(state);
        }
        said
    }

    /// Makes neighbouring small segments one, and segments with rows of erased encounters anew without them. Searches and
    /// enrolments go on meanwhile; small segments are also made one by themselves, eight at a time.
    ///
    /// Costs reading and writing those segments, some seconds and about a gigabyte of memory for each of 65,536 rows.
    ///
    /// # Errors
    /// An expired realm, a damaged segment, or a failed write: what was done until then stays done.
    pub fn compact(&self) -> Result<Compaction, Error> {
        let state = self.state()?;
        self.mending(&state, self.writer.compact(self.id.clone(), Extent::All))
    }

    /// Reads an encounter as received.
    ///
    /// # Errors
    /// An unknown encounter, an expired realm or a damaged record.
    pub fn read(&self, encounter: &EncounterKey) -> Result<Encounter, Error> {
        let state = self.state()?;
        let record = self.core.store.find_encounter(state.number, encounter)?;
        let record = record.ok_or_else(|| Error::UnknownEncounter(encounter.clone()))?;
        Ok(self.core.store.read(state.number, record)?)
    }

    /// Every encounter of a subject, in the order they were enrolled.
    ///
    /// # Errors
    /// An unknown subject, an expired realm or a damaged catalogue.
    pub fn encounters_of(&self, subject: &SubjectId) -> Result<Vec<EncounterId>, Error> {
        let state = self.state()?;
        let records = self.core.store.find_subject(state.number, subject)?;
        if records.is_empty() {
            return Err(Error::UnknownSubject(subject.clone()));
        }
        let keys = self.core.store.identities(state.number, &records)?;
        Ok(keys.into_iter().map(|key| key.encounter).collect())
    }

    /// Galleries that have at least one encounter.
    ///
    /// # Errors
    /// An expired realm or a damaged catalogue.
    pub fn galleries(&self) -> Result<Vec<GalleryId>, Error> {
        Ok(self.core.store.galleries(self.state()?.number)?)
    }

    pub(crate) fn check_gallery(&self, gallery: &GalleryId) -> Result<(), Error> {
        if gallery.is_all() || self.galleries()?.contains(gallery) {
            Ok(())
        } else {
            Err(Error::UnknownGallery(gallery.clone()))
        }
    }
}
