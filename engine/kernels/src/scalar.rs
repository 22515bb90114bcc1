//! What should the fast kernels compute? Their portable twins, which are also what other processors run.

use crate::LINE_WORDS;

/// Σ a\[i\]·b\[i\], in eight running sums.
#[must_use]
pub fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0f32; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Σ (reference\[i\] − 128)·probe\[i\], wrapping beyond 65 536 numbers.
#[must_use]
pub fn dot_i8(reference: &[u8], probe: &[i8]) -> i32 {
    let products = reference.iter().zip(probe).map(|(&r, &p)| (i32::from(r) - 128) * i32::from(p));
    products.fold(0, i32::wrapping_add)
}

/// Σ (a\[i\] − 128)·(b\[i\] − 128), wrapping beyond 65 536 numbers.
#[must_use]
pub fn dot_u8(a: &[u8], b: &[u8]) -> i32 {
    let products = a.iter().zip(b).map(|(&a, &b)| (i32::from(a) - 128) * (i32::from(b) - 128));
    products.fold(0, i32::wrapping_add)
}

/// One probe against many references.
pub fn dot_i8_rows(rows: &[u8], stride: usize, probe: &[i8], out: &mut [i32]) {
    for (row, out) in rows.chunks_exact(stride).zip(out) {
        *out = dot_i8(row, probe);
    }
}

/// Several probes against many references.
pub fn dot_i8_block(rows: &[u8], stride: usize, probes: &[i8], out: &mut [i32]) {
    let pairs = rows.chunks_exact(stride).flat_map(|row| probes.chunks_exact(stride).map(move |probe| (row, probe)));
    for ((row, probe), out) in pairs.zip(out) {
        *out = dot_i8(row, probe);
    }
}

/// The wrapping sum of the bytes as little-endian words, plus the bytes left over.
#[must_use]
pub fn stream_read(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().map(|&word| u64::from_le_bytes(word)).fold(0, u64::wrapping_add);
    rest.iter().map(|&byte| u64::from(byte)).fold(sum, u64::wrapping_add)
}

/// In how many bits lines differ, every row against every probe. Inlined so that a level with an instruction for
/// counting bits compiles it anew with that.
#[inline(always)]
pub fn differing_bits(rows: &[[u64; 8]], probes: &[[u64; 8]], out: &mut [u16]) {
    for (row, out) in rows.iter().zip(out.chunks_mut(probes.len().max(1))) {
        for (probe, out) in probes.iter().zip(out) {
            *out = (0..LINE_WORDS).map(|word| (row[word] ^ probe[word]).count_ones()).sum::<u32>() as u16;
        }
    }
}
