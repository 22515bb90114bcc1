//! Who is this? One probe against a gallery.

use khop_vocabulary::{Candidate, EncounterId, Filter, GalleryId, Sample, Score, SubjectId};

use crate::candidates::{candidates, cut};
use crate::decision::Decision;
use crate::effort::Effort;
use crate::explanation::Explanation;
use crate::labels::FingerLabels;
use crate::part::Scope;
use crate::prepared::Prepared;
use crate::probe_set::ProbeSet;
use crate::references::References;
use crate::search::{CompletedSearch, search};
use crate::{Error, Realm};

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
    /// How it is done and how long it may take; by default nothing is lost and nothing stops it.
    pub effort: Effort,
}

impl Default for Search {
    fn default() -> Self {
        let (gallery, effort, labels) = (GalleryId::all(), Effort::default(), FingerLabels::Believed);
        Self { gallery, filter: Filter::default(), labels, limit: 10, threshold: None, except: None, effort }
    }
}

impl Search {
    fn validate(&self) -> Result<(), Error> {
        self.effort.validate()?;
        if (1..=MAX_LIMIT).contains(&self.limit) {
            return Ok(());
        }
        Err(Error::BadInput { field: "limit", cause: format!("expected 1 to {MAX_LIMIT}, got {}", self.limit) })
    }
}

/// The answer of a completed search.
#[derive(Debug, Clone, PartialEq)]
pub struct Identification {
    /// What follows.
    pub decision: Decision,
    /// Best first, one a subject.
    pub candidates: Vec<Candidate>,
    /// The limit cut candidates off.
    pub more: bool,
    /// References in scope.
    pub searched: u64,
    /// References fully compared; the others were ruled out by the scans.
    pub compared: u64,
    /// What the scan of faces may have missed, how it was done and why.
    pub explanation: Explanation,
}

impl Identification {
    /// Groups a completed search by subject, decides, and cuts the list to what was asked for.
    pub(crate) fn of(
        references: &References<'_>,
        mut search: CompletedSearch,
        request: &Search,
    ) -> Result<Self, Error> {
        let mut list = candidates(references, &mut search, request.except.as_ref(), request.limit)?;
        let decision = Decision::of(&search, &list, &references.core.policy);
        let more = cut(&mut list, request.limit, request.threshold);
        let CompletedSearch { searched, compared, explanation, .. } = search;
        Ok(Self { decision, candidates: list, more, searched, compared, explanation })
    }
}

impl Realm {
    /// Searches a gallery for the person in the probe.
    ///
    /// Cost: the planes in scope are read once (about 4.5 kB a reference with ten fingers and a face), survivors are
    /// compared in full.
    ///
    /// # Errors
    /// Bad samples, another face model than the realm's, an unknown gallery, nothing comparable, or a search that
    /// could not see every segment, or not in time. Never an empty answer in their place.
    pub fn identify(&self, probe: &[Sample], request: &Search) -> Result<Identification, Error> {
        request.validate()?;
        let state = self.state()?;
        let found = self.core.pool.install(|| {
            self.check_gallery(&request.gallery)?;
            let prepared = Prepared::of(probe)?;
            let probe = ProbeSet::of(&prepared, request.labels, &self.core, &state)?;
            let scope = Scope::all(request);
            let references = References::committed(&self.core, &state);
            let done = search(&references, &state.snapshot.load_full(), &probe, &scope)?.comparable()?;
            Identification::of(&references, done, request)
        });
        self.mending(&state, found)
    }

    /// Searches for an enrolled encounter; its own subject is left out.
    ///
    /// # Errors
    /// As [`Realm::identify`], and an unknown encounter.
    pub fn identify_encounter(&self, encounter: &EncounterId, request: &Search) -> Result<Identification, Error> {
        let encounter = self.read(encounter)?;
        let request = Search { except: Some(encounter.subject), ..request.clone() };
        self.identify(&encounter.samples, &request)
    }
}
