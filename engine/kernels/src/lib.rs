//! How similar are these vectors? Dot products over blocks of bytes and floats, as fast as memory delivers them.
//!
//! Three levels compute the same thing: portable [`scalar`] code, AVX2, and AVX-512 with VNNI. The best one this CPU
//! has is found once, on first use; the functions of this crate then go straight to it. [`Kernels::at`] gives any
//! other available level, for tests and benchmarks.
//!
//! Stored vectors are bytes `value + 128` with `value` in −127..=127; probes are plain `i8` in −127..=127. That is
//! the operand pair of the VNNI instruction (unsigned × signed), so a scan needs no conversion. Integer results are
//! exact and the same at every level, for vectors of up to 65 536 numbers; `f32` results differ between levels by
//! rounding only, by at most n·2⁻²³·Σ|aᵢ·bᵢ|.
//!
//! This is the lowest layer: no dependency, no allocation, no thread, no I/O.
#![deny(unsafe_code)]

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod avx2;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod avx512;
mod kernels;
mod probe_block;
pub mod scalar;
mod sign_table;

pub use kernels::{Kernels, Level};
pub use probe_block::ProbeBlock;
pub use sign_table::SignTable;

/// The level in use, detected once.
#[must_use]
pub fn level() -> Level {
    Kernels::best().level()
}

/// Σ a\[i\]·b\[i\].
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    Kernels::best().dot_f32(a, b)
}

/// Σ (reference\[i\] − 128)·probe\[i\].
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn dot_i8(reference: &[u8], probe: &[i8]) -> i32 {
    Kernels::best().dot_i8(reference, probe)
}

/// Σ (a\[i\] − 128)·(b\[i\] − 128): two stored vectors against each other.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn dot_u8(a: &[u8], b: &[u8]) -> i32 {
    Kernels::best().dot_u8(a, b)
}

/// One probe against many references: `out[r] = dot_i8(row r, probe)`, at the speed of memory.
///
/// # Panics
/// When `stride` is 0, `probe.len() != stride` or `rows.len() != out.len() * stride`.
pub fn dot_i8_rows(rows: &[u8], stride: usize, probe: &[i8], out: &mut [i32]) {
    Kernels::best().dot_i8_rows(rows, stride, probe, out);
}

/// Several probes against many references: `out[r * k + p] = dot_i8(row r, probe p)` for `k` probes. Each row is fetched
/// from memory once, so from about 16 probes on arithmetic is the limit.
///
/// # Panics
/// When `rows` is no whole number of strides, or `out` is not rows × probes long.
pub fn dot_i5_block(rows: &[u8], probes: ProbeBlock<'_>, out: &mut [i32]) {
    Kernels::best().dot_i5_block(rows, probes, out);
}

/// One probe against the rows picked by number: `out[i] = dot_i8(row picks[i], probe)`. Rows to come are fetched
/// while one is computed, so few rows out of many cost little more than their share.
///
/// # Panics
/// When `stride` is 0, `probe.len() != stride`, `picks.len() != out.len()` or a pick lies behind the rows.
pub fn dot_i8_picked(rows: &[u8], stride: usize, probe: &[i8], picks: &[u32], out: &mut [i32]) {
    Kernels::best().dot_i8_picked(rows, stride, probe, picks, out);
}

/// One probe against many rows of half-byte codes: `out[r] = Σ (2·code − 15)·probe`, where byte `i` of a row holds
/// the code of `low[i]` in its low half and that of `high[i]` in its high half.
///
/// # Panics
/// When `stride` is 0, a half of the probe is not `stride` long or `rows.len() != out.len() * stride`.
pub fn dot_nibbles_rows(rows: &[u8], stride: usize, low: &[i8], high: &[i8], out: &mut [i32]) {
    Kernels::best().dot_nibbles_rows(rows, stride, low, high, out);
}

/// One probe against the sign bits of many rows: `out[r]` is the sum of the table's entries for row `r`'s half bytes.
///
/// Rows lie in units of [`SignTable::UNIT`], byte by byte: byte `j` of row `r` of a unit stands at `64·j + r`, so one
/// instruction looks up that byte of 32 or 64 rows.
///
/// # Panics
/// When `out` is no whole number of units long or `units.len() != out.len() * table.stride()`.
pub fn sum_signs(units: &[u8], table: SignTable<'_>, out: &mut [u32]) {
    Kernels::best().sum_signs(units, table, out);
}

/// Which of 64 values are at or above `least`: bit `i` for value `i`.
#[must_use]
pub fn at_or_above(values: &[u32; 64], least: u32) -> u64 {
    Kernels::best().at_or_above(values, least)
}

/// The least of those of 64 values that are above zero; infinity where none is. NaN is not.
#[must_use]
pub fn least_positive(values: &[f32; 64]) -> f32 {
    Kernels::best().least_positive(values)
}

/// Adds to each sum what the table says of its position, −1 to 1 from the first entry to the last, to the nearest entry;
/// positions beyond are those of the ends, and one that is NaN adds nothing. The same at every level.
///
/// # Panics
/// When the lengths differ, or the table has fewer than two entries or more than 2^20.
pub fn add_looked_up(positions: &[f32], table: &[f32], sums: &mut [f32]) {
    Kernels::best().add_looked_up(positions, table, sums);
}

/// Reads every byte once, as fast as this CPU can: the ceiling a scan is measured against.
///
/// Returns the wrapping sum of the bytes taken as little-endian `u64` words, plus the bytes left over, so that the
/// reading cannot be optimised away.
#[must_use]
pub fn stream_read(bytes: &[u8]) -> u64 {
    Kernels::best().stream_read(bytes)
}

/// A string of bits, one line of the memory cache.
pub type Line = [u64; 8];

/// Words of a line that [`differing_bits`] looks at; the three behind them are the caller's.
pub const LINE_WORDS: usize = 5;

/// One bit string against many, each a line of 64 bytes: `out[r]` is in how many of the first [`LINE_WORDS`] words' bits
/// row r and the probe differ (the Hamming distance), 0 to 320. About six processor cycles a row where the CPU counts
/// bits itself.
///
/// # Panics
/// When `out` is not as long as `rows`.
pub fn differing_bits(probe: &Line, rows: &[Line], out: &mut [u16]) {
    Kernels::best().differing_bits(probe, rows, out);
}
