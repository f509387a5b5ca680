//! Gram matrices and their gradients against the reference, against pairwise calls and against differences.

mod common;

use common::*;
use goursat::Precision;
use goursat::kernel::{self, Options};
use goursat::path::{Batch, Gradient, LeadLag, Transform};
use goursat::reference;

/// (x paths, y paths, x points, y points, dim): around the lanes of every level, and both sides of a block of rows.
const SHAPES: [(usize, usize, usize, usize, usize); 8] = [
    (1, 1, 2, 2, 1),
    (1, 33, 5, 3, 2),
    (3, 1, 9, 70, 3),
    (3, 9, 12, 7, 5),
    (9, 3, 38, 17, 2),
    (17, 9, 4, 6, 3),
    (33, 17, 3, 2, 1),
    (2, 3, 70, 66, 7),
];

const ORDERS: [(u32, u32); 6] = [(0, 0), (1, 0), (0, 2), (2, 2), (3, 1), (1, 4)];

/// Every shape with every option, as long as the slow reference has it within some 10 ms.
fn cases() -> Vec<((usize, usize, usize, usize, usize), Options)> {
    let mut cases = Vec::new();
    for shape in SHAPES {
        for orders in ORDERS {
            for transform in transforms() {
                let options = Options { orders, transform };
                let nodes = options.grid_shape(shape.2, shape.3).unwrap();
                if nodes.0 * nodes.1 * shape.0 * shape.1 <= 60_000 {
                    cases.push((shape, options));
                }
            }
        }
    }
    assert!(cases.len() > 120);
    cases
}

struct Expected {
    gram: Vec<f64>,
    gx: Vec<Vec<f64>>,
    gy: Vec<Vec<f64>>,
}

fn expected<S: Precision>(grad: &[S], x: &Batch<'_, S>, y: &Batch<'_, S>, options: &Options) -> Expected {
    let (transform, dim) = (oracle(&options.transform), x.dim());
    let apply = |batch: &Batch<'_, S>| -> Vec<Vec<f64>> {
        let paths = copies(batch);
        paths.iter().map(|path| transform.apply(&widen(path), dim)).collect()
    };
    let (xs, ys, wide) = (apply(x), apply(y), transform.dim(dim));
    let (gx, gy) = reference::gram_backprop(&widen(grad), &xs, &ys, wide, options.orders);
    let pull = |grads: Vec<Vec<f64>>| grads.iter().map(|g| transform.backprop(g, dim)).collect();
    Expected {
        gram: reference::gram(&xs, &ys, wide, options.orders),
        gx: pull(gx),
        gy: pull(gy),
    }
}

#[track_caller]
fn assert_gradient<S: Precision>(found: &[S], of: &Batch<'_, S>, expected: &[Vec<f64>], what: &str) {
    // Three times a kernel's: a derivative has two such sweeps behind it.
    assert_close(
        &pieces(found, of).concat(),
        &expected.concat(),
        3.0 * tolerance::<S>(),
        what,
    );
}

fn all_pairs_against_the_reference<S: Precision>() {
    for (n, ((x_batch, y_batch, m, k, dim), options)) in cases().into_iter().enumerate() {
        let (x, y) = (walks::<S>(x_batch, m, dim, 21), walks::<S>(y_batch, k, dim, 22));
        let grad = numbers::<S>(x_batch * y_batch, 23);
        let (x_lengths, y_lengths) = (lengths(x_batch, m), lengths(y_batch, k));
        for is_ragged in [false, true] {
            let x = ragged(&x, [x_batch, m, dim], is_ragged.then_some(&*x_lengths));
            let y = ragged(&y, [y_batch, k, dim], (is_ragged && n % 3 > 0).then_some(&*y_lengths));
            let what = format!("{x_batch} x {y_batch} pairs of {m}, {k} points in {dim}, {options:?}, {is_ragged}");
            let expected = expected(&grad, &x, &y, &options);
            let threads = 1 + n % 2;
            let found = gram(&x, Some(&y), &options, threads);
            assert_close(&found, &expected.gram, tolerance::<S>(), &what);
            let (gx, gy) = gram_gradients(&grad, &x, Some(&y), &options, threads);
            assert_gradient(&gx, &x, &expected.gx, &format!("x gradient of {what}"));
            assert_gradient(&gy, &y, &expected.gy, &format!("y gradient of {what}"));

            // One side alone: the same bits.
            let (mut alone_x, mut alone_y) = (room(&x), room(&y));
            let to_x = Gradient::new("x_grad", &mut alone_x, &x).unwrap();
            kernel::gram_backprop(&grad, &x, Some(&y), &options, Some(to_x), None, &mut on(threads)).unwrap();
            let to_y = Gradient::new("y_grad", &mut alone_y, &y).unwrap();
            kernel::gram_backprop(&grad, &x, Some(&y), &options, None, Some(to_y), &mut on(threads)).unwrap();
            assert_eq!(bits(&alone_x), bits(&gx), "x alone of {what}");
            assert_eq!(bits(&alone_y), bits(&gy), "y alone of {what}");
        }
    }
}

#[test]
fn all_pairs_in_f64_against_the_reference() {
    all_pairs_against_the_reference::<f64>();
}

#[test]
fn all_pairs_in_f32_against_the_reference() {
    all_pairs_against_the_reference::<f32>();
}

fn symmetric<S: Precision>() {
    for (batch, points, dim) in [(1, 9, 2), (3, 33, 3), (9, 12, 4), (17, 5, 1), (33, 4, 2), (34, 3, 3)] {
        for (n, transform) in transforms().into_iter().enumerate() {
            for orders in [(0, 0), (1, 1), (3, 3)] {
                let options = Options { orders, transform };
                let nodes = options.grid_shape(points, points).unwrap().0;
                if nodes * nodes * batch * batch > 100_000 {
                    continue;
                }
                let values = walks::<S>(batch, points, dim, 24);
                let each = lengths(batch, points);
                let x = ragged(&values, [batch, points, dim], (n % 2 == 1).then_some(&*each));
                let what = format!("{batch} paths of {points} points in {dim}, {options:?}");
                let found = gram(&x, None, &options, 2);
                let at = bits(&found);
                for i in 0..batch {
                    for j in 0..i {
                        assert_eq!(at[i * batch + j], at[j * batch + i], "({i}, {j}) of {what}");
                    }
                }
                assert_eq!(at, bits(&gram(&x, Some(&x), &options, 1)), "x against x: {what}");
                // Row after row by pairwise calls.
                for i in 0..batch {
                    let repeated: Vec<S> = (0..batch).flat_map(|_| copies(&x)[i].clone()).collect();
                    let row = ragged(&repeated, [batch, x.points(i), dim], None);
                    let row = bits(&kernels(&row, &x, &options, 1));
                    assert_eq!(row, at[i * batch..][..batch], "row {i} pair by pair: {what}");
                }
                // Not symmetric on purpose: the derivative of entry (i, j) and that of (j, i) both count.
                let grad = numbers::<S>(batch * batch, 25);
                let expected = expected(&grad, &x, &x, &options);
                assert_close(&found, &expected.gram, tolerance::<S>(), &what);
                let total: Vec<Vec<f64>> = expected.gx.iter().zip(&expected.gy).map(|(a, b)| add(a, b)).collect();
                let (gx, _) = gram_gradients(&grad, &x, None, &options, 2);
                assert_gradient(&gx, &x, &total, &format!("total derivative of {what}"));
            }
        }
    }
}

fn add(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

#[test]
fn a_matrix_of_x_with_itself_f64() {
    symmetric::<f64>();
}

#[test]
fn a_matrix_of_x_with_itself_f32() {
    symmetric::<f32>();
}

#[test]
fn central_differences() {
    let (batch, points, dim) = (5, 11, 2);
    let each = lengths(batch, points);
    let y = walks::<f64>(3, 7, dim, 27);
    for transform in transforms() {
        for orders in [(0, 0), (1, 1)] {
            let options = Options { orders, transform };
            let mut values = walks::<f64>(batch, points, dim, 26);
            let y = ragged(&y, [3, 7, dim], None);
            for symmetric in [false, true] {
                let y = (!symmetric).then_some(&y);
                let grad = numbers::<f64>(batch * if symmetric { batch } else { 3 }, 28);
                let value = |values: &[f64]| -> f64 {
                    let x = ragged(values, [batch, points, dim], Some(&each));
                    let k = gram(&x, y, &options, 1);
                    k.iter().zip(&grad).map(|(k, g)| k * g).sum()
                };
                let gx = {
                    let x = ragged(&values, [batch, points, dim], Some(&each));
                    gram_gradients(&grad, &x, y, &options, 1).0
                };
                let largest = gx.iter().fold(0.0, |m: f64, g| m.max(g.abs()));
                for e in (0..values.len()).step_by(7) {
                    let (middle, step) = (values[e], 1e-5);
                    values[e] = middle + step;
                    let up = value(&values);
                    values[e] = middle - step;
                    let slope = (up - value(&values)) / (2.0 * step);
                    values[e] = middle;
                    // step² from the third derivative, 1e-16 / step from rounding: both 1e-10, times the sum's size
                    let error = (gx[e] - slope).abs() / largest;
                    assert!(error < 1e-8, "{options:?}, symmetric: {symmetric}, {e}: {error:e}");
                }
            }
        }
    }
}

#[test]
fn orders_of_a_symmetric_matrix_are_equal_and_empty_ones_are_legal() {
    let options = |orders| Options {
        orders,
        transform: Transform {
            time: None,
            lead_lag: LeadLag::Off,
        },
    };
    let values = walks::<f64>(2, 3, 1, 29);
    let x = ragged(&values, [2, 3, 1], None);
    let mut out = [5.0; 4];
    let error = kernel::gram(&x, None, &options((1, 0)), &mut out, &mut on(1)).unwrap_err();
    assert!(error.to_string().contains("equal orders"), "{error}");
    assert_eq!(out, [5.0; 4]);
    let none = ragged(&values[..0], [0, 3, 1], None);
    assert!(gram(&none, Some(&x), &options((0, 0)), 1).is_empty());
    assert!(gram(&none, None, &options((0, 0)), 1).is_empty());
    // A gradient of nothing is zero.
    let (gx, _) = gram_gradients(&[], &x, Some(&none), &options((0, 0)), 1);
    assert_eq!(gx, vec![0.0; 6]);
}
