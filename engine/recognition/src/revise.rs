//! How does an encounter change? Its new form takes the place of the old one, in one step; a person moves to another so.

use khop_vocabulary::{Encounter, EncounterKey, SubjectId};

use crate::enrol::only;
use crate::enrolment::{Enrolment, Replaced};
use crate::{DuplicateCheck, Error, Realm};

/// How often a change is made anew because somebody else changed the same encounter first.
const ATTEMPTS: usize = 4;

impl Realm {
    /// Puts what `change` makes of an encounter in its place: other samples, galleries, attributes, another status, id or
    /// subject. Searches see one or the other, never both or neither. Cases that name the encounter name its new form;
    /// those between it and others of its new subject are answered, and closed. The check is that of
    /// [`Realm::enrol`].
    ///
    /// `change` is called again where somebody else changed the encounter at the same time. Costs an enrolment and an
    /// erasure in one.
    ///
    /// # Errors
    /// [`Error::UnknownEncounter`]; [`Error::EncounterExists`] where its new name is another's; what [`Realm::enrol`]
    /// says; [`Error::Superseded`] when others are always faster. In each case everything is as it was.
    pub fn revise<E: From<Error>>(
        &self,
        key: &EncounterKey,
        check: DuplicateCheck,
        change: impl Fn(Encounter) -> Result<Encounter, E>,
    ) -> Result<Enrolment, E> {
        for _ in 1..ATTEMPTS {
            match self.revise_once(key, check, &change)? {
                Err(Error::Superseded(_)) => (),
                settled => return Ok(settled?),
            }
        }
        Ok(self.revise_once(key, check, &change)??)
    }

    fn revise_once<E: From<Error>>(
        &self,
        key: &EncounterKey,
        check: DuplicateCheck,
        change: &impl Fn(Encounter) -> Result<Encounter, E>,
    ) -> Result<Result<Enrolment, Error>, E> {
        let state = self.state()?;
        let record = self.core.store.find_encounter(state.number, key).map_err(Error::from)?;
        let record = record.ok_or_else(|| Error::UnknownEncounter(key.clone()))?;
        let revised = change(self.core.store.read(state.number, record).map_err(Error::from)?)?;
        let replaces = Replaced { key: key.clone(), record };
        let ready = self.to_enrol(&state, revised, Some(replaces), check)?;
        Ok(self.writer.enrol(vec![ready], self.receipt.clone()).and_then(only))
    }

    /// Gives every encounter of `source` to `target`: they are one person. All of them, or none.
    ///
    /// # Errors
    /// [`Error::UnknownSubject`] for either; [`Error::EncounterExists`] where both have an encounter of the same id; the
    /// same subject twice; a failed write; [`Error::Superseded`]. In each case everything is as it was.
    pub fn merge(&self, source: &SubjectId, target: &SubjectId) -> Result<Vec<Enrolment>, Error> {
        if source == target {
            let cause = format!("expected another subject than {target}");
            return Err(Error::BadInput { field: "subject", cause });
        }
        let state = self.state()?;
        let of = |subject: &SubjectId| match self.core.store.find_subject(state.number, subject) {
            Ok(none) if none.is_empty() => Err(Error::UnknownSubject(subject.clone())),
            found => Ok(found?),
        };
        of(target)?;
        let moving = of(source)?.into_iter().map(|record| {
            let encounter = self.core.store.read(state.number, record)?;
            let replaces = Replaced { key: encounter.key(), record };
            let moved = Encounter { subject: target.clone(), ..encounter };
            self.to_enrol(&state, moved, Some(replaces), DuplicateCheck::Skip)
        });
        self.writer.enrol(moving.collect::<Result<_, Error>>()?, self.receipt.clone())
    }
}
