//! Which people? Attributes of an encounter and the filter that a search applies before it compares.

use crate::Region;

/// Sex as registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// Why attributes are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributesError {
    /// A year nobody alive was born in, or one not yet come.
    #[error("year_of_birth: expected 1880 to 2200, got {0}")]
    YearOfBirth(u16),
}

/// What is known of the person at one encounter. Only what filters need; names and addresses stay outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// 1880 to 2200.
    pub year_of_birth: Option<u16>,
    /// As registered.
    pub sex: Option<Sex>,
    /// Where the person is registered.
    pub region: Option<Region>,
}

impl Attributes {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`AttributesError::YearOfBirth`] outside 1880–2200.
    pub fn validate(&self) -> Result<(), AttributesError> {
        match self.year_of_birth {
            Some(year) if !(1880..=2200).contains(&year) => Err(AttributesError::YearOfBirth(year)),
            _ => Ok(()),
        }
    }
}

/// Whom a search looks at. Every given condition must hold; an encounter without the attribute fails it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Born in this year or later.
    pub year_of_birth_min: Option<u16>,
    /// Born in this year or earlier.
    pub year_of_birth_max: Option<u16>,
    /// Of this sex.
    pub sex: Option<Sex>,
    /// Registered in this region.
    pub region: Option<Region>,
}

impl Filter {
    /// Whether it lets everyone through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an encounter with these attributes passes.
    #[must_use]
    pub fn accepts(&self, attributes: &Attributes) -> bool {
        let year = |bound: Option<u16>, ok: fn(u16, u16) -> bool| {
            bound.is_none_or(|b| attributes.year_of_birth.is_some_and(|y| ok(y, b)))
        };
        year(self.year_of_birth_min, |y, b| y >= b)
            && year(self.year_of_birth_max, |y, b| y <= b)
            && self.sex.is_none_or(|s| attributes.sex == Some(s))
            && self.region.as_ref().is_none_or(|r| attributes.region.as_ref() == Some(r))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_must_hold() {
        let person = Attributes { year_of_birth: Some(1990), sex: Some(Sex::Female), region: None };
        let born = |min, max| Filter { year_of_birth_min: min, year_of_birth_max: max, ..Filter::default() };
        assert!(Filter::default().accepts(&person) && Filter::default().accepts(&Attributes::default()));
        assert!(born(Some(1990), Some(1990)).accepts(&person));
        assert!(!born(Some(1991), None).accepts(&person) && !born(None, Some(1989)).accepts(&person));
        assert!(!born(Some(1900), None).accepts(&Attributes::default()));
        assert!(!Filter { sex: Some(Sex::Male), ..Filter::default() }.accepts(&person));
        assert!(!Filter { region: Some(Region::new("HN").unwrap()), ..Filter::default() }.accepts(&person));
    }
}
