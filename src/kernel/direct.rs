//! Tiles without refinement: one cell an increment, or two by two with lead-lag.

use super::scheme::{Factors, Scheme, Single, Vectors};
use super::tile::{Record, Tile, given_at, times};
use crate::simd::Lanes;

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
