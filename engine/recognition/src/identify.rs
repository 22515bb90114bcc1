//! Who is this? One probe against a gallery.

use khop_vocabulary::{Candidate, EncounterKey, Sample};

use crate::candidates::{candidates, cut};
use crate::decision::Decision;
use crate::explanation::Explanation;
use crate::part::Scope;
use crate::prepared::Prepared;
use crate::probe_set::ProbeSet;
use crate::references::References;
use crate::request::Search;
use crate::search::{CompletedSearch, search};
use crate::{Error, Realm};

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
        let mut list = candidates(references, &mut search, request.except.as_ref(), request)?;
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
    pub fn identify_encounter(&self, encounter: &EncounterKey, request: &Search) -> Result<Identification, Error> {
        let encounter = self.read(encounter)?;
        let request = Search { except: Some(encounter.subject), ..request.clone() };
        self.identify(&encounter.samples, &request)
    }
}
