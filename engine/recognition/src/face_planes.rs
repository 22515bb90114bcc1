//! Which planes of faces does a realm keep? The byte plane always, coarse ones for faster searches where asked for.

use std::fmt;
use std::str::FromStr;

use khop_store::{RealmNumber, Store};

use crate::Error;

/// The planes of a realm's faces, written as `i8`, `i8,b1`, `i8,b4` or `i8,b1,b4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FacePlanes {
    /// `b1`: a bit a number, 68 bytes a face of 512, for bounded searches.
    pub signs: bool,
    /// `b4`: four bits a number, 264 bytes a face of 512, for certified searches.
    pub nibbles: bool,
}

impl Default for FacePlanes {
    /// With `b1`, which costs little and makes large searches fast.
    fn default() -> Self {
        Self { signs: true, nibbles: false }
    }
}

impl fmt::Display for FacePlanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.signs, self.nibbles) {
            (false, false) => "i8",
            (true, false) => "i8,b1",
            (false, true) => "i8,b4",
            (true, true) => "i8,b1,b4",
        })
    }
}

impl FromStr for FacePlanes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut planes = Self { signs: false, nibbles: false };
        for (place, name) in text.split(',').enumerate() {
            match name {
                "i8" if place == 0 => {}
                "b1" if place > 0 && !planes.signs => planes.signs = true,
                "b4" if place > 0 && !planes.nibbles => planes.nibbles = true,
                _ => {
                    let cause = "expected i8, i8,b1, i8,b4 or i8,b1,b4".to_owned();
                    return Err(Error::BadInput { field: "planes", cause });
                }
            }
        }
        Ok(planes)
    }
}

impl FacePlanes {
    /// Where a realm's choice stands in the catalogue.
    pub(crate) fn key(realm: RealmNumber) -> String {
        format!("face-planes/{}", realm.get())
    }

    /// A realm's choice, the default where none was made.
    pub(crate) fn of(store: &Store, realm: RealmNumber) -> Result<Self, Error> {
        match store.meta(&Self::key(realm))? {
            None => Ok(Self::default()),
            Some(bytes) => String::from_utf8_lossy(&bytes).parse(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read() {
        for text in ["i8", "i8,b1", "i8,b4", "i8,b1,b4"] {
            assert_eq!(text.parse::<FacePlanes>().unwrap().to_string(), text);
        }
        for text in ["", "b1", "i8,", "i8,b2", "i8,b1,b1", "i8 b1", "i8,i8"] {
            assert!(text.parse::<FacePlanes>().is_err(), "{text}");
        }
    }
}
