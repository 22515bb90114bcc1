//! Does every level compute what the scalar twin computes, at every length and alignment?

use khop_kernels::{Kernels, Level, ProbeBlock, SignTable, scalar};
use proptest::prelude::*;

/// The levels beyond scalar that this CPU can run; says on standard error which it cannot.
fn levels() -> Vec<&'static Kernels> {
    let fast = [Level::Avx2, Level::Avx512Vnni];
    let found = fast.map(|level| {
        let kernels = Kernels::at(level);
        if kernels.is_none() {
            eprintln!("this CPU has no {level}: not tested here");
        }
        kernels
    });
    found.into_iter().flatten().collect()
}

/// Deterministic bytes of full range, so that every length can be tried without drawing each number by proptest.
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn codes(seed: u64, length: usize) -> Vec<i8> {
    bytes(seed, length).into_iter().map(|b| (b as i8).max(-127)).collect()
}

/// Numbers of five bits.
fn small_codes(seed: u64, length: usize) -> Vec<i8> {
    bytes(seed, length).into_iter().map(|b| (b % 31) as i8 - ProbeBlock::MOST).collect()
}

fn floats(seed: u64, length: usize) -> Vec<f32> {
    let coarse = bytes(seed, length).into_iter().zip(bytes(seed ^ 0x5555, length));
    coarse.map(|(a, b)| (f32::from(a) - 127.5) * 0.01 + f32::from(b) * 1e-5).collect()
}

#[test]
fn all_lengths() {
    for kernels in levels() {
        for length in 0..=1100 {
            let (a, b) = (bytes(7, length), codes(11, length));
            assert_eq!(kernels.dot_i8(&a, &b), scalar::dot_i8(&a, &b), "{} {length}", kernels.level());
            let c = bytes(19, length);
            assert_eq!(kernels.dot_u8(&a, &c), scalar::dot_u8(&a, &c), "{} {length}", kernels.level());
            let (x, y) = (floats(13, length), floats(17, length));
            check_f32(kernels, &x, &y);
            let read = bytes(23, length);
            assert_eq!(kernels.stream_read(&read), scalar::stream_read(&read), "{} {length}", kernels.level());
        }
    }
}

#[test]
fn sixty_four_values_against_a_bound() {
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, f32::MIN_POSITIVE, -1.0, 0.25];
    for seed in 0..200u64 {
        let mut values = [0u32; 64];
        let bytes = bytes(seed, 256);
        values.iter_mut().zip(bytes.as_chunks::<4>().0).for_each(|(value, bytes)| *value = u32::from_le_bytes(*bytes));
        values[seed as usize % 64] = u32::MAX;
        for least in [0, 1, values[7], values[7].wrapping_add(1), 1 << 31, u32::MAX] {
            let twin = scalar::at_or_above(&values, least);
            assert!((0..64).all(|bit| (twin >> bit & 1 == 1) == (values[bit] >= least)));
            levels().iter().for_each(|kernels| assert_eq!(kernels.at_or_above(&values, least), twin));
        }
        let mut floats: [f32; 64] = floats(seed, 64).try_into().unwrap();
        floats[seed as usize % 64] = odd[seed as usize % odd.len()];
        let none = floats.map(|value| value.min(0.0));
        for values in [floats, none] {
            let twin = scalar::least_positive(&values);
            assert!(twin > 0.0 && values.iter().all(|&value| value.is_nan() || value <= 0.0 || value >= twin));
            levels().iter().for_each(|kernels| assert_eq!(kernels.least_positive(&values), twin));
        }
    }
}

/// A position of every kind between, at and beyond the ends, and sums of every sign.
#[test]
fn what_is_looked_up_is_the_same() {
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, 1.0, 0.0, -0.0, 1e30, -1e30, f32::MIN_POSITIVE];
    for (length, entries) in (0..70).flat_map(|length| [2, 3, 1024].map(|entries| (length, entries))) {
        let mut positions: Vec<f32> = floats(29, length).into_iter().map(|value| value * 0.9).collect();
        positions.iter_mut().zip(odd).skip(length % 7).for_each(|(position, odd)| *position = odd);
        let (table, sums) = (floats(31, entries), floats(37, length));
        let mut twin = sums.clone();
        scalar::add_looked_up(&positions, &table, &mut twin);
        for (position, (twin, sum)) in positions.iter().zip(twin.iter().zip(&sums)) {
            let place = f64::from(position.clamp(-1.0, 1.0) + 1.0) / 2.0 * (entries - 1) as f64;
            let near = |entry: f64| (twin - sum - table[entry as usize]).abs() < 1e-4;
            // Halfway between two entries either is the nearest.
            let is_right = near((place + 0.4999).floor()) || near((place + 0.5001).floor());
            assert!(if position.is_nan() { twin.to_bits() == sum.to_bits() } else { is_right }, "{position} {entries}");
        }
        for kernels in levels() {
            let mut fast = sums.clone();
            kernels.add_looked_up(&positions, &table, &mut fast);
            assert!(fast.iter().zip(&twin).all(|(a, b)| a.to_bits() == b.to_bits()), "{} {length}", kernels.level());
        }
    }
}

/// Entries of full range for rows of `stride` bytes of signs.
fn entries(seed: u64, stride: usize) -> Vec<u8> {
    bytes(seed, 32 * stride).into_iter().map(|byte| byte & SignTable::MOST).collect()
}

/// Every number of sign bytes up to 4096 numbers, one to three units.
#[test]
fn signs_of_all_lengths() {
    for kernels in levels() {
        for stride in 1..=512 {
            let (units, entries) = (bytes(29, (stride % 3 + 1) * 64 * stride), entries(31, stride));
            let table = SignTable::new(&entries).unwrap();
            let (mut found, mut expected) = (vec![u32::MAX; (stride % 3 + 1) * 64], vec![7; (stride % 3 + 1) * 64]);
            kernels.sum_signs(&units, table, &mut found);
            scalar::sum_signs(&units, table, &mut expected);
            assert_eq!(found, expected, "{} {stride}", kernels.level());
        }
    }
}

/// Every number of half bytes up to 4096 numbers, codes and probes of full range.
#[test]
fn nibbles_of_all_lengths() {
    for kernels in levels() {
        for stride in 1..=2048 {
            let rows = bytes(37, 3 * stride);
            let (low, high) = (codes(41, stride), codes(43, stride));
            let (mut found, mut expected) = ([i32::MIN; 3], [0; 3]);
            kernels.dot_nibbles_rows(&rows, stride, &low, &high, &mut found);
            scalar::dot_nibbles_rows(&rows, stride, &low, &high, &mut expected);
            assert_eq!(found, expected, "{} {stride}", kernels.level());
        }
    }
}

/// The largest entries and codes there are, where 8- and 16-bit sums would overflow first.
#[test]
fn extremes_of_signs_and_nibbles_do_not_saturate() {
    for kernels in levels().into_iter().chain(Kernels::at(Level::Scalar)) {
        let entries = vec![SignTable::MOST; 32 * LONGEST / 8];
        let mut sums = [0; 64];
        kernels.sum_signs(&vec![0xff; 8 * LONGEST], SignTable::new(&entries).unwrap(), &mut sums);
        assert_eq!(sums, [127 * 2 * LONGEST as u32 / 8; 64], "{}", kernels.level());
        for (byte, code) in [(0xffu8, 15), (0, -15)] {
            for probe in [127i8, -127] {
                let (row, half) = (vec![byte; LONGEST / 2], vec![probe; LONGEST / 2]);
                let mut out = [0];
                kernels.dot_nibbles_rows(&row, LONGEST / 2, &half, &half, &mut out);
                assert_eq!(out, [code * i32::from(probe) * LONGEST as i32], "{}", kernels.level());
            }
        }
    }
}

/// Miri runs the scalar level alone, and slowly.
const WIDEST: usize = if cfg!(miri) { 20 } else { 600 };
const LONGEST: usize = if cfg!(miri) { 64 } else { 4096 };

/// Extremes: 255 and 0 stored against ±127, 4096 long, where 16-bit saturation would show.
#[test]
fn extremes_do_not_saturate() {
    for kernels in levels().into_iter().chain(Kernels::at(Level::Scalar)) {
        for (stored, probe) in [(255, 127), (255, -127), (0, 127), (0, -127)] {
            let expected = (i32::from(stored) - 128) * i32::from(probe) * LONGEST as i32;
            let (row, probe) = (vec![stored; LONGEST], vec![probe; LONGEST]);
            assert_eq!(kernels.dot_i8(&row, &probe), expected);
            let mut out = [0; 5];
            kernels.dot_i8_rows(&row.repeat(5), LONGEST, &probe, &mut out);
            assert_eq!(out, [expected; 5]);
            let small = vec![probe[0] / 127 * ProbeBlock::MOST; 6 * LONGEST];
            let mut out = [0; 30];
            kernels.dot_i5_block(&row.repeat(5), ProbeBlock::new(LONGEST, &small).unwrap(), &mut out);
            assert_eq!(out, [expected / 127 * i32::from(ProbeBlock::MOST); 30]);
        }
    }
}

/// |difference| ≤ n·2⁻²³·Σ|aᵢ·bᵢ|, as the crate's documentation states.
fn check_f32(kernels: &Kernels, a: &[f32], b: &[f32]) {
    let magnitude: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a * b).abs()).sum();
    let bound = a.len() as f64 * 2f64.powi(-23) * magnitude;
    let difference = f64::from(kernels.dot_f32(a, b)) - f64::from(scalar::dot_f32(a, b));
    assert!(difference.abs() <= bound, "{}: {difference} > {bound} at length {}", kernels.level(), a.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 256 }))]

    #[test]
    fn unaligned(seed: u64, skip_a in 0usize..64, skip_b in 0usize..64, length in 0usize..=1100) {
        let (a, b) = (bytes(seed, skip_a + length), codes(!seed, skip_b + length));
        let (x, y) = (floats(seed, skip_a + length), floats(!seed, skip_b + length));
        for kernels in levels() {
            let (a, b) = (&a[skip_a..], &b[skip_b..]);
            prop_assert_eq!(kernels.dot_i8(a, b), scalar::dot_i8(a, b));
            let c: Vec<u8> = b.iter().map(|&b| (b as u8) ^ 0x80).collect();
            prop_assert_eq!(kernels.dot_u8(a, &c), scalar::dot_i8(a, b));
            check_f32(kernels, &x[skip_a..], &y[skip_b..]);
            prop_assert_eq!(kernels.stream_read(a), scalar::stream_read(a));
        }
    }

    #[test]
    fn rows_and_blocks(seed: u64, stride in 1usize..=WIDEST, rows in 0usize..=70, probes in 0usize..=11, skip in 0usize..64) {
        let (row_bytes, probe_codes) = (bytes(seed, skip + rows * stride), small_codes(!seed, skip + probes * stride));
        let row_bytes = &row_bytes[skip..];
        let block = ProbeBlock::new(stride, &probe_codes[skip..]).unwrap();
        let mut expected = vec![0; rows * probes];
        scalar::dot_i5_block(row_bytes, block, &mut expected);
        let probe = codes(!seed, stride);
        let mut expected_rows = vec![0; rows];
        scalar::dot_i8_rows(row_bytes, stride, &probe, &mut expected_rows);
        for kernels in levels() {
            let mut found = vec![i32::MIN; rows * probes];
            kernels.dot_i5_block(row_bytes, block, &mut found);
            prop_assert_eq!(&found, &expected, "{}", kernels.level());
            let mut found = vec![i32::MIN; rows];
            kernels.dot_i8_rows(row_bytes, stride, &probe, &mut found);
            prop_assert_eq!(&found, &expected_rows, "{}", kernels.level());
        }
    }

    #[test]
    fn picks(seed: u64, stride in 1usize..=WIDEST, rows in 1usize..=70, picks: Vec<u32>) {
        let (row_bytes, probe) = (bytes(seed, rows * stride), codes(!seed, stride));
        let picks: Vec<u32> = picks.into_iter().map(|pick| pick % rows as u32).collect();
        let mut expected = vec![0; picks.len()];
        scalar::dot_i8_picked(&row_bytes, stride, &probe, &picks, &mut expected);
        for kernels in levels() {
            let mut found = vec![i32::MIN; picks.len()];
            kernels.dot_i8_picked(&row_bytes, stride, &probe, &picks, &mut found);
            prop_assert_eq!(&found, &expected, "{}", kernels.level());
        }
    }

    /// Signs and half bytes of the scalar twin against their plain definitions.
    #[test]
    fn scalar_signs_and_nibbles_are_right(seed: u64, stride in 1usize..=40) {
        let (unit, entries) = (bytes(seed, 64 * stride), entries(!seed, stride));
        let mut sums = [0; 64];
        scalar::sum_signs(&unit, SignTable::new(&entries).unwrap(), &mut sums);
        for (row, &sum) in sums.iter().enumerate() {
            let byte = |at: usize| usize::from(unit[64 * at + row]);
            let of = |at: usize| u32::from(entries[32 * at + byte(at) % 16]) + u32::from(entries[32 * at + 16 + byte(at) / 16]);
            prop_assert_eq!(sum, (0..stride).map(of).sum::<u32>());
        }
        let (row, low, high) = (bytes(seed, stride), codes(!seed, stride), codes(seed ^ 99, stride));
        let mut out = [0];
        scalar::dot_nibbles_rows(&row, stride, &low, &high, &mut out);
        let term = |code: u8, probe: i8| (2.0 * f64::from(code) - 15.0) * f64::from(probe);
        let of = |at: usize| term(row[at] % 16, low[at]) + term(row[at] / 16, high[at]);
        prop_assert_eq!(f64::from(out[0]), (0..stride).map(of).sum::<f64>());
    }

    /// The scalar twin itself against 64-bit arithmetic: the one level Miri can run.
    #[test]
    fn scalar_is_right(seed: u64, length in 0usize..=1100) {
        let (a, b) = (bytes(seed, length), codes(!seed, length));
        let expected: i64 = a.iter().zip(&b).map(|(&a, &b)| (i64::from(a) - 128) * i64::from(b)).sum();
        prop_assert_eq!(i64::from(scalar::dot_i8(&a, &b)), expected);
        let (x, y) = (floats(seed, length), floats(!seed, length));
        let exact: f64 = x.iter().zip(&y).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        let magnitude: f64 = x.iter().zip(&y).map(|(&a, &b)| (f64::from(a) * f64::from(b)).abs()).sum();
        let error = (f64::from(scalar::dot_f32(&x, &y)) - exact).abs();
        prop_assert!(error <= length as f64 * 2f64.powi(-23) * magnitude);
    }
}

#[test]
fn lines_differ_as_counted_one_by_one() {
    let lines = |seed: u64, count: usize| -> Vec<[u64; 8]> {
        let bytes = bytes(seed, 64 * count);
        bytes
            .chunks_exact(64)
            .map(|l| std::array::from_fn(|w| u64::from_le_bytes(l[8 * w..][..8].try_into().unwrap())))
            .collect()
    };
    for kernels in levels() {
        for count in [0, 1, 7, 40] {
            let mut rows = lines(3, count);
            let probe = lines(5, 1)[0];
            rows.iter_mut().take(1).for_each(|row| *row = probe.map(|word| !word)); // every bit differs
            let (mut fast, mut twin) = (vec![9; count], vec![7; count]);
            kernels.differing_bits(&probe, &rows, &mut fast);
            scalar::differing_bits(&probe, &rows, &mut twin);
            assert_eq!(fast, twin, "{}", kernels.level());
            assert!(twin.first().is_none_or(|&first| first == 320));
        }
    }
}
