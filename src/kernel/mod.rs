//! Signature kernels, their grids and gradients, of pairs and of all pairs.

use crate::error::{Result, argument_error};
use crate::parallel::Run;
use crate::path::{Batch, Gradient, Transform};
use crate::simd::Real;

/// What is asked of a kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Dyadic orders (λ1, λ2) of x and y.
    pub orders: (u32, u32),
    pub transform: Transform,
}

impl Options {
    /// Nodes of the refined grid along x and y for paths of these points: (2^λ1 T_x + 1, 2^λ2 T_y + 1).
    pub fn grid_shape(&self, x_points: usize, y_points: usize) -> Result<(usize, usize)> {
        let _ = (x_points, y_points);
        argument_error!("not yet")
    }
}

/// Kernels of the pairs (x_b, y_b): `out` has one number a pair.
pub fn kernel<S: Real>(
    x: &Batch<'_, S>,
    y: &Batch<'_, S>,
    options: &Options,
    out: &mut [S],
    run: &mut Run<'_>,
) -> Result<()> {
    let _ = (x, y, options, out, run);
    argument_error!("not yet")
}

/// Gradients of Σ grad_b k(x_b, y_b); `None` is not wanted.
pub fn kernel_backprop<S: Real>(
    grad: &[S],
    x: &Batch<'_, S>,
    y: &Batch<'_, S>,
    options: &Options,
    x_gradient: Option<Gradient<'_, S>>,
    y_gradient: Option<Gradient<'_, S>>,
    run: &mut Run<'_>,
) -> Result<()> {
    let _ = (grad, x, y, options, x_gradient, y_gradient, run);
    argument_error!("not yet")
}

/// Solution grids of the pairs: `out` is (batch, rows, columns) for the batch's full lengths; nodes beyond a ragged
/// pair's own corner are NaN.
pub fn kernel_grid<S: Real>(
    x: &Batch<'_, S>,
    y: &Batch<'_, S>,
    options: &Options,
    out: &mut [S],
    run: &mut Run<'_>,
) -> Result<()> {
    let _ = (x, y, options, out, run);
    argument_error!("not yet")
}

/// As [`kernel_backprop`], of Σ grad · grid: `grad` is shaped like the grids; what it holds beyond a pair's own corner
/// is not read.
pub fn kernel_grid_backprop<S: Real>(
    grad: &[S],
    x: &Batch<'_, S>,
    y: &Batch<'_, S>,
    options: &Options,
    x_gradient: Option<Gradient<'_, S>>,
    y_gradient: Option<Gradient<'_, S>>,
    run: &mut Run<'_>,
) -> Result<()> {
    let _ = (grad, x, y, options, x_gradient, y_gradient, run);
    argument_error!("not yet")
}

/// Kernels of all pairs: `out` is (x batch, y batch). Without `y`: of x with itself, symmetric to the last bit, for
/// equal orders.
pub fn gram<S: Real>(
    x: &Batch<'_, S>,
    y: Option<&Batch<'_, S>>,
    options: &Options,
    out: &mut [S],
    run: &mut Run<'_>,
) -> Result<()> {
    let _ = (x, y, options, out, run);
    argument_error!("not yet")
}

/// Gradients of Σ grad_ij k(x_i, y_j). Without `y`, `x_gradient` is the total derivative and `y_gradient` is `None`.
pub fn gram_backprop<S: Real>(
    grad: &[S],
    x: &Batch<'_, S>,
    y: Option<&Batch<'_, S>>,
    options: &Options,
    x_gradient: Option<Gradient<'_, S>>,
    y_gradient: Option<Gradient<'_, S>>,
    run: &mut Run<'_>,
) -> Result<()> {
    let _ = (grad, x, y, options, x_gradient, y_gradient, run);
    argument_error!("not yet")
}
