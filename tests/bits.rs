//! At one level, the bits of a value or a gradient depend on its pair (its path) alone: not on the batch it travels in,
//! its place there, its neighbours' lengths or the number of threads.

mod common;

use common::*;
use goursat::Precision;
use goursat::kernel::Options;
use goursat::path::{Batch, LeadLag, Transform};
use goursat::signature;

fn options() -> Vec<Options> {
    let mut all = Vec::new();
    for (orders, lead_lag, time) in [
        ((0, 0), LeadLag::Off, None),
        ((0, 0), LeadLag::Off, Some(2.0)),
        ((0, 0), LeadLag::LeadFirst, None),
        ((0, 0), LeadLag::LagFirst, Some(1.0)),
        ((1, 2), LeadLag::Off, None),
        ((2, 1), LeadLag::LeadFirst, Some(1.0)),
        ((3, 0), LeadLag::Off, Some(0.5)),
        ((0, 3), LeadLag::LagFirst, None),
    ] {
        let transform = Transform { time, lead_lag };
        all.push(Options { orders, transform });
    }
    all
}

/// Some paths of a batch as a ragged batch of their own, in any order.
struct Choice<S> {
    values: Vec<S>,
    lengths: Vec<i64>,
    shape: [usize; 3],
}

impl<S: Precision> Choice<S> {
    fn of(paths: &[Vec<S>], which: &[usize], dim: usize) -> Self {
        let most = which.iter().map(|&b| paths[b].len()).max().unwrap_or(dim);
        let mut values = vec![S::NAN; which.len() * most];
        for (&b, to) in which.iter().zip(values.chunks_exact_mut(most)) {
            to[..paths[b].len()].copy_from_slice(&paths[b]);
        }
        Choice {
            values,
            lengths: which.iter().map(|&b| (paths[b].len() / dim) as i64).collect(),
            shape: [which.len(), most / dim, dim],
        }
    }

    fn view(&self) -> Batch<'_, S> {
        ragged(&self.values, self.shape, Some(&self.lengths))
    }
}

fn paths<S: Precision>(batch: usize, most: usize, dim: usize, seed: u64) -> Vec<Vec<S>> {
    let (values, each) = (walks::<S>(batch, most, dim, seed), lengths(batch, most));
    copies(&ragged(&values, [batch, most, dim], Some(&each)))
}

/// Batches to travel in: all sizes around lanes, another order, a path twice.
fn companies(count: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33]
        .iter()
        .filter(|&&n| n <= count)
        .map(|&n| (count - n..count).collect())
        .collect();
    all.push((0..count).rev().collect());
    all.push((0..count).map(|b| b * 5 % count).chain([0, 0]).collect());
    all
}

fn pairs_in_any_company<S: Precision>() {
    for (batch, m, n, dim) in [(33, 12, 9, 3), (9, 71, 40, 2), (5, 34, 150, 5)] {
        let (xs, ys) = (paths::<S>(batch, m, dim, 31), paths::<S>(batch, n, dim, 32));
        for options in options() {
            let alone: Vec<Vec<u64>> = (0..batch)
                .map(|b| {
                    let x = Batch::dense(&xs[b], 1, xs[b].len() / dim, dim).unwrap();
                    let y = Batch::dense(&ys[b], 1, ys[b].len() / dim, dim).unwrap();
                    of_pairs(&x, &y, &[b], &options, 1).remove(0)
                })
                .collect();
            for (c, company) in companies(batch).into_iter().enumerate() {
                let (x, y) = (Choice::of(&xs, &company, dim), Choice::of(&ys, &company, dim));
                let together = of_pairs(&x.view(), &y.view(), &company, &options, 1 + c % 2);
                for (&b, bits) in company.iter().zip(&together) {
                    assert!(
                        *bits == alone[b],
                        "pair {b} of {company:?}, ({m}, {n}, {dim}), {options:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn pairs_in_any_company_f64() {
    pairs_in_any_company::<f64>();
}

#[test]
fn pairs_in_any_company_f32() {
    pairs_in_any_company::<f32>();
}

/// Long pairs may be shared by lanes or threads. Some are beyond the 2^22 cells from which f64 carries increments, next
/// to others that are not.
fn long_pairs<S: Precision>(points: [usize; 3], each_alone: bool) {
    let dim = 2;
    let xs: Vec<Vec<S>> = points.iter().map(|&n| walks(1, n, dim, n as u64)).collect();
    let ys: Vec<Vec<S>> = points.iter().rev().map(|&n| walks(1, n + 7, dim, n as u64)).collect();
    let of = |company: &[usize], threads: usize| -> Vec<Vec<u64>> {
        let (x, y) = (Choice::of(&xs, company, dim), Choice::of(&ys, company, dim));
        let (x, y) = (x.view(), y.view());
        let grad: Vec<S> = company.iter().map(|&b| weight(b, 0, 0)).collect();
        let k = kernels(&x, &y, &Options::default(), threads);
        let (gx, gy) = gradients(&grad, &x, &y, &Options::default(), threads);
        let (gx, gy) = (pieces(&gx, &x), pieces(&gy, &y));
        (0..company.len())
            .map(|b| [bits(&k[b..b + 1]), bits(&gx[b]), bits(&gy[b])].concat())
            .collect()
    };
    let together = of(&[0, 1, 2], 2);
    for b in 0..3 {
        if each_alone || b == 0 {
            assert!(of(&[b], 1)[0] == together[b], "pair {b} of {points:?} alone");
            assert!(of(&[b], 2)[0] == together[b], "pair {b} of {points:?} on two threads");
        }
    }
    assert!(of(&[2, 0, 0, 1], 1)[1] == together[0], "another place, {points:?}");
}

#[test]
fn long_pairs_alone_and_together() {
    long_pairs::<f64>([900, 610, 40], true);
    long_pairs::<f32>([900, 610, 40], true);
    long_pairs::<f64>([4200, 130, 4090], false);
}

/// Few long pairs: the bands of each are shared by threads, few or many, with orders and transforms too.
fn bands_on_threads<S: Precision>() {
    let (points, dim) = ([1300, 1100, 700], 2);
    let [x, y] = [0, 7].map(|more| -> Vec<Vec<S>> {
        let path = |&n: &usize| walks(1, n + more, dim, (n + more) as u64);
        points.iter().map(path).collect()
    });
    for options in options()
        .into_iter()
        .filter(|options| options.orders.0 + options.orders.1 < 3)
    {
        for company in [vec![0], vec![0, 1, 2]] {
            let (x, y) = (Choice::of(&x, &company, dim), Choice::of(&y, &company, dim));
            let of = |threads| of_pairs_without_grids(&x.view(), &y.view(), &options, threads);
            let one = of(1);
            for threads in [2, 3, 7] {
                assert!(one == of(threads), "{company:?} on {threads} threads, {options:?}");
            }
        }
    }
}

fn of_pairs_without_grids<S: Precision>(
    x: &Batch<'_, S>,
    y: &Batch<'_, S>,
    options: &Options,
    threads: usize,
) -> Vec<u64> {
    let grad: Vec<S> = (0..x.batch()).map(|b| weight(b, 0, 0)).collect();
    let (gx, gy) = gradients(&grad, x, y, options, threads);
    [bits(&kernels(x, y, options, threads)), bits(&gx), bits(&gy)].concat()
}

#[test]
fn bands_of_long_pairs_on_threads() {
    bands_on_threads::<f64>();
    bands_on_threads::<f32>();
}

/// Matrices of few columns are solved as lists of pairs.
fn gram_matrices_of_all_sizes<S: Precision>() {
    let (batch, most, dim) = (19, 90, 2);
    let (xs, ys) = (paths::<S>(batch, most, dim, 41), paths::<S>(batch, most, dim, 42));
    let all: Vec<usize> = (0..batch).collect();
    for options in options().into_iter().step_by(2) {
        let (x, y) = (Choice::of(&xs, &all, dim), Choice::of(&ys, &all, dim));
        let whole = bits(&gram(&x.view(), Some(&y.view()), &options, 1));
        let itself = (options.orders.0 == options.orders.1).then(|| bits(&gram(&x.view(), None, &options, 1)));
        for (rows, columns) in [(1, 1), (3, 2), (1, 9), (19, 1), (2, 17), (9, 9), (16, 19)] {
            let (x, y) = (
                Choice::of(&xs, &all[..rows], dim),
                Choice::of(&ys, &all[..columns], dim),
            );
            let some = bits(&gram(&x.view(), Some(&y.view()), &options, 2));
            for (i, row) in some.chunks(columns).enumerate() {
                assert_eq!(row, &whole[i * batch..][..columns], "row {i} of ({rows}, {columns})");
            }
            let Some(itself) = &itself else { continue };
            for (i, row) in bits(&gram(&x.view(), None, &options, 2)).chunks(rows).enumerate() {
                assert_eq!(row, &itself[i * batch..][..rows], "row {i} of {rows}, symmetric");
            }
        }
    }
}

#[test]
fn gram_matrices_of_few_and_many_columns() {
    gram_matrices_of_all_sizes::<f64>();
    gram_matrices_of_all_sizes::<f32>();
}

/// Two groups of lanes, both long, one a little shorter: each cuts its memory for the way back by its own size.
#[test]
fn gradients_of_long_groups_of_two_sizes() {
    let (dim, points) = (1, [3000, 2800]);
    let paths: Vec<Vec<f32>> = (0..32).map(|b| walks(1, points[b % 2], dim, b as u64)).collect();
    let all: Vec<usize> = (0..32).collect();
    let turned: Vec<usize> = (0..32).map(|b| (b + 2) % 32).collect();
    let gradients_of = |xs: &[usize], ys: &[usize]| {
        let (x, y) = (Choice::of(&paths, xs, dim), Choice::of(&paths, ys, dim));
        let grad: Vec<f32> = xs.iter().map(|&b| weight(b, 0, 0)).collect();
        let (gx, gy) = gradients(&grad, &x.view(), &y.view(), &Options::default(), 2);
        (pieces(&gx, &x.view()), pieces(&gy, &y.view()))
    };
    let together = gradients_of(&all, &turned);
    for b in [0, 31] {
        let alone = gradients_of(&all[b..b + 1], &turned[b..b + 1]);
        assert_eq!(bits(&alone.0[0]), bits(&together.0[b]), "x of pair {b}");
        assert_eq!(bits(&alone.1[0]), bits(&together.1[b]), "y of pair {b}");
    }
}

fn swapped<S: Precision>() {
    let (batch, m, n, dim) = (19, 41, 23, 3);
    let (xs, ys) = (paths::<S>(batch, m, dim, 33), paths::<S>(batch, n, dim, 34));
    let all: Vec<usize> = (0..batch).collect();
    let (x, y) = (Choice::of(&xs, &all, dim), Choice::of(&ys, &all, dim));
    let (x, y) = (x.view(), y.view());
    for options in options() {
        let turned = Options {
            orders: (options.orders.1, options.orders.0),
            ..options
        };
        let k = bits(&kernels(&x, &y, &options, 1));
        assert_eq!(k, bits(&kernels(&y, &x, &turned, 1)), "{options:?}");
        let (grid, other) = (bits(&grids(&x, &y, &options, 1)), bits(&grids(&y, &x, &turned, 1)));
        let (rows, columns) = options.grid_shape(x.length(), y.length()).unwrap();
        for b in 0..batch {
            for i in 0..rows {
                for j in 0..columns {
                    let at = (b * rows * columns + i * columns + j, b * rows * columns + j * rows + i);
                    assert_eq!(grid[at.0], other[at.1], "node ({i}, {j}) of {b}, {options:?}");
                }
            }
        }
        // An entry of the Gram matrix, either way.
        let matrix = bits(&gram(&x, Some(&y), &options, 2));
        let transposed = bits(&gram(&y, Some(&x), &turned, 1));
        for b in 0..batch {
            assert_eq!(matrix[b * batch + b], k[b], "entry of {b}, {options:?}");
            for c in 0..batch {
                assert_eq!(
                    matrix[b * batch + c],
                    transposed[c * batch + b],
                    "({b}, {c}), {options:?}"
                );
            }
        }
    }
}

#[test]
fn x_and_y_swapped() {
    swapped::<f64>();
    swapped::<f32>();
}

/// A gradient with respect to x_i is a sum over all y: it depends on them, but not on the other x, nor on threads.
fn gram_gradients_in_any_company<S: Precision>() {
    let (batch, n_batch, m, n, dim) = (35, 19, 13, 9, 3);
    let (xs, ys) = (paths::<S>(batch, m, dim, 35), paths::<S>(n_batch, n, dim, 36));
    let columns: Vec<usize> = (0..n_batch).collect();
    let y = Choice::of(&ys, &columns, dim);
    let grad = |rows: &[usize], columns: &[usize]| -> Vec<S> {
        let row = |&i: &usize| columns.iter().map(move |&j| weight(i, j, 3));
        rows.iter().flat_map(row).collect()
    };
    let all: Vec<usize> = (0..batch).collect();
    for options in options() {
        let x = Choice::of(&xs, &all, dim);
        let weights = grad(&all, &columns);
        let (gx, gy) = gram_gradients(&weights, &x.view(), Some(&y.view()), &options, 1);
        let again = gram_gradients(&weights, &x.view(), Some(&y.view()), &options, 2);
        assert_eq!((bits(&gx), bits(&gy)), (bits(&again.0), bits(&again.1)), "{options:?}");
        let (gx, gy) = (pieces(&gx, &x.view()), pieces(&gy, &y.view()));
        for some in [vec![7], vec![3, 30, 12], (0..17).collect()] {
            let fewer = Choice::of(&xs, &some, dim);
            let found = gram_gradients(&grad(&some, &columns), &fewer.view(), Some(&y.view()), &options, 2).0;
            for (&i, found) in some.iter().zip(pieces(&found, &fewer.view())) {
                assert_eq!(bits(&found), bits(&gx[i]), "x {i} of {some:?}, {options:?}");
            }
            let some: Vec<usize> = some.into_iter().filter(|&j| j < n_batch).collect();
            let fewer = Choice::of(&ys, &some, dim);
            let found = gram_gradients(&grad(&all, &some), &x.view(), Some(&fewer.view()), &options, 2).1;
            for (&j, found) in some.iter().zip(pieces(&found, &fewer.view())) {
                assert_eq!(bits(&found), bits(&gy[j]), "y {j} of {some:?}, {options:?}");
            }
        }
        if options.orders.0 == options.orders.1 {
            let weights = grad(&all, &all);
            let total = |threads| bits(&gram_gradients(&weights, &x.view(), None, &options, threads).0);
            assert_eq!(total(1), total(2), "total derivative, {options:?}");
        }
    }
}

#[test]
fn gradients_of_gram_matrices_in_any_company() {
    gram_gradients_in_any_company::<f64>();
    gram_gradients_in_any_company::<f32>();
}

fn signatures_in_any_company<S: Precision>() {
    let (batch, most) = (33, 23);
    for (dim, degree) in [(1, 3), (2, 5), (3, 3), (5, 3), (8, 2)] {
        let all = paths::<S>(batch, most, dim, 37);
        for transform in transforms() {
            let options = signature::Options {
                degree,
                scalar_term: dim == 3,
                direct: false,
                transform,
            };
            let alone = |b: usize| {
                let path = Batch::dense(&all[b], 1, all[b].len() / dim, dim).unwrap();
                of_paths(&path, &[b], &options, 1).remove(0)
            };
            let alone: Vec<Vec<u64>> = (0..batch).map(alone).collect();
            for (c, company) in companies(batch).into_iter().enumerate().skip(2).step_by(2) {
                let together = Choice::of(&all, &company, dim);
                let together = of_paths(&together.view(), &company, &options, 1 + c / 2 % 2);
                for (&b, bits) in company.iter().zip(&together) {
                    assert!(
                        *bits == alone[b],
                        "path {b} of {company:?}, ({dim}, {degree}), {transform:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn signatures_in_any_company_f64() {
    signatures_in_any_company::<f64>();
}

#[test]
fn signatures_in_any_company_f32() {
    signatures_in_any_company::<f32>();
}

#[test]
fn repeated_calls() {
    let (x, y) = (walks::<f64>(40, 30, 4, 38), walks::<f64>(40, 25, 4, 39));
    let (x, y) = (ragged(&x, [40, 30, 4], None), ragged(&y, [40, 25, 4], None));
    let grad = numbers::<f64>(1600, 40);
    let all = || {
        let k = gram(&x, Some(&y), &Options::default(), 2);
        let (gx, gy) = gram_gradients(&grad, &x, Some(&y), &Options::default(), 2);
        let options = signature::Options {
            degree: 4,
            scalar_term: false,
            direct: false,
            transform: Transform::default(),
        };
        let s = signatures(&x, &options, 2);
        [bits(&k), bits(&gx), bits(&gy), bits(&s)].concat()
    };
    let first = all();
    for _ in 0..5 {
        assert!(all() == first);
    }
}
