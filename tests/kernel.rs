//! Kernels, grids, Gram matrices and their gradients against the reference, at the SIMD level of the process.

mod common;

use common::*;
use goursat::Precision;
use goursat::kernel::{self, Options};
use goursat::parallel::Run;
use goursat::path::{Batch, Gradient, LeadLag, Transform};
use goursat::reference;
use goursat::simd::MAX_LANES;

/// The cases that every function is held to: (batch, x points, y points, dim), orders, transform.
fn cases() -> Vec<((usize, usize, usize, usize), Options)> {
    let shapes = [
        (1, 2, 2, 1),
        (5, 2, 9, 3),
        (9, 38, 101, 5),
        (17, 70, 30, 2),
        (3, 140, 33, 7),
        (2, 1, 5, 2),
        (2, 6, 1, 2),
        (3, 33, 65, 9),
        (33, 5, 6, 4),
    ];
    let mut cases = Vec::new();
    for shape in shapes {
        for orders in [(0, 0), (1, 0), (0, 2), (2, 2), (1, 3), (4, 1)] {
            for lead_lag in [LeadLag::Off, LeadLag::LeadFirst, LeadLag::LagFirst] {
                for time in [None, Some(1.5)] {
                    let cells = (shape.1 * shape.2) << (orders.0 + orders.1);
                    if cells <= 20000 || orders == (0, 0) || (lead_lag == LeadLag::Off && cells < 100_000) {
                        let transform = Transform { time, lead_lag };
                        cases.push((shape, Options { orders, transform }));
                    }
                }
            }
        }
    }
    cases
}

fn transform_of(options: &Options) -> reference::Transform {
    reference::Transform {
        lead_lag: match options.transform.lead_lag {
            LeadLag::Off => None,
            LeadLag::LeadFirst => Some(reference::LeadLag::LeadFirst),
            LeadLag::LagFirst => Some(reference::LeadLag::LagFirst),
        },
        end_time: options.transform.time,
    }
}

fn expected_grid(x: &[f64], y: &[f64], dim: usize, options: &Options) -> Vec<f64> {
    let t = transform_of(options);
    reference::kernel_grid(&t.apply(x, dim), &t.apply(y, dim), t.dim(dim), orders(options))
}

fn orders(options: &Options) -> (u32, u32) {
    options.orders
}

fn expected_gradients(grid_grad: &[f64], x: &[f64], y: &[f64], dim: usize, options: &Options) -> (Vec<f64>, Vec<f64>) {
    let t = transform_of(options);
    let (gx, gy) = reference::kernel_grid_backprop(
        grid_grad,
        &t.apply(x, dim),
        &t.apply(y, dim),
        t.dim(dim),
        orders(options),
    );
    (t.backprop(&gx, dim), t.backprop(&gy, dim))
}

struct Numbers {
    kernels: Vec<f64>,
    grids: Vec<f64>,
    gradients: (Vec<f64>, Vec<f64>),
    grid_gradients: (Vec<f64>, Vec<f64>),
}

fn pairs_against_reference<S: Precision>() {
    level::note();
    for ((batch, m, n, dim), options) in cases() {
        let what = format!("{batch} pairs of {m} and {n} points in {dim} channels, {options:?}");
        let (x, y) = (walks::<S>(batch, m, dim, 3), walks::<S>(batch, n, dim, 4));
        let shape = options.grid_shape(m, n).unwrap();
        let grad = numbers::<S>(batch, 5);
        let grid_grad = numbers::<S>(batch * shape.0 * shape.1, 6);
        let mut expected = Numbers {
            kernels: vec![],
            grids: vec![],
            gradients: (vec![], vec![]),
            grid_gradients: (vec![], vec![]),
        };
        for b in 0..batch {
            let (x, y) = (widen(&x[b * m * dim..][..m * dim]), widen(&y[b * n * dim..][..n * dim]));
            let grid = expected_grid(&x, &y, dim, &options);
            expected.kernels.push(*grid.last().unwrap());
            expected.grids.extend(grid);
            let mut corner = vec![0.0; shape.0 * shape.1];
            *corner.last_mut().unwrap() = grad[b].to_f64();
            let (gx, gy) = expected_gradients(&corner, &x, &y, dim, &options);
            expected.gradients.0.extend(gx);
            expected.gradients.1.extend(gy);
            let nodes = widen(&grid_grad[b * shape.0 * shape.1..][..shape.0 * shape.1]);
            let (gx, gy) = expected_gradients(&nodes, &x, &y, dim, &options);
            expected.grid_gradients.0.extend(gx);
            expected.grid_gradients.1.extend(gy);
        }
        let x_batch = Batch::dense(&x, batch, m, dim).unwrap();
        let y_batch = Batch::dense(&y, batch, n, dim).unwrap();
        let run = &mut Run::default();
        let tolerance = tolerance::<S>();

        let mut kernels = vec![S::ZERO; batch];
        kernel::kernel(&x_batch, &y_batch, &options, &mut kernels, run).unwrap();
        assert_close(&kernels, &expected.kernels, tolerance, &format!("kernels of {what}"));

        let mut grids = vec![S::ZERO; batch * shape.0 * shape.1];
        kernel::kernel_grid(&x_batch, &y_batch, &options, &mut grids, run).unwrap();
        assert_close(&grids, &expected.grids, tolerance, &format!("grids of {what}"));

        let mut gx = vec![S::NAN; batch * m * dim];
        let mut gy = vec![S::NAN; batch * n * dim];
        let to_x = Gradient::new("x_grad", &mut gx, &x_batch).unwrap();
        let to_y = Gradient::new("y_grad", &mut gy, &y_batch).unwrap();
        kernel::kernel_backprop(&grad, &x_batch, &y_batch, &options, Some(to_x), Some(to_y), run).unwrap();
        assert_close(
            &gx,
            &expected.gradients.0,
            3.0 * tolerance,
            &format!("x gradients of {what}"),
        );
        assert_close(
            &gy,
            &expected.gradients.1,
            3.0 * tolerance,
            &format!("y gradients of {what}"),
        );
        let mut alone = vec![S::NAN; batch * n * dim];
        let to_y = Gradient::new("y_grad", &mut alone, &y_batch).unwrap();
        kernel::kernel_backprop(&grad, &x_batch, &y_batch, &options, None, Some(to_y), run).unwrap();
        assert_eq!(alone, gy, "y gradients alone of {what}");

        let to_x = Gradient::new("x_grad", &mut gx, &x_batch).unwrap();
        let to_y = Gradient::new("y_grad", &mut gy, &y_batch).unwrap();
        kernel::kernel_grid_backprop(&grid_grad, &x_batch, &y_batch, &options, Some(to_x), Some(to_y), run).unwrap();
        assert_close(
            &gx,
            &expected.grid_gradients.0,
            3.0 * tolerance,
            &format!("x gradients of grids of {what}"),
        );
        assert_close(
            &gy,
            &expected.grid_gradients.1,
            3.0 * tolerance,
            &format!("y gradients of grids of {what}"),
        );
    }
}

#[test]
fn pairs_in_f64_against_the_reference() {
    pairs_against_reference::<f64>();
}

#[test]
fn pairs_in_f32_against_the_reference() {
    pairs_against_reference::<f32>();
}

/// Few long pairs are swept lanes over strips, many are swept lanes over pairs: the bits are the same.
fn few_and_many<S: Precision>() {
    for ((m, n, dim), options) in [
        ((300, 500, 3), Options::default()),
        ((513, 129, 2), Options::default()),
        ((2100, 260, 1), Options::default()),
        ((300, 301, 3), with(LeadLag::LeadFirst, Some(2.0), (0, 0))),
        ((300, 301, 2), with(LeadLag::Off, Some(2.0), (1, 2))),
        ((130, 331, 2), with(LeadLag::LagFirst, None, (2, 1))),
    ] {
        let batch = 17;
        let (x, y) = (walks::<S>(batch, m, dim, 3), walks::<S>(batch, n, dim, 4));
        let grad = numbers::<S>(batch, 5);
        let run = |from: usize, count: usize| {
            let x_batch = Batch::dense(&x[from * m * dim..], count, m, dim).unwrap();
            let y_batch = Batch::dense(&y[from * n * dim..], count, n, dim).unwrap();
            let mut kernels = vec![S::ZERO; count];
            let run = &mut Run::default();
            kernel::kernel(&x_batch, &y_batch, &options, &mut kernels, run).unwrap();
            let (mut gx, mut gy) = (vec![S::NAN; count * m * dim], vec![S::NAN; count * n * dim]);
            let to_x = Gradient::new("x_grad", &mut gx, &x_batch).unwrap();
            let to_y = Gradient::new("y_grad", &mut gy, &y_batch).unwrap();
            let grad = &grad[from..from + count];
            kernel::kernel_backprop(grad, &x_batch, &y_batch, &options, Some(to_x), Some(to_y), run).unwrap();
            (kernels, gx, gy)
        };
        let (kernels, gx, gy) = run(0, batch);
        for (from, count) in [(0, 1), (3, 2), (16, 1)] {
            let few = run(from, count);
            let what = format!("{count} of {batch} pairs of {m} and {n} points in {dim} channels, {options:?}");
            assert_eq!(few.0, kernels[from..from + count], "kernels of {what}");
            assert_eq!(few.1, gx[from * m * dim..][..count * m * dim], "x gradients of {what}");
            assert_eq!(few.2, gy[from * n * dim..][..count * n * dim], "y gradients of {what}");
        }
    }
}

fn with(lead_lag: LeadLag, time: Option<f64>, orders: (u32, u32)) -> Options {
    let transform = Transform { time, lead_lag };
    Options { orders, transform }
}

#[test]
fn few_pairs_have_the_bits_of_many_in_f64() {
    few_and_many::<f64>();
}

#[test]
fn few_pairs_have_the_bits_of_many_in_f32() {
    few_and_many::<f32>();
}

/// Batches and lengths around every boundary: lanes, tiles and blocks.
fn every_size<S: Precision>() {
    let run = &mut Run::default();
    let options = Options::default();
    let sizes = (0..=2 * MAX_LANES + 1).map(|batch| (batch, 5, 6));
    for (batch, m, n) in sizes.chain((1..=67).flat_map(|n| [(2, n, 34), (2, 9, n), (9, n, n)])) {
        let dim = 2;
        let what = format!("{batch} pairs of {m} and {n} points");
        let (x, y) = (walks::<S>(batch, m, dim, 3), walks::<S>(batch, n, dim, 4));
        let (x_batch, y_batch) = (
            Batch::dense(&x, batch, m, dim).unwrap(),
            Batch::dense(&y, batch, n, dim).unwrap(),
        );
        let grad = numbers::<S>(batch, 5);
        let mut kernels = vec![S::NAN; batch];
        kernel::kernel(&x_batch, &y_batch, &options, &mut kernels, run).unwrap();
        let (mut gx, mut gy) = (vec![S::NAN; batch * m * dim], vec![S::NAN; batch * n * dim]);
        let to_x = Gradient::new("x_grad", &mut gx, &x_batch).unwrap();
        let to_y = Gradient::new("y_grad", &mut gy, &y_batch).unwrap();
        kernel::kernel_backprop(&grad, &x_batch, &y_batch, &options, Some(to_x), Some(to_y), run).unwrap();
        for b in 0..batch {
            let (x, y) = (widen(&x[b * m * dim..][..m * dim]), widen(&y[b * n * dim..][..n * dim]));
            let k = reference::kernel(&x, &y, dim, (0, 0));
            // Relative to 1, where k begins, if it comes to less: what is lost on the way does not cancel.
            let error = (kernels[b].to_f64() - k).abs() / k.abs().max(1.0);
            assert!(error <= tolerance::<S>(), "{what}: off by {error:e}");
            let expected = reference::kernel_backprop(grad[b].to_f64(), &x, &y, dim, (0, 0));
            assert_close(
                &gx[b * m * dim..][..m * dim],
                &expected.0,
                3.0 * tolerance::<S>(),
                &what,
            );
            assert_close(
                &gy[b * n * dim..][..n * dim],
                &expected.1,
                3.0 * tolerance::<S>(),
                &what,
            );
        }
    }
}

#[test]
fn every_size_in_f64() {
    every_size::<f64>();
}

#[test]
fn every_size_in_f32() {
    every_size::<f32>();
}

/// However many threads are allowed, a call plans for those that there are.
#[test]
fn any_number_of_threads_may_be_allowed() {
    let x = walks::<f64>(1, 700, 2, 41);
    let x = Batch::dense(&x, 1, 700, 2).unwrap();
    let options = Options::default();
    let one = kernels(&x, &x, &options, 1);
    for threads in [1 << 32, usize::MAX] {
        assert_eq!(bits(&kernels(&x, &x, &options, threads)), bits(&one));
        assert!(gradients(&[1.0], &x, &x, &options, threads) == gradients(&[1.0], &x, &x, &options, 1));
    }
}
