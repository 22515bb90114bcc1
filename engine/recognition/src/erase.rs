//! Who is to be forgotten? Encounters, subjects and whole realms, unreachable at once.

use khop_vocabulary::{EncounterKey, RealmId, SubjectId};

use crate::writer::EraseCommand;
use crate::{Error, Realm};

/// What an erasure removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Encounters that no search and no read can reach any more.
    pub encounters: Vec<EncounterKey>,
}

/// A realm that is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// Its name.
    pub realm: RealmId,
    /// Encounters that went with it.
    pub encounters: u64,
}

impl Realm {
    /// Erases every encounter of a subject.
    ///
    /// # Errors
    /// [`Error::UnknownSubject`], an expired realm, or a failed write: then nothing was erased.
    pub fn erase_subject(&self, subject: &SubjectId) -> Result<Erasure, Error> {
        let state = self.state()?;
        let records = self.core.store.find_subject(state.number, subject)?;
        if records.is_empty() {
            return Err(Error::UnknownSubject(subject.clone()));
        }
        let keys = self.core.store.identities(state.number, &records)?;
        let encounters = records.into_iter().zip(keys).collect();
        self.writer.erase(EraseCommand { realm: state, encounters }, self.receipt.clone())
    }

    /// Erases one encounter.
    ///
    /// # Errors
    /// [`Error::UnknownEncounter`], an expired realm, or a failed write: then nothing was erased.
    pub fn erase_encounter(&self, encounter: &EncounterKey) -> Result<Erasure, Error> {
        let state = self.state()?;
        let record = self.core.store.find_encounter(state.number, encounter)?;
        let record = record.ok_or_else(|| Error::UnknownEncounter(encounter.clone()))?;
        self.writer
            .erase(EraseCommand { realm: state, encounters: vec![(record, encounter.clone())] }, self.receipt.clone())
    }
}
