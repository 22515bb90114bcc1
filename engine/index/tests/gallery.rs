//! Does every mode find what the plain definition in single precision finds, but for what its guarantee excepts?

use khop_index::{
    Gallery, Guarantee, Mode, NibblePlane, NibbleRow, Originals, Plane, PlaneBuilder, PlaneBytes, PlaneError, Probe,
    Query, Rotation, RowMask, SearchError, SignPlane, SignRow, Stop, VectorError, Watch, nibble_stride, place_signs,
    quantise_row, sign_bytes, stride, z_score,
};
use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// All planes of some vectors, absent rows included.
struct Planes {
    dim: usize,
    bytes: PlaneBytes,
    signs: Vec<u8>,
    agreements: Vec<u8>,
    nibbles: Vec<u8>,
    factors: Vec<u8>,
    originals: Vec<f32>,
}

impl Planes {
    fn of(dim: usize, rows: &[Option<Vec<f32>>]) -> Self {
        let (rotation, mut builder) = (Rotation::new(dim), PlaneBuilder::new(dim));
        let mut planes = Self {
            dim,
            bytes: PlaneBuilder::new(dim).finish(),
            signs: vec![0; sign_bytes(rows.len(), dim)],
            agreements: Vec::new(),
            nibbles: Vec::new(),
            factors: Vec::new(),
            originals: Vec::new(),
        };
        for (index, row) in rows.iter().enumerate() {
            builder.push(row.as_deref()).unwrap();
            let Some(values) = row else {
                planes.agreements.extend([0; 4]);
                planes.nibbles.extend(vec![0; nibble_stride(dim)]);
                planes.factors.extend([0; 8]);
                planes.originals.extend(vec![0.0; dim]);
                continue;
            };
            let signs = SignRow::of(values, &rotation).unwrap();
            place_signs(&mut planes.signs, index, &signs.bits);
            planes.agreements.extend(signs.agreement.to_le_bytes());
            let nibbles = NibbleRow::of(values, &rotation).unwrap();
            planes.nibbles.extend(&nibbles.codes);
            planes.factors.extend(nibbles.factors());
            let norm = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
            planes.originals.extend(values.iter().map(|&v| (f64::from(v) / norm) as f32));
        }
        planes.bytes = builder.finish();
        planes
    }

    fn gallery(&self) -> Gallery<'_> {
        let gallery = Gallery::new(Plane::new(self.dim, &self.bytes.codes, &self.bytes.scales).unwrap());
        let gallery = gallery.with_signs(self.sign_plane()).unwrap();
        gallery.with_nibbles(self.nibble_plane()).unwrap()
    }

    fn with_originals(&self) -> Gallery<'_> {
        self.gallery().with_originals(Originals::new(self.dim, &self.originals).unwrap()).unwrap()
    }

    fn sign_plane(&self) -> SignPlane<'_> {
        SignPlane::new(self.dim, &self.signs, &self.agreements).unwrap()
    }

    fn nibble_plane(&self) -> NibblePlane<'_> {
        NibblePlane::new(self.dim, &self.nibbles, &self.factors).unwrap()
    }
}

fn vector(rng: &mut ChaCha8Rng, dim: usize) -> Vec<f32> {
    // Now and then nearly all of it in a few numbers: what a quantiser likes least.
    let spiky = rng.random_bool(0.2);
    let number = |rng: &mut ChaCha8Rng| (0..4).map(|_| rng.random_range(-1.0f32..1.0)).sum::<f32>();
    (0..dim).map(|_| if spiky && rng.random_bool(0.9) { 1e-3 * number(rng) } else { number(rng) }).collect()
}

/// A unit vector at exactly this cosine from the given one, up to rounding.
fn at_cosine(rng: &mut ChaCha8Rng, from: &[f32], cosine: f64) -> Vec<f32> {
    let other = vector(rng, from.len());
    let dot = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum() };
    let (along, length) = (dot(from, &other) / dot(from, from), dot(from, from).sqrt());
    let aside: Vec<f32> = other.iter().zip(from).map(|(&o, &f)| o - (along * f64::from(f)) as f32).collect();
    let aside_length = dot(&aside, &aside).sqrt();
    let sine = (1.0 - cosine * cosine).sqrt();
    let mixed = from.iter().zip(&aside);
    mixed.map(|(&f, &a)| (cosine * f64::from(f) / length + sine * f64::from(a) / aside_length) as f32).collect()
}

/// Rows of which some lie around a cosine of 0.4 from one of the probes, some are absent, and all are of odd lengths.
fn rows(rng: &mut ChaCha8Rng, dim: usize, count: usize, probes: &[Vec<f32>]) -> Vec<Option<Vec<f32>>> {
    (0..count)
        .map(|_| {
            let row = if rng.random_bool(0.3) {
                let (probe, cosine) = (rng.random_range(0..probes.len()), rng.random_range(0.2..0.6));
                at_cosine(rng, &probes[probe], cosine)
            } else {
                vector(rng, dim)
            };
            let length = 2f32.powi(rng.random_range(-20..20));
            rng.random_bool(0.9).then(|| row.into_iter().map(|v| v * length).collect())
        })
        .collect()
}

/// The definition: every allowed row's cosine in single precision.
fn by_definition(planes: &Planes, probe: &Probe, query: &Query<'_>) -> (Vec<(u32, f32)>, bool) {
    let originals = Originals::new(planes.dim, &planes.originals).unwrap();
    let plane = planes.gallery().plane();
    let present = query.mask.iter().filter(|&row| plane.is_present(row));
    let mut found: Vec<(u32, f32)> = present
        .map(|row| (row as u32, originals.similarity(row, probe)))
        .filter(|&(_, similarity)| similarity >= query.threshold)
        .collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    (found, more)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn lossless_modes_equal_the_definition(
        seed: u64, dim in prop::sample::select(vec![3usize, 64, 65, 128, 200, 512, 640]), count in 0usize..700,
        threshold in prop::sample::select(vec![-1.0f32, -0.5, 0.0, 0.05, 0.2, 0.4, 0.5, 1.0]), limit in 1usize..60,
        share in prop::sample::select(vec![0.0, 0.01, 0.1, 0.5, 1.0]),
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let wanted: Vec<Vec<f32>> = (0..3).map(|_| vector(&mut rng, dim)).collect();
        let planes = Planes::of(dim, &rows(&mut rng, dim, count, &wanted));
        let probes: Vec<Probe> = wanted.iter().map(|values| Probe::new(values).unwrap()).collect();
        let mut mask = RowMask::none(count);
        (0..count).filter(|_| rng.random_bool(share)).for_each(|row| mask.set(row));
        let query = Query { threshold, limit, mask: &mask, watch: Watch::NEVER };
        for (mode, guarantee) in [(Mode::Exact, Guarantee::Exhaustive), (Mode::Certified, Guarantee::Certified)] {
            let batch = planes.with_originals().search_batch(&probes, &query, mode).unwrap();
            for (probe, answer) in probes.iter().zip(batch) {
                let found: Vec<(u32, f32)> = answer.neighbours.iter().map(|n| (n.row, n.similarity)).collect();
                prop_assert_eq!((found, answer.more), by_definition(&planes, probe, &query), "{}", mode);
                prop_assert_eq!(answer.guarantee, guarantee);
                prop_assert_eq!(answer.tally.rows, mask.count() as u64);
                let single = planes.with_originals().search(probe, &query, mode).unwrap();
                prop_assert_eq!(single, answer);
            }
        }
        // Without originals the byte plane decides, and ruling out by half bytes does not change what it finds.
        let exact = planes.gallery().search_batch(&probes, &query, Mode::Exact).unwrap();
        let certified = planes.gallery().search_batch(&probes, &query, Mode::Certified).unwrap();
        for (exact, certified) in exact.iter().zip(&certified) {
            prop_assert_eq!(&exact.neighbours, &certified.neighbours);
            prop_assert_eq!(exact.more, certified.more);
        }
        // What sign bits let through is exact, and nothing else is.
        let bounded = planes.with_originals().search_batch(&probes, &query, Mode::Bounded { loss: 1e-9 }).unwrap();
        for (probe, answer) in probes.iter().zip(bounded) {
            let all = Query { limit: count.max(1), ..query };
            let (truth, _) = by_definition(&planes, probe, &all);
            prop_assert!(answer.neighbours.iter().all(|n| truth.contains(&(n.row, n.similarity))));
            prop_assert_eq!(answer.guarantee, Guarantee::Bounded { loss: 1e-9 });
        }
    }

    /// The inequality of half bytes, for vectors of any shape.
    #[test]
    fn no_cosine_is_above_its_upper_bound(seed: u64, dim in 3usize..700, magnitude in -20i32..30) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let wanted = vector(&mut rng, dim);
        let scale = 2f32.powi(magnitude);
        let mut all: Vec<Vec<f32>> = (0..40).map(|_| vector(&mut rng, dim)).collect();
        all.push(wanted.clone());
        all.push(wanted.iter().map(|v| -v).collect());
        all.extend((1..10).map(|step| at_cosine(&mut rng, &wanted, f64::from(step) / 10.0)).filter(|v| v.iter().all(|v| v.is_finite())));
        let rows: Vec<_> = all.into_iter().map(|row| Some(row.into_iter().map(|v| v * scale).collect())).collect();
        let (planes, probe) = (Planes::of(dim, &rows), Probe::new(&wanted).unwrap());
        let originals = Originals::new(dim, &planes.originals).unwrap();
        for row in 0..rows.len() {
            let bound = planes.nibble_plane().upper_bound(row, &probe).unwrap();
            prop_assert!(originals.similarity(row, &probe) <= bound + 1e-6, "row {}: {}", row, bound);
        }
    }
}

/// 512 numbers: how far the half-byte bound lies above the cosine, which decides whether it can rule anything out.
/// Rows are read back as they were written: a compaction copies them.
#[test]
fn rows_are_read_back_as_they_were_written() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for dim in [3, 64, 100, 512] {
        let rows: Vec<Option<Vec<f32>>> = (0..131).map(|row| (row % 7 != 3).then(|| vector(&mut rng, dim))).collect();
        let (planes, rotation) = (Planes::of(dim, &rows), Rotation::new(dim));
        let gallery = planes.gallery();
        for (at, row) in rows.iter().enumerate() {
            let [byte, signs, nibbles] = [
                gallery.plane().row(at).is_some(),
                gallery.signs().unwrap().row(at).is_some(),
                gallery.nibbles().unwrap().row(at).is_some(),
            ];
            let Some(values) = row else {
                assert!(!byte && !signs && !nibbles);
                continue;
            };
            let mut codes = vec![0; stride(dim)];
            let scale = quantise_row(values, &mut codes);
            assert_eq!(gallery.plane().row(at), Some((&codes[..], scale)));
            assert!(gallery.signs().unwrap().row(at) == SignRow::of(values, &rotation).ok());
            assert!(gallery.nibbles().unwrap().row(at) == NibbleRow::of(values, &rotation).ok());
        }
        assert!(gallery.plane().row(rows.len()).is_none() && gallery.signs().unwrap().row(rows.len()).is_none());
        assert!(gallery.nibbles().unwrap().row(rows.len()).is_none());
    }
}

#[test]
fn the_upper_bound_is_near() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let rows: Vec<_> = (0..500).map(|_| Some(vector(&mut rng, 512))).collect();
    let (planes, probe) = (Planes::of(512, &rows), Probe::new(&vector(&mut rng, 512)).unwrap());
    let originals = Originals::new(512, &planes.originals).unwrap();
    let gaps =
        (0..500).map(|row| planes.nibble_plane().upper_bound(row, &probe).unwrap() - originals.similarity(row, &probe));
    let mean = gaps.sum::<f32>() / 500.0;
    assert!((0.05..0.13).contains(&mean), "{mean}");
}

/// Rows exactly at the threshold are lost no more often than is said, and not so rarely that the bound does no work.
#[test]
fn sign_bits_lose_no_more_than_is_said() {
    for (dim, spiky) in [(512, false), (512, true), (640, false), (128, false)] {
        let mut rng = ChaCha8Rng::seed_from_u64(dim as u64);
        let (mut lost, mut there) = ([0u32; 3], 0u32);
        for _ in 0..30 {
            let wanted = if spiky {
                (0..dim).map(|at| if at < 5 { 1.0 } else { 1e-3 * rng.random_range(-1.0f32..1.0) }).collect()
            } else {
                vector(&mut rng, dim)
            };
            let rows: Vec<_> = (0..1000).map(|_| Some(at_cosine(&mut rng, &wanted, 0.4001))).collect();
            let (planes, probe) = (Planes::of(dim, &rows), Probe::new(&wanted).unwrap());
            let mask = RowMask::all(1000);
            let query = Query { threshold: 0.4, limit: 1000, mask: &mask, watch: Watch::NEVER };
            for (lost, loss) in lost.iter_mut().zip([0.3, 0.05, 1e-6]) {
                let answer = planes.with_originals().search(&probe, &query, Mode::Bounded { loss }).unwrap();
                *lost += 1000 - answer.neighbours.len() as u32;
            }
            there += 1000;
        }
        let share = lost.map(|lost| f64::from(lost) / f64::from(there));
        assert!(share[0] <= 0.3 && share[0] > 0.01, "{dim}: {share:?}");
        assert!(share[1] <= 0.05, "{dim}: {share:?}");
        assert_eq!(lost[2], 0, "{dim}: at one in a million, none of {there}");
    }
}

/// The estimate is right on average and its stated error is about what is met: 512 numbers, 20 000 pairs.
#[test]
fn sign_bits_estimate_without_bias() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let (mut sum, mut squares, mut count) = (0f64, 0f64, 0f64);
    let z = f64::from(z_score(0.01));
    for _ in 0..40 {
        let wanted = vector(&mut rng, 512);
        let rows: Vec<_> = (0..500).map(|at| Some(at_cosine(&mut rng, &wanted, f64::from(at) / 1000.0))).collect();
        let (planes, probe) = (Planes::of(512, &rows), Probe::new(&wanted).unwrap());
        let originals = Originals::new(512, &planes.originals).unwrap();
        for row in 0..500 {
            let (estimate, error) = planes.sign_plane().estimate(row, &probe, 0.01).unwrap();
            let standard = f64::from(estimate - originals.similarity(row, &probe)) / (f64::from(error) / z);
            (sum, squares, count) = (sum + standard, squares + standard * standard, count + 1.0);
        }
    }
    let (mean, deviation) = (sum / count, (squares / count).sqrt());
    assert!(mean.abs() < 0.05, "mean {mean} of the stated standard error");
    assert!((0.85..1.02).contains(&deviation), "deviation {deviation} of the stated standard error");
}

/// Random rows at a threshold that says something: sign bits and half bytes leave few to compare.
#[test]
fn coarse_planes_rule_most_rows_out() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let wanted = vector(&mut rng, 512);
    let mut rows: Vec<_> =
        (0..5000).map(|_| Some((0..512).map(|_| rng.random_range(-1.0f32..1.0)).collect())).collect();
    rows[77] = Some(at_cosine(&mut rng, &wanted, 0.5));
    let (planes, probe, mask) = (Planes::of(512, &rows), Probe::new(&wanted).unwrap(), RowMask::all(5000));
    let query = Query { threshold: 0.35, limit: 10, mask: &mask, watch: Watch::NEVER };
    for (mode, most) in [(Mode::Bounded { loss: 1e-6 }, 100), (Mode::Certified, 5)] {
        let answer = planes.gallery().search(&probe, &query, mode).unwrap();
        assert_eq!(answer.neighbours.iter().map(|n| n.row).collect::<Vec<_>>(), [77]);
        assert!((1..most).contains(&answer.tally.compared), "{mode}: {:?}", answer.tally);
    }
}

/// Stopped on whichever thread and unit: an error, never what was found until then.
#[test]
fn a_stopped_search_is_an_error() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let wanted = vector(&mut rng, 64);
    let rows: Vec<_> =
        (0..70_000).map(|at| Some(if at % 1000 == 0 { wanted.clone() } else { vector(&mut rng, 64) })).collect();
    let (planes, mask) = (Planes::of(64, &rows), RowMask::all(70_000));
    let probes = [Probe::new(&wanted).unwrap(), Probe::new(&wanted).unwrap()];
    for mode in [Mode::Exact, Mode::Bounded { loss: 1e-3 }, Mode::Certified] {
        for stop in [Stop::Cancelled, Stop::Deadline] {
            let asked = std::sync::atomic::AtomicU32::new(0);
            let after_three = || (asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 3).then_some(stop);
            let query = Query { threshold: 0.9, limit: 1000, mask: &mask, watch: Watch::new(&after_three) };
            assert_eq!(planes.gallery().search(&probes[0], &query, mode), Err(SearchError::Stopped(stop)), "{mode}");
            asked.store(0, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(planes.gallery().search_batch(&probes, &query, mode), Err(SearchError::Stopped(stop)), "{mode}");
        }
        let query = Query { threshold: 0.9, limit: 1000, mask: &mask, watch: Watch::NEVER };
        assert_eq!(planes.gallery().search(&probes[0], &query, mode).unwrap().neighbours.len(), 70, "{mode}");
    }
}

#[test]
fn a_batch_is_cut_to_its_memory_or_refused() {
    let mut rng = ChaCha8Rng::seed_from_u64(21);
    let probes: Vec<Probe> = (0..9).map(|_| Probe::new(&vector(&mut rng, 64)).unwrap()).collect();
    let rows: Vec<_> = (0..300).map(|_| Some(vector(&mut rng, 64))).collect();
    let (planes, mask) = (Planes::of(64, &rows), RowMask::all(300));
    let query = Query { threshold: 0.1, limit: 5, mask: &mask, watch: Watch::NEVER };
    let whole = planes.gallery().search_batch(&probes, &query, Mode::Exact).unwrap();
    let error = planes.gallery().search_within(&probes, &query, Mode::Exact, 100).unwrap_err();
    let SearchError::Memory { needed, limit: 100 } = error else { panic!("{error}") };
    assert!(error.to_string().starts_with("memory: expected at least"));
    for memory in [needed, 2 * needed, 1 << 30] {
        assert_eq!(planes.gallery().search_within(&probes, &query, Mode::Exact, memory).unwrap(), whole);
    }
    assert!(planes.gallery().search_within(&probes, &query, Mode::Exact, needed - 1).is_err());
}

#[test]
fn what_does_not_fit_is_named() {
    let mut rng = ChaCha8Rng::seed_from_u64(31);
    let rows: Vec<_> = (0..70).map(|_| Some(vector(&mut rng, 64))).collect();
    let (planes, mask) = (Planes::of(64, &rows), RowMask::all(70));
    let plain = Gallery::new(planes.gallery().plane());
    let probe = Probe::new(&[1.0; 64]).unwrap();
    let query = Query { threshold: 0.3, limit: 5, mask: &mask, watch: Watch::NEVER };
    let error = |gallery: &Gallery<'_>, mode| gallery.search(&probe, &query, mode).unwrap_err().to_string();
    assert_eq!(
        error(&plain, Mode::Bounded { loss: 1e-3 }),
        "mode: bounded needs a sign plane (b1), which this gallery does not have"
    );
    assert_eq!(
        error(&plain, Mode::Certified),
        "mode: certified needs a half-byte plane (b4), which this gallery does not have"
    );
    assert_eq!(error(&plain, Mode::Graph), "mode: hnsw needs a graph, which this gallery does not have");
    for loss in [0.0, -1.0, 0.51, f64::NAN] {
        let expected = format!("loss: expected a probability above 0 and at most 0.5, got {loss}");
        assert_eq!(error(&planes.gallery(), Mode::Bounded { loss }), expected);
    }
    let narrow = Probe::new(&[1.0; 8]).unwrap();
    for mode in [Mode::Exact, Mode::Bounded { loss: 1e-3 }, Mode::Certified] {
        let found = planes.gallery().search(&narrow, &query, mode);
        assert_eq!(found, Err(SearchError::Dimension { expected: 64, got: 8 }), "{mode}");
        for threshold in [f32::NAN, 1.1, -2.0] {
            let query = Query { threshold, ..query };
            assert!(matches!(planes.gallery().search(&probe, &query, mode), Err(SearchError::Threshold(_))), "{mode}");
        }
        for limit in [0, usize::MAX] {
            let query = Query { limit, ..query };
            assert_eq!(planes.gallery().search(&probe, &query, mode), Err(SearchError::Limit(limit)), "{mode}");
        }
        let short = RowMask::all(69);
        let query = Query { mask: &short, ..query };
        assert!(matches!(planes.gallery().search(&probe, &query, mode), Err(SearchError::Rows { .. })), "{mode}");
    }
    let other = Planes::of(64, &rows[..69]);
    assert!(matches!(plain.with_signs(other.sign_plane()), Err(SearchError::Rows { what: "sign plane", .. })));
    assert!(matches!(plain.with_nibbles(other.nibble_plane()), Err(SearchError::Rows { .. })));
    let wide = Planes::of(65, &[Some(vec![1.0; 65])]);
    assert_eq!(plain.with_signs(wide.sign_plane()).unwrap_err(), SearchError::Dimension { expected: 64, got: 65 });
    assert!(Originals::new(64, &[0.0; 65]).is_none() && Originals::new(0, &[]).is_none());
}

#[test]
fn vectors_and_columns_that_do_not_fit_are_named() {
    let rotation = Rotation::new(3);
    let bad: [(&[f32], VectorError); 5] = [
        (&[1.0, f32::NAN, 0.0], VectorError::NotFinite(1)),
        (&[1.0, 0.0, f32::INFINITY], VectorError::NotFinite(2)),
        (&[0.0; 3], VectorError::Zero),
        (&[1e-40, -1e-40, 0.0], VectorError::Zero),
        (&[1.0; 4], VectorError::Dimension { expected: "3".into(), got: 4 }),
    ];
    for (values, error) in bad {
        assert_eq!(SignRow::of(values, &rotation).unwrap_err(), error);
        assert_eq!(NibbleRow::of(values, &rotation).unwrap_err(), error);
    }
    let same = |factor: f32| [3.0f32, -1.0, 0.5].map(|v| v * factor);
    assert_eq!(SignRow::of(&same(1.0), &rotation).unwrap().bits, SignRow::of(&same(1e20), &rotation).unwrap().bits);
    assert_eq!(
        NibbleRow::of(&same(1.0), &rotation).unwrap().codes,
        NibbleRow::of(&same(1e-6), &rotation).unwrap().codes
    );
    let signs =
        |dim, codes: usize, agreements: usize| SignPlane::new(dim, &vec![0; codes], &vec![0; agreements]).unwrap_err();
    assert_eq!(signs(0, 0, 0), PlaneError::Dimension(0));
    assert_eq!(signs(64, 512, 5), PlaneError::Scales(5));
    assert_eq!(signs(64, 511, 4), PlaneError::Codes { rows: 1, dim: 64, expected: 512, got: 511 });
    let nibbles =
        |dim, codes: usize, factors: usize| NibblePlane::new(dim, &vec![0; codes], &vec![0; factors]).unwrap_err();
    assert_eq!(nibbles(4097, 0, 0), PlaneError::Dimension(4097));
    assert_eq!(nibbles(64, 32, 9), PlaneError::Factors(9));
    assert_eq!(nibbles(65, 63, 8), PlaneError::Codes { rows: 1, dim: 65, expected: 64, got: 63 });
}

/// `Debug` of what is made of a person prints sizes only.
#[test]
fn debug_prints_sizes() {
    let rotation = Rotation::new(64);
    let row = vec![0.37f32; 64];
    assert_eq!(format!("{:?}", SignRow::of(&row, &rotation).unwrap()), "SignRow(64 bits)");
    assert_eq!(format!("{:?}", NibbleRow::of(&row, &rotation).unwrap()), "NibbleRow(64 codes)");
}

/// The probe for which a row's half bytes say least: in the plane of the row and its code, on the row's far side, where
/// the inequality is an equation. At a threshold a hair below its cosine the row must be found.
#[test]
fn the_worst_probe_of_a_row_still_finds_it() {
    let mut rng = ChaCha8Rng::seed_from_u64(41);
    for dim in [64usize, 200, 512] {
        let rotation = Rotation::new(dim);
        let axes =
            (0..dim).map(|axis| rotation.turn(&(0..dim).map(|at| f32::from(u8::from(at == axis))).collect::<Vec<_>>()));
        let axes: Vec<Vec<f32>> = axes.collect();
        for cosine in [0.3f64, 0.5, 0.9] {
            let row = vector(&mut rng, dim);
            let coded = NibbleRow::of(&row, &rotation).unwrap();
            let halves = |shift: u8| coded.codes.iter().map(move |byte| f64::from(2 * (byte >> shift & 15)) - 15.0);
            let code: Vec<f64> = halves(0).chain(halves(4)).map(|odd| odd * f64::from(coded.inverse_norm)).collect();
            let back = |axis: &Vec<f32>| axis.iter().zip(&code).map(|(&a, &c)| f64::from(a) * c).sum::<f64>();
            let code: Vec<f64> = axes.iter().map(back).collect();
            let norm = row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
            let a = f64::from(coded.agreement);
            let aside = row.iter().zip(&code).map(|(&v, &c)| (f64::from(v) / norm - a * c) / (1.0 - a * a).sqrt());
            let angle = a.acos() + cosine.acos();
            let worst = code.iter().zip(aside).map(|(&c, t)| (angle.cos() * c + angle.sin() * t) as f32);
            let probe = Probe::new(&worst.collect::<Vec<_>>()).unwrap();
            let (planes, mask) = (Planes::of(dim, &vec![Some(row); 64]), RowMask::all(64));
            // Padding to a multiple of 64 leaves part of the code outside these axes: then the probe is not the worst.
            let similarity = Originals::new(dim, &planes.originals).unwrap().similarity(0, &probe);
            assert!(dim == 200 || (f64::from(similarity) - cosine).abs() < 1e-3, "{dim}: {similarity}");
            for gallery in [planes.with_originals(), planes.gallery()] {
                let query = Query { threshold: similarity - 1e-3, limit: 64, mask: &mask, watch: Watch::NEVER };
                let exact = gallery.search(&probe, &query, Mode::Exact).unwrap();
                let certified = gallery.search(&probe, &query, Mode::Certified).unwrap();
                assert_eq!(certified.neighbours, exact.neighbours, "{dim} {cosine}");
            }
            assert!(planes.nibble_plane().upper_bound(0, &probe).unwrap() >= similarity);
        }
    }
}
