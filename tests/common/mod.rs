//! What the tests share: paths that are easy to make, and comparisons that say how far apart numbers are.
#![allow(dead_code)]

use goursat::simd::Real;

/// Random walks with uniform steps, scaled so that kernels are of order 1.
pub fn walks<S: Real>(batch: usize, length: usize, dim: usize, seed: u64) -> Vec<S> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let step = 3.4 / ((length * dim) as f64).sqrt();
    let mut values = vec![S::ZERO; batch * length * dim];
    for path in values.chunks_mut(length * dim) {
        for e in 0..path.len() {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let uniform = (state >> 11) as f64 / (1u64 << 53) as f64 - 0.45;
            path[e] = S::from_f64(uniform * step) + if e < dim { S::ZERO } else { path[e - dim] };
        }
    }
    values
}

/// Numbers of order 1.
pub fn numbers<S: Real>(count: usize, seed: u64) -> Vec<S> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(7);
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            S::from_f64((state >> 11) as f64 / (1u64 << 53) as f64 - 0.3)
        })
        .collect()
}

pub fn widen<S: Real>(values: &[S]) -> Vec<f64> {
    values.iter().map(|v| v.to_f64()).collect()
}

/// The largest difference, relative to the largest of the expected numbers. NaN where either has one alone.
pub fn distance<S: Real>(found: &[S], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-300, |m: f64, v| m.max(v.abs()));
    found.iter().zip(expected).fold(0.0, |worst: f64, (a, b)| {
        let difference = if a.to_f64().is_nan() && b.is_nan() {
            0.0
        } else {
            (a.to_f64() - b).abs()
        };
        if difference.is_nan() || worst.is_nan() {
            f64::NAN
        } else {
            worst.max(difference / largest)
        }
    })
}

/// What rounding may do to a kernel of some 10,000 cells. In f64 most of it is the reference's own: it rounds A(Δ) alike
/// in all cells with the same Δ, of which there are many with time or refinement.
pub fn tolerance<S: Real>() -> f64 {
    if size_of::<S>() == 4 { 3e-6 } else { 1e-11 }
}

#[track_caller]
pub fn assert_close<S: Real>(found: &[S], expected: &[f64], tolerance: f64, what: &str) {
    let distance = distance(found, expected);
    assert!(
        distance <= tolerance,
        "{what}: off by {distance:e}, more than {tolerance:e}"
    );
}
