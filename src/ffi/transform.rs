//! Path transforms as functions of their own, and their adjoints.

use super::buffers::{Call, PATH, Paths, product};
use super::guard::guard;
use super::options::{GOURSAT_LAG_FIRST, GOURSAT_LEAD_LAG, GOURSAT_TIME_AUG, Options, Uses};
use super::status::Checked;
use crate::Precision;
use crate::cuda;
use crate::path;

#[derive(Clone, Copy)]
enum Which {
    TimeAugment,
    LeadLag,
}

impl Which {
    fn uses(self) -> Uses {
        Uses {
            flags: match self {
                Which::TimeAugment => GOURSAT_TIME_AUG,
                Which::LeadLag => GOURSAT_LEAD_LAG | GOURSAT_LAG_FIRST,
            },
            orders: false,
            lead_lag: matches!(self, Which::LeadLag),
        }
    }

    fn cuda(self, lag_first: bool, end_time: f64) -> cuda::Which {
        match self {
            Which::TimeAugment => cuda::Which::TimeAugment(end_time),
            Which::LeadLag => cuda::Which::LeadLag(lag_first),
        }
    }

    /// Numbers in the transforms of a batch that has been counted itself: twice its points or channels do not overflow.
    fn count<S>(self, batch: usize, length: usize, dim: usize) -> Checked<usize> {
        let [points, channels] = match self {
            Which::TimeAugment => [length, dim + 1],
            Which::LeadLag => [2 * length - 1, 2 * dim],
        };
        product::<S>(
            "the transform",
            &[("batch", batch), ("points", points), ("channels", channels)],
        )
    }
}

unsafe fn forward<S: Precision>(
    function: &'static str,
    which: Which,
    path: Paths<S>,
    (out, out_len): (*mut S, usize),
    options: *const Options,
) -> i32 {
    guard(function, || {
        // SAFETY: the caller keeps the contract of the header, here and below.
        let mut call = unsafe { Call::new(options, which.uses()) }?;
        let paths = unsafe { call.paths(path) }?;
        let count = which.count::<S>(paths.batch(), paths.length(), paths.dim())?;
        let out = call.out(out, out_len, count)?;
        let (lag_first, end_time) = (call.options.has(GOURSAT_LAG_FIRST), call.options.end_time());
        call.run(
            |run| {
                let (paths, out) = unsafe { (paths.host(), out.host()) };
                match which {
                    Which::TimeAugment => path::time_augment_batch(&paths, end_time, out, run),
                    Which::LeadLag => path::lead_lag_batch(&paths, lag_first, out, run),
                }
            },
            |on| unsafe { cuda::transform(&paths.device(), which.cuda(lag_first, end_time), out.device(), on) },
        )
    })
}

unsafe fn backward<S: Precision>(
    function: &'static str,
    which: Which,
    (grad, grad_len): (*const S, usize),
    shape: [usize; 3],
    (path_grad, path_grad_len): (*mut S, usize),
    options: *const Options,
) -> i32 {
    guard(function, || {
        // SAFETY: the caller keeps the contract of the header, here and below.
        let mut call = unsafe { Call::new(options, which.uses()) }?;
        let paths = unsafe { call.shape::<S>(PATH, shape) }?;
        let count = which.count::<S>(paths.batch(), paths.length(), paths.dim())?;
        let grad = call.grad(grad, grad_len, count)?;
        let names = ["path_grad", "path_grad_len"];
        let gradient = call.gradient(names, path_grad, path_grad_len, &paths)?;
        let (lag_first, end_time) = (call.options.has(GOURSAT_LAG_FIRST), call.options.end_time());
        call.run(
            |run| {
                let (grad, gradient) = unsafe { (grad.host(), gradient.gradient()) };
                match which {
                    Which::TimeAugment => path::time_augment_batch_adjoint(grad, &paths, gradient, run),
                    Which::LeadLag => path::lead_lag_batch_adjoint(grad, &paths, lag_first, gradient, run),
                }
            },
            |on| {
                let shape = cuda::Paths::checked(paths, cuda::Numbers::new("path", 0, 0));
                let which = which.cuda(lag_first, end_time);
                unsafe { cuda::transform_backprop(grad.device(), &shape, which, gradient.device(), on) }
            },
        )
    })
}

/// Paths with time as their last channel: (x_i, i * end_time / (points - 1)); time runs over a ragged path's own points.
///
/// @param path     (batch, length, dim), or as the x_ options say.
/// @param batch    Paths; may be 0.
/// @param length   Points of each path, or the most with `x_lengths`; 1 or more.
/// @param dim      Channels; 1 or more.
/// @param out      (batch, length, dim + 1); zero beyond a ragged path's end.
/// @param out_len  batch * length * (dim + 1).
/// @param options  NULL for the defaults; `end_time` matters; flags: TIME_AUG, which is implied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_time_augment_f64(
    path: *const f64,
    batch: usize,
    length: usize,
    dim: usize,
    out: *mut f64,
    out_len: usize,
    options: *const Options,
) -> i32 {
    let path = PATH.of(path, [batch, length, dim]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        forward(
            "goursat_time_augment_f64",
            Which::TimeAugment,
            path,
            (out, out_len),
            options,
        )
    }
}

/// As goursat_time_augment_f64, in single precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_time_augment_f32(
    path: *const f32,
    batch: usize,
    length: usize,
    dim: usize,
    out: *mut f32,
    out_len: usize,
    options: *const Options,
) -> i32 {
    let path = PATH.of(path, [batch, length, dim]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        forward(
            "goursat_time_augment_f32",
            Which::TimeAugment,
            path,
            (out, out_len),
            options,
        )
    }
}

/// The adjoint of goursat_time_augment: gradients with respect to the paths, from those with respect to the result.
///
/// @param grad           (batch, length, dim + 1); what lies beyond a ragged path's end is not read.
/// @param grad_len       batch * length * (dim + 1).
/// @param batch, length, dim  As in goursat_time_augment.
/// @param path_grad      (batch, length, dim), contiguous and zero beyond each path's end; with `x_starts`, path b's
///                       begins at x_starts[b] and what lies between paths is left alone.
/// @param path_grad_len  batch * length * dim; with `x_starts`, the end of the last path or more.
/// @param options        As in goursat_time_augment; `x_strides` and `x_size` are ignored, no path is read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_time_augment_backprop_f64(
    grad: *const f64,
    grad_len: usize,
    batch: usize,
    length: usize,
    dim: usize,
    path_grad: *mut f64,
    path_grad_len: usize,
    options: *const Options,
) -> i32 {
    let (grad, path_grad, shape) = ((grad, grad_len), (path_grad, path_grad_len), [batch, length, dim]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        backward(
            "goursat_time_augment_backprop_f64",
            Which::TimeAugment,
            grad,
            shape,
            path_grad,
            options,
        )
    }
}

/// As goursat_time_augment_backprop_f64, in single precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_time_augment_backprop_f32(
    grad: *const f32,
    grad_len: usize,
    batch: usize,
    length: usize,
    dim: usize,
    path_grad: *mut f32,
    path_grad_len: usize,
    options: *const Options,
) -> i32 {
    let (grad, path_grad, shape) = ((grad, grad_len), (path_grad, path_grad_len), [batch, length, dim]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        backward(
            "goursat_time_augment_backprop_f32",
            Which::TimeAugment,
            grad,
            shape,
            path_grad,
            options,
        )
    }
}

/// Lead-lag paths: point 2k is (x_k, x_k), point 2k+1 is (x_{k+1}, x_k), as (lead, lag), or (lag, lead) with
/// GOURSAT_LAG_FIRST (Flint, Hambly & Lyons 2016). Level 2 of their signature holds the realised covariance.
///
/// @param path     (batch, length, dim), or as the x_ options say.
/// @param batch    Paths; may be 0.
/// @param length   Points of each path, or the most with `x_lengths`; 1 or more.
/// @param dim      Channels; 1 or more.
/// @param out      (batch, 2 * length - 1, 2 * dim); zero beyond a ragged path's end.
/// @param out_len  batch * (2 * length - 1) * 2 * dim.
/// @param options  NULL for the defaults; flags: LEAD_LAG, which is implied, LAG_FIRST.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_lead_lag_f64(
    path: *const f64,
    batch: usize,
    length: usize,
    dim: usize,
    out: *mut f64,
    out_len: usize,
    options: *const Options,
) -> i32 {
    let path = PATH.of(path, [batch, length, dim]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe { forward("goursat_lead_lag_f64", Which::LeadLag, path, (out, out_len), options) }
}

/// As goursat_lead_lag_f64, in single precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_lead_lag_f32(
    path: *const f32,
    batch: usize,
    length: usize,
    dim: usize,
    out: *mut f32,
    out_len: usize,
    options: *const Options,
) -> i32 {
    let path = PATH.of(path, [batch, length, dim]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe { forward("goursat_lead_lag_f32", Which::LeadLag, path, (out, out_len), options) }
}

/// The adjoint of goursat_lead_lag: gradients with respect to the paths, from those with respect to the result.
///
/// @param grad       (batch, 2 * length - 1, 2 * dim); what lies beyond a ragged path's end is not read.
/// @param grad_len   batch * (2 * length - 1) * 2 * dim.
/// @param batch, length, dim  As in goursat_lead_lag.
/// @param path_grad, path_grad_len  As in goursat_time_augment_backprop.
/// @param options    As in goursat_lead_lag; `x_strides` and `x_size` are ignored, no path is read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_lead_lag_backprop_f64(
    grad: *const f64,
    grad_len: usize,
    batch: usize,
    length: usize,
    dim: usize,
    path_grad: *mut f64,
    path_grad_len: usize,
    options: *const Options,
) -> i32 {
    let (grad, path_grad, shape) = ((grad, grad_len), (path_grad, path_grad_len), [batch, length, dim]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        backward(
            "goursat_lead_lag_backprop_f64",
            Which::LeadLag,
            grad,
            shape,
            path_grad,
            options,
        )
    }
}

/// As goursat_lead_lag_backprop_f64, in single precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_lead_lag_backprop_f32(
    grad: *const f32,
    grad_len: usize,
    batch: usize,
    length: usize,
    dim: usize,
    path_grad: *mut f32,
    path_grad_len: usize,
    options: *const Options,
) -> i32 {
    let (grad, path_grad, shape) = ((grad, grad_len), (path_grad, path_grad_len), [batch, length, dim]);
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        backward(
            "goursat_lead_lag_backprop_f32",
            Which::LeadLag,
            grad,
            shape,
            path_grad,
            options,
        )
    }
}
