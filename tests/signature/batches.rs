//! Bits and company, layouts of batches, and NaN.

use super::helpers::*;
use goursat::Precision;
use goursat::parallel::Run;
use goursat::path::{Batch, Gradient, Layout};
use goursat::reference::{self};
use goursat::signature::{Options, signature_backprop};
use goursat::simd::MAX_LANES;

/// Batches, threads: the same bits as one path after the other.
fn bits_do_not_depend_on_company<S: Precision>() {
    let mut random = Random(10);
    for (dim, degree) in [(1, 4), (2, 4), (2, 9), (3, 3), (4, 5), (5, 5), (7, 3), (16, 3)] {
        for points in [6, 700, 2100] {
            let options = plain(degree);
            let most = if points > 10 { 3 } else { 2 * MAX_LANES + 1 };
            let paths: Vec<S> = random.walk(most * points, dim);
            let grad: Vec<S> = random.numbers(most * expected_length(dim, degree));
            let each = paths.chunks(points * dim);
            let alone: Vec<_> = each.clone().map(|path| one(path, dim, &options)).collect();
            let length = alone[0].len();
            let alone_grad: Vec<_> = each
                .zip(grad.chunks(length))
                .map(|(path, grad)| one_gradient(grad, path, dim, &options))
                .collect();
            for batch in 0..=most {
                if batch > 5 && batch + 2 < most && batch != MAX_LANES / 2 + 1 {
                    continue;
                }
                for threads in [1, 2, 0] {
                    let view = Batch::dense(&paths[..batch * points * dim], batch, points, dim).unwrap();
                    let what = format!("({dim}, {degree}), {batch} of {points} points, {threads} threads");
                    let computed = signatures(&view, &options, threads);
                    assert_bits(&computed, &alone[..batch].concat(), &what);
                    let computed = gradients(&grad[..batch * length], &view, &options, threads);
                    assert_bits(&computed, &alone_grad[..batch].concat(), &format!("gradient {what}"));
                }
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_company_f64() {
    bits_do_not_depend_on_company::<f64>();
}

#[test]
fn bits_do_not_depend_on_company_f32() {
    bits_do_not_depend_on_company::<f32>();
}

/// Ragged, strided and packed batches: the same bits as dense copies, and nothing read beyond a path.
fn layouts<S: Precision>() {
    let mut random = Random(11);
    let (batch, length, dim) = (21, 40, 3);
    let options = |transform| Options {
        degree: 3,
        scalar_term: true,
        direct: false,
        transform,
    };
    let lengths: Vec<i64> = (0..batch as i64).map(|b| 1 + (b * 17) % length as i64).collect();
    let (path_stride, point_stride, channel_stride) = (1i64, 2 * batch as i64, (2 * batch * length) as i64);
    let mut strided = vec![S::NAN; 2 * batch * length * dim];
    let mut packed: Vec<S> = Vec::new();
    let mut starts = vec![0i64; batch];
    let copies: Vec<Vec<S>> = lengths
        .iter()
        .map(|&points| random.walk(points as usize, dim))
        .collect();
    for b in (0..batch).rev() {
        packed.push(S::NAN);
        starts[b] = packed.len() as i64;
        packed.extend(&copies[b]);
        for (e, &value) in copies[b].iter().enumerate() {
            let at = b as i64 * path_stride + (e / dim) as i64 * point_stride + (e % dim) as i64 * channel_stride;
            strided[at as usize] = value;
        }
    }
    let views = [
        Batch::new(
            "path",
            &strided,
            [batch, length, dim],
            Layout {
                lengths: Some(&lengths),
                strides: Some([path_stride, point_stride, channel_stride]),
                ..Layout::default()
            },
        )
        .unwrap(),
        Batch::new(
            "path",
            &packed,
            [batch, length, dim],
            Layout {
                lengths: Some(&lengths),
                starts: Some(&starts),
                ..Layout::default()
            },
        )
        .unwrap(),
    ];
    for transform in transforms() {
        let options = options(transform);
        let size = options.length(dim).unwrap();
        let grad: Vec<S> = random.numbers(batch * size);
        for (n, view) in views.iter().enumerate() {
            let computed = signatures(view, &options, 2);
            let mut out = vec![S::from_f64(7.0); if n == 0 { batch * length * dim } else { packed.len() }];
            let gradient = Gradient::new("path_grad", &mut out, view).unwrap();
            signature_backprop(&grad, view, &options, gradient, &mut Run::default()).unwrap();
            for b in 0..batch {
                let expected = one(&copies[b], dim, &options);
                assert_bits(
                    &computed[b * size..][..size],
                    &expected,
                    &format!("{n} {transform:?} {b}"),
                );
                let expected = one_gradient(&grad[b * size..][..size], &copies[b], dim, &options);
                let start = if n == 0 { b * length * dim } else { starts[b] as usize };
                assert_bits(
                    &out[start..][..expected.len()],
                    &expected,
                    &format!("{n} {transform:?} {b}"),
                );
                if n == 0 {
                    assert!(
                        out[start..(b + 1) * length * dim][expected.len()..]
                            .iter()
                            .all(|g| *g == S::ZERO)
                    );
                }
            }
        }
    }
}

#[test]
fn ragged_strided_and_packed_batches() {
    layouts::<f64>();
    layouts::<f32>();
}

/// Ragged batches of few coefficients, more than two vectors of them, under every transform: the same bits as one path
/// after the other, whether points lie one after the other or not, and not far from the reference.
fn few_coefficients<S: Precision>() {
    let mut random = Random(12);
    let (batch, length) = (2 * MAX_LANES + 3, 45);
    for (dim, degree) in [
        (1, 4),
        (1, 6),
        (2, 2),
        (2, 4),
        (2, 6),
        (3, 3),
        (3, 4),
        (4, 2),
        (4, 3),
        (6, 3),
        (8, 2),
    ] {
        let lengths: Vec<i64> = (0..batch as i64).map(|b| 1 + (b * 29) % length as i64).collect();
        let paths: Vec<S> = random.walk(batch * length, dim);
        let transposed: Vec<S> = (0..dim * length * batch)
            .map(|e| paths[e % batch * length * dim + e / batch % length * dim + e / batch / length])
            .collect();
        let view = |values, strides| {
            let layout = Layout {
                lengths: Some(&lengths),
                strides,
                ..Layout::default()
            };
            Batch::new("path", values, [batch, length, dim], layout).unwrap()
        };
        let strides = [1, batch as i64, (batch * length) as i64];
        let views = [view(&paths, None), view(&transposed, Some(strides))];
        for transform in transforms() {
            let letters = transform.dim(dim).unwrap();
            let options = Options {
                degree,
                scalar_term: false,
                direct: false,
                transform,
            };
            let size = options.length(dim).unwrap();
            // One channel is another algorithm.
            if letters == 1 || size > 400 {
                continue;
            }
            let mut grad: Vec<S> = random.numbers(batch * size);
            grad.chunks_mut(size).for_each(|grad| weigh(grad, letters, degree));
            let computed = views.each_ref().map(|view| signatures(view, &options, 2));
            let pulled = views.each_ref().map(|view| gradients(&grad, view, &options, 2));
            for b in 0..batch {
                let what = format!("{transform:?} ({dim}, {degree}), path {b}");
                let path = &paths[b * length * dim..][..lengths[b] as usize * dim];
                let grad = &grad[b * size..][..size];
                let (alone, alone_grad) = (one(path, dim, &options), one_gradient(grad, path, dim, &options));
                for (computed, pulled) in computed.iter().zip(&pulled) {
                    assert_bits(&computed[b * size..][..size], &alone, &what);
                    let (inside, beyond) = pulled[b * length * dim..][..length * dim].split_at(path.len());
                    assert_bits(inside, &alone_grad, &format!("gradient {what}"));
                    assert!(beyond.iter().all(|g| *g == S::ZERO), "{what}");
                }
                if b % 8 == 1 {
                    let whole = oracle(&transform).apply(&to_f64(path), dim);
                    let expected = reference::signature(&whole, letters, degree);
                    let error = level_error(&alone, &expected[1..], letters, degree);
                    assert!(error < 3.0 * tolerance::<S>(), "{what}: {error:e}");
                    let with_scalar = [vec![0.0], to_f64(grad)].concat();
                    let on_whole = reference::signature_backprop(&with_scalar, &whole, letters, degree);
                    let error = relative(&alone_grad, &oracle(&transform).backprop(&on_whole, dim));
                    assert!(error < 20.0 * tolerance::<S>(), "gradient {what}: {error:e}");
                }
            }
        }
    }
}

#[test]
fn few_coefficients_in_ragged_batches() {
    few_coefficients::<f64>();
    few_coefficients::<f32>();
}

#[test]
fn a_nan_stays_in_its_path() {
    for (dim, degree) in [(1, 3), (2, 4), (3, 3), (5, 4), (4, 6), (10, 2), (7, 4)] {
        for (batch, points) in [(5, 20), (3, 1200), (19, 20)] {
            for poison in [f64::NAN, f64::INFINITY] {
                let mut paths: Vec<f64> = Random(12).walk(batch * points, dim);
                let size = expected_length(dim, degree);
                let grad: Vec<f64> = Random(13).numbers(batch * size);
                let dense = |paths: &[f64]| {
                    let view = Batch::dense(paths, batch, points, dim).unwrap();
                    (
                        signatures(&view, &plain(degree), 2),
                        gradients(&grad, &view, &plain(degree), 2),
                    )
                };
                let (clean, clean_grad) = dense(&paths);
                let each = points * dim;
                paths[each + (points / 2) * dim] = poison;
                let (dirty, dirty_grad) = dense(&paths);
                for b in 0..batch {
                    let (s, g) = (b * size..(b + 1) * size, b * each..(b + 1) * each);
                    if b == 1 {
                        assert!(
                            !dirty[s.start].is_finite() && dirty_grad[g].iter().any(|g| !g.is_finite() || degree == 1)
                        );
                    } else {
                        assert_bits(&dirty[s.clone()], &clean[s], &format!("({dim}, {degree}) {b}"));
                        assert_bits(
                            &dirty_grad[g.clone()],
                            &clean_grad[g],
                            &format!("gradient ({dim}, {degree}) {b}"),
                        );
                    }
                }
            }
        }
    }
}
