//! NaN and infinity stay in their path or pair.

use super::common::*;
use super::helpers::*;
use goursat::Precision;
use goursat::kernel::Options;
use goursat::path::LeadLag;
use goursat::signature;

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
