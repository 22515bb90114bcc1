//! What waits for a human? Possible duplicates, opened by enrolments that were not clear.

use khop_store::CaseRecord;
use khop_vocabulary::{EncounterKey, Outcome, Score};

use crate::{Error, Realm};

/// A case number, unique in its realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId(pub u64);

/// A possible duplicate that waits for a human.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// The encounter that was enrolled.
    pub encounter: EncounterKey,
    /// Hit or adjudicate.
    pub outcome: Outcome,
    /// Whom it looks like, with scores.
    pub candidates: Vec<(EncounterKey, Score)>,
}

impl Realm {
    /// Possible duplicates that wait for a human.
    ///
    /// # Errors
    /// An expired realm or a damaged catalogue.
    pub fn cases(&self) -> Result<Vec<Case>, Error> {
        let state = self.state()?;
        let cases = self.core.store.cases(state.number)?;
        Ok(cases.into_iter().map(Case::from).collect())
    }
}

/// How the catalogue writes an outcome.
pub(crate) fn outcome_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Clear => 0,
        Outcome::Adjudicate => 1,
        Outcome::Hit => 2,
    }
}

impl From<CaseRecord> for Case {
    fn from(record: CaseRecord) -> Self {
        let outcome = match record.outcome {
            0 => Outcome::Clear,
            1 => Outcome::Adjudicate,
            _ => Outcome::Hit,
        };
        let candidates = record.candidates.into_iter().map(|(id, score)| (id, Score::new(score))).collect();
        Self { id: CaseId(record.number.get()), encounter: record.encounter, outcome, candidates }
    }
}
