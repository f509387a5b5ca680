//! R rows of cells, swept along their anti-diagonals: at step s row r is at column s - r. The R cells of a step do not
//! wait for each other, and what they hand on stays in registers.

use super::scheme::{Factors, RENEWED, Scheme, Vectors};
use super::tile::Record;
use crate::simd::Lanes;
use std::ops::Range;

/// The factors of the cells of R rows.
pub(super) trait Field<V: Lanes> {
    type Factors: Factors<V>;
    /// Steps that are taken in one turn, 1, 2 or 4: the columns of cells of an increment of y.
    const PERIOD: usize = 1;
    fn at(&self, row: usize, column: usize) -> Self::Factors;
    /// The same at step `STEP` of a turn.
    #[inline(always)]
    fn in_turn<const STEP: usize>(&self, row: usize, turn: usize) -> Self::Factors {
        self.at(row, turn * Self::PERIOD + STEP - row)
    }

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
    /// `is_first`: whether the column is the first one of an increment.
    fn put(&mut self, row: usize, column: usize, is_first: bool, step: usize, w: V);
}

/// A step that is not taken in a turn.
const ALONE: usize = usize::MAX;

/// A column where waves begin, or renew k on their way: k in the corner of the next wave's first cell there, and the sum
/// of the increments down the column so far.
#[derive(Clone, Copy)]
pub(super) struct Joint<V, E> {
    pub corner: V,
    pub sum: E,
}

/// A joint where k is `value` all along the column.
#[inline(always)]
pub(super) fn joint<V: Lanes, S: Scheme<V>>(value: V) -> Joint<V, S::Edge> {
    Joint {
        corner: value,
        sum: S::flat(value),
    }
}

/// Takes the corners of joints from the row above, where it is as yet not renewed, and `corner` is what precedes it;
/// returns what precedes the next block.
#[inline(always)]
pub(super) fn corners<V: Lanes, S: Scheme<V>>(joints: &mut [Joint<V, S::Edge>], top: &[S::Edge], corner: V) -> V {
    let (begins, others) = joints.split_first_mut().expect("where the row begins");
    begins.corner = corner;
    let first = top.len() - others.len() * RENEWED;
    for (joint, before) in others.iter_mut().zip(top[first - 1..].iter().step_by(RENEWED)) {
        joint.corner = before.value();
    }
    top[top.len() - 1].value()
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
    fn step<const WHOLE: bool, const STEP: usize, T: Field<V>>(
        &mut self,
        step: usize,
        field: &T,
        record: &mut impl Record<V, R>,
        first: usize,
    ) {
        record.step();
        for r in (0..R).rev() {
            self.cell::<WHOLE, STEP, T>(r, step, field, record, first);
        }
    }

    /// The cell of row `r`, where it has one.
    #[inline(always)]
    fn cell<const WHOLE: bool, const STEP: usize, T: Field<V>>(
        &mut self,
        r: usize,
        step: usize,
        field: &T,
        record: &mut impl Record<V, R>,
        first: usize,
    ) {
        let column = step.wrapping_sub(r);
        if !WHOLE && column >= self.top.len() {
            return;
        }
        let mut up = match r.checked_sub(1) {
            None => self.top[column],
            Some(above) => S::under(self.below[above], &self.left[above]),
        };
        let around = [self.left[r].value(), up.value(), self.diagonal[r]];
        let factors = match STEP {
            ALONE => field.at(r, column),
            _ => field.in_turn::<STEP>(r, step / T::PERIOD),
        };
        S::cell(&mut self.left[r], &mut up, around[2], factors);
        record.cell(first + step, r, around, factors, up.value());
        self.diagonal[r] = around[1];
        if r == R - 1 {
            self.top[column] = up;
        } else {
            self.below[r] = up;
        }
    }
}

impl<V: Lanes, S: Scheme<V>, const R: usize> Forward<'_, V, S, R> {
    /// Whole steps, in turns of more than one where they can be.
    #[inline(always)]
    fn steps<T: Field<V>>(&mut self, steps: Range<usize>, field: &T, record: &mut impl Record<V, R>, first: usize) {
        if T::PERIOD == 1 {
            for step in steps {
                self.step::<true, ALONE, T>(step, field, record, first);
            }
            return;
        }
        let (mut step, end) = (steps.start, steps.end);
        while step < end {
            if !step.is_multiple_of(T::PERIOD) || step + T::PERIOD > end {
                self.step::<true, ALONE, T>(step, field, record, first);
                step += 1;
                continue;
            }
            self.step::<true, 0, T>(step, field, record, first);
            self.step::<true, 1, T>(step + 1, field, record, first);
            if T::PERIOD == 4 {
                self.step::<true, 2, T>(step + 2, field, record, first);
                self.step::<true, 3, T>(step + 3, field, record, first);
            }
            step += T::PERIOD;
        }
    }

    /// Whole steps in which one row after the other comes to a joint.
    #[inline(always)]
    fn renewing_steps<T: Field<V>>(
        &mut self,
        column: usize,
        joint: &mut Joint<V, S::Edge>,
        field: &T,
        record: &mut impl Record<V, R>,
        first: usize,
    ) {
        // Written out, for what is kept of each row is in registers.
        const { assert!(R == 4 || !S::RENEWS) };
        self.renewing_step::<0, T>(column, joint, field, record, first);
        self.renewing_step::<1, T>(column, joint, field, record, first);
        self.renewing_step::<2, T>(column, joint, field, record, first);
        self.renewing_step::<3, T>(column, joint, field, record, first);
    }

    /// The step in which row `ROW` comes to the joint at `column`: k at its left and in its corner are renewed when the row
    /// below, a column behind, has seen them.
    #[inline(always)]
    fn renewing_step<const ROW: usize, T: Field<V>>(
        &mut self,
        column: usize,
        joint: &mut Joint<V, S::Edge>,
        field: &T,
        record: &mut impl Record<V, R>,
        first: usize,
    ) {
        record.step();
        for r in (0..R).rev() {
            if r == ROW {
                self.diagonal[r] = joint.corner;
                S::renew(&mut self.left[r], &mut joint.sum);
                joint.corner = self.left[r].value();
            }
            self.cell::<true, ALONE, T>(r, column + ROW, field, record, first);
        }
    }
}

/// All cells of R rows: `left` and `top` become the edges at the right and below. The first of `joints` is where they
/// begin, the others every [`RENEWED`] columns before their end. Steps are counted from `first_step`.
#[inline(always)]
pub(super) fn forward<V: Lanes, S: Scheme<V>, T: Field<V>, const R: usize>(
    field: &mut T,
    left: &mut [S::Edge; R],
    top: &mut [S::Edge],
    joints: &mut [Joint<V, S::Edge>],
    record: &mut impl Record<V, R>,
    first_step: usize,
) {
    let record = &mut record.borrow();
    let columns = top.len();
    let (begins, joints) = joints.split_first_mut().expect("where they begin");
    let mut diagonal = [begins.corner; R];
    for r in 1..R {
        diagonal[r] = left[r - 1].value();
    }
    begins.corner = left[R - 1].value();
    let mut wave = Forward::<V, S, R> {
        left: *left,
        below: [S::flat(V::zero()); R],
        diagonal,
        top,
    };
    let mut next = columns - joints.len() * RENEWED;
    let mut joints = joints.iter_mut();
    let (mut begin, mut end) = (0, first(columns));
    while begin < columns {
        field.ready(begin..end);
        for step in begin..end.min(R - 1) {
            wave.step::<false, ALONE, _>(step, field, record, first_step);
        }
        let mut whole = begin.max(R - 1);
        loop {
            let until = if const { S::RENEWS } { end.min(next) } else { end };
            wave.steps(whole..until, field, record, first_step);
            if until == end {
                break;
            }
            let joint = joints.next().expect("one before the end");
            wave.renewing_steps(next, joint, field, record, first_step);
            whole = next + R;
            next += RENEWED;
        }
        (begin, end) = (end, end + NEXT);
    }
    for step in columns..columns + R - 1 {
        wave.step::<false, ALONE, _>(step, field, record, first_step);
    }
    *left = wave.left;
}

/// What goes back, between two steps.
struct Back<'a, V: Lanes, S: Scheme<V>, const R: usize, const GIVEN: bool> {
    right: [S::Row; R],
    /// What each row has handed up.
    above: [S::Column; R],
    bottom: &'a mut [S::Column],
    /// ∂F/∂k as it was given, step after step, if it was.
    given: &'a [[V; R]],
}

impl<V: Lanes, S: Scheme<V>, const R: usize, const GIVEN: bool> Back<'_, V, S, R, GIVEN> {
    /// Row after row, written out: what is kept of each must be in registers before the compiler unrolls a loop.
    #[inline(always)]
    fn step<const WHOLE: bool, const STEP: usize, T: FieldBack<V>>(&mut self, step: usize, field: &mut T) {
        const { assert!(R == 4 || R == 8) };
        self.cell::<WHOLE, STEP, 0, T>(step, field);
        self.cell::<WHOLE, STEP, 1, T>(step, field);
        self.cell::<WHOLE, STEP, 2, T>(step, field);
        self.cell::<WHOLE, STEP, 3, T>(step, field);
        if R == 8 {
            self.cell::<WHOLE, STEP, 4, T>(step, field);
            self.cell::<WHOLE, STEP, 5, T>(step, field);
            self.cell::<WHOLE, STEP, 6, T>(step, field);
            self.cell::<WHOLE, STEP, 7, T>(step, field);
        }
    }

    /// The cell of row `ROW`, where it has one.
    #[inline(always)]
    fn cell<const WHOLE: bool, const STEP: usize, const ROW: usize, T: FieldBack<V>>(
        &mut self,
        step: usize,
        field: &mut T,
    ) {
        let column = step.wrapping_sub(ROW);
        if !WHOLE && column >= self.bottom.len() {
            return;
        }
        let mut below = match ROW + 1 {
            below if below == R => self.bottom[column],
            below => S::handed(self.above[below], &self.right[below]),
        };
        let given = if GIVEN { Some(self.given[step][ROW]) } else { None };
        let factors = match STEP {
            ALONE => field.at(ROW, column),
            _ => field.in_turn::<STEP>(ROW, step / T::PERIOD),
        };
        let w = S::adjoint(&mut self.right[ROW], &mut below, given, factors);
        let is_first = match STEP {
            ALONE => column.is_multiple_of(T::PERIOD),
            _ => (STEP + R * T::PERIOD - ROW).is_multiple_of(T::PERIOD),
        };
        field.put(ROW, column, is_first, step, w);
        if ROW == 0 {
            self.bottom[column] = below;
        } else {
            self.above[ROW] = below;
        }
    }
}

impl<V: Lanes, S: Scheme<V>, const R: usize, const GIVEN: bool> Back<'_, V, S, R, GIVEN> {
    /// Whole steps, in turns of more than one where they can be.
    #[inline(always)]
    fn steps<T: FieldBack<V>>(&mut self, steps: Range<usize>, field: &mut T) {
        if T::PERIOD == 1 {
            for step in steps.rev() {
                self.step::<true, ALONE, T>(step, field);
            }
            return;
        }
        let (begin, mut step) = (steps.start, steps.end);
        while step > begin {
            if !step.is_multiple_of(T::PERIOD) || step < begin + T::PERIOD {
                step -= 1;
                self.step::<true, ALONE, T>(step, field);
                continue;
            }
            step -= T::PERIOD;
            if T::PERIOD == 4 {
                self.step::<true, 3, T>(step + 3, field);
                self.step::<true, 2, T>(step + 2, field);
            }
            self.step::<true, 1, T>(step + 1, field);
            self.step::<true, 0, T>(step, field);
        }
    }

    /// Whole steps in which one row after the other, the last one first, goes over the joint before `column`.
    #[inline(always)]
    fn renewing_steps<T: FieldBack<V>>(&mut self, column: usize, sum: &mut S::Row, field: &mut T) {
        const { assert!(R == 4 || !S::RENEWS) };
        self.renewing_step::<3, T>(column, sum, field);
        self.renewing_step::<2, T>(column, sum, field);
        self.renewing_step::<1, T>(column, sum, field);
        self.renewing_step::<0, T>(column, sum, field);
    }

    /// The step in which row `AT` does: w at its right is renewed when the row above, a column behind, has seen it.
    #[inline(always)]
    fn renewing_step<const AT: usize, T: FieldBack<V>>(&mut self, column: usize, sum: &mut S::Row, field: &mut T) {
        self.renewing_cell::<AT, 0, T>(column, sum, field);
        self.renewing_cell::<AT, 1, T>(column, sum, field);
        self.renewing_cell::<AT, 2, T>(column, sum, field);
        self.renewing_cell::<AT, 3, T>(column, sum, field);
    }

    #[inline(always)]
    fn renewing_cell<const AT: usize, const ROW: usize, T: FieldBack<V>>(
        &mut self,
        column: usize,
        sum: &mut S::Row,
        field: &mut T,
    ) {
        if ROW == AT {
            S::renew_row(&mut self.right[ROW], sum);
        }
        self.cell::<true, ALONE, ROW, T>(column - 1 + AT, field);
    }
}

/// The adjoint of all cells of R rows. The last of `sums` is where they end, the others every [`RENEWED`] columns before.
#[inline(always)]
pub(super) fn back<V: Lanes, S: Scheme<V>, T: FieldBack<V>, const R: usize, const GIVEN: bool>(
    field: &mut T,
    right: &mut [S::Row; R],
    bottom: &mut [S::Column],
    sums: &mut [S::Row],
    given: &[[V; R]],
) {
    let columns = bottom.len();
    let mut wave = Back::<V, S, R, GIVEN> {
        right: *right,
        above: [S::below(V::zero()); R],
        bottom,
        given,
    };
    for step in (columns.max(R - 1)..columns + R - 1).rev() {
        wave.step::<false, ALONE, _>(step, field);
    }
    let (_, sums) = sums.split_last_mut().expect("where they end");
    let mut sums = sums.iter_mut().rev();
    let (mut until, mut next) = (columns.max(R - 1), columns);
    loop {
        let sum = if const { S::RENEWS } { sums.next() } else { None };
        next = next.wrapping_sub(RENEWED);
        let from = if sum.is_some() { next + R - 1 } else { R - 1 };
        wave.steps(from..until, field);
        let Some(sum) = sum else { break };
        wave.renewing_steps(next, sum, field);
        until = next - 1;
    }
    for step in (0..R - 1).rev() {
        wave.step::<false, ALONE, _>(step, field);
    }
    *right = wave.right;
}
