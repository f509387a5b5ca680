//! Refined tiles, with lead-lag or without: many cells an increment, which share their Δ.

use super::scheme::{Factors, Many, Scheme, Vectors};
use super::tile::{Record, Tile, given_at, times};
use crate::simd::Lanes;

/// The most refined cells along one increment within a tile; finer ones are had by repeating increments.
pub(super) const MOST: usize = 8;

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
