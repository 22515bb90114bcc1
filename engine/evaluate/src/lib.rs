//! How well does it recognise? ISO/IEC 19795 measures, intervals, DET curves, calibration and synthetic populations.
//!
//! [`Verification`] measures comparisons, [`Identification`] measures searches; both give every rate with its counts
//! and a 95 % interval from resampled subjects. [`Paired`] sets comparators against each other on the same comparisons.
//! [`calibration::fit`] turns comparisons into the table that gives a similarity its meaning. [`report`], [`DetPlot`] and
//! [`chart`] write what was found as CSV and SVG text. Nothing here reads a file or knows a comparator.
#![forbid(unsafe_code)]

pub mod calibration;
pub mod chart;
mod comparison;
mod counted;
mod curve;
mod histogram;
mod identification;
mod interval;
mod isotonic;
pub mod logistic;
mod paired;
mod plot;
mod quantile;
pub mod report;
mod resampling;
mod spread;
mod streamed;
pub mod synth;
mod verification;

pub use comparison::{Comparison, Comparisons, ComparisonsError, Subjects};
pub use counted::Counted;
pub use curve::DetPoint;
pub use histogram::Histogram;
pub use identification::{
    CANDIDATES, ERRORS_WORTH, FnirAtFpir, Identification, Mate, MeasuredFnir, Search, SearchesError,
};
pub use interval::Interval;
pub use paired::{Difference, Differences, Paired, PairedError, PairedMeasures};
pub use plot::DetPlot;
pub use quantile::Quantile;
pub use resampling::Resampling;
pub use spread::Spread;
pub use streamed::{Deciding, DecidingCounts, NotFinite, ScoreCounts, Streamed};
pub use verification::{Eer, FnmrAtFmr, Verification, VerificationMeasures};
