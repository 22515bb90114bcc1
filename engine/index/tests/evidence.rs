//! Do several planes add up to the right rows?

use khop_index::{
    Codes, EvidenceAnswer, EvidenceQuery, EvidenceTable, Evident, Plane, PlaneBuilder, PlaneBytes, Probe, Rotation,
    RowMask, SearchError, SignPlane, SignRow, Term, place_signs, scan_evidence, sign_bytes,
};
use khop_vocabulary::{Calibration, Knot, Provenance};
use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

const DIM: usize = 24;

fn calibration() -> Calibration {
    let knot = |similarity, llr| Knot { similarity, score: 0.0, llr };
    Calibration::new(
        "test",
        vec![knot(-0.5, -6.0), knot(0.0, -2.0), knot(0.4, 1.0), knot(1.0, 12.0)],
        Provenance::default(),
    )
    .unwrap()
}

fn vector(rng: &mut ChaCha8Rng) -> Vec<f32> {
    (0..DIM).map(|_| rng.random_range(-1.0f32..1.0)).collect()
}

fn plane_bytes(rng: &mut ChaCha8Rng, rows: usize) -> PlaneBytes {
    let mut builder = PlaneBuilder::new(DIM);
    for _ in 0..rows {
        let row = rng.random_bool(0.8).then(|| vector(rng));
        builder.push(row.as_deref()).unwrap();
    }
    builder.finish()
}

/// A finger of everybody, in bytes or in signs.
enum Kept {
    Bytes(PlaneBytes),
    Signs { codes: Vec<u8>, agreements: Vec<u8> },
}

impl Kept {
    fn of(rng: &mut ChaCha8Rng, rows: usize, signs: bool) -> Self {
        if !signs {
            return Self::Bytes(plane_bytes(rng, rows));
        }
        let (mut codes, mut agreements) = (vec![0; sign_bytes(rows, DIM)], vec![0; 4 * rows]);
        for row in 0..rows {
            if rng.random_bool(0.8) {
                let signs = SignRow::of(&vector(rng), &Rotation::new(DIM)).unwrap();
                place_signs(&mut codes, row, &signs.bits);
                agreements[4 * row..][..4].copy_from_slice(&signs.agreement.to_le_bytes());
            }
        }
        Self::Signs { codes, agreements }
    }

    fn codes(&self) -> Codes<'_> {
        match self {
            Self::Bytes(bytes) => Codes::Bytes(Plane::new(DIM, &bytes.codes, &bytes.scales).unwrap()),
            Self::Signs { codes, agreements } => Codes::Signs(SignPlane::new(DIM, codes, agreements).unwrap()),
        }
    }
}

#[test]
fn the_table_follows_the_calibration() {
    let (calibration, table) = (calibration(), EvidenceTable::new(&calibration(), -3.0, 8.0));
    for step in -1000..=1000 {
        let cosine = step as f32 / 1000.0;
        let exact = calibration.llr(cosine).nats().clamp(-3.0, 8.0);
        // Half a step of the table along the steepest segment: 0.001 × 11 / 0.6.
        assert!((table.llr(cosine) - exact).abs() <= 0.0185, "{cosine}: {} {exact}", table.llr(cosine));
    }
    assert_eq!((table.llr(-2.0), table.llr(2.0)), (-3.0, 8.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Against the plain definition: sums of present planes, in the order of the terms, nothing dropped on the way.
    #[test]
    fn equals_its_definition(
        seed: u64, rows in 0usize..400, planes in 0usize..10, limit in 0usize..30, threshold in -10f32..30.0, signs: bool,
        share in prop::sample::select(vec![0.0, 0.05, 0.5, 1.0]),
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let kept: Vec<Kept> = (0..planes).map(|_| Kept::of(&mut rng, rows, signs)).collect();
        let probes: Vec<Probe> = (0..planes).map(|_| Probe::new(&vector(&mut rng)).unwrap()).collect();
        let tables: Vec<EvidenceTable> = (0..planes)
            .map(|_| EvidenceTable::new(&calibration(), -4.0, rng.random_range(-1.0f32..9.0)))
            .collect();
        let mut mask = RowMask::none(rows);
        (0..rows).filter(|_| rng.random_bool(share)).for_each(|row| mask.set(row));
        let query = |threshold_llr: f32, from: usize| EvidenceQuery {
            terms: (from..planes)
                .map(|p| Term { codes: kept[p].codes(), probe: &probes[p], evidence: &tables[p] })
                .collect(),
            threshold_llr,
        };
        let expected = |EvidenceQuery { terms, threshold_llr }: &EvidenceQuery<'_>| {
            let evident = mask.iter().filter_map(|row| {
                let said = terms.iter().filter_map(|term| {
                    Some(term.evidence.llr(term.codes.similarity(row, term.probe)?))
                });
                let said: Vec<f32> = said.collect();
                let llr = said.iter().fold(0.0, |sum, llr| sum + llr);
                (!said.is_empty() && llr >= *threshold_llr).then_some(Evident { row: row as u32, llr })
            });
            let mut rows: Vec<Evident> = evident.collect();
            rows.sort_by(|a, b| b.llr.total_cmp(&a.llr).then(a.row.cmp(&b.row)));
            let more = rows.len() > limit;
            rows.truncate(limit);
            EvidenceAnswer { rows, more }
        };
        let queries = [query(threshold, 0), query(threshold / 2.0, planes / 2), query(-1e9, 0)];
        let answers: Vec<EvidenceAnswer> = queries.iter().map(expected).collect();
        prop_assert_eq!(scan_evidence(&queries, &mask, limit).unwrap(), answers);
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let (ten, nine) = (plane_bytes(&mut rng, 10), plane_bytes(&mut rng, 9));
    let table = EvidenceTable::new(&calibration(), -3.0, 8.0);
    let (fits, narrow) = (Probe::new(&[1.0; DIM]).unwrap(), Probe::new(&[1.0; 8]).unwrap());
    let scan = |bytes: &PlaneBytes, probe: &Probe, rows, threshold: f32| {
        let plane = Plane::new(DIM, &bytes.codes, &bytes.scales).unwrap();
        let terms = vec![Term { codes: Codes::Bytes(plane), probe, evidence: &table }];
        scan_evidence(&[EvidenceQuery { terms, threshold_llr: threshold }], &RowMask::all(rows), 5)
    };
    assert!(scan(&ten, &fits, 10, 0.0).is_ok());
    assert_eq!(scan(&ten, &narrow, 10, 0.0), Err(SearchError::Dimension { expected: DIM, got: 8 }));
    assert_eq!(scan(&nine, &fits, 10, 0.0), Err(SearchError::Rows { what: "plane", expected: 10, got: 9 }));
    assert_eq!(scan(&ten, &fits, 10, f32::NAN), Err(SearchError::Nats));
}
