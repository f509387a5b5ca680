//! Random paths, the calls under test, and errors as they are measured.

use super::level;
use goursat::Precision;
use goursat::parallel::Run;
use goursat::path::{Batch, Gradient, LeadLag, Transform};
use goursat::reference::{self};
use goursat::signature::{Options, signature, signature_backprop};

pub struct Random(pub u64);

impl Random {
    /// Uniform in -1..1.
    pub fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    pub fn numbers<S: Precision>(&mut self, count: usize) -> Vec<S> {
        (0..count).map(|_| S::from_f64(self.next())).collect()
    }

    /// A walk whose signature is of order 1.
    pub fn walk<S: Precision>(&mut self, points: usize, dim: usize) -> Vec<S> {
        let step = 1.0 / ((points * dim) as f64).sqrt();
        let mut path: Vec<f64> = vec![0.0; points * dim];
        for e in dim..path.len() {
            path[e] = path[e - dim] + step * self.next();
        }
        path.into_iter().map(S::from_f64).collect()
    }
}

/// sin and cos of several frequencies: increments that hardly change from step to step.
pub fn smooth<S: Precision>(points: usize, dim: usize) -> Vec<S> {
    let value = |i: usize, c: usize| (i as f64 / points as f64 * (1.5 + c as f64) + c as f64).sin();
    (0..points * dim)
        .map(|e| S::from_f64(value(e / dim, e % dim)))
        .collect()
}

pub fn plain(degree: usize) -> Options {
    Options {
        degree,
        scalar_term: false,
        direct: false,
        transform: Transform::default(),
    }
}

pub fn transforms() -> Vec<Transform> {
    let mut all = Vec::new();
    for lead_lag in [LeadLag::Off, LeadLag::LeadFirst, LeadLag::LagFirst] {
        for time in [None, Some(1.5)] {
            all.push(Transform { time, lead_lag });
        }
    }
    all
}

pub fn oracle(transform: &Transform) -> reference::Transform {
    reference::Transform {
        lead_lag: match transform.lead_lag {
            LeadLag::Off => None,
            LeadLag::LeadFirst => Some(reference::LeadLag::LeadFirst),
            LeadLag::LagFirst => Some(reference::LeadLag::LagFirst),
        },
        end_time: transform.time,
    }
}

pub fn signatures<S: Precision>(batch: &Batch<'_, S>, options: &Options, threads: usize) -> Vec<S> {
    level::note();
    let length = options.length(batch.dim()).unwrap();
    let mut out = vec![S::from_f64(7.0); batch.batch() * length];
    let mut run = Run {
        threads,
        ..Run::default()
    };
    signature(batch, options, &mut out, &mut run).unwrap();
    out
}

pub fn gradients<S: Precision>(grad: &[S], batch: &Batch<'_, S>, options: &Options, threads: usize) -> Vec<S> {
    let mut out = vec![S::from_f64(7.0); batch.batch() * batch.length() * batch.dim()];
    let gradient = Gradient::new("path_grad", &mut out, batch).unwrap();
    let mut run = Run {
        threads,
        ..Run::default()
    };
    signature_backprop(grad, batch, options, gradient, &mut run).unwrap();
    out
}

pub fn one<S: Precision>(path: &[S], dim: usize, options: &Options) -> Vec<S> {
    signatures(&Batch::dense(path, 1, path.len() / dim, dim).unwrap(), options, 1)
}

pub fn one_gradient<S: Precision>(grad: &[S], path: &[S], dim: usize, options: &Options) -> Vec<S> {
    gradients(grad, &Batch::dense(path, 1, path.len() / dim, dim).unwrap(), options, 1)
}

pub fn to_f64<S: Precision>(values: &[S]) -> Vec<f64> {
    values.iter().map(|v| v.to_f64()).collect()
}

/// Where each level lies, without level 0.
pub fn levels(dim: usize, degree: usize) -> Vec<std::ops::Range<usize>> {
    let mut begin = 0;
    (1..=degree)
        .map(|k| {
            let range = begin..begin + dim.pow(k as u32);
            begin = range.end;
            range
        })
        .collect()
}

/// The worst error of a level over its largest coefficient.
pub fn level_error<S: Precision>(computed: &[S], expected: &[f64], dim: usize, degree: usize) -> f64 {
    assert_eq!(computed.len(), expected.len());
    let worst = |range: std::ops::Range<usize>| {
        let error = relative(&computed[range.clone()], &expected[range]);
        assert!(!error.is_nan());
        error
    };
    levels(dim, degree).into_iter().map(worst).fold(0.0, f64::max)
}

/// The worst error over the largest number.
pub fn relative<S: Precision>(computed: &[S], expected: &[f64]) -> f64 {
    let largest = expected.iter().fold(f64::MIN_POSITIVE, |m, e| m.max(e.abs()));
    let errors = computed.iter().zip(expected).map(|(c, e)| (c.to_f64() - e).abs());
    errors.fold(0.0, |worst: f64, e| if e.is_nan() { f64::NAN } else { worst.max(e) }) / largest
}

/// The numbers are not told: there are many.
pub fn assert_bits<S: Precision>(computed: &[S], expected: &[S], what: &str) {
    assert_eq!(computed.len(), expected.len(), "{what}");
    let differ = bits(computed).iter().zip(bits(expected)).position(|(&c, e)| c != e);
    assert!(differ.is_none(), "{what}: other bits at {differ:?}");
}

pub fn bits<S: Precision>(values: &[S]) -> Vec<u64> {
    values.iter().map(|v| v.to_f64().to_bits()).collect()
}

pub fn tolerance<S: Precision>() -> f64 {
    if size_of::<S>() == 4 { 4e-6 } else { 1e-14 }
}

/// (dim, degree) around every place where plans change: lanes over paths, unrolled kernels (all of them), base levels,
/// blocks of letters.
pub const SHAPES: [(usize, usize); 38] = [
    (1, 1),
    (1, 6),
    (2, 1),
    (2, 2),
    (2, 3),
    (2, 4),
    (2, 5),
    (2, 6),
    (2, 7),
    (2, 8),
    (2, 11),
    (3, 2),
    (3, 3),
    (3, 4),
    (3, 5),
    (3, 7),
    (4, 2),
    (4, 3),
    (4, 4),
    (4, 6),
    (5, 2),
    (5, 3),
    (5, 4),
    (5, 5),
    (6, 2),
    (6, 3),
    (6, 4),
    (7, 2),
    (7, 3),
    (7, 4),
    (8, 2),
    (8, 4),
    (9, 3),
    (11, 3),
    (16, 3),
    (17, 3),
    (40, 2),
    (100, 2),
];

pub fn expected_length(dim: usize, degree: usize) -> usize {
    levels(dim, degree).last().unwrap().end
}

/// Makes every level of a gradient matter about as much as the first: level k of a signature is of order 1/k!.
pub fn weigh<S: Precision>(grad: &mut [S], dim: usize, degree: usize) {
    let mut factor = 1.0;
    for (k, range) in levels(dim, degree).into_iter().enumerate() {
        factor *= (k + 1) as f64 / (dim as f64).sqrt();
        for g in &mut grad[range] {
            *g = *g * S::from_f64(factor);
        }
    }
}
