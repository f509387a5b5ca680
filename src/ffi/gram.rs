//! Gram matrices of signature kernels and their gradients.

use super::buffers::{Call, Located, Names, Paths, product};
use super::guard::guard;
use super::kernel::{asked, check_wanted};
use super::options::{GOURSAT_LAG_FIRST, GOURSAT_LEAD_LAG, GOURSAT_SYMMETRIC, GOURSAT_TIME_AUG, Options, Uses};
use super::status::{Checked, fail};
use crate::Precision;
use crate::cuda;
use crate::kernel;

const USES: Uses = Uses {
    flags: GOURSAT_TIME_AUG | GOURSAT_LEAD_LAG | GOURSAT_LAG_FIRST | GOURSAT_SYMMETRIC,
    orders: true,
    lead_lag: false,
};

const X: Names = Names {
    values: "x",
    batch: "x_batch",
    length: "x_length",
    second: false,
};
const Y: Names = Names {
    values: "y",
    batch: "y_batch",
    length: "y_length",
    second: true,
};

/// The batches of a Gram matrix; no y where it is that of x with itself.
struct Sides<'a, S> {
    x: Located<'a, S>,
    y: Option<Located<'a, S>>,
    asked: kernel::Options,
    /// Numbers in the matrix.
    count: usize,
}

/// # Safety
/// As [`Call::paths`].
unsafe fn sides<'a, S: Precision>(call: &mut Call, [x, y]: [Paths<S>; 2]) -> Checked<Sides<'a, S>> {
    // SAFETY: the caller's promise, here and below.
    let x = unsafe { call.paths(x) }?;
    let symmetric = call.options.has(GOURSAT_SYMMETRIC);
    let y = if symmetric {
        None
    } else {
        Some(unsafe { call.paths(y) }?)
    };
    let asked = asked(&call.options);
    let other: &Located<'_, S> = y.as_ref().unwrap_or(&x);
    asked.grid_shape(x.length(), other.length())?;
    let count = product::<S>("the Gram matrix", &[("x_batch", x.batch()), ("y_batch", other.batch())])?;
    Ok(Sides { x, y, asked, count })
}

unsafe fn forward<S: Precision>(
    function: &'static str,
    pair: [Paths<S>; 2],
    (out, out_len): (*mut S, usize),
    options: *const Options,
) -> i32 {
    guard(function, || {
        // SAFETY: the caller keeps the contract of the header, here and below.
        let mut call = unsafe { Call::new(options, USES) }?;
        let Sides { x, y, asked, count } = unsafe { sides(&mut call, pair) }?;
        let out = call.out(out, out_len, count)?;
        call.run(
            |run| {
                let (x, out) = unsafe { (x.host(), out.host()) };
                let y = y.as_ref().map(|y| unsafe { y.host() });
                kernel::gram(&x, y.as_ref(), &asked, out, run)
            },
            |on| {
                let y = y.as_ref().map(Located::device);
                unsafe { cuda::gram(&x.device(), y.as_ref(), &asked, out.device(), on) }
            },
        )
    })
}

unsafe fn backward<S: Precision>(
    function: &'static str,
    (grad, grad_len): (*const S, usize),
    pair: [Paths<S>; 2],
    [(x_grad, x_grad_len), (y_grad, y_grad_len)]: [(*mut S, usize); 2],
    options: *const Options,
) -> i32 {
    guard(function, || {
        // SAFETY: the caller keeps the contract of the header, here and below.
        let mut call = unsafe { Call::new(options, USES) }?;
        let Sides { x, y, asked, count } = unsafe { sides(&mut call, pair) }?;
        let grad = call.grad(grad, grad_len, count)?;
        let x_grad = call.wanted_gradient(["x_grad", "x_grad_len"], x_grad, x_grad_len, &x)?;
        let y_grad = match &y {
            Some(y) => call.wanted_gradient(["y_grad", "y_grad_len"], y_grad, y_grad_len, y)?,
            None if y_grad.is_null() && y_grad_len == 0 => None,
            None => fail!(
                GOURSAT_INVALID_ARGUMENT,
                "y_grad is given, or y_grad_len is not 0; with GOURSAT_SYMMETRIC x_grad is the total derivative"
            ),
        };
        // Where a batch is empty, so may be the gradient that is wanted: NULL, and nobody's fault.
        let work = y.as_ref().map_or(x.batch(), |y| x.batch().min(y.batch()));
        check_wanted(x_grad.is_some(), y_grad.is_some(), work)?;
        call.run(
            |run| {
                let (grad, x) = unsafe { (grad.host(), x.host()) };
                let y = y.as_ref().map(|y| unsafe { y.host() });
                let [x_grad, y_grad] = [x_grad, y_grad].map(|to| to.map(|to| unsafe { to.gradient() }));
                kernel::gram_backprop(grad, &x, y.as_ref(), &asked, x_grad, y_grad, run)
            },
            |on| {
                let y = y.as_ref().map(Located::device);
                let grads = [x_grad, y_grad].map(|to| to.map(|to| to.device()));
                unsafe { cuda::gram_backprop(grad.device(), &x.device(), y.as_ref(), &asked, grads, on) }
            },
        )
    })
}

/// Signature kernels of all pairs of two batches: out[i][j] = k(x_i, y_j), each with the bits that goursat_sigkernel
/// gives. With GOURSAT_SYMMETRIC, of x with itself at half the work: symmetric to the last bit, y and its options are
/// ignored, x_order and y_order must be equal.
///
/// @param x         (x_batch, x_length, dim), or as the x_ options say.
/// @param x_batch   Paths in x; may be 0.
/// @param x_length  Points of each x, or the most with `x_lengths`; 1 or more.
/// @param y         (y_batch, y_length, dim), or as the y_ options say.
/// @param y_batch   Paths in y; may be 0.
/// @param y_length  Points of each y, or the most with `y_lengths`; 1 or more.
/// @param dim       Channels of both; 1 or more.
/// @param out       (x_batch, y_batch); (x_batch, x_batch) with GOURSAT_SYMMETRIC.
/// @param out_len   Numbers in it.
/// @param options   NULL for the defaults; flags: TIME_AUG, LEAD_LAG, LAG_FIRST, SYMMETRIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sigkernel_gram_f64(
    x: *const f64,
    x_batch: usize,
    x_length: usize,
    y: *const f64,
    y_batch: usize,
    y_length: usize,
    dim: usize,
    out: *mut f64,
    out_len: usize,
    options: *const Options,
) -> i32 {
    let pair = [X.of(x, [x_batch, x_length, dim]), Y.of(y, [y_batch, y_length, dim])];
    // SAFETY: the caller keeps the contract of the header.
    unsafe { forward("goursat_sigkernel_gram_f64", pair, (out, out_len), options) }
}

/// As goursat_sigkernel_gram_f64, in single precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sigkernel_gram_f32(
    x: *const f32,
    x_batch: usize,
    x_length: usize,
    y: *const f32,
    y_batch: usize,
    y_length: usize,
    dim: usize,
    out: *mut f32,
    out_len: usize,
    options: *const Options,
) -> i32 {
    let pair = [X.of(x, [x_batch, x_length, dim]), Y.of(y, [y_batch, y_length, dim])];
    // SAFETY: the caller keeps the contract of the header.
    unsafe { forward("goursat_sigkernel_gram_f32", pair, (out, out_len), options) }
}

/// Gradients of sum_ij grad[i][j] * k(x_i, y_j) with respect to x, to y, or to both in one call. With GOURSAT_SYMMETRIC,
/// x_grad is the total derivative of sum_ij grad[i][j] * k(x_i, x_j) (`grad` itself need not be symmetric); y_grad is
/// NULL.
///
/// @param grad      Weights of the kernels, shaped like the result of goursat_sigkernel_gram.
/// @param grad_len  Numbers in it.
/// @param x, x_batch, x_length, y, y_batch, y_length, dim, options  As in goursat_sigkernel_gram.
/// @param x_grad, x_grad_len, y_grad, y_grad_len  As in goursat_sigkernel_backprop, for x_batch and y_batch paths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sigkernel_gram_backprop_f64(
    grad: *const f64,
    grad_len: usize,
    x: *const f64,
    x_batch: usize,
    x_length: usize,
    y: *const f64,
    y_batch: usize,
    y_length: usize,
    dim: usize,
    x_grad: *mut f64,
    x_grad_len: usize,
    y_grad: *mut f64,
    y_grad_len: usize,
    options: *const Options,
) -> i32 {
    let pair = [X.of(x, [x_batch, x_length, dim]), Y.of(y, [y_batch, y_length, dim])];
    let (grad, grads) = ((grad, grad_len), [(x_grad, x_grad_len), (y_grad, y_grad_len)]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe { backward("goursat_sigkernel_gram_backprop_f64", grad, pair, grads, options) }
}

/// As goursat_sigkernel_gram_backprop_f64, in single precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sigkernel_gram_backprop_f32(
    grad: *const f32,
    grad_len: usize,
    x: *const f32,
    x_batch: usize,
    x_length: usize,
    y: *const f32,
    y_batch: usize,
    y_length: usize,
    dim: usize,
    x_grad: *mut f32,
    x_grad_len: usize,
    y_grad: *mut f32,
    y_grad_len: usize,
    options: *const Options,
) -> i32 {
    let pair = [X.of(x, [x_batch, x_length, dim]), Y.of(y, [y_batch, y_length, dim])];
    let (grad, grads) = ((grad, grad_len), [(x_grad, x_grad_len), (y_grad, y_grad_len)]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe { backward("goursat_sigkernel_gram_backprop_f32", grad, pair, grads, options) }
}
