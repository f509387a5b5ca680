//! Gradients of pieces of paths, one lane a piece, by the unrolled kernel.

use super::backward::Piece;
use super::lanes::Order;
use super::levels::Levels;
use super::points::{Points, scatter};
use super::small_adjoint::{SmallAdjoint, memory};
use crate::error::Result;
use crate::path::{Ahead, Transform};
use crate::simd::Lanes;

pub struct SmallPaths<V: Lanes> {
    levels: Levels,
    /// Of the paths, before the transform.
    dim: usize,
    transform: Transform,
    order: Order,
    points: Points<V>,
    state: Vec<V>,
    adjoint: Vec<V>,
    gradient: Vec<V>,
    history: Vec<V>,
    ahead: Ahead<V::Scalar>,
}

impl<V: Lanes> SmallPaths<V> {
    /// For pieces of at most `longest` steps.
    pub fn new(levels: &Levels, longest: usize, dim: usize, transform: Transform) -> Result<Self> {
        Ok(SmallPaths {
            levels: *levels,
            dim,
            transform,
            order: Order::by_endings(levels)?,
            points: Points::new(levels.dim, longest)?,
            state: V::scratch(levels.total())?,
            adjoint: V::scratch(levels.total())?,
            gradient: V::scratch((longest + 2) * levels.dim)?,
            history: V::scratch(longest * memory(levels.dim, levels.degree))?,
            ahead: Ahead::new(),
        })
    }

    /// `next` are those that come after.
    #[inline(always)]
    pub fn run(&mut self, pieces: &mut [Piece<'_, V::Scalar>], next: &[Piece<'_, V::Scalar>]) -> Result<()> {
        let levels = &self.levels;
        let steps = pieces.iter().map(|piece| piece.end - piece.begin).max().unwrap_or(0);
        let (below, total) = (levels.begin(levels.degree), levels.total());
        self.order
            .pack(&mut self.state, 0..below, pieces.iter().map(|p| p.state));
        self.order
            .pack(&mut self.adjoint, 0..below, pieces.iter().map(|p| &p.lower[..below]));
        self.order
            .pack(&mut self.adjoint, below..total, pieces.iter().map(|p| p.top));
        let windows = pieces.iter().map(Piece::window);
        let rows = self.points.read(0, steps, windows)?;
        let next = next.iter().take(V::LANES);
        let wanted = next.flat_map(|piece| [piece.increments.points(), &*piece.gradient]);
        self.ahead.look(wanted, usize::MAX);
        V::call(SmallAdjoint {
            dim: levels.dim,
            degree: levels.degree,
            rows,
            state: &self.state,
            adjoint: &self.adjoint,
            gradient: &mut self.gradient[levels.dim..],
            history: &mut self.history,
            ahead: &mut self.ahead,
        });
        let lanes = pieces
            .iter_mut()
            .map(|piece| (piece.end - piece.begin, &mut *piece.gradient, &mut *piece.edge));
        scatter(&mut self.gradient, steps, levels.dim, &self.transform, self.dim, lanes);
        Ok(())
    }
}
