//! How does a CPU with AVX2 compute it? Bytes widened to 16 bits, products added in pairs, nothing saturates.
//!
//! The stored byte is `value + 128`, so Σ value·probe = Σ byte·probe − 128·Σ probe, and the last term depends on the
//! probe alone. `vpmaddwd` on widened bytes cannot overflow: every result equals the scalar one.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use crate::{Kernels, Level, Line, ProbeBlock, SignTable, scalar};

/// How far ahead of a scan lines are asked for: it opens the next page before the processor's own prefetch, which stops
/// at page ends, gets there. Every line is: on a Zen 3 core scans of half bytes took 28 to 31 ns a row of 512 numbers so
/// and 50 ns with one line a row, which is what suits the AVX-512 kernels' processors.
const PREFETCH_BYTES: usize = 4096;
/// Rows of a block that stay in the first-level cache while all probes pass over them.
const CACHED_BYTES: usize = 16 << 10;

/// Rows ahead of the one being computed that are asked for, where rows are picked.
const PICKS_AHEAD: usize = 6;
/// Bytes of a row whose look-ups add up within 16 bits: 258 · 254 < 2^16.
const SIGN_BYTES: usize = 256;

static KERNELS: Kernels = Kernels {
    level: Level::Avx2,
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

fn dot_i5_block(rows: &[u8], probes: ProbeBlock<'_>, out: &mut [i32]) {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_i5_block_maddubs(rows, probes, out) }
}

fn dot_i8_picked(rows: &[u8], probe: &[i8], picks: &[u32], out: &mut [i32]) {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_i8_picked_madd(rows, probe, picks, out) }
}

fn dot_nibbles_rows(rows: &[u8], low: &[i8], high: &[i8], out: &mut [i32]) {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { dot_nibbles_rows_maddubs(rows, low, high, out) }
}

fn sum_signs(units: &[u8], table: SignTable<'_>, out: &mut [u32]) {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { sum_signs_shuffle(units, table, out) }
}

fn stream_read(bytes: &[u8]) -> u64 {
    // SAFETY: reached through `kernels` alone, which has checked the CPU.
    unsafe { stream_read_ymm(bytes) }
}

/// The AVX-512 level has it too: that it counts eight words at once in registers (VPOPCNTDQ) is a step still to take.
pub(crate) fn differing_bits(probe: &Line, rows: &[Line], out: &mut [u16]) {
    // SAFETY: reached through the `kernels` of this level or of AVX-512 alone, which have checked the CPU.
    unsafe { differing_bits_popcnt(probe, rows, out) }
}

pub(crate) fn at_or_above(values: &[u32; 64], least: u32) -> u64 {
    // SAFETY: reached through the `kernels` of this level or of AVX-512 alone, which have checked the CPU.
    unsafe { at_or_above_max(values, least) }
}

#[target_feature(enable = "avx2")]
fn at_or_above_max(values: &[u32; 64], least: u32) -> u64 {
    let least = _mm256_set1_epi32(least.cast_signed());
    let mut bits = 0;
    for (part, eight) in values.as_chunks::<8>().0.iter().enumerate() {
        // SAFETY: the array holds 32 bytes; the load needs no alignment.
        let eight = unsafe { _mm256_loadu_si256(eight.as_ptr().cast()) };
        let reaches = _mm256_cmpeq_epi32(_mm256_max_epu32(eight, least), eight);
        bits |= u64::from(_mm256_movemask_ps(_mm256_castsi256_ps(reaches)).cast_unsigned()) << (8 * part);
    }
    bits
}

pub(crate) fn least_positive(values: &[f32; 64]) -> f32 {
    // SAFETY: as for `at_or_above`.
    unsafe { least_positive_min(values) }
}

#[target_feature(enable = "avx2")]
fn least_positive_min(values: &[f32; 64]) -> f32 {
    let (zero, infinity) = (_mm256_setzero_ps(), _mm256_set1_ps(f32::INFINITY));
    let mut least = infinity;
    for eight in values.as_chunks::<8>().0 {
        // SAFETY: the array holds 32 bytes; the load needs no alignment.
        let eight = unsafe { _mm256_loadu_ps(eight.as_ptr()) };
        let is_positive = _mm256_cmp_ps::<_CMP_GT_OQ>(eight, zero);
        least = _mm256_min_ps(least, _mm256_blendv_ps(infinity, eight, is_positive));
    }
    let half = _mm_min_ps(_mm256_castps256_ps128(least), _mm256_extractf128_ps::<1>(least));
    let quarter = _mm_min_ps(half, _mm_movehl_ps(half, half));
    _mm_cvtss_f32(_mm_min_ss(quarter, _mm_movehdup_ps(quarter)))
}

pub(crate) fn add_looked_up(positions: &[f32], table: &[f32], sums: &mut [f32]) {
    // SAFETY: reached through the `kernels` of this level or of AVX-512 alone, which have checked the CPU.
    unsafe { add_looked_up_gather(positions, table, sums) }
}

#[target_feature(enable = "avx2")]
fn add_looked_up_gather(positions: &[f32], table: &[f32], sums: &mut [f32]) {
    let last = (table.len() - 1) as f32;
    let (one, half, centre) = (_mm256_set1_ps(1.0), _mm256_set1_ps(0.5), _mm256_set1_ps(last / 2.0));
    let (positions, positions_rest) = positions.as_chunks::<8>();
    let (sums, sums_rest) = sums.as_chunks_mut::<8>();
    for (positions, sums) in positions.iter().zip(sums) {
        // SAFETY: both arrays hold eight numbers; loads and stores need no alignment.
        let (position, sum) = unsafe { (_mm256_loadu_ps(positions.as_ptr()), _mm256_loadu_ps(sums.as_ptr())) };
        let entry = _mm256_add_ps(_mm256_mul_ps(_mm256_add_ps(position, one), centre), half);
        // The second operand where the first is NaN.
        let entry = _mm256_min_ps(_mm256_max_ps(entry, _mm256_setzero_ps()), _mm256_set1_ps(last));
        // SAFETY: every index is one of the table, 0 to last, in elements of four bytes.
        let said = unsafe { _mm256_i32gather_ps::<4>(table.as_ptr(), _mm256_cvttps_epi32(entry)) };
        let is_number = _mm256_cmp_ps::<_CMP_ORD_Q>(position, position);
        // A sum of −0 stays one where nothing is added.
        let added = _mm256_blendv_ps(sum, _mm256_add_ps(sum, said), is_number);
        // SAFETY: as for the loads.
        unsafe { _mm256_storeu_ps(sums.as_mut_ptr(), added) };
    }
    scalar::add_looked_up(positions_rest, table, sums_rest);
}

/// The scalar twin with the instruction that counts a word's bits.
#[target_feature(enable = "avx2,popcnt")]
fn differing_bits_popcnt(probe: &Line, rows: &[Line], out: &mut [u16]) {
    scalar::differing_bits(probe, rows, out);
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
    sum_of_products(reference, probe).wrapping_sub(offset(probe))
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
        prefetch_lines(row.as_ptr().wrapping_add(PREFETCH_BYTES), row.len());
        *out = sum_of_products(row, probe).wrapping_sub(offset);
    }
}

#[target_feature(enable = "avx2")]
fn dot_i5_block_maddubs(rows: &[u8], probes: ProbeBlock<'_>, out: &mut [i32]) {
    let (stride, k) = (probes.stride(), probes.count());
    if k == 0 {
        return;
    }
    let rows_cached = (CACHED_BYTES / stride).max(2).next_multiple_of(2);
    for (rows, out) in rows.chunks(rows_cached * stride).zip(out.chunks_mut(rows_cached * k)) {
        let last = rows.len() / stride - 1;
        for p in (0..k).step_by(4) {
            // Where a tile of two rows by four probes is not full, the last row or probe fills it.
            let four: [&[i8]; 4] = std::array::from_fn(|at| probes.probe((p + at).min(k - 1)));
            let offsets = _mm_set_epi32(offset(four[3]), offset(four[2]), offset(four[1]), offset(four[0]));
            for r in (0..=last).step_by(2) {
                if p == 0 {
                    // The rows that come after the cached ones, in rising order while these are computed.
                    prefetch_lines(rows.as_ptr().wrapping_add((r + rows_cached) * stride), 2 * stride);
                }
                let next = (r + 1).min(last);
                let two = [&rows[r * stride..][..stride], &rows[next * stride..][..stride]];
                let [sums, next_sums] = tile_i5(two, four);
                store(_mm_sub_epi32(sums, offsets), &mut out[r * k + p..(r + 1) * k]);
                store(_mm_sub_epi32(next_sums, offsets), &mut out[next * k + p..(next + 1) * k]);
            }
        }
    }
}

/// Writes as many of the four as there is room for.
#[inline]
#[target_feature(enable = "avx2")]
fn store(four: __m128i, out: &mut [i32]) {
    if let Some(out) = out.first_chunk_mut::<4>() {
        // SAFETY: `out` holds 16 bytes; the store needs no alignment.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), four) };
    } else {
        let mut all = [0; 4];
        // SAFETY: as above.
        unsafe { _mm_storeu_si128(all.as_mut_ptr().cast(), four) };
        out.copy_from_slice(&all[..out.len()]);
    }
}

/// The sums of two rows with four probes of a [`ProbeBlock`], without the offset.
#[inline]
#[target_feature(enable = "avx2")]
fn tile_i5(rows: [&[u8]; 2], probes: [&[i8]; 4]) -> [__m128i; 2] {
    let length = rows[0].len();
    assert!(rows[1].len() == length && probes.iter().all(|probe| probe.len() == length));
    let (long, whole) = (length / 128 * 128, length / 32 * 32);
    let mut sums = [[_mm256_setzero_si256(); 4]; 2];
    for at in (0..long).step_by(128) {
        // SAFETY: at + 128 <= long <= length, which every slice has, checked above.
        unsafe { add_products::<4>(rows, probes, at, &mut sums) };
    }
    for at in (long..whole).step_by(32) {
        // SAFETY: at + 32 <= whole <= length, which every slice has, checked above.
        unsafe { add_products::<1>(rows, probes, at, &mut sums) };
    }
    let mut totals = [_mm_setzero_si128(); 2];
    for r in 0..2 {
        let [a, b, c, d] = sums[r];
        let all = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
        totals[r] = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256::<1>(all));
        for at in whole..length {
            let [a, b, c, d] = probes.map(|probe| i32::from(probe[at]));
            let products = _mm_mullo_epi32(_mm_set1_epi32(i32::from(rows[r][at])), _mm_set_epi32(d, c, b, a));
            totals[r] = _mm_add_epi32(totals[r], products);
        }
    }
    totals
}

/// Adds the products of `32·N` numbers from `from` on. At most four steps of two products of a byte and a number of five
/// bits lie between two widenings: 4 · 2 · 255 · 15 = 30 600 < 2^15.
///
/// # Safety
/// Every row and probe has `from + 32·N` numbers.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn add_products<const N: usize>(
    rows: [&[u8]; 2],
    probes: [&[i8]; 4],
    from: usize,
    sums: &mut [[__m256i; 4]; 2],
) {
    const { assert!(N >= 1 && N <= 4) };
    let mut small = [[_mm256_setzero_si256(); 4]; 2];
    // Plain loops: what closures and iterators are given is not inlined into code of these instructions.
    for step in 0..N {
        let at = from + 32 * step;
        let mut four = [_mm256_setzero_si256(); 4];
        for p in 0..4 {
            // SAFETY: at + 32 <= from + 32·N; the loads need no alignment.
            four[p] = unsafe { _mm256_loadu_si256(probes[p].as_ptr().add(at).cast()) };
        }
        for r in 0..2 {
            // SAFETY: as for the probes.
            let row = unsafe { _mm256_loadu_si256(rows[r].as_ptr().add(at).cast()) };
            for p in 0..4 {
                small[r][p] = _mm256_add_epi16(small[r][p], _mm256_maddubs_epi16(row, four[p]));
            }
        }
    }
    let ones = _mm256_set1_epi16(1);
    for r in 0..2 {
        for p in 0..4 {
            sums[r][p] = _mm256_add_epi32(sums[r][p], _mm256_madd_epi16(small[r][p], ones));
        }
    }
}

#[target_feature(enable = "avx2")]
fn dot_i8_picked_madd(rows: &[u8], probe: &[i8], picks: &[u32], out: &mut [i32]) {
    let (stride, offset) = (probe.len(), offset(probe));
    for (at, (&pick, out)) in picks.iter().zip(out).enumerate() {
        if let Some(&ahead) = picks.get(at + PICKS_AHEAD) {
            let row = rows.as_ptr().wrapping_add(ahead as usize * stride);
            (0..stride).step_by(64).for_each(|line| prefetch(row.wrapping_add(line)));
        }
        let row = &rows[pick as usize * stride..][..stride];
        *out = sum_of_products(row, probe).wrapping_sub(offset);
    }
}

#[target_feature(enable = "avx2")]
fn dot_nibbles_rows_maddubs(rows: &[u8], low: &[i8], high: &[i8], out: &mut [i32]) {
    let stride = low.len();
    assert_eq!(high.len(), stride, "both halves of one length");
    let sum = |half: &[i8]| half.iter().fold(0i32, |sum, &value| sum.wrapping_add(i32::from(value)));
    let offset = sum(low).wrapping_add(sum(high)).wrapping_mul(15);
    let (nibble, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
    let whole = stride / 32 * 32;
    for (row, out) in rows.chunks_exact(stride).zip(out) {
        prefetch_lines(row.as_ptr().wrapping_add(PREFETCH_BYTES), stride);
        let mut sums = _mm256_setzero_si256();
        // Four steps of two products of two codes of at most 15 and probes of at most 128: 30 720 < 2^15.
        for from in (0..whole).step_by(128) {
            let mut small = _mm256_setzero_si256();
            for at in (from..whole.min(from + 128)).step_by(32) {
                // SAFETY: at + 32 <= whole <= stride, which row and both halves have.
                let (codes, low, high) = unsafe {
                    (
                        _mm256_loadu_si256(row.as_ptr().add(at).cast()),
                        _mm256_loadu_si256(low.as_ptr().add(at).cast()),
                        _mm256_loadu_si256(high.as_ptr().add(at).cast()),
                    )
                };
                let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), nibble);
                let lower = _mm256_maddubs_epi16(_mm256_and_si256(codes, nibble), low);
                small = _mm256_add_epi16(small, _mm256_add_epi16(lower, _mm256_maddubs_epi16(upper, high)));
            }
            sums = _mm256_add_epi32(sums, _mm256_madd_epi16(small, ones));
        }
        let rest = row[whole..].iter().zip(low[whole..].iter().zip(&high[whole..]));
        let rest = rest.fold(0i32, |sum, (&byte, (&low, &high))| {
            sum + i32::from(byte & 15) * i32::from(low) + i32::from(byte >> 4) * i32::from(high)
        });
        *out = reduce(sums).wrapping_add(rest).wrapping_mul(2).wrapping_sub(offset);
    }
}

#[target_feature(enable = "avx2")]
fn sum_signs_shuffle(units: &[u8], table: SignTable<'_>, out: &mut [u32]) {
    let nibble = _mm256_set1_epi8(15);
    for (unit, out) in units.chunks_exact(64 * table.stride()).zip(out.as_chunks_mut::<64>().0) {
        let parts = unit.as_chunks::<64>().0.chunks(SIGN_BYTES).zip(table.entries().chunks(SIGN_BYTES));
        for (part, (bytes, entries)) in parts.enumerate() {
            // For each half of the unit: sums of pairs of neighbouring rows as they stand, and of the odd rows alone.
            let mut sums = [[_mm256_setzero_si256(); 2]; 2];
            for (bytes, entries) in bytes.iter().zip(entries) {
                prefetch(bytes.as_ptr().wrapping_add(PREFETCH_BYTES));
                // SAFETY: `entries` holds 32 bytes, `bytes` holds 64; the loads need no alignment.
                let (low, high, codes) = unsafe {
                    let entries = entries.as_ptr();
                    (
                        _mm256_broadcastsi128_si256(_mm_loadu_si128(entries.cast())),
                        _mm256_broadcastsi128_si256(_mm_loadu_si128(entries.add(16).cast())),
                        [0, 32].map(|at| _mm256_loadu_si256(bytes.as_ptr().add(at).cast())),
                    )
                };
                for (codes, [pairs, odd]) in codes.into_iter().zip(&mut sums) {
                    let lower = _mm256_shuffle_epi8(low, _mm256_and_si256(codes, nibble));
                    let upper = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16::<4>(codes), nibble));
                    let both = _mm256_add_epi8(lower, upper);
                    *pairs = _mm256_add_epi16(*pairs, both);
                    *odd = _mm256_add_epi16(*odd, _mm256_srli_epi16::<8>(both));
                }
            }
            for ([pairs, odd], out) in sums.into_iter().zip(out.as_chunks_mut::<32>().0) {
                let even = _mm256_sub_epi16(pairs, _mm256_slli_epi16::<8>(odd));
                let (first, second) = (_mm256_unpacklo_epi16(even, odd), _mm256_unpackhi_epi16(even, odd));
                let eights = [
                    _mm256_castsi256_si128(first),
                    _mm256_castsi256_si128(second),
                    _mm256_extracti128_si256::<1>(first),
                    _mm256_extracti128_si256::<1>(second),
                ];
                for (eight, out) in eights.into_iter().zip(out.as_chunks_mut::<8>().0) {
                    let mut sums = _mm256_cvtepu16_epi32(eight);
                    if part > 0 {
                        // SAFETY: `out` holds eight u32, 32 bytes; the load needs no alignment.
                        sums = _mm256_add_epi32(sums, unsafe { _mm256_loadu_si256(out.as_ptr().cast()) });
                    }
                    // SAFETY: as for the load.
                    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), sums) };
                }
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

/// Asks for every line of so many bytes from `address` on.
#[inline]
fn prefetch_lines(address: *const u8, bytes: usize) {
    (0..bytes).step_by(64).for_each(|line| prefetch(address.wrapping_add(line)));
}

/// Σ row·probe, the stored offset still in it.
#[inline]
#[target_feature(enable = "avx2")]
fn sum_of_products(row: &[u8], probe: &[i8]) -> i32 {
    assert_eq!(row.len(), probe.len());
    let ((row, row_rest), (probe, probe_rest)) = (row.as_chunks::<16>(), probe.as_chunks::<16>());
    let mut sum = _mm256_setzero_si256();
    for (row, probe) in row.iter().zip(probe) {
        // SAFETY: both arrays hold 16 bytes; the loads need no alignment.
        let (row, probe) = unsafe { (_mm_loadu_si128(row.as_ptr().cast()), _mm_loadu_si128(probe.as_ptr().cast())) };
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_cvtepu8_epi16(row), _mm256_cvtepi8_epi16(probe)));
    }
    let rest = row_rest.iter().zip(probe_rest);
    rest.fold(reduce(sum), |sum, (&row, &probe)| sum.wrapping_add(i32::from(row) * i32::from(probe)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn reduce(sum: __m256i) -> i32 {
    let half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let quarter = _mm_add_epi32(half, _mm_unpackhi_epi64(half, half));
    _mm_cvtsi128_si32(_mm_add_epi32(quarter, _mm_shuffle_epi32::<1>(quarter)))
}

/// 128·Σ probe, what the stored offset adds to every result.
#[inline]
#[target_feature(enable = "avx2")]
fn offset(probe: &[i8]) -> i32 {
    let (chunks, rest) = probe.as_chunks::<32>();
    let (bytes, words) = (_mm256_set1_epi8(1), _mm256_set1_epi16(1));
    let mut sum = _mm256_setzero_si256();
    for chunk in chunks {
        // SAFETY: the array holds 32 bytes; the load needs no alignment.
        let pairs = _mm256_maddubs_epi16(bytes, unsafe { _mm256_loadu_si256(chunk.as_ptr().cast()) });
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, words));
    }
    rest.iter().fold(reduce(sum), |sum, &value| sum.wrapping_add(i32::from(value))).wrapping_mul(128)
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
