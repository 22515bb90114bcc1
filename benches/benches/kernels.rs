//! How fast is each kernel at each level this CPU has?

use std::hint::black_box;
use std::time::Duration;

use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use khop_kernels::{Kernels, Level, ProbeBlock};

const DIM: usize = 512;
/// 64 MiB: more than the caches hold.
const ROWS: usize = 128 << 10;

fn levels() -> impl Iterator<Item = &'static Kernels> {
    Level::ALL.into_iter().filter_map(Kernels::at)
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index.wrapping_mul(2_654_435_761) >> 7) as u8).collect()
}

fn codes(length: usize) -> Vec<i8> {
    bytes(length).into_iter().map(|byte| (byte as i8).max(-127)).collect()
}

fn group<'a>(criterion: &'a mut Criterion, name: &str, throughput: Throughput) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    group.throughput(throughput);
    group
}

fn pairs(criterion: &mut Criterion) {
    let (row, probe, other) = (bytes(DIM), codes(DIM), bytes(DIM + 1));
    let floats: Vec<f32> = probe.iter().map(|&code| f32::from(code) / 127.0).collect();
    let mut one = group(criterion, "one pair of 512 numbers", Throughput::Elements(1));
    for kernels in levels() {
        let level = kernels.level();
        one.bench_function(BenchmarkId::new("dot_f32", level), |b| {
            b.iter(|| kernels.dot_f32(black_box(&floats), black_box(&floats)));
        });
        one.bench_function(BenchmarkId::new("dot_i8", level), |b| {
            b.iter(|| kernels.dot_i8(black_box(&row), black_box(&probe)));
        });
        one.bench_function(BenchmarkId::new("dot_u8", level), |b| {
            b.iter(|| kernels.dot_u8(black_box(&row), black_box(&other[1..])));
        });
    }
}

fn scans(criterion: &mut Criterion) {
    let (rows, probe, mut out) = (bytes(ROWS * DIM), codes(DIM), vec![0; ROWS]);
    let mut scan = group(criterion, "scan of 64 MiB", Throughput::Bytes(rows.len() as u64));
    for kernels in levels() {
        let level = kernels.level();
        scan.bench_function(BenchmarkId::new("stream_read", level), |b| b.iter(|| kernels.stream_read(&rows)));
        scan.bench_function(BenchmarkId::new("dot_i8_rows", level), |b| {
            b.iter(|| kernels.dot_i8_rows(&rows, DIM, &probe, black_box(&mut out)));
        });
    }
}

fn blocks(criterion: &mut Criterion) {
    let rows = bytes(64 * DIM);
    for probes in [4, 16, 64] {
        let small: Vec<i8> = codes(probes * DIM).into_iter().map(|code| code % (ProbeBlock::MOST + 1)).collect();
        let (block_of, mut out) = (ProbeBlock::new(DIM, &small).expect("numbers of five bits"), vec![0; 64 * probes]);
        let name = format!("64 rows, {probes} probes");
        let mut block = group(criterion, &name, Throughput::Elements((64 * probes) as u64));
        for kernels in levels() {
            block.bench_function(BenchmarkId::new("dot_i5_block", kernels.level()), |b| {
                b.iter(|| kernels.dot_i5_block(&rows, block_of, black_box(&mut out)));
            });
        }
    }
}

criterion_group!(benches, pairs, scans, blocks);
criterion_main!(benches);
