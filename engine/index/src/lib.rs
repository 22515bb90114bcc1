//! Which rows of a gallery resemble this probe? Planes of quantised vectors and the searches over them.
//!
//! A [`Plane`] is a column of vectors, one a row, quantised to a byte a number with one scale a row; rows without a
//! vector are *absent*. It borrows its bytes, so it works on mapped files and on memory alike; [`PlaneBuilder`] makes
//! them. A [`Probe`] is one vector prepared to be compared with many. A [`RowMask`] says which rows may be returned.
//!
//! Searches are by threshold first: every row at or above it is found, the best `limit` are returned, and the answer
//! says when there were [`more`](Answer::more). A [`Gallery`] holds the planes of its rows and searches them in one of
//! four modes, with one type of answer that says its [`Guarantee`]: exact (every row compared), bounded (a
//! [`SignPlane`] rules rows out, with a stated probability of losing one), certified (a [`NibblePlane`] rules rows out
//! by an inequality) and by [`Graph`], which states the recall it measured on its own rows. [`plan`] chooses.
//! [`scan_evidence`] adds up what several planes (ten fingers) say about each row, as log likelihood ratios.
//!
//! Faces and fixed-length finger codes are the same thing here: unit vectors compared by cosine.
#![forbid(unsafe_code)]

mod batch;
mod best;
mod coarse;
mod evidence;
mod exhaustive;
mod gallery;
mod graph;
mod mask;
mod nibbles;
mod plane;
mod planner;
mod probe;
mod rotation;
mod screen;
mod search;
mod settle;
mod signs;
mod vector;

pub use evidence::{Codes, EvidenceAnswer, EvidenceQuery, EvidenceTable, Evident, Term, scan_evidence};
pub use exhaustive::Exhaustive;
pub use gallery::{Gallery, Mode};
pub use graph::{Graph, GraphError, GraphParameters};
pub use mask::RowMask;
pub use nibbles::{NibblePlane, NibbleRow, nibble_stride};
pub use plane::{Plane, PlaneBuilder, PlaneBytes, PlaneError};
pub use planner::{Demand, Plan, Situation, plan};
pub use probe::Probe;
pub use rotation::{ROTATION_VERSION, Rotation};
pub use search::{Answer, Guarantee, Neighbour, Query, SearchError, Stop, Tally, VectorIndex, Watch};
pub use settle::Originals;
pub use signs::{SignPlane, SignRow, place_signs, sign_bytes, z_score};
pub use vector::{VectorError, quantise_row, stride};
