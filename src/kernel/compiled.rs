//! The doors to the algorithms, compiled once for each precision: a generic function is compiled anew in every crate
//! that calls it, and these take long.

use super::pairwise::{Given, Pairs};
use super::{gram, gram_back, grid, pairwise};
use crate::error::Result;
use crate::parallel::Run;
use crate::simd::Real;

/// A precision that kernels are compiled for: `f32` and `f64`.
pub trait Compiled: Real {
    #[doc(hidden)]
    fn kernels(pairs: &Pairs<'_, Self>, out: &mut [Self], run: &mut Run<'_>) -> Result<()>;

    #[doc(hidden)]
    fn gradients(
        given: Given<'_, Self>,
        pairs: &Pairs<'_, Self>,
        to_x: Option<Vec<&mut [Self]>>,
        to_y: Option<Vec<&mut [Self]>>,
        run: &mut Run<'_>,
    ) -> Result<()>;

    #[doc(hidden)]
    fn grids(pairs: &Pairs<'_, Self>, out: &mut [Self], shape: (usize, usize), run: &mut Run<'_>) -> Result<()>;

    #[doc(hidden)]
    fn gram(pairs: &Pairs<'_, Self>, symmetric: bool, out: &mut [Self], run: &mut Run<'_>) -> Result<()>;

    #[doc(hidden)]
    fn gram_gradients(
        grad: &[Self],
        pairs: &Pairs<'_, Self>,
        symmetric: bool,
        to_x: Option<Vec<&mut [Self]>>,
        to_y: Option<Vec<&mut [Self]>>,
        run: &mut Run<'_>,
    ) -> Result<()>;
}

macro_rules! compiled {
    ($precision:ty) => {
        impl Compiled for $precision {
            fn kernels(pairs: &Pairs<'_, Self>, out: &mut [Self], run: &mut Run<'_>) -> Result<()> {
                pairwise::kernels(pairs, out, run)
            }

            fn gradients(
                given: Given<'_, Self>,
                pairs: &Pairs<'_, Self>,
                to_x: Option<Vec<&mut [Self]>>,
                to_y: Option<Vec<&mut [Self]>>,
                run: &mut Run<'_>,
            ) -> Result<()> {
                pairwise::gradients(given, pairs, to_x, to_y, run)
            }

            fn grids(
                pairs: &Pairs<'_, Self>,
                out: &mut [Self],
                shape: (usize, usize),
                run: &mut Run<'_>,
            ) -> Result<()> {
                grid::grids(pairs, out, shape, run)
            }

            fn gram(pairs: &Pairs<'_, Self>, symmetric: bool, out: &mut [Self], run: &mut Run<'_>) -> Result<()> {
                gram::matrix(pairs, symmetric, out, run)
            }

            fn gram_gradients(
                grad: &[Self],
                pairs: &Pairs<'_, Self>,
                symmetric: bool,
                to_x: Option<Vec<&mut [Self]>>,
                to_y: Option<Vec<&mut [Self]>>,
                run: &mut Run<'_>,
            ) -> Result<()> {
                gram_back::gradients(grad, pairs, symmetric, to_x, to_y, run)
            }
        }
    };
}

compiled!(f32);
compiled!(f64);
