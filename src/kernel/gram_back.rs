//! Gradients of Gram matrices: some paths of x against groups of paths of y, whose shares are added in one order.

use super::choice::{Job, choose, scale};
use super::gram::{Loader, Plan, ROWS, plan};
use super::groups::has_cells;
use super::pairs_back::Gradients;
use super::pairwise::{Meter, Pairs};
use super::scheme::Scheme;
use super::sums::difference;
use super::tile::Tile;
use crate::error::Result;
use crate::memory::{try_collect, try_vec, try_with_room};
use crate::parallel::{Queue, Run, share};
use crate::simd::{self, Lanes, MAX_LANES, Real, Work};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

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
