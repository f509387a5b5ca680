//! Tiles without refinement: one cell an increment, or two by two with lead-lag.

use super::scheme::{Factors, Scheme, Single};
use super::tile::{Products, RING, Record, Scratch, Tile, apart, steps};
use super::wave::{self, Field, FieldBack, Joint};
use crate::simd::Lanes;
use std::ops::Range;

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

/// The same, made of the increments just before the wave comes to it, unless it is there. It stays, or it has room for
/// [`RING`] columns only.
struct Making<'a, V, const R: usize, const C: usize, const STAYS: bool> {
    h: &'a mut [[V; R]],
    increments: (&'a [[V; R]], &'a [[V; C]]),
    made: bool,
    /// Where in the ring column 0 is: columns that are made together do not go over its end.
    begin: usize,
}

impl<'a, V: Lanes, const R: usize, const C: usize, const STAYS: bool> Making<'a, V, R, C, STAYS> {
    #[inline(always)]
    fn new(h: &'a mut [[V; R]], increments: (&'a [[V; R]], &'a [[V; C]]), made: bool, columns: usize) -> Self {
        let begin = if STAYS || made { 0 } else { RING - wave::first(columns) };
        Making {
            h,
            increments,
            made,
            begin,
        }
    }

    #[inline(always)]
    fn place(&self, column: usize) -> usize {
        if STAYS { column } else { (self.begin + column) % RING }
    }
}

impl<V: Lanes, const R: usize, const C: usize, const STAYS: bool> Field<V> for Making<'_, V, R, C, STAYS> {
    type Factors = Single<V>;

    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> Single<V> {
        Single::new(self.h[self.place(column)][row])
    }

    #[inline(always)]
    fn ready(&mut self, columns: Range<usize>) {
        if self.made {
            return;
        }
        let (dx, dy) = self.increments;
        let dy = &dy[columns.start / C * dx.len()..columns.end / C * dx.len()];
        let first = self.place(columns.start);
        let h = &mut self.h[first..first + columns.len()];
        V::call(Products { dx, dy, h });
    }
}

/// The same, and ∂F/∂h in their place where the wave has been.
struct Shares<'a, V, const R: usize> {
    h: &'a mut [[V; R]],
    slopes: &'a [[V; R]],
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
    fn put(&mut self, row: usize, column: usize, _: bool, step: usize, w: V) {
        self.h[column][row] = w * self.slopes[step][row];
    }
}

impl<V: Lanes, const R: usize, const C: usize> Tile<V, R, C> for Plain {
    const MAKES: bool = true;

    fn cells(&self) -> (usize, usize) {
        (1, 1)
    }

    fn shared(&self, _: usize) -> usize {
        0
    }

    #[inline(always)]
    fn forward<S: Scheme<V>, Q: Record<V, R>>(
        &self,
        h: &mut [[V; R]],
        made: bool,
        increments: (&[[V; R]], &[[V; C]]),
        _: &mut Scratch<V>,
        left: &mut [S::Edge],
        top: &mut [S::Edge],
        joints: &mut [Joint<V, S::Edge>],
        record: &mut Q,
    ) {
        let left = left.first_chunk_mut().expect("an edge a row");
        if const { Q::KEEPS } {
            let mut field = Making::<V, R, C, true>::new(&mut h[..top.len()], increments, made, top.len());
            wave::forward::<V, S, _, R>(&mut field, left, top, joints, record, 0);
        } else {
            let mut field = Making::<V, R, C, false>::new(&mut h[..RING], increments, made, top.len());
            wave::forward::<V, S, _, R>(&mut field, left, top, joints, record, 0);
        }
    }

    #[inline(always)]
    fn adjoint<S: Scheme<V>, const GIVEN: bool>(
        &self,
        h: &mut [[V; R]],
        _: (&[[V; R]], &[[V; C]]),
        _: &mut Scratch<V>,
        slopes: &[V],
        given: &[V],
        right: &mut [S::Row],
        bottom: &mut [S::Column],
        sums: &mut [S::Row],
    ) {
        let right = right.first_chunk_mut().expect("a state a row");
        let (slopes, given) = (slopes.as_chunks().0, given.as_chunks().0);
        wave::back::<V, S, _, R, GIVEN>(&mut Shares { h, slopes }, right, bottom, sums, given);
    }
}

/// Lead-lag without refinement. The increments of a lead-lag path are (dx, 0) and then (0, dx), so a pair of
/// increments makes 2 × 2 cells: Δ on the diagonal, what time adds beside it.
#[derive(Clone, Copy)]
pub(super) struct LeadLag {
    pub time: bool,
}

impl LeadLag {
    /// Δ/2 of all cells, R rows after R rows of them.
    #[inline(always)]
    fn unfold<'s, V: Lanes, const R: usize, const C: usize>(
        &self,
        h: &[[V; R]],
        (dx, dy): (&[[V; R]], &[[V; C]]),
        scratch: &'s mut Scratch<V>,
    ) -> [&'s mut [[V; R]]; 2] {
        let cells = &mut scratch.h.as_chunks_mut().0[..4 * h.len()];
        let (upper, lower) = cells.split_at_mut(2 * h.len());
        let halves = upper
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .zip(lower.as_chunks_mut::<2>().0);
        for (j, (h, (upper, lower))) in h.iter().zip(halves).enumerate() {
            let apart = apart(self.time, dx, dy, j);
            for r in 0..R {
                let to = if r < R / 2 { &mut *upper } else { &mut *lower };
                let row = 2 * r % R;
                to[0][row] = h[r];
                to[0][row + 1] = apart[r];
                to[1][row] = apart[r];
                to[1][row + 1] = h[r];
            }
        }
        [upper, lower]
    }
}

impl<V: Lanes, const R: usize, const C: usize> Tile<V, R, C> for LeadLag {
    fn cells(&self) -> (usize, usize) {
        (2, 2)
    }

    fn shared(&self, _: usize) -> usize {
        0
    }

    #[inline(always)]
    fn forward<S: Scheme<V>, Q: Record<V, R>>(
        &self,
        h: &mut [[V; R]],
        _: bool,
        increments: (&[[V; R]], &[[V; C]]),
        scratch: &mut Scratch<V>,
        left: &mut [S::Edge],
        top: &mut [S::Edge],
        joints: &mut [Joint<V, S::Edge>],
        record: &mut Q,
    ) {
        let size = steps::<R>(top.len());
        let cells = self.unfold(h, increments, scratch);
        for (half, (h, left)) in cells.into_iter().zip(left.as_chunks_mut().0).enumerate() {
            wave::forward::<V, S, _, R>(&mut Deltas(h), left, top, joints, record, half * size);
        }
    }

    #[inline(always)]
    fn adjoint<S: Scheme<V>, const GIVEN: bool>(
        &self,
        h: &mut [[V; R]],
        increments: (&[[V; R]], &[[V; C]]),
        scratch: &mut Scratch<V>,
        slopes: &[V],
        given: &[V],
        right: &mut [S::Row],
        bottom: &mut [S::Column],
        sums: &mut [S::Row],
    ) {
        let (slopes, given) = (slopes.as_chunks().0, given.as_chunks().0);
        let size = steps::<R>(bottom.len());
        let cells = self.unfold(h, increments, scratch);
        for (half, (cells, right)) in cells.into_iter().zip(right.as_chunks_mut().0).enumerate().rev() {
            let part = half * size..(half + 1) * size;
            let given = if GIVEN { &given[part.clone()] } else { given };
            let mut shares = Shares {
                h: cells,
                slopes: &slopes[part],
            };
            wave::back::<V, S, _, R, GIVEN>(&mut shares, right, bottom, sums, given);
            for (h, cells) in h.iter_mut().zip(shares.h.as_chunks::<2>().0) {
                for r in 0..R / 2 {
                    h[half * R / 2 + r] = cells[0][2 * r] + cells[1][2 * r + 1];
                }
            }
        }
    }
}
