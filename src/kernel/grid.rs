//! Whole solution grids: k at every node out, ∂F/∂k at every node in.

use super::choice::{Job, choose_for_grids};
use super::groups::{Group, Order as PairOrder};
use super::pairs::{Extent, Order, Receive, Sweep};
use super::pairs_back::Supply;
use super::pairwise::{Loader, Pairs, Task, share_by_kind, tasks};
use super::scheme::Scheme;
use super::tile::Tile;
use crate::error::Result;
use crate::memory::{try_collect, try_vec};
use crate::parallel::{Queue, Run};
use crate::simd::{self, Lanes, MAX_LANES, Real, Work};
use std::ops::Range;

/// Where the nodes of one lane's pair are among the cells of a group, whose lanes end together.
#[derive(Clone, Copy, Default)]
struct Corner {
    /// Cells of the group in front of the pair's own.
    before: (usize, usize),
}

impl Corner {
    /// For every pair of a group that has `padded` cells.
    fn all<S: Real>(pairs: &Pairs<'_, S>, group: &Group<'_>, padded: (usize, usize)) -> [Corner; MAX_LANES] {
        let mut corners = [Corner::default(); MAX_LANES];
        for (corner, &b) in corners.iter_mut().zip(group.pairs) {
            let (rows, columns) = own_cells(pairs, b);
            corner.before = (padded.0 - rows, padded.1 - columns);
        }
        corners
    }

    /// The own cells of the pair among some cells of one axis: (the group's, the pair's own) numbers.
    fn own(range: &Range<usize>, before: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
        let start = range.start;
        (range.start.max(before)..range.end).map(move |cell| (cell - start, cell - before))
    }
}

/// Rows and columns of cells of pair `b`.
fn own_cells<S: Real>(pairs: &Pairs<'_, S>, b: usize) -> (usize, usize) {
    let (orders, transform) = (pairs.options.orders, &pairs.options.transform);
    let cells = |points: usize, order: u32| (transform.points(points) - 1) << order;
    (cells(pairs.x.points(b), orders.0), cells(pairs.y.points(b), orders.1))
}

/// The grids of all pairs into `out`, `shape` nodes each; nodes beyond a pair's own corner are NaN.
pub(super) fn grids<S: Real>(
    pairs: &Pairs<'_, S>,
    out: &mut [S],
    shape: (usize, usize),
    run: &mut Run<'_>,
) -> Result<()> {
    let order = PairOrder::of_pairs(&pairs.x, &pairs.y)?;
    let groups = order.groups(simd::lanes::<S>(), 1, &pairs.options, &pairs.x, &pairs.y)?;
    let mut by_pair: Vec<Option<&mut [S]>> = try_collect(out.chunks_exact_mut(shape.0 * shape.1).map(Some))?;
    let mut sorted: Vec<&mut [S]> = try_collect(order.pairs().iter().map(|&b| by_pair[b].take().unwrap_or_default()))?;
    // What is in no group has no cells.
    for (b, grid) in by_pair.iter_mut().enumerate() {
        if let Some(grid) = grid {
            begin_grid(grid, shape.1, own_cells(pairs, b));
        }
    }
    let tasks = tasks(&groups, &mut sorted)?;
    share_by_kind(pairs, tasks, run, |queue, carry, extent| {
        simd::dispatch(SolveGrids {
            pairs,
            queue,
            carry,
            extent,
            columns: shape.1,
        })
    })
}

struct SolveGrids<'w, 'a, 'q, 't, 's, 'o, S> {
    pairs: &'w Pairs<'a, S>,
    queue: &'w Queue<'q, Task<'t, &'s mut [&'o mut [S]]>>,
    carry: bool,
    extent: &'w Extent,
    columns: usize,
}

impl<S: Real> Work<S> for SolveGrids<'_, '_, '_, '_, '_, '_, S> {
    type Output = Result<()>;
    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        let options = self.pairs.options;
        choose_for_grids::<V, _>(&options, self.carry, self)
    }
}

impl<S: Real, V: Lanes<Scalar = S>> Job<V> for SolveGrids<'_, '_, '_, '_, '_, '_, S> {
    type Output = Result<()>;
    const BACK: bool = false;

    #[inline(always)]
    fn run<C: Scheme<V>, T: Tile<V, R, K>, const R: usize, const K: usize>(self, tile: T) -> Result<()> {
        let mut sweep = Sweep::<V, C, T, R, K>::new(tile, self.extent)?;
        let mut cells = try_vec(sweep.block_slots(), V::zero())?;
        let mut loader = Loader::new()?;
        while let Some(Task { group, outputs }) = self.queue.take() {
            loader.load(self.pairs, &group, &mut sweep)?;
            for (grid, &b) in outputs.iter_mut().zip(group.pairs) {
                begin_grid(grid, self.columns, own_cells(self.pairs, b));
            }
            let corners = Corner::all(self.pairs, &group, sweep.padded());
            let mut nodes = NodesOut {
                grids: outputs,
                corners,
                columns: self.columns,
                queue: self.queue,
            };
            sweep.grids(&mut cells, &mut nodes)?;
            self.queue.advance(group.cells())?;
        }
        Ok(())
    }
}

/// Ones on the axes, NaN beyond the pair's own corner.
fn begin_grid<S: Real>(grid: &mut [S], columns: usize, own: (usize, usize)) {
    for (i, row) in grid.chunks_exact_mut(columns).enumerate() {
        row.fill(S::NAN);
        if i == 0 {
            row[..=own.1].fill(S::ONE);
        } else if i <= own.0 {
            row[0] = S::ONE;
        }
    }
}

/// Writes nodes to the grids of a group.
struct NodesOut<'n, 'q, 'o, S, T> {
    grids: &'n mut [&'o mut [S]],
    corners: [Corner; MAX_LANES],
    columns: usize,
    queue: &'n Queue<'q, T>,
}

impl<V: Lanes, T> Receive<V> for NodesOut<'_, '_, '_, V::Scalar, T> {
    #[inline(always)]
    fn block(&mut self, rows: Range<usize>, columns: Range<usize>, order: &Order, cells: &[V]) -> Result<()> {
        for (lane, grid) in self.grids.iter_mut().enumerate() {
            let before = self.corners[lane].before;
            for (row, own_row) in Corner::own(&rows, before.0) {
                let nodes = &mut grid[(own_row + 1) * self.columns + 1..];
                for (column, own_column) in Corner::own(&columns, before.1) {
                    nodes[own_column] = cells[order.place(row, column)].to_array()[lane];
                }
            }
        }
        self.queue.advance(0)
    }
}

/// Reads what is given at the nodes of a group's grids.
pub(super) struct GivenGrids<'n, S> {
    grad: &'n [S],
    shape: (usize, usize),
    pairs: &'n [usize],
    corners: [Corner; MAX_LANES],
}

impl<'n, S: Real> GivenGrids<'n, S> {
    pub fn new(
        pairs: &Pairs<'_, S>,
        group: &Group<'n>,
        grad: &'n [S],
        shape: (usize, usize),
        padded: (usize, usize),
    ) -> Self {
        GivenGrids {
            grad,
            shape,
            pairs: group.pairs,
            corners: Corner::all(pairs, group, padded),
        }
    }
}

impl<V: Lanes> Supply<V> for GivenGrids<'_, V::Scalar> {
    #[inline(always)]
    fn block(&mut self, rows: Range<usize>, columns: Range<usize>, order: &Order, cells: &mut [V]) {
        for (row, absolute_row) in rows.clone().enumerate() {
            for (column, absolute_column) in columns.clone().enumerate() {
                let mut values = [V::Scalar::ZERO; MAX_LANES];
                for ((value, &b), corner) in values.iter_mut().zip(self.pairs).zip(&self.corners) {
                    let (Some(i), Some(j)) = (
                        absolute_row.checked_sub(corner.before.0),
                        absolute_column.checked_sub(corner.before.1),
                    ) else {
                        continue;
                    };
                    *value = self.grad[(b * self.shape.0 + i + 1) * self.shape.1 + j + 1];
                }
                cells[order.place(row, column)] = V::load(&values);
            }
        }
    }
}
