//! Who is enrolled twice? Every encounter of a gallery searched against those enrolled before it.

use khop_store::{RecordNumber, Snapshot};
use khop_vocabulary::{Candidate, Encounter, EncounterId, Outcome, SubjectId};
use rayon::prelude::*;

use crate::candidates::{candidates, cut};
use crate::part::{Part, Scope, parts};
use crate::prepared::Prepared;
use crate::probe_set::ProbeSet;
use crate::references::References;
use crate::search::search_batch;
use crate::{Error, Realm, Search};

/// Encounters searched for together: as many as make the scan of faces one of arithmetic instead of memory.
const TOGETHER: usize = 64;

/// Two encounters of different subjects that look like one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Duplicate {
    /// The later encounter.
    pub encounter: EncounterId,
    /// Whose it is said to be.
    pub subject: SubjectId,
    /// The earlier one, with the evidence.
    pub candidate: Candidate,
    /// Hit or adjudicate.
    pub outcome: Outcome,
}

impl Realm {
    /// Finds every pair of encounters under different subjects whose evidence is more than clear.
    ///
    /// Thresholds are those of a search of the whole scope. Each pair is reported once. `on_progress` gets the
    /// encounters done and the total. Cost: one identification an encounter, on half of the gallery on average; faces are
    /// scanned for 64 encounters at a time, so that they are read once for all of them.
    ///
    /// # Errors
    /// As [`Realm::identify`]; the first failed search ends the run, for a partial answer is none.
    pub fn deduplicate(
        &self,
        request: &Search,
        on_progress: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<Vec<Duplicate>, Error> {
        request.effort.validate()?;
        let state = self.state()?;
        self.check_gallery(&request.gallery)?;
        let references = References::committed(&self.core, &state);
        let snapshot = state.snapshot.load_full();
        let total = snapshot.live_rows();
        let all = self.core.pool.install(|| parts(&snapshot, &Scope::all(request), RecordNumber::new(u64::MAX)));
        let all = self.mending(&state, all)?;
        let in_scope = all.iter().map(Part::rows).sum();
        drop(all);
        let (mut done, mut duplicates, mut next) = (0, Vec::new(), RecordNumber::new(0));
        loop {
            let batch = self.core.store.records_from(state.number, next, TOGETHER)?;
            let Some((last, _)) = batch.last() else { return Ok(duplicates) };
            next = RecordNumber::new(last.get() + 1);
            done += batch.len() as u64;
            let found =
                self.core.pool.install(|| self.duplicates_of(&references, &snapshot, &batch, request, in_scope));
            let found = self.mending(&state, found)?;
            duplicates.extend(found);
            on_progress(done, total);
        }
    }

    /// Duplicates of these encounters among those enrolled before each of them.
    fn duplicates_of(
        &self,
        references: &References<'_>,
        snapshot: &Snapshot,
        encounters: &[(RecordNumber, Encounter)],
        request: &Search,
        in_scope: u64,
    ) -> Result<Vec<Duplicate>, Error> {
        let is_in_scope = |encounter: &Encounter| {
            let here = encounter.is_in(&request.gallery) && request.filter.accepts(&encounter.attributes);
            here && encounter.is_active && request.only.as_ref().is_none_or(|only| only.accepts(encounter))
        };
        let searched: Vec<_> = encounters.iter().filter(|(_, encounter)| is_in_scope(encounter)).collect();
        let probes = searched.par_iter().map(|(record, encounter)| {
            let prepared = Prepared::of(&encounter.samples)?;
            let probe = ProbeSet::of(&prepared, request.labels, &self.core, references.realm)?;
            Ok(ProbeSet { before: *record, ..probe })
        });
        let probes = probes.collect::<Result<Vec<ProbeSet>, Error>>()?;
        let done = search_batch(references, snapshot, &probes, &Scope::all(request))?;
        let found = searched.into_par_iter().zip(done).map(|((_, encounter), mut done)| {
            done.searched = in_scope;
            let mut list = candidates(references, &mut done, Some(&encounter.subject), request)?;
            let thresholds = self.core.policy.thresholds(in_scope);
            list.retain(|candidate| thresholds.outcome(candidate) > Outcome::Clear);
            cut(&mut list, request.limit, request.threshold);
            let duplicate = |candidate: Candidate| Duplicate {
                encounter: encounter.id.clone(),
                subject: encounter.subject.clone(),
                outcome: thresholds.outcome(&candidate),
                candidate,
            };
            Ok(list.into_iter().map(duplicate).collect())
        });
        Ok(found.collect::<Result<Vec<Vec<Duplicate>>, Error>>()?.into_iter().flatten().collect())
    }
}
