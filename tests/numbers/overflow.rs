//! What is too large says so.

use super::common::*;
use goursat::Precision;
use goursat::kernel::Options;
use goursat::path::{Batch, Transform, time_augment_batch};
use goursat::{reference, signature};

/// A line in one channel, whose kernel with another is about I0(2·√Δ) in their whole product Δ.
fn line<S: Precision>(points: usize, end: f64) -> Vec<S> {
    let step = end / (points - 1) as f64;
    (0..points).map(|i| S::from_f64(i as f64 * step)).collect()
}

/// Kernels that are too large are infinite, or NaN where infinities were subtracted: neither finite nor negative.
fn kernels_overflow<S: Precision>(most: f64) {
    let options = Options::default();
    let not_finite = |k: f64, what: &str| assert!(k.is_nan() || k == f64::INFINITY, "{what}: {k:e}");
    // One cell, whose Δ or Δ² is too large; cells that grow until they are; one pair on its own and a group.
    for (points, end) in [
        (2, most),
        (2, most.sqrt() * 2.0),
        (40, most.sqrt() * 90.0),
        (900, 1500.0),
    ] {
        for batch in [1, 19] {
            let (large, small) = (line::<S>(points, end), line::<S>(points, 1.0));
            let mut xs = small.repeat(batch);
            let bad = batch / 2;
            xs[bad * points..][..points].copy_from_slice(&large);
            let x = Batch::dense(&xs, batch, points, 1).unwrap();
            let what = format!("{batch} of {points} points to {end:e}");
            let k = kernels(&x, &x, &options, 2);
            let (gx, _) = gradients(&numbers::<S>(batch, 218), &x, &x, &options, 2);
            for b in 0..batch {
                if b == bad {
                    not_finite(k[b].to_f64(), &what);
                    assert!(
                        gx[b * points..][..points].iter().any(|g| !g.to_f64().is_finite()),
                        "{what}"
                    );
                } else {
                    assert!((k[b].to_f64() - 2.2796).abs() < 0.2, "{what}: {}", k[b]);
                }
            }
            let matrix = gram(&x, None, &options, 2);
            not_finite(matrix[bad * batch + bad].to_f64(), &what);
        }
    }
}

#[test]
fn overflow_of_kernels_shows() {
    kernels_overflow::<f64>(f64::MAX);
    kernels_overflow::<f32>(f32::MAX.into());
}

/// Just below the largest number, all is as exact as anywhere else.
#[test]
fn nearly_overflowing_kernels_are_right() {
    let options = Options::default();
    for points in [900, 2100] {
        // I0(2·340) is 3e293.
        let x = line::<f64>(points, 340.0);
        let view = Batch::dense(&x, 1, points, 1).unwrap();
        let k = kernels(&view, &view, &options, 2)[0];
        let wide = reference::widen(&x);
        let exact = f64::from(reference::kernel(&wide, &wide, 1, (0, 0)));
        assert!(
            (k / exact - 1.0).abs() < 1e-10 && exact > 1e285,
            "{k:e}, expected {exact:e}"
        );
    }
}

/// Levels of a signature that can be written are right beside those that cannot, which are not finite.
fn signatures_overflow<S: Precision>(most: f64, tolerance: f64) {
    for (batch, points, dim) in [(1, 6, 2), (19, 6, 2), (3, 1300, 2), (2, 7, 5)] {
        let degree = 5;
        let unit = walks::<S>(batch, points, dim, 219);
        let scale = 2f64.powf((most.log2() / 3.5).floor());
        let large: Vec<S> = unit.iter().map(|v| S::from_f64(v.to_f64() * scale)).collect();
        let options = signature::Options {
            degree,
            scalar_term: false,
            direct: false,
            transform: Transform::default(),
        };
        let found = signatures(&Batch::dense(&large, batch, points, dim).unwrap(), &options, 2);
        let size = options.length(dim).unwrap();
        for (b, path) in unit.chunks(points * dim).enumerate() {
            let exact = reference::signature(&widen(path), dim, degree);
            for (k, level) in levels(dim, degree).into_iter().enumerate() {
                let found = &found[b * size..][level.clone()];
                if k < 3 {
                    let scale = scale.powi(k as i32 + 1);
                    let expected: Vec<f64> = exact[1..][level].iter().map(|v| v * scale).collect();
                    assert_close(found, &expected, tolerance, &format!("level {}", k + 1));
                } else if k == 4 {
                    // Only the word of one letter, z^5 / 5!, is sure to be too large where z is.
                    let sure = found.iter().any(|v| !v.to_f64().is_finite());
                    assert!(sure, "level 5 of ({batch}, {points}, {dim}): {found:?}");
                }
            }
        }
    }
}

#[test]
fn overflow_of_signatures_stays_in_its_levels() {
    signatures_overflow::<f64>(f64::MAX, 1e-12);
    signatures_overflow::<f32>(f32::MAX.into(), 1e-5);
}

/// Times are i · end / (points - 1), rounded twice; where that product overflows and the time does not, they are as exact.
#[test]
fn times_do_not_overflow_before_their_end() {
    let times = |points: usize, end: f64| {
        let path = vec![0.0; points];
        let mut out = vec![f64::NAN; 2 * points];
        let batch = Batch::dense(&path, 1, points, 1).unwrap();
        time_augment_batch(&batch, end, &mut out, &mut on(1)).unwrap();
        out.chunks_exact(2).map(|point| point[1]).collect::<Vec<_>>()
    };
    for points in [2, 3, 8, 1000] {
        let steps = (points - 1) as f64;
        for end in [1.0, -2.5, 1e-300, 3e279, 3e280, -1e300] {
            for (i, time) in times(points, end).into_iter().enumerate() {
                assert_eq!(time, i as f64 * end / steps, "{points} points to {end:e}, at {i}");
            }
        }
        for end in [1e306, 1e308, -1e308, f64::MAX, f64::MIN] {
            for (i, time) in times(points, end).into_iter().enumerate() {
                // Two roundings of either: four halves of a unit.
                let error = (time - i as f64 / steps * end).abs();
                assert!(
                    error <= 2.0 * f64::EPSILON * end.abs(),
                    "{points} points to {end:e}, at {i}: {time:e}"
                );
            }
        }
    }
}
