//! Numbers that are no numbers, too large or nearly nothing: NaN and infinity stay in their path or pair, wherever they
//! are, what overflows says so, and subnormals are numbers like others.

mod common;

use common::*;
use goursat::Precision;
use goursat::kernel::Options;
use goursat::path::{Batch, LeadLag, Transform, time_augment_batch};
use goursat::{reference, signature, simd};

const POISONS: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// A ragged batch: what is stored behind a path's end is NaN, and would show in every result that read it.
#[derive(Clone)]
struct Ragged<S> {
    values: Vec<S>,
    lengths: Vec<i64>,
    shape: [usize; 3],
}

impl<S: Precision> Ragged<S> {
    fn new(batch: usize, most: usize, dim: usize, lengths: Vec<i64>, seed: u64) -> Self {
        let mut values = walks::<S>(batch, most, dim, seed);
        for (path, &length) in values.chunks_mut(most * dim).zip(&lengths) {
            path[length as usize * dim..].fill(S::NAN);
        }
        let shape = [batch, most, dim];
        Ragged { values, lengths, shape }
    }

    fn view(&self) -> Batch<'_, S> {
        ragged(&self.values, self.shape, Some(&self.lengths))
    }

    fn with(&self, path: usize, point: usize, value: f64) -> Self {
        let [_, most, dim] = self.shape;
        let mut other = self.clone();
        other.values[(path * most + point) * dim + point % dim] = S::from_f64(value);
        other
    }

    /// First, middle and last of a path's own points.
    fn places(&self, path: usize) -> [usize; 3] {
        let length = self.lengths[path] as usize;
        [0, length / 2, length - 1]
    }
}

/// Paths at both ends of a vector and of a batch: the first and last lane, and those that are left over.
fn places_in_batch<S: Precision>(batch: usize) -> Vec<usize> {
    let lanes = simd::lanes::<S>();
    let mut all = vec![0, 1, lanes / 2, lanes - 1, lanes, batch / 2, batch - 1];
    all.retain(|&b| b < batch);

    all.sort_unstable();
    all.dedup();
    all
}

fn finite(bits: &[u64]) -> bool {
    bits.iter().all(|&v| f64::from_bits(v).is_finite())
}

fn options() -> [Options; 5] {
    let option = |orders, lead_lag, time| Options {
        orders,
        transform: Transform { time, lead_lag },
    };
    [
        option((0, 0), LeadLag::Off, None),
        option((0, 0), LeadLag::Off, Some(1.5)),
        option((0, 0), LeadLag::LagFirst, Some(1.5)),
        option((1, 2), LeadLag::Off, None),
        option((3, 1), LeadLag::LeadFirst, None),
    ]
}

// -------------------------------------------------------------------------------------------------- poison in one path

/// Kernels, grids and both kinds of gradients of pairs, of which one x, and then one y, is poisoned somewhere.
fn in_pairs<S: Precision>(x: &Ragged<S>, y: &Ragged<S>, bad: &[usize], options: &Options, threads: usize) {
    let ids: Vec<usize> = (0..x.shape[0]).collect();
    let clean = of_pairs(&x.view(), &y.view(), &ids, options, threads);
    assert!(
        clean.iter().all(|pair| finite(pair)),
        "something behind a path's end was read"
    );
    for (turn, &bad) in bad.iter().enumerate() {
        for side in 0..2 {
            let of = [x, y][side];
            for (i, &point) in of.places(bad).iter().enumerate() {
                let poison = POISONS[(turn + i) % 3];
                let dirty = of.with(bad, point, poison);
                let (x, y) = if side == 0 { (&dirty, y) } else { (x, &dirty) };
                let found = of_pairs(&x.view(), &y.view(), &ids, options, threads);
                let what = format!("{poison} at point {point} of {} {bad}, {options:?}", ["x", "y"][side]);
                for b in 0..ids.len() {
                    assert!(b == bad || found[b] == clean[b], "pair {b}, {what}");
                }
                if x.lengths[bad] > 1 && y.lengths[bad] > 1 {
                    assert!(!f64::from_bits(found[bad][0]).is_finite(), "it shows, {what}");
                    assert!(!finite(&found[bad]), "it shows, {what}");
                } else {
                    assert!(found[bad] == clean[bad], "no cell meets it, {what}");
                }
            }
        }
    }
}

fn poison_in_pairs<S: Precision>() {
    for (batch, m, n, dim) in [(1, 9, 6, 2), (19, 14, 11, 2), (35, 7, 9, 3)] {
        let x = Ragged::<S>::new(batch, m, dim, lengths(batch, m), 201);
        let y = Ragged::<S>::new(batch, n, dim, lengths(batch, n), 202);
        for options in options() {
            in_pairs(&x, &y, &places_in_batch::<S>(batch), &options, 2);
        }
    }
}

#[test]
fn poison_stays_in_its_pair() {
    poison_in_pairs::<f64>();
    poison_in_pairs::<f32>();
}

/// Pairs that are long and few go one after the other, the lanes of a vector over the strips of one.
#[test]
fn poison_stays_in_its_long_pair() {
    fn of<S: Precision>() {
        for (m, n, dim) in [(700, 650, 2), (70, 900, 3)] {
            let lengths = |most: i64| vec![most, most - 1, most - 37];
            let x = Ragged::<S>::new(3, m, dim, lengths(m as i64), 203);
            let y = Ragged::<S>::new(3, n, dim, lengths(n as i64), 204);
            for threads in [1, 2] {
                in_pairs(&x, &y, &[0, 2], &Options::default(), threads);
            }
        }
    }
    of::<f64>();
    of::<f32>();
}

/// In f64 beyond 2^22 cells increments are carried, beside pairs of which they are not.
#[test]
fn poison_stays_beside_carried_pairs() {
    let x = Ragged::<f64>::new(3, 2100, 2, vec![2100, 2099, 5], 205);
    let y = Ragged::<f64>::new(3, 2060, 2, vec![2060, 7, 2060], 206);
    let options = Options::default();
    let grad = numbers::<f64>(3, 207);
    let all = |x: &Ragged<f64>| {
        let (x, y) = (x.view(), y.view());
        let (gx, gy) = gradients(&grad, &x, &y, &options, 2);
        let (k, gx, gy) = (kernels(&x, &y, &options, 2), pieces(&gx, &x), pieces(&gy, &y));
        (0..3)
            .map(|b| bits(&[&[k[b]], &gx[b][..], &gy[b][..]].concat()))
            .collect::<Vec<_>>()
    };
    let clean = all(&x);
    assert!(clean.iter().all(|pair| finite(pair)));
    for bad in 0..3 {
        for (i, &point) in x.places(bad).iter().enumerate() {
            let dirty = all(&x.with(bad, point, POISONS[i]));
            assert!(
                (0..3).all(|b| b == bad || dirty[b] == clean[b]) && !finite(&dirty[bad]),
                "{bad}, {point}"
            );
        }
    }
}

/// Rows and columns of a Gram matrix, and gradients of the other paths of the same side.
fn poison_in_gram<S: Precision>() {
    let (batch, others, m, n, dim) = (5, 19, 12, 10, 2);
    let x = Ragged::<S>::new(batch, m, dim, lengths(batch, m), 208);
    let y = Ragged::<S>::new(others, n, dim, lengths(others, n), 209);
    let grad = numbers::<S>(batch * others, 210);
    for options in options() {
        let all = |x: &Ragged<S>, y: &Ragged<S>| {
            let (x, y) = (x.view(), y.view());
            let k = gram(&x, Some(&y), &options, 2);
            let (gx, gy) = gram_gradients(&grad, &x, Some(&y), &options, 2);
            (bits(&k), pieces(&gx, &x), pieces(&gy, &y))
        };
        let (k, gx, gy) = all(&x, &y);
        assert!(finite(&k), "something behind a path's end was read");
        for bad in [0, 2, batch - 1] {
            for (i, &point) in x.places(bad).iter().enumerate() {
                let (dirty_k, dirty_gx, _) = all(&x.with(bad, point, POISONS[i]), &y);
                let what = format!("{} at {point} of row {bad}, {options:?}", POISONS[i]);
                for e in 0..k.len() {
                    let shows = e / others == bad && x.lengths[bad] > 1 && y.lengths[e % others] > 1;
                    assert_eq!(!finite(&dirty_k[e..=e]), shows, "entry {e}, {what}");
                    assert!(shows || dirty_k[e] == k[e], "entry {e}, {what}");
                }
                assert!(
                    (0..batch).all(|b| b == bad || bits(&dirty_gx[b]) == bits(&gx[b])),
                    "gradient, {what}"
                );
            }
        }
        for bad in places_in_batch::<S>(others) {
            for (i, &point) in y.places(bad).iter().enumerate() {
                let (dirty_k, _, dirty_gy) = all(&x, &y.with(bad, point, POISONS[i]));
                let what = format!("{} at {point} of column {bad}, {options:?}", POISONS[i]);
                for e in 0..k.len() {
                    let shows = e % others == bad && y.lengths[bad] > 1 && x.lengths[e / others] > 1;
                    assert_eq!(!finite(&dirty_k[e..=e]), shows, "entry {e}, {what}");
                    assert!(shows || dirty_k[e] == k[e], "entry {e}, {what}");
                }
                assert!(
                    (0..others).all(|b| b == bad || bits(&dirty_gy[b]) == bits(&gy[b])),
                    "gradient, {what}"
                );
            }
        }
    }
}

#[test]
fn poison_stays_in_its_row_and_column() {
    poison_in_gram::<f64>();
    poison_in_gram::<f32>();
}

fn poison_in_signatures<S: Precision>() {
    // Unrolled, lanes over paths, lanes over words, pieces of long paths, base levels.
    for (batch, points, dim, degree) in [
        (1, 9, 2, 4),
        (19, 12, 2, 4),
        (35, 8, 3, 3),
        (3, 1300, 2, 3),
        (5, 20, 5, 4),
        (4, 10, 4, 6),
        (6, 9, 10, 2),
        (18, 30, 1, 5),
    ] {
        let paths = Ragged::<S>::new(batch, points, dim, lengths(batch, points), 211);
        let ids: Vec<usize> = (0..batch).collect();
        for transform in transforms() {
            if dim * degree > 15 && transform.lead_lag != LeadLag::Off {
                continue;
            }
            let options = signature::Options {
                degree,
                scalar_term: false,
                direct: false,
                transform,
            };
            let clean = of_paths(&paths.view(), &ids, &options, 2);
            assert!(
                clean.iter().all(|path| finite(path)),
                "something behind a path's end was read"
            );
            for (turn, bad) in places_in_batch::<S>(batch).into_iter().enumerate() {
                for (i, &point) in paths.places(bad).iter().enumerate() {
                    let poison = POISONS[(turn + i) % 3];
                    let dirty = of_paths(&paths.with(bad, point, poison).view(), &ids, &options, 2);
                    let what =
                        format!("{poison} at {point} of {bad}, ({batch}, {points}, {dim}, {degree}), {transform:?}");
                    assert!((0..batch).all(|b| b == bad || dirty[b] == clean[b]), "{what}");
                    assert_eq!(!finite(&dirty[bad]), paths.lengths[bad] > 1, "it shows, {what}");
                }
            }
        }
    }
}

#[test]
fn poison_stays_in_its_signature() {
    poison_in_signatures::<f64>();
    poison_in_signatures::<f32>();
}

// --------------------------------------------------------------------------------------------- beside a path of one point

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

// ------------------------------------------------------------------------------------------------ poison in a gradient

/// A given gradient that is NaN reaches the paths of its own result, and no other.
fn poison_in_gradients<S: Precision>() {
    let (batch, m, n, dim) = (19, 9, 8, 2);
    let (x, y) = (walks::<S>(batch, m, dim, 212), walks::<S>(batch, n, dim, 213));
    let (x, y) = (
        Batch::dense(&x, batch, m, dim).unwrap(),
        Batch::dense(&y, batch, n, dim).unwrap(),
    );
    let poisoned = |grad: &[S], place: usize| {
        let mut grad = grad.to_vec();
        grad[place] = S::NAN;
        grad
    };
    let spoiled = |dirty: &[Vec<S>], clean: &[Vec<S>], what: &str| -> Vec<usize> {
        let differ = (0..clean.len()).filter(|&b| bits(&dirty[b]) != bits(&clean[b]));
        let differ: Vec<usize> = differ.collect();
        assert!(
            differ.iter().all(|&b| dirty[b].iter().any(|g| g.to_f64().is_nan())),
            "{what}"
        );
        differ
    };
    for options in options() {
        let what = format!("{options:?}");
        let nodes = options.grid_shape(m, n).unwrap();
        let nodes = nodes.0 * nodes.1;
        let (one, grid, all) = (
            numbers::<S>(batch, 214),
            numbers::<S>(batch * nodes, 215),
            numbers::<S>(batch * batch, 216),
        );
        let split = |(gx, gy): (Vec<S>, Vec<S>)| (pieces(&gx, &x), pieces(&gy, &y));
        let of_kernels = |grad: &[S]| split(gradients(grad, &x, &y, &options, 2));
        let of_grids = |grad: &[S]| split(grid_gradients(grad, &x, &y, &options, 2));
        let of_matrix = |grad: &[S]| split(gram_gradients(grad, &x, Some(&y), &options, 2));
        let (clean, clean_grid, clean_matrix) = (of_kernels(&one), of_grids(&grid), of_matrix(&all));
        for bad in places_in_batch::<S>(batch) {
            let dirty = of_kernels(&poisoned(&one, bad));
            assert_eq!(spoiled(&dirty.0, &clean.0, &what), [bad], "{what}");
            assert_eq!(spoiled(&dirty.1, &clean.1, &what), [bad], "{what}");
            let dirty = of_grids(&poisoned(&grid, (bad + 1) * nodes - 1));
            assert_eq!(spoiled(&dirty.0, &clean_grid.0, &what), [bad], "{what}");
            assert_eq!(spoiled(&dirty.1, &clean_grid.1, &what), [bad], "{what}");
            let other = (bad * 7 + 3) % batch;
            let dirty = of_matrix(&poisoned(&all, bad * batch + other));
            assert_eq!(spoiled(&dirty.0, &clean_matrix.0, &what), [bad], "{what}");
            assert_eq!(spoiled(&dirty.1, &clean_matrix.1, &what), [other], "{what}");
        }
    }
    for (transform, degree) in transforms().into_iter().zip([4, 3, 2, 3, 2, 3]) {
        let options = signature::Options {
            degree,
            scalar_term: true,
            direct: false,
            transform,
        };
        let size = options.length(dim).unwrap();
        let grad = numbers::<S>(batch * size, 217);
        let clean = pieces(&signature_gradients(&grad, &x, &options, 2), &x);
        for bad in places_in_batch::<S>(batch) {
            // The first word of the last level: one letter, which is a channel of the path and not time.
            let grad = poisoned(
                &grad,
                (bad + 1) * size - options.transform.dim(dim).unwrap().pow(degree as u32),
            );
            let dirty = pieces(&signature_gradients(&grad, &x, &options, 2), &x);
            let what = format!("{transform:?}");
            assert_eq!(spoiled(&dirty, &clean, &what), [bad], "{what}");
        }
    }
}

#[test]
fn poison_in_a_given_gradient_stays_there() {
    poison_in_gradients::<f64>();
    poison_in_gradients::<f32>();
}

// ------------------------------------------------------------------------------------------------------------ overflow

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

// ---------------------------------------------------------------------------------------------------------- subnormals

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
