//! Does the exhaustive search find every row at or above the threshold, and no other?

use khop_index::{
    Exhaustive, Guarantee, Plane, PlaneBuilder, PlaneBytes, Probe, Query, RowMask, SearchError, VectorIndex, Watch,
};
use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn vector(rng: &mut ChaCha8Rng, dim: usize) -> Vec<f32> {
    (0..dim).map(|_| rng.random_range(-1.0f32..1.0)).collect()
}

fn plane_bytes(rng: &mut ChaCha8Rng, dim: usize, rows: usize) -> PlaneBytes {
    let mut builder = PlaneBuilder::new(dim);
    for _ in 0..rows {
        let row = rng.random_bool(0.9).then(|| vector(rng, dim));
        builder.push(row.as_deref()).unwrap();
    }
    builder.finish()
}

fn mask(rng: &mut ChaCha8Rng, rows: usize, share: f64) -> RowMask {
    let mut mask = RowMask::none(rows);
    (0..rows).filter(|_| rng.random_bool(share)).for_each(|row| mask.set(row));
    mask
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against the plain definition, over masks from empty to full, small limits and rows beyond one task.
    #[test]
    fn equals_its_definition(
        seed: u64, rows in 0usize..600, more_rows: bool, limit in 1usize..40, threshold in -0.6f32..0.6,
        share in prop::sample::select(vec![0.0, 0.01, 0.3, 0.6, 1.0]),
    ) {
        let rows = if more_rows { rows + 16_384 } else { rows };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let bytes = plane_bytes(&mut rng, 16, rows);
        let plane = Plane::new(16, &bytes.codes, &bytes.scales).unwrap();
        let mask = mask(&mut rng, rows, share);
        let probes: Vec<Probe> = (0..5).map(|_| Probe::new(&vector(&mut rng, 16)).unwrap()).collect();
        let query = Query { threshold, limit, mask: &mask, watch: Watch::NEVER };
        let batch = Exhaustive(plane).search_batch(&probes, &query).unwrap();
        for (probe, batch) in probes.iter().zip(batch) {
            let mut expected: Vec<(f32, u32)> = mask
                .iter()
                .filter_map(|row| Some((plane.similarity(row, probe)?, row as u32)))
                .filter(|&(similarity, _)| similarity >= threshold)
                .collect();
            expected.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let answer = Exhaustive(plane).search(probe, &query).unwrap();
            prop_assert_eq!(answer.more, expected.len() > limit);
            expected.truncate(limit);
            let found: Vec<(f32, u32)> = answer.neighbours.iter().map(|n| (n.similarity, n.row)).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(answer.guarantee, Guarantee::Exhaustive);
            prop_assert_eq!(batch, answer);
        }
    }
}

/// Equal similarities come in row order, whichever thread found them, and a row exactly at the threshold counts.
#[test]
fn ties_come_in_row_order() {
    let mut builder = PlaneBuilder::new(8);
    (0..40_000).for_each(|_| builder.push(Some(&[1.0; 8])).unwrap());
    let bytes = builder.finish();
    let plane = Plane::new(8, &bytes.codes, &bytes.scales).unwrap();
    let probe = Probe::new(&[1.0; 8]).unwrap();
    let threshold = plane.similarity(0, &probe).unwrap();
    let mut mask = RowMask::all(40_000);
    mask.clear(1);
    let answer =
        Exhaustive(plane).search(&probe, &Query { threshold, limit: 4, mask: &mask, watch: Watch::NEVER }).unwrap();
    assert_eq!(answer.neighbours.iter().map(|n| n.row).collect::<Vec<_>>(), [0, 2, 3, 4]);
    assert!(answer.more);
}

/// Everything reaches the lowest threshold there is, opposite vectors too, whose bytes may say a little less than −1.
#[test]
fn nothing_is_below_the_lowest_threshold() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for dim in (2..=5).cycle().take(1000).chain([64, 512]) {
        let values = vector(&mut rng, dim);
        let opposite: Vec<f32> = values.iter().map(|v| -v).collect();
        let mut builder = PlaneBuilder::new(dim);
        (0..64).for_each(|_| builder.push(Some(&opposite)).unwrap());
        let bytes = builder.finish();
        let plane = Plane::new(dim, &bytes.codes, &bytes.scales).unwrap();
        let probes = [Probe::new(&values).unwrap(), Probe::new(&values).unwrap()];
        let query = Query { threshold: -1.0, limit: 64, mask: &RowMask::all(64), watch: Watch::NEVER };
        let answers = Exhaustive(plane).search_batch(&probes, &query).unwrap();
        assert_eq!(answers[1].neighbours.len(), 64, "{dim}");
        assert_eq!(Exhaustive(plane).search(&probes[0], &query).unwrap(), answers[0], "{dim}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let bytes = PlaneBytes { codes: vec![128; 640], scales: vec![0; 40] };
    let plane = Plane::new(8, &bytes.codes, &bytes.scales).unwrap();
    let search = |dim: usize, rows: usize, threshold: f32| {
        let (probe, mask) = (Probe::new(&vec![1.0; dim]).unwrap(), RowMask::all(rows));
        Exhaustive(plane).search(&probe, &Query { threshold, limit: 1, mask: &mask, watch: Watch::NEVER })
    };
    assert_eq!(search(9, 10, 0.0), Err(SearchError::Dimension { expected: 8, got: 9 }));
    assert_eq!(search(8, 9, 0.0), Err(SearchError::Rows { what: "mask", expected: 10, got: 9 }));
    for outside in [f32::NAN, f32::INFINITY, 1.5, -1.000001] {
        let error = search(8, 10, outside).unwrap_err().to_string();
        assert_eq!(error, format!("threshold: expected a cosine of -1 to 1, got {outside}"));
    }
    for limit in [0, 1 << 32, usize::MAX] {
        let (probe, mask) = (Probe::new(&[1.0; 8]).unwrap(), RowMask::all(10));
        let query = Query { threshold: 0.0, limit, mask: &mask, watch: Watch::NEVER };
        assert_eq!(Exhaustive(plane).search(&probe, &query), Err(SearchError::Limit(limit)));
        assert_eq!(Exhaustive(plane).search_batch(&[probe], &query), Err(SearchError::Limit(limit)));
    }
    assert!(search(8, 10, -1.0).unwrap().neighbours.is_empty(), "absent rows are in no answer");
}
