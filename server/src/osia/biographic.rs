//! What of a person's data is indexed? Year of birth, sex and region, where they are spelled so that a filter can rely on it.

use khop::{Attributes, Region, Sex};
use serde_json::Value;

use super::encounter::Free;
use crate::problem::Problem;

/// What of the biographic data is indexed. What is indexed decides filters alone, so it must not contradict itself.
pub(crate) fn attributes(biographic: Option<&Free>) -> Result<Attributes, Problem> {
    let field = |name: &str, expected: &str| Problem::field(format!("biographicData.{name}"), expected);
    let value = |name: &str| biographic.and_then(|data| data.get(name));
    let year = match value("yearOfBirth") {
        Some(Value::Number(number)) => Some(number.as_u64().and_then(|year| u16::try_from(year).ok()).unwrap_or(0)),
        Some(_) => return Err(field("yearOfBirth", "expected a number from 1880 to 2200")),
        None => None,
    };
    let born = match value("dateOfBirth") {
        Some(Value::String(date)) => {
            let year = date.split_once('-').filter(|(year, _)| year.len() == 4).and_then(|(year, _)| year.parse().ok());
            Some(year.ok_or_else(|| field("dateOfBirth", "expected a date such as 1990-12-31"))?)
        }
        Some(_) => return Err(field("dateOfBirth", "expected a date such as 1990-12-31")),
        None => None,
    };
    if year.is_some_and(|year| born.is_some_and(|born| born != year)) {
        return Err(field("yearOfBirth", "expected the year of dateOfBirth"));
    }
    let attributes = Attributes {
        year_of_birth: year.or(born),
        sex: value("gender").and_then(sex),
        region: value("region").and_then(region),
    };
    let valid = attributes.validate();
    valid.map_err(|_| {
        field(if year.is_some() { "yearOfBirth" } else { "dateOfBirth" }, "expected a year from 1880 to 2200")
    })?;
    Ok(attributes)
}

/// The sex, where it is spelled in one of the usual ways.
pub(crate) fn sex(word: &Value) -> Option<Sex> {
    match word.as_str()?.to_ascii_uppercase().as_str() {
        "F" | "FEMALE" => Some(Sex::Female),
        "M" | "MALE" => Some(Sex::Male),
        _ => None,
    }
}

/// The region, where it is an identifier.
pub(crate) fn region(word: &Value) -> Option<Region> {
    word.as_str().and_then(|name| Region::new(name).ok())
}
