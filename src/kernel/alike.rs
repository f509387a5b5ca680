//! Refined tiles of order 1 or 2 of both paths, without lead-lag: what `refined` does for any orders, with all that
//! follows from the orders known to the compiler.

use super::scheme::{Factors, Many, Scheme};
use super::tile::{Record, Scratch, Tile, steps};
use super::wave::{self, Field, FieldBack, Joint};
use crate::simd::Lanes;

/// An increment of x makes 2^`ORDER` rows of cells, one of y as many columns.
#[derive(Clone, Copy)]
pub(super) struct Alike<const ORDER: usize>;

/// The factors of R rows of cells.
struct Shared<'a, V, const R: usize, const ORDER: usize> {
    /// `[increment of y][increment of x]`
    factors: &'a [[Many<V>; R]],
    /// Increments of x before.
    before: usize,
}

impl<V: Lanes, const R: usize, const ORDER: usize> Field<V> for Shared<'_, V, R, ORDER> {
    type Factors = Many<V>;
    const PERIOD: usize = 1 << ORDER;

    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> Many<V> {
        self.factors[column >> ORDER][self.before + (row >> ORDER)]
    }

    #[inline(always)]
    fn in_turn<const STEP: usize>(&self, row: usize, turn: usize) -> Many<V> {
        // Increments that the wave looks back to.
        let most = (R - 1).div_ceil(Self::PERIOD);
        let back = row.saturating_sub(STEP).div_ceil(Self::PERIOD);
        let near = &self.factors[turn - most..][..most + 1];
        near[most - back][self.before + (row >> ORDER)]
    }
}

/// The same on the way back.
struct SharedBack<'a, V, const R: usize, const ORDER: usize> {
    field: Shared<'a, V, R, ORDER>,
    slopes: &'a [[V; R]],
    /// Σ w · ∂k/∂h of the cells of an increment of y in each row so far, and where it goes.
    sums: [V; R],
    h: &'a mut [[V; R]],
}

impl<V: Lanes, const R: usize, const ORDER: usize> Field<V> for SharedBack<'_, V, R, ORDER> {
    type Factors = Many<V>;
    const PERIOD: usize = 1 << ORDER;

    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> Many<V> {
        self.field.at(row, column)
    }

    #[inline(always)]
    fn in_turn<const STEP: usize>(&self, row: usize, turn: usize) -> Many<V> {
        self.field.in_turn::<STEP>(row, turn)
    }
}

impl<V: Lanes, const R: usize, const ORDER: usize> FieldBack<V> for SharedBack<'_, V, R, ORDER> {
    #[inline(always)]
    fn put(&mut self, row: usize, column: usize, is_first: bool, step: usize, w: V) {
        self.sums[row] = w.mul_add(self.slopes[step][row], self.sums[row]);
        if is_first {
            let sum = &mut self.h[column >> ORDER][self.field.before + (row >> ORDER)];
            *sum = *sum + self.sums[row];
            self.sums[row] = V::zero();
        }
    }
}

impl<const ORDER: usize> Alike<ORDER> {
    #[inline(always)]
    fn share<'s, V: Lanes, const R: usize>(h: &[[V; R]], scratch: &'s mut Scratch<V>) -> &'s [[Many<V>; R]] {
        let factors = &mut scratch.factors.as_chunks_mut::<R>().0[..h.len()];
        for (factors, h) in factors.iter_mut().zip(h) {
            for r in 0..R {
                factors[r] = Many::new(h[r]);
            }
        }
        factors
    }
}

impl<V: Lanes, const ORDER: usize, const R: usize, const C: usize> Tile<V, R, C> for Alike<ORDER> {
    fn cells(&self) -> (usize, usize) {
        (1 << ORDER, 1 << ORDER)
    }

    fn shared(&self, increments: usize) -> usize {
        increments * R
    }

    #[inline(always)]
    fn forward<S: Scheme<V>, Q: Record<V, R>>(
        &self,
        h: &mut [[V; R]],
        _: bool,
        _: (&[[V; R]], &[[V; C]]),
        scratch: &mut Scratch<V>,
        left: &mut [S::Edge],
        top: &mut [S::Edge],
        joints: &mut [Joint<V, S::Edge>],
        record: &mut Q,
    ) {
        let factors = Self::share(h, scratch);
        let size = steps::<R>(top.len());
        for (group, left) in left.as_chunks_mut().0.iter_mut().enumerate() {
            let before = (group * R) >> ORDER;
            let mut field = Shared::<V, R, ORDER> { factors, before };
            wave::forward::<V, S, _, R>(&mut field, left, top, joints, record, group * size);
        }
    }

    #[inline(always)]
    fn adjoint<S: Scheme<V>, const GIVEN: bool>(
        &self,
        h: &mut [[V; R]],
        _: (&[[V; R]], &[[V; C]]),
        scratch: &mut Scratch<V>,
        slopes: &[V],
        given: &[V],
        right: &mut [S::Row],
        bottom: &mut [S::Column],
        sums: &mut [S::Row],
    ) {
        let factors = Self::share(h, scratch);
        h.fill([V::zero(); R]);
        let (slopes, given) = (slopes.as_chunks().0, given.as_chunks().0);
        let size = steps::<R>(bottom.len());
        for (group, right) in right.as_chunks_mut().0.iter_mut().enumerate().rev() {
            let cells = group * size..(group + 1) * size;
            let given = if GIVEN { &given[cells.clone()] } else { given };
            let before = (group * R) >> ORDER;
            let mut field = SharedBack::<V, R, ORDER> {
                field: Shared { factors, before },
                slopes: &slopes[cells],
                sums: [V::zero(); R],
                h: &mut *h,
            };
            wave::back::<V, S, _, R, GIVEN>(&mut field, right, bottom, sums, given);
        }
    }
}
