//! The doors to the algorithms, compiled once for each precision: a generic function is compiled anew in every crate
//! that calls it, and these take long.

use super::levels::Levels;
use super::{Options, gradients, products};
use crate::error::Result;
use crate::parallel::Run;
use crate::path::{Batch, Gradient};
use crate::simd::Real;

/// A precision that signatures are compiled for: `f32` and `f64`.
pub trait Compiled: Real {
    #[doc(hidden)]
    fn signatures(
        paths: &Batch<'_, Self>,
        options: &Options,
        levels: &Levels,
        out: &mut [Self],
        run: &mut Run<'_>,
    ) -> Result<()>;

    #[doc(hidden)]
    fn gradients(
        grad: &[Self],
        paths: &Batch<'_, Self>,
        options: &Options,
        levels: &Levels,
        gradient: Gradient<'_, Self>,
        run: &mut Run<'_>,
    ) -> Result<()>;
}

macro_rules! compiled {
    ($precision:ty) => {
        impl Compiled for $precision {
            fn signatures(
                paths: &Batch<'_, Self>,
                options: &Options,
                levels: &Levels,
                out: &mut [Self],
                run: &mut Run<'_>,
            ) -> Result<()> {
                products::signatures(paths, options, levels, out, run)
            }

            fn gradients(
                grad: &[Self],
                paths: &Batch<'_, Self>,
                options: &Options,
                levels: &Levels,
                gradient: Gradient<'_, Self>,
                run: &mut Run<'_>,
            ) -> Result<()> {
                gradients::gradients(grad, paths, options, levels, gradient, run)
            }
        }
    };
}

compiled!(f32);
compiled!(f64);
