//! A row of tiles, each of R × C increments of x and y: their products, and what becomes of them in cells.

use super::scheme::{Factors, Many, Scheme};
use super::wave::{Joint, NEXT};
use crate::error::Result;
use crate::memory::try_vec;
use crate::path::Ahead;
use crate::simd::{Lanes, Part};

/// Room for columns of Δ/2 that are made on the way: those of a turn, and those that the wave still looks back to.
pub(super) const RING: usize = 2 * NEXT;

/// The same for columns that are all made before.
pub(super) const ROOM: usize = 64;

/// Rows of a panel whose products are summed together: with C columns, their sums stay in registers.
const TOGETHER: usize = 4;

/// Δ/2 of a tile, column by column: sums over channels, in one order. Time, where there is time, is the last channel.
#[inline(always)]
fn products<V: Lanes, const R: usize, const C: usize>(dx: &[[V; R]], dy: &[[V; C]], h: &mut [[V; R]; C]) {
    for first in (0..R).step_by(TOGETHER) {
        let mut sums = [[V::zero(); TOGETHER]; C];
        for (x, y) in dx.iter().zip(dy) {
            for c in 0..C {
                for r in 0..TOGETHER {
                    sums[c][r] = x[first + r].mul_add(y[c], sums[c][r]);
                }
            }
        }
        for c in 0..C {
            for r in 0..TOGETHER {
                sums[c][r].put(&mut h[c][first + r]);
            }
        }
    }
}

/// [`products`] of a row of tiles.
#[inline(always)]
pub(super) fn row_products<V: Lanes, const R: usize, const C: usize>(dx: &[[V; R]], dy: &[[V; C]], h: &mut [[V; R]]) {
    for (h, dy) in h.as_chunks_mut().0.iter_mut().zip(dy.chunks_exact(dx.len())) {
        products(dx, dy, h);
    }
}

/// The same as a function of its own.
pub(super) struct Products<'a, V, const R: usize, const C: usize> {
    pub dx: &'a [[V; R]],
    pub dy: &'a [[V; C]],
    pub h: &'a mut [[V; R]],
}

impl<V: Lanes, const R: usize, const C: usize> Part<V> for Products<'_, V, R, C> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        row_products(self.dx, self.dy, self.h);
    }
}

/// Is told of every cell of a row of tiles, in steps of R cells: those of a wave over R rows, then of the next.
pub(super) trait Record<V: Lanes, const R: usize> {
    /// Whether Δ/2 is to stay where it is put.
    const KEEPS: bool = true;
    /// The same for a while: it can be had in registers.
    type Borrowed<'b>: Record<V, R>
    where
        Self: 'b;
    fn borrow(&mut self) -> Self::Borrowed<'_>;
    /// l, u, d of the cell, its factors, and its k.
    fn cell<F: Factors<V>>(&mut self, step: usize, row: usize, around: [V; 3], factors: F, k: V);
    /// Is told of every step of a wave.
    #[inline(always)]
    fn step(&mut self) {}
}

/// Forgets.
impl<V: Lanes, const R: usize> Record<V, R> for () {
    const KEEPS: bool = false;
    type Borrowed<'b> = ();
    #[inline(always)]
    fn borrow(&mut self) {}
    #[inline(always)]
    fn cell<F: Factors<V>>(&mut self, _: usize, _: usize, _: [V; 3], _: F, _: V) {}
}

/// Forgets, and asks for what others will want.
pub(super) struct Asking<'a, S>(pub &'a mut Ahead<S>);

impl<V: Lanes, const R: usize> Record<V, R> for Asking<'_, V::Scalar> {
    const KEEPS: bool = false;
    type Borrowed<'b>
        = Asking<'b, V::Scalar>
    where
        Self: 'b;
    #[inline(always)]
    fn borrow(&mut self) -> Asking<'_, V::Scalar> {
        Asking(&mut *self.0)
    }
    #[inline(always)]
    fn cell<F: Factors<V>>(&mut self, _: usize, _: usize, _: [V; 3], _: F, _: V) {}
    #[inline(always)]
    fn step(&mut self) {
        self.0.step::<V>();
    }
}

impl<V: Lanes, Q: Record<V, R>, const R: usize> Record<V, R> for &mut Q {
    const KEEPS: bool = Q::KEEPS;
    type Borrowed<'b>
        = Q::Borrowed<'b>
    where
        Self: 'b;
    #[inline(always)]
    fn borrow(&mut self) -> Q::Borrowed<'_> {
        (**self).borrow()
    }
    #[inline(always)]
    fn cell<F: Factors<V>>(&mut self, step: usize, row: usize, around: [V; 3], factors: F, k: V) {
        (**self).cell(step, row, around, factors, k);
    }
    #[inline(always)]
    fn step(&mut self) {
        (**self).step();
    }
}

/// Keeps ∂k/∂h of every cell: what the adjoint needs.
pub(super) struct Slopes<'a, V, const R: usize>(&'a mut [[V; R]]);

impl<V: Lanes, const R: usize> Record<V, R> for Slopes<'_, V, R> {
    type Borrowed<'b>
        = Slopes<'b, V, R>
    where
        Self: 'b;
    #[inline(always)]
    fn borrow(&mut self) -> Slopes<'_, V, R> {
        Slopes(&mut *self.0)
    }
    #[inline(always)]
    fn cell<F: Factors<V>>(&mut self, step: usize, row: usize, [l, u, d]: [V; 3], factors: F, _: V) {
        self.0[step][row] = factors.slope(l + u, d);
    }
}

/// Keeps k of every cell: the grid.
pub(super) struct Nodes<'a, V, const R: usize>(&'a mut [[V; R]]);

impl<V: Lanes, const R: usize> Record<V, R> for Nodes<'_, V, R> {
    type Borrowed<'b>
        = Nodes<'b, V, R>
    where
        Self: 'b;
    #[inline(always)]
    fn borrow(&mut self) -> Nodes<'_, V, R> {
        Nodes(&mut *self.0)
    }
    #[inline(always)]
    fn cell<F: Factors<V>>(&mut self, step: usize, row: usize, _: [V; 3], _: F, k: V) {
        self.0[step][row] = k;
    }
}

/// Makes the records of the rows of tiles of a block, and has room for their Δ/2.
///
/// A trait and not a closure: closures are inlined at the compiler's discretion, and one with vectors in it that is not
/// inlined is compiled without the features of its level.
pub(super) trait Records<V: Lanes, const R: usize> {
    /// Whether Δ/2 is to stay where it is put.
    const KEEPS: bool = true;
    type Row<'a>: Record<V, R>
    where
        Self: 'a;
    /// Room for Δ/2 of all rows, and how many columns of them there is room for where there are so many increments.
    fn h(&mut self, increments: usize) -> (&mut [[V; R]], usize);
    /// For row number `row` of tiles, of `increments` columns and `slots` slots; `all`: Δ/2 of all rows is there.
    fn row(&mut self, row: usize, increments: usize, slots: usize, all: bool) -> (&mut [[V; R]], Self::Row<'_>);
}

/// Keeps nothing: its record is the same for all rows.
pub(super) struct Passing<'a, V, Q, const R: usize>(pub &'a mut [[V; R]], pub Q);

impl<V: Lanes, Q: Record<V, R>, const R: usize> Records<V, R> for Passing<'_, V, Q, R> {
    const KEEPS: bool = Q::KEEPS;
    type Row<'a>
        = &'a mut Q
    where
        Self: 'a;
    #[inline(always)]
    fn h(&mut self, _: usize) -> (&mut [[V; R]], usize) {
        (self.0, ROOM)
    }
    #[inline(always)]
    fn row(&mut self, row: usize, _: usize, _: usize, all: bool) -> (&mut [[V; R]], &mut Q) {
        let row = if all { row } else { 0 };
        (&mut self.0[row * ROOM..][..ROOM], &mut self.1)
    }
}

/// Δ/2 and the slopes of a block.
pub(super) struct BlockSlopes<'a, V, const R: usize> {
    pub h: &'a mut [[V; R]],
    pub slopes: &'a mut [V],
}

impl<V: Lanes, const R: usize> Records<V, R> for BlockSlopes<'_, V, R> {
    type Row<'a>
        = Slopes<'a, V, R>
    where
        Self: 'a;
    #[inline(always)]
    fn h(&mut self, increments: usize) -> (&mut [[V; R]], usize) {
        (self.h, increments)
    }
    #[inline(always)]
    fn row(&mut self, row: usize, increments: usize, slots: usize, _: bool) -> (&mut [[V; R]], Slopes<'_, V, R>) {
        (
            &mut self.h[row * increments..][..increments],
            Slopes(self.slopes[row * slots..][..slots].as_chunks_mut().0),
        )
    }
}

/// The nodes of a block.
pub(super) struct BlockNodes<'a, V, const R: usize> {
    pub h: &'a mut [[V; R]],
    pub nodes: &'a mut [V],
}

impl<V: Lanes, const R: usize> Records<V, R> for BlockNodes<'_, V, R> {
    type Row<'a>
        = Nodes<'a, V, R>
    where
        Self: 'a;
    #[inline(always)]
    fn h(&mut self, increments: usize) -> (&mut [[V; R]], usize) {
        (self.h, increments)
    }
    #[inline(always)]
    fn row(&mut self, row: usize, increments: usize, slots: usize, _: bool) -> (&mut [[V; R]], Nodes<'_, V, R>) {
        (
            &mut self.h[row * increments..][..increments],
            Nodes(self.nodes[row * slots..][..slots].as_chunks_mut().0),
        )
    }
}

/// With lead-lag, Δ/2 of a column of increments in different halves: what time alone adds. Time is the last channel.
#[inline(always)]
pub(super) fn apart<V: Lanes, const R: usize, const C: usize>(
    time: bool,
    dx: &[[V; R]],
    dy: &[[V; C]],
    column: usize,
) -> [V; R] {
    let mut apart = [V::zero(); R];
    if let Some(x) = dx.last()
        && time
    {
        let y = dy[(column / C + 1) * dx.len() - 1][column % C];
        for r in 0..R {
            apart[r] = x[r] * y;
        }
    }
    apart
}

/// Scratch of a row of tiles.
pub(super) struct Scratch<V> {
    /// What refined cells share, and where the columns of cells find it.
    pub factors: Vec<Many<V>>,
    pub columns: Vec<usize>,
    /// ∂F/∂k of R rows of refined cells.
    pub adjoint: Vec<V>,
    /// Δ/2 of cells that do not share it.
    pub h: Vec<V>,
}

impl<V: Lanes> Scratch<V> {
    /// For rows of `increments` increments of y.
    pub fn new<T: Tile<V, R, C>, const R: usize, const C: usize>(tile: &T, increments: usize) -> Result<Self> {
        let (x_cells, y_cells) = tile.cells();
        let (factors, columns) = (tile.shared(increments), increments * y_cells);
        let some = |size: usize| if factors > 0 { size } else { 0 };
        let own = factors == 0 && x_cells > 1;
        Ok(Scratch {
            factors: try_vec(factors, Many::new(V::zero()))?,
            columns: try_vec(some(columns), 0)?,
            adjoint: try_vec(some(slots::<R>(R, columns)), V::zero())?,
            h: try_vec(if own { R * x_cells * columns } else { 0 }, V::zero())?,
        })
    }
}

/// Slots of some rows and columns of cells: R a step of the waves over them.
pub(super) const fn slots<const R: usize>(rows: usize, columns: usize) -> usize {
    rows * steps::<R>(columns)
}

/// Steps of a wave over R rows.
pub(super) const fn steps<const R: usize>(columns: usize) -> usize {
    columns + R - 1
}

/// How the cells of a row of tiles come of its increments.
pub(super) trait Tile<V: Lanes, const R: usize, const C: usize>: Copy + Send + Sync {
    /// Whether Δ/2 is made as the cells need it: else it is there before.
    const MAKES: bool = false;

    /// Refined cells along an increment of x and of y.
    fn cells(&self) -> (usize, usize);

    /// Factors that cells of a row of tiles share, of so many increments of y.
    fn shared(&self, increments: usize) -> usize;

    /// All cells, given h = Δ/2 of the columns of increments if it was `made`, the edges left and above, and the joints
    /// of the row above; leaves the right and lower edges.
    fn forward<S: Scheme<V>, Q: Record<V, R>>(
        &self,
        h: &mut [[V; R]],
        made: bool,
        increments: (&[[V; R]], &[[V; C]]),
        scratch: &mut Scratch<V>,
        left: &mut [S::Edge],
        top: &mut [S::Edge],
        joints: &mut [Joint<V, S::Edge>],
        record: &mut Q,
    );

    /// The adjoint of all cells, backwards: `slopes` as [`Slopes`] kept them, `given`, if `GIVEN`, the gradient at every
    /// node in the same order, `sums` those of the joints below. Replaces h by ∂F/∂h summed over the cells of every increment.
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
    );
}
