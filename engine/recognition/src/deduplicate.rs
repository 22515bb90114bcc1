//! Who is enrolled twice? Every encounter of a gallery searched against those enrolled before it.

use std::sync::atomic::{AtomicU64, Ordering};

use khop_store::RecordNumber;
use khop_vocabulary::{Candidate, EncounterId, Outcome, SubjectId};
use rayon::prelude::*;

use crate::candidates::{candidates, cut};
use crate::prepared::Prepared;
use crate::references::References;
use crate::search::{CompletedSearch, ProbeSet, Scope, search};
use crate::{Error, Realm, Search};

/// Encounters read from the catalogue at a time.
const BATCH: usize = 256;

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
    /// encounters done and the total. Cost: one identification an encounter, on half of the gallery on average.
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
        let done = AtomicU64::new(0);
        let mut duplicates = Vec::new();
        let mut next = RecordNumber::new(0);
        loop {
            let batch = self.core.store.records_from(state.number, next, BATCH)?;
            let Some((last, _)) = batch.last() else { break };
            next = RecordNumber::new(last.get() + 1);
            let found = self.core.pool.install(|| {
                let one = |(record, encounter): &(RecordNumber, khop_vocabulary::Encounter)| {
                    let here = request.gallery.is_all() || encounter.galleries.contains(&request.gallery);
                    let found = if here && request.filter.accepts(&encounter.attributes) {
                        let prepared = Prepared::of(&encounter.samples)?;
                        let probe = ProbeSet::of(&prepared, request.labels, &self.core, &state)?;
                        let scope = Scope { before: *record, ..Scope::all(request) };
                        let done = search(&references, &snapshot, &probe, &scope);
                        let mut done = done.or_else(CompletedSearch::unless_comparable)?;
                        done.searched = total;
                        let mut list = candidates(&references, &mut done, Some(&encounter.subject), request.limit)?;
                        let thresholds = self.core.policy.thresholds(total);
                        list.retain(|c| thresholds.outcome(c) > Outcome::Clear);
                        cut(&mut list, request.limit, request.threshold);
                        let duplicate = |candidate: Candidate| Duplicate {
                            encounter: encounter.id.clone(),
                            subject: encounter.subject.clone(),
                            outcome: thresholds.outcome(&candidate),
                            candidate,
                        };
                        list.into_iter().map(duplicate).collect()
                    } else {
                        Vec::new()
                    };
                    on_progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                    Ok(found)
                };
                batch.par_iter().map(one).collect::<Result<Vec<Vec<Duplicate>>, Error>>()
            })?;
            duplicates.extend(found.into_iter().flatten());
        }
        Ok(duplicates)
    }
}
