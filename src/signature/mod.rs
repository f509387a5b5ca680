//! Truncated signatures and their gradients.

use crate::error::{Result, argument_error};
use crate::parallel::Run;
use crate::path::{Batch, Gradient, Transform};
use crate::simd::Real;

/// What is asked of a signature.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub degree: usize,
    /// Whether level 0, the number 1, comes first.
    pub scalar_term: bool,
    pub transform: Transform,
}

impl Options {
    /// Coefficients of the signature of a path of `dim` channels: Σ D^k for D channels after the transforms.
    pub fn length(&self, dim: usize) -> Result<usize> {
        let _ = dim;
        argument_error!("not yet")
    }
}

/// Signatures of a batch: `out` is (batch, length), C order.
pub fn signature<S: Real>(paths: &Batch<'_, S>, options: &Options, out: &mut [S], run: &mut Run<'_>) -> Result<()> {
    let _ = (paths, options, out, run);
    argument_error!("not yet")
}

/// Gradients with respect to the paths, given `grad` = ∂F/∂signature, (batch, length).
pub fn signature_backprop<S: Real>(
    grad: &[S],
    paths: &Batch<'_, S>,
    options: &Options,
    gradient: Gradient<'_, S>,
    run: &mut Run<'_>,
) -> Result<()> {
    let _ = (grad, paths, options, gradient, run);
    argument_error!("not yet")
}
