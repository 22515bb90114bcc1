//! What should the fast kernels compute? Their portable twins, which are also what other processors run.

use crate::{LINE_WORDS, Line, ProbeBlock, SignTable};

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
pub fn dot_i5_block(rows: &[u8], probes: ProbeBlock<'_>, out: &mut [i32]) {
    let rows = rows.chunks_exact(probes.stride());
    let pairs = rows.flat_map(|row| probes.codes().chunks_exact(row.len()).map(move |probe| (row, probe)));
    for ((row, probe), out) in pairs.zip(out) {
        *out = dot_i8(row, probe);
    }
}

/// One probe against the rows picked by number.
pub fn dot_i8_picked(rows: &[u8], stride: usize, probe: &[i8], picks: &[u32], out: &mut [i32]) {
    for (&pick, out) in picks.iter().zip(out) {
        *out = dot_i8(&rows[pick as usize * stride..][..stride], probe);
    }
}

/// One probe against many rows of half-byte codes, wrapping beyond 65 536 numbers.
pub fn dot_nibbles_rows(rows: &[u8], stride: usize, low: &[i8], high: &[i8], out: &mut [i32]) {
    let term = |code: u8, probe: i8| (2 * i32::from(code) - 15) * i32::from(probe);
    for (row, out) in rows.chunks_exact(stride).zip(out) {
        let pairs = row.iter().zip(low.iter().zip(high));
        let sums = pairs.map(|(&byte, (&low, &high))| term(byte & 15, low).wrapping_add(term(byte >> 4, high)));
        *out = sums.fold(0, i32::wrapping_add);
    }
}

/// What the table says about each row's signs, summed.
pub fn sum_signs(units: &[u8], table: SignTable<'_>, out: &mut [u32]) {
    let units = units.chunks_exact(SignTable::UNIT * table.stride());
    for (unit, out) in units.zip(out.chunks_exact_mut(SignTable::UNIT)) {
        out.fill(0);
        for (bytes, table) in unit.chunks_exact(SignTable::UNIT).zip(table.entries()) {
            for (&byte, out) in bytes.iter().zip(out.iter_mut()) {
                *out += u32::from(table[usize::from(byte & 15)]) + u32::from(table[16 + usize::from(byte >> 4)]);
            }
        }
    }
}

/// See [`crate::at_or_above`].
#[must_use]
pub fn at_or_above(values: &[u32; 64], least: u32) -> u64 {
    values.iter().enumerate().fold(0, |bits, (index, &value)| bits | u64::from(value >= least) << index)
}

/// See [`crate::least_positive`].
#[must_use]
pub fn least_positive(values: &[f32; 64]) -> f32 {
    values.iter().copied().filter(|&value| value > 0.0).fold(f32::INFINITY, f32::min)
}

/// See [`crate::add_looked_up`].
pub fn add_looked_up(positions: &[f32], table: &[f32], sums: &mut [f32]) {
    let last = (table.len() - 1) as f32;
    for (&position, sum) in positions.iter().zip(sums) {
        if !position.is_nan() {
            let entry = (position + 1.0) * (last / 2.0) + 0.5;
            *sum += table[entry.clamp(0.0, last) as usize];
        }
    }
}

/// The wrapping sum of the bytes as little-endian words, plus the bytes left over.
#[must_use]
pub fn stream_read(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().map(|&word| u64::from_le_bytes(word)).fold(0, u64::wrapping_add);
    rest.iter().map(|&byte| u64::from(byte)).fold(sum, u64::wrapping_add)
}

/// In how many bits lines differ from a probe. Inlined so that a level with an instruction for counting bits compiles it
/// anew with that.
#[inline(always)]
pub fn differing_bits(probe: &Line, rows: &[Line], out: &mut [u16]) {
    for (row, out) in rows.iter().zip(out) {
        *out = (0..LINE_WORDS).map(|word| (row[word] ^ probe[word]).count_ones()).sum::<u32>() as u16;
    }
}
