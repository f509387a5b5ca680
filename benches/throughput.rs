//! Throughput on one thread at the SIMD level of the process (`GOURSAT_SIMD` lowers it). An element is a cell of the
//! unrefined grid for kernels, a coefficient times an increment for signatures.

use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use goursat::Precision;
use goursat::kernel::{self, gram, gram_backprop, kernel, kernel_backprop};
use goursat::parallel::Run;
use goursat::path::{Batch, Gradient, LeadLag, Transform};
use goursat::signature::{self, signature, signature_backprop};
use goursat::simd::Level;
use std::time::Duration;

/// Random walks with kernels near 1.
fn walks<S: Precision>(batch: usize, length: usize, dim: usize) -> Vec<S> {
    let (mut state, step) = (batch as u64, 2.0 / ((length * dim) as f64).sqrt());
    let mut values = vec![S::ZERO; batch * length * dim];
    for path in values.chunks_mut(length * dim) {
        for e in dim..path.len() {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let uniform = (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
            path[e] = path[e - dim] + S::from_f64(uniform * step);
        }
    }
    values
}

/// A group of benchmarks of `elements` each, a forward and a backward one.
fn group<'c, S>(c: &'c mut Criterion, what: &str, elements: usize) -> BenchmarkGroup<'c, WallTime> {
    let precision = if size_of::<S>() == 8 { "f64" } else { "f32" };
    let mut group = c.benchmark_group(format!("{what} {precision} {}", Level::current().name()));
    group.throughput(Throughput::Elements(elements as u64));
    group.sample_size(10).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    group
}

fn kernels<S: Precision>(c: &mut Criterion) {
    let plain = kernel::Options::default();
    let refined = kernel::Options {
        orders: (2, 2),
        ..plain
    };
    let lead_lag = kernel::Options {
        transform: Transform {
            time: Some(1.0),
            lead_lag: LeadLag::LeadFirst,
        },
        ..plain
    };
    for (batch, length, dim, options, what) in [
        (128, 256, 8, plain, "plain"),
        (32, 256, 8, refined, "order 2"),
        (128, 256, 8, lead_lag, "lead-lag, time"),
        (1, 4096, 5, plain, "one pair"),
    ] {
        let (x, y) = (walks::<S>(batch, length, dim), walks::<S>(batch, length, dim));
        let x = Batch::dense(&x, batch, length, dim).unwrap();
        let y = Batch::dense(&y, batch, length, dim).unwrap();
        let shape = format!("{what} ({batch}, {length}, {dim})");
        let mut group = group::<S>(c, "kernel", batch * (length - 1) * (length - 1));
        let mut out = vec![S::ONE; batch];
        group.bench_function(BenchmarkId::new("forward", &shape), |b| {
            b.iter(|| kernel(&x, &y, &options, &mut out, &mut Run::single()).unwrap())
        });
        let grad = vec![S::ONE; batch];
        let mut to = [vec![S::ZERO; batch * length * dim], vec![S::ZERO; batch * length * dim]];
        group.bench_function(BenchmarkId::new("backward", &shape), |b| {
            b.iter(|| {
                let [to_x, to_y] = &mut to;
                let to_x = Gradient::new("x_grad", to_x, &x).unwrap();
                let to_y = Gradient::new("y_grad", to_y, &y).unwrap();
                kernel_backprop(&grad, &x, &y, &options, Some(to_x), Some(to_y), &mut Run::single()).unwrap()
            })
        });
    }
}

fn grams<S: Precision>(c: &mut Criterion) {
    let (batch, length, dim) = (128, 64, 5);
    let options = kernel::Options::default();
    let x = walks::<S>(batch, length, dim);
    let x = Batch::dense(&x, batch, length, dim).unwrap();
    let shape = format!("symmetric ({batch}, {length}, {dim})");
    let mut group = group::<S>(c, "gram", batch * (batch + 1) / 2 * (length - 1) * (length - 1));
    let mut out = vec![S::ZERO; batch * batch];
    group.bench_function(BenchmarkId::new("forward", &shape), |b| {
        b.iter(|| gram(&x, None, &options, &mut out, &mut Run::single()).unwrap())
    });
    let grad = vec![S::ONE; batch * batch];
    let mut to = vec![S::ZERO; batch * length * dim];
    group.bench_function(BenchmarkId::new("backward", &shape), |b| {
        b.iter(|| {
            let to_x = Gradient::new("x_grad", &mut to, &x).unwrap();
            gram_backprop(&grad, &x, None, &options, Some(to_x), None, &mut Run::single()).unwrap()
        })
    });
}

fn signatures<S: Precision>(c: &mut Criterion) {
    for (batch, length, dim, degree) in [(32, 128, 4, 7), (8, 1024, 16, 4), (32, 1024, 5, 5), (1024, 100, 2, 4)] {
        let options = signature::Options {
            degree,
            scalar_term: false,
            direct: false,
            transform: Transform::default(),
        };
        let paths = walks::<S>(batch, length, dim);
        let paths = Batch::dense(&paths, batch, length, dim).unwrap();
        let coefficients = options.length(dim).unwrap();
        let shape = format!("degree {degree} ({batch}, {length}, {dim})");
        let mut group = group::<S>(c, "signature", batch * (length - 1) * coefficients);
        let mut out = vec![S::ZERO; batch * coefficients];
        group.bench_function(BenchmarkId::new("forward", &shape), |b| {
            b.iter(|| signature(&paths, &options, &mut out, &mut Run::single()).unwrap())
        });
        let grad = vec![S::ONE; batch * coefficients];
        let mut to = vec![S::ZERO; batch * length * dim];
        group.bench_function(BenchmarkId::new("backward", &shape), |b| {
            b.iter(|| {
                let to = Gradient::new("path_grad", &mut to, &paths).unwrap();
                signature_backprop(&grad, &paths, &options, to, &mut Run::single()).unwrap()
            })
        });
    }
}

criterion_group!(
    benches,
    kernels::<f64>,
    kernels::<f32>,
    grams::<f64>,
    grams::<f32>,
    signatures::<f64>,
    signatures::<f32>
);
criterion_main!(benches);
