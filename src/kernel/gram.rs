//! Gram matrices: all pairs of two batches, one path of x against a group of paths of y at a time.

use super::choice::{Job, carries, choose, extent, scale};
use super::gram_pairs;
use super::groups::{Gather, has_cells};
use super::pairs::{Extent, Sweep};
use super::pairs_back::Gradients;
use super::pairwise::{Meter, Pairs};
use super::panels::Lane;
use super::scheme::Scheme;
use super::sums::difference;
use super::tile::Tile;
use crate::error::Result;
use crate::memory::{try_collect, try_vec, try_with_room};
use crate::parallel::{Queue, Run, share};
use crate::path::Batch;
use crate::simd::{self, Lanes, MAX_LANES, Real, Work};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The most paths of x that are taken together: a task interleaves the paths of y once for all of them. Gradients are
/// summed over so many, whatever else there is: their bits depend on it.
const ROWS: usize = 16;

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
struct Plan<'w, 'a, S> {
    pairs: &'w Pairs<'a, S>,
    x_order: Vec<usize>,
    y_order: Vec<usize>,
    symmetric: bool,
}

impl<S: Real> Plan<'_, '_, S> {
    /// The places in `y_order` of the groups that rows `rows` of `x_order` need.
    fn groups(&self, rows: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<S> {
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
    fn row_chunks(&self, rows: usize) -> impl Iterator<Item = Range<usize>> + use<S> {
        let count = self.x_order.len();
        (0..count)
            .step_by(rows)
            .map(move |first| first..count.min(first + rows))
    }

    /// Whether the pair at these places is computed: of a symmetric matrix, the upper triangle is.
    fn wanted(&self, row: usize, column: usize) -> bool {
        !self.symmetric || row <= column
    }

    fn carries(&self, row: usize, column: usize) -> bool {
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
    fn kinds(&self) -> impl Iterator<Item = bool> + use<S> {
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

    fn extent(&self) -> Extent {
        let longest = |batch: &Batch<'_, S>, order: &[usize]| order.first().map_or(1, |&b| batch.points(b));
        let points = (
            longest(&self.pairs.x, &self.x_order),
            longest(&self.pairs.y, &self.y_order),
        );
        extent(&self.pairs.options, &self.pairs.x, points)
    }

    /// Pairs that are computed.
    fn count(&self) -> u64 {
        let (m, n) = (self.x_order.len() as u64, self.y_order.len() as u64);
        if self.symmetric { n * (n + 1) / 2 } else { m * n }
    }
}

fn plan<'w, 'a, S: Real>(pairs: &'w Pairs<'a, S>, symmetric: bool) -> Result<Plan<'w, 'a, S>> {
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
struct Loader<S> {
    x: Gather<S>,
    y: Gather<S>,
}

impl<S: Real> Loader<S> {
    fn new() -> Result<Self> {
        Ok(Loader {
            x: Gather::new(1)?,
            y: Gather::new(MAX_LANES)?,
        })
    }

    #[inline(always)]
    fn load_x<V, C, T, const R: usize, const K: usize>(
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
    fn load_y<V, C, T, const R: usize, const K: usize>(
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

/// A gradient that several tasks add to, each in its turn: so its bits do not depend on who is faster.
struct Turns<'o, S> {
    next: usize,
    gradient: &'o mut [S],
}

/// Adds at turn `turn`, when it comes; gives up when the call is to stop.
fn add_in_turn<S, T>(
    cell: &Mutex<Turns<'_, S>>,
    turn: usize,
    queue: &Queue<'_, T>,
    add: impl FnOnce(&mut [S]),
) -> Result<()> {
    loop {
        let mut turns = cell.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.next == turn {
            add(turns.gradient);
            turns.next += 1;
            return Ok(());
        }
        drop(turns);
        queue.advance(0)?;
        std::thread::yield_now();
    }
}

/// Some rows against a group of columns. Tasks are taken in order: row chunk by row chunk, group by group.
struct Block {
    rows: Range<usize>,
    group: Range<usize>,
    /// The turn of this task at the gradients of its rows and of its columns.
    turns: (usize, usize),
}

/// Gradients of Σ grad_ij k_ij; of a symmetric matrix the total derivative into `to_x`.
pub(super) fn gradients<S: Real>(
    grad: &[S],
    pairs: &Pairs<'_, S>,
    symmetric: bool,
    to_x: Option<Vec<&mut [S]>>,
    to_y: Option<Vec<&mut [S]>>,
    run: &mut Run<'_>,
) -> Result<()> {
    if to_x.is_none() && to_y.is_none() {
        return Ok(());
    }
    let plan = plan(pairs, symmetric)?;
    let dim = pairs.x.dim();
    let wanted = (to_x.is_some(), to_y.is_some() || symmetric);
    // Of a symmetric matrix, what goes to a path as a column is kept apart until all is done.
    let mut as_columns = try_vec(
        if symmetric {
            pairs.y.batch() * pairs.y.length() * dim
        } else {
            0
        },
        S::ZERO,
    )?;
    let to_y = match symmetric {
        true => Some(try_collect(
            as_columns
                .chunks_exact_mut(pairs.y.length() * dim)
                .enumerate()
                .map(|(j, path)| &mut path[..pairs.y.points(j) * dim]),
        )?),
        false => to_y,
    };
    let x_sums = turns(to_x.unwrap_or_default())?;
    let y_sums = turns(to_y.unwrap_or_default())?;
    for carry in plan.kinds() {
        for cell in x_sums.iter().chain(&y_sums) {
            cell.lock().unwrap_or_else(PoisonError::into_inner).next = 0;
        }
        share(run, blocks(&plan)?, plan.count(), |queue| {
            simd::dispatch(Differentiate {
                grad,
                plan: &plan,
                queue,
                carry,
                wanted,
                x_sums: &x_sums,
                y_sums: &y_sums,
            })
        })?;
    }
    let columns: Vec<&mut [S]> = try_collect(y_sums.into_iter().map(into_gradient))?;
    for (i, gradient) in x_sums.into_iter().map(into_gradient).enumerate() {
        if symmetric {
            for (sum, &value) in gradient.iter_mut().zip(columns[i].iter()) {
                *sum = *sum + value;
            }
        }
        difference(gradient, dim);
    }
    if !symmetric {
        for gradient in columns {
            difference(gradient, dim);
        }
    }
    Ok(())
}

fn into_gradient<S>(cell: Mutex<Turns<'_, S>>) -> &mut [S] {
    cell.into_inner().unwrap_or_else(PoisonError::into_inner).gradient
}

fn turns<S: Real>(gradients: Vec<&mut [S]>) -> Result<Vec<Mutex<Turns<'_, S>>>> {
    try_collect(gradients.into_iter().map(|gradient| {
        gradient.fill(S::ZERO);
        Mutex::new(Turns { next: 0, gradient })
    }))
}

fn blocks<S: Real>(plan: &Plan<'_, '_, S>) -> Result<Vec<Block>> {
    let lanes = simd::lanes::<S>();
    let mut column_turns = try_vec(plan.y_order.len().div_ceil(lanes), 0)?;
    let most = plan.x_order.len().div_ceil(ROWS) * column_turns.len();
    let mut blocks = try_with_room(most)?;
    for rows in plan.row_chunks(ROWS) {
        for (turn, group) in plan.groups(&rows).enumerate() {
            let column_turn = &mut column_turns[group.start / lanes];
            blocks.push(Block {
                rows: rows.clone(),
                turns: (turn, *column_turn),
                group,
            });
            *column_turn += 1;
        }
    }
    Ok(blocks)
}

struct Differentiate<'w, 'a, 'q, 'o, S> {
    grad: &'w [S],
    plan: &'w Plan<'w, 'a, S>,
    queue: &'w Queue<'q, Block>,
    carry: bool,
    wanted: (bool, bool),
    x_sums: &'w [Mutex<Turns<'o, S>>],
    y_sums: &'w [Mutex<Turns<'o, S>>],
}

impl<S: Real> Differentiate<'_, '_, '_, '_, S> {
    /// ∂F/∂k of the pairs of a row and a group that are computed by this sweep, and their number. That of a pair without
    /// cells is of no effect, NaN included.
    fn seeds(&self, row: usize, group: &Range<usize>) -> ([S; MAX_LANES], u64) {
        let (plan, columns) = (self.plan, self.plan.y_order.len());
        let mut seeds = [S::ZERO; MAX_LANES];
        let mut count = 0;
        for (seed, column) in seeds.iter_mut().zip(group.clone()) {
            if !plan.wanted(row, column) || plan.carries(row, column) != self.carry {
                continue;
            }
            count += 1;
            let (i, j) = (plan.x_order[row], plan.y_order[column]);
            if !has_cells(plan.pairs.x.points(i), plan.pairs.y.points(j)) {
                continue;
            }
            *seed = self.grad[i * columns + j];
            if plan.symmetric && i != j {
                *seed = *seed + self.grad[j * columns + i];
            }
        }
        (seeds, count)
    }
}

impl<S: Real> Work<S> for Differentiate<'_, '_, '_, '_, S> {
    type Output = Result<()>;
    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        let options = self.plan.pairs.options;
        choose::<V, _>(&options, self.carry, self)
    }
}

impl<S: Real, V: Lanes<Scalar = S>> Job<V> for Differentiate<'_, '_, '_, '_, S> {
    type Output = Result<()>;
    const BACK: bool = true;

    #[inline(always)]
    fn run<C: Scheme<V>, T: Tile<V, R, K>, const R: usize, const K: usize>(self, tile: T) -> Result<()> {
        let plan = self.plan;
        let (dim, x_scale) = (plan.pairs.x.dim(), scale(&plan.pairs.options));
        let (to_x, to_y) = self.wanted;
        let mut gradients = Gradients::<V, C, T, R, K>::new(tile, &plan.extent(), to_x, to_y, false)?;
        let mut loader = Loader::new()?;
        let mut own = try_vec(plan.pairs.y.length() * dim * MAX_LANES, S::ZERO)?;
        while let Some(Block { rows, group, turns }) = self.queue.take() {
            loader.load_y(plan, &group, &mut gradients.sweep)?;
            if let Some(sums) = &mut gradients.to_y {
                sums.clear(gradients.sweep.y.places());
            }
            for row in rows {
                let x_sum = self.x_sums.get(plan.x_order[row]);
                let (seeds, count) = self.seeds(row, &group);
                if count > 0 {
                    loader.load_x(plan, row, &mut gradients.sweep)?;
                    if let Some(sums) = &mut gradients.to_x {
                        sums.clear(gradients.sweep.x.places());
                    }
                    let mut meter = Meter::new(self.queue, 0);
                    gradients.of_kernels(V::load(&seeds), &mut |part, whole| meter.tell(part, whole))?;
                }
                if let (Some(cell), Some(sums)) = (x_sum, &gradients.to_x) {
                    add_in_turn(cell, turns.0, self.queue, |gradient| {
                        if count > 0 {
                            sums.reduce(x_scale, &mut gradient[dim..]);
                        }
                    })?;
                }
                self.queue.advance(count)?;
            }
            let Some(sums) = &gradients.to_y else { continue };
            let mut rest = own.as_mut_slice();
            let mut slices: [&mut [S]; MAX_LANES] = std::array::from_fn(|_| &mut [] as &mut [S]);
            for (slice, column) in slices.iter_mut().zip(group.clone()) {
                let size = (plan.pairs.y.points(plan.y_order[column]) - 1) * dim;
                (*slice, rest) = std::mem::take(&mut rest).split_at_mut(size);
            }
            sums.scatter(1.0, &mut slices[..group.len()]);
            for (slice, column) in slices.iter().zip(group) {
                add_in_turn(&self.y_sums[plan.y_order[column]], turns.1, self.queue, |gradient| {
                    for (sum, &value) in gradient[dim..].iter_mut().zip(slice.iter()) {
                        *sum = *sum + value;
                    }
                })?;
            }
        }
        Ok(())
    }
}
