//! Who may do what? One table of roles and rights. What it does not say is refused.
//!
//! A route cannot be made without the right that it asks for (`routes.rs`); the OpenAPI document and the test of every
//! role on every route are made from the same table.

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Right {
    /// Nothing: the answer says nothing about anybody.
    Open,
    /// OSIA: create, change, merge and erase encounters.
    EncounterWrite,
    /// OSIA: read encounters, templates included.
    EncounterRead,
    /// The names of galleries, and who is in them.
    GalleryRead,
    /// OSIA: search a gallery.
    Identify,
    /// OSIA: yes or no about one claimed person.
    Verify,
    /// OSIA: how far a task is.
    TaskRead,
    /// OSIA: have an answer told once more.
    TaskUpdate,
    /// Enrol with a duplicate check.
    Enrol,
    /// See what is known of an encounter, without samples.
    Look,
    /// Compare and search, and see candidates and scores.
    Search,
    /// See the cases that wait for a human.
    ReadCases,
    /// Erase encounters and persons.
    Erase,
    /// Ask at a gate.
    Board,
    /// Make and destroy tenants and flights.
    ManageRealms,
    /// Read the metrics.
    Observe,
}

/// What somebody is here for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A civil registry that speaks OSIA.
    Registry,
    /// An enrolment station: told whether an encounter is clear or under review, and no scores.
    Enroller,
    /// A gate: told whether a traveller may board, and nothing else.
    Gate,
    /// A ministry, a bank or a carrier: yes or no about one claimed person.
    Verifier,
    /// Who decides cases: sees candidates and scores, and erases.
    Adjudicator,
    /// Who runs the service: tenants and flights, and nothing biometric.
    Admin,
    /// Who watches it.
    Auditor,
}

/// The policy.
pub(crate) const TABLE: [(Role, &[Right]); 7] = [
    (
        Role::Registry,
        &[
            Right::EncounterWrite,
            Right::EncounterRead,
            Right::GalleryRead,
            Right::Identify,
            Right::Verify,
            Right::TaskRead,
            Right::TaskUpdate,
        ],
    ),
    (Role::Enroller, &[Right::Enrol, Right::Look, Right::GalleryRead, Right::Verify]),
    (Role::Gate, &[Right::Board]),
    (Role::Verifier, &[Right::Verify]),
    (Role::Adjudicator, &[Right::Look, Right::Search, Right::ReadCases, Right::Erase, Right::GalleryRead]),
    (Role::Admin, &[Right::ManageRealms, Right::Observe]),
    (Role::Auditor, &[Right::Observe]),
];

impl Role {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Registry, Self::Enroller, Self::Gate, Self::Verifier, Self::Adjudicator, Self::Admin, Self::Auditor];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Enroller => "enroller",
            Self::Gate => "gate",
            Self::Verifier => "verifier",
            Self::Adjudicator => "adjudicator",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What the policy gives it.
    pub(crate) fn rights(self) -> &'static [Right] {
        TABLE.iter().find(|(role, _)| *role == self).map_or(&[], |(_, rights)| rights)
    }
}

impl Right {
    /// The right of that name, if a role has it.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().flat_map(|(_, rights)| *rights).copied().find(|right| right.name() == name)
    }

    /// Its name: OSIA's scope where OSIA has one.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::EncounterWrite => "abis.encounter.write",
            Self::EncounterRead => "abis.encounter.read",
            Self::GalleryRead => "abis.gallery.read",
            Self::Identify => "abis.identify",
            Self::Verify => "abis.verify",
            Self::TaskRead => "abis.task.read",
            Self::TaskUpdate => "abis.task.update",
            Self::Enrol => "khop.enrol",
            Self::Look => "khop.look",
            Self::Search => "khop.search",
            Self::ReadCases => "khop.cases",
            Self::Erase => "khop.erase",
            Self::Board => "khop.board",
            Self::ManageRealms => "khop.realms",
            Self::Observe => "khop.observe",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_the_service_learns_nothing_of_anybody_and_a_gate_only_decisions() {
        for role in [Role::Admin, Role::Auditor] {
            assert!(role.rights().iter().all(|right| matches!(right, Right::ManageRealms | Right::Observe)));
        }
        assert_eq!((Role::Gate.rights(), Role::Verifier.rights()), (&[Right::Board][..], &[Right::Verify][..]));
        let sees_scores = Role::ALL.into_iter().filter(|role| role.rights().contains(&Right::Search));
        assert_eq!(sees_scores.collect::<Vec<_>>(), [Role::Adjudicator]);
    }

    #[test]
    fn every_role_stands_in_the_table_once_under_its_name() {
        assert_eq!(TABLE.map(|(role, _)| role), Role::ALL);
        assert!(Role::ALL.into_iter().all(|role| Role::from_name(role.name()) == Some(role)));
        assert_eq!(Role::from_name("root"), None);
    }
}
