//! Truncated signatures and their gradients.

mod backward;
mod base;
mod base_adjoint;
mod chain;
mod chen;
mod forward;
mod gradients;
mod lanes;
mod letters;
mod levels;
mod line;
mod pieces;
mod products;
mod shape;
mod stages;
mod tile;
mod tile_adjoint;
mod top;
mod top_adjoint;
mod walk;

use crate::error::{Result, argument_error, length_error};
use crate::parallel::Run;
use crate::path::{Batch, Gradient, Transform};
use crate::simd::Real;
use levels::Levels;

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
        Ok(self.levels(dim)?.total() + self.scalar_term as usize)
    }

    fn levels(&self, dim: usize) -> Result<Levels> {
        if self.degree == 0 {
            argument_error!("degree is 0; expected 1 or more");
        }
        let Some(letters) = self.transform.dim(dim).filter(|_| dim > 0) else {
            argument_error!("dim is {dim}; expected 1 to {}", usize::MAX / 2 - 1);
        };
        Levels::new(letters, self.degree)
    }

    /// Checks the length of an array of one signature a path; its name is for the error.
    fn check<S: Real>(&self, name: &str, length: usize, paths: &Batch<'_, S>) -> Result<()> {
        let each = self.length(paths.dim())?;
        match each.checked_mul(paths.batch()) {
            Some(expected) if expected == length => Ok(()),
            Some(expected) => length_error!(
                "{name}_len is {length}; expected {expected}: {} signatures of {each} coefficients",
                paths.batch()
            ),
            None => argument_error!("{name}: {} signatures of {each} coefficients overflow", paths.batch()),
        }
    }
}

/// Signatures of a batch: `out` is (batch, length), C order.
pub fn signature<S: Real>(paths: &Batch<'_, S>, options: &Options, out: &mut [S], run: &mut Run<'_>) -> Result<()> {
    options.check("out", out.len(), paths)?;
    products::signatures(paths, options, &options.levels(paths.dim())?, out, run)
}

/// Gradients with respect to the paths, given `grad` = ∂F/∂signature, (batch, length).
pub fn signature_backprop<S: Real>(
    grad: &[S],
    paths: &Batch<'_, S>,
    options: &Options,
    gradient: Gradient<'_, S>,
    run: &mut Run<'_>,
) -> Result<()> {
    options.check("grad", grad.len(), paths)?;
    gradients::gradients(grad, paths, options, &options.levels(paths.dim())?, gradient, run)
}
