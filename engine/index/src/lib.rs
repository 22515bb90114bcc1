//! Planes of quantised vectors, exhaustive and graph search under a row mask.
