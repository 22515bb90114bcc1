//! Is this person new? One encounter searched against everyone and taken into the catalogue.

use khop_store::{RecordNumber, Snapshot};
use khop_vocabulary::Encounter;

use crate::enrolment::{Enrolment, Searched, ToEnrol};
use crate::labels::FingerLabels;
use crate::part::Scope;
use crate::prepared::Prepared;
use crate::probe_set::ProbeSet;
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
    /// Bad samples or attributes, an encounter id that exists, another face model than the realm's, an expired realm,
    /// a search that could not be completed, or a failed write. In each case nothing was enrolled.
    pub fn enrol(&self, encounter: Encounter, check: DuplicateCheck) -> Result<Enrolment, Error> {
        let state = self.state()?;
        encounter.attributes.validate()?;
        if let Some(reserved) = encounter.galleries.iter().find(|g| g.is_all()) {
            let cause = format!("{reserved} stands for every gallery and cannot be named");
            return Err(Error::BadInput { field: "galleries", cause });
        }
        if self.core.store.find_encounter(state.number, &encounter.id)?.is_some() {
            return Err(Error::EncounterExists(encounter.id));
        }
        let searched = self.core.pool.install(|| -> Result<_, Error> {
            let prepared = Prepared::of(&encounter.samples)?;
            if let Some(face) = &prepared.face {
                state.check_face_model(&face.model, face.vector.dim())?;
            }
            if check == DuplicateCheck::Skip {
                return Ok((prepared, None));
            }
            let probe = ProbeSet::of(&prepared, FingerLabels::Believed, &self.core, &state)?;
            let snapshot = state.snapshot.load_full();
            let unseen = next_record(&snapshot);
            let request = Search::default();
            let scope = Scope::all(&request);
            let references = References::committed(&self.core, &state);
            let search = search(&references, &snapshot, &probe, &scope)?;
            Ok((prepared, Some(Searched { probe, search, unseen })))
        });
        let (prepared, searched) = self.mending(&state, searched)?;
        self.writer.enrol(ToEnrol { realm: state, encounter, prepared, searched })
    }
}

/// The first record number that a snapshot cannot hold.
fn next_record(snapshot: &Snapshot) -> RecordNumber {
    let segments = snapshot.views().iter().map(|v| &v.segment).filter(|s| s.rows() > 0);
    let after = |s: &std::sync::Arc<khop_store::Segment>| s.record(s.rows() - 1).get() + 1;
    RecordNumber::new(segments.map(after).max().unwrap_or(0))
}
