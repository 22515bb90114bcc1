//! What is known of a person? Attributes as the API spells them.

use khop::{Attributes, Region, Sex};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::wire::field::at;

/// Sex as registered.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SexName {
    /// Female.
    Female,
    /// Male.
    Male,
}

impl From<SexName> for Sex {
    fn from(name: SexName) -> Self {
        match name {
            SexName::Female => Self::Female,
            SexName::Male => Self::Male,
        }
    }
}

impl From<Sex> for SexName {
    fn from(sex: Sex) -> Self {
        match sex {
            Sex::Female => Self::Female,
            Sex::Male => Self::Male,
        }
    }
}

/// Only what filters need.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AttributesBody {
    /// 1880 to 2200.
    #[schema(minimum = 1880, maximum = 2200)]
    year_of_birth: Option<u16>,
    sex: Option<SexName>,
    /// Where the person is registered, for instance a province code.
    region: Option<String>,
}

impl AttributesBody {
    pub(crate) fn attributes(self) -> Result<Attributes, Problem> {
        let region = self.region.map(Region::new).transpose().map_err(at("attributes.region"))?;
        let attributes = Attributes { year_of_birth: self.year_of_birth, sex: self.sex.map(Into::into), region };
        let checked = attributes.validate();
        checked.map_err(|error| Problem::field("attributes.year_of_birth", error.to_string()))?;
        Ok(attributes)
    }
}

impl From<&Attributes> for AttributesBody {
    fn from(attributes: &Attributes) -> Self {
        Self {
            year_of_birth: attributes.year_of_birth,
            sex: attributes.sex.map(Into::into),
            region: attributes.region.as_ref().map(ToString::to_string),
        }
    }
}
