//! R rows of cells, swept along their anti-diagonals: at step s row r is at column s - r. The R cells of a step do not
//! wait for each other, and what they hand on stays in registers.

use super::scheme::{Factors, Scheme, Vectors};
use super::tile::Record;
use crate::simd::Lanes;
use std::ops::Range;

/// The factors of the cells of R rows.
pub(super) trait Field<V: Lanes> {
    type Factors: Factors<V>;
    fn at(&self, row: usize, column: usize) -> Self::Factors;

    /// Is told of columns that the wave comes to next: the [`first`] ones, then [`NEXT`] at a time. It looks back to R - 1
    /// columns before them.
    #[inline(always)]
    fn ready(&mut self, _columns: Range<usize>) {}
}

/// Columns that a field is told of at once: few enough for their Δ to stay in the first-level cache, and many enough for
/// what the wave holds in registers to be put aside meanwhile.
pub(super) const NEXT: usize = 16;

/// Columns that a field is told of first: never few before others, for what has just been stored is slow to load.
#[inline(always)]
pub(super) fn first(columns: usize) -> usize {
    if columns < 2 * NEXT {
        columns
    } else {
        NEXT + columns % NEXT
    }
}

/// The same on the way back, when w = ∂F/∂k of every cell is put somewhere.
pub(super) trait FieldBack<V: Lanes>: Field<V> {
    fn put(&mut self, row: usize, column: usize, slot: usize, w: V);
}

/// What goes forward, between two steps.
struct Forward<'a, V: Lanes, S: Scheme<V>, const R: usize> {
    left: [S::Edge; R],
    /// What each row has handed down, and k that its next cell has in the corner.
    below: [S::Edge; R],
    diagonal: [V; R],
    top: &'a mut [S::Edge],
}

impl<V: Lanes, S: Scheme<V>, const R: usize> Forward<'_, V, S, R> {
    #[inline(always)]
    fn step<const WHOLE: bool>(
        &mut self,
        step: usize,
        field: &impl Field<V>,
        record: &mut impl Record<V>,
        first: usize,
    ) {
        record.step();
        for r in (0..R).rev() {
            let column = step.wrapping_sub(r);
            if !WHOLE && column >= self.top.len() {
                continue;
            }
            let mut up = if r == 0 { self.top[column] } else { self.below[r - 1] };
            let around = [self.left[r].value(), up.value(), self.diagonal[r]];
            let factors = field.at(r, column);
            S::cell(&mut self.left[r], &mut up, around[2], factors);
            record.cell(first + step * R + r, around, factors, up.value());
            self.diagonal[r] = around[1];
            if r == R - 1 {
                self.top[column] = up;
            } else {
                self.below[r] = up;
            }
        }
    }
}

/// All cells of R rows: `left` and `top` become the edges at the right and below; `corner` is k between them. Slots are
/// counted from `slot`.
#[inline(always)]
pub(super) fn forward<V: Lanes, S: Scheme<V>, const R: usize>(
    field: &mut impl Field<V>,
    left: &mut [S::Edge; R],
    top: &mut [S::Edge],
    corner: V,
    record: &mut impl Record<V>,
    slot: usize,
) {
    let columns = top.len();
    let mut diagonal = [corner; R];
    for r in 1..R {
        diagonal[r] = left[r - 1].value();
    }
    let mut wave = Forward::<V, S, R> {
        left: *left,
        below: [S::flat(V::zero()); R],
        diagonal,
        top,
    };
    let (mut begin, mut end) = (0, first(columns));
    while begin < columns {
        field.ready(begin..end);
        for step in begin..end.min(R - 1) {
            wave.step::<false>(step, field, record, slot);
        }
        for step in begin.max(R - 1)..end {
            wave.step::<true>(step, field, record, slot);
        }
        (begin, end) = (end, end + NEXT);
    }
    for step in columns..columns + R - 1 {
        wave.step::<false>(step, field, record, slot);
    }
    *left = wave.left;
}

/// What goes back, between two steps.
struct Back<'a, V: Lanes, S: Scheme<V>, const R: usize, const GIVEN: bool> {
    right: [S::Row; R],
    /// What each row has handed up.
    above: [S::Column; R],
    bottom: &'a mut [S::Column],
    /// ∂F/∂k as it was given, slot after slot, if it was.
    given: &'a [V],
}

impl<V: Lanes, S: Scheme<V>, const R: usize, const GIVEN: bool> Back<'_, V, S, R, GIVEN> {
    #[inline(always)]
    fn step<const WHOLE: bool>(&mut self, step: usize, field: &mut impl FieldBack<V>) {
        for r in 0..R {
            let column = step.wrapping_sub(r);
            if !WHOLE && column >= self.bottom.len() {
                continue;
            }
            let slot = step * R + r;
            let mut below = match r + 1 {
                below if below == R => self.bottom[column],
                below => S::handed(self.above[below], &self.right[below]),
            };
            let given = if GIVEN { Some(self.given[slot]) } else { None };
            let w = S::adjoint(&mut self.right[r], &mut below, given, field.at(r, column));
            field.put(r, column, slot, w);
            if r == 0 {
                self.bottom[column] = below;
            } else {
                self.above[r] = below;
            }
        }
    }
}

/// The adjoint of all cells of R rows.
#[inline(always)]
pub(super) fn back<V: Lanes, S: Scheme<V>, const R: usize, const GIVEN: bool>(
    field: &mut impl FieldBack<V>,
    right: &mut [S::Row; R],
    bottom: &mut [S::Column],
    given: &[V],
) {
    let columns = bottom.len();
    let mut wave = Back::<V, S, R, GIVEN> {
        right: *right,
        above: [S::below(V::zero()); R],
        bottom,
        given,
    };
    for step in (columns.max(R - 1)..columns + R - 1).rev() {
        wave.step::<false>(step, field);
    }
    for step in (R - 1..columns).rev() {
        wave.step::<true>(step, field);
    }
    for step in (0..R - 1).rev() {
        wave.step::<false>(step, field);
    }
    *right = wave.right;
}
