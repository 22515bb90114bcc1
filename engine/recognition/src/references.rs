//! Who and what is behind a record? The catalogue's answer, and the writer's for records not yet committed.

use std::collections::HashMap;

use khop_face::UnitVector;
use khop_store::{RecordNumber, StoreError};
use khop_vocabulary::{EncounterKey, FaceVector, ModelId, SampleFormat};

use crate::Error;
use crate::core::Core;
use crate::realm_state::RealmState;
use crate::request::Only;

/// An encounter that is in the writer's hands but not yet in the catalogue.
#[derive(Clone)]
pub(crate) struct Enrolling {
    pub(crate) key: EncounterKey,
    pub(crate) face: Option<UnitVector>,
}

/// Where a search looks up the references it kept.
pub(crate) struct References<'a> {
    pub(crate) core: &'a Core,
    pub(crate) realm: &'a RealmState,
    /// Empty for everybody but the writer.
    pub(crate) pending: HashMap<RecordNumber, Enrolling>,
    /// About to be replaced: no longer there for whoever replaces it.
    pub(crate) replaced: Option<RecordNumber>,
}

impl<'a> References<'a> {
    pub(crate) fn committed(core: &'a Core, realm: &'a RealmState) -> Self {
        Self { core, realm, pending: HashMap::new(), replaced: None }
    }

    /// Whose record it is; `None` when it was erased since the snapshot, or is about to be replaced.
    pub(crate) fn identity(&self, record: RecordNumber) -> Result<Option<EncounterKey>, Error> {
        if self.replaced == Some(record) {
            return Ok(None);
        }
        if let Some(pending) = self.pending.get(&record) {
            return Ok(Some(pending.key.clone()));
        }
        unless_erased(self.core.store.identity(self.realm.number, record))
    }

    /// Whether it is one of those wanted; not, when it was erased since the snapshot.
    pub(crate) fn is_one_of(&self, record: RecordNumber, only: Option<&Only>) -> Result<bool, Error> {
        let Some(only) = only else { return Ok(true) };
        let encounter = unless_erased(self.core.store.read(self.realm.number, record))?;
        Ok(encounter.is_some_and(|encounter| only.accepts(&encounter)))
    }

    /// Whether a record was erased since the snapshot.
    pub(crate) fn is_erased(&self, record: RecordNumber) -> Result<bool, Error> {
        Ok(self.identity(record)?.is_none())
    }

    /// The record's face as received, unit length, for exact rescoring; `None` when it was erased since the snapshot.
    pub(crate) fn face(&self, record: RecordNumber, model: &ModelId) -> Result<Option<UnitVector>, Error> {
        if let Some(pending) = self.pending.get(&record) {
            return Ok(pending.face.clone());
        }
        let Some(encounter) = unless_erased(self.core.store.read(self.realm.number, record))? else { return Ok(None) };
        let wanted = SampleFormat::FaceVector(model.clone());
        let incomplete = |cause: String| Error::Incomplete { cause: format!("{record}: {cause}") };
        let face = encounter.samples.iter().find(|s| s.format == wanted);
        let face = face.ok_or_else(|| incomplete("its segment holds a face, its encounter does not".into()))?;
        let values = khop_formats::read_face_vector(&face.bytes).map_err(|cause| incomplete(cause.to_string()))?;
        let vector = FaceVector::new(model.clone(), values).map_err(|cause| incomplete(cause.to_string()))?;
        Ok(Some(UnitVector::of(&vector)))
    }
}

fn unless_erased<T>(found: Result<T, StoreError>) -> Result<Option<T>, Error> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::UnknownRecord { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
