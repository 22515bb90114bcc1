//! How does a CPU with AVX2 compute it? Bytes widened to 16 bits, products added in pairs, nothing saturates.
//!
//! The stored byte is `value + 128`, so Σ value·probe = Σ byte·probe − 128·Σ probe, and the last term depends on the
//! probe alone. `vpmaddwd` on widened bytes cannot overflow: every result equals the scalar one.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use crate::{Kernels, Level, scalar};

/// How far ahead of a scan a line is asked for, once a row: it opens the next page before the processor's own prefetch,
/// which stops at page ends, gets there. Asking for every line was slower.
const PREFETCH_BYTES: usize = 4096;
/// Rows of a block that stay in the first-level cache while all probes pass over them.
const CACHED_BYTES: usize = 16 << 10;

static KERNELS: Kernels =
    Kernels { level: Level::Avx2, dot_f32, dot_i8, dot_u8, dot_i8_rows, dot_i8_block, stream_read, differing_bits };

/// This level's kernels, when the CPU has every instruction they use. The only way to reach them.
pub(crate) fn kernels() -> Option<&'static Kernels> {
    let available =
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("popcnt");
    available.then_some(&KERNELS)
}

fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_f32_fma(a, b) }
}

fn dot_i8(reference: &[u8], probe: &[i8]) -> i32 {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_i8_madd(reference, probe) }
}

fn dot_u8(a: &[u8], b: &[u8]) -> i32 {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_u8_madd(a, b) }
}

fn dot_i8_rows(rows: &[u8], probe: &[i8], out: &mut [i32]) {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_i8_rows_madd(rows, probe, out) }
}

fn dot_i8_block(rows: &[u8], stride: usize, probes: &[i8], out: &mut [i32]) {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_i8_block_madd(rows, stride, probes, out) }
}

fn stream_read(bytes: &[u8]) -> u64 {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { stream_read_ymm(bytes) }
}

/// The AVX-512 level has it too: that it counts eight words at once in registers (VPOPCNTDQ) is a step still to take.
pub(crate) fn differing_bits(rows: &[[u64; 8]], probes: &[[u64; 8]], out: &mut [u16]) {
    // SAFETY: reached through the `kernels` of this level or of AVX-512 alone, which have checked the CPU.
    unsafe { differing_bits_popcnt(rows, probes, out) }
}

/// The scalar twin with the instruction that counts a word's bits.
#[target_feature(enable = "avx2,popcnt")]
fn differing_bits_popcnt(rows: &[[u64; 8]], probes: &[[u64; 8]], out: &mut [u16]) {
    scalar::differing_bits(rows, probes, out);
}

#[target_feature(enable = "avx2,fma")]
fn dot_f32_fma(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<32>(), b.as_chunks::<32>());
    let mut sums = [_mm256_setzero_ps(); 4];
    for (a, b) in a.iter().zip(b) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            // SAFETY: both arrays hold 32 numbers and 8·lane + 8 <= 32.
            let (a, b) =
                unsafe { (_mm256_loadu_ps(a.as_ptr().add(8 * lane)), _mm256_loadu_ps(b.as_ptr().add(8 * lane))) };
            *sum = _mm256_fmadd_ps(a, b, *sum);
        }
    }
    let total = _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]));
    let half = _mm_add_ps(_mm256_castps256_ps128(total), _mm256_extractf128_ps::<1>(total));
    let quarter = _mm_add_ps(half, _mm_movehl_ps(half, half));
    let sum = _mm_add_ss(quarter, _mm_movehdup_ps(quarter));
    _mm_cvtss_f32(sum) + scalar::dot_f32(a_rest, b_rest)
}

#[target_feature(enable = "avx2")]
fn dot_i8_madd(reference: &[u8], probe: &[i8]) -> i32 {
    tile::<1, 1>([reference], [probe])[0][0].wrapping_sub(offset(probe))
}

#[target_feature(enable = "avx2")]
fn dot_u8_madd(a: &[u8], b: &[u8]) -> i32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let bias = _mm256_set1_epi16(128);
    let mut sum = _mm256_setzero_si256();
    for (a, b) in a.iter().zip(b) {
        // SAFETY: both arrays hold 16 bytes; the loads need no alignment.
        let (a, b) = unsafe { (_mm_loadu_si128(a.as_ptr().cast()), _mm_loadu_si128(b.as_ptr().cast())) };
        let a = _mm256_sub_epi16(_mm256_cvtepu8_epi16(a), bias);
        let b = _mm256_sub_epi16(_mm256_cvtepu8_epi16(b), bias);
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
    }
    reduce(sum).wrapping_add(scalar::dot_u8(a_rest, b_rest))
}

#[target_feature(enable = "avx2")]
fn dot_i8_rows_madd(rows: &[u8], probe: &[i8], out: &mut [i32]) {
    let offset = offset(probe);
    // One row after the other: strictly rising addresses are what memory delivers fastest.
    for (row, out) in rows.chunks_exact(probe.len()).zip(out) {
        prefetch(row.as_ptr().wrapping_add(PREFETCH_BYTES));
        *out = tile::<1, 1>([row], [probe])[0][0].wrapping_sub(offset);
    }
}

#[target_feature(enable = "avx2")]
fn dot_i8_block_madd(rows: &[u8], stride: usize, probes: &[i8], out: &mut [i32]) {
    let k = probes.len() / stride;
    if k == 0 {
        return;
    }
    let rows_cached = (CACHED_BYTES / stride).max(4).next_multiple_of(4);
    for (rows, out) in rows.chunks(rows_cached * stride).zip(out.chunks_mut(rows_cached * k)) {
        let fours = rows.chunks_exact(4 * stride);
        let (rest, rest_from) = (fours.remainder(), rows.len() / (4 * stride) * 4);
        let pairs = probes.chunks_exact(2 * stride);
        let (last, last_from) = (pairs.remainder(), k / 2 * 2);
        for (p, pair) in pairs.enumerate() {
            let probes = split::<i8, 2>(pair, stride);
            let offsets = probes.map(offset);
            for (r, four) in fours.clone().enumerate() {
                if p == 0 {
                    // The rows that come after the cached ones, in rising order while these are computed.
                    let ahead = four.as_ptr().wrapping_add(rows_cached * stride);
                    (0..4 * stride).step_by(64).for_each(|line| prefetch(ahead.wrapping_add(line)));
                }
                let sums = tile::<4, 2>(split::<u8, 4>(four, stride), probes);
                for (row, sums) in sums.iter().enumerate() {
                    let at = (4 * r + row) * k + 2 * p;
                    out[at] = sums[0].wrapping_sub(offsets[0]);
                    out[at + 1] = sums[1].wrapping_sub(offsets[1]);
                }
            }
        }
        // What does not fill a tile of four by two: the last probe over all rows, the last rows over the others.
        for (p, probe) in last.chunks_exact(stride).enumerate() {
            for (r, row) in rows.chunks_exact(stride).enumerate() {
                out[r * k + last_from + p] = dot_i8_madd(row, probe);
            }
        }
        for (r, row) in rest.chunks_exact(stride).enumerate() {
            for (p, probe) in probes.chunks_exact(stride).take(last_from).enumerate() {
                out[(rest_from + r) * k + p] = dot_i8_madd(row, probe);
            }
        }
    }
}

/// Asks for the line at `address`, which may lie behind the end of what is being read.
#[inline]
#[allow(unused_unsafe, reason = "an unsafe function until Rust 1.91 or later")]
fn prefetch(address: *const u8) {
    // SAFETY: a prefetch is a hint that faults on no address; every x86-64 CPU has it.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
}

/// `N` vectors of `stride` numbers that lie behind each other.
#[inline]
fn split<T, const N: usize>(vectors: &[T], stride: usize) -> [&[T]; N] {
    std::array::from_fn(|n| &vectors[n * stride..(n + 1) * stride])
}

/// The sums of `R` rows × `P` probes, without the offset.
#[inline]
#[target_feature(enable = "avx2")]
fn tile<const R: usize, const P: usize>(rows: [&[u8]; R], probes: [&[i8]; P]) -> [[i32; P]; R] {
    let length = probes[0].len();
    assert!(rows.iter().all(|row| row.len() == length) && probes.iter().all(|probe| probe.len() == length));
    let mut sums = [[_mm256_setzero_si256(); P]; R];
    let whole = length / 16 * 16;
    for at in (0..whole).step_by(16) {
        // SAFETY: at + 16 <= whole <= length, which every slice has, checked above.
        let probe = probes.map(|probe| unsafe { _mm_loadu_si128(probe.as_ptr().add(at).cast()) });
        let probe = probe.map(|probe| _mm256_cvtepi8_epi16(probe));
        for r in 0..R {
            // SAFETY: as for the probes.
            let row = _mm256_cvtepu8_epi16(unsafe { _mm_loadu_si128(rows[r].as_ptr().add(at).cast()) });
            for p in 0..P {
                sums[r][p] = _mm256_add_epi32(sums[r][p], _mm256_madd_epi16(row, probe[p]));
            }
        }
    }
    let mut totals = [[0; P]; R];
    for r in 0..R {
        for p in 0..P {
            let rest = rows[r][whole..].iter().zip(&probes[p][whole..]);
            let rest = rest.fold(0i32, |sum, (&row, &probe)| sum.wrapping_add(i32::from(row) * i32::from(probe)));
            totals[r][p] = reduce(sums[r][p]).wrapping_add(rest);
        }
    }
    totals
}

#[inline]
#[target_feature(enable = "avx2")]
fn reduce(sum: __m256i) -> i32 {
    let half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let quarter = _mm_add_epi32(half, _mm_unpackhi_epi64(half, half));
    _mm_cvtsi128_si32(_mm_add_epi32(quarter, _mm_shuffle_epi32::<1>(quarter)))
}

/// 128·Σ probe, what the stored offset adds to every result.
fn offset(probe: &[i8]) -> i32 {
    probe.iter().fold(0i32, |sum, &value| sum.wrapping_add(i32::from(value))).wrapping_mul(128)
}

#[target_feature(enable = "avx2")]
fn stream_read_ymm(bytes: &[u8]) -> u64 {
    let (chunks, rest) = bytes.as_chunks::<256>();
    let mut sums = [_mm256_setzero_si256(); 8];
    for chunk in chunks {
        for (lane, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the array holds 256 bytes and 32·lane + 32 <= 256.
            let words = unsafe { _mm256_loadu_si256(chunk.as_ptr().add(32 * lane).cast()) };
            *sum = _mm256_add_epi64(*sum, words);
        }
    }
    let mut total = [0u64; 4];
    for sum in sums {
        let mut words = [0u64; 4];
        // SAFETY: `words` holds 32 bytes; the store needs no alignment.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), sum) };
        for (total, word) in total.iter_mut().zip(words) {
            *total = total.wrapping_add(word);
        }
    }
    total.into_iter().fold(scalar::stream_read(rest), u64::wrapping_add)
}
