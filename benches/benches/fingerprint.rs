//! What does one fingerprint comparison cost: preparing, the first stage, all of it, mated and not?

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use khop_evaluate::synth::{Population, PopulationOptions};
use khop_fingerprint::{Comparator, Probe, Reference, Template, code};

/// The right index finger of a synthetic person, as captured at an encounter.
fn template(person: u64, encounter: u32) -> Template {
    let population = Population::new(1, PopulationOptions::default());
    let fingers = population.person(person).fingers(encounter);
    let finger = fingers.iter().find(|finger| finger.position.code() == 2).expect("nobody here lacks it");
    Template::of(finger).expect("a finger with minutiae")
}

fn fingers(criterion: &mut Criterion) {
    let (first, again, stranger) = (template(1, 0), template(1, 1), template(2, 0));
    let (probe, mate, other) = (Probe::of(&first), Reference::of(&again), Reference::of(&stranger));
    let mut comparator = Comparator::new();
    let minutiae = [&first, &again, &stranger].map(Template::minutiae_count);
    let mut group = criterion.benchmark_group(format!("fingers of {minutiae:?} minutiae"));
    group.sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    group.bench_function("Probe::of", |b| b.iter(|| Probe::of(black_box(&first))));
    group.bench_function("Reference::of", |b| b.iter(|| Reference::of(black_box(&stranger))));
    group.bench_function("code", |b| b.iter(|| code::code(black_box(&first))));
    group.bench_function("first stage, non-mated", |b| b.iter(|| comparator.compare_places(black_box(&probe), &other)));
    group.bench_function("all stages, non-mated", |b| b.iter(|| comparator.compare(black_box(&probe), &other)));
    group.bench_function("all stages, mated", |b| b.iter(|| comparator.compare(black_box(&probe), &mate)));
}

criterion_group!(benches, fingers);
criterion_main!(benches);
