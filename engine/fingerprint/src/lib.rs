//! Minutiae comparison and the fixed-length finger code.
