//! Which samples are in these bytes? Finger minutiae records, face vectors and NumPy arrays, read and written.
//!
//! * [`read_minutiae`]: ISO/IEC 19794-2:2005, ISO/IEC 19794-2:2011 and INCITS 378-2004, told apart by their headers;
//! * [`write_iso_2005`]: ISO/IEC 19794-2:2005;
//! * [`npy`]: NumPy arrays of floats;
//! * [`read_face_vector`] and [`write_face_vector`]: a face vector as the catalogue keeps it.
//!
//! Bytes only: nothing here opens a file. Every reader is bounded (see the constants), never panics whatever the
//! bytes, and a [`FormatError`] says which field, at which byte, what was expected and what was found.
//! The readers forgive what records in the field get wrong without harm to the minutiae (a wrong total length, area
//! lengths counted the other way, minutiae outside the image) and list it in [`MinutiaeRecord::deviations`].
#![forbid(unsafe_code)]

mod area;
mod cursor;
mod error;
mod face_vector;
mod incits_2004;
mod iso_2005;
mod iso_2011;
mod minutia;
pub mod npy;
mod reading;
mod record;

pub use area::Area;
pub use error::FormatError;
pub use face_vector::{read_face_vector, write_face_vector};
pub use iso_2005::write_iso_2005;
pub use reading::{Deviation, MinutiaeRecord, RecordFormat};
pub use record::read_minutiae;

/// Largest minutiae record read, in bytes: 1 MiB. 176 full views without extended data take 0.26 MiB.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// Most finger views in one record: 11 positions with 16 views each (ISO/IEC 19794-2:2005).
pub const MAX_VIEWS: usize = 176;

/// Largest image side in pixels that 14-bit coordinates can address.
pub const MAX_SIDE_PX: u16 = 1 << 14;
