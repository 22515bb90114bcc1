//! What does a key cost, and what is sealed under it? Derived, sealed, opened, cut off.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use khop_keys::{Key, KeyTree, Keyring, Leaf, OVERHEAD, RootSource, open_into, seal};

/// A small value, ten fingers' templates, a frame of a segment.
const SIZES: [usize; 3] = [300, 6_000, 1 << 20];

fn keys(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let keyring = Keyring::open(directory.path(), &RootSource::Beside, true).expect("a new keyring");
    let tree = KeyTree::new(Key::new([7; 32]));
    let mut group = criterion.benchmark_group("a key");
    group.sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    let mut number = 0;
    let mut next = || {
        number = (number + 7919) % 100_000_000;
        Leaf::Record(0, number)
    };
    group.bench_function("from the root", |b| b.iter(|| tree.key(next())));
    group.bench_function("anywhere among 100 M", |b| b.iter(|| keyring.key(next())));
    group.bench_function("near the last", |b| b.iter(|| keyring.key(black_box(Leaf::Record(0, 5)))));
    group.bench_function("cut off, among a thousand others", |b| {
        let mut cut = tree.clone();
        (0..1000).for_each(|_| _ = cut.cut(next().branch().expect("a leaf")));
        let another = Leaf::Record(0, 99_999_999).branch().expect("a leaf");
        b.iter_batched_ref(|| cut.clone(), |tree| tree.cut(another), BatchSize::SmallInput);
    });
}

fn seals(criterion: &mut Criterion) {
    let key = Key::new([7; 32]);
    for size in SIZES {
        let payload = vec![1; size];
        let mut sealed = Vec::with_capacity(size + OVERHEAD);
        seal(&key, &[b"place"], &payload, &mut sealed).expect("random bytes");
        let mut opened = vec![0; size];
        let mut group = criterion.benchmark_group(format!("{size} bytes"));
        group.sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function("sealed", |b| {
            b.iter(|| {
                sealed.clear();
                seal(&key, &[b"place"], black_box(&payload), &mut sealed)
            });
        });
        group.bench_function("opened", |b| b.iter(|| open_into(&key, &[b"place"], black_box(&sealed), &mut opened)));
    }
}

criterion_group!(benches, keys, seals);
criterion_main!(benches);
