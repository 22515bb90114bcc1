//! The HTTP service of Khop.
