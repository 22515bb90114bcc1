//! How fast is each part of the engine? Criterion benchmarks; this library itself is empty.
//!
//! ```text
//! cargo bench -p khop-benches                        everything, some four minutes
//! cargo bench -p khop-benches --bench kernels        dot products: every level of this CPU beside the scalar twin
//! cargo bench -p khop-benches --bench index          searches under a mask, evidence of ten planes, the graph
//! cargo bench -p khop-benches --bench face           normalising, comparing and quantising one face
//! cargo bench -p khop-benches --bench fingerprint    preparing a finger, and each stage of comparing two
//! cargo bench -p khop-benches --bench kernels -- dot_i8_rows --baseline before
//! ```
//!
//! They compare one version of the code with another on one machine. Figures to quote, taken against the memory
//! ceiling of the same minute, come from `khop bench`.
#![forbid(unsafe_code)]
