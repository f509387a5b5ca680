//! The checks at the heart of the other tests, at every SIMD level of the machine. The level is that of a process, so
//! each has one of its own, and says which level ran.

mod common;
#[path = "support/runner.rs"]
mod runner;

use common::*;
use goursat::Precision;
use goursat::kernel::Options;
use goursat::path::{Batch, LeadLag, Transform};
use goursat::simd::Level;
use goursat::{reference, signature, simd};

const ASKED: &str = "GOURSAT_SIMD";
const CHILD: &str = "GOURSAT_TEST_LEVEL_EXPECTED";

/// Runs `at_the_level_of_this_process` in a process that asks for a level; `None` asks for nothing.
fn ask(level: Option<&str>, expected: Level) {
    let mut child = runner::command(std::env::current_exe().unwrap());
    child.args(["--exact", "at_the_level_of_this_process", "--test-threads=1"]);
    match level {
        Some(name) => child.env(ASKED, name),
        None => child.env_remove(ASKED),
    };
    let output = child
        .env(CHILD, expected.name())
        .env("GOURSAT_TEST_LEVEL", expected.name())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{level:?} asked: {told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The variable lowers the level and never raises it: what the machine lacks is not run, and no other word is known.
#[test]
fn every_level() {
    for (name, level) in [
        ("portable", Level::Portable),
        ("avx2", Level::Avx2),
        ("avx512", Level::Avx512),
    ] {
        ask(Some(name), level.min(Level::best()));
    }
    ask(None, Level::best());
    ask(Some("avx1024"), Level::best());
}

/// Without a parent this is one more run of the best level, or of the one that the caller of the tests asked for.
#[test]
fn at_the_level_of_this_process() {
    let level = Level::current();
    assert!(level <= Level::best());
    assert_eq!(
        (simd::lanes::<f64>(), simd::lanes::<f32>()),
        common::level::width(level),
        "vectors of the level"
    );
    if let Ok(expected) = std::env::var(CHILD) {
        assert_eq!(level.name(), expected);
    }
    pairs::<f64>();
    pairs::<f32>();
    signatures_of::<f64>();
    signatures_of::<f32>();
}

/// One of every tile, of every fold of orders, and of what is unfolded: as `kernel.rs` and `gram.rs` do at length.
fn options() -> [Options; 7] {
    let option = |orders, lead_lag, time| Options {
        orders,
        transform: Transform { time, lead_lag },
    };
    [
        option((0, 0), LeadLag::Off, None),
        option((0, 0), LeadLag::Off, Some(1.5)),
        option((0, 0), LeadLag::LeadFirst, None),
        option((0, 0), LeadLag::LagFirst, Some(1.5)),
        option((1, 2), LeadLag::Off, None),
        option((3, 1), LeadLag::Off, Some(1.5)),
        option((1, 3), LeadLag::LeadFirst, Some(1.5)),
    ]
}

fn pairs<S: Precision>() {
    for (batch, m, n, dim) in [(1, 2, 2, 1), (5, 13, 9, 3), (17, 8, 6, 2), (3, 34, 66, 5)] {
        let (xs, ys) = (walks::<S>(batch, m, dim, 101), walks::<S>(batch, n, dim, 102));
        let (x_lengths, y_lengths) = (lengths(batch, m), lengths(batch, n));
        let x = ragged(&xs, [batch, m, dim], Some(&x_lengths));
        let y = ragged(&ys, [batch, n, dim], Some(&y_lengths));
        for options in options() {
            let what = |name: &str| format!("{name} of {batch} pairs, ({m}, {n}, {dim}), {options:?}");
            let (transform, tolerance) = (oracle(&options.transform), tolerance::<S>());
            let apply = |of: &Batch<'_, S>| -> Vec<Vec<f64>> {
                copies(of).iter().map(|p| transform.apply(&widen(p), dim)).collect()
            };
            let (tx, ty, wide) = (apply(&x), apply(&y), transform.dim(dim));
            let grad = numbers::<S>(batch * batch, 103);
            let matrix = reference::gram(&tx, &ty, wide, options.orders);
            assert_close(
                &gram(&x, Some(&y), &options, 2),
                &matrix,
                tolerance,
                &what("Gram matrix"),
            );
            let diagonal: Vec<f64> = matrix.iter().step_by(batch + 1).copied().collect();
            assert_close(&kernels(&x, &y, &options, 2), &diagonal, tolerance, &what("kernels"));

            // Of kernels, the gradient is that of a diagonal matrix of weights.
            let pull =
                |grads: Vec<Vec<f64>>| -> Vec<f64> { grads.iter().flat_map(|g| transform.backprop(g, dim)).collect() };
            let mut weights = vec![S::ZERO; batch * batch];
            for b in 0..batch {
                weights[b * (batch + 1)] = grad[b];
            }
            let compare = |name: &str, found: (Vec<S>, Vec<S>), weights: &[S]| {
                let (gx, gy) = reference::gram_backprop(&widen(weights), &tx, &ty, wide, options.orders);
                assert_close(&pieces(&found.0, &x).concat(), &pull(gx), 3.0 * tolerance, &what(name));
                assert_close(&pieces(&found.1, &y).concat(), &pull(gy), 3.0 * tolerance, &what(name));
            };
            compare("gradients", gradients(&grad[..batch], &x, &y, &options, 2), &weights);
            if batch < 10 {
                compare(
                    "Gram gradients",
                    gram_gradients(&grad, &x, Some(&y), &options, 2),
                    &grad,
                );
            }

            // The same bits alone as together, and either way round.
            let ids: Vec<usize> = (0..batch).collect();
            let together = of_pairs(&x, &y, &ids, &options, 2);
            let (cx, cy) = (copies(&x), copies(&y));
            for b in 0..batch {
                let x = Batch::dense(&cx[b], 1, cx[b].len() / dim, dim).unwrap();
                let y = Batch::dense(&cy[b], 1, cy[b].len() / dim, dim).unwrap();
                assert!(
                    of_pairs(&x, &y, &[b], &options, 1)[0] == together[b],
                    "{}",
                    what("bits")
                );
            }
            let turned = Options {
                orders: (options.orders.1, options.orders.0),
                ..options
            };
            assert_eq!(
                bits(&kernels(&x, &y, &options, 1)),
                bits(&kernels(&y, &x, &turned, 1)),
                "{}",
                what("swapped")
            );
        }
    }
}

fn signatures_of<S: Precision>() {
    // Rounding of some tens of steps, relative to the largest coefficient of a level.
    let tolerance = if size_of::<S>() == 4 { 4e-6 } else { 2e-14 };
    for (batch, length, dim, degree) in [(1, 9, 2, 5), (9, 12, 3, 3), (17, 5, 1, 4), (3, 30, 5, 3), (2, 7, 9, 2)] {
        let (values, each) = (walks::<S>(batch, length, dim, 104), lengths(batch, length));
        let paths = ragged(&values, [batch, length, dim], Some(&each));
        for transform in transforms() {
            let options = signature::Options {
                degree,
                scalar_term: true,
                direct: false,
                transform,
            };
            let (apply, what) = (oracle(&transform), format!("({dim}, {degree}), {transform:?}"));
            let wide = apply.dim(dim);
            let size = options.length(dim).unwrap();
            let grad = numbers::<S>(batch * size, 105);
            let found = signatures(&paths, &options, 2);
            let gradients = pieces(&signature_gradients(&grad, &paths, &options, 2), &paths);
            for (b, path) in copies(&paths).iter().enumerate() {
                let path = apply.apply(&widen(path), dim);
                // In one channel the sum of all steps may be small: the oracle must not round it.
                let exact = reference::signature(&reference::widen(&path), wide, degree);
                let expected = reference::narrow(&exact);
                for level in levels(wide, degree) {
                    let found = &found[b * size + 1..][level.clone()];
                    assert_close(found, &expected[1..][level], tolerance, &what);
                }
                let weights = widen(&grad[b * size..][..size]);
                let expected = apply.backprop(&reference::signature_backprop(&weights, &path, wide, degree), dim);
                assert_close(&gradients[b], &expected, 4.0 * tolerance, &what);
            }
            let ids: Vec<usize> = (0..batch).collect();
            let together = of_paths(&paths, &ids, &options, 2);
            let last = copies(&paths)[batch - 1].clone();
            let alone = Batch::dense(&last, 1, last.len() / dim, dim).unwrap();
            assert!(
                of_paths(&alone, &[batch - 1], &options, 1)[0] == together[batch - 1],
                "bits, {what}"
            );
        }
    }
}
