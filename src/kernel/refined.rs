//! Refined tiles, with lead-lag or without: many cells an increment, which share their Δ.

use super::scheme::{Factors, Many, Scheme};
use super::tile::{Record, Scratch, Tile, apart, steps};
use super::wave::{self, Field, FieldBack, Joint};
use crate::simd::Lanes;

/// An increment of x makes 2^`x_order` rows of cells, and with lead-lag so many for each of its two halves; likewise of
/// y. The increments of a lead-lag path are (dx, 0) and then (0, dx): so Δ is that of the increments where both are in the
/// same half, and elsewhere what time adds.
#[derive(Clone, Copy)]
pub(super) struct Refined {
    pub x_order: u32,
    pub y_order: u32,
    pub lead_lag: bool,
    pub time: bool,
}

/// The factors of R rows of cells.
struct Shared<'a, V, const R: usize> {
    /// `[half column][half row]`
    factors: &'a [Many<V>],
    /// Where the factors of a column of cells begin.
    columns: &'a [usize],
    /// Rows of cells before.
    before: usize,
    tile: Refined,
}

impl<V: Lanes, const R: usize> Field<V> for Shared<'_, V, R> {
    type Factors = Many<V>;
    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> Many<V> {
        self.factors[self.columns[column] + ((self.before + row) >> self.tile.x_order)]
    }
}

/// The same on the way back.
struct SharedBack<'a, V, const R: usize> {
    field: Shared<'a, V, R>,
    adjoint: &'a mut [[V; R]],
}

impl<V: Lanes, const R: usize> Field<V> for SharedBack<'_, V, R> {
    type Factors = Many<V>;
    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> Many<V> {
        self.field.at(row, column)
    }
}

impl<V: Lanes, const R: usize> FieldBack<V> for SharedBack<'_, V, R> {
    #[inline(always)]
    fn put(&mut self, row: usize, _: usize, _: bool, step: usize, w: V) {
        self.adjoint[step][row] = w;
    }
}

impl Refined {
    fn halves(&self) -> usize {
        1 + self.lead_lag as usize
    }

    /// What the cells of a row of tiles share, and where the columns of cells find it.
    #[inline(always)]
    fn share<V: Lanes, const R: usize, const C: usize>(
        &self,
        h: &[[V; R]],
        (dx, dy): (&[[V; R]], &[[V; C]]),
        factors: &mut [Many<V>],
        columns: &mut [usize],
    ) {
        let half_rows = R * self.halves();
        for (c, first) in columns.iter_mut().enumerate() {
            *first = (c >> self.y_order) * half_rows;
        }
        if !self.lead_lag {
            for (factors, h) in factors.chunks_exact_mut(R).zip(h) {
                for r in 0..R {
                    factors[r] = Many::new(h[r]);
                }
            }
            return;
        }
        for (j, (factors, h)) in factors.chunks_exact_mut(4 * R).zip(h).enumerate() {
            let apart = apart(self.time, dx, dy, j);
            let (lead, lag) = factors.split_at_mut(2 * R);
            for r in 0..R {
                let (own, apart) = (Many::new(h[r]), Many::new(apart[r]));
                lead[2 * r] = own;
                lead[2 * r + 1] = apart;
                lag[2 * r] = apart;
                lag[2 * r + 1] = own;
            }
        }
    }
}

impl<V: Lanes, const R: usize, const C: usize> Tile<V, R, C> for Refined {
    fn cells(&self) -> (usize, usize) {
        (self.halves() << self.x_order, self.halves() << self.y_order)
    }

    fn shared(&self, increments: usize) -> usize {
        increments * R * self.halves() * self.halves()
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
        let Scratch { factors, columns, .. } = scratch;
        let factors = &mut factors[..<Self as Tile<V, R, C>>::shared(self, h.len())];
        let columns = &mut columns[..top.len()];
        self.share(h, increments, factors, columns);
        let size = steps::<R>(top.len());
        for (group, left) in left.as_chunks_mut().0.iter_mut().enumerate() {
            let mut field = Shared::<V, R> {
                factors,
                columns,
                before: group * R,
                tile: *self,
            };
            wave::forward::<V, S, _, R>(&mut field, left, top, joints, record, group * size);
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
        let Scratch {
            factors,
            columns,
            adjoint,
            ..
        } = scratch;
        let factors = &mut factors[..<Self as Tile<V, R, C>>::shared(self, h.len())];
        let columns = &mut columns[..bottom.len()];
        self.share(h, increments, factors, columns);
        h.fill([V::zero(); R]);
        let (slopes, given) = (slopes.as_chunks().0, given.as_chunks().0);
        let size = steps::<R>(bottom.len());
        for (group, right) in right.as_chunks_mut().0.iter_mut().enumerate().rev() {
            let given = if GIVEN { &given[group * size..][..size] } else { given };
            let mut field = SharedBack {
                field: Shared::<V, R> {
                    factors,
                    columns,
                    before: group * R,
                    tile: *self,
                },
                adjoint: &mut adjoint.as_chunks_mut().0[..size],
            };
            wave::back::<V, S, _, R, GIVEN>(&mut field, right, bottom, sums, given);
            self.collect(&field, &slopes[group * size..][..size], h);
        }
    }
}

impl Refined {
    /// Adds w · ∂k/∂h of the cells of R rows to the sums of their increments.
    #[inline(always)]
    fn collect<V: Lanes, const R: usize>(&self, of: &SharedBack<'_, V, R>, slopes: &[[V; R]], h: &mut [[V; R]]) {
        let columns = h.len() * (self.halves() << self.y_order);
        let mut column = 0;
        while column < columns {
            // Of the columns of a half increment, row by row.
            let mut sums = [V::zero(); R];
            for c in column..column + (1 << self.y_order) {
                for r in 0..R {
                    sums[r] = of.adjoint[c + r][r].mul_add(slopes[c + r][r], sums[r]);
                }
            }
            let half_column = column >> self.y_order;
            for r in 0..R {
                let half_row = (of.field.before + r) >> self.x_order;
                if half_row % self.halves() == half_column % self.halves() {
                    let sum = &mut h[half_column / self.halves()][half_row / self.halves()];
                    *sum = *sum + sums[r];
                }
            }
            column += 1 << self.y_order;
        }
    }
}
