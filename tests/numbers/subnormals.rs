//! Subnormals are numbers like others.

use super::common::*;
use goursat::Precision;
use goursat::kernel::Options;
use goursat::path::{Batch, Transform};
use goursat::{reference, signature};

/// Points that are whole numbers, and so stay exact when they are multiplied by any power of two.
fn steps(points: usize, dim: usize, seed: u64) -> Vec<f64> {
    numbers::<f64>(points * dim, seed)
        .iter()
        .map(|v| (v * 65536.0).round())
        .collect()
}

/// A path of subnormal numbers against one of large ones has the kernel of both in the middle, bit for bit: increments
/// and what they are multiplied by are exact. So has the gradient, in its own unit.
fn subnormal_kernels<S: Precision>(least: i32) {
    let (batch, m, n, dim) = (19, 12, 9, 2);
    let (x, y) = (steps(batch * m, dim, 220), steps(batch * n, dim, 221));
    let times = |path: &[f64], power: i32| -> Vec<S> {
        // In two steps, for 2^-1040 is no power that `powi` gives.
        let half = 2f64.powi(power / 2);
        path.iter()
            .map(|v| S::from_f64(v * half * 2f64.powi(power - power / 2)))
            .collect()
    };
    for orders in [(0, 0), (1, 2)] {
        let options = Options {
            orders,
            transform: Transform::default(),
        };
        let all = |down: i32| {
            // The last bits of the coarser path are left for refinement, which halves increments.
            let (x, y) = (times(&x, -down), times(&y, down - 38));
            let (x, y) = (
                Batch::dense(&x, batch, m, dim).unwrap(),
                Batch::dense(&y, batch, n, dim).unwrap(),
            );
            let k = kernels(&x, &y, &options, 2);
            let (gx, gy) = gradients(&vec![S::ONE; batch], &x, &y, &options, 2);
            let unit = |g: Vec<S>, power: i32| -> Vec<f64> {
                let half = 2f64.powi(power / 2);
                g.iter()
                    .map(|g| g.to_f64() * half * 2f64.powi(power - power / 2))
                    .collect()
            };
            (bits(&k), unit(gx, -down), unit(gy, down))
        };
        let (middle, subnormal) = (all(19), all(least));
        let smallest = 2f64.powi(-least / 2) * 2f64.powi(-least - -least / 2);
        assert!(S::from_f64(65536.0 * smallest).to_f64() < if least < 500 { 1.2e-38 } else { 2.3e-308 });
        assert!(middle.0.iter().any(|&k| f64::from_bits(k) != 1.0));
        assert_eq!(middle.0, subnormal.0, "kernels");
        assert_close(&subnormal.1, &middle.1, tolerance::<S>(), "x gradient");
    }
}

#[test]
fn subnormal_paths_have_kernels() {
    subnormal_kernels::<f64>(1040);
    subnormal_kernels::<f32>(144);
}

/// A level of subnormal coefficients is right to within a unit of them an increment.
fn subnormal_signatures<S: Precision>(power: i32, unit: f64) {
    for (batch, points, dim, degree) in [
        (1, 9, 2, 3),
        (19, 12, 2, 3),
        (3, 1300, 2, 2),
        (3, 9, 5, 3),
        (2, 40, 10, 2),
    ] {
        let scale = 2f64.powi(power);
        let small: Vec<S> = walks::<S>(batch, points, dim, 222)
            .iter()
            .map(|v| S::from_f64(v.to_f64() * scale))
            .collect();
        let options = signature::Options {
            degree,
            scalar_term: false,
            direct: false,
            transform: Transform::default(),
        };
        let found = signatures(&Batch::dense(&small, batch, points, dim).unwrap(), &options, 2);
        let size = options.length(dim).unwrap();
        let mut subnormal = 0;
        for (b, path) in small.chunks(points * dim).enumerate() {
            let exact = reference::signature(&widen(path), dim, degree);
            for (e, &expected) in exact[1..].iter().enumerate() {
                let found = found[b * size + e].to_f64();
                let allowed = 2.0 * points as f64 * unit + 1e-5 * expected.abs();
                assert!((found - expected).abs() <= allowed, "{found:e}, expected {expected:e}");
                subnormal +=
                    (found != 0.0 && found.abs() < unit * 2f64.powi(if unit < 1e-300 { 52 } else { 23 })) as usize;
            }
        }
        assert!(subnormal > size / 8, "{subnormal} subnormal coefficients");
    }
}

#[test]
fn subnormal_signatures_are_right() {
    subnormal_signatures::<f64>(-520, f64::from_bits(1));
    subnormal_signatures::<f32>(-68, f32::from_bits(1).into());
}
