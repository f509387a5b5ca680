//! Tiles without refinement: one cell an increment.

use super::scheme::{Factors, Scheme, Single};
use super::tile::{Record, Scratch, Tile};
use super::wave::{self, Field, FieldBack};
use crate::simd::Lanes;

/// One cell an increment.
#[derive(Clone, Copy)]
pub(super) struct Plain;

/// Δ/2 of R rows, column after column.
struct Deltas<'a, V, const R: usize>(&'a [[V; R]]);

impl<V: Lanes, const R: usize> Field<V> for Deltas<'_, V, R> {
    type Factors = Single<V>;
    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> Single<V> {
        Single::new(self.0[column][row])
    }
}

/// The same, and ∂F/∂h in their place where the wave has been.
struct Shares<'a, V, const R: usize> {
    h: &'a mut [[V; R]],
    slopes: &'a [V],
}

impl<V: Lanes, const R: usize> Field<V> for Shares<'_, V, R> {
    type Factors = Single<V>;
    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> Single<V> {
        Single::new(self.h[column][row])
    }
}

impl<V: Lanes, const R: usize> FieldBack<V> for Shares<'_, V, R> {
    #[inline(always)]
    fn put(&mut self, row: usize, column: usize, slot: usize, w: V) {
        self.h[column][row] = w * self.slopes[slot];
    }
}

impl<V: Lanes, const R: usize, const C: usize> Tile<V, R, C> for Plain {
    fn cells(&self) -> (usize, usize) {
        (1, 1)
    }

    fn shared(&self, _: usize) -> usize {
        0
    }

    #[inline(always)]
    fn forward<S: Scheme<V>>(
        &self,
        h: &[[V; R]],
        _: (&[[V; R]], &[[V; C]]),
        _: &mut Scratch<V>,
        left: &mut [S::Edge],
        top: &mut [S::Edge],
        corner: V,
        record: &mut impl Record<V>,
    ) {
        let left = left.first_chunk_mut().expect("an edge a row");
        wave::forward::<V, S, R>(&Deltas(&h[..top.len()]), left, top, corner, record, 0);
    }

    #[inline(always)]
    fn adjoint<S: Scheme<V>>(
        &self,
        h: &mut [[V; R]],
        _: (&[[V; R]], &[[V; C]]),
        _: &mut Scratch<V>,
        slopes: &[V],
        given: Option<&[V]>,
        right: &mut [S::Row],
        bottom: &mut [S::Column],
    ) {
        let right = right.first_chunk_mut().expect("a state a row");
        wave::back::<V, S, R>(&mut Shares { h, slopes }, right, bottom, given);
    }
}
