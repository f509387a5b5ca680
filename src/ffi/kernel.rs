//! Signature kernels of pairs, their solution grids, and the gradients of both.

use super::buffers::{Call, Names, Paths, product};
use super::guard::guard;
use super::options::{GOURSAT_LAG_FIRST, GOURSAT_LEAD_LAG, GOURSAT_TIME_AUG, Options, Uses};
use super::status::{Checked, fail};
use crate::Precision;
use crate::cuda;
use crate::kernel;

const USES: Uses = Uses {
    flags: GOURSAT_TIME_AUG | GOURSAT_LEAD_LAG | GOURSAT_LAG_FIRST,
    orders: true,
    lead_lag: false,
};

const X: Names = Names {
    values: "x",
    batch: "batch",
    length: "x_length",
    second: false,
};
const Y: Names = Names {
    values: "y",
    length: "y_length",
    second: true,
    ..X
};

/// What the options ask of a kernel.
pub(super) fn asked(options: &Options) -> kernel::Options {
    kernel::Options {
        orders: (options.x_order, options.y_order),
        transform: options.transform(),
    }
}

/// What a function gives for a pair.
#[derive(Clone, Copy, PartialEq)]
enum Per {
    Corner,
    Grid,
}

impl Per {
    /// Numbers for `batch` pairs; the grid must be countable for its corner, too.
    fn count<S>(self, asked: &kernel::Options, batch: usize, [x, y]: [usize; 2]) -> Checked<usize> {
        let (rows, columns) = asked.grid_shape(x, y)?;
        match self {
            Per::Corner => Ok(batch),
            Per::Grid => product::<S>("the grid", &[("batch", batch), ("rows", rows), ("columns", columns)]),
        }
    }
}

/// Fails where a gradient was given nowhere to go.
pub(super) fn check_wanted(x_grad: bool, y_grad: bool, batch: usize) -> Checked<()> {
    if !x_grad && !y_grad && batch > 0 {
        fail!(
            GOURSAT_NULL_POINTER,
            "x_grad and y_grad are NULL; expected one of them at least"
        );
    }
    Ok(())
}

unsafe fn forward<S: Precision>(
    function: &'static str,
    per: Per,
    [x, y]: [Paths<S>; 2],
    (out, out_len): (*mut S, usize),
    options: *const Options,
) -> i32 {
    guard(function, || {
        // SAFETY: the caller keeps the contract of the header, here and below.
        let mut call = unsafe { Call::new(options, USES) }?;
        let x = unsafe { call.paths(x) }?;
        let y = unsafe { call.paths(y) }?;
        let asked = asked(&call.options);
        let count = per.count::<S>(&asked, x.batch(), [x.length(), y.length()])?;
        let out = call.out(out, out_len, count)?;
        call.run(
            |run| {
                let (x, y, out) = unsafe { (x.host(), y.host(), out.host()) };
                match per {
                    Per::Corner => kernel::kernel(&x, &y, &asked, out, run),
                    Per::Grid => kernel::kernel_grid(&x, &y, &asked, out, run),
                }
            },
            |on| {
                let (x, y, out) = (x.device(), y.device(), out.device());
                match per {
                    Per::Corner => unsafe { cuda::kernel(&x, &y, &asked, out, on) },
                    Per::Grid => unsafe { cuda::kernel_grid(&x, &y, &asked, out, on) },
                }
            },
        )
    })
}

unsafe fn backward<S: Precision>(
    function: &'static str,
    per: Per,
    (grad, grad_len): (*const S, usize),
    [x, y]: [Paths<S>; 2],
    [(x_grad, x_grad_len), (y_grad, y_grad_len)]: [(*mut S, usize); 2],
    options: *const Options,
) -> i32 {
    guard(function, || {
        // SAFETY: the caller keeps the contract of the header, here and below.
        let mut call = unsafe { Call::new(options, USES) }?;
        let x = unsafe { call.paths(x) }?;
        let y = unsafe { call.paths(y) }?;
        let asked = asked(&call.options);
        let count = per.count::<S>(&asked, x.batch(), [x.length(), y.length()])?;
        let grad = call.grad(grad, grad_len, count)?;
        let x_grad = call.wanted_gradient(["x_grad", "x_grad_len"], x_grad, x_grad_len, &x)?;
        let y_grad = call.wanted_gradient(["y_grad", "y_grad_len"], y_grad, y_grad_len, &y)?;
        check_wanted(x_grad.is_some(), y_grad.is_some(), x.batch())?;
        call.run(
            |run| {
                let (grad, x, y) = unsafe { (grad.host(), x.host(), y.host()) };
                let [x_grad, y_grad] = [x_grad, y_grad].map(|to| to.map(|to| unsafe { to.gradient() }));
                match per {
                    Per::Corner => kernel::kernel_backprop(grad, &x, &y, &asked, x_grad, y_grad, run),
                    Per::Grid => kernel::kernel_grid_backprop(grad, &x, &y, &asked, x_grad, y_grad, run),
                }
            },
            |on| {
                let (grad, x, y) = (grad.device(), x.device(), y.device());
                let grads = [x_grad, y_grad].map(|to| to.map(|to| to.device()));
                match per {
                    Per::Corner => unsafe { cuda::kernel_backprop(grad, &x, &y, &asked, grads, on) },
                    Per::Grid => unsafe { cuda::kernel_grid_backprop(grad, &x, &y, &asked, grads, on) },
                }
            },
        )
    })
}

/// Nodes of the refined solution grid along x and along y: (2^x_order * T_x + 1, 2^y_order * T_y + 1) for the T
/// increments of the transformed paths: length - 1, twice as many by lead-lag.
///
/// @param x_length  Points of x; 1 or more.
/// @param y_length  Points of y; 1 or more.
/// @param options   NULL for the defaults; GOURSAT_LEAD_LAG and the orders matter.
/// @param rows      Where the nodes along x go.
/// @param columns   Where the nodes along y go.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_grid_shape(
    x_length: usize,
    y_length: usize,
    options: *const Options,
    rows: *mut usize,
    columns: *mut usize,
) -> i32 {
    guard("goursat_grid_shape", || {
        // SAFETY: the caller keeps the contract of the header, here and below.
        let mut call = unsafe { Call::new(options, USES) }?;
        let rows = unsafe { call.number("rows", rows) }?;
        let columns = unsafe { call.number("columns", columns) }?;
        for (name, length) in [("x_length", x_length), ("y_length", y_length)] {
            if length == 0 {
                fail!(GOURSAT_INVALID_ARGUMENT, "{name} is 0; a path has at least one point");
            }
        }
        (*rows, *columns) = asked(&call.options).grid_shape(x_length, y_length)?;
        Ok(())
    })
}

/// Signature kernels of the pairs (x_b, y_b): k = <S(x_b), S(y_b)> over signatures of all degrees, as the solution of
/// the Goursat problem d2k/dsdt = <x'_s, y'_t> k on the dyadically refined grid (Salvi, Cass, Foster, Lyons & Yang 2021;
/// Day 1966). The scheme, for an increment D = <dx_i, dy_j> / 2^(x_order + y_order) of a cell, k = 1 on both axes:
///     k[i+1][j+1] = (k[i+1][j] + k[i][j+1]) * (1 + D/2 + D^2/12) - k[i][j] * (1 - D^2/12)
///
/// The kernel with a path of one point is 1. Working space does not grow with x_length * y_length.
///
/// @param x         (batch, x_length, dim), or as the x_ options say.
/// @param x_length  Points of each x, or the most with `x_lengths`; 1 or more.
/// @param y         (batch, y_length, dim), or as the y_ options say.
/// @param y_length  Points of each y, or the most with `y_lengths`; 1 or more.
/// @param batch     Pairs; may be 0.
/// @param dim       Channels of both; 1 or more.
/// @param out       (batch).
/// @param out_len   batch.
/// @param options   NULL for the defaults; flags: TIME_AUG, LEAD_LAG, LAG_FIRST.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sigkernel_f64(
    x: *const f64,
    x_length: usize,
    y: *const f64,
    y_length: usize,
    batch: usize,
    dim: usize,
    out: *mut f64,
    out_len: usize,
    options: *const Options,
) -> i32 {
    let pairs = [X.of(x, [batch, x_length, dim]), Y.of(y, [batch, y_length, dim])];
    // SAFETY: the caller keeps the contract of the header.
    unsafe { forward("goursat_sigkernel_f64", Per::Corner, pairs, (out, out_len), options) }
}

/// As goursat_sigkernel_f64, in single precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sigkernel_f32(
    x: *const f32,
    x_length: usize,
    y: *const f32,
    y_length: usize,
    batch: usize,
    dim: usize,
    out: *mut f32,
    out_len: usize,
    options: *const Options,
) -> i32 {
    let pairs = [X.of(x, [batch, x_length, dim]), Y.of(y, [batch, y_length, dim])];
    // SAFETY: the caller keeps the contract of the header.
    unsafe { forward("goursat_sigkernel_f32", Per::Corner, pairs, (out, out_len), options) }
}

/// Gradients of sum_b grad[b] * k(x_b, y_b) with respect to x, to y, or to both in one call: the exact derivative of the
/// discrete scheme (not the solution of a second equation), transforms included, without a grid in memory.
///
/// @param grad        Weights of the kernels: (batch).
/// @param grad_len    batch.
/// @param x, x_length, y, y_length, batch, dim  As in goursat_sigkernel.
/// @param x_grad      (batch, x_length, dim), contiguous and zero beyond each path's end; with `x_starts`, path b's begins
///                    at x_starts[b] and what lies between paths is left alone. NULL if not wanted, and then
///                    `x_grad_len` is 0.
/// @param x_grad_len  batch * x_length * dim; with `x_starts`, the end of the last path or more.
/// @param y_grad      As x_grad, for y. One of the two must be wanted.
/// @param y_grad_len  As x_grad_len, for y.
/// @param options     As in goursat_sigkernel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sigkernel_backprop_f64(
    grad: *const f64,
    grad_len: usize,
    x: *const f64,
    x_length: usize,
    y: *const f64,
    y_length: usize,
    batch: usize,
    dim: usize,
    x_grad: *mut f64,
    x_grad_len: usize,
    y_grad: *mut f64,
    y_grad_len: usize,
    options: *const Options,
) -> i32 {
    let pairs = [X.of(x, [batch, x_length, dim]), Y.of(y, [batch, y_length, dim])];
    let (grad, grads) = ((grad, grad_len), [(x_grad, x_grad_len), (y_grad, y_grad_len)]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        backward(
            "goursat_sigkernel_backprop_f64",
            Per::Corner,
            grad,
            pairs,
            grads,
            options,
        )
    }
}

/// As goursat_sigkernel_backprop_f64, in single precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sigkernel_backprop_f32(
    grad: *const f32,
    grad_len: usize,
    x: *const f32,
    x_length: usize,
    y: *const f32,
    y_length: usize,
    batch: usize,
    dim: usize,
    x_grad: *mut f32,
    x_grad_len: usize,
    y_grad: *mut f32,
    y_grad_len: usize,
    options: *const Options,
) -> i32 {
    let pairs = [X.of(x, [batch, x_length, dim]), Y.of(y, [batch, y_length, dim])];
    let (grad, grads) = ((grad, grad_len), [(x_grad, x_grad_len), (y_grad, y_grad_len)]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        backward(
            "goursat_sigkernel_backprop_f32",
            Per::Corner,
            grad,
            pairs,
            grads,
            options,
        )
    }
}

/// The whole solution grid of each pair: node (i, j) is the kernel of x up to node i of the refined path and y up to
/// node j; row 0 and column 0 are 1, the last node is what goursat_sigkernel gives.
///
/// @param x, x_length, y, y_length, batch, dim  As in goursat_sigkernel.
/// @param out      (batch, rows, columns) with rows and columns of goursat_grid_shape; NaN beyond the corner of a ragged
///                 pair.
/// @param out_len  batch * rows * columns.
/// @param options  As in goursat_sigkernel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sigkernel_grid_f64(
    x: *const f64,
    x_length: usize,
    y: *const f64,
    y_length: usize,
    batch: usize,
    dim: usize,
    out: *mut f64,
    out_len: usize,
    options: *const Options,
) -> i32 {
    let pairs = [X.of(x, [batch, x_length, dim]), Y.of(y, [batch, y_length, dim])];
    // SAFETY: the caller keeps the contract of the header.
    unsafe { forward("goursat_sigkernel_grid_f64", Per::Grid, pairs, (out, out_len), options) }
}

/// As goursat_sigkernel_grid_f64, in single precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sigkernel_grid_f32(
    x: *const f32,
    x_length: usize,
    y: *const f32,
    y_length: usize,
    batch: usize,
    dim: usize,
    out: *mut f32,
    out_len: usize,
    options: *const Options,
) -> i32 {
    let pairs = [X.of(x, [batch, x_length, dim]), Y.of(y, [batch, y_length, dim])];
    // SAFETY: the caller keeps the contract of the header.
    unsafe { forward("goursat_sigkernel_grid_f32", Per::Grid, pairs, (out, out_len), options) }
}

/// As goursat_sigkernel_backprop for a function of every node of the grids: gradients of sum grad * grid.
///
/// @param grad      (batch, rows, columns); what lies beyond the corner of a ragged pair is not read.
/// @param grad_len  batch * rows * columns.
/// @param x, x_length, y, y_length, batch, dim  As in goursat_sigkernel.
/// @param x_grad, x_grad_len, y_grad, y_grad_len, options  As in goursat_sigkernel_backprop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sigkernel_grid_backprop_f64(
    grad: *const f64,
    grad_len: usize,
    x: *const f64,
    x_length: usize,
    y: *const f64,
    y_length: usize,
    batch: usize,
    dim: usize,
    x_grad: *mut f64,
    x_grad_len: usize,
    y_grad: *mut f64,
    y_grad_len: usize,
    options: *const Options,
) -> i32 {
    let pairs = [X.of(x, [batch, x_length, dim]), Y.of(y, [batch, y_length, dim])];
    let (grad, grads) = ((grad, grad_len), [(x_grad, x_grad_len), (y_grad, y_grad_len)]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        backward(
            "goursat_sigkernel_grid_backprop_f64",
            Per::Grid,
            grad,
            pairs,
            grads,
            options,
        )
    }
}

/// As goursat_sigkernel_grid_backprop_f64, in single precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sigkernel_grid_backprop_f32(
    grad: *const f32,
    grad_len: usize,
    x: *const f32,
    x_length: usize,
    y: *const f32,
    y_length: usize,
    batch: usize,
    dim: usize,
    x_grad: *mut f32,
    x_grad_len: usize,
    y_grad: *mut f32,
    y_grad_len: usize,
    options: *const Options,
) -> i32 {
    let pairs = [X.of(x, [batch, x_length, dim]), Y.of(y, [batch, y_length, dim])];
    let (grad, grads) = ((grad, grad_len), [(x_grad, x_grad_len), (y_grad, y_grad_len)]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        backward(
            "goursat_sigkernel_grid_backprop_f32",
            Per::Grid,
            grad,
            pairs,
            grads,
            options,
        )
    }
}
