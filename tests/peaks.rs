//! Gradients of signatures without the words that follow from others: as right as promised, in bits that depend on the
//! shape alone, and only where it is worth it.

mod common;

use common::*;
use goursat::Precision;
use goursat::path::{Batch, LeadLag, Transform};
use goursat::reference::{self, DoubleDouble, narrow};
use goursat::signature::Options;

/// The least increments.
const LEAST: usize = 256;

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

/// Against 32 digits, each channel by its largest gradient: what the direct way gives here is 3e-15.
#[track_caller]
fn is_right(what: &str, path: &[f64], dim: usize, degree: usize, transform: Transform) {
    let options = Options {
        transform,
        ..plain(degree, false)
    };
    let (whole, wide) = (oracle(&transform).apply(path, dim), transform.dim(dim).unwrap());
    let grad = numbers::<f64>(options.length(dim).unwrap(), 20);
    let all: Vec<f64> = [&[0.0], &grad[..]].concat();
    let exact =
        reference::signature_backprop::<DoubleDouble>(&reference::widen(&all), &reference::widen(&whole), wide, degree);
    let exact = oracle(&transform).backprop(&narrow(&exact), dim);
    for direct in [false, true] {
        let found = signature_gradients(&grad, &one(path, dim), &Options { direct, ..options }, 1);
        for c in 0..dim {
            let channel = |all: &[f64]| all.iter().skip(c).step_by(dim).copied().collect::<Vec<_>>();
            let exact = channel(&exact);
            let largest = exact.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
            let distance = channel(&found)
                .iter()
                .zip(&exact)
                .fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
            assert!(
                distance <= 1e-14 * largest,
                "{what}, channel {c}, direct: {direct}: {distance:e} of {largest:e}"
            );
        }
    }
    let of = |direct| signature_gradients(&grad, &one(path, dim), &Options { direct, ..options }, 1);
    assert!(
        bits(&of(false)) != bits(&of(true)),
        "{what} is not what this test is about"
    );
}

#[test]
fn walks_are_right() {
    let none = Transform::default();
    is_right("a walk", &walks::<f64>(1, LEAST + 1, 12, 1), 12, 4, none);
    let walk = walks::<f64>(1, 300, 12, 5);
    let scaled: Vec<f64> = walk
        .iter()
        .enumerate()
        .map(|(i, v)| v * 1e3f64.powi((i % 12) as i32 - 5))
        .collect();
    is_right("channels of unlike size", &scaled, 12, 4, none);
}

/// Several pieces, more levels, no whole vectors of letters: 32 digits would take long.
#[test]
fn large_walks_are_as_the_direct_way_has_them() {
    for (points, dim, degree) in [(530, 13, 4), (LEAST + 1, 9, 5), (300, 17, 4)] {
        is_near(&walks::<f64>(1, points, dim, 2), dim, &plain(degree, false));
    }
}

#[track_caller]
fn is_near(path: &[f64], dim: usize, options: &Options) {
    let grad = numbers::<f64>(options.length(dim).unwrap(), 3);
    let of = |direct| signature_gradients(&grad, &one(path, dim), &Options { direct, ..*options }, 1);
    let (found, direct) = (of(false), of(true));
    assert_close(&found, &direct, 1e-14, &format!("{dim} channels, {options:?}"));
    assert!(
        bits(&found) != bits(&direct),
        "{options:?} is not what this test is about"
    );
}

#[test]
fn transformed_paths_are_as_the_direct_way_has_them() {
    for transform in transforms() {
        let dim = if transform.lead_lag == LeadLag::Off { 12 } else { 6 };
        let path = walks::<f64>(1, 280, dim, 6);
        is_near(
            &path,
            dim,
            &Options {
                transform,
                ..plain(4, false)
            },
        );
    }
}

/// Just enough increments, channels and levels, and one less.
#[test]
fn left_out_where_it_is_worth_it() {
    let fewer = |points: usize, dim: usize, degree: usize| {
        let path = walks::<f64>(1, points, dim, 8);
        let grad = numbers::<f64>(plain(degree, false).length(dim).unwrap(), 9);
        let of = |direct| bits(&signature_gradients(&grad, &one(&path, dim), &plain(degree, direct), 1));
        of(false) != of(true)
    };
    assert!(fewer(LEAST + 1, 12, 4));
    assert!(!fewer(LEAST, 12, 4));
    assert!(!fewer(LEAST + 1, 11, 4));
    assert!(!fewer(LEAST + 1, 8, 5));
    assert!(!fewer(LEAST + 1, 28, 3));
    let path = walks::<f32>(1, LEAST + 1, 12, 8);
    let grad = numbers::<f32>(plain(4, false).length(12).unwrap(), 9);
    let of = |direct| bits(&signature_gradients(&grad, &one(&path, 12), &plain(4, direct), 1));
    assert!(of(false) == of(true), "f32");
}

/// Ragged batches, more paths than are handed on at once, one thread or several.
#[test]
fn in_any_company() {
    for (dim, batch, lead_lag) in [(12, 20, LeadLag::Off), (6, 5, LeadLag::LagFirst)] {
        let transform = Transform {
            time: Some(2.0),
            lead_lag,
        };
        let options = Options {
            transform,
            ..plain(4, false)
        };
        let most = 300;
        let values = walks::<f64>(batch, most, dim, 10);
        let lengths: Vec<i64> = (0..batch).map(|b| 1.max(most as i64 - 17 * b as i64)).collect();
        let paths = ragged(&values, [batch, most, dim], Some(&lengths));
        let each = options.length(dim).unwrap();
        let grad = numbers::<f64>(batch * each, 11);
        let expected = signature_gradients(&grad, &paths, &options, 1);
        for threads in [2, 3] {
            let found = signature_gradients(&grad, &paths, &options, threads);
            assert!(bits(&found) == bits(&expected), "{threads} threads");
        }
        let all = pieces(&expected, &paths);
        for ((path, expected), grad) in copies(&paths).iter().zip(&all).zip(grad.chunks(each)) {
            let alone = signature_gradients(grad, &one(path, dim), &options, 1);
            assert!(bits(&alone) == bits(expected), "a path of {} numbers", path.len());
        }
    }
}

/// What is not finite, or too large, is had directly, and stays in its path.
#[test]
fn what_is_not_finite_is_direct() {
    let (batch, points, dim) = (3, 270, 12);
    let clean = walks::<f64>(batch, points, dim, 12);
    let each = plain(4, false).length(dim).unwrap();
    let grad = numbers::<f64>(batch * each, 13);
    let of = |grad: &[f64], values: &[f64], direct| {
        let paths = Batch::dense(values, batch, points, dim).unwrap();
        signature_gradients(grad, &paths, &plain(4, direct), 2)
    };
    let usual = of(&grad, &clean, false);
    let size = points * dim;
    for poison in [f64::NAN, f64::INFINITY, 1e200] {
        let mut values = clean.clone();
        values[size + 130 * dim + 3] = poison;
        let mut grads = grad.clone();
        grads[each + each - 2 * dim * dim] = f64::INFINITY * poison;
        for (grad, values) in [(&grad, &values), (&grads, &clean)] {
            let (found, direct) = (of(grad, values, false), of(grad, values, true));
            let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
            let mut both = found[size..2 * size].iter().zip(&direct[size..2 * size]);
            assert!(both.all(same), "{poison}");
            assert!(bits(&found[..size]) == bits(&usual[..size]), "beside {poison}");
            assert!(bits(&found[2 * size..]) == bits(&usual[2 * size..]), "beside {poison}");
        }
    }
}
