//! The Goursat scheme: one cell of the grid, and one cell of its adjoint.
//!
//! The signature kernel solves ∂²k/∂s∂t = <x'_s, y'_t> k with k = 1 on both axes (Salvi et al. 2021). On the grid,
//! with Δ = <dx_i, dy_j> / 2^(λ1+λ2) and h = Δ/2,
//!
//! ```text
//! k[i+1][j+1] = (k[i+1][j] + k[i][j+1])·A - k[i][j]·B      A = 1 + Δ/2 + Δ²/12 = 1 + a      a = h + h²/3
//!                                                          B = 1 - Δ²/12       = 1 - b      b = h²/3
//! ```
//!
//! Of a cell, l = k[i+1][j] is left, u = k[i][j+1] is up, d = k[i][j] is the corner, and with p = l + u, q = p + d
//!
//! ```text
//! k[i+1][j+1] = (p - d) + h·(p + (h/3)·q) = (p - d) + a·p + b·d
//! ```
//!
//! symmetric in l and u to the last bit. Its adjoint, with w = ∂F/∂k and ∂k/∂h = p + (2h/3)·q, is the same scheme
//! backwards: w[i][j] = (A w)[i][j+1] + (A w)[i+1][j] - (B w)[i+1][j+1], the cell of w[i][j] being the one whose last
//! corner it is the adjoint of.
//!
//! [`Values`] keeps k alone, which swallows updates below the rounding unit of k. [`Carried`] keeps the increments of
//! k along the edges too, and loses nothing of them. What k itself loses as the sum of them it gets back every [`RENEWED`]
//! rows and columns, from a compensated sum of the increments along the whole axis (Kahan 1965): so errors do not build up.

use crate::simd::Lanes;

/// Rows and columns of cells after which k is renewed, counted from the end. As many of both, so that k(x, y) and k(y, x)
/// are renewed at the same places and have the same bits.
pub(super) const RENEWED: usize = 32;

/// What a cell's Δ becomes before it is used.
pub(super) trait Factors<V: Lanes>: Copy {
    /// From h = Δ/2.
    fn new(half_delta: V) -> Self;
    /// k
    fn next(self, p: V, d: V) -> V;
    /// The same for two bases, and for half of what is `twice` a base.
    fn carry(self, p: V, d: V, bases: [V; 2], twice: V) -> [V; 3];
    /// ∂k/∂h
    fn slope(self, p: V, d: V) -> V;
    /// `(a·w, b·w)`
    fn spread(self, w: V) -> (V, V);
    /// `(A·w, B·w)`
    fn spread_all(self, w: V) -> (V, V);
}

/// For a cell that is alone with its Δ: the fewest operations from h.
#[derive(Clone, Copy)]
pub(super) struct Single<V> {
    h: V,
    third: V,
}

impl<V: Lanes> Factors<V> for Single<V> {
    #[inline(always)]
    fn new(half_delta: V) -> Self {
        Single {
            h: half_delta,
            third: half_delta * V::constant(1.0 / 3.0),
        }
    }

    #[inline(always)]
    fn next(self, p: V, d: V) -> V {
        self.h.mul_add(self.third.mul_add(p + d, p), p - d)
    }

    #[inline(always)]
    fn carry(self, p: V, d: V, bases: [V; 2], twice: V) -> [V; 3] {
        // The half does not wait for the growth.
        let (f, half) = (self.third.mul_add(p + d, p), twice * V::constant(0.5));
        [
            self.h.mul_add(f, bases[0]),
            self.h.mul_add(f, bases[1]),
            self.h.mul_add(f, half),
        ]
    }

    #[inline(always)]
    fn slope(self, p: V, d: V) -> V {
        let q = p + d;
        self.third.mul_add(q, self.third.mul_add(q, p))
    }

    #[inline(always)]
    fn spread(self, w: V) -> (V, V) {
        let s = self.h * w;
        (self.third.mul_add(s, s), self.third * s)
    }

    #[inline(always)]
    fn spread_all(self, w: V) -> (V, V) {
        // a and b do not wait for w.
        let (a, b) = (self.third.mul_add(self.h, self.h), self.third * self.h);
        (a.mul_add(w, w), b.neg_mul_add(w, w))
    }
}

/// For the cells of a refined increment, which share their Δ: a and b are had once for all of them.
#[derive(Clone, Copy)]
pub(super) struct Many<V> {
    a: V,
    b: V,
    two_thirds: V,
}

impl<V: Lanes> Factors<V> for Many<V> {
    #[inline(always)]
    fn new(half_delta: V) -> Self {
        let third = half_delta * V::constant(1.0 / 3.0);
        let b = half_delta * third;
        Many {
            a: half_delta + b,
            b,
            two_thirds: third + third,
        }
    }

    #[inline(always)]
    fn next(self, p: V, d: V) -> V {
        // B·d does not wait for p.
        self.a.mul_add(p, p - self.b.neg_mul_add(d, d))
    }

    #[inline(always)]
    fn carry(self, p: V, d: V, bases: [V; 2], twice: V) -> [V; 3] {
        let growth = self.a.mul_add(p, self.b * d);
        [
            bases[0] + growth,
            bases[1] + growth,
            twice.mul_add(V::constant(0.5), growth),
        ]
    }

    #[inline(always)]
    fn slope(self, p: V, d: V) -> V {
        self.two_thirds.mul_add(p + d, p)
    }

    #[inline(always)]
    fn spread(self, w: V) -> (V, V) {
        (self.a * w, self.b * w)
    }

    #[inline(always)]
    fn spread_all(self, w: V) -> (V, V) {
        (self.a.mul_add(w, w), self.b.neg_mul_add(w, w))
    }
}

/// What is kept along the grid. States are arrays of vectors, so that they can be moved from lane to lane.
pub(super) trait Scheme<V: Lanes>: Send + Sync + 'static {
    /// Whether k is renewed.
    const RENEWS: bool;
    /// At an edge: k at its far end first.
    type Edge: Vectors<V>;
    /// Of the adjoint: what a row hands to the left, and what a column hands up.
    type Row: Vectors<V>;
    type Column: Vectors<V>;

    /// The edge of a constant function.
    fn flat(value: V) -> Self::Edge;
    /// One cell: turns the left edge into the right one, the upper edge into the lower one.
    fn cell<F: Factors<V>>(left: &mut Self::Edge, up: &mut Self::Edge, corner: V, factors: F);

    /// What a cell handed down, given what it handed to the right: what both hold is kept but once.
    fn under(below: Self::Edge, right: &Self::Edge) -> Self::Edge;

    /// Renews k at an edge, given the sum so far of the increments before it in its row or column.
    fn renew(edge: &mut Self::Edge, sum: &mut Self::Edge);
    /// The same at consecutive edges.
    #[inline(always)]
    fn renew_edges(edges: &mut [Self::Edge], sum: &mut Self::Edge) {
        for edge in edges {
            Self::renew(edge, sum);
        }
    }
    /// The same for ∂F/∂k along a row of columns, from the last on,
    fn renew_columns(columns: &mut [Self::Column], sum: &mut Self::Column);
    /// and along a column of rows: one, given the sum below it,
    fn renew_row(row: &mut Self::Row, sum: &mut Self::Row);
    /// or several, from the last on.
    #[inline(always)]
    fn renew_rows(rows: &mut [Self::Row], sum: &mut Self::Row) {
        for row in rows.iter_mut().rev() {
            Self::renew_row(row, sum);
        }
    }

    /// What hands w = `seed` up and to the left where the grid ends: as k begins with 1 on both axes, its adjoint begins
    /// with ∂F/∂k of the last corner behind both ends.
    fn below(seed: V) -> Self::Column;
    fn beyond(seed: V) -> Self::Row;
    /// What a row of cells handed up, given what it now hands to the left: what both hold is kept but once.
    #[inline(always)]
    fn handed(up: Self::Column, _left: &Self::Row) -> Self::Column {
        up
    }
    /// One cell of the adjoint, from what its neighbours hand it and `given` = ∂F/∂k as it was given; returns w.
    fn adjoint<F: Factors<V>>(row: &mut Self::Row, column: &mut Self::Column, given: Option<V>, factors: F) -> V;
}

/// A fixed number of vectors.
pub(super) trait Vectors<V: Lanes>: Copy + Send + Sync + AsRef<[V]> + AsMut<[V]> {
    fn zero() -> Self;
    /// All vectors of some states.
    fn flatten(states: &mut [Self]) -> &mut [V];

    /// The number kept first: of an edge, k.
    #[inline(always)]
    fn value(&self) -> V {
        self.as_ref()[0]
    }
}

impl<V: Lanes, const N: usize> Vectors<V> for [V; N] {
    #[inline(always)]
    fn zero() -> Self {
        [V::zero(); N]
    }

    #[inline(always)]
    fn flatten(states: &mut [Self]) -> &mut [V] {
        states.as_flattened_mut()
    }
}

/// Keeps k alone.
pub(super) struct Values;

impl<V: Lanes> Scheme<V> for Values {
    const RENEWS: bool = false;
    type Edge = [V; 1];
    /// A·w and B·w of the cell to the right.
    type Row = [V; 2];
    /// A·w of the cell below, less B·w of the cell below to the right.
    type Column = [V; 1];

    #[inline(always)]
    fn flat(value: V) -> [V; 1] {
        [value]
    }

    #[inline(always)]
    fn cell<F: Factors<V>>(left: &mut [V; 1], up: &mut [V; 1], d: V, factors: F) {
        let p = left[0] + up[0];
        *left = [factors.next(p, d)];
        *up = *left;
    }

    #[inline(always)]
    fn under(_: [V; 1], right: &[V; 1]) -> [V; 1] {
        *right
    }

    #[inline(always)]
    fn renew(_: &mut [V; 1], _: &mut [V; 1]) {}

    #[inline(always)]
    fn renew_columns(_: &mut [[V; 1]], _: &mut [V; 1]) {}

    #[inline(always)]
    fn renew_row(_: &mut [V; 2], _: &mut [V; 2]) {}

    #[inline(always)]
    fn below(_: V) -> [V; 1] {
        [V::zero()]
    }

    #[inline(always)]
    fn beyond(seed: V) -> [V; 2] {
        [seed; 2]
    }

    #[inline(always)]
    fn adjoint<F: Factors<V>>(row: &mut [V; 2], column: &mut [V; 1], given: Option<V>, factors: F) -> V {
        let mut w = row[0] + column[0];
        if let Some(given) = given {
            w = w + given;
        }
        let (forth, across) = factors.spread_all(w);
        column[0] = forth - row[1];
        *row = [forth, across];
        w
    }
}

/// Adds to a sum and what rounding took from it.
#[inline(always)]
fn add_compensated<V: Lanes>(increment: V, sum: &mut [V]) -> V {
    let more = increment + sum[1];
    let total = sum[0] + more;
    sum[1] = more - (total - sum[0]);
    sum[0] = total;
    total
}

/// Keeps k and its increment along the edge.
pub(super) struct Carried;

impl<V: Lanes> Scheme<V> for Carried {
    const RENEWS: bool = true;
    type Edge = [V; 2];
    /// w, its increment along the column to the right, and a·w, b·w of the cell to the right.
    type Row = [V; 4];
    /// w, its increment along the row below, and a·w of the cell below plus b·w of the one below to the right.
    type Column = [V; 3];

    #[inline(always)]
    fn flat(value: V) -> [V; 2] {
        [value, V::zero()]
    }

    #[inline(always)]
    fn cell<F: Factors<V>>(left: &mut [V; 2], up: &mut [V; 2], d: V, factors: F) {
        // k is the mean of what both edges make it.
        let p = left[0] + up[0];
        let [down, right, k] = factors.carry(p, d, [left[1], up[1]], p + (left[1] + up[1]));
        *left = [k, down];
        *up = [k, right];
    }

    #[inline(always)]
    fn under(below: [V; 2], right: &[V; 2]) -> [V; 2] {
        [right[0], below[1]]
    }

    #[inline(always)]
    fn renew(edge: &mut [V; 2], sum: &mut [V; 2]) {
        edge[0] = add_compensated(edge[1], sum);
    }

    #[inline(always)]
    fn renew_columns(columns: &mut [[V; 3]], sum: &mut [V; 3]) {
        for column in columns.iter_mut().rev() {
            column[0] = add_compensated(column[1], &mut sum[..2]);
        }
    }

    #[inline(always)]
    fn renew_row(row: &mut [V; 4], sum: &mut [V; 4]) {
        row[0] = add_compensated(row[1], &mut sum[..2]);
    }

    #[inline(always)]
    fn below(seed: V) -> [V; 3] {
        [seed, V::zero(), V::zero()]
    }

    #[inline(always)]
    fn beyond(seed: V) -> [V; 4] {
        [seed, V::zero(), V::zero(), V::zero()]
    }

    #[inline(always)]
    fn handed(up: [V; 3], left: &[V; 4]) -> [V; 3] {
        [left[0], up[1], up[2]]
    }

    #[inline(always)]
    fn adjoint<F: Factors<V>>(row: &mut [V; 4], column: &mut [V; 3], given: Option<V>, factors: F) -> V {
        let mut growth = row[2] + column[2];
        if let Some(given) = given {
            growth = growth + given;
        }
        let half = (row[0] + column[0]) + (row[1] + column[1]);
        let w = half.mul_add(V::constant(0.5), growth);
        let (down, right) = (row[1] + growth, column[1] + growth);
        let (forth, across) = factors.spread(w);
        *column = [w, right, forth + row[3]];
        *row = [w, down, forth, across];
        w
    }
}
