//! Does the graph find what scanning finds, and never a row it must not?

use khop_index::{
    Exhaustive, Graph, GraphParameters, Guarantee, Plane, PlaneBuilder, PlaneBytes, Probe, Query, RowMask, SearchError,
    VectorIndex, Watch,
};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

const DIM: usize = 32;
const ROWS: usize = 4000;

fn noise(rng: &mut ChaCha8Rng, scale: f32) -> impl Iterator<Item = f32> {
    (0..DIM).map(move |_| rng.random_range(-scale..scale))
}

/// Half of the rows in 40 tight clusters, half anywhere, every tenth absent; and probes near the clusters.
fn clusters_and_noise(seed: u64) -> (PlaneBytes, Vec<Probe>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let centres: Vec<Vec<f32>> = (0..40).map(|_| noise(&mut rng, 1.0).collect()).collect();
    let near = |rng: &mut ChaCha8Rng, centre: usize, spread| -> Vec<f32> {
        noise(rng, spread).zip(&centres[centre]).map(|(n, c)| n + c).collect()
    };
    let mut builder = PlaneBuilder::new(DIM);
    for row in 0..ROWS {
        let vector = match row % 10 {
            0 => None,
            1..=5 => Some(near(&mut rng, row % 40, 0.4)),
            _ => Some(noise(&mut rng, 1.0).collect()),
        };
        builder.push(vector.as_deref()).unwrap();
    }
    let probes = (0..60).map(|p| Probe::new(&near(&mut rng, p % 40, 0.8)).unwrap()).collect();
    (builder.finish(), probes)
}

/// Small enough that 4000 rows are walked and not scanned.
fn parameters() -> GraphParameters {
    GraphParameters {
        connections: 12,
        construction_breadth: 100,
        search_breadth: 64,
        recall_probes: 100,
        scanned_rows: 500,
    }
}

fn compare(graph: &Graph, plane: Plane<'_>, probes: &[Probe], mask: &RowMask) -> f64 {
    let (mut found, mut wanted) = (0, 0);
    for probe in probes {
        let query = Query { threshold: 0.5, limit: 10, mask, watch: Watch::NEVER };
        let truth = Exhaustive(plane).search(probe, &query).unwrap();
        let answer = graph.search(probe, &query).unwrap();
        assert!(matches!(answer.guarantee, Guarantee::Measured { recall, probes: 100 } if recall == graph.recall()));
        assert!(answer.neighbours.iter().all(|n| mask.contains(n.row as usize) && n.similarity >= 0.5));
        assert!(answer.neighbours.is_sorted_by(|a, b| a.similarity >= b.similarity));
        wanted += truth.neighbours.len();
        found += truth.neighbours.iter().filter(|n| answer.neighbours.contains(n)).count();
    }
    assert!(wanted > 300, "the probes have something to find: {wanted}");
    found as f64 / wanted as f64
}

#[test]
fn recall_against_scanning() {
    let (bytes, probes) = clusters_and_noise(5);
    let plane = Plane::new(DIM, &bytes.codes, &bytes.scales).unwrap();
    let graph = Graph::build(plane, &parameters()).unwrap();
    let recall = compare(&graph, plane, &probes, &RowMask::all(ROWS));
    assert!(recall >= 0.95, "{recall}");
    assert!(graph.recall() >= 0.8 && graph.recall() <= 1.0, "{graph:?}");
}

#[test]
fn tombstones_never_come_back() {
    let (bytes, probes) = clusters_and_noise(6);
    let plane = Plane::new(DIM, &bytes.codes, &bytes.scales).unwrap();
    let graph = Graph::build(plane, &parameters()).unwrap();
    let mut mask = RowMask::all(ROWS);
    (0..ROWS).filter(|row| row % 3 == 1).for_each(|row| mask.clear(row));
    let recall = compare(&graph, plane, &probes, &mask);
    assert!(recall >= 0.95, "{recall}");
}

/// Where the graph would visit most rows anyway, the answer is the exhaustive one and says so.
#[test]
fn few_rows_are_scanned() {
    let (bytes, probes) = clusters_and_noise(7);
    let plane = Plane::new(DIM, &bytes.codes, &bytes.scales).unwrap();
    let graph = Graph::build(plane, &parameters()).unwrap();
    let mut few = RowMask::none(ROWS);
    (0..ROWS).step_by(50).for_each(|row| few.set(row));
    for (mask, limit) in [(&few, 10), (&RowMask::all(ROWS), 1000)] {
        let query = Query { threshold: 0.3, limit, mask, watch: Watch::NEVER };
        assert_eq!(graph.search(&probes[0], &query), Exhaustive(plane).search(&probes[0], &query));
    }
}

#[test]
fn empty_single_and_equal_rows() {
    let probe = Probe::new(&[1.0; DIM]).unwrap();
    for rows in [0, 1, 2, 3000] {
        let mut builder = PlaneBuilder::new(DIM);
        (0..rows).for_each(|_| builder.push(Some(&[1.0; DIM])).unwrap());
        let bytes = builder.finish();
        let graph = Graph::build(Plane::new(DIM, &bytes.codes, &bytes.scales).unwrap(), &parameters()).unwrap();
        let answer = graph
            .search(&probe, &Query { threshold: 0.9, limit: 5, mask: &RowMask::all(rows), watch: Watch::NEVER })
            .unwrap();
        assert_eq!(answer.neighbours.len(), rows.min(5));
        assert_eq!(answer.more, rows > 5);
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let (bytes, probes) = clusters_and_noise(8);
    let plane = Plane::new(DIM, &bytes.codes, &bytes.scales).unwrap();
    let error = |change: fn(&mut GraphParameters)| {
        let mut parameters = parameters();
        change(&mut parameters);
        Graph::build(plane, &parameters).unwrap_err().to_string()
    };
    assert_eq!(error(|p| p.connections = 257), "graph: connections: expected 4 to 64, got 257");
    assert_eq!(error(|p| p.construction_breadth = 3), "graph: construction_breadth: expected 12 to 2000, got 3");
    assert_eq!(error(|p| p.search_breadth = 1), "graph: search_breadth: expected 16 to 10000, got 1");
    let graph = Graph::build(plane, &parameters()).unwrap();
    let search = |probe: &Probe, rows, threshold| {
        graph.search(probe, &Query { threshold, limit: 1, mask: &RowMask::all(rows), watch: Watch::NEVER })
    };
    let narrow = Probe::new(&[1.0; 8]).unwrap();
    assert_eq!(search(&narrow, ROWS, 0.0), Err(SearchError::Dimension { expected: DIM, got: 8 }));
    assert!(matches!(search(&probes[0], ROWS + 1, 0.0), Err(SearchError::Rows { what: "mask", .. })));
    assert!(matches!(search(&probes[0], ROWS, f32::NAN), Err(SearchError::Threshold(_))));
}
