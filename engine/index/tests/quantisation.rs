//! How far is a quantised cosine from the exact one, and what is refused?

use khop_index::{Plane, PlaneBuilder, PlaneError, Probe, VectorError, quantise_row, stride};
use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn vector(rng: &mut ChaCha8Rng, dim: usize) -> Vec<f32> {
    // Sums of uniform numbers are close enough to normal ones.
    (0..dim).map(|_| (0..6).map(|_| rng.random_range(-1.0f32..1.0)).sum()).collect()
}

fn exact_cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum() };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// 512 numbers, 20 000 pairs: root mean square below 0.0006, no pair beyond 0.004, every pair within its own bound.
#[test]
fn error_of_random_pairs() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let rows: Vec<Vec<f32>> = (0..200).map(|_| vector(&mut rng, 512)).collect();
    let mut builder = PlaneBuilder::new(512);
    rows.iter().for_each(|row| builder.push(Some(row)).unwrap());
    let bytes = builder.finish();
    let plane = Plane::new(512, &bytes.codes, &bytes.scales).unwrap();
    let (mut squares, mut worst, mut count) = (0.0, 0f64, 0);
    for _ in 0..100 {
        let mut wanted = vector(&mut rng, 512);
        // Half of the probes resemble a row, so that large cosines are met too.
        if count % 400 == 0 {
            wanted.iter_mut().zip(&rows[count / 200]).for_each(|(w, r)| *w = *r + 0.5 * *w);
        }
        let probe = Probe::new(&wanted).unwrap();
        for (index, row) in rows.iter().enumerate() {
            let error = f64::from(plane.similarity(index, &probe).unwrap()) - exact_cosine(row, &wanted);
            assert!(error.abs() <= f64::from(plane.error_bound(index, &probe).unwrap()));
            squares += error * error;
            worst = worst.max(error.abs());
            count += 1;
        }
    }
    let rms = (squares / count as f64).sqrt();
    assert!(rms < 6e-4 && worst < 4e-3, "rms {rms}, worst {worst}");
    assert!(rms > 1e-5, "an error this small means nothing was quantised: {rms}");
}

#[test]
fn bad_vectors_are_named() {
    assert_eq!(Probe::new(&[]).unwrap_err().to_string(), "vector: expected 1 to 4096 numbers, got 0");
    assert!(Probe::new(&[1.0; 4097]).is_err());
    let mut builder = PlaneBuilder::new(3);
    assert_eq!(builder.push(Some(&[1.0, f32::NAN, 0.0])), Err(VectorError::NotFinite(1)));
    assert_eq!(builder.push(Some(&[1.0, 0.0, f32::INFINITY])), Err(VectorError::NotFinite(2)));
    assert_eq!(builder.push(Some(&[0.0; 3])), Err(VectorError::Zero));
    assert_eq!(builder.push(Some(&[1.0; 4])).unwrap_err().to_string(), "vector: expected 3 numbers, got 4");
    assert_eq!(builder.rows(), 0, "a refused vector leaves no row behind");
    let mut codes = [7u8; 64];
    for bad in [vec![], vec![0.0; 3], vec![f32::NAN], vec![1.0; 65]] {
        assert_eq!(quantise_row(&bad, &mut codes), 0.0);
        assert_eq!(codes, [128; 64]);
    }
}

#[test]
fn columns_that_do_not_fit_are_named() {
    let error = |dim, codes: usize, scales: usize| Plane::new(dim, &vec![128; codes], &vec![0; scales]).unwrap_err();
    assert_eq!(error(0, 0, 0), PlaneError::Dimension(0));
    assert_eq!(error(4097, 0, 0), PlaneError::Dimension(4097));
    assert_eq!(error(65, 128, 5), PlaneError::Scales(5));
    assert_eq!(error(65, 127, 4), PlaneError::Codes { rows: 1, dim: 65, expected: 128, got: 127 });
}

proptest! {
    /// Whatever the magnitude and dimension, the bound holds and absent rows stay absent.
    #[test]
    fn within_the_bound(seed: u64, dim in 1usize..700, magnitude in -30i32..30, absent: Vec<bool>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let scale = 2f32.powi(magnitude);
        let rows: Vec<Option<Vec<f32>>> = absent
            .iter()
            .take(100)
            .map(|&absent| (!absent).then(|| vector(&mut rng, dim).into_iter().map(|v| v * scale).collect()))
            .collect();
        let mut builder = PlaneBuilder::new(dim);
        for row in &rows {
            builder.push(row.as_deref()).unwrap();
        }
        let bytes = builder.finish();
        prop_assert_eq!(bytes.codes.len(), rows.len() * stride(dim));
        let plane = Plane::new(dim, &bytes.codes, &bytes.scales).unwrap();
        let wanted = vector(&mut rng, dim);
        let probe = Probe::new(&wanted).unwrap();
        let mut all = vec![0f32; rows.len()];
        plane.similarities(&probe, 0..rows.len(), &mut all);
        for (index, row) in rows.iter().enumerate() {
            prop_assert_eq!(plane.is_present(index), row.is_some());
            let similarity = plane.similarity(index, &probe);
            prop_assert_eq!(similarity.unwrap_or(f32::NAN).to_bits(), all[index].to_bits());
            if let (Some(row), Some(similarity)) = (row, similarity) {
                let error = (f64::from(similarity) - exact_cosine(row, &wanted)).abs();
                prop_assert!(error <= f64::from(plane.error_bound(index, &probe).unwrap()), "{}", error);
            }
        }
        prop_assert!(!plane.is_present(rows.len()) && plane.similarity(rows.len(), &probe).is_none());
    }
}
