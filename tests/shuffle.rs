//! Signatures some of whose words follow from others: as right as promised, in bits that depend on the shape alone, and
//! only where it is worth it.

mod common;

use common::*;
use goursat::Precision;
use goursat::path::{Batch, LeadLag, Transform};
use goursat::reference::{self, DoubleDouble, narrow};
use goursat::signature::Options;

/// The least increments of a path of so many channels, after the transform, for which words are left out: (dim, degree,
/// increments).
const LEAST: [(usize, usize, usize); 13] = [
    (20, 3, 128),
    (10, 3, 205),
    (12, 4, 171),
    (7, 4, 293),
    (5, 5, 410),
    (2, 3, 32),
    (2, 4, 32),
    (2, 5, 32),
    (3, 3, 32),
    (3, 4, 32),
    (4, 3, 32),
    (5, 3, 32),
    (6, 3, 32),
];

fn plain(degree: usize, direct: bool) -> Options {
    Options {
        degree,
        scalar_term: false,
        direct,
        transform: Transform::default(),
    }
}

fn one<S: Precision>(path: &[S], dim: usize) -> Batch<'_, S> {
    Batch::dense(path, 1, path.len() / dim, dim).unwrap()
}

/// Whether words are left out: the bits of some coefficient of the last level, and of no other, are not the direct ones.
fn is_shuffled<S: Precision>(paths: &Batch<'_, S>, options: &Options) -> bool {
    let direct = Options {
        direct: true,
        ..*options
    };
    let (found, direct) = (
        bits(&signatures(paths, options, 1)),
        bits(&signatures(paths, &direct, 1)),
    );
    let dim = options.transform.dim(paths.dim()).unwrap();
    let lower = levels(dim, options.degree)[options.degree - 1].start;
    let each = found.len() / paths.batch();
    for (found, direct) in found.chunks(each).zip(direct.chunks(each)) {
        assert_eq!(found[..lower], direct[..lower], "levels below the last");
    }
    found != direct
}

// ------------------------------------------------------------------------------------------------------------ numbers

/// Level by level against 32 digits: 1e-13 is what the design promises, 3e-15 what the direct way gives here.
#[track_caller]
fn is_right(what: &str, path: &[f64], dim: usize, degree: usize, transform: Transform) {
    let options = Options {
        transform,
        ..plain(degree, false)
    };
    let whole = oracle(&transform).apply(path, dim);
    let wide = transform.dim(dim).unwrap();
    let exact: Vec<f64> = narrow(&reference::signature::<DoubleDouble>(
        &reference::widen(&whole),
        wide,
        degree,
    ))[1..]
        .to_vec();
    for (direct, tolerance) in [(false, 3e-14), (true, 1e-14)] {
        let options = Options { direct, ..options };
        let found = signatures(&one(path, dim), &options, 1);
        for (k, level) in levels(wide, degree).into_iter().enumerate() {
            let largest = exact[level.clone()].iter().fold(0.0, |most: f64, v| most.max(v.abs()));
            let what = format!("level {} of {what}, direct: {direct}, of size {largest:e}", k + 1);
            assert_close(&found[level.clone()], &exact[level], tolerance, &what);
        }
    }
}

#[test]
fn walks_are_right() {
    for (dim, degree, least) in LEAST {
        let path = walks::<f64>(1, least + 1, dim, 1);
        let what = format!("a walk of {least} steps in {dim} channels");
        is_right(&what, &path, dim, degree, Transform::default());
    }
    // Several pieces, the last one shorter, and a vector's worth of last letters and one more.
    is_right("a long walk", &walks::<f64>(1, 1300, 9, 2), 9, 3, Transform::default());
    is_right("a long walk", &walks::<f64>(1, 1031, 7, 3), 7, 4, Transform::default());
    is_right("a wide walk", &walks::<f64>(1, 240, 17, 4), 17, 3, Transform::default());
}

/// Paths whose levels are large, or small beside what went into them.
#[test]
fn hard_paths_are_right() {
    let (points, dim, degree) = (900, 7, 4);
    let at = |i: usize| i as f64 / (points - 1) as f64;
    let make = |f: &dyn Fn(f64, usize) -> f64| -> Vec<f64> {
        (0..points)
            .flat_map(|i| (0..dim).map(move |c| (i, c)))
            .map(|(i, c)| f(at(i), c))
            .collect()
    };
    let none = Transform::default();
    is_right(
        "a straight line",
        &make(&|t, c| t * (1.0 + c as f64)),
        dim,
        degree,
        none,
    );
    is_right(
        "a monotone curve",
        &make(&|t, c| t.powi(c as i32 + 1)),
        dim,
        degree,
        none,
    );
    is_right(
        "a curve down and up",
        &make(&|t, c| (t - 0.3).powi(c as i32 + 1)),
        dim,
        degree,
        none,
    );
    is_right(
        "axes one after the other",
        &make(&|t, c| (t * 7.0 - c as f64).clamp(0.0, 1.0)),
        dim,
        degree,
        none,
    );
    is_right(
        "axes backwards",
        &make(&|t, c| (t * 7.0 - (6 - c) as f64).clamp(0.0, 1.0)),
        dim,
        degree,
        none,
    );
    let walk = walks::<f64>(1, points, dim, 5);
    let scaled = |scale: &dyn Fn(usize) -> f64| -> Vec<f64> {
        walk.iter().enumerate().map(|(i, v)| v * scale(i % dim)).collect()
    };
    is_right("leaps of 1000", &scaled(&|_| 1e5), dim, degree, none);
    is_right(
        "channels of unlike size",
        &scaled(&|c| 1e6f64.powi(c as i32 - 3)),
        dim,
        degree,
        none,
    );
    is_right(
        "the largest letters small",
        &scaled(&|c| 1e6f64.powi(3 - c as i32)),
        dim,
        degree,
        none,
    );
    is_right("steps of nearly nothing", &scaled(&|_| 1e-60), dim, degree, none);
    is_right(
        "one channel alone",
        &scaled(&|c| (c == 3) as u8 as f64),
        dim,
        degree,
        none,
    );
}

#[test]
fn transformed_paths_are_right() {
    for transform in transforms() {
        let dim = if transform.lead_lag == LeadLag::Off { 8 } else { 4 };
        let what = format!("a walk with {transform:?}");
        is_right(&what, &walks::<f64>(1, 450, dim, 6), dim, 4, transform);
    }
}

/// A closed path far from being a small one: levels are what is left of large numbers, whichever way.
#[test]
fn closed_paths_are_no_worse() {
    let (dim, degree) = (7, 4);
    let mut path = walks::<f64>(1, 450, dim, 7);
    let back: Vec<f64> = path.chunks(dim).rev().skip(1).flatten().copied().collect();
    path.extend(back);
    let found = signatures(&one(&path, dim), &plain(degree, false), 1);
    // All is zero; each level is measured by that of half of the path.
    let half = signatures(&one(&path[..450 * dim], dim), &plain(degree, true), 1);
    for level in levels(dim, degree) {
        let largest = half[level.clone()].iter().fold(0.0, |most: f64, v| most.max(v.abs()));
        let most = found[level].iter().fold(0.0, |most: f64, v| most.max(v.abs()));
        assert!(most <= 3e-14 * largest, "{most:e} of {largest:e}");
    }
}

// --------------------------------------------------------------------------------------------------------------- bits

/// Just enough increments and one less; ragged, so that both kinds are in one batch.
#[test]
fn left_out_from_some_length_on() {
    for (dim, degree, least) in LEAST {
        let path = walks::<f64>(1, least + 1, dim, 8);
        let what = format!("{dim} channels, degree {degree}");
        assert!(is_shuffled(&one(&path, dim), &plain(degree, false)), "{what}");
        assert!(
            !is_shuffled(&one(&path[..least * dim], dim), &plain(degree, false)),
            "{what}, one increment less"
        );
        let single: Vec<f32> = path.iter().map(|&v| v as f32).collect();
        assert!(!is_shuffled(&one(&single, dim), &plain(degree, false)), "{what} in f32");
        assert!(
            !is_shuffled(&one(&path, dim), &plain(2, false)),
            "{dim} channels, degree 2"
        );
    }
    for (dim, degree, points) in [(4, 6, 700), (4, 5, 700), (5, 4, 700), (2, 6, 700)] {
        let path = walks::<f64>(1, points, dim, 9);
        assert!(
            !is_shuffled(&one(&path, dim), &plain(degree, false)),
            "{dim} channels, degree {degree}"
        );
    }
}

/// One lane a path or one lane a suffix, in pieces or not, on one thread or several.
#[test]
fn in_any_company() {
    for (dim, degree, most, lead_lag) in [
        (10, 3, 1200, LeadLag::Off),
        (7, 4, 700, LeadLag::Off),
        (12, 4, 180, LeadLag::Off),
        (5, 5, 640, LeadLag::Off),
        (4, 4, 400, LeadLag::LeadFirst),
        (1, 4, 90, LeadLag::Off),
        (1, 5, 700, LeadLag::Off),
        (2, 3, 60, LeadLag::Off),
        (2, 4, 600, LeadLag::Off),
        (3, 3, 45, LeadLag::Off),
        (1, 4, 80, LeadLag::LagFirst),
    ] {
        let batch = 19;
        let options = Options {
            transform: Transform {
                time: Some(2.0),
                lead_lag,
            },
            ..plain(degree, false)
        };
        let values = walks::<f64>(batch, most, dim, 10);
        let lengths: Vec<i64> = (0..batch).map(|b| (most - b * 13 % (most / 3)) as i64).collect();
        let paths = ragged(&values, [batch, most, dim], Some(&lengths));
        let expected = bits(&signatures(&paths, &options, 1));
        for threads in [2, 3] {
            assert!(
                expected == bits(&signatures(&paths, &options, threads)),
                "{threads} threads"
            );
        }
        let each = expected.len() / batch;
        for (b, path) in copies(&paths).iter().enumerate() {
            let alone = bits(&signatures(&one(path, dim), &options, 1));
            assert!(
                alone == expected[b * each..][..each],
                "path {b} of {dim} channels, degree {degree}"
            );
        }
    }
}

// ----------------------------------------------------------------------------------------------------- no such numbers

/// A path with numbers that are none, or too large, is done directly: it has the bits of that, and the others theirs.
#[test]
fn what_is_not_finite_is_direct() {
    for (dim, degree, points) in [
        (10, 3, 1200),
        (7, 4, 450),
        (12, 4, 180),
        (2, 4, 600),
        (2, 5, 60),
        (3, 3, 100),
    ] {
        let batch = 9;
        let clean = walks::<f64>(batch, points, dim, 11);
        let view = |values: &[f64], direct| {
            let paths = Batch::dense(values, batch, points, dim).unwrap();
            bits(&signatures(&paths, &plain(degree, direct), 2))
        };
        let (usual, direct) = (view(&clean, false), view(&clean, true));
        let each = usual.len() / batch;
        for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e200, -1e200] {
            for at in [0, points / 2, points - 1] {
                let mut values = clean.clone();
                values[(4 * points + at) * dim + dim / 2] = poison;
                let (found, expected) = (view(&values, false), view(&values, true));
                for b in 0..batch {
                    let (found, all) = (&found[b * each..][..each], b * each..(b + 1) * each);
                    if b == 4 {
                        assert!(found == &expected[all.clone()], "{poison} at point {at}");
                        let finite = |v: &u64| f64::from_bits(*v).is_finite();
                        assert!(!found.iter().all(finite), "{poison} at point {at}");
                    } else {
                        assert!(found == &usual[all.clone()], "path {b} beside {poison}");
                        assert!(found != &direct[all], "path {b} is not what this test is about");
                    }
                }
            }
        }
    }
}

/// Numbers that overflow on the way only, or in products of others: as right as the direct way, or done by it.
#[test]
fn large_numbers_are_right() {
    let (points, dim, degree) = (450, 7, 4);
    let walk = walks::<f64>(1, points, dim, 12);
    for power in 70..78 {
        let path: Vec<f64> = walk.iter().map(|v| v * 10f64.powi(power)).collect();
        let found = signatures(&one(&path, dim), &plain(degree, false), 1);
        let direct = signatures(&one(&path, dim), &plain(degree, true), 1);
        for level in levels(dim, degree) {
            let of = |v: &[f64]| v[level.clone()].iter().map(|v| v.is_finite()).collect::<Vec<_>>();
            if of(&direct).contains(&false) {
                assert!(bits(&found) == bits(&direct), "10^{power}");
            } else {
                let what = format!("10^{power}, level {level:?}");
                assert_close(&found[level.clone()], &direct[level], 3e-14, &what);
            }
        }
    }
}

/// Words of the last level are subnormal: a unit of theirs is lost in each increment and word that goes in.
#[test]
fn subnormal_levels_are_right() {
    let (points, dim, degree) = (450, 7, 4);
    let scale = 2f64.powi(-264);
    let path: Vec<f64> = walks::<f64>(1, points, dim, 13).iter().map(|v| v * scale).collect();
    let found = signatures(&one(&path, dim), &plain(degree, false), 1);
    let exact = reference::signature(&path, dim, degree);
    let unit = f64::from_bits(1);
    let mut subnormal = 0;
    for (&found, &expected) in found.iter().zip(&exact[1..]) {
        let allowed = 8.0 * points as f64 * unit + 1e-9 * expected.abs();
        assert!((found - expected).abs() <= allowed, "{found:e}, expected {expected:e}");
        subnormal += (found != 0.0 && found.abs() < 2.3e-308) as usize;
    }
    assert!(subnormal > 1000, "{subnormal} subnormal coefficients");
}
