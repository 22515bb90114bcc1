//! What is asked of a search? Where to look, how much to tell, and how hard to try.

use std::sync::Arc;

use khop_vocabulary::{Encounter, Filter, GalleryId, Score, SubjectId};

use crate::Error;
use crate::effort::Effort;
use crate::labels::FingerLabels;

/// Most candidates one answer lists.
const MAX_LIMIT: usize = 1000;

/// Where to look and how much to tell.
#[derive(Debug, Clone)]
pub struct Search {
    /// The gallery; `ALL` by default.
    pub gallery: GalleryId,
    /// Whom to look at; everyone by default.
    pub filter: Filter,
    /// Whether the probe's finger positions are believed, which is the default. Where they are doubted, a large gallery is
    /// scanned by label and with both hands swapped, up to four fingers also under their neighbours' labels.
    pub labels: FingerLabels,
    /// Candidates to list, 1 to 1000; 10 by default.
    pub limit: usize,
    /// List only candidates at or above; by default all with evidence for them. The decision does not depend on it.
    pub threshold: Option<Score>,
    /// A subject to leave out, for instance the probe's own.
    pub except: Option<SubjectId>,
    /// Whom to list of those found, where the filter cannot say it; everyone by default. The decision is about those.
    pub only: Option<Only>,
    /// How it is done and how long it may take; by default nothing is lost and nothing stops it.
    pub effort: Effort,
}

/// A condition on an encounter as received. It is looked at after the comparison, best candidates first, and costs reading
/// each of them.
#[derive(Clone)]
pub struct Only(Arc<dyn Fn(&Encounter) -> bool + Send + Sync>);

impl Only {
    /// Those for which this is true.
    #[must_use]
    pub fn new(accepts: impl Fn(&Encounter) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(accepts))
    }

    /// Whether an encounter is one of them.
    #[must_use]
    pub fn accepts(&self, encounter: &Encounter) -> bool {
        (self.0)(encounter)
    }
}

impl std::fmt::Debug for Only {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Only(…)")
    }
}

impl Default for Search {
    fn default() -> Self {
        let (gallery, effort, labels) = (GalleryId::all(), Effort::default(), FingerLabels::Believed);
        Self {
            gallery,
            filter: Filter::default(),
            labels,
            limit: 10,
            threshold: None,
            except: None,
            only: None,
            effort,
        }
    }
}

impl Search {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.effort.validate()?;
        if (1..=MAX_LIMIT).contains(&self.limit) {
            return Ok(());
        }
        Err(Error::BadInput { field: "limit", cause: format!("expected 1 to {MAX_LIMIT}, got {}", self.limit) })
    }
}
