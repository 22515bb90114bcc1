//! Which mode does the planner take, and what does it say about it?

use khop_index::{
    Demand, Gallery, Mode, NibblePlane, Plane, Query, RowMask, SearchError, SignPlane, Situation, Watch, plan,
    sign_bytes,
};

const ROWS: usize = 100_000;

/// Columns of absent rows: the planner looks at sizes alone.
struct Columns {
    codes: Vec<u8>,
    scales: Vec<u8>,
    signs: Vec<u8>,
    nibbles: Vec<u8>,
    factors: Vec<u8>,
}

impl Columns {
    fn new() -> Self {
        let (codes, scales, signs) = (vec![0; 512 * ROWS], vec![0; 4 * ROWS], vec![0; sign_bytes(ROWS, 512)]);
        Self { codes, scales, signs, nibbles: vec![0; 256 * ROWS], factors: vec![0; 8 * ROWS] }
    }

    fn plain(&self) -> Gallery<'_> {
        Gallery::new(Plane::new(512, &self.codes, &self.scales).unwrap())
    }

    fn whole(&self) -> Gallery<'_> {
        let gallery = self.plain().with_signs(SignPlane::new(512, &self.signs, &self.scales).unwrap()).unwrap();
        gallery.with_nibbles(NibblePlane::new(512, &self.nibbles, &self.factors).unwrap()).unwrap()
    }
}

fn query(mask: &RowMask, threshold: f32) -> Query<'_> {
    Query { threshold, limit: 10, mask, watch: Watch::NEVER }
}

#[test]
fn the_cheapest_mode_that_promises_enough() {
    let (columns, all) = (Columns::new(), RowMask::all(ROWS));
    let mut few = RowMask::none(ROWS);
    (0..ROWS).step_by(1000).for_each(|row| few.set(row));
    let (lossy, lossless) = (Demand { loss: 1e-6, ..Demand::default() }, Demand::default());
    let mode =
        |gallery, probes, query: &Query<'_>, demand| plan(&Situation::of(gallery, probes, query), demand).unwrap().mode;
    let (whole, plain) = (columns.whole(), columns.plain());
    let searched = query(&all, 0.335);
    assert_eq!(mode(&whole, 1, &searched, &lossy), Mode::Bounded { loss: 1e-6 });
    assert_eq!(mode(&whole, 1, &searched, &lossless), Mode::Certified);
    assert_eq!(mode(&plain, 1, &searched, &lossy), Mode::Exact);
    // A batch multiplies faster than it looks half bytes up; a low threshold or a narrow mask rules nothing out.
    assert_eq!(mode(&whole, 64, &searched, &lossless), Mode::Exact);
    assert_eq!(mode(&whole, 1, &query(&all, 0.05), &lossy), Mode::Exact);
    assert_eq!(mode(&whole, 1, &query(&few, 0.335), &lossy), Mode::Exact);
}

#[test]
fn a_mode_insisted_on_is_taken_or_refused() {
    let (columns, all) = (Columns::new(), RowMask::all(ROWS));
    let searched = query(&all, 0.335);
    for mode in [Mode::Exact, Mode::Certified, Mode::Bounded { loss: 0.01 }] {
        let demand = Demand { mode: Some(mode), ..Demand::default() };
        let plan = plan(&Situation::of(&columns.whole(), 1, &searched), &demand).unwrap();
        assert!(plan.mode == mode && plan.forced);
        assert!(plan.to_string().starts_with(&format!("{mode}, as asked: 1 probe(s), 100000 of 100000 references")));
    }
    let refused = Demand { mode: Some(Mode::Certified), ..Demand::default() };
    assert!(matches!(plan(&Situation::of(&columns.plain(), 1, &searched), &refused), Err(SearchError::Missing { .. })));
    for loss in [-0.1, 0.6, f64::NAN] {
        let demand = Demand { loss, ..Demand::default() };
        assert!(matches!(plan(&Situation::of(&columns.whole(), 1, &searched), &demand), Err(SearchError::Loss(_))));
    }
}

#[test]
fn what_was_left_out_is_said() {
    let (columns, all) = (Columns::new(), RowMask::all(ROWS));
    let said = plan(&Situation::of(&columns.plain(), 1, &query(&all, 0.335)), &Demand::default()).unwrap().to_string();
    assert!(said.contains("not bounded: no loss was accepted"), "{said}");
    assert!(said.contains("not certified: no half-byte plane (b4)"), "{said}");
    assert!(said.contains("not hnsw: no graph"), "{said}");
}

/// A gallery of several parts is searched in one mode, so each part must have what it reads.
#[test]
fn parts_are_planned_as_one() {
    let (columns, all) = (Columns::new(), RowMask::all(ROWS));
    let searched = query(&all, 0.335);
    let (whole, plain) = (Situation::of(&columns.whole(), 1, &searched), Situation::of(&columns.plain(), 1, &searched));
    let lossy = Demand { loss: 1e-6, ..Demand::default() };
    let both = plan(&whole.and(whole), &lossy).unwrap();
    assert_eq!((both.mode, both.rows, both.selected), (Mode::Bounded { loss: 1e-6 }, 2 * ROWS, 2 * ROWS));
    assert_eq!(plan(&whole.and(plain), &lossy).unwrap().mode, Mode::Exact);
}
