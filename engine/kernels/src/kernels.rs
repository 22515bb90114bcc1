//! Which code runs on this CPU? The table of kernels of each level, detected once.

use std::fmt;
use std::sync::OnceLock;

use crate::{Line, ProbeBlock, SignTable, scalar};

/// An instruction set the kernels are written for, from slowest to fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Portable Rust.
    Scalar,
    /// AVX2 with FMA: bytes are widened to 16 bits, nothing can saturate.
    Avx2,
    /// AVX-512 F, BW and VNNI.
    Avx512Vnni,
}

impl Level {
    /// Every level, slowest first, whether this CPU has it or not.
    pub const ALL: [Self; 3] = [Self::Scalar, Self::Avx2, Self::Avx512Vnni];
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512Vnni => "avx512-vnni",
        })
    }
}

/// Rows, probe, picks, results.
type DotPicked = fn(&[u8], &[i8], &[u32], &mut [i32]);
/// Rows, both halves of a probe, results.
type DotNibbles = fn(&[u8], &[i8], &[i8], &mut [i32]);

/// The kernels of one level. The methods do what the crate's functions of the same name do.
#[derive(Debug)]
pub struct Kernels {
    pub(crate) level: Level,
    pub(crate) dot_f32: fn(&[f32], &[f32]) -> f32,
    pub(crate) dot_i8: fn(&[u8], &[i8]) -> i32,
    pub(crate) dot_u8: fn(&[u8], &[u8]) -> i32,
    pub(crate) dot_i8_rows: fn(&[u8], &[i8], &mut [i32]),
    pub(crate) dot_i5_block: fn(&[u8], ProbeBlock<'_>, &mut [i32]),
    pub(crate) dot_i8_picked: DotPicked,
    pub(crate) dot_nibbles_rows: DotNibbles,
    pub(crate) sum_signs: fn(&[u8], SignTable<'_>, &mut [u32]),
    pub(crate) at_or_above: fn(&[u32; 64], u32) -> u64,
    pub(crate) least_positive: fn(&[f32; 64]) -> f32,
    pub(crate) add_looked_up: fn(&[f32], &[f32], &mut [f32]),
    pub(crate) stream_read: fn(&[u8]) -> u64,
    pub(crate) differing_bits: fn(&Line, &[Line], &mut [u16]),
}

static SCALAR: Kernels = Kernels {
    level: Level::Scalar,
    dot_f32: scalar::dot_f32,
    dot_i8: scalar::dot_i8,
    dot_u8: scalar::dot_u8,
    dot_i8_rows: |rows, probe, out| scalar::dot_i8_rows(rows, probe.len(), probe, out),
    dot_i5_block: scalar::dot_i5_block,
    dot_i8_picked: |rows, probe, picks, out| scalar::dot_i8_picked(rows, probe.len(), probe, picks, out),
    dot_nibbles_rows: |rows, low, high, out| scalar::dot_nibbles_rows(rows, low.len(), low, high, out),
    sum_signs: scalar::sum_signs,
    at_or_above: scalar::at_or_above,
    least_positive: scalar::least_positive,
    add_looked_up: scalar::add_looked_up,
    stream_read: scalar::stream_read,
    differing_bits: scalar::differing_bits,
};

impl Kernels {
    /// The fastest kernels this CPU can run.
    #[must_use]
    pub fn best() -> &'static Self {
        static BEST: OnceLock<&'static Kernels> = OnceLock::new();
        BEST.get_or_init(|| Level::ALL.into_iter().rev().find_map(Self::at).unwrap_or(&SCALAR))
    }

    /// The kernels of one level; `None` when this CPU lacks its instructions.
    #[must_use]
    pub fn at(level: Level) -> Option<&'static Self> {
        match level {
            Level::Scalar => Some(&SCALAR),
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Level::Avx2 => crate::avx2::kernels(),
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Level::Avx512Vnni => crate::avx512::kernels(),
            #[cfg(not(all(target_arch = "x86_64", not(miri))))]
            Level::Avx2 | Level::Avx512Vnni => None,
        }
    }

    /// The level these kernels are of.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// See [`crate::dot_f32`].
    ///
    /// # Panics
    /// When the lengths differ.
    #[inline]
    #[must_use]
    pub fn dot_f32(&self, a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "dot_f32: vectors of one length");
        (self.dot_f32)(a, b)
    }

    /// See [`crate::dot_i8`].
    ///
    /// # Panics
    /// When the lengths differ.
    #[inline]
    #[must_use]
    pub fn dot_i8(&self, reference: &[u8], probe: &[i8]) -> i32 {
        assert_eq!(reference.len(), probe.len(), "dot_i8: vectors of one length");
        (self.dot_i8)(reference, probe)
    }

    /// See [`crate::dot_u8`].
    ///
    /// # Panics
    /// When the lengths differ.
    #[inline]
    #[must_use]
    pub fn dot_u8(&self, a: &[u8], b: &[u8]) -> i32 {
        assert_eq!(a.len(), b.len(), "dot_u8: vectors of one length");
        (self.dot_u8)(a, b)
    }

    /// See [`crate::dot_i8_rows`].
    ///
    /// # Panics
    /// When the lengths do not fit each other.
    #[inline]
    pub fn dot_i8_rows(&self, rows: &[u8], stride: usize, probe: &[i8], out: &mut [i32]) {
        assert!(stride > 0 && probe.len() == stride, "dot_i8_rows: a probe of one stride");
        assert_eq!(Some(rows.len()), out.len().checked_mul(stride), "dot_i8_rows: one result a row");
        (self.dot_i8_rows)(rows, probe, out);
    }

    /// See [`crate::dot_i5_block`].
    ///
    /// # Panics
    /// When the lengths do not fit each other.
    #[inline]
    pub fn dot_i5_block(&self, rows: &[u8], probes: ProbeBlock<'_>, out: &mut [i32]) {
        assert!(rows.len().is_multiple_of(probes.stride()), "dot_i5_block: whole rows");
        let results = (rows.len() / probes.stride()).checked_mul(probes.count());
        assert_eq!(Some(out.len()), results, "dot_i5_block: one result a row and probe");
        (self.dot_i5_block)(rows, probes, out);
    }

    /// See [`crate::dot_i8_picked`].
    ///
    /// # Panics
    /// When the lengths do not fit each other, or a pick lies behind the rows.
    #[inline]
    pub fn dot_i8_picked(&self, rows: &[u8], stride: usize, probe: &[i8], picks: &[u32], out: &mut [i32]) {
        assert!(stride > 0 && probe.len() == stride, "dot_i8_picked: a probe of one stride");
        assert_eq!(picks.len(), out.len(), "dot_i8_picked: one result a pick");
        (self.dot_i8_picked)(rows, probe, picks, out);
    }

    /// See [`crate::dot_nibbles_rows`].
    ///
    /// # Panics
    /// When the lengths do not fit each other.
    #[inline]
    pub fn dot_nibbles_rows(&self, rows: &[u8], stride: usize, low: &[i8], high: &[i8], out: &mut [i32]) {
        let fits = stride > 0 && low.len() == stride && high.len() == stride;
        assert!(fits, "dot_nibbles_rows: both halves of a probe, of one stride");
        assert_eq!(Some(rows.len()), out.len().checked_mul(stride), "dot_nibbles_rows: one result a row");
        (self.dot_nibbles_rows)(rows, low, high, out);
    }

    /// See [`crate::sum_signs`].
    ///
    /// # Panics
    /// When the lengths do not fit each other.
    #[inline]
    pub fn sum_signs(&self, units: &[u8], table: SignTable<'_>, out: &mut [u32]) {
        assert!(out.len().is_multiple_of(SignTable::UNIT), "sum_signs: whole units");
        assert_eq!(Some(units.len()), out.len().checked_mul(table.stride()), "sum_signs: one result a row");
        (self.sum_signs)(units, table, out);
    }

    /// See [`crate::at_or_above`].
    #[inline]
    #[must_use]
    pub fn at_or_above(&self, values: &[u32; 64], least: u32) -> u64 {
        (self.at_or_above)(values, least)
    }

    /// See [`crate::least_positive`].
    #[inline]
    #[must_use]
    pub fn least_positive(&self, values: &[f32; 64]) -> f32 {
        (self.least_positive)(values)
    }

    /// See [`crate::add_looked_up`].
    ///
    /// # Panics
    /// When the lengths do not fit each other, or the table's is none.
    #[inline]
    pub fn add_looked_up(&self, positions: &[f32], table: &[f32], sums: &mut [f32]) {
        assert_eq!(positions.len(), sums.len(), "add_looked_up: one sum a position");
        assert!((2..=1 << 20).contains(&table.len()), "add_looked_up: a table of 2 to 2^20 entries");
        (self.add_looked_up)(positions, table, sums);
    }

    /// See [`crate::stream_read`].
    #[inline]
    #[must_use]
    pub fn stream_read(&self, bytes: &[u8]) -> u64 {
        (self.stream_read)(bytes)
    }

    /// See [`crate::differing_bits`].
    ///
    /// # Panics
    /// When `out` is not as long as `rows`.
    #[inline]
    pub fn differing_bits(&self, probe: &Line, rows: &[Line], out: &mut [u16]) {
        assert_eq!(out.len(), rows.len(), "differing_bits: one result a row");
        (self.differing_bits)(probe, rows, out);
    }
}
