//! Are two fingerprints of the same finger? Minutiae comparison and the fixed-length finger code.
#![forbid(unsafe_code)]

pub mod code;

mod alignment;
mod comparator;
mod constellation;
mod direction;
mod hull;
mod lanes;
mod pairing;
mod probe;
mod root;
mod similarity;
mod template;
mod trace;
mod tree;

pub use comparator::{Comparator, Reference, calibration};
pub use probe::Probe;
pub use template::{TEMPLATE_VERSION, Template, TemplateError};
pub use trace::{Term, Trace, TracedMinutia};
