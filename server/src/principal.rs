//! Who is asking? Somebody with rights, in some realms.

use std::collections::HashSet;

use crate::policy::{Right, Role};

/// Whoever showed a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    /// As the operator calls them.
    pub(crate) name: String,
    /// Those of their roles, and what an identity provider gave them.
    pub(crate) rights: HashSet<Right>,
    /// Names of realms, or with a `*` at the end what they begin with; `None` stands for every realm.
    pub(crate) realms: Option<Vec<String>>,
}

impl Principal {
    /// Whoever holds the admin token: every role, everywhere. It is what a trial works with, and what makes the first keys.
    pub(crate) fn operator() -> Self {
        Self {
            name: "admin-token".to_owned(),
            rights: Role::ALL.into_iter().flat_map(Role::rights).copied().collect(),
            realms: None,
        }
    }

    /// Whether they have this right.
    pub(crate) fn may(&self, right: Right) -> bool {
        right == Right::Open || self.rights.contains(&right)
    }

    /// Whether it is granted this realm.
    pub(crate) fn is_granted(&self, realm: &str) -> bool {
        let holds = |granted: &String| match granted.strip_suffix('*') {
            Some(beginning) => realm.starts_with(beginning),
            None => granted == realm,
        };
        self.realms.as_ref().is_none_or(|realms| realms.iter().any(holds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_names_or_what_names_begin_with() {
        let of = |realms: &[&str]| Principal {
            name: "x".into(),
            rights: HashSet::new(),
            realms: Some(realms.iter().map(|realm| (*realm).to_owned()).collect()),
        };
        assert!(of(&["a", "VN*"]).is_granted("VN123") && of(&["a", "VN*"]).is_granted("a"));
        assert!(!of(&["a", "VN*"]).is_granted("ab") && !of(&["VN*"]).is_granted("vn1") && !of(&[]).is_granted("a"));
        assert!(
            Principal::operator().is_granted("any") && !of(&["*"]).may(Right::Board) && of(&["*"]).may(Right::Open)
        );
    }
}
