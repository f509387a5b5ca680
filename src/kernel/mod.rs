//! Signature kernels, their grids and gradients, of pairs and of all pairs.
//!
//! | module | its idea |
//! |---|---|
//! | `scheme` | the Goursat recurrence: one cell, and one cell of its adjoint |
//! | `panels` | increments of several paths, one path a lane |
//! | `tile` | the products of a few increments, and what becomes of them: `direct`, `refined` or `alike` cells |
//! | `wave` | a few rows of cells, along their anti-diagonals, forward and back |
//! | `block`, `shares` | a block of tiles forward and back, and what it adds to the gradient |
//! | `pairs` | a group of pairs, one a lane, swept strip after strip |
//! | `groups`, `choice` | which pairs go together, and with which scheme and tile |
//! | `relay`, `relay_back` | one long pair, a run of strips a lane |
//! | `pairwise`, `grid`, `gram`, `gram_back` | what the public functions share among threads |
//! | `compiled` | the doors to those, compiled in this crate |

mod alike;
mod alone;
mod bands;
mod block;
mod choice;
mod compiled;
mod course;
mod direct;
mod gram;
mod gram_back;
mod gram_pairs;
mod grid;
mod groups;
mod pairs;
mod pairs_back;
mod pairwise;
mod panels;
mod refined;
mod relay;
mod relay_back;
mod scheme;
mod shares;
mod sums;
mod tile;
mod wave;

use crate::error::{Result, argument_error};
use crate::parallel::Run;
use crate::path::{Batch, Gradient, LeadLag, Transform};
use crate::simd::Real;
pub use compiled::Compiled;
use pairwise::{Given, Pairs};

/// Dyadic orders go up to this.
pub const MAX_ORDER: u32 = 16;

/// What is asked of a kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Dyadic orders (λ1, λ2) of x and y.
    pub orders: (u32, u32),
    pub transform: Transform,
}

impl Options {
    fn check(&self) -> Result<()> {
        for (name, order) in [("x_order", self.orders.0), ("y_order", self.orders.1)] {
            if order > MAX_ORDER {
                argument_error!("{name} is {order}; expected at most {MAX_ORDER}");
            }
        }
        self.transform.check()
    }

    /// Nodes of the refined grid along x and y for paths of these points: (2^λ1 T_x + 1, 2^λ2 T_y + 1), T being the
    /// number of increments after the transforms.
    pub fn grid_shape(&self, x_points: usize, y_points: usize) -> Result<(usize, usize)> {
        self.check()?;
        let (rows, columns) = (
            self.nodes("x_length", x_points, self.orders.0)?,
            self.nodes("y_length", y_points, self.orders.1)?,
        );
        if rows
            .checked_mul(columns)
            .is_none_or(|nodes| nodes > isize::MAX as usize / 8)
        {
            argument_error!("the refined grid has {rows} × {columns} nodes: more than can be counted");
        }
        Ok((rows, columns))
    }

    fn nodes(&self, name: &str, points: usize, order: u32) -> Result<usize> {
        if points == 0 {
            argument_error!("{name} is 0; a path has at least one point");
        }
        let halves = if self.transform.lead_lag == LeadLag::Off { 1 } else { 2 };
        let nodes = (points - 1)
            .checked_mul(halves << order)
            .and_then(|cells| cells.checked_add(1));
        match nodes {
            Some(nodes) if nodes <= isize::MAX as usize / 64 => Ok(nodes),
            _ => argument_error!(
                "{name} is {points}: the refined grid of order {order} has more rows or columns than can be counted"
            ),
        }
    }
}

pub(crate) fn check_pairs<S: Real>(x: &Batch<'_, S>, y: &Batch<'_, S>, options: &Options) -> Result<()> {
    if x.dim() != y.dim() {
        argument_error!("x has {} channels and y has {}; expected the same", x.dim(), y.dim());
    }
    options.grid_shape(x.length(), y.length())?;
    Ok(())
}

pub(crate) fn check_batches<S: Real>(x: &Batch<'_, S>, y: &Batch<'_, S>) -> Result<()> {
    if x.batch() != y.batch() {
        argument_error!("x has {} paths and y has {}; expected pairs", x.batch(), y.batch());
    }
    Ok(())
}

/// That a buffer has the length that it must have; `None` is a length that overflows.
fn check_length(name: &str, length: usize, expected: Option<usize>) -> Result<()> {
    match expected {
        Some(expected) if expected == length => Ok(()),
        Some(expected) => argument_error!("{name}_len is {length}; expected {expected}"),
        None => argument_error!("{name}_len is {length}; expected more than can be counted"),
    }
}

/// Kernels of the pairs (x_b, y_b): `out` has one number a pair.
pub fn kernel<S: Compiled>(
    x: &Batch<'_, S>,
    y: &Batch<'_, S>,
    options: &Options,
    out: &mut [S],
    run: &mut Run<'_>,
) -> Result<()> {
    check_batches(x, y)?;
    check_pairs(x, y, options)?;
    check_length("out", out.len(), Some(x.batch()))?;
    S::kernels(&Pairs::new(x, y, options), out, run)
}

/// Gradients of Σ grad_b k(x_b, y_b); `None` is not wanted.
pub fn kernel_backprop<S: Compiled>(
    grad: &[S],
    x: &Batch<'_, S>,
    y: &Batch<'_, S>,
    options: &Options,
    x_gradient: Option<Gradient<'_, S>>,
    y_gradient: Option<Gradient<'_, S>>,
    run: &mut Run<'_>,
) -> Result<()> {
    check_batches(x, y)?;
    check_pairs(x, y, options)?;
    check_length("grad", grad.len(), Some(x.batch()))?;
    let pairs = Pairs::new(x, y, options);
    pairwise::gradients(
        Given::Kernels(grad),
        &pairs,
        split(x_gradient, x)?,
        split(y_gradient, y)?,
        run,
    )
}

/// The slices of a gradient, a path each.
fn split<'g, S: Real>(gradient: Option<Gradient<'g, S>>, of: &Batch<'_, S>) -> Result<Option<Vec<&'g mut [S]>>> {
    gradient.map(|gradient| gradient.split(of)).transpose()
}

/// Solution grids of the pairs: `out` is (batch, rows, columns) for the batch's full lengths; nodes beyond a ragged
/// pair's own corner are NaN.
pub fn kernel_grid<S: Compiled>(
    x: &Batch<'_, S>,
    y: &Batch<'_, S>,
    options: &Options,
    out: &mut [S],
    run: &mut Run<'_>,
) -> Result<()> {
    check_batches(x, y)?;
    check_pairs(x, y, options)?;
    let shape = options.grid_shape(x.length(), y.length())?;
    check_length("out", out.len(), (shape.0 * shape.1).checked_mul(x.batch()))?;
    S::grids(&Pairs::new(x, y, options), out, shape, run)
}

/// As [`kernel_backprop`], of Σ grad · grid: `grad` is shaped like the grids; what it holds on the axes, where k is 1,
/// and beyond a pair's own corner is not read.
pub fn kernel_grid_backprop<S: Compiled>(
    grad: &[S],
    x: &Batch<'_, S>,
    y: &Batch<'_, S>,
    options: &Options,
    x_gradient: Option<Gradient<'_, S>>,
    y_gradient: Option<Gradient<'_, S>>,
    run: &mut Run<'_>,
) -> Result<()> {
    check_batches(x, y)?;
    check_pairs(x, y, options)?;
    let shape = options.grid_shape(x.length(), y.length())?;
    check_length("grad", grad.len(), (shape.0 * shape.1).checked_mul(x.batch()))?;
    let pairs = Pairs::new(x, y, options);
    pairwise::gradients(
        Given::Grids(grad, shape),
        &pairs,
        split(x_gradient, x)?,
        split(y_gradient, y)?,
        run,
    )
}

/// Kernels of all pairs: `out` is (x batch, y batch). Without `y`: of x with itself, symmetric to the last bit, for
/// equal orders.
pub fn gram<S: Compiled>(
    x: &Batch<'_, S>,
    y: Option<&Batch<'_, S>>,
    options: &Options,
    out: &mut [S],
    run: &mut Run<'_>,
) -> Result<()> {
    let pairs = gram_pairs(x, y, options)?;
    check_length("out", out.len(), pairs.x.batch().checked_mul(pairs.y.batch()))?;
    S::gram(&pairs, y.is_none(), out, run)
}

/// Gradients of Σ grad_ij k(x_i, y_j). Without `y`, `x_gradient` is the total derivative and `y_gradient` is `None`.
pub fn gram_backprop<S: Compiled>(
    grad: &[S],
    x: &Batch<'_, S>,
    y: Option<&Batch<'_, S>>,
    options: &Options,
    x_gradient: Option<Gradient<'_, S>>,
    y_gradient: Option<Gradient<'_, S>>,
    run: &mut Run<'_>,
) -> Result<()> {
    let pairs = gram_pairs(x, y, options)?;
    check_length("grad", grad.len(), pairs.x.batch().checked_mul(pairs.y.batch()))?;
    if y.is_none() && y_gradient.is_some() {
        argument_error!("y_grad is given; a symmetric Gram matrix has the gradient of x alone");
    }
    let (to_x, to_y) = (split(x_gradient, &pairs.x)?, split(y_gradient, &pairs.y)?);
    S::gram_gradients(grad, &pairs, y.is_none(), to_x, to_y, run)
}

/// That a Gram matrix of a batch with itself is symmetric.
pub(crate) fn check_symmetric(options: &Options) -> Result<()> {
    if options.orders.0 != options.orders.1 {
        argument_error!(
            "x_order is {} and y_order is {}; a symmetric Gram matrix needs equal orders",
            options.orders.0,
            options.orders.1
        );
    }
    Ok(())
}

fn gram_pairs<'a, S: Real>(x: &Batch<'a, S>, y: Option<&Batch<'a, S>>, options: &Options) -> Result<Pairs<'a, S>> {
    if y.is_none() {
        check_symmetric(options)?;
    }
    let y = y.unwrap_or(x);
    check_pairs(x, y, options)?;
    Ok(Pairs::new(x, y, options))
}
