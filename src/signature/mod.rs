//! Truncated signatures and their gradients.
//!
//! | file | what is in it |
//! |---|---|
//! | `levels`, `shape`, `walk` | where coefficients lie; a signature as tiles of suffixes; the order of the words of a tile |
//! | `moves`, `letters` | increments of a path, and as factors; 1/m! |
//! | `cover` | words and first letters in blocks that fit the registers |
//! | `tile`, `top`, `turns` and `tile_adjoint`, `top_adjoint`, `top_products` | all levels above a tile's base, the last two in registers |
//! | `base`, `base_adjoint` | the levels below the tiles |
//! | `lanes`, `points` | several paths, one a lane: coefficients, points and increments |
//! | `small`, `small_adjoint`, `backward_small`, `ahead` | the same unrolled, for few coefficients |
//! | `forward`, `backward`, `backward_suffixes` | the work of one thread on pieces of paths |
//! | `shuffle` | words of the last level that follow from others |
//! | `pieces`, `chen`, `chain` | where paths are cut in time; pieces joined by Chen's identity, and its adjoint |
//! | `peaks` | gradients of the last level without words that follow from others |
//! | `products`, `gradients`, `stages` | what the public functions share among threads, stage after stage |
//! | `line` | paths in one channel |
//! | `compiled` | the doors to the algorithms, compiled in this crate |

mod backward;
mod backward_small;
mod backward_suffixes;
mod base;
mod base_adjoint;
mod chain;
mod chen;
mod compiled;
mod cover;
mod few;
mod forward;
mod gradients;
mod lanes;
mod letters;
mod levels;
mod line;
mod moves;
mod peaks;
mod pieces;
mod points;
mod products;
mod shape;
mod shuffle;
mod small;
mod small_adjoint;
mod stages;
mod tile;
mod tile_adjoint;
mod top;
mod top_adjoint;
mod top_products;
mod turns;
mod walk;

use crate::error::{Result, argument_error, length_error};
use crate::parallel::Run;
use crate::path::{Batch, Gradient, Transform};
use crate::simd::Real;
pub use compiled::Compiled;
use levels::Levels;

/// What is asked of a signature.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub degree: usize,
    /// Whether level 0, the number 1, comes first.
    pub scalar_term: bool,
    pub transform: Transform,
    /// Every coefficient is computed along the path. Otherwise, in `f64` and where that is less work, some of the last
    /// level follow from others: errors are then up to 3e-14 of the level's largest coefficient instead of 1e-15.
    /// Likewise gradients, of large signatures. CUDA devices are always direct.
    pub direct: bool,
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
pub fn signature<S: Compiled>(paths: &Batch<'_, S>, options: &Options, out: &mut [S], run: &mut Run<'_>) -> Result<()> {
    options.check("out", out.len(), paths)?;
    S::signatures(paths, options, &options.levels(paths.dim())?, out, run)
}

/// Gradients with respect to the paths, given `grad` = ∂F/∂signature, (batch, length).
pub fn signature_backprop<S: Compiled>(
    grad: &[S],
    paths: &Batch<'_, S>,
    options: &Options,
    gradient: Gradient<'_, S>,
    run: &mut Run<'_>,
) -> Result<()> {
    options.check("grad", grad.len(), paths)?;
    S::gradients(grad, paths, options, &options.levels(paths.dim())?, gradient, run)
}
