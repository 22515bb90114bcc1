//! How does a CPU with AVX-512 VNNI compute it? `vpdpbusd`: 64 products of an unsigned and a signed byte at once.
//!
//! The stored byte is `value + 128`, so Σ value·probe = Σ byte·probe − 128·Σ probe, and the last term depends on the
//! probe alone. `vpdpbusd` neither saturates nor rounds: every result equals the scalar one.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use crate::avx2::{add_looked_up, at_or_above, differing_bits, least_positive};
use crate::{Kernels, Level, ProbeBlock, SignTable, scalar};

/// How far ahead of a scan a line is asked for, once a row: it opens the next page before the processor's own prefetch,
/// which stops at page ends, gets there. Asking for every line was slower.
const PREFETCH_BYTES: usize = 4096;
/// Rows of a block that stay in the first-level cache while all probes pass over them.
const CACHED_BYTES: usize = 16 << 10;

/// Rows ahead of the one being computed that are asked for, where rows are picked.
const PICKS_AHEAD: usize = 6;
/// Bytes of a row whose look-ups add up within 16 bits: 258 · 254 < 2^16.
const SIGN_BYTES: usize = 256;

static KERNELS: Kernels = Kernels {
    level: Level::Avx512Vnni,
    dot_f32,
    dot_i8,
    dot_u8,
    dot_i8_rows,
    dot_i5_block,
    dot_i8_picked,
    dot_nibbles_rows,
    sum_signs,
    stream_read,
    at_or_above,
    least_positive,
    add_looked_up,
    differing_bits,
};

/// This level's kernels, when the CPU has every instruction they use. The only way to reach them.
pub(crate) fn kernels() -> Option<&'static Kernels> {
    let available = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("popcnt");
    available.then_some(&KERNELS)
}

fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_f32_fma(a, b) }
}

fn dot_i8(reference: &[u8], probe: &[i8]) -> i32 {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_i8_vnni(reference, probe) }
}

fn dot_u8(a: &[u8], b: &[u8]) -> i32 {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_u8_vnni(a, b) }
}

fn dot_i8_rows(rows: &[u8], probe: &[i8], out: &mut [i32]) {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_i8_rows_vnni(rows, probe, out) }
}

fn dot_i5_block(rows: &[u8], probes: ProbeBlock<'_>, out: &mut [i32]) {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_i5_block_vnni(rows, probes, out) }
}

fn dot_i8_picked(rows: &[u8], probe: &[i8], picks: &[u32], out: &mut [i32]) {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_i8_picked_vnni(rows, probe, picks, out) }
}

fn dot_nibbles_rows(rows: &[u8], low: &[i8], high: &[i8], out: &mut [i32]) {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_nibbles_rows_vnni(rows, low, high, out) }
}

fn sum_signs(units: &[u8], table: SignTable<'_>, out: &mut [u32]) {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { sum_signs_shuffle(units, table, out) }
}

fn stream_read(bytes: &[u8]) -> u64 {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { stream_read_zmm(bytes) }
}

#[target_feature(enable = "avx512f")]
fn dot_f32_fma(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<64>(), b.as_chunks::<64>());
    let mut sums = [_mm512_setzero_ps(); 4];
    for (a, b) in a.iter().zip(b) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            // SAFETY: both arrays hold 64 numbers and 16·lane + 16 <= 64.
            let (a, b) =
                unsafe { (_mm512_loadu_ps(a.as_ptr().add(16 * lane)), _mm512_loadu_ps(b.as_ptr().add(16 * lane))) };
            *sum = _mm512_fmadd_ps(a, b, *sum);
        }
    }
    for (a, b) in a_rest.chunks(16).zip(b_rest.chunks(16)) {
        let mask = (u32::MAX >> (32 - a.len().min(b.len()))) as __mmask16;
        // SAFETY: a masked load touches only the lanes of its mask, at most as many as both slices hold.
        let (a, b) = unsafe { (_mm512_maskz_loadu_ps(mask, a.as_ptr()), _mm512_maskz_loadu_ps(mask, b.as_ptr())) };
        sums[0] = _mm512_fmadd_ps(a, b, sums[0]);
    }
    _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_i8_vnni(reference: &[u8], probe: &[i8]) -> i32 {
    let [[sum]] = tile::<1, 1>([reference], [probe]);
    _mm512_reduce_add_epi32(sum).wrapping_sub(offset(probe))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_u8_vnni(a: &[u8], b: &[u8]) -> i32 {
    let length = a.len().min(b.len());
    let bias = _mm512_set1_epi8(i8::MIN);
    let (mut sum, mut offset) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    for at in (0..length).step_by(64) {
        let mask = u64::MAX >> (64 - (length - at).min(64));
        // SAFETY: a masked load touches only the bytes of its mask, which lie before the end of both slices.
        let (a, b) = unsafe {
            let load = |bytes: &[u8]| _mm512_maskz_loadu_epi8(mask, bytes.as_ptr().add(at).cast());
            (load(a), load(b))
        };
        // Flipping the top bit of `value + 128` gives `value` as a signed byte; lanes outside the mask stay 0.
        let b = _mm512_maskz_mov_epi8(mask, _mm512_xor_si512(b, bias));
        sum = _mm512_dpbusd_epi32(sum, a, b);
        offset = _mm512_dpbusd_epi32(offset, bias, b);
    }
    _mm512_reduce_add_epi32(_mm512_sub_epi32(sum, offset))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_i8_rows_vnni(rows: &[u8], probe: &[i8], out: &mut [i32]) {
    let (stride, offset) = (probe.len(), offset(probe));
    let fours = rows.chunks_exact(4 * stride);
    let singles = fours.remainder().chunks_exact(stride);
    let (out_fours, out_singles) = out.as_chunks_mut::<4>();
    for (four, out) in fours.zip(out_fours) {
        // One row after the other: strictly rising addresses are what memory delivers fastest.
        let mut partial = [_mm512_setzero_si512(); 4];
        for (partial, row) in partial.iter_mut().zip(four.chunks_exact(stride)) {
            prefetch(row.as_ptr().wrapping_add(PREFETCH_BYTES));
            [[*partial]] = tile::<1, 1>([row], [probe]);
        }
        let sums = _mm_sub_epi32(reduce_4(partial), _mm_set1_epi32(offset));
        // SAFETY: `out` holds four i32, 16 bytes; the store needs no alignment.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), sums) };
    }
    for (row, out) in singles.zip(out_singles) {
        let [[sum]] = tile::<1, 1>([row], [probe]);
        *out = _mm512_reduce_add_epi32(sum).wrapping_sub(offset);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_i5_block_vnni(rows: &[u8], probes: ProbeBlock<'_>, out: &mut [i32]) {
    let (stride, k, probes) = (probes.stride(), probes.count(), probes.codes());
    if k == 0 {
        return;
    }
    let rows_cached = (CACHED_BYTES / stride).max(4).next_multiple_of(4);
    for (rows, out) in rows.chunks(rows_cached * stride).zip(out.chunks_mut(rows_cached * k)) {
        let fours = rows.chunks_exact(4 * stride);
        let (rest, rest_from) = (fours.remainder(), rows.len() / (4 * stride) * 4);
        let probe_fours = probes.chunks_exact(4 * stride);
        let (probe_rest, probe_rest_from) = (probe_fours.remainder(), k / 4 * 4);
        for (p, probe_four) in probe_fours.enumerate() {
            let probes = split::<i8, 4>(probe_four, stride);
            let offset = _mm_set_epi32(offset(probes[3]), offset(probes[2]), offset(probes[1]), offset(probes[0]));
            let offset = _mm512_broadcast_i32x4(offset);
            for (r, four) in fours.clone().enumerate() {
                if p == 0 {
                    // The rows that come after the cached ones, in rising order while these are computed.
                    let ahead = four.as_ptr().wrapping_add(rows_cached * stride);
                    (0..4 * stride).step_by(64).for_each(|line| prefetch(ahead.wrapping_add(line)));
                }
                let sums = reduce_16(tile::<4, 4>(split::<u8, 4>(four, stride), probes));
                let mut results = [0i32; 16];
                // SAFETY: `results` holds sixteen i32, 64 bytes; the store needs no alignment.
                unsafe { _mm512_storeu_si512(results.as_mut_ptr().cast(), _mm512_sub_epi32(sums, offset)) };
                for (row, results) in results.as_chunks::<4>().0.iter().enumerate() {
                    out[(4 * r + row) * k + 4 * p..][..4].copy_from_slice(results);
                }
            }
        }
        // What does not fill a tile of four by four: the last probes over all rows, the last rows over the others.
        for (p, probe) in probe_rest.chunks_exact(stride).enumerate() {
            for (r, row) in rows.chunks_exact(stride).enumerate() {
                out[r * k + probe_rest_from + p] = dot_i8_vnni(row, probe);
            }
        }
        for (r, row) in rest.chunks_exact(stride).enumerate() {
            for (p, probe) in probes.chunks_exact(stride).take(probe_rest_from).enumerate() {
                out[(rest_from + r) * k + p] = dot_i8_vnni(row, probe);
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_i8_picked_vnni(rows: &[u8], probe: &[i8], picks: &[u32], out: &mut [i32]) {
    let (stride, offset) = (probe.len(), offset(probe));
    for (at, (&pick, out)) in picks.iter().zip(out).enumerate() {
        if let Some(&ahead) = picks.get(at + PICKS_AHEAD) {
            let row = rows.as_ptr().wrapping_add(ahead as usize * stride);
            (0..stride).step_by(64).for_each(|line| prefetch(row.wrapping_add(line)));
        }
        let [[sum]] = tile::<1, 1>([&rows[pick as usize * stride..][..stride]], [probe]);
        *out = _mm512_reduce_add_epi32(sum).wrapping_sub(offset);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_nibbles_rows_vnni(rows: &[u8], low: &[i8], high: &[i8], out: &mut [i32]) {
    let stride = low.len();
    assert_eq!(high.len(), stride, "both halves of one length");
    let sum = |half: &[i8]| half.iter().fold(0i32, |sum, &value| sum.wrapping_add(i32::from(value)));
    let offset = sum(low).wrapping_add(sum(high)).wrapping_mul(15);
    let fours = rows.chunks_exact(4 * stride);
    let singles = fours.remainder().chunks_exact(stride);
    let (out_fours, out_singles) = out.as_chunks_mut::<4>();
    for (four, out) in fours.zip(out_fours) {
        let mut partial = [_mm512_setzero_si512(); 4];
        for (partial, row) in partial.iter_mut().zip(four.chunks_exact(stride)) {
            prefetch(row.as_ptr().wrapping_add(PREFETCH_BYTES));
            *partial = nibbles(row, low, high);
        }
        let sums = _mm_sub_epi32(_mm_slli_epi32::<1>(reduce_4(partial)), _mm_set1_epi32(offset));
        // SAFETY: `out` holds four i32, 16 bytes; the store needs no alignment.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), sums) };
    }
    for (row, out) in singles.zip(out_singles) {
        *out = _mm512_reduce_add_epi32(nibbles(row, low, high)).wrapping_mul(2).wrapping_sub(offset);
    }
}

/// Sixteen partial sums of a row's half-byte codes times the probe's halves.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn nibbles(row: &[u8], low: &[i8], high: &[i8]) -> __m512i {
    let stride = row.len();
    assert!(low.len() == stride && high.len() == stride);
    let nibble = _mm512_set1_epi8(15);
    let mut sums = [_mm512_setzero_si512(); 2];
    for at in (0..stride).step_by(64) {
        // SAFETY: whole loads end before `stride`, the length of all three, checked above; a masked load touches only
        // the bytes of its mask, which lie before it.
        let (codes, low, high) = unsafe {
            let (row, low, high) = (row.as_ptr().add(at), low.as_ptr().add(at), high.as_ptr().add(at));
            if stride - at >= 64 {
                (_mm512_loadu_si512(row.cast()), _mm512_loadu_si512(low.cast()), _mm512_loadu_si512(high.cast()))
            } else {
                let mask = u64::MAX >> (64 - (stride - at));
                (
                    _mm512_maskz_loadu_epi8(mask, row.cast()),
                    _mm512_maskz_loadu_epi8(mask, low),
                    _mm512_maskz_loadu_epi8(mask, high),
                )
            }
        };
        let upper = _mm512_and_si512(_mm512_srli_epi16::<4>(codes), nibble);
        sums[0] = _mm512_dpbusd_epi32(sums[0], _mm512_and_si512(codes, nibble), low);
        sums[1] = _mm512_dpbusd_epi32(sums[1], upper, high);
    }
    _mm512_add_epi32(sums[0], sums[1])
}

#[target_feature(enable = "avx512f,avx512bw")]
fn sum_signs_shuffle(units: &[u8], table: SignTable<'_>, out: &mut [u32]) {
    let nibble = _mm512_set1_epi8(15);
    for (unit, out) in units.chunks_exact(64 * table.stride()).zip(out.as_chunks_mut::<64>().0) {
        out.fill(0);
        let parts = unit.as_chunks::<64>().0.chunks(SIGN_BYTES).zip(table.entries().chunks(SIGN_BYTES));
        for (bytes, entries) in parts {
            // Sums of pairs of neighbouring rows as they stand, and of the odd rows alone.
            let (mut pairs, mut odd) = (_mm512_setzero_si512(), _mm512_setzero_si512());
            for (bytes, entries) in bytes.iter().zip(entries) {
                prefetch(bytes.as_ptr().wrapping_add(PREFETCH_BYTES));
                // SAFETY: `entries` holds 32 bytes, `bytes` holds 64; the loads need no alignment.
                let (low, high, codes) = unsafe {
                    let entries = entries.as_ptr();
                    (
                        _mm512_broadcast_i32x4(_mm_loadu_si128(entries.cast())),
                        _mm512_broadcast_i32x4(_mm_loadu_si128(entries.add(16).cast())),
                        _mm512_loadu_si512(bytes.as_ptr().cast()),
                    )
                };
                let lower = _mm512_shuffle_epi8(low, _mm512_and_si512(codes, nibble));
                let upper = _mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16::<4>(codes), nibble));
                let both = _mm512_add_epi8(lower, upper);
                pairs = _mm512_add_epi16(pairs, both);
                odd = _mm512_add_epi16(odd, _mm512_srli_epi16::<8>(both));
            }
            let even = _mm512_sub_epi16(pairs, _mm512_slli_epi16::<8>(odd));
            let mut sums = [[0u16; 32]; 2];
            for (sums, rows) in sums.iter_mut().zip([even, odd]) {
                // SAFETY: `sums` holds thirty-two u16, 64 bytes; the store needs no alignment.
                unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), rows) };
            }
            for (out, (even, odd)) in out.as_chunks_mut::<2>().0.iter_mut().zip(sums[0].into_iter().zip(sums[1])) {
                out[0] += u32::from(even);
                out[1] += u32::from(odd);
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

/// The sums of `R` rows × `P` probes, sixteen partial sums each, without the offset.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn tile<const R: usize, const P: usize>(rows: [&[u8]; R], probes: [&[i8]; P]) -> [[__m512i; P]; R] {
    let length = probes[0].len();
    assert!(rows.iter().all(|row| row.len() == length) && probes.iter().all(|probe| probe.len() == length));
    let whole = length / 64 * 64;
    let mut sums = [[_mm512_setzero_si512(); P]; R];
    for at in (0..whole).step_by(64) {
        // SAFETY: at + 64 <= whole <= length, which every slice has, checked above.
        let probe = probes.map(|probe| unsafe { _mm512_loadu_si512(probe.as_ptr().add(at).cast()) });
        for r in 0..R {
            // SAFETY: as for the probes.
            let row = unsafe { _mm512_loadu_si512(rows[r].as_ptr().add(at).cast()) };
            for p in 0..P {
                sums[r][p] = _mm512_dpbusd_epi32(sums[r][p], row, probe[p]);
            }
        }
    }
    if whole < length {
        let mask = u64::MAX >> (64 - (length - whole));
        // SAFETY: a masked load touches only the bytes of its mask, which lie before `length`, checked above.
        let probe = probes.map(|probe| unsafe { _mm512_maskz_loadu_epi8(mask, probe.as_ptr().add(whole)) });
        for r in 0..R {
            // SAFETY: as for the probes.
            let row = unsafe { _mm512_maskz_loadu_epi8(mask, rows[r].as_ptr().add(whole).cast()) };
            for p in 0..P {
                sums[r][p] = _mm512_dpbusd_epi32(sums[r][p], row, probe[p]);
            }
        }
    }
    sums
}

/// 128·Σ probe, what the stored offset adds to every result.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn offset(probe: &[i8]) -> i32 {
    let mut sum = _mm512_setzero_si512();
    for at in (0..probe.len()).step_by(64) {
        let mask = u64::MAX >> (64 - (probe.len() - at).min(64));
        // SAFETY: a masked load touches only the bytes of its mask, which lie before the slice's end.
        let probe = unsafe { _mm512_maskz_loadu_epi8(mask, probe.as_ptr().add(at)) };
        sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(i8::MIN), probe);
    }
    _mm512_reduce_add_epi32(sum)
}

/// The four totals of four times sixteen partial sums.
#[inline]
#[target_feature(enable = "avx512f")]
fn reduce_4(s: [__m512i; 4]) -> __m128i {
    let four = transpose_add_epi64(transpose_add_epi32(s[0], s[1]), transpose_add_epi32(s[2], s[3]));
    let two = _mm256_add_epi32(_mm512_castsi512_si256(four), _mm512_extracti64x4_epi64::<1>(four));
    _mm_add_epi32(_mm256_castsi256_si128(two), _mm256_extracti128_si256::<1>(two))
}

/// The sixteen totals of a four by four tile, row by row.
#[inline]
#[target_feature(enable = "avx512f")]
fn reduce_16(s: [[__m512i; 4]; 4]) -> __m512i {
    // One register a row, whose four 128-bit lanes each hold a part of the four totals.
    let mut rows = [_mm512_setzero_si512(); 4];
    for r in 0..4 {
        rows[r] = transpose_add_epi64(transpose_add_epi32(s[r][0], s[r][1]), transpose_add_epi32(s[r][2], s[r][3]));
    }
    transpose_add_lanes(transpose_add_lanes(rows[0], rows[1]), transpose_add_lanes(rows[2], rows[3]))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_add_epi32(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_add_epi64(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_add_lanes(a: __m512i, b: __m512i) -> __m512i {
    // Even lanes of both, and odd lanes of both.
    _mm512_add_epi32(_mm512_shuffle_i32x4::<0b10_00_10_00>(a, b), _mm512_shuffle_i32x4::<0b11_01_11_01>(a, b))
}

#[target_feature(enable = "avx512f")]
fn stream_read_zmm(bytes: &[u8]) -> u64 {
    let (chunks, rest) = bytes.as_chunks::<512>();
    let mut sums = [_mm512_setzero_si512(); 8];
    for chunk in chunks {
        for (lane, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the array holds 512 bytes and 64·lane + 64 <= 512.
            let words = unsafe { _mm512_loadu_si512(chunk.as_ptr().add(64 * lane).cast()) };
            *sum = _mm512_add_epi64(*sum, words);
        }
    }
    let total = sums.into_iter().fold(_mm512_setzero_si512(), |a, b| _mm512_add_epi64(a, b));
    (_mm512_reduce_add_epi64(total) as u64).wrapping_add(scalar::stream_read(rest))
}
