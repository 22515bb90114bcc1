//! Are two fingerprints of the same finger? Minutiae comparison and the fixed-length finger code.
#![forbid(unsafe_code)]

pub mod code;

mod comparator;
mod constellation;
mod direction;
mod probe;
mod score;
mod template;
mod tree;

pub use comparator::{Comparator, Reference, calibration};
pub use probe::Probe;
pub use template::{TEMPLATE_VERSION, Template, TemplateError};
