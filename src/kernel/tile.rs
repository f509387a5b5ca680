//! A tile of R × C increments of x and y: their products, and all cells of the refined grid that come of them.

use super::scheme::{Factors, Scheme};
use crate::simd::Lanes;

/// Δ/2 of a tile: sums over channels, in one order. Time, where there is time, is the last channel.
#[inline(always)]
pub(super) fn products<V: Lanes, const R: usize, const C: usize>(dx: &[[V; R]], dy: &[[V; C]]) -> [[V; C]; R] {
    let mut sums = [[V::zero(); C]; R];
    for (x, y) in dx.iter().zip(dy) {
        for c in 0..C {
            for r in 0..R {
                sums[r][c] = x[r].mul_add(y[c], sums[r][c]);
            }
        }
    }
    sums
}

/// The last channel of both sides, if it is time: their product is the part of Δ/2 that comes of time alone.
#[inline(always)]
pub(super) fn times<V: Lanes, const R: usize, const C: usize>(
    time: bool,
    dx: &[[V; R]],
    dy: &[[V; C]],
) -> ([V; R], [V; C]) {
    match (dx.last(), dy.last()) {
        (Some(x), Some(y)) if time => (*x, *y),
        _ => ([V::zero(); R], [V::zero(); C]),
    }
}

/// Is told of every cell, in the order in which they are computed: `place` counts within the tile.
pub(super) trait Record<V: Lanes> {
    /// l, u, d of the cell, its factors, and its k.
    fn cell<F: Factors<V>>(&mut self, place: usize, around: [V; 3], factors: F, k: V);
}

/// Forgets.
impl<V: Lanes> Record<V> for () {
    #[inline(always)]
    fn cell<F: Factors<V>>(&mut self, _: usize, _: [V; 3], _: F, _: V) {}
}

/// Keeps ∂k/∂h of every cell: what the adjoint needs.
pub(super) struct Slopes<'a, V>(&'a mut [V]);

impl<V: Lanes> Record<V> for Slopes<'_, V> {
    #[inline(always)]
    fn cell<F: Factors<V>>(&mut self, place: usize, [l, u, d]: [V; 3], factors: F, _: V) {
        self.0[place] = factors.slope(l + u, d);
    }
}

/// Keeps k of every cell: the grid.
pub(super) struct Nodes<'a, V>(&'a mut [V]);

impl<V: Lanes> Record<V> for Nodes<'_, V> {
    #[inline(always)]
    fn cell<F: Factors<V>>(&mut self, place: usize, _: [V; 3], _: F, k: V) {
        self.0[place] = k;
    }
}

/// Makes the records of the tiles of a block, one after the other.
///
/// A trait and not a closure: closures are inlined at the compiler's discretion, and one with vectors in it that is not
/// inlined is compiled without the features of its level.
pub(super) trait Records<V: Lanes, const R: usize, const C: usize> {
    type Tile<'a>: Record<V>
    where
        Self: 'a;
    /// For tile number `tile` with this Δ/2.
    fn tile(&mut self, tile: usize, h: &[[V; C]; R]) -> Self::Tile<'_>;
}

impl<V: Lanes, const R: usize, const C: usize> Records<V, R, C> for () {
    type Tile<'a> = ();
    #[inline(always)]
    fn tile(&mut self, _: usize, _: &[[V; C]; R]) {}
}

/// Δ/2 and the slopes of a block; `size` cells a tile.
pub(super) struct BlockSlopes<'a, V, const R: usize, const C: usize> {
    pub h: &'a mut [[[V; C]; R]],
    pub slopes: &'a mut [V],
    pub size: usize,
}

impl<V: Lanes, const R: usize, const C: usize> Records<V, R, C> for BlockSlopes<'_, V, R, C> {
    type Tile<'a>
        = Slopes<'a, V>
    where
        Self: 'a;
    #[inline(always)]
    fn tile(&mut self, tile: usize, h: &[[V; C]; R]) -> Slopes<'_, V> {
        self.h[tile] = *h;
        Slopes(&mut self.slopes[tile * self.size..][..self.size])
    }
}

/// The nodes of a block; `size` cells a tile.
pub(super) struct BlockNodes<'a, V> {
    pub nodes: &'a mut [V],
    pub size: usize,
}

impl<V: Lanes, const R: usize, const C: usize> Records<V, R, C> for BlockNodes<'_, V> {
    type Tile<'a>
        = Nodes<'a, V>
    where
        Self: 'a;
    #[inline(always)]
    fn tile(&mut self, tile: usize, _: &[[V; C]; R]) -> Nodes<'_, V> {
        Nodes(&mut self.nodes[tile * self.size..][..self.size])
    }
}

#[inline(always)]
pub(super) fn given_at<V: Lanes>(given: Option<&[V]>, place: usize) -> Option<V> {
    match given {
        Some(given) => Some(given[place]),
        None => None,
    }
}

/// How the cells of a tile come of its R × C increments.
pub(super) trait Tile<V: Lanes, S: Scheme<V>, const R: usize, const C: usize>: Copy + Send + Sync {
    /// State of the rows of a tile: registers, where they suffice.
    type Left: Copy;
    type Right: Copy;

    /// Refined cells along an increment of x and of y.
    fn cells(&self) -> (usize, usize);
    /// Rows of cells that are swept together, column after column; then come the next.
    fn rows_together(&self) -> usize;

    fn load_left(&self, from: &[S::Edge]) -> Self::Left;
    fn store_left(&self, left: &Self::Left, to: &mut [S::Edge]);

    /// All cells, given h = Δ/2, the edges left and above and the corner between; leaves the right and lower edges and
    /// the corner of the next tile.
    fn forward(
        &self,
        h: &[[V; C]; R],
        increments: (&[[V; R]], &[[V; C]]),
        left: &mut Self::Left,
        top: &mut [S::Edge],
        corner: &mut V,
        record: &mut impl Record<V>,
    );

    fn load_right(&self, from: &[S::Row]) -> Self::Right;
    fn store_right(&self, right: &Self::Right, to: &mut [S::Row]);

    /// The adjoint of all cells, backwards: `slopes` as [`Slopes`] kept them, `given` the gradient given at every node
    /// in the same order, or nothing. Returns ∂F/∂h summed over the cells of every increment.
    fn adjoint(
        &self,
        h: &[[V; C]; R],
        increments: (&[[V; R]], &[[V; C]]),
        slopes: &[V],
        given: Option<&[V]>,
        right: &mut Self::Right,
        bottom: &mut [S::Column],
    ) -> [[V; C]; R];
}
