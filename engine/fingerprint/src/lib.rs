//! Are two fingerprints of the same finger? Minutiae comparison and the fixed-length finger code.
#![forbid(unsafe_code)]

pub mod code;

mod alignment;
mod comparator;
mod constellation;
mod cylinder;
mod direction;
mod hull;
mod lanes;
mod meaning;
mod pairing;
mod relaxation;
mod resemblance;
mod template;
mod terms;
mod trace;
mod tree;
mod weights;

pub use comparator::{COMPARATOR_VERSION, Comparator, Probe, Reference, calibration};
pub use meaning::meaning;
pub use template::{TEMPLATE_VERSION, Template, TemplateError};
pub use terms::Terms;
pub use trace::{Term, Trace, TracedMinutia};
pub use weights::{Weights, WeightsError};
