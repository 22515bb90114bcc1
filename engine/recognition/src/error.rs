//! What went wrong? One error for the whole façade, naming the field and what was expected.

use std::sync::Arc;

use khop_store::StoreError;
use khop_vocabulary::{AttributesError, EncounterKey, GalleryId, ModelId, PolicyError, RealmId, SubjectId};

/// Why a call failed. No variant carries anything biometric.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No such realm.
    #[error("realm: {0} does not exist; create it first")]
    UnknownRealm(RealmId),
    /// A realm of this name is there already.
    #[error("realm: {0} exists already")]
    RealmExists(RealmId),
    /// The realm's time is over: nothing in it can be reached any more.
    #[error("realm: {0} has expired")]
    Expired(RealmId),
    /// No encounter of the realm belongs to this gallery.
    #[error("gallery: {0} does not exist in this realm")]
    UnknownGallery(GalleryId),
    /// No encounter of this subject.
    #[error("subject: {0} is not enrolled in this realm")]
    UnknownSubject(SubjectId),
    /// No such encounter.
    #[error("encounter: {0} is not enrolled in this realm")]
    UnknownEncounter(EncounterKey),
    /// Encounter ids are unique among those of a subject.
    #[error("encounter: {0} is enrolled already")]
    EncounterExists(EncounterKey),
    /// It was done before: what was said then is in [`crate::Realm::receipt`].
    #[error("it was done before; nothing was done again")]
    HasReceipt,
    /// Somebody else changed it at the same time.
    #[error("encounter: {0} was changed meanwhile; nothing was done, try again")]
    Superseded(EncounterKey),
    /// A sample that cannot be used.
    #[error("samples[{index}]: {cause}")]
    BadSample {
        /// Place in the list, from 0.
        index: usize,
        /// What is wrong with it, and what was expected.
        cause: String,
    },
    /// A request that cannot be used as a whole.
    #[error("{field}: {cause}")]
    BadInput {
        /// Which field.
        field: &'static str,
        /// What is wrong with it, and what was expected.
        cause: String,
    },
    /// Vectors of different models or dimensions are never compared.
    #[error("face model: expected {expected} with {expected_dim} numbers, got {found} with {found_dim}")]
    ModelMismatch {
        /// The realm's model.
        expected: ModelId,
        /// Its dimension.
        expected_dim: usize,
        /// The sample's model.
        found: ModelId,
        /// Its dimension.
        found_dim: usize,
    },
    /// Similarities of this model mean nothing yet.
    #[error(
        "face model: {0} has no calibration; fit one with `khop calibrate face --model {0}` and keep it with `khop store add-model`"
    )]
    Uncalibrated(ModelId),
    /// Probe and references share no trait.
    #[error("samples: the probe shares no finger position and no face with the reference")]
    NotComparable,
    /// A search did not see every reference, so it says nothing.
    #[error("search incomplete: {cause}; nothing was decided")]
    Incomplete {
        /// Which part was not seen, and why.
        cause: String,
    },
    /// The engine is shutting down.
    #[error("the engine is closing; try again on the next one")]
    Closing,
    /// The catalogue or a segment failed.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// The thread pool could not be started.
    #[error("threads: {0}")]
    Threads(String),
}

/// Errors by what a caller can do about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Name an existing realm.
    UnknownRealm,
    /// Name an existing gallery.
    UnknownGallery,
    /// Name an enrolled subject.
    UnknownSubject,
    /// Name an enrolled encounter.
    UnknownEncounter,
    /// Choose another id, or accept that it is there.
    EncounterExists,
    /// Choose another realm name.
    RealmExists,
    /// Mend the request.
    BadInput,
    /// Send vectors of the realm's model.
    ModelMismatch,
    /// Send a sample of a trait that is enrolled.
    NotComparable,
    /// The realm is gone.
    Expired,
    /// Try again; then check the store.
    Incomplete,
    /// Try again shortly.
    Busy,
    /// It was done before: read the receipt.
    HasReceipt,
    /// Look at what it is now, and try again.
    Superseded,
    /// Free disk space.
    Full,
    /// Run `khop store verify`.
    Damaged,
    /// Read the log.
    Internal,
}

impl Error {
    /// A key that nobody may have destroyed: its record was not erased.
    pub(crate) fn key_is_gone(record: khop_store::RecordNumber) -> Self {
        Self::Incomplete { cause: format!("{record}: its key was destroyed, but it was not erased") }
    }

    /// Of a search that has not seen everybody.
    pub(crate) fn incomplete(cause: impl std::fmt::Display) -> Self {
        Self::Incomplete { cause: cause.to_string() }
    }

    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownRealm(_) => ErrorKind::UnknownRealm,
            Self::RealmExists(_) => ErrorKind::RealmExists,
            Self::Expired(_) => ErrorKind::Expired,
            Self::UnknownGallery(_) => ErrorKind::UnknownGallery,
            Self::UnknownSubject(_) => ErrorKind::UnknownSubject,
            Self::UnknownEncounter(_) => ErrorKind::UnknownEncounter,
            Self::EncounterExists(_) => ErrorKind::EncounterExists,
            Self::BadSample { .. } | Self::BadInput { .. } | Self::Uncalibrated(_) => ErrorKind::BadInput,
            Self::ModelMismatch { .. } => ErrorKind::ModelMismatch,
            Self::NotComparable => ErrorKind::NotComparable,
            Self::Incomplete { .. } => ErrorKind::Incomplete,
            Self::Closing => ErrorKind::Busy,
            Self::HasReceipt => ErrorKind::HasReceipt,
            Self::Superseded(_) => ErrorKind::Superseded,
            Self::Store(error) => match &**error {
                StoreError::Full { .. } => ErrorKind::Full,
                StoreError::Damaged { .. } | StoreError::DamagedEntry { .. } | StoreError::DamagedCatalogue { .. } => {
                    ErrorKind::Damaged
                }
                _ => ErrorKind::Internal,
            },
            Self::Threads(_) => ErrorKind::Internal,
        }
    }

    pub(crate) fn bad_sample(index: usize, cause: impl ToString) -> Self {
        Self::BadSample { index, cause: cause.to_string() }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<AttributesError> for Error {
    fn from(error: AttributesError) -> Self {
        Self::BadInput { field: "attributes", cause: error.to_string() }
    }
}

impl From<PolicyError> for Error {
    fn from(error: PolicyError) -> Self {
        Self::BadInput { field: "policy", cause: error.to_string() }
    }
}
