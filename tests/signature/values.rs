//! Values and gradients against the reference, exact sums and central differences.

use super::helpers::*;
use goursat::Precision;
use goursat::path::Transform;
use goursat::reference::{self, narrow, widen};
use goursat::signature::Options;

fn agrees_with_reference<S: Precision>() {
    let mut random = Random(1);
    for (dim, degree) in SHAPES {
        for points in [1, 2, 3, 9, 26] {
            let path: Vec<S> = random.walk(points, dim);
            let wide = to_f64(&path);
            // In one channel the whole increment may be small: the sum has to be exact.
            let expected = if dim == 1 {
                narrow(&reference::signature(&widen(&wide), dim, degree))
            } else {
                reference::signature(&wide, dim, degree)
            };
            let computed = one(&path, dim, &plain(degree));
            let error = level_error(&computed, &expected[1..], dim, degree);
            assert!(
                error < tolerance::<S>(),
                "({dim}, {degree}), {points} points: {error:e}"
            );
        }
        let path: Vec<S> = random.walk(7, dim);
        let mut grad: Vec<S> = random.numbers(expected_length(dim, degree));
        weigh(&mut grad, dim, degree);
        let mut with_scalar = vec![0.0];
        with_scalar.extend(to_f64(&grad));
        let expected = reference::signature_backprop(&with_scalar, &to_f64(&path), dim, degree);
        let computed = one_gradient(&grad, &path, dim, &plain(degree));
        let error = relative(&computed, &expected);
        assert!(error < 4.0 * tolerance::<S>(), "gradient ({dim}, {degree}): {error:e}");
    }
}

#[test]
fn agrees_with_reference_f64() {
    agrees_with_reference::<f64>();
}

#[test]
fn agrees_with_reference_f32() {
    agrees_with_reference::<f32>();
}

fn transforms_on_the_fly<S: Precision>() {
    let mut random = Random(2);
    for (dim, degree) in [(1, 3), (2, 4), (3, 4), (5, 3), (8, 3)] {
        for transform in transforms() {
            let options = Options {
                degree,
                scalar_term: true,
                direct: false,
                transform,
            };
            let letters = transform.dim(dim).unwrap();
            for points in [1, 2, 14, 300] {
                let path: Vec<S> = random.walk(points, dim);
                let whole = oracle(&transform).apply(&to_f64(&path), dim);
                let computed = one(&path, dim, &options);
                assert_eq!(computed[0].to_f64(), 1.0);
                let expected = if points < 100 {
                    reference::signature(&whole, letters, degree)[1..].to_vec()
                } else {
                    one(&whole, letters, &plain(degree))
                };
                let error = level_error(&computed[1..], &expected, letters, degree);
                assert!(
                    error < 3.0 * tolerance::<S>(),
                    "{transform:?} ({dim}, {degree}), {points}: {error:e}"
                );

                let mut grad: Vec<S> = random.numbers(expected.len() + 1);
                weigh(&mut grad[1..], letters, degree);
                let computed = one_gradient(&grad, &path, dim, &options);
                let on_whole = one_gradient(&to_f64(&grad)[1..], &whole, letters, &plain(degree));
                let expected = oracle(&transform).backprop(&on_whole, dim);
                let error = relative(&computed, &expected);
                assert!(
                    error < 20.0 * tolerance::<S>(),
                    "gradient {transform:?} ({dim}, {degree}), {points}: {error:e}"
                );
            }
        }
    }
}

#[test]
fn transforms_on_the_fly_are_transforms_first() {
    transforms_on_the_fly::<f64>();
    transforms_on_the_fly::<f32>();
}

/// The exact signature of a long path, in double-double arithmetic. Each step is S ⊗ exp(z) by Horner's scheme, for this is
/// most of what these tests take: level k becomes S_k + (… (S_1 + z/k) ⊗ z/(k-1) …) ⊗ z, the highest level first.
fn exact(path: &[f64], dim: usize, degree: usize) -> Vec<f64> {
    let levels = levels(dim, degree);
    let mut sum = widen(&vec![0.0; levels[degree - 1].end]);
    let mut inner = sum.clone();
    let divisors: Vec<f64> = (1..=degree).map(|k| k as f64).collect();
    for z in reference::increments(&widen(path), dim).chunks_exact(dim) {
        let shares: Vec<_> = divisors
            .iter()
            .flat_map(|&k| z.iter().map(move |&z| z / k.into()))
            .collect();
        for k in (1..=degree).rev() {
            inner[..dim].copy_from_slice(&shares[(k - 1) * dim..][..dim]);
            for i in 1..k {
                let share = &shares[(k - i - 1) * dim..][..dim];
                // In its place, from behind: what is read lies before what is written.
                for (a, &known) in sum[levels[i - 1].clone()].iter().enumerate().rev() {
                    let left = inner[a] + known;
                    for (c, &share) in share.iter().enumerate() {
                        inner[a * dim + c] = left * share;
                    }
                }
            }
            for (to, &from) in sum[levels[k - 1].clone()].iter_mut().zip(&inner) {
                *to += from;
            }
        }
    }
    narrow(&sum)
}

/// That is exact as far as the reference is: on a few points, one after the other.
#[test]
fn exact_is_the_reference() {
    for (dim, degree) in [(1, 3), (2, 4), (3, 3), (4, 4), (2, 1)] {
        let path: Vec<f64> = Random(15).walk(9, dim);
        let expected = narrow(&reference::signature(&widen(&path), dim, degree));
        let error = level_error(&exact(&path, dim, degree), &expected[1..], dim, degree);
        assert!(error < 1e-16, "({dim}, {degree}): {error:e}");
    }
}

fn long_paths<S: Precision>(bound: f64) {
    let points = 100_000;
    let cases = [
        (2, 4, Transform::default()),
        (3, 3, Transform::default()),
        (4, 4, Transform::default()),
    ];
    let timed = Transform {
        time: Some(1.0),
        ..Transform::default()
    };
    for (dim, degree, transform) in cases.into_iter().chain([(1, 3, timed), (3, 4, timed)]) {
        let options = Options {
            degree,
            scalar_term: false,
            direct: false,
            transform,
        };
        let letters = transform.dim(dim).unwrap();
        for path in [smooth::<S>(points, dim), Random(3).walk::<S>(points, dim)] {
            let whole = oracle(&transform).apply(&to_f64(&path), dim);
            let error = level_error(
                &one(&path, dim, &options),
                &exact(&whole, letters, degree),
                letters,
                degree,
            );
            assert!(error < bound, "({dim}, {degree}), {transform:?}: {error:e}");
        }
    }
}

#[test]
fn long_paths_keep_their_digits_f64() {
    long_paths::<f64>(1e-13);
}

#[test]
fn long_paths_keep_their_digits_f32() {
    long_paths::<f32>(1e-5);
}

#[test]
fn long_gradients_keep_their_digits() {
    for (dim, degree) in [(2, 4), (4, 3), (3, 5), (8, 3)] {
        let path: Vec<f32> = Random(4).walk(30_000, dim);
        let mut grad: Vec<f32> = Random(5).numbers(expected_length(dim, degree));
        weigh(&mut grad, dim, degree);
        let computed = one_gradient(&grad, &path, dim, &plain(degree));
        let expected = one_gradient(&to_f64(&grad), &to_f64(&path), dim, &plain(degree));
        let error = relative(&computed, &expected);
        assert!(error < 1e-5, "({dim}, {degree}): {error:e}");
    }
}

#[test]
fn gradients_agree_with_central_differences() {
    let mut random = Random(6);
    for (dim, degree, points) in [
        (2, 3, 700),
        (3, 4, 40),
        (4, 5, 300),
        (5, 3, 9),
        (9, 2, 1300),
        (16, 3, 500),
    ] {
        for transform in transforms() {
            let options = Options {
                degree,
                scalar_term: false,
                direct: false,
                transform,
            };
            let path: Vec<f64> = random.walk(points, dim);
            let grad: Vec<f64> = random.numbers(options.length(dim).unwrap());
            let computed = one_gradient(&grad, &path, dim, &options);
            let value = |path: &[f64]| -> f64 { one(path, dim, &options).iter().zip(&grad).map(|(s, g)| s * g).sum() };
            for e in [0, dim * (points / 3) + 1, dim * (points / 2), dim * points - 1] {
                let mut moved = path.clone();
                let step = 1e-5;
                moved[e] = path[e] + step;
                let up = value(&moved);
                moved[e] = path[e] - step;
                let difference = (up - value(&moved)) / (2.0 * step);
                let error = (computed[e] - difference).abs();
                assert!(
                    error < 1e-7,
                    "({dim}, {degree}, {points}) {transform:?} at {e}: {error:e}"
                );
            }
        }
    }
}
