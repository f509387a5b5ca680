//! How many digits are right, on long paths above all. The judge is the same recurrence in double-double arithmetic,
//! for the same stored numbers; of f32 results also f64 ones, which were held to it.

#[path = "support/c.rs"]
mod c;
mod common;

use common::*;
use goursat::Precision;
use goursat::kernel::Options;
use goursat::path::{Batch, LeadLag, Transform};
use goursat::reference::{self, DoubleDouble, narrow};
use goursat::signature;

type Dd = DoubleDouble;

/// k(x, y) in double-double, and its derivative in the direction `v` of x, in one sweep of two rows.
///
/// k' = p - d + (Δ/2)·p + (Δ²/12)·(p + d) with p = l + u: the printed recurrence, sorted by powers of Δ.
fn judge(x: &[f64], y: &[f64], v: Option<&[f64]>, dim: usize, orders: (u32, u32)) -> (f64, f64) {
    let wide = |path: &[f64]| reference::increments(&reference::widen(path), dim);
    let (dx, dy) = (wide(x), wide(y));
    let dv = wide(v.unwrap_or(&vec![0.0; x.len()]));
    let scale = Dd::from(0.5f64.powi((orders.0 + orders.1) as i32));
    let (half, twelfth) = (Dd::from(0.5), Dd::from(1.0) / Dd::from(12.0));
    let (rows, columns) = (dx.len() / dim, dy.len() / dim);
    let nodes = (columns << orders.1) + 1;
    let (mut row, mut slope) = (vec![Dd::from(1.0); nodes], vec![Dd::from(0.0); nodes]);
    let product = |a: &[Dd], b: &[Dd]| a.iter().zip(b).fold(Dd::from(0.0), |sum, (&a, &b)| sum + a * b) * scale;
    for i in 0..rows {
        let (z, zv) = (&dx[i * dim..][..dim], &dv[i * dim..][..dim]);
        // (Δ/2, Δ²/12) of this row of increments, and their derivatives.
        let cells: Vec<[Dd; 4]> = dy
            .chunks(dim)
            .map(|w| {
                let (delta, dot) = (product(z, w), product(zv, w));
                let sixth = delta * dot * twelfth;
                [delta * half, delta * delta * twelfth, dot * half, sixth + sixth]
            })
            .collect();
        for _ in 0..1 << orders.0 {
            let (mut corner, mut corner_slope) = (row[0], slope[0]);
            for t in 1..nodes {
                let [h, s, hv, sv] = cells[(t - 1) >> orders.1];
                let (p, d) = (row[t - 1] + row[t], corner);
                corner = row[t];
                row[t] = p - d + h * p + s * (p + d);
                if v.is_some() {
                    let (pv, dv) = (slope[t - 1] + slope[t], corner_slope);
                    corner_slope = slope[t];
                    slope[t] = pv - dv + h * pv + s * (pv + dv) + hv * p + sv * (p + d);
                }
            }
        }
    }
    (row[nodes - 1].into(), slope[nodes - 1].into())
}

/// A straight line from 0 to `end` in one channel: every Δ is alike, so that what is lost in one cell is lost in all.
fn line(points: usize, end: f64) -> Vec<f64> {
    (0..points).map(|i| i as f64 * (end / (points - 1) as f64)).collect()
}

/// A circle, in two channels.
fn circle(points: usize, radius: f64, turns: f64) -> Vec<f64> {
    let angle = |i: usize| std::f64::consts::TAU * turns * i as f64 / (points - 1) as f64;
    (0..points)
        .flat_map(|i| [radius * angle(i).cos(), radius * angle(i).sin()])
        .collect()
}

/// A walk whose increments reach 2 in every channel.
fn leaps(points: usize, dim: usize, seed: u64) -> Vec<f64> {
    let steps = ((points * dim) as f64).sqrt() * (2.0 / 1.87); // those of `walks` reach 1.87 over that root
    walks::<f64>(1, points, dim, seed).iter().map(|v| v * steps).collect()
}

/// A smooth curve in three channels.
fn curve(points: usize, phase: f64) -> Vec<f64> {
    let at = |i: usize| i as f64 / (points - 1) as f64;
    (0..points)
        .flat_map(|i| [(at(i) * 2.0 + phase).sin(), at(i) * at(i), (at(i) * 3.0).cos() * 0.7])
        .collect()
}

fn round<S: Precision>(values: &[f64]) -> Vec<S> {
    values.iter().map(|&v| S::from_f64(v)).collect()
}

fn one<S: Precision>(path: &[S], dim: usize) -> Batch<'_, S> {
    Batch::dense(path, 1, path.len() / dim, dim).unwrap()
}

fn relative(found: f64, expected: f64) -> f64 {
    (found - expected).abs() / expected.abs()
}

// --------------------------------------------------------------------------------------------------------------- f32

/// f32 against f64 on the same numbers: kernels, and gradients over their largest entry, within 1e-5, as the design
/// promises. f64 is 1e-10 off at most, as the tests below show.
#[track_caller]
fn f32_is_right(what: &str, x: &[f64], y: &[f64], dim: usize, options: &Options) {
    let (x, y) = (round::<f32>(x), round::<f32>(y));
    let (wide_x, wide_y) = (widen(&x), widen(&y));
    let (x, y, wide_x, wide_y) = (one(&x, dim), one(&y, dim), one(&wide_x, dim), one(&wide_y, dim));
    let expected = kernels(&wide_x, &wide_y, options, 1);
    assert_close(
        &kernels(&x, &y, options, 1),
        &expected,
        1e-5,
        &format!("kernel, {what}"),
    );
    let (gx, gy) = gradients(&[1.0], &wide_x, &wide_y, options, 1);
    let found = gradients(&[1.0], &x, &y, options, 1);
    assert_close(&found.0, &gx, 1e-5, &format!("x gradient, {what}"));
    assert_close(&found.1, &gy, 1e-5, &format!("y gradient, {what}"));
}

/// Where every other library loses its digits: pySigLib's f32 kernel is 19 % off at 4096 points.
#[test]
fn f32_on_smooth_paths_of_4096_points() {
    let (n, plain) = (4096, Options::default());
    f32_is_right("two circles", &circle(n, 0.4, 1.0), &circle(n, 0.3, 1.5), 2, &plain);
    f32_is_right("two curves", &curve(n, 0.0), &curve(n, 0.7), 3, &plain);
}

/// The worst case: all increments alike, so that every step of a sum rounds the same way.
#[test]
fn f32_on_straight_lines_of_4096_points() {
    let (n, plain) = (4096, Options::default());
    f32_is_right("two lines", &line(n, 1.3), &line(n, 0.9), 1, &plain);
    f32_is_right("opposed lines", &line(n, 1.2), &line(n, -0.7), 1, &plain);
}

#[test]
fn f32_on_rough_paths_of_4096_points() {
    let walk = |seed| walks::<f64>(1, 4096, 3, seed);
    f32_is_right("two walks", &walk(91), &walk(92), 3, &Options::default());
}

#[test]
fn f32_on_refined_and_transformed_smooth_paths() {
    let option = |orders, lead_lag, time| Options {
        orders,
        transform: Transform { time, lead_lag },
    };
    let (short, long) = (curve(130, 0.0), curve(1000, 0.7));
    f32_is_right("refined", &short, &long, 3, &option((4, 1), LeadLag::Off, None));
    f32_is_right("timed", &long, &long, 3, &option((0, 0), LeadLag::Off, Some(1.0)));
    f32_is_right(
        "lead-lag",
        &long,
        &long,
        3,
        &option((0, 0), LeadLag::LeadFirst, Some(1.0)),
    );
    f32_is_right("both", &short, &long, 3, &option((1, 1), LeadLag::LagFirst, Some(1.0)));
}

/// One cell of Δ = 900, and k = 1e33. Kernels of the steps of 2 below are more than f32 can hold.
#[test]
fn f32_on_large_increments() {
    let (far, plain) = (line(200, 40.0), Options::default());
    f32_is_right("one cell", &line(2, 30.0), &line(2, 30.0), 1, &plain);
    f32_is_right("lines to 40", &far, &far, 1, &plain);
}

// --------------------------------------------------------------------------------------------------------------- f64

/// Kernel, and gradient in one direction (the path itself), within 1e-10, as promised at every length.
#[track_caller]
fn f64_is_right(what: &str, x: &[f64], y: &[f64], dim: usize, orders: (u32, u32)) {
    let options = Options {
        orders,
        ..Options::default()
    };
    let k = kernels(&one(x, dim), &one(y, dim), &options, 2)[0];
    let (gx, _) = gradients(&[1.0], &one(x, dim), &one(y, dim), &options, 2);
    let slope: f64 = gx.iter().zip(x).map(|(g, v)| g * v).sum();
    let (exact, exact_slope) = judge(x, y, Some(x), dim, orders);
    assert!(relative(k, exact) < 1e-10, "kernel, {what}: {:e}", relative(k, exact));
    let error = relative(slope, exact_slope);
    assert!(error < 1e-10, "gradient, {what}: {error:e}");
}

/// Also where k is a small rest of what was large on the way: lines in opposite directions.
#[test]
fn f64_on_large_increments() {
    let far = line(200, 40.0);
    f64_is_right("steps of 2", &leaps(64, 3, 97), &leaps(64, 3, 98), 3, (0, 0));
    f64_is_right("one cell", &line(2, 30.0), &line(2, 30.0), 1, (0, 0));
    f64_is_right("lines to 40", &far, &far, 1, (0, 0));
    f64_is_right("opposed lines", &line(500, 30.0), &line(500, -30.0), 1, (0, 0));
}

/// Just below 2^22 cells, where k alone is kept: each cell may lose half a unit of k, 1e-16, and on a smooth path many lose
/// it to the same side: some 0.05 units a cell, 2e-11.
#[test]
fn f64_below_the_threshold() {
    let n = 2048; // 2047² < 2^22
    f64_is_right("two circles", &circle(n, 0.4, 1.0), &circle(n, 0.3, 1.2), 2, (0, 0));
    f64_is_right(
        "refined circles",
        &circle(128, 0.4, 1.0),
        &circle(125, 0.3, 1.2),
        2,
        (4, 4),
    );
}

#[test]
fn f64_on_straight_lines_below_the_threshold() {
    f64_is_right("two lines", &line(2048, 1.1), &line(2048, 0.8), 1, (0, 0));
}

/// Just above, where increments are carried: a thousand times better than promised, because the error grows with the
/// length alone.
#[test]
fn f64_above_the_threshold() {
    let x = circle(4200, 0.4, 1.0);
    let y = circle(4100, 0.3, 1.5);
    f64_is_right("two circles", &x, &y, 2, (0, 0));
    f64_is_right("two lines", &line(4096, 1.1), &line(4096, 0.8), 1, (0, 0));
    // 129 · 130 increments, refined 16 times on both axes.
    let (x, y) = (circle(130, 0.4, 1.0), circle(131, 0.3, 1.2));
    let options = Options {
        orders: (4, 4),
        ..Options::default()
    };
    let k = kernels(&one(&x, 2), &one(&y, 2), &options, 1)[0];
    let error = relative(k, judge(&x, &y, None, 2, (4, 4)).0);
    assert!(error < 1e-13, "refined circles: {error:e}");
}

/// 20,000 points within 1e-10, as promised, of long double: the judge above would take half a minute.
#[test]
fn f64_on_20_000_points_against_long_double() {
    println!("{}", c::run_well("long_double.c", c::Language::C99, c::Library::Shared));
}

/// One long pair, where every cell loses to the same side.
#[test]
fn f64_on_a_long_pair() {
    let (x, y) = (line(8000, 1.3), line(8000, 0.9));
    let k = kernels(&one(&x, 1), &one(&y, 1), &Options::default(), 2)[0];
    let error = relative(k, judge(&x, &y, None, 1, (0, 0)).0);
    assert!(error < 4e-11, "{error:e}");
}

// --------------------------------------------------------------------------------------------------------- signatures

/// Chen's identity in double-double.
fn exact(path: &[f64], dim: usize, degree: usize) -> Vec<f64> {
    let mut sum = reference::exponential(&vec![Dd::from(0.0); dim], degree);
    for z in reference::increments(&reference::widen(path), dim).chunks_exact(dim) {
        sum = reference::tensor_product(&sum, &reference::exponential(z, degree), dim, degree);
    }
    narrow(&sum)[1..].to_vec()
}

/// 10^5 points, relative to each level's largest coefficient: what the design promises. Added one by one, that many
/// increments would lose 10^5 half units in the worst case, 5e-12 in f64 and 3e-3 in f32.
fn long_signatures<S: Precision>(tolerance: f64) {
    let points = 100_000;
    for (dim, degree) in [(2, 4), (3, 3)] {
        let smooth: Vec<f64> = curve(points, 0.3).chunks(3).flat_map(|p| p[..dim].to_vec()).collect();
        for (what, path) in [
            ("smooth", round::<S>(&smooth)),
            ("walk", walks::<S>(1, points, dim, 93)),
        ] {
            let options = signature::Options {
                degree,
                scalar_term: false,
                direct: false,
                transform: Transform::default(),
            };
            let found = signatures(&one(&path, dim), &options, 2);
            let expected = exact(&widen(&path), dim, degree);
            for (k, level) in levels(dim, degree).into_iter().enumerate() {
                let what = format!("level {} of a {what} path in {dim} channels", k + 1);
                assert_close(&found[level.clone()], &expected[level], tolerance, &what);
            }
        }
    }
}

#[test]
fn long_signatures_in_f64() {
    long_signatures::<f64>(1e-13);
}

#[test]
fn long_signatures_in_f32() {
    long_signatures::<f32>(1e-5);
}

/// High degrees: values relative to each level's largest coefficient, and the gradient along the path itself. There it is
/// known without another sweep: level k of a path that is stretched by t is t^k times level k.
fn high_degrees<S: Precision>(tolerance: f64) {
    let smooth: Vec<f64> = curve(1000, 0.3).chunks(3).flat_map(|p| p[..2].to_vec()).collect();
    let leaps: Vec<f64> = leaps(50, 2, 95).iter().map(|v| 5.0 * v).collect();
    for (what, path, dim, degree) in [
        ("a walk", walks::<S>(1, 100, 2, 94), 2, 12),
        ("a smooth path", round::<S>(&smooth), 2, 12),
        ("steps of 10", round::<S>(&leaps), 2, 12),
        ("six channels", walks::<S>(1, 200, 6, 96), 6, 5),
    ] {
        let options = signature::Options {
            degree,
            scalar_term: false,
            direct: false,
            transform: Transform::default(),
        };
        let (batch, expected) = (one(&path, dim), exact(&widen(&path), dim, degree));
        let found = signatures(&batch, &options, 2);
        let mut weights = numbers::<S>(expected.len(), 99);
        let (mut slope, mut terms) = (0.0, 0.0);
        for (k, level) in levels(dim, degree).into_iter().enumerate() {
            let of_level = &expected[level.clone()];
            let name = format!("level {} of {what}", k + 1);
            assert_close(&found[level.clone()], of_level, tolerance, &name);
            // Every level counts alike.
            let largest = of_level.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
            for (weight, value) in weights[level].iter_mut().zip(of_level) {
                *weight = S::from_f64(weight.to_f64() / largest);
                let term = (k + 1) as f64 * weight.to_f64() * value;
                (slope, terms) = (slope + term, terms + term.abs());
            }
        }
        let gradient = signature_gradients(&weights, &batch, &options, 2);
        let along: f64 = gradient.iter().zip(&path).map(|(g, v)| g.to_f64() * v.to_f64()).sum();
        let error = (along - slope).abs() / terms;
        assert!(error < tolerance, "gradient of {what}: {error:e}");
    }
}

#[test]
fn high_degrees_in_f64() {
    high_degrees::<f64>(1e-13);
}

#[test]
fn high_degrees_in_f32() {
    high_degrees::<f32>(1e-5);
}
