//! Long pairs that are too few for the threads: one after the other, the bands of each shared among all threads.

use super::Options;
use super::bands;
use super::choice::{Job, choose, extent, scale};
use super::course::Course;
use super::groups::Group;
use super::pairs::Extent;
use super::pairwise::{Loader, Meter, Pairs, Sides, made, tail};
use super::panels::Lane;
use super::relay::{self, Above, Relay};
use super::relay_back::{RelayBack, Return};
use super::scheme::Scheme;
use super::sums::difference;
use super::tile::Tile;
use crate::error::Result;
use crate::memory::{try_collect, try_vec};
use crate::parallel::{Queue, Run, share_from};
use crate::simd::{self, Lanes, Real, Work};
use std::marker::PhantomData;
use std::ops::Range;

/// One pair, and how it is swept.
#[derive(Clone, Copy)]
struct Pair<'a, S> {
    options: Options,
    carry: bool,
    extent: Extent,
    paths: [Lane<'a, S>; 2],
    threads: usize,
}

impl<'a, S: Real> Pair<'a, S> {
    fn new(pairs: &Pairs<'a, S>, group: &Group<'_>, threads: usize, loader: &'a mut Loader<S>) -> Result<Self> {
        Ok(Pair {
            options: pairs.options,
            carry: group.carry,
            extent: own_extent(pairs, group),
            paths: loader.one(pairs, group.pairs[0])?,
            threads,
        })
    }

    /// `kept` whether it will be gone back over.
    fn course<V, C, T, const R: usize, const K: usize>(&self, tile: &T, kept: bool) -> Result<Course<'a, S>>
    where
        V: Lanes<Scalar = S>,
        C: Scheme<V>,
        T: Tile<V, R, K>,
    {
        let (channels, scale) = (self.extent.channels, scale(&self.options));
        relay::course::<V, C, T, R, K>(tile, channels, self.paths, scale, kept, self.threads)
    }
}

fn own_extent<S: Real>(pairs: &Pairs<'_, S>, group: &Group<'_>) -> Extent {
    let (m, n) = group.increments;
    extent(&pairs.options, &pairs.x, (m + 1, n + 1))
}

/// Whether all groups are of one pair, and the bands of each are better shared than the pairs.
pub(super) fn pays<S: Real, const BACK: bool>(
    pairs: &Pairs<'_, S>,
    groups: &[Group<'_>],
    run: &Run<'_>,
) -> Result<bool> {
    let threads = run.threads();
    let few = groups.len() < 4 * threads && groups.iter().all(|group| group.pairs.len() == 1);
    if threads < 2 || !few {
        return Ok(false);
    }
    // Each pair on a thread of its own, the next one where a thread is free first.
    let mut busy = try_vec(threads, 0)?;
    let mut shared = 0;
    for group in groups {
        let estimate = Estimate::<S, BACK> {
            options: pairs.options,
            carry: group.carry,
            extent: own_extent(pairs, group),
            threads,
            scalar: PhantomData,
        };
        let Some((one, all)) = simd::dispatch(estimate) else {
            return Ok(false);
        };
        if let Some(first) = busy.iter_mut().min() {
            *first += one;
        }
        shared += all;
    }
    Ok(shared < busy.into_iter().max().unwrap_or(0))
}

/// How long the bands of a pair take on one thread and on all.
struct Estimate<S, const BACK: bool> {
    options: Options,
    carry: bool,
    extent: Extent,
    threads: usize,
    scalar: PhantomData<S>,
}

impl<S: Real, const BACK: bool> Work<S> for Estimate<S, BACK> {
    type Output = Option<(usize, usize)>;
    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Self::Output {
        let options = self.options;
        choose::<V, _>(&options, self.carry, self)
    }
}

impl<S: Real, V: Lanes<Scalar = S>, const BACK: bool> Job<V> for Estimate<S, BACK> {
    type Output = Option<(usize, usize)>;
    const BACK: bool = BACK;
    #[inline(always)]
    fn run<C: Scheme<V>, T: Tile<V, R, K>, const R: usize, const K: usize>(self, tile: T) -> Self::Output {
        let times = |threads| bands::time::<V, C, T, R, K>(&tile, &self.extent, BACK, threads);
        bands::pays::<V, C, T, R, K>(&tile, &self.extent, 1, BACK).then(|| (times(1), times(self.threads)))
    }
}

/// The kernels of groups of one pair.
pub(super) fn kernels<S: Real>(
    pairs: &Pairs<'_, S>,
    groups: &[Group<'_>],
    out: &mut [S],
    run: &mut Run<'_>,
) -> Result<()> {
    let total = groups.iter().map(Group::cells).sum();
    let mut done = 0;
    for (group, out) in groups.iter().zip(out) {
        *out = kernel(pairs, group, done..total, run)?;
        done += group.cells();
    }
    Ok(())
}

fn kernel<S: Real>(pairs: &Pairs<'_, S>, group: &Group<'_>, units: Range<u64>, run: &mut Run<'_>) -> Result<S> {
    let mut loader = Loader::new()?;
    let pair = Pair::new(pairs, group, run.threads(), &mut loader)?;
    let course = simd::dispatch(Begin { pair })?;
    let count = course.bands.count;
    let cells = group.cells() / count as u64;
    share_from(run, try_collect(0..count)?, units, |queue| {
        simd::dispatch(Bands {
            pair,
            course: &course,
            cells,
            queue,
        })
    })?;
    Ok(course.kernel())
}

struct Begin<'a, S> {
    pair: Pair<'a, S>,
}

impl<'a, S: Real> Work<S> for Begin<'a, S> {
    type Output = Result<Course<'a, S>>;
    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Self::Output {
        let options = self.pair.options;
        choose::<V, _>(&options, self.pair.carry, self)
    }
}

impl<'a, S: Real, V: Lanes<Scalar = S>> Job<V> for Begin<'a, S> {
    type Output = Result<Course<'a, S>>;
    const BACK: bool = false;
    #[inline(always)]
    fn run<C: Scheme<V>, T: Tile<V, R, K>, const R: usize, const K: usize>(self, tile: T) -> Self::Output {
        self.pair.course::<V, C, T, R, K>(&tile, false)
    }
}

struct Bands<'w, 'a, 'q, S> {
    pair: Pair<'a, S>,
    course: &'w Course<'a, S>,
    /// Of a band.
    cells: u64,
    queue: &'w Queue<'q, usize>,
}

impl<S: Real> Work<S> for Bands<'_, '_, '_, S> {
    type Output = Result<()>;
    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        let options = self.pair.options;
        choose::<V, _>(&options, self.pair.carry, self)
    }
}

impl<S: Real, V: Lanes<Scalar = S>> Job<V> for Bands<'_, '_, '_, S> {
    type Output = Result<()>;
    const BACK: bool = false;
    #[inline(always)]
    fn run<C: Scheme<V>, T: Tile<V, R, K>, const R: usize, const K: usize>(self, tile: T) -> Result<()> {
        let mut relay = Relay::<V, C, T, R, K>::new(tile, self.course)?;
        let period = self.course.bands.period;
        let mut meter = Meter::new(self.queue, self.cells);
        let bands = &mut std::iter::from_fn(|| self.queue.take());
        relay.bands(self.course, bands, &mut |step| meter.tell(step, period))
    }
}

/// What is done to a band on the way forth and back: the row that it starts from, and ∂F/∂dx of its own.
enum Way<'o, S> {
    Forth(usize, &'o mut [S]),
    Back(usize, &'o [S], &'o mut [S]),
}

/// ∂F/∂dx and ∂F/∂dy of groups of one pair, F = Σ grad_b k_b, to the sides that are wanted.
pub(super) fn gradients<S: Real>(
    grad: &[S],
    pairs: &Pairs<'_, S>,
    groups: &[Group<'_>],
    sides: &mut [Sides<'_, S>],
    wanted: (bool, bool),
    run: &mut Run<'_>,
) -> Result<()> {
    let total = groups.iter().map(Group::cells).sum();
    let mut done = 0;
    for (group, (x_out, y_out)) in groups.iter().zip(sides) {
        let given = (grad[group.pairs[0]], wanted);
        let dim = pairs.x.dim();
        let moves = (tail(x_out, dim), tail(y_out, dim));
        gradient(pairs, group, given, moves, done..total, run)?;
        for gradient in [x_out, y_out] {
            difference(gradient, dim);
        }
        done += group.cells();
    }
    Ok(())
}

fn gradient<S: Real>(
    pairs: &Pairs<'_, S>,
    group: &Group<'_>,
    (seed, wanted): (S, (bool, bool)),
    (x_out, y_out): (&mut [S], &mut [S]),
    units: Range<u64>,
    run: &mut Run<'_>,
) -> Result<()> {
    let mut loader = Loader::new()?;
    let pair = Pair::new(pairs, group, run.threads(), &mut loader)?;
    let way = simd::dispatch(BeginBack { pair, seed, wanted })?;
    let (count, row) = (way.course.bands.count, way.row());
    let mut rows = try_vec(count * row, S::ZERO)?;
    let cells = group.cells() / (3 * count as u64);
    // The last band goes forth on its way back only.
    let forth = rows.chunks_exact_mut(row).enumerate().take(count - 1);
    share_bands(
        (pair, &way, cells),
        try_collect(forth.map(|(band, row)| Way::Forth(band, row)))?,
        units.clone(),
        run,
    )?;
    way.course.copy_top(&mut rows[(count - 1) * row..]);
    let (mut rest, dim) = (x_out, pairs.x.dim());
    let back = (0..count).rev().map(|band| {
        let before = if wanted.0 { way.increments(band).0 * dim } else { 0 };
        let (others, own) = std::mem::take(&mut rest).split_at_mut(before);
        rest = others;
        Way::Back(band, &rows[band * row..][..row], own)
    });
    share_bands(
        (pair, &way, cells),
        try_collect(back)?,
        units.start + cells * (count as u64 - 1)..units.end,
        run,
    )?;
    way.put_y(y_out);
    Ok(())
}

fn share_bands<'o, S: Real>(
    (pair, way, cells): (Pair<'_, S>, &Return<'_, S>, u64),
    bands: Vec<Way<'o, S>>,
    units: Range<u64>,
    run: &mut Run<'_>,
) -> Result<()> {
    share_from(run, bands, units, |queue| {
        simd::dispatch(BandsBack {
            pair,
            way,
            cells,
            queue,
        })
    })
}

struct BeginBack<'a, S> {
    pair: Pair<'a, S>,
    seed: S,
    wanted: (bool, bool),
}

impl<'a, S: Real> Work<S> for BeginBack<'a, S> {
    type Output = Result<Return<'a, S>>;
    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Self::Output {
        let options = self.pair.options;
        choose::<V, _>(&options, self.pair.carry, self)
    }
}

impl<'a, S: Real, V: Lanes<Scalar = S>> Job<V> for BeginBack<'a, S> {
    type Output = Result<Return<'a, S>>;
    const BACK: bool = true;
    #[inline(always)]
    fn run<C: Scheme<V>, T: Tile<V, R, K>, const R: usize, const K: usize>(self, tile: T) -> Self::Output {
        let course = self.pair.course::<V, C, T, R, K>(&tile, true)?;
        Return::new::<V, C, T, R, K>(&tile, course, self.seed, self.wanted)
    }
}

struct BandsBack<'w, 'a, 'q, 'o, S> {
    pair: Pair<'a, S>,
    way: &'w Return<'a, S>,
    /// Of a third of a band: back takes as long as twice forth.
    cells: u64,
    queue: &'w Queue<'q, Way<'o, S>>,
}

impl<S: Real> Work<S> for BandsBack<'_, '_, '_, '_, S> {
    type Output = Result<()>;
    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        let options = self.pair.options;
        choose::<V, _>(&options, self.pair.carry, self)
    }
}

impl<S: Real, V: Lanes<Scalar = S>> Job<V> for BandsBack<'_, '_, '_, '_, S> {
    type Output = Result<()>;
    const BACK: bool = true;
    #[inline(always)]
    fn run<C: Scheme<V>, T: Tile<V, R, K>, const R: usize, const K: usize>(self, tile: T) -> Result<()> {
        let way = self.way;
        let (mut forth, mut back) = (None, None);
        while let Some(task) = self.queue.take() {
            match task {
                Way::Forth(band, row) => {
                    let mut meter = Meter::new(self.queue, self.cells);
                    let steps = way.course.bands.steps();
                    let relay = made(&mut forth, || Relay::<V, C, T, R, K>::new(tile, &way.course))?;
                    let step = &mut |step| meter.tell(step, steps);
                    relay.band(&way.course, band, Above::Band(row), None, step)?;
                }
                Way::Back(band, row, out) => {
                    let mut meter = Meter::new(self.queue, 2 * self.cells);
                    let steps = way.steps();
                    let relay = made(&mut back, || RelayBack::<V, C, T, R, K>::new(tile, way))?;
                    relay.back(way, band, row, out, &mut |step| meter.tell(step, steps))?;
                }
            }
        }
        Ok(())
    }
}
