//! Is this person new? One encounter searched against everyone and taken into the catalogue.

use std::sync::Arc;

use khop_store::{RecordNumber, Snapshot};
use khop_vocabulary::Encounter;

use crate::enrolment::{Enrolment, Replaced, Searched, ToEnrol};
use crate::labels::FingerLabels;
use crate::part::Scope;
use crate::prepared::Prepared;
use crate::probe_set::ProbeSet;
use crate::realm_state::RealmState;
use crate::references::References;
use crate::search::search;
use crate::{Error, Realm, Search};

/// Whether an enrolment is searched against everyone first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateCheck {
    /// Search the whole realm; open a case when somebody comes near.
    Search,
    /// Take it as it is: for galleries that were checked elsewhere, and for measurements.
    Skip,
}

impl Realm {
    /// Enrols an encounter; it can be found by every search that starts after this returns.
    ///
    /// The duplicate search runs on the snapshot of the moment; the single writer then searches what was enrolled
    /// meanwhile, so that of two simultaneous enrolments of one person at least one opens a case. Everything is
    /// stored whatever the decision: nothing that was captured is lost. Other encounters of the same subject are no
    /// duplicates.
    ///
    /// # Errors
    /// Bad samples or attributes, an encounter that exists, another face model than the realm's, an expired realm,
    /// a search that could not be completed, or a failed write. In each case nothing was enrolled.
    pub fn enrol(&self, encounter: Encounter, check: DuplicateCheck) -> Result<Enrolment, Error> {
        let state = self.state()?;
        let key = encounter.key();
        if self.core.store.find_encounter(state.number, &key)?.is_some() {
            return Err(Error::EncounterExists(key));
        }
        let enrolled = self.writer.enrol(vec![self.to_enrol(&state, encounter, None, check)?], self.receipt.clone())?;
        only(enrolled)
    }

    /// Makes what must be known of an encounter before the writer takes it.
    pub(crate) fn to_enrol(
        &self,
        state: &Arc<RealmState>,
        encounter: Encounter,
        replaces: Option<Replaced>,
        check: DuplicateCheck,
    ) -> Result<ToEnrol, Error> {
        encounter.attributes.validate()?;
        if let Some(reserved) = encounter.galleries.iter().find(|g| g.is_all()) {
            let cause = format!("{reserved} stands for every gallery and cannot be named");
            return Err(Error::BadInput { field: "galleries", cause });
        }
        let searched = self.core.pool.install(|| -> Result<_, Error> {
            let prepared = Prepared::of_encounter(&encounter)?;
            if let Some(face) = &prepared.face {
                state.check_face_model(&face.model, face.vector.dim())?;
            }
            if check == DuplicateCheck::Skip {
                return Ok((prepared, None));
            }
            let probe = ProbeSet::of(&prepared, FingerLabels::Believed, &self.core, state)?;
            let snapshot = state.snapshot.load_full();
            let unseen = next_record(&snapshot);
            let request = Search::default();
            let scope = Scope::all(&request);
            let references = References::committed(&self.core, state);
            let search = search(&references, &snapshot, &probe, &scope)?;
            Ok((prepared, Some(Searched { probe, search, unseen })))
        });
        let (prepared, searched) = self.mending(state, searched)?;
        Ok(ToEnrol { realm: Arc::clone(state), encounter, prepared, searched, replaces })
    }
}

/// What became of the one encounter that was handed over.
pub(crate) fn only(enrolled: Vec<Enrolment>) -> Result<Enrolment, Error> {
    let lost = || Error::Incomplete { cause: "the writer answered nothing".into() };
    enrolled.into_iter().next().ok_or_else(lost)
}

/// The first record number that a snapshot cannot hold.
fn next_record(snapshot: &Snapshot) -> RecordNumber {
    let segments = snapshot.views().iter().map(|v| &v.segment).filter(|s| s.rows() > 0);
    let after = |s: &Arc<khop_store::Segment>| s.record(s.rows() - 1).get() + 1;
    RecordNumber::new(segments.map(after).max().unwrap_or(0))
}
