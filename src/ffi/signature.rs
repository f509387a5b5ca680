//! Signatures and their gradients.

use super::buffers::{Call, PATH, Paths, product};
use super::guard::guard;
use super::options::{
    GOURSAT_DIRECT, GOURSAT_LAG_FIRST, GOURSAT_LEAD_LAG, GOURSAT_SCALAR_TERM, GOURSAT_TIME_AUG, Options, Uses,
};
use super::status::{Checked, fail};
use crate::Precision;
use crate::cuda;
use crate::signature;

const USES: Uses = Uses {
    flags: GOURSAT_TIME_AUG | GOURSAT_LEAD_LAG | GOURSAT_LAG_FIRST | GOURSAT_SCALAR_TERM | GOURSAT_DIRECT,
    orders: false,
    lead_lag: false,
};

/// What `degree` and the options ask of a signature.
fn asked(options: &Options, degree: usize) -> signature::Options {
    signature::Options {
        degree,
        scalar_term: options.has(GOURSAT_SCALAR_TERM),
        transform: options.transform(),
        direct: options.has(GOURSAT_DIRECT),
    }
}

/// Numbers in the signatures of a batch.
fn count<S>(batch: usize, length: usize) -> Checked<usize> {
    product::<S>("the signature", &[("batch", batch), ("coefficients", length)])
}

/// Coefficients in the truncated signature of a path: D + D^2 + ... + D^degree for the D channels that `dim` become
/// by the transforms (twice as many by lead-lag, one more by time), and one more with GOURSAT_SCALAR_TERM.
///
/// @param dim      Channels of the path; 1 or more.
/// @param degree   Levels; 1 or more.
/// @param options  NULL for the defaults; GOURSAT_TIME_AUG, GOURSAT_LEAD_LAG and GOURSAT_SCALAR_TERM matter.
/// @param length   Where the number goes.
/// @return GOURSAT_INVALID_ARGUMENT also where the number would not fit memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_signature_length(
    dim: usize,
    degree: usize,
    options: *const Options,
    length: *mut usize,
) -> i32 {
    guard("goursat_signature_length", || {
        // SAFETY: the caller keeps the contract of the header.
        let mut call = unsafe { Call::new(options, USES) }?;
        // SAFETY: as above.
        let length = unsafe { call.number("length", length) }?;
        if dim == 0 {
            fail!(GOURSAT_INVALID_ARGUMENT, "dim is 0; a path has at least one channel");
        }
        *length = asked(&call.options, degree).length(dim)?;
        Ok(())
    })
}

unsafe fn forward<S: Precision>(
    function: &'static str,
    path: Paths<S>,
    degree: usize,
    (out, out_len): (*mut S, usize),
    options: *const Options,
) -> i32 {
    guard(function, || {
        // SAFETY: the caller keeps the contract of the header, here and below.
        let mut call = unsafe { Call::new(options, USES) }?;
        let path = unsafe { call.paths(path) }?;
        let asked = asked(&call.options, degree);
        let count = count::<S>(path.batch(), asked.length(path.dim())?)?;
        let out = call.out(out, out_len, count)?;
        call.run(
            |run| {
                let (path, out) = unsafe { (path.host(), out.host()) };
                signature::signature(&path, &asked, out, run)
            },
            |on| unsafe { cuda::signature(&path.device(), &asked, out.device(), on) },
        )
    })
}

unsafe fn backward<S: Precision>(
    function: &'static str,
    (grad, grad_len): (*const S, usize),
    path: Paths<S>,
    degree: usize,
    (path_grad, path_grad_len): (*mut S, usize),
    options: *const Options,
) -> i32 {
    guard(function, || {
        // SAFETY: the caller keeps the contract of the header, here and below.
        let mut call = unsafe { Call::new(options, USES) }?;
        let path = unsafe { call.paths(path) }?;
        let asked = asked(&call.options, degree);
        let count = count::<S>(path.batch(), asked.length(path.dim())?)?;
        let grad = call.grad(grad, grad_len, count)?;
        let names = ["path_grad", "path_grad_len"];
        let gradient = call.gradient(names, path_grad, path_grad_len, &path)?;
        call.run(
            |run| {
                let (grad, path, gradient) = unsafe { (grad.host(), path.host(), gradient.gradient()) };
                signature::signature_backprop(grad, &path, &asked, gradient, run)
            },
            |on| unsafe { cuda::signature_backprop(grad.device(), &path.device(), &asked, gradient.device(), on) },
        )
    })
}

/// Truncated signatures of a batch of paths: the iterated integrals of all words of 1 to `degree` letters,
/// exp(dx_0) exp(dx_1) ... in the tensor algebra (Chen 1957; Reizenstein 2019; Kidger & Lyons 2020).
///
/// Levels follow each other; within level k, the coefficient of the word (i1, ..., ik) is at i1 * D^(k-1) + ... + ik,
/// for the D channels after the transforms. A path of one point has signature 0 (and level 0, where asked for, 1).
///
/// @param path     (batch, length, dim), or as the x_ options say.
/// @param batch    Paths; may be 0.
/// @param length   Points of each path, or the most with `x_lengths`; 1 or more.
/// @param dim      Channels; 1 or more.
/// @param degree   Levels; 1 or more.
/// @param out      (batch, S) with S of goursat_signature_length.
/// @param out_len  batch * S.
/// @param options  NULL for the defaults; flags: TIME_AUG, LEAD_LAG, LAG_FIRST, SCALAR_TERM, DIRECT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_signature_f64(
    path: *const f64,
    batch: usize,
    length: usize,
    dim: usize,
    degree: usize,
    out: *mut f64,
    out_len: usize,
    options: *const Options,
) -> i32 {
    let path = PATH.of(path, [batch, length, dim]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe { forward("goursat_signature_f64", path, degree, (out, out_len), options) }
}

/// As goursat_signature_f64, in single precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_signature_f32(
    path: *const f32,
    batch: usize,
    length: usize,
    dim: usize,
    degree: usize,
    out: *mut f32,
    out_len: usize,
    options: *const Options,
) -> i32 {
    let path = PATH.of(path, [batch, length, dim]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe { forward("goursat_signature_f32", path, degree, (out, out_len), options) }
}

/// Gradients with respect to the paths of a function F of their signatures, given F's gradient with respect to the
/// signatures: the exact derivative of goursat_signature, transforms included. Intermediate signatures are recomputed
/// from the path, never un-multiplied: nothing drifts on long paths.
///
/// @param grad           dF/d signature: (batch, S); with GOURSAT_SCALAR_TERM that of level 0 is there, and has no effect.
/// @param grad_len       batch * S.
/// @param path           (batch, length, dim), or as the x_ options say; the paths that the signatures are of.
/// @param batch, length, dim, degree  As in goursat_signature.
/// @param path_grad      dF/d path: (batch, length, dim), contiguous and zero beyond each path's end; with `x_starts`,
///                       path b's begins at x_starts[b] and what lies between paths is left alone.
/// @param path_grad_len  batch * length * dim; with `x_starts`, the end of the last path or more.
/// @param options        As in goursat_signature.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sig_backprop_f64(
    grad: *const f64,
    grad_len: usize,
    path: *const f64,
    batch: usize,
    length: usize,
    dim: usize,
    degree: usize,
    path_grad: *mut f64,
    path_grad_len: usize,
    options: *const Options,
) -> i32 {
    let (grad, path_grad) = ((grad, grad_len), (path_grad, path_grad_len));
    let path = PATH.of(path, [batch, length, dim]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe { backward("goursat_sig_backprop_f64", grad, path, degree, path_grad, options) }
}

/// As goursat_sig_backprop_f64, in single precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_sig_backprop_f32(
    grad: *const f32,
    grad_len: usize,
    path: *const f32,
    batch: usize,
    length: usize,
    dim: usize,
    degree: usize,
    path_grad: *mut f32,
    path_grad_len: usize,
    options: *const Options,
) -> i32 {
    let (grad, path_grad) = ((grad, grad_len), (path_grad, path_grad_len));
    let path = PATH.of(path, [batch, length, dim]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe { backward("goursat_sig_backprop_f32", grad, path, degree, path_grad, options) }
}
