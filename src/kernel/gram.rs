//! Gram matrices: all pairs of two batches, one path of x against a group of paths of y at a time.

use super::choice::{Job, carries, choose, extent, scale};
use super::gram_pairs;
use super::groups::{Gather, has_cells};
use super::pairs::{Extent, Sweep};
use super::pairwise::{Meter, Pairs};
use super::panels::Lane;
use super::scheme::Scheme;
use super::tile::Tile;
use crate::error::Result;
use crate::memory::{try_collect, try_with_room};
use crate::parallel::{Queue, Run, share};
use crate::path::Batch;
use crate::simd::{self, Lanes, MAX_LANES, Real, Work};
use std::ops::Range;

/// The most paths of x that are taken together: a task interleaves the paths of y once for all of them. Gradients are
/// summed over so many, whatever else there is: their bits depend on it.
pub(super) const ROWS: usize = 16;

/// Tasks that there are at least, so that threads have enough to share, where there are so many rows and groups.
const TASKS: usize = 16;

/// The order in which paths are taken: the longer ones first.
fn by_length<S: Real>(batch: &Batch<'_, S>) -> Result<Vec<usize>> {
    let mut order: Vec<usize> = try_collect(0..batch.batch())?;
    if batch.layout().lengths.is_some() {
        order.sort_unstable_by_key(|&b| (std::cmp::Reverse(batch.points(b)), b));
    }
    Ok(order)
}

/// All pairs of a call, in the order in which they are taken.
pub(super) struct Plan<'w, 'a, S> {
    pub pairs: &'w Pairs<'a, S>,
    pub x_order: Vec<usize>,
    pub y_order: Vec<usize>,
    pub symmetric: bool,
}

impl<S: Real> Plan<'_, '_, S> {
    /// The places in `y_order` of the groups that rows `rows` of `x_order` need.
    pub fn groups(&self, rows: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<S> {
        let (lanes, count) = (simd::lanes::<S>(), self.y_order.len());
        let first = if self.symmetric { rows.start / lanes } else { 0 };
        (first..count.div_ceil(lanes)).map(move |g| g * lanes..count.min((g + 1) * lanes))
    }

    /// Rows of a task that computes kernels: fewer where there are few, so that every thread has some.
    fn rows(&self) -> usize {
        let groups = self.y_order.len().div_ceil(simd::lanes::<S>());
        (self.x_order.len().saturating_mul(groups) / TASKS).clamp(1, ROWS)
    }

    /// The places in `x_order` that are taken together.
    pub fn row_chunks(&self, rows: usize) -> impl Iterator<Item = Range<usize>> + use<S> {
        let count = self.x_order.len();
        (0..count)
            .step_by(rows)
            .map(move |first| first..count.min(first + rows))
    }

    /// Whether the pair at these places is computed: of a symmetric matrix, the upper triangle is.
    pub fn wanted(&self, row: usize, column: usize) -> bool {
        !self.symmetric || row <= column
    }

    pub fn carries(&self, row: usize, column: usize) -> bool {
        let (x, y) = (&self.pairs.x, &self.pairs.y);
        carries::<S>(
            &self.pairs.options,
            x.points(self.x_order[row]),
            y.points(self.y_order[column]),
        )
    }

    /// Whether any pair of a row and a group is computed by sweeps of this kind.
    fn any(&self, row: usize, group: &Range<usize>, carry: bool) -> bool {
        group
            .clone()
            .any(|column| self.wanted(row, column) && self.carries(row, column) == carry)
    }

    /// The kinds of sweeps that the pairs need: without and with carried increments.
    pub fn kinds(&self) -> impl Iterator<Item = bool> + use<S> {
        let ends = |order: &[usize]| order.first().copied().zip(order.last().copied());
        let any = match (ends(&self.x_order), ends(&self.y_order)) {
            (Some((x_long, x_short)), Some((y_long, y_short))) => {
                let (x, y) = (&self.pairs.x, &self.pairs.y);
                let carried = |i: usize, j: usize| carries::<S>(&self.pairs.options, x.points(i), y.points(j));
                [!carried(x_short, y_short), carried(x_long, y_long)]
            }
            _ => [false, false],
        };
        [false, true].into_iter().filter(move |&carry| any[carry as usize])
    }

    pub fn extent(&self) -> Extent {
        let longest = |batch: &Batch<'_, S>, order: &[usize]| order.first().map_or(1, |&b| batch.points(b));
        let points = (
            longest(&self.pairs.x, &self.x_order),
            longest(&self.pairs.y, &self.y_order),
        );
        extent(&self.pairs.options, &self.pairs.x, points)
    }

    /// Pairs that are computed.
    pub fn count(&self) -> u64 {
        let (m, n) = (self.x_order.len() as u64, self.y_order.len() as u64);
        if self.symmetric { n * (n + 1) / 2 } else { m * n }
    }
}

pub(super) fn plan<'w, 'a, S: Real>(pairs: &'w Pairs<'a, S>, symmetric: bool) -> Result<Plan<'w, 'a, S>> {
    Ok(Plan {
        pairs,
        x_order: by_length(&pairs.x)?,
        y_order: by_length(&pairs.y)?,
        symmetric,
    })
}

/// Some rows of the matrix, by their places, and where each goes.
struct Rows<'o, S> {
    places: Range<usize>,
    outputs: Vec<&'o mut [S]>,
}

/// The matrix into `out`.
pub(super) fn matrix<S: Real>(pairs: &Pairs<'_, S>, symmetric: bool, out: &mut [S], run: &mut Run<'_>) -> Result<()> {
    if gram_pairs::pays(pairs, symmetric) {
        return gram_pairs::matrix(pairs, symmetric, out, run);
    }
    let plan = plan(pairs, symmetric)?;
    let columns = pairs.y.batch();
    if out.is_empty() {
        return Ok(());
    }
    for carry in plan.kinds() {
        let mut rows: Vec<Option<&mut [S]>> = try_collect(out.chunks_exact_mut(columns).map(Some))?;
        let mut tasks = try_with_room(plan.x_order.len().div_ceil(plan.rows()))?;
        for places in plan.row_chunks(plan.rows()) {
            let own = &plan.x_order[places.clone()];
            tasks.push(Rows {
                outputs: try_collect(own.iter().map(|&i| rows[i].take().unwrap_or_default()))?,
                places,
            });
        }
        share(run, tasks, plan.count(), |queue| {
            simd::dispatch(Solve {
                plan: &plan,
                queue,
                carry,
            })
        })?;
    }
    if symmetric {
        mirror(&plan.x_order, out);
    }
    beside_one_point(pairs, out);
    Ok(())
}

/// The kernel of a path of one point with anything is 1, also with NaN, which has met the zeros that fill up its path.
fn beside_one_point<S: Real>(pairs: &Pairs<'_, S>, out: &mut [S]) {
    let (x, y) = (&pairs.x, &pairs.y);
    if !(0..x.batch()).any(|i| x.points(i) == 1) && !(0..y.batch()).any(|j| y.points(j) == 1) {
        return;
    }
    for (i, row) in out.chunks_exact_mut(y.batch()).enumerate() {
        for (j, k) in row.iter_mut().enumerate() {
            if !has_cells(x.points(i), y.points(j)) {
                *k = S::ONE;
            }
        }
    }
}

/// Copies the triangle that was computed to the other: row before column in `order`.
fn mirror<S: Real>(order: &[usize], out: &mut [S]) {
    let n = order.len();
    for (place, &i) in order.iter().enumerate() {
        for &j in &order[place + 1..] {
            out[j * n + i] = out[i * n + j];
        }
    }
}

/// Lanes of one path of x, and of a group of paths of y.
pub(super) struct Loader<S> {
    x: Gather<S>,
    y: Gather<S>,
}

impl<S: Real> Loader<S> {
    pub fn new() -> Result<Self> {
        Ok(Loader {
            x: Gather::new(1)?,
            y: Gather::new(MAX_LANES)?,
        })
    }

    #[inline(always)]
    pub fn load_x<V, C, T, const R: usize, const K: usize>(
        &mut self,
        plan: &Plan<'_, '_, S>,
        row: usize,
        sweep: &mut Sweep<V, C, T, R, K>,
    ) -> Result<()>
    where
        V: Lanes<Scalar = S>,
        C: Scheme<V>,
        T: Tile<V, R, K>,
    {
        let (options, x) = (&plan.pairs.options, &plan.pairs.x);
        let mut lanes = [Lane::empty(); 1];
        let path = x.path(plan.x_order[row]);
        self.x.lanes(std::iter::once(path), options, &mut lanes)?;
        sweep.x.interleave(&lanes, scale(options));
        Ok(())
    }

    #[inline(always)]
    pub fn load_y<V, C, T, const R: usize, const K: usize>(
        &mut self,
        plan: &Plan<'_, '_, S>,
        group: &Range<usize>,
        sweep: &mut Sweep<V, C, T, R, K>,
    ) -> Result<()>
    where
        V: Lanes<Scalar = S>,
        C: Scheme<V>,
        T: Tile<V, R, K>,
    {
        let (options, y) = (&plan.pairs.options, &plan.pairs.y);
        let mut lanes = [Lane::empty(); MAX_LANES];
        let paths = plan.y_order[group.clone()].iter().map(|&j| y.path(j));
        let count = self.y.lanes(paths, options, &mut lanes)?;
        sweep.y.interleave(&lanes[..count], 1.0);
        Ok(())
    }
}

struct Solve<'w, 'a, 'q, 'o, S> {
    plan: &'w Plan<'w, 'a, S>,
    queue: &'w Queue<'q, Rows<'o, S>>,
    carry: bool,
}

impl<S: Real> Work<S> for Solve<'_, '_, '_, '_, S> {
    type Output = Result<()>;
    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        let options = self.plan.pairs.options;
        choose::<V, _>(&options, self.carry, self)
    }
}

impl<S: Real, V: Lanes<Scalar = S>> Job<V> for Solve<'_, '_, '_, '_, S> {
    type Output = Result<()>;
    const BACK: bool = false;

    #[inline(always)]
    fn run<C: Scheme<V>, T: Tile<V, R, K>, const R: usize, const K: usize>(self, tile: T) -> Result<()> {
        let plan = self.plan;
        let mut sweep = Sweep::<V, C, T, R, K>::forth(tile, &plan.extent())?;
        let mut loader = Loader::new()?;
        while let Some(Rows { places, mut outputs }) = self.queue.take() {
            for group in plan.groups(&places) {
                loader.load_y(plan, &group, &mut sweep)?;
                for (row, output) in places.clone().zip(&mut outputs) {
                    if !plan.any(row, &group, self.carry) {
                        continue;
                    }
                    loader.load_x(plan, row, &mut sweep)?;
                    let mut meter = Meter::new(self.queue, 0);
                    let k = sweep.kernels(&mut |part, whole| meter.tell(part, whole))?.to_array();
                    let mut done = 0;
                    for (column, &k) in group.clone().zip(&k) {
                        if plan.wanted(row, column) && plan.carries(row, column) == self.carry {
                            output[plan.y_order[column]] = k;
                            done += 1;
                        }
                    }
                    self.queue.advance(done)?;
                }
            }
        }
        Ok(())
    }
}
