//! How fast are searches among 100 000 vectors on one thread?

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use khop_evaluate::synth::{Population, PopulationOptions};
use khop_index::{
    Codes, EvidenceQuery, EvidenceTable, Exhaustive, Graph, GraphParameters, Plane, PlaneBuilder, PlaneBytes, Probe,
    Query, RowMask, Term, VectorIndex, Watch, scan_evidence,
};
use khop_vocabulary::{Calibration, Knot, Provenance};

const DIM: usize = 512;
const ROWS: usize = 100_000;

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    group
}

fn faces(population: &Population, rows: usize) -> PlaneBytes {
    let mut builder = PlaneBuilder::new(DIM);
    for person in 0..rows as u64 {
        builder.push(Some(&population.person(person).face(0))).expect("a face of 512 numbers");
    }
    builder.finish()
}

fn probes(population: &Population, count: u64) -> Vec<Probe> {
    (0..count).map(|person| Probe::new(&population.person(person * 97).face(1)).expect("a face")).collect()
}

/// Searches run on the global pool; the first call makes it one thread wide, later ones find it so.
fn one_thread() {
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
}

fn searches(criterion: &mut Criterion) {
    let population = Population::new(1, PopulationOptions::default());
    let (bytes, probes) = (faces(&population, ROWS), probes(&population, 64));
    let plane = Plane::new(DIM, &bytes.codes, &bytes.scales).expect("a plane");
    let (all, mut few) = (RowMask::all(ROWS), RowMask::none(ROWS));
    (0..ROWS).step_by(50).for_each(|row| few.set(row));
    one_thread();
    for (name, mask) in [("all rows", &all), ("every 50th row", &few)] {
        let query = Query { threshold: 0.335, limit: 10, mask, watch: Watch::NEVER };
        let mut group = group(criterion, name);
        group.throughput(Throughput::Elements(mask.count() as u64));
        group.bench_function("one probe", |b| b.iter(|| Exhaustive(plane).search(black_box(&probes[0]), &query)));
        for size in [4, 16, 64] {
            group.throughput(Throughput::Elements((mask.count() * size) as u64));
            group.bench_function(format!("{size} probes"), |b| {
                b.iter(|| Exhaustive(plane).search_batch(black_box(&probes[..size]), &query));
            });
        }
    }
}

fn evidence(criterion: &mut Criterion) {
    const PEOPLE: usize = 20_000;
    let population = Population::new(2, PopulationOptions::default());
    let (bytes, probes) = (faces(&population, PEOPLE), probes(&population, 10));
    let plane = Plane::new(DIM, &bytes.codes, &bytes.scales).expect("a plane");
    let knots = [(0.0, -3.0), (0.2, 0.0), (0.6, 8.0)].map(|(similarity, llr)| Knot { similarity, score: 0.0, llr });
    let calibration = Calibration::new("bench", knots.to_vec(), Provenance::default()).expect("a rising table");
    let table = EvidenceTable::new(&calibration, -3.0, 6.0);
    let terms: Vec<Term<'_>> =
        probes.iter().map(|probe| Term { codes: Codes::Bytes(plane), probe, evidence: &table }).collect();
    let mask = RowMask::all(PEOPLE);
    let mut group = group(criterion, "evidence of ten planes");
    group.throughput(Throughput::Elements(PEOPLE as u64));
    one_thread();
    for threshold in [5.0, 20.0] {
        group.bench_function(format!("at {threshold} nats"), |b| {
            let query = [EvidenceQuery { terms: terms.clone(), threshold_llr: threshold }];
            b.iter(|| scan_evidence(black_box(&query), &mask, 10));
        });
    }
}

fn graph(criterion: &mut Criterion) {
    one_thread();
    const SMALL: usize = 5_000;
    let population = Population::new(3, PopulationOptions::default());
    let (bytes, probes) = (faces(&population, SMALL), probes(&population, 1));
    let plane = Plane::new(DIM, &bytes.codes, &bytes.scales).expect("a plane");
    let parameters = GraphParameters { construction_breadth: 64, scanned_rows: 0, ..GraphParameters::default() };
    let graph = Graph::build(plane, &parameters).expect("parameters in range");
    let (mask, mut group) = (RowMask::all(SMALL), group(criterion, "5000 rows"));
    let query = Query { threshold: 0.335, limit: 10, mask: &mask, watch: Watch::NEVER };
    group.bench_function("graph", |b| b.iter(|| graph.search(black_box(&probes[0]), &query)));
    group.bench_function("scan", |b| b.iter(|| Exhaustive(plane).search(black_box(&probes[0]), &query)));
}

criterion_group!(benches, searches, evidence, graph);
criterion_main!(benches);
