//! How well does it recognise? ISO/IEC 19795 measures, intervals, DET curves, calibration and synthetic populations.
#![forbid(unsafe_code)]

pub mod synth;
