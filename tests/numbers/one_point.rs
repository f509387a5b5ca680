//! Beside a path of one point the kernel is 1, whatever the other path is made of.

use super::common::*;
use super::helpers::*;
use goursat::Precision;
use goursat::kernel::Options;

/// With `poison` in every number of a path.
fn spoilt<S: Precision>(paths: &Ragged<S>, path: usize, poison: f64) -> Ragged<S> {
    let [_, most, dim] = paths.shape;
    let mut other = paths.clone();
    other.values[path * most * dim..][..paths.lengths[path] as usize * dim].fill(S::from_f64(poison));
    other
}

/// Pairs in which a path has one point: 1 at every node and gradients of 0, whatever the other path and the given gradient
/// are made of. The pairs beside them keep their bits.
fn one_point_in_pairs<S: Precision>(x: &Ragged<S>, y: &Ragged<S>, options: &Options, threads: usize) {
    let batch = x.shape[0];
    let nodes = options.grid_shape(x.shape[1], y.shape[1]).unwrap();
    let nodes = nodes.0 * nodes.1;
    let (mut grad, mut grid_grad) = (numbers::<S>(batch, 223), numbers::<S>(batch * nodes, 224));
    let all = |x: &Ragged<S>, y: &Ragged<S>, grad: &[S], grid_grad: &[S]| {
        let (x, y) = (x.view(), y.view());
        let (gx, gy) = gradients(grad, &x, &y, options, threads);
        let (grid_gx, grid_gy) = grid_gradients(grid_grad, &x, &y, options, threads);
        let sides = [(gx, &x), (gy, &y), (grid_gx, &x), (grid_gy, &y)].map(|(g, of)| pieces(&g, of));
        let (k, grid) = (kernels(&x, &y, options, threads), grids(&x, &y, options, threads));
        (0..batch)
            .map(|b| {
                let sides = sides.iter().map(|side| bits(&side[b])).collect::<Vec<_>>();
                let grid = bits(&grid[b * nodes..][..nodes]);
                (bits(&k[b..=b]), grid, sides)
            })
            .collect::<Vec<_>>()
    };
    let clean = all(x, y, &grad, &grid_grad);
    let (mut bad_x, mut bad_y) = (x.clone(), y.clone());
    let without: Vec<usize> = (0..batch).filter(|&b| x.lengths[b].min(y.lengths[b]) == 1).collect();
    assert!(!without.is_empty());
    for (turn, &b) in without.iter().enumerate() {
        let poison = POISONS[turn % 3];
        (bad_x, bad_y) = (spoilt(&bad_x, b, poison), spoilt(&bad_y, b, poison));
        grad[b] = S::from_f64(poison);
        grid_grad[b * nodes..][..nodes].fill(S::from_f64(poison));
    }
    let dirty = all(&bad_x, &bad_y, &grad, &grid_grad);
    for b in 0..batch {
        assert!(
            dirty[b] == clean[b],
            "pair {b} of {batch}, {options:?}, {threads} threads"
        );
    }
    for b in without {
        let (k, grid, sides) = &dirty[b];
        let is = |bits: &[u64], value: f64| {
            bits.iter()
                .all(|&v| f64::from_bits(v) == value || f64::from_bits(v).is_nan())
        };
        assert!(
            f64::from_bits(k[0]) == 1.0 && is(grid, 1.0),
            "pair {b}: {k:?}, {grid:?}"
        );
        assert!(
            sides.iter().all(|side| finite(side) && is(side, 0.0)),
            "pair {b}: {sides:?}"
        );
    }
}

#[test]
fn no_poison_beside_a_path_of_one_point() {
    fn of<S: Precision>() {
        // A pair that is alone, groups with and without others, and long pairs, which are not in groups, beside it.
        for (batch, m, n, dim) in [(1, 9, 1, 2), (19, 1, 5, 2), (35, 7, 9, 3)] {
            let x = Ragged::<S>::new(batch, m, dim, lengths(batch, m), 225);
            let y = Ragged::<S>::new(batch, n, dim, lengths(batch, n), 226);
            for options in options() {
                one_point_in_pairs(&x, &y, &options, 2);
            }
        }
        for lengths in [
            [vec![700, 1, 690], vec![650, 600, 1]],
            [vec![700], vec![1]],
            [vec![1, 1], vec![650, 640]],
        ] {
            let batch = lengths[0].len();
            let [m, n] = [0, 1].map(|side| *lengths[side].iter().max().unwrap() as usize);
            let [x, y] = lengths;
            let (x, y) = (
                Ragged::<S>::new(batch, m, 2, x, 227),
                Ragged::<S>::new(batch, n, 2, y, 228),
            );
            for threads in [1, 2] {
                one_point_in_pairs(&x, &y, &Options::default(), threads);
            }
        }
    }
    of::<f64>();
    of::<f32>();
}

/// The same in Gram matrices. A path of more points is poisoned apart: its gradient is a sum over its whole row.
fn one_point_in_gram<S: Precision>(x: &Ragged<S>, y: Option<&Ragged<S>>, options: &Options) {
    let (rows, columns) = (x.shape[0], y.unwrap_or(x).shape[0]);
    let mut grad = numbers::<S>(rows * columns, 229);
    let all = |x: &Ragged<S>, y: Option<&Ragged<S>>, grad: &[S]| {
        let (x, y) = (x.view(), y.map(Ragged::view));
        let (gx, gy) = gram_gradients(grad, &x, y.as_ref(), options, 2);
        (bits(&gram(&x, y.as_ref(), options, 2)), bits(&gx), bits(&gy))
    };
    let clean = all(x, y, &grad);
    let short = |paths: &Ragged<S>| {
        (0..paths.shape[0])
            .filter(|&b| paths.lengths[b] == 1)
            .collect::<Vec<_>>()
    };
    let spoil = |paths: &Ragged<S>| {
        short(paths)
            .iter()
            .fold(paths.clone(), |paths, &b| spoilt(&paths, b, f64::NAN))
    };
    let without = |e: usize| x.lengths[e / columns].min(y.unwrap_or(x).lengths[e % columns]) == 1;
    for e in (0..grad.len()).filter(|&e| without(e)) {
        grad[e] = S::from_f64(POISONS[e % 3]);
    }
    let (bad_x, bad_y) = (spoil(x), y.map(spoil));
    let what = format!("{rows} × {columns}, {options:?}");
    assert!(all(&bad_x, bad_y.as_ref(), &grad) == clean, "{what}");
    for bad in 0..rows {
        let k = gram(
            &spoilt(x, bad, f64::NAN).view(),
            y.map(Ragged::view).as_ref(),
            options,
            2,
        );
        for e in (0..k.len()).filter(|&e| without(e)) {
            assert_eq!(k[e], S::ONE, "entry {e}, row {bad} of {what}");
        }
    }
}

#[test]
fn no_poison_in_gram_beside_a_path_of_one_point() {
    fn of<S: Precision>() {
        // Lists of pairs where columns are few, groups of them where they are many.
        for (rows, columns) in [(5, 2), (2, 19), (18, 35)] {
            let x = Ragged::<S>::new(rows, 9, 2, (0..rows as i64).map(|b| 1 + b * 5 % 9).collect(), 230);
            let y = Ragged::<S>::new(columns, 7, 2, (0..columns as i64).map(|b| 7 - b * 6 % 7).collect(), 231);
            for options in options() {
                one_point_in_gram(&x, Some(&y), &options);
                if options.orders.0 == options.orders.1 {
                    one_point_in_gram(&x, None, &options);
                }
            }
        }
    }
    of::<f64>();
    of::<f32>();
}
