//! Kernels and gradients of the pairs of two batches, shared among threads group by group.

use super::Options;
use super::alone;
use super::bands;
use super::choice::{Job, choose, choose_for_grids, extent, scale};
use super::grid::GivenGrids;
use super::groups::{Gather, Group, Order};
use super::pairs::{Extent, Sweep};
use super::pairs_back::Gradients;
use super::panels::Lane;
use super::relay;
use super::relay_back::{self, Return};
use super::scheme::Scheme;
use super::sums::difference;
use super::tile::Tile;
use crate::error::{Error, Result};
use crate::memory::{try_collect, try_vec, try_with_room};
use crate::parallel::{Queue, Run, share_from};
use crate::path::Batch;
use crate::simd::{self, Lanes, MAX_LANES, Real, Work};

/// The batches of a call and what is asked of them.
#[derive(Clone, Copy)]
pub struct Pairs<'a, S> {
    pub x: Batch<'a, S>,
    pub y: Batch<'a, S>,
    pub options: Options,
}

impl<'a, S: Real> Pairs<'a, S> {
    pub fn new(x: &Batch<'a, S>, y: &Batch<'a, S>, options: &Options) -> Self {
        Pairs {
            x: *x,
            y: *y,
            options: *options,
        }
    }
}

/// Tells the queue how far a group has come, in cells.
pub(super) struct Meter<'q, 'a, T> {
    queue: &'a Queue<'q, T>,
    cells: u64,
    told: u64,
}

impl<'q, 'a, T> Meter<'q, 'a, T> {
    pub fn new(queue: &'a Queue<'q, T>, cells: u64) -> Self {
        Meter { queue, cells, told: 0 }
    }

    /// `part` of `whole` is done.
    pub fn tell(&mut self, part: usize, whole: usize) -> Result<()> {
        let done = (self.cells as u128 * part as u128 / whole.max(1) as u128) as u64;
        let more = done.saturating_sub(self.told);
        self.told += more;
        self.queue.advance(more)
    }
}

/// A group and where its results go.
pub(super) struct Task<'a, O> {
    pub group: Group<'a>,
    pub outputs: O,
}

/// A task a group, each with its part of `outputs`, one a pair in the order of the groups.
pub(super) fn tasks<'t, 'o, O>(groups: &[Group<'t>], mut outputs: &'o mut [O]) -> Result<Vec<Task<'t, &'o mut [O]>>> {
    try_collect(groups.iter().map(|&group| {
        let (own, after) = std::mem::take(&mut outputs).split_at_mut(group.pairs.len());
        outputs = after;
        Task { group, outputs: own }
    }))
}

/// Shares tasks among threads, those with and those without carried increments in turn: the worker is called with the
/// kind and the extent of its tasks.
pub(super) fn share_by_kind<'t, S: Real, O: Send>(
    pairs: &Pairs<'_, S>,
    tasks: Vec<Task<'t, O>>,
    run: &mut Run<'_>,
    worker: impl Fn(&Queue<'_, Task<'t, O>>, bool, &Extent) -> Result<()> + Sync,
) -> Result<()> {
    let total: u64 = tasks.iter().map(|task| task.group.cells()).sum();
    let carried = tasks.iter().filter(|task| task.group.carry).count();
    let mut kinds = [try_with_room(tasks.len() - carried)?, try_with_room(carried)?];
    for task in tasks {
        kinds[task.group.carry as usize].push(task);
    }
    let mut before = 0;
    for (tasks, carry) in kinds.into_iter().zip([false, true]) {
        if tasks.is_empty() {
            continue;
        }
        let longest = tasks.iter().fold((0, 0), |(m, n), task| {
            let (own_m, own_n) = task.group.increments;
            (own_m.max(m), own_n.max(n))
        });
        let extent = extent(&pairs.options, &pairs.x, (longest.0 + 1, longest.1 + 1));
        let cells: u64 = tasks.iter().map(|task| task.group.cells()).sum();
        share_from(run, tasks, before..total, |queue| worker(queue, carry, &extent))?;
        before += cells;
    }
    Ok(())
}

/// Bytes of a path that are asked for ahead.
const AHEAD: usize = 4096;

/// How path `b` begins, where its points lie one after the other.
fn begin<'a, S: Real>(paths: &Batch<'a, S>, b: usize) -> &'a [S] {
    let points = paths.path(b).as_slice().unwrap_or(&[]);
    &points[..points.len().min(AHEAD / size_of::<S>())]
}

/// Lanes of the x and the y of a group's pairs.
pub(super) struct Loader<S> {
    x: Gather<S>,
    y: Gather<S>,
}

impl<S: Real> Loader<S> {
    pub fn new() -> Result<Self> {
        Ok(Loader {
            x: Gather::new(MAX_LANES)?,
            y: Gather::new(MAX_LANES)?,
        })
    }

    #[inline(always)]
    pub fn load<V, C, T, const R: usize, const K: usize>(
        &mut self,
        pairs: &Pairs<'_, S>,
        group: &Group<'_>,
        sweep: &mut Sweep<V, C, T, R, K>,
    ) -> Result<()>
    where
        V: Lanes<Scalar = S>,
        C: Scheme<V>,
        T: Tile<V, R, K>,
    {
        let options = &pairs.options;
        let mut lanes = [Lane::empty(); MAX_LANES];
        let own = group.pairs.iter();
        let count = self
            .x
            .lanes(own.clone().map(|&b| pairs.x.path(b)), options, &mut lanes)?;
        sweep.x.interleave(&lanes[..count], scale(options));
        let mut lanes = [Lane::empty(); MAX_LANES];
        let count = self.y.lanes(own.map(|&b| pairs.y.path(b)), options, &mut lanes)?;
        sweep.y.interleave(&lanes[..count], 1.0);
        let next = group.ahead.iter().take(V::LANES);
        sweep.look_ahead(next.flat_map(|&b| [begin(&pairs.x, b), begin(&pairs.y, b)]));
        Ok(())
    }

    /// Pair `b` alone.
    pub fn one<'l>(&'l mut self, pairs: &Pairs<'l, S>, b: usize) -> Result<[Lane<'l, S>; 2]> {
        let mut lanes = [[Lane::empty(); 1]; 2];
        let [x, y] = &mut lanes;
        self.x.lanes(std::iter::once(pairs.x.path(b)), &pairs.options, x)?;
        self.y.lanes(std::iter::once(pairs.y.path(b)), &pairs.options, y)?;
        Ok([x[0], y[0]])
    }
}

/// What is in the slot, made at first need: scratch may be large.
pub(super) fn made<T>(slot: &mut Option<T>, make: impl FnOnce() -> Result<T>) -> Result<&mut T> {
    if slot.is_none() {
        *slot = Some(make()?);
    }
    slot.as_mut().ok_or(Error::Memory(0))
}

/// Kernels of all pairs into `out`.
pub(super) fn kernels<S: Real>(pairs: &Pairs<'_, S>, out: &mut [S], run: &mut Run<'_>) -> Result<()> {
    let order = Order::of_pairs(&pairs.x, &pairs.y)?;
    let groups = order.groups(simd::lanes::<S>(), run.threads(), &pairs.options, &pairs.x, &pairs.y)?;
    let mut values = try_vec(order.pairs().len(), S::ZERO)?;
    if alone::pays::<S, false>(pairs, &groups, run)? {
        alone::kernels(pairs, &groups, &mut values, run)?;
    } else {
        let tasks = tasks(&groups, &mut values)?;
        share_by_kind(pairs, tasks, run, |queue, carry, extent| {
            simd::dispatch(Solve {
                pairs,
                queue,
                carry,
                extent,
            })
        })?;
    }
    // What is in no group has no cells.
    out.fill(S::ONE);
    for (&b, value) in order.pairs().iter().zip(values) {
        out[b] = value;
    }
    Ok(())
}

struct Solve<'w, 'a, 'q, 't, 'o, S> {
    pairs: &'w Pairs<'a, S>,
    queue: &'w Queue<'q, Task<'t, &'o mut [S]>>,
    carry: bool,
    extent: &'w Extent,
}

impl<S: Real> Work<S> for Solve<'_, '_, '_, '_, '_, S> {
    type Output = Result<()>;
    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        let options = self.pairs.options;
        choose::<V, _>(&options, self.carry, self)
    }
}

impl<S: Real, V: Lanes<Scalar = S>> Job<V> for Solve<'_, '_, '_, '_, '_, S> {
    type Output = Result<()>;
    const BACK: bool = false;

    #[inline(always)]
    fn run<C: Scheme<V>, T: Tile<V, R, K>, const R: usize, const K: usize>(self, tile: T) -> Result<()> {
        let mut sweep = None;
        let mut loader = Loader::new()?;
        while let Some(Task { group, outputs }) = self.queue.take() {
            if bands::pays::<V, C, T, R, K>(&tile, &group.extent(self.extent), group.pairs.len(), false) {
                for (&b, output) in group.pairs.iter().zip(outputs) {
                    let mut meter = Meter::new(self.queue, group.cells() / group.pairs.len() as u64);
                    let paths = loader.one(self.pairs, b)?;
                    let (channels, scale) = (self.extent.channels, scale(&self.pairs.options));
                    let course = relay::course::<V, C, T, R, K>(&tile, channels, paths, scale, false, 1)?;
                    let tick = &mut |part, whole| meter.tell(part, whole);
                    *output = relay::kernel::<V, C, T, R, K>(tile, &course, tick)?;
                }
                continue;
            }
            let sweep = made(&mut sweep, || Sweep::<V, C, T, R, K>::forth(tile, self.extent))?;
            loader.load(self.pairs, &group, sweep)?;
            let mut meter = Meter::new(self.queue, group.cells());
            let k = sweep.kernels(&mut |part, whole| meter.tell(part, whole))?;
            outputs.copy_from_slice(&k.to_array()[..outputs.len()]);
        }
        Ok(())
    }
}

/// Where the gradients of the increments of a path are put: from point 1 on.
pub(super) fn tail<S>(gradient: &mut [S], dim: usize) -> &mut [S] {
    gradient.get_mut(dim..).unwrap_or(&mut [])
}

/// The gradient of one pair: a slice a side that is wanted, empty otherwise.
pub(super) type Sides<'a, S> = (&'a mut [S], &'a mut [S]);

/// What is given of F: ∂F/∂k of every pair, or ∂F/∂ of every node of their grids.
#[derive(Clone, Copy)]
pub enum Given<'a, S> {
    Kernels(&'a [S]),
    /// Of this many rows and columns a pair.
    Grids(&'a [S], (usize, usize)),
}

/// Gradients of all pairs; a side that is not wanted is `None`.
pub(super) fn gradients<'g, S: Real>(
    given: Given<'_, S>,
    pairs: &Pairs<'_, S>,
    mut to_x: Option<Vec<&'g mut [S]>>,
    mut to_y: Option<Vec<&'g mut [S]>>,
    run: &mut Run<'_>,
) -> Result<()> {
    let order = Order::of_pairs(&pairs.x, &pairs.y)?;
    let groups = order.groups(simd::lanes::<S>(), run.threads(), &pairs.options, &pairs.x, &pairs.y)?;
    let wanted = (to_x.is_some(), to_y.is_some());
    let mut sides: Vec<Sides<'g, S>> = try_collect(order.pairs().iter().map(|&b| {
        let take = |side: &mut Option<Vec<&'g mut [S]>>| match side {
            Some(paths) => std::mem::take(&mut paths[b]),
            None => &mut [],
        };
        (take(&mut to_x), take(&mut to_y))
    }))?;
    // What is in no group has no cells.
    for path in to_x.iter_mut().chain(&mut to_y).flatten() {
        path.fill(S::ZERO);
    }
    if let Given::Kernels(grad) = given
        && alone::pays::<S, true>(pairs, &groups, run)?
    {
        return alone::gradients(grad, pairs, &groups, &mut sides, wanted, run);
    }
    let tasks = tasks(&groups, &mut sides)?;
    match given {
        Given::Kernels(_) => share_by_kind(pairs, tasks, run, |queue, carry, extent| {
            simd::dispatch(Differentiate::<'_, '_, '_, '_, '_, '_, S, false> {
                given,
                pairs,
                queue,
                carry,
                extent,
                wanted,
            })
        }),
        Given::Grids(..) => share_by_kind(pairs, tasks, run, |queue, carry, extent| {
            simd::dispatch(Differentiate::<'_, '_, '_, '_, '_, '_, S, true> {
                given,
                pairs,
                queue,
                carry,
                extent,
                wanted,
            })
        }),
    }
}

struct Differentiate<'w, 'a, 'q, 't, 'o, 'g, S, const GRIDS: bool> {
    given: Given<'w, S>,
    pairs: &'w Pairs<'a, S>,
    queue: &'w Queue<'q, Task<'t, &'o mut [Sides<'g, S>]>>,
    carry: bool,
    extent: &'w Extent,
    wanted: (bool, bool),
}

impl<S: Real, const GRIDS: bool> Work<S> for Differentiate<'_, '_, '_, '_, '_, '_, S, GRIDS> {
    type Output = Result<()>;
    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        let options = self.pairs.options;
        if GRIDS {
            choose_for_grids::<V, _>(&options, self.carry, self)
        } else {
            choose::<V, _>(&options, self.carry, self)
        }
    }
}

impl<S: Real, V: Lanes<Scalar = S>, const GRIDS: bool> Job<V> for Differentiate<'_, '_, '_, '_, '_, '_, S, GRIDS> {
    type Output = Result<()>;
    const BACK: bool = true;

    #[inline(always)]
    fn run<C: Scheme<V>, T: Tile<V, R, K>, const R: usize, const K: usize>(self, tile: T) -> Result<()> {
        let mut gradients = None;
        let mut loader = Loader::new()?;
        let dim = self.pairs.x.dim();
        while let Some(Task { group, outputs }) = self.queue.take() {
            if let Given::Kernels(grad) = self.given
                && !GRIDS
                && bands::pays::<V, C, T, R, K>(&tile, &group.extent(self.extent), group.pairs.len(), true)
            {
                for (&b, (x_out, y_out)) in group.pairs.iter().zip(outputs) {
                    let mut meter = Meter::new(self.queue, group.cells() / group.pairs.len() as u64);
                    let paths = loader.one(self.pairs, b)?;
                    let (channels, scale) = (self.extent.channels, scale(&self.pairs.options));
                    let course = relay::course::<V, C, T, R, K>(&tile, channels, paths, scale, true, 1)?;
                    let way = Return::new::<V, C, T, R, K>(&tile, course, grad[b], self.wanted)?;
                    let moves = (tail(x_out, dim), tail(y_out, dim));
                    let tick = &mut |part, whole| meter.tell(part, whole);
                    relay_back::gradient::<V, C, T, R, K>(tile, &way, moves, tick)?;
                    for gradient in [x_out, y_out] {
                        difference(gradient, dim);
                    }
                }
                continue;
            }
            let make = || Gradients::<V, C, T, R, K>::new(tile, self.extent, self.wanted.0, self.wanted.1, GRIDS);
            let gradients = made(&mut gradients, make)?;
            loader.load(self.pairs, &group, &mut gradients.sweep)?;
            gradients.clear();
            let mut meter = Meter::new(self.queue, group.cells());
            let tick = &mut |part, whole| meter.tell(part, whole);
            match self.given {
                Given::Kernels(grad) if !GRIDS => {
                    let mut seeds = [S::ZERO; MAX_LANES];
                    for (seed, &b) in seeds.iter_mut().zip(group.pairs) {
                        *seed = grad[b];
                    }
                    gradients.of_kernels(V::load(&seeds), tick)?;
                }
                Given::Grids(grad, shape) if GRIDS => {
                    let padded = gradients.sweep.padded();
                    gradients.of_grids(&mut GivenGrids::new(self.pairs, &group, grad, shape, padded), tick)?;
                }
                _ => unreachable!("GRIDS says what is given"),
            }
            for side in 0..2 {
                let mut slices: [&mut [S]; MAX_LANES] = std::array::from_fn(|_| &mut [] as &mut [S]);
                for (slice, output) in slices.iter_mut().zip(outputs.iter_mut()) {
                    let whole = if side == 0 { &mut *output.0 } else { &mut *output.1 };
                    *slice = tail(whole, dim);
                }
                let slices = &mut slices[..group.pairs.len()];
                match (side, &gradients.to_x, &gradients.to_y) {
                    (0, Some(sums), _) => sums.scatter(scale(&self.pairs.options), slices),
                    (1, _, Some(sums)) => sums.scatter(1.0, slices),
                    _ => continue,
                }
                for output in outputs.iter_mut() {
                    difference(if side == 0 { &mut *output.0 } else { &mut *output.1 }, dim);
                }
            }
        }
        Ok(())
    }
}
