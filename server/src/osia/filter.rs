//! Whom is a search to look at? A free-form OSIA filter: what is indexed goes into the scan, the rest looks at what was found.

use khop::{Encounter, Filter, Only, Search};
use serde_json::Value;

use super::biographic::{region, sex};
use super::document::Document;
use super::encounter::{EncounterBody, Free};
use super::words::BiometricType;
use crate::problem::Problem;

/// Most conditions of one filter.
const MOST: usize = 64;

/// What a filter says.
#[derive(Default)]
pub(crate) struct Conditions {
    /// The traits that are compared; all by default.
    pub(crate) types: Option<Vec<BiometricType>>,
    indexed: Filter,
    rest: Vec<Condition>,
}

/// One condition on the biographic or contextual data, or on the type of the encounter. Data without it fail.
struct Condition {
    name: String,
    holds: Holds,
}

enum Holds {
    /// It is one of these.
    Is(Vec<Value>),
    /// It is this or more.
    Min(Value),
    /// It is this or less.
    Max(Value),
}

impl Conditions {
    /// Reads a filter. A name that ends in `Min` or `Max` is a bound of the name before; a list means any of it.
    pub(crate) fn of(filter: &Free, field: &str) -> Result<Self, Problem> {
        if filter.len() > MOST {
            return Err(Problem::field(field, format!("expected at most {MOST} conditions, got {}", filter.len())));
        }
        let mut conditions = Self::default();
        for (name, value) in filter {
            let refuse = |expected: &str| Problem::field(format!("{field}.{name}"), expected);
            match (name.as_str(), value) {
                ("biometricType", _) => conditions.types = Some(types(value).map_err(refuse)?),
                ("yearOfBirth" | "yearOfBirthMin" | "yearOfBirthMax", _) => {
                    let year = value.as_u64().and_then(|year| u16::try_from(year).ok());
                    let year = year.ok_or_else(|| refuse("expected a year"))?;
                    conditions.born(
                        Some(year).filter(|_| name != "yearOfBirthMax"),
                        Some(year).filter(|_| name != "yearOfBirthMin"),
                    );
                }
                ("gender", _) if sex(value).is_some() => conditions.indexed.sex = sex(value),
                ("region", _) if region(value).is_some() => conditions.indexed.region = region(value),
                (_, Value::Array(any)) => {
                    conditions.add(name, Holds::Is(any.iter().map(plain).collect::<Result<_, _>>().map_err(refuse)?))
                }
                _ => conditions.one(name, plain(value).map_err(refuse)?),
            }
        }
        Ok(conditions)
    }

    fn one(&mut self, name: &str, value: Value) {
        let year = value.as_str().and_then(|date| date.get(..4)?.parse().ok());
        if let Some(name) = name.strip_suffix("Min").filter(|name| !name.is_empty()) {
            self.born(year.filter(|_| name == "dateOfBirth"), None);
            self.add(name, Holds::Min(value));
        } else if let Some(name) = name.strip_suffix("Max").filter(|name| !name.is_empty()) {
            self.born(None, year.filter(|_| name == "dateOfBirth"));
            self.add(name, Holds::Max(value));
        } else {
            self.add(name, Holds::Is(vec![value]));
        }
    }

    fn add(&mut self, name: &str, holds: Holds) {
        self.rest.push(Condition { name: name.to_owned(), holds });
    }

    /// Narrows the years of birth.
    fn born(&mut self, min: Option<u16>, max: Option<u16>) {
        let Filter { year_of_birth_min, year_of_birth_max, .. } = &mut self.indexed;
        *year_of_birth_min = (*year_of_birth_min).max(min);
        *year_of_birth_max = match (*year_of_birth_max, max) {
            (Some(known), Some(max)) => Some(known.min(max)),
            (known, max) => known.or(max),
        };
    }

    /// The search, narrowed to those who meet all conditions.
    pub(crate) fn narrow(self, search: Search) -> Search {
        let (filter, rest) = (self.indexed, self.rest);
        let is_decided = rest.is_empty();
        let accepts = move |encounter: &Encounter| {
            let document = Document::of(encounter);
            rest.iter().all(|condition| condition.accepts(document.encounter()))
        };
        Search { filter, only: (!is_decided).then(|| Only::new(accepts)), ..search }
    }
}

impl Condition {
    fn accepts(&self, encounter: &EncounterBody) -> bool {
        let own = Value::String(encounter.encounter_type.clone());
        let free = || {
            let data = [&encounter.biographic_data, &encounter.contextual_data];
            data.into_iter().flatten().find_map(|data| data.get(&self.name))
        };
        let Some(value) = (if self.name == "encounterType" { Some(&own) } else { free() }) else { return false };
        let order = |bound: &Value| match (value, bound) {
            (Value::Number(value), Value::Number(bound)) => value.as_f64()?.partial_cmp(&bound.as_f64()?),
            (Value::String(value), Value::String(bound)) => Some(value.cmp(bound)),
            (Value::Bool(value), Value::Bool(bound)) => Some(value.cmp(bound)),
            _ => None,
        };
        match &self.holds {
            Holds::Is(any) => any.iter().any(|one| order(one).is_some_and(std::cmp::Ordering::is_eq)),
            Holds::Min(bound) => order(bound).is_some_and(std::cmp::Ordering::is_ge),
            Holds::Max(bound) => order(bound).is_some_and(std::cmp::Ordering::is_le),
        }
    }
}

/// Text, a number, true or false.
fn plain(value: &Value) -> Result<Value, &'static str> {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(value.clone()),
        _ => Err("expected text, a number, true or false, or a list of them"),
    }
}

fn types(value: &Value) -> Result<Vec<BiometricType>, &'static str> {
    let list = if value.is_array() { value.clone() } else { Value::Array(vec![value.clone()]) };
    serde_json::from_value(list).map_err(|_| "expected FACE, FINGER, IRIS, SIGNATURE or UNKNOWN, or a list of them")
}
