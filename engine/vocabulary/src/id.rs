//! What is it called? Identifiers given by clients, checked once at the door.

use std::fmt;

/// Why a string is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The string is empty or longer than 64 bytes.
    #[error("{kind}: expected 1 to 64 characters, got {length}")]
    Length {
        /// Which identifier was being read.
        kind: &'static str,
        /// Bytes given.
        length: usize,
    },
    /// A character outside letters, digits, `.`, `_`, `:` and `-`.
    #[error("{kind}: expected only letters, digits and . _ : - but found {found:?} at character {index}")]
    Character {
        /// Which identifier was being read.
        kind: &'static str,
        /// The first character that is not allowed.
        found: char,
        /// Its place, counted in characters from 0.
        index: usize,
    },
    /// A name the engine keeps for itself.
    #[error("{kind}: {name:?} is reserved")]
    Reserved {
        /// Which identifier was being read.
        kind: &'static str,
        /// The reserved name.
        name: &'static str,
    },
}

fn check(kind: &'static str, text: &str) -> Result<(), IdError> {
    if text.is_empty() || text.len() > 64 {
        return Err(IdError::Length { kind, length: text.len() });
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
    match text.chars().enumerate().find(|&(_, c)| !allowed(c)) {
        Some((index, found)) => Err(IdError::Character { kind, found, index }),
        None => Ok(()),
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        ///
        /// 1 to 64 ASCII letters, digits, `.`, `_`, `:` or `-`; never used to build a path.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks and keeps the text.
            ///
            /// # Errors
            /// [`IdError`] names the identifier and the first thing wrong with it.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                check($kind, text.as_ref())?;
                Ok(Self(text.as_ref().into()))
            }

            /// The text as given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
    };
}

id!(
    /// A tenant, or one flight: owner of encounters, segments and audit. Nothing searches across realms.
    RealmId,
    "realm"
);
id!(
    /// A named set of encounters inside a realm (OSIA *gallery*). `ALL` stands for every gallery of the realm.
    GalleryId,
    "gallery"
);
id!(
    /// The person whom encounters are said to be of (ISO/IEC 2382-37 *biometric data subject*; OSIA *person*).
    SubjectId,
    "subject"
);
id!(
    /// One occasion on which samples of a person were taken (OSIA *encounter*); unique among those of its subject.
    EncounterId,
    "encounter"
);
id!(
    /// The embedding model that made a face vector. Vectors of different models are never compared.
    ModelId,
    "model"
);

id!(
    /// Where a person is registered, for instance a province code.
    Region,
    "region"
);

impl GalleryId {
    /// The reserved gallery that stands for every encounter of the realm (OSIA ABIS 1.6).
    #[must_use]
    pub fn all() -> Self {
        Self("ALL".into())
    }

    /// Whether this is the reserved gallery `ALL`.
    #[must_use]
    pub fn is_all(&self) -> bool {
        &*self.0 == "ALL"
    }

    /// As [`GalleryId::new`], but refuses the reserved name: for galleries an encounter is put into.
    ///
    /// # Errors
    /// [`IdError::Reserved`] for `ALL`, otherwise as [`GalleryId::new`].
    pub fn named(text: impl AsRef<str>) -> Result<Self, IdError> {
        let id = Self::new(text)?;
        if id.is_all() { Err(IdError::Reserved { kind: "gallery", name: "ALL" }) } else { Ok(id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(SubjectId::new("VN-031_1.a:b").unwrap().as_str(), "VN-031_1.a:b");
        assert_eq!(SubjectId::new("").unwrap_err().to_string(), "subject: expected 1 to 64 characters, got 0");
        assert!(matches!(RealmId::new("x".repeat(65)), Err(IdError::Length { length: 65, .. })));
        let error = EncounterId::new("../etc").unwrap_err().to_string();
        assert!(error.contains("encounter") && error.contains("'/'"), "{error}");
        assert!(GalleryId::named("ALL").is_err() && GalleryId::new("ALL").unwrap().is_all());
    }
}
