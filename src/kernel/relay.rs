//! Lanes over strips of one pair, for pairs that are few and long.
//!
//! A band of the grid is as many runs of strips as there are lanes, one below the other. At step t lane ℓ sweeps column
//! block t - ℓ of its run; between two steps the increments of y and the edges below move up one lane, to the run below,
//! and from the last lane to the row that the next band starts from. Idle lanes have Δ = 0. Backward everything moves the
//! other way. Bands follow each other, on one thread or on several: see course.rs. Cells, sums and their order are those of a group of pairs: so are the bits.

use super::block::{self, Cuts};
use super::course::{Course, Step, Widths};
use super::pairs::{Extent, Tick};
use super::panels::{Channels, Lane, Places, Side};
use super::scheme::{Scheme, Vectors};
use super::tile::{Passing, RING, Scratch, Tile};
use crate::error::{Result, try_vec};
use crate::simd::{Lanes, MAX_LANES, Part, Real};
use std::ops::Range;

/// Strips in a run, forward: what they need of x stays in the second-level cache.
const RUN: usize = 8;

/// Bytes of edges that are kept before bands are swept twice instead.
const KEPT: usize = 48 << 20;

/// How the grid of a pair is cut into bands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bands {
    /// Increments of x and y, strips of x and column blocks of y.
    pub(super) increments: (usize, usize),
    pub(super) blocks: (usize, usize),
    /// Increments in a strip.
    pub(super) strip: usize,
    /// Strips in a run.
    pub(super) run: usize,
    pub(super) count: usize,
    pub(super) lanes: usize,
}

impl Bands {
    /// `edge` is the size of an edge of all lanes; `kept` whether edges are kept for the way back; `threads` that take
    /// bands in turn.
    fn new<const R: usize, const C: usize>(
        increments: (usize, usize),
        cells: (usize, usize),
        lanes: usize,
        edge: usize,
        kept: bool,
        threads: usize,
    ) -> Self {
        let rows = Cuts::rows::<R>(increments.0.div_ceil(R), cells.0);
        let columns = Cuts::columns::<C>(increments.1.div_ceil(C), cells.1);
        let blocks = (rows.blocks(), columns.blocks());
        let most = blocks.0.div_ceil(lanes).max(1);
        let limit = if kept {
            // Kept edges grow with the run, the rows that bands start from with the number of bands.
            let step = (rows.most() + columns.most()) * edge * (blocks.1 + lanes);
            let row = columns.total() * edge / lanes;
            let balanced = (blocks.0 * row / lanes / step.max(1)).isqrt();
            (KEPT / threads / step.max(1)).max(balanced).max(1)
        } else {
            RUN
        };
        let mut bands = Bands {
            increments,
            blocks,
            strip: rows.each * R,
            run: most,
            count: 1,
            lanes,
        };
        let least = most.div_ceil(limit);
        let options = (least..=most.min(least + 4 * threads)).map(|count| Bands {
            run: most.div_ceil(count),
            count: most.div_ceil(most.div_ceil(count)),
            ..bands
        });
        if let Some(best) = options.min_by_key(|bands| bands.time(threads)) {
            bands = best;
        }
        bands
    }

    /// Steps of a band.
    pub(super) fn steps(&self) -> usize {
        self.blocks.1 + self.lanes - 1
    }

    /// Blocks that are swept, idle ones included, in units of a group of pairs' blocks.
    fn cost(&self) -> usize {
        self.count * self.run * self.steps()
    }

    /// Blocks that are swept one after the other where threads take bands in turn, each as many steps behind the one
    /// before as there are lanes.
    fn time(&self, threads: usize) -> usize {
        let behind = threads.min(self.count) - 1;
        self.run * (self.count.div_ceil(threads) * self.steps() + behind * self.lanes)
    }

    /// The increments of x in a lane's run; none where the grid has not so many strips.
    pub(super) fn increments(&self, band: usize, lane: usize) -> Range<usize> {
        let all = self.count * self.lanes * self.run * self.strip;
        let empty = all - self.increments.0;
        let first = (band * self.lanes + lane) * self.run * self.strip;
        first.saturating_sub(empty)..(first + self.run * self.strip).saturating_sub(empty)
    }

    /// Columns in front of the first increment of y, in blocks of `block` columns.
    pub(super) fn empty_columns(&self, block: usize) -> usize {
        self.blocks.1 * block - self.increments.1
    }
}

/// Whether `pairs` pairs of this size are better swept one after the other, lanes over strips.
pub(super) fn pays<V: Lanes, S: Scheme<V>, T: Tile<V, R, C>, const R: usize, const C: usize>(
    tile: &T,
    extent: &Extent,
    pairs: usize,
) -> bool {
    // As many as there are lanes never are.
    if extent.repeats != (0, 0) || extent.unfolded || pairs >= V::LANES {
        return false;
    }
    let bands = Bands::new::<R, C>(
        extent.increments,
        tile.cells(),
        V::LANES,
        size_of::<S::Edge>(),
        false,
        1,
    );
    pairs * bands.cost() < bands.blocks.0 * bands.blocks.1
}

/// How long the bands of a pair take where `threads` take them in turn, in units of blocks.
pub(super) fn time<V: Lanes, S: Scheme<V>, T: Tile<V, R, C>, const R: usize, const C: usize>(
    tile: &T,
    extent: &Extent,
    kept: bool,
    threads: usize,
) -> usize {
    let edge = size_of::<S::Edge>();
    Bands::new::<R, C>(extent.increments, tile.cells(), V::LANES, edge, kept, threads).time(threads)
}

/// Of every vector, the number of one lane: what goes out to another band.
#[inline(always)]
pub(super) fn numbers_of<V: Lanes>(vectors: &[V], lane: usize, out: &mut [V::Scalar]) {
    for (number, vector) in out.iter_mut().zip(vectors.iter()) {
        *number = vector.to_array()[lane];
    }
}

/// Moves vectors up a lane: the numbers of the first lane come in, or what is idle.
#[inline(always)]
fn move_up<V: Lanes>(vectors: &mut [V], into: Option<&[V::Scalar]>, idle: &[V]) {
    match into {
        Some(into) => {
            for (vector, &number) in vectors.iter_mut().zip(into.iter()) {
                *vector = vector.slide_up(number);
            }
        }
        None => {
            for (i, vector) in vectors.iter_mut().enumerate() {
                *vector = vector.slide_up(idle[i % idle.len()].to_array()[0]);
            }
        }
    }
}

/// Moves vectors down a lane: the numbers of the last lane come in, or what is idle.
#[inline(always)]
pub(super) fn move_down<V: Lanes>(vectors: &mut [V], into: Option<&[V::Scalar]>, idle: &[V]) {
    match into {
        Some(into) => {
            for (vector, &number) in vectors.iter_mut().zip(into.iter()) {
                *vector = vector.slide_down(number);
            }
        }
        None => {
            for (i, vector) in vectors.iter_mut().enumerate() {
                *vector = vector.slide_down(idle[i % idle.len()].to_array()[0]);
            }
        }
    }
}

/// The numbers of some equal vectors.
pub(super) fn flat_numbers<V: Lanes, E: Vectors<V>>(edge: &E) -> [V::Scalar; 4] {
    let parts = edge.as_ref();
    std::array::from_fn(|i| parts[i % parts.len()].to_array()[0])
}

/// The course of a pair for sweeps of this kind; `kept` whether it will be gone back over.
pub(super) fn course<'a, V, S, T, const R: usize, const C: usize>(
    tile: &T,
    channels: Channels,
    paths: [Lane<'a, V::Scalar>; 2],
    scale: f64,
    kept: bool,
    threads: usize,
) -> Result<Course<'a, V::Scalar>>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    let increments = paths.map(|lane| (lane.points.len() / channels.dim).saturating_sub(1));
    let (increments, cells) = ((increments[0], increments[1]), tile.cells());
    let bands = Bands::new::<R, C>(increments, cells, V::LANES, size_of::<S::Edge>(), kept, threads);
    let columns = Cuts::columns::<C>(0, cells.1);
    let flat = S::flat(V::constant(1.0));
    let widths = Widths {
        panel: C,
        columns: columns.each * C,
        edges: columns.most() + 1,
    };
    let numbers = &flat_numbers(&flat)[..flat.as_ref().len()];
    Course::new(bands, channels, paths, scale, &widths, numbers)
}

/// Where the row above a band comes from.
pub(super) enum Above<'r, S> {
    /// From the band before it; it is copied to what is not empty, and the row below goes to the band after.
    Band(&'r mut [S]),
    /// From such a copy; the row below is not wanted.
    Copy(&'r [S]),
}

/// The kernel of a pair on this thread.
#[inline(always)]
pub(super) fn kernel<V, S, T, const R: usize, const C: usize>(
    tile: T,
    course: &Course<'_, V::Scalar>,
    tick: Tick<'_>,
) -> Result<V::Scalar>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    let mut relay = Relay::<V, S, T, R, C>::new(tile, course)?;
    let (count, steps) = (course.bands.count, course.bands.steps());
    for band in 0..count {
        let step = &mut |step| tick(band * steps + step, count * steps);
        relay.band(course, band, Above::Band(&mut []), None, step)?;
    }
    Ok(course.kernel())
}

/// Forward over bands of one pair.
pub(super) struct Relay<V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    pub(super) tile: T,
    pub(super) x: Side<V, R>,
    /// The strips of a run, and one block of columns.
    pub(super) rows: Cuts,
    pub(super) columns: Cuts,
    pub(super) y: Vec<[V; C]>,
    /// The edges above, and after them the sum of increments along the left side of the block.
    top: Vec<S::Edge>,
    /// The same of one lane, on its way from or to another band.
    numbers: Vec<V::Scalar>,
    /// Of every strip of the runs: the edges at the left, k where they meet the edges above, and the sum of increments
    /// along its upper side.
    left: Vec<S::Edge>,
    corners: Vec<V>,
    sums: Vec<S::Edge>,
    /// Δ/2 of a block.
    h: Vec<[V; R]>,
    scratch: Scratch<V>,
}

impl<V, S, T, const R: usize, const C: usize> Relay<V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    pub fn new(tile: T, course: &Course<'_, V::Scalar>) -> Result<Self> {
        let (bands, cells) = (&course.bands, tile.cells());
        let places = Places {
            count: (bands.run * bands.strip).min(bands.increments.0),
            repeat: 0,
            unfolded: false,
        };
        let x = Side::new(places, course.channels, 0)?;
        let rows = Cuts::rows::<R>(places.panels(), cells.0);
        let mut columns = Cuts::columns::<C>(0, cells.1);
        columns.panels = columns.each;
        Ok(Relay {
            tile,
            x,
            rows,
            columns,
            y: try_vec(columns.each * course.channels.seen(false), [V::zero(); C])?,
            top: try_vec(columns.most() + 1, S::flat(V::constant(1.0)))?,
            numbers: try_vec(course.top_width, V::Scalar::ZERO)?,
            left: try_vec(rows.blocks() * rows.most(), S::flat(V::zero()))?,
            corners: try_vec(rows.blocks(), V::zero())?,
            sums: try_vec(rows.blocks(), S::flat(V::zero()))?,
            h: try_vec(rows.each * RING, [V::zero(); R])?,
            scratch: Scratch::new::<T, R, C>(&tile, columns.each * C)?,
        })
    }

    /// One band.
    #[inline(always)]
    pub fn band(
        &mut self,
        course: &Course<'_, V::Scalar>,
        band: usize,
        above: Above<'_, V::Scalar>,
        kept: Option<&mut KeptBand<V, S>>,
        step: Step<'_>,
    ) -> Result<()> {
        self.load_x(course, band);
        V::call(Band {
            relay: self,
            course,
            band,
            above,
            kept,
            step,
        })
    }

    /// The lanes' runs of a band.
    pub(super) fn load_x(&mut self, course: &Course<'_, V::Scalar>, band: usize) {
        let dim = course.channels.dim;
        let mut lanes = [Lane::empty(); MAX_LANES];
        for (l, lane) in lanes.iter_mut().enumerate().take(V::LANES) {
            let run = course.bands.increments(band, l);
            if !run.is_empty() {
                lane.points = &course.x_path.points[run.start * dim..(run.end + 1) * dim];
                lane.time_step = course.x_path.time_step;
            }
        }
        self.x.interleave(&lanes[..V::LANES], course.scale);
        // The first band may have less than a run in its longest lane.
        self.rows.panels = self.x.places().panels();
    }

    /// One band, from the row above it to the row below it.
    #[inline(always)]
    fn sweep(
        &mut self,
        course: &Course<'_, V::Scalar>,
        band: usize,
        mut above: Above<'_, V::Scalar>,
        mut kept: Option<&mut KeptBand<V, S>>,
        step: Step<'_>,
    ) -> Result<()> {
        let one = S::flat(V::constant(1.0));
        self.left.fill(one);
        self.top.fill(one);
        self.corners.fill(V::constant(1.0));
        self.sums.fill(one);
        self.y.fill([V::zero(); C]);
        let (channels, height) = (course.channels.seen(false), self.rows.most());
        let (blocks, width) = (course.bands.blocks.1, course.top_width);
        for t in 0..course.bands.steps() + 1 {
            if let (Some(out), Above::Band(_)) = (t.checked_sub(V::LANES), &above) {
                numbers_of(S::Edge::flatten(&mut self.top), V::LANES - 1, &mut self.numbers);
                course.top.leave(band, out, &self.numbers);
            }
            if t == course.bands.steps() {
                break;
            }
            let into = match &mut above {
                _ if t >= blocks => None,
                Above::Copy(row) => Some(&row[t * width..][..width]),
                Above::Band(copy) => {
                    course.top.take(band, t, &mut self.numbers, &mut || step(t))?;
                    if !copy.is_empty() {
                        copy[t * width..][..width].copy_from_slice(&self.numbers);
                    }
                    Some(self.numbers.as_slice())
                }
            };
            move_up(S::Edge::flatten(&mut self.top), into, one.as_ref());
            move_up(self.y.as_flattened_mut(), course.y(Some(t)), &[V::zero()]);
            for strip in 0..self.rows.blocks() {
                let panels = self.rows.block(strip);
                let left = &mut self.left[strip * height..][..panels.len() * self.rows.cells];
                let (sum, top) = self.top.split_last_mut().expect("a sum after the edges");
                let corner = std::mem::replace(&mut self.corners[strip], top[top.len() - 1].value());
                S::renew_edges(top, &mut self.sums[strip]);
                S::renew_edges(left, sum);
                if let Some(kept) = &mut kept {
                    kept.keep(t, strip, left, top, corner);
                }
                let increments = (self.x.load(panels), self.y.as_slice());
                let (scratch, mut passing) = (&mut self.scratch, Passing(&mut self.h, ()));
                block::forward::<V, S, T, _, R, C>(
                    &self.tile,
                    increments,
                    channels,
                    scratch,
                    left,
                    top,
                    corner,
                    &mut passing,
                );
            }
            step(t + 1)?;
        }
        Ok(())
    }
}

struct Band<'r, 'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    relay: &'r mut Relay<V, S, T, R, C>,
    course: &'r Course<'a, V::Scalar>,
    band: usize,
    above: Above<'r, V::Scalar>,
    kept: Option<&'r mut KeptBand<V, S>>,
    step: Step<'r>,
}

impl<V, S, T, const R: usize, const C: usize> Part<V> for Band<'_, '_, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    type Output = Result<()>;
    #[inline(always)]
    fn run(self) -> Result<()> {
        self.relay
            .sweep(self.course, self.band, self.above, self.kept, self.step)
    }
}

/// The edges that the blocks of a band start from, by step and strip.
pub(super) struct KeptBand<V: Lanes, S: Scheme<V>> {
    pub(super) lefts: Vec<S::Edge>,
    pub(super) tops: Vec<S::Edge>,
    pub(super) corners: Vec<V>,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) strips: usize,
}

impl<V: Lanes, S: Scheme<V>> KeptBand<V, S> {
    pub(super) fn new(steps: usize, rows: Cuts, columns: Cuts) -> Result<Self> {
        let (strips, flat) = (rows.blocks(), S::flat(V::zero()));
        Ok(KeptBand {
            lefts: try_vec(steps * strips * rows.most(), flat)?,
            tops: try_vec(steps * strips * columns.most(), flat)?,
            corners: try_vec(steps * strips, V::zero())?,
            height: rows.most(),
            width: columns.most(),
            strips,
        })
    }

    #[inline(always)]
    fn keep(&mut self, step: usize, strip: usize, left: &[S::Edge], top: &[S::Edge], corner: V) {
        let place = step * self.strips + strip;
        self.lefts[place * self.height..][..left.len()].copy_from_slice(left);
        self.tops[place * self.width..][..top.len()].copy_from_slice(top);
        self.corners[place] = corner;
    }
}
