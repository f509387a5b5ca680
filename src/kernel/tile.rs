//! A tile of R × C increments of x and y: their products, and all cells of the refined grid that come of them.

use super::scheme::{Factors, Many, Scheme, Single, Vectors};
use crate::simd::Lanes;

/// The most refined cells along one increment within a tile; finer ones are had by repeating increments.
pub(super) const MOST: usize = 8;

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
fn times<V: Lanes, const R: usize, const C: usize>(time: bool, dx: &[[V; R]], dy: &[[V; C]]) -> ([V; R], [V; C]) {
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
fn given_at<V: Lanes>(given: Option<&[V]>, place: usize) -> Option<V> {
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
    #[allow(clippy::too_many_arguments)]
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
    #[allow(clippy::too_many_arguments)]
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

/// One cell an increment.
#[derive(Clone, Copy)]
pub(super) struct Plain;

impl<V: Lanes, S: Scheme<V>, const R: usize, const C: usize> Tile<V, S, R, C> for Plain {
    type Left = [S::Edge; R];
    type Right = [S::Row; R];

    fn cells(&self) -> (usize, usize) {
        (1, 1)
    }

    fn rows_together(&self) -> usize {
        R
    }

    #[inline(always)]
    fn load_left(&self, from: &[S::Edge]) -> Self::Left {
        *from.first_chunk().expect("an edge a row")
    }

    #[inline(always)]
    fn store_left(&self, left: &Self::Left, to: &mut [S::Edge]) {
        *to.first_chunk_mut().expect("an edge a row") = *left;
    }

    #[inline(always)]
    fn forward(
        &self,
        h: &[[V; C]; R],
        _: (&[[V; R]], &[[V; C]]),
        left: &mut Self::Left,
        top: &mut [S::Edge],
        corner: &mut V,
        record: &mut impl Record<V>,
    ) {
        let top: &mut [S::Edge; C] = top.first_chunk_mut().expect("an edge a column");
        for c in 0..C {
            let mut up = top[c];
            let mut diagonal = std::mem::replace(corner, up.value());
            for r in 0..R {
                let factors = Single::new(h[r][c]);
                let around = [left[r].value(), up.value(), diagonal];
                diagonal = around[0];
                S::cell(&mut left[r], &mut up, around[2], factors);
                record.cell(c * R + r, around, factors, up.value());
            }
            top[c] = up;
        }
    }

    #[inline(always)]
    fn load_right(&self, from: &[S::Row]) -> Self::Right {
        *from.first_chunk().expect("a state a row")
    }

    #[inline(always)]
    fn store_right(&self, right: &Self::Right, to: &mut [S::Row]) {
        *to.first_chunk_mut().expect("a state a row") = *right;
    }

    #[inline(always)]
    fn adjoint(
        &self,
        h: &[[V; C]; R],
        _: (&[[V; R]], &[[V; C]]),
        slopes: &[V],
        given: Option<&[V]>,
        right: &mut Self::Right,
        bottom: &mut [S::Column],
    ) -> [[V; C]; R] {
        let bottom: &mut [S::Column; C] = bottom.first_chunk_mut().expect("a state a column");
        let slopes = &slopes[..C * R];
        let mut sums = [[V::zero(); C]; R];
        for c in (0..C).rev() {
            let mut column = bottom[c];
            for r in (0..R).rev() {
                let given = given_at(given, c * R + r);
                let w = S::adjoint(&mut right[r], &mut column, given, Single::new(h[r][c]));
                sums[r][c] = w * slopes[c * R + r];
            }
            bottom[c] = column;
        }
        sums
    }
}

/// Lead-lag without refinement. The increments of a lead-lag path are (dx, 0) and then (0, dx), so a pair of
/// increments makes 2 × 2 cells: Δ on the diagonal, what time adds beside it.
#[derive(Clone, Copy)]
pub(super) struct LeadLag {
    pub time: bool,
}

impl<V: Lanes, S: Scheme<V>, const R: usize, const C: usize> Tile<V, S, R, C> for LeadLag {
    type Left = [[S::Edge; 2]; R];
    type Right = [[S::Row; 2]; R];

    fn cells(&self) -> (usize, usize) {
        (2, 2)
    }

    fn rows_together(&self) -> usize {
        2 * R
    }

    #[inline(always)]
    fn load_left(&self, from: &[S::Edge]) -> Self::Left {
        *from.as_chunks().0.first_chunk().expect("two edges a row")
    }

    #[inline(always)]
    fn store_left(&self, left: &Self::Left, to: &mut [S::Edge]) {
        *to.as_chunks_mut().0.first_chunk_mut().expect("two edges a row") = *left;
    }

    #[inline(always)]
    fn forward(
        &self,
        h: &[[V; C]; R],
        (dx, dy): (&[[V; R]], &[[V; C]]),
        left: &mut Self::Left,
        top: &mut [S::Edge],
        corner: &mut V,
        record: &mut impl Record<V>,
    ) {
        let (x_time, y_time) = times(self.time, dx, dy);
        let top: &mut [[S::Edge; 2]; C] = top.as_chunks_mut().0.first_chunk_mut().expect("two edges a column");
        for c in 0..C {
            for b in 0..2 {
                let mut up = top[c][b];
                let mut diagonal = std::mem::replace(corner, up.value());
                for r in 0..R {
                    for a in 0..2 {
                        let half_delta = if a == b { h[r][c] } else { x_time[r] * y_time[c] };
                        let factors = Single::new(half_delta);
                        let around = [left[r][a].value(), up.value(), diagonal];
                        diagonal = around[0];
                        S::cell(&mut left[r][a], &mut up, around[2], factors);
                        record.cell(((c * 2 + b) * R + r) * 2 + a, around, factors, up.value());
                    }
                }
                top[c][b] = up;
            }
        }
    }

    #[inline(always)]
    fn load_right(&self, from: &[S::Row]) -> Self::Right {
        *from.as_chunks().0.first_chunk().expect("two states a row")
    }

    #[inline(always)]
    fn store_right(&self, right: &Self::Right, to: &mut [S::Row]) {
        *to.as_chunks_mut().0.first_chunk_mut().expect("two states a row") = *right;
    }

    #[inline(always)]
    fn adjoint(
        &self,
        h: &[[V; C]; R],
        (dx, dy): (&[[V; R]], &[[V; C]]),
        slopes: &[V],
        given: Option<&[V]>,
        right: &mut Self::Right,
        bottom: &mut [S::Column],
    ) -> [[V; C]; R] {
        let (x_time, y_time) = times(self.time, dx, dy);
        let bottom: &mut [[S::Column; 2]; C] = bottom.as_chunks_mut().0.first_chunk_mut().expect("two states a column");
        let slopes = &slopes[..4 * C * R];
        let mut sums = [[V::zero(); C]; R];
        for c in (0..C).rev() {
            for b in (0..2).rev() {
                let mut column = bottom[c][b];
                for r in (0..R).rev() {
                    for a in (0..2).rev() {
                        let half_delta = if a == b { h[r][c] } else { x_time[r] * y_time[c] };
                        let place = ((c * 2 + b) * R + r) * 2 + a;
                        let given = given_at(given, place);
                        let w = S::adjoint(&mut right[r][a], &mut column, given, Single::new(half_delta));
                        if a == b {
                            sums[r][c] = w.mul_add(slopes[place], sums[r][c]);
                        }
                    }
                }
                bottom[c][b] = column;
            }
        }
        sums
    }
}

/// Refined tiles of any kind: an increment of x makes `x_cells` rows of cells for each of its `halves` (two with
/// lead-lag), and likewise of y.
#[derive(Clone, Copy)]
pub(super) struct Refined {
    pub x_cells: usize,
    pub y_cells: usize,
    pub halves: usize,
    pub time: bool,
}

/// What the groups of rows of a refined tile have in common.
struct Halves<'a, V, const R: usize, const C: usize> {
    h: &'a [[V; C]; R],
    time: ([V; R], [V; C]),
    halves: usize,
}

impl<V: Lanes, const R: usize, const C: usize> Halves<'_, V, R, C> {
    /// Δ/2 of a half row and a half column.
    #[inline(always)]
    fn half_delta(&self, row: usize, column: usize) -> V {
        let (r, c) = (row / self.halves, column / self.halves);
        if row % self.halves == column % self.halves {
            return self.h[r][c];
        }
        self.time.0[r] * self.time.1[c]
    }
}

impl Refined {
    #[inline(always)]
    fn halves<'a, V: Lanes, const R: usize, const C: usize>(
        &self,
        h: &'a [[V; C]; R],
        (dx, dy): (&[[V; R]], &[[V; C]]),
    ) -> Halves<'a, V, R, C> {
        Halves {
            h,
            time: times(self.time, dx, dy),
            halves: self.halves,
        }
    }

    /// Cells of `W` half rows with `N` rows each: all in registers, column after column.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn rows<V: Lanes, S: Scheme<V>, const R: usize, const C: usize, const W: usize, const N: usize>(
        &self,
        of: &Halves<'_, V, R, C>,
        first: usize,
        left: &mut [S::Edge],
        top: &mut [S::Edge],
        mut corner: V,
        place: &mut usize,
        record: &mut impl Record<V>,
    ) {
        let left: &mut [[S::Edge; N]; W] = left.as_chunks_mut().0.first_chunk_mut().expect("an edge a row");
        let mut edges = *left;
        for (column, top) in top.chunks_exact_mut(self.y_cells).enumerate() {
            let mut factors = [Many::new(V::zero()); W];
            for (w, factors) in factors.iter_mut().enumerate() {
                *factors = Many::new(of.half_delta(first + w, column));
            }
            for top in top {
                let mut up = *top;
                let mut diagonal = std::mem::replace(&mut corner, up.value());
                for w in 0..W {
                    for n in 0..N {
                        let around = [edges[w][n].value(), up.value(), diagonal];
                        diagonal = around[0];
                        S::cell(&mut edges[w][n], &mut up, around[2], factors[w]);
                        record.cell(*place + w * N + n, around, factors[w], up.value());
                    }
                }
                *top = up;
                *place += W * N;
            }
        }
        *left = edges;
    }

    /// The adjoint of [`Self::rows`].
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn rows_adjoint<V: Lanes, S: Scheme<V>, const R: usize, const C: usize, const W: usize, const N: usize>(
        &self,
        of: &Halves<'_, V, R, C>,
        first: usize,
        slopes: &[V],
        given: Option<&[V]>,
        right: &mut [S::Row],
        bottom: &mut [S::Column],
        sums: &mut [[V; C]; R],
    ) {
        let right: &mut [[S::Row; N]; W] = right.as_chunks_mut().0.first_chunk_mut().expect("a state a row");
        let mut rows = *right;
        let mut end = slopes.len();
        for (column, bottom) in bottom.chunks_exact_mut(self.y_cells).enumerate().rev() {
            let mut factors = [Many::new(V::zero()); W];
            for (w, factors) in factors.iter_mut().enumerate() {
                *factors = Many::new(of.half_delta(first + w, column));
            }
            let mut sum = [V::zero(); W];
            for bottom in bottom.iter_mut().rev() {
                let mut state = *bottom;
                end -= W * N;
                for w in (0..W).rev() {
                    for n in (0..N).rev() {
                        let place = end + w * N + n;
                        let given = given_at(given, place);
                        let v = S::adjoint(&mut rows[w][n], &mut state, given, factors[w]);
                        sum[w] = v.mul_add(slopes[place], sum[w]);
                    }
                }
                *bottom = state;
            }
            for (w, &sum) in sum.iter().enumerate() {
                if (first + w) % self.halves == column % self.halves {
                    let total = &mut sums[(first + w) / self.halves][column / self.halves];
                    *total = *total + sum;
                }
            }
        }
        *right = rows;
    }

    /// Half rows, and rows of each, that are swept together: eight rows hide the latency of a cell.
    #[inline(always)]
    fn group(&self) -> (usize, usize) {
        match self.x_cells {
            1 => (4, 1),
            2 => (4, 2),
            _ => (2, 4),
        }
    }
}

impl<V: Lanes, S: Scheme<V>, const R: usize, const C: usize> Tile<V, S, R, C> for Refined {
    type Left = [[S::Edge; MOST]; R];
    type Right = [[S::Row; MOST]; R];

    fn cells(&self) -> (usize, usize) {
        (self.halves * self.x_cells, self.halves * self.y_cells)
    }

    fn rows_together(&self) -> usize {
        let (w, n) = self.group();
        w * n
    }

    #[inline(always)]
    fn load_left(&self, from: &[S::Edge]) -> Self::Left {
        let mut left = [[S::flat(V::zero()); MOST]; R];
        left.as_flattened_mut()[..from.len()].copy_from_slice(from);
        left
    }

    #[inline(always)]
    fn store_left(&self, left: &Self::Left, to: &mut [S::Edge]) {
        let rows = to.len();
        to.copy_from_slice(&left.as_flattened()[..rows]);
    }

    #[inline(always)]
    fn forward(
        &self,
        h: &[[V; C]; R],
        increments: (&[[V; R]], &[[V; C]]),
        left: &mut Self::Left,
        top: &mut [S::Edge],
        corner: &mut V,
        record: &mut impl Record<V>,
    ) {
        let of = self.halves(h, increments);
        let (w, n) = self.group();
        let rows = R * self.halves * self.x_cells;
        let next = top[top.len() - 1].value();
        let mut place = 0;
        for (group, left) in left.as_flattened_mut()[..rows].chunks_exact_mut(w * n).enumerate() {
            let below = left[w * n - 1].value();
            let first = group * w * n / self.x_cells;
            match self.x_cells {
                1 => self.rows::<V, S, R, C, 4, 1>(&of, first, left, top, *corner, &mut place, record),
                2 => self.rows::<V, S, R, C, 4, 2>(&of, first, left, top, *corner, &mut place, record),
                _ => self.rows::<V, S, R, C, 2, 4>(&of, first, left, top, *corner, &mut place, record),
            }
            *corner = below;
        }
        *corner = next;
    }

    #[inline(always)]
    fn load_right(&self, from: &[S::Row]) -> Self::Right {
        let mut right = [[S::Row::zero(); MOST]; R];
        right.as_flattened_mut()[..from.len()].copy_from_slice(from);
        right
    }

    #[inline(always)]
    fn store_right(&self, right: &Self::Right, to: &mut [S::Row]) {
        let rows = to.len();
        to.copy_from_slice(&right.as_flattened()[..rows]);
    }

    #[inline(always)]
    fn adjoint(
        &self,
        h: &[[V; C]; R],
        increments: (&[[V; R]], &[[V; C]]),
        slopes: &[V],
        given: Option<&[V]>,
        right: &mut Self::Right,
        bottom: &mut [S::Column],
    ) -> [[V; C]; R] {
        let of = self.halves(h, increments);
        let (w, n) = self.group();
        let rows = R * self.halves * self.x_cells;
        let size = w * n * bottom.len();
        let mut sums = [[V::zero(); C]; R];
        for (group, right) in right.as_flattened_mut()[..rows]
            .chunks_exact_mut(w * n)
            .enumerate()
            .rev()
        {
            let first = group * w * n / self.x_cells;
            let slopes = &slopes[group * size..][..size];
            let given = given.map(|given| &given[group * size..][..size]);
            match self.x_cells {
                1 => self.rows_adjoint::<V, S, R, C, 4, 1>(&of, first, slopes, given, right, bottom, &mut sums),
                2 => self.rows_adjoint::<V, S, R, C, 4, 2>(&of, first, slopes, given, right, bottom, &mut sums),
                _ => self.rows_adjoint::<V, S, R, C, 2, 4>(&of, first, slopes, given, right, bottom, &mut sums),
            }
        }
        sums
    }
}
