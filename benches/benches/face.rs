//! What does one face cost: made a unit vector, compared, quantised?

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use khop_evaluate::synth::{Population, PopulationOptions};
use khop_face::{SYNTHETIC_MODEL, UnitVector, cosine};
use khop_index::{Probe, quantise_row, stride};
use khop_vocabulary::{FaceVector, ModelId};

fn faces(criterion: &mut Criterion) {
    let population = Population::new(1, PopulationOptions::default());
    let values = population.person(1).face(0);
    let model = ModelId::new(SYNTHETIC_MODEL).expect("a model's name");
    let face = FaceVector::new(model, values.clone()).expect("a face of 512 numbers");
    let unit = UnitVector::of(&face);
    let mut codes = vec![0; stride(values.len())];
    let mut group = criterion.benchmark_group("one face of 512 numbers");
    group.sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    group.bench_function("UnitVector::of", |b| b.iter(|| UnitVector::of(black_box(&face))));
    group.bench_function("cosine", |b| b.iter(|| cosine(black_box(&unit), black_box(&unit))));
    group.bench_function("quantise_row", |b| b.iter(|| quantise_row(black_box(&values), &mut codes)));
    group.bench_function("Probe::new", |b| b.iter(|| Probe::new(black_box(&values))));
}

criterion_group!(benches, faces);
criterion_main!(benches);
