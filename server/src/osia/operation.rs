//! What can a registry ask? The 22 operations of OSIA ABIS 1.6.0: where each is, and what it takes.

use axum::http::Method;
use serde::{Deserialize, Serialize};

use crate::policy::Right;

/// One operation; `serde` writes its OSIA name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Operation {
    CreateEncounterNoIds,
    CreateEncounterNoId,
    ReadAllEncounters,
    CreateEncounter,
    ReadEncounter,
    UpdateEncounter,
    DeleteEncounter,
    MergeEncounter,
    MoveEncounter,
    UpdateEncounterStatus,
    UpdateEncounterGalleries,
    ReadTemplate,
    DeleteAll,
    Identify,
    IdentifyFromId,
    IdentifyFromEncounterId,
    VerifyFromId,
    VerifyFromBio,
    ReadGalleries,
    ReadGalleryContent,
    ReadTaskStatus,
    RedeliverTaskResult,
}

/// Paths of OSIA begin so.
pub(crate) const PREFIX: &str = "/v1/";

impl Operation {
    /// All of them.
    pub(crate) const ALL: [Self; 22] = [
        Self::CreateEncounterNoIds,
        Self::CreateEncounterNoId,
        Self::ReadAllEncounters,
        Self::CreateEncounter,
        Self::ReadEncounter,
        Self::UpdateEncounter,
        Self::DeleteEncounter,
        Self::MergeEncounter,
        Self::MoveEncounter,
        Self::UpdateEncounterStatus,
        Self::UpdateEncounterGalleries,
        Self::ReadTemplate,
        Self::DeleteAll,
        Self::Identify,
        Self::IdentifyFromId,
        Self::IdentifyFromEncounterId,
        Self::VerifyFromId,
        Self::VerifyFromBio,
        Self::ReadGalleries,
        Self::ReadGalleryContent,
        Self::ReadTaskStatus,
        Self::RedeliverTaskResult,
    ];

    pub(crate) fn method(self) -> Method {
        match self {
            Self::ReadAllEncounters
            | Self::ReadEncounter
            | Self::ReadTemplate
            | Self::ReadGalleries
            | Self::ReadGalleryContent
            | Self::ReadTaskStatus => Method::GET,
            Self::UpdateEncounter | Self::UpdateEncounterStatus | Self::UpdateEncounterGalleries => Method::PUT,
            Self::DeleteEncounter | Self::DeleteAll => Method::DELETE,
            _ => Method::POST,
        }
    }

    /// The scope that OSIA has for it.
    pub(crate) fn right(self) -> Right {
        match self {
            Self::ReadAllEncounters | Self::ReadEncounter | Self::ReadTemplate => Right::EncounterRead,
            Self::Identify | Self::IdentifyFromId | Self::IdentifyFromEncounterId => Right::Identify,
            Self::VerifyFromId | Self::VerifyFromBio => Right::Verify,
            Self::ReadGalleries | Self::ReadGalleryContent => Right::GalleryRead,
            Self::ReadTaskStatus => Right::TaskRead,
            Self::RedeliverTaskResult => Right::TaskUpdate,
            Self::CreateEncounterNoIds
            | Self::CreateEncounterNoId
            | Self::CreateEncounter
            | Self::UpdateEncounter
            | Self::DeleteEncounter
            | Self::MergeEncounter
            | Self::MoveEncounter
            | Self::UpdateEncounterStatus
            | Self::UpdateEncounterGalleries
            | Self::DeleteAll => Right::EncounterWrite,
        }
    }

    /// Whether it asks about a task, and is answered at once.
    pub(crate) fn is_about_tasks(self) -> bool {
        matches!(self, Self::ReadTaskStatus | Self::RedeliverTaskResult)
    }

    /// Whether it changes anything.
    pub(crate) fn is_change(self) -> bool {
        use Operation::{
            DeleteAll, DeleteEncounter, MergeEncounter, MoveEncounter, UpdateEncounterGalleries, UpdateEncounterStatus,
        };
        let others = matches!(
            self,
            DeleteAll
                | DeleteEncounter
                | MergeEncounter
                | MoveEncounter
                | UpdateEncounterGalleries
                | UpdateEncounterStatus
        );
        others || self.names_an_encounter()
    }

    /// Whether its answer is the names of an encounter.
    pub(crate) fn names_an_encounter(self) -> bool {
        use Operation::{CreateEncounter, CreateEncounterNoId, CreateEncounterNoIds, UpdateEncounter};
        matches!(self, CreateEncounter | CreateEncounterNoId | CreateEncounterNoIds | UpdateEncounter)
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::CreateEncounterNoIds => "/v1/persons",
            Self::CreateEncounterNoId | Self::ReadAllEncounters => "/v1/persons/{personId}/encounters",
            Self::CreateEncounter | Self::ReadEncounter | Self::UpdateEncounter | Self::DeleteEncounter => {
                "/v1/persons/{personId}/encounters/{encounterId}"
            }
            Self::MergeEncounter => "/v1/persons/{personIdTarget}/merge/{personIdSource}",
            Self::MoveEncounter => "/v1/persons/{personIdTarget}/move/{personIdSource}/encounters/{encounterId}",
            Self::UpdateEncounterStatus => "/v1/persons/{personId}/encounters/{encounterId}/status",
            Self::UpdateEncounterGalleries => "/v1/persons/{personId}/encounters/{encounterId}/galleries",
            Self::ReadTemplate => "/v1/persons/{personId}/encounters/{encounterId}/templates",
            Self::DeleteAll => "/v1/persons/{personId}",
            Self::Identify => "/v1/identify/{galleryId}",
            Self::IdentifyFromId => "/v1/identify/{galleryId}/{personId}",
            Self::IdentifyFromEncounterId => "/v1/identify/{galleryId}/{personId}/encounters/{encounterId}",
            Self::VerifyFromId => "/v1/verify/{galleryId}/{personId}",
            Self::VerifyFromBio => "/v1/verify",
            Self::ReadGalleries => "/v1/galleries",
            Self::ReadGalleryContent => "/v1/galleries/{galleryId}",
            Self::ReadTaskStatus => "/v1/tasks/{taskId}/status",
            Self::RedeliverTaskResult => "/v1/tasks/{taskId}/redeliver",
        }
    }
}
