//! Lanes over strips of one pair, for pairs that are few and long.
//!
//! A band of the grid is as many runs of strips as there are lanes, one below the other. At step t lane ℓ sweeps column
//! block t - ℓ of its run; between two steps the increments of y and the edges below move up one lane, to the run below,
//! and from the last lane to the row that the next band starts from. Idle lanes have Δ = 0. Backward everything moves the
//! other way. Cells, sums and their order are those of a group of pairs: so are the bits.

use super::block::{self, Cuts};
use super::pairs::{Extent, Tick};
use super::panels::{Channels, Lane, Places, Side};
use super::scheme::{Scheme, Vectors};
use super::tile::{Passing, Scratch, Tile};
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
    /// `edge` is the size of an edge of all lanes; `kept` whether edges are kept for the way back.
    fn new<const R: usize, const C: usize>(
        increments: (usize, usize),
        cells: (usize, usize),
        lanes: usize,
        edge: usize,
        kept: bool,
    ) -> Self {
        let rows = Cuts::rows::<R>(increments.0.div_ceil(R), cells.0);
        let columns = Cuts::columns::<C>(increments.1.div_ceil(C), cells.1);
        let blocks = (rows.blocks(), columns.blocks());
        let most = blocks.0.div_ceil(lanes).max(1);
        let run = if kept {
            // Kept edges grow with the run, the rows that bands start from with the number of bands.
            let step = (rows.most() + columns.most()) * edge * (blocks.1 + lanes);
            let row = columns.total() * edge / lanes;
            let balanced = (blocks.0 * row / lanes / step.max(1)).isqrt();
            most.min((KEPT / step.max(1)).max(balanced).max(1))
        } else {
            most.min(RUN)
        };
        let count = most.div_ceil(run);
        Bands {
            increments,
            blocks,
            strip: rows.each * R,
            run: most.div_ceil(count),
            count,
            lanes,
        }
    }

    /// Steps of a band.
    pub(super) fn steps(&self) -> usize {
        self.blocks.1 + self.lanes - 1
    }

    /// Blocks that are swept, idle ones included, in units of a group of pairs' blocks.
    fn cost(&self) -> usize {
        self.count * self.run * self.steps()
    }

    /// The increments of x in a lane's run; none where the grid has not so many strips.
    pub(super) fn increments(&self, band: usize, lane: usize) -> Range<usize> {
        let all = self.count * self.lanes * self.run * self.strip;
        let empty = all - self.increments.0;
        let first = (band * self.lanes + lane) * self.run * self.strip;
        first.saturating_sub(empty)..(first + self.run * self.strip).saturating_sub(empty)
    }
}

/// Whether `pairs` pairs of this size are better swept one after the other, lanes over strips.
pub(super) fn pays<V: Lanes, S: Scheme<V>, T: Tile<V, R, C>, const R: usize, const C: usize>(
    tile: &T,
    extent: &Extent,
    pairs: usize,
) -> bool {
    if extent.repeats != (0, 0) || extent.unfolded {
        return false;
    }
    let bands = Bands::new::<R, C>(extent.increments, tile.cells(), V::LANES, size_of::<S::Edge>(), false);
    pairs * bands.cost() < bands.blocks.0 * bands.blocks.1
}

/// Vectors that move from lane to lane, and the row of numbers that they come from and go to: `width` of them a block.
pub(super) struct Row<S> {
    pub(super) values: Vec<S>,
    pub(super) width: usize,
}

impl<S: Real> Row<S> {
    pub(super) fn new(blocks: usize, width: usize) -> Result<Self> {
        Ok(Row {
            values: try_vec(blocks * width, S::ZERO)?,
            width,
        })
    }

    pub(super) fn fill<V: Lanes<Scalar = S>, E: Vectors<V>>(&mut self, with: &E) {
        let parts = with.as_ref();
        for (i, value) in self.values.iter_mut().enumerate() {
            *value = parts[i % parts.len()].to_array()[0];
        }
    }

    /// The numbers of a block, if there is such a block.
    fn block(&mut self, block: Option<usize>) -> Option<&mut [S]> {
        self.values.get_mut(block? * self.width..)?.get_mut(..self.width)
    }
}

/// Moves vectors up a lane: the last lane's numbers go out to one block, the first lane's come in from another.
#[inline(always)]
fn move_up<V: Lanes>(vectors: &mut [V], row: &mut Row<V::Scalar>, out: Option<usize>, into: Option<usize>, idle: &[V]) {
    if let Some(out) = row.block(out) {
        for (number, vector) in out.iter_mut().zip(vectors.iter()) {
            *number = vector.to_array()[V::LANES - 1];
        }
    }
    match row.block(into) {
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

/// Moves vectors down a lane: the first lane's numbers go out, the last lane's come in.
#[inline(always)]
pub(super) fn move_down<V: Lanes>(
    vectors: &mut [V],
    row: &mut Row<V::Scalar>,
    out: Option<usize>,
    into: Option<usize>,
    idle: &[V],
) {
    if let Some(out) = row.block(out) {
        for (number, vector) in out.iter_mut().zip(vectors.iter()) {
            *number = vector.to_array()[0];
        }
    }
    match row.block(into) {
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

/// Forward over one pair.
pub(super) struct Relay<'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    pub(super) tile: T,
    pub(super) bands: Bands,
    pub(super) channels: Channels,
    pub(super) x_path: Lane<'a, V::Scalar>,
    pub(super) scale: f64,
    pub(super) x: Side<V, R>,
    /// The strips of a run, and one block of columns.
    pub(super) rows: Cuts,
    pub(super) columns: Cuts,
    pub(super) y: Vec<[V; C]>,
    pub(super) y_row: Row<V::Scalar>,
    /// The edges above, and after them the sum of increments along the left side of the block.
    pub(super) top: Vec<S::Edge>,
    pub(super) top_row: Row<V::Scalar>,
    /// Of every strip of the runs: the edges at the left, k where they meet the edges above, and the sum of increments
    /// along its upper side.
    pub(super) left: Vec<S::Edge>,
    pub(super) corners: Vec<V>,
    pub(super) sums: Vec<S::Edge>,
    /// Δ/2 of a block.
    h: Vec<[V; R]>,
    scratch: Scratch<V>,
}

impl<'a, V, S, T, const R: usize, const C: usize> Relay<'a, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    /// For one pair; `kept` whether it will be gone back over.
    pub fn new(
        tile: T,
        channels: Channels,
        [x_path, y_path]: [Lane<'a, V::Scalar>; 2],
        scale: f64,
        kept: bool,
    ) -> Result<Self> {
        let increments = |lane: &Lane<'_, V::Scalar>| (lane.points.len() / channels.dim).saturating_sub(1);
        let increments = (increments(&x_path), increments(&y_path));
        let cells = tile.cells();
        let bands = Bands::new::<R, C>(increments, cells, V::LANES, size_of::<S::Edge>(), kept);
        let places = Places {
            count: (bands.run * bands.strip).min(increments.0),
            repeat: 0,
            unfolded: false,
        };
        let x = Side::new(places, channels, 0)?;
        let rows = Cuts::rows::<R>(places.panels(), cells.0);
        let mut columns = Cuts::columns::<C>(0, cells.1);
        columns.panels = columns.each;
        let parts = S::flat(V::zero()).as_ref().len();
        let seen = channels.seen(false);
        let mut relay = Relay {
            tile,
            bands,
            channels,
            x_path,
            scale,
            x,
            rows,
            columns,
            y: try_vec(columns.each * seen, [V::zero(); C])?,
            y_row: Row::new(bands.blocks.1, columns.each * seen * C)?,
            top: try_vec(columns.most() + 1, S::flat(V::constant(1.0)))?,
            top_row: Row::new(bands.blocks.1, (columns.most() + 1) * parts)?,
            left: try_vec(rows.blocks() * rows.most(), S::flat(V::zero()))?,
            corners: try_vec(rows.blocks(), V::zero())?,
            sums: try_vec(rows.blocks(), S::flat(V::zero()))?,
            h: try_vec(rows.each * columns.each * C, [V::zero(); R])?,
            scratch: Scratch::new::<T, R, C>(&tile, columns.each * C)?,
        };
        relay.load_y(&y_path);
        relay.top_row.fill(&S::flat(V::constant(1.0)));
        Ok(relay)
    }

    /// The increments of y as numbers, laid out as panels; zeros fill up the front.
    fn load_y(&mut self, y_path: &Lane<'_, V::Scalar>) {
        let (dim, seen) = (self.channels.dim, self.channels.seen(false));
        let empty = self.bands.blocks.1 * self.columns.each * C - self.bands.increments.1;
        for (j, (from, next)) in y_path
            .points
            .chunks(dim)
            .zip(y_path.points.chunks(dim).skip(1))
            .enumerate()
        {
            let (panel, place) = ((empty + j) / C, (empty + j) % C);
            let to = &mut self.y_row.values[panel * seen * C..][..seen * C];
            for c in 0..dim {
                to[c * C + place] = next[c] - from[c];
            }
            if self.channels.time {
                to[dim * C + place] = y_path.time_step;
            }
        }
    }

    /// k of the pair. `tick(part, whole)` is called now and then.
    #[inline(always)]
    pub fn kernel(&mut self, tick: Tick<'_>) -> Result<V::Scalar> {
        for band in 0..self.bands.count {
            self.load_x(band);
            V::call(Band {
                relay: self,
                kept: None,
            });
            tick(band + 1, self.bands.count)?;
        }
        let parts = S::flat(V::zero()).as_ref().len();
        let last = self.top_row.values.len().checked_sub(2 * parts);
        Ok(last.map_or(V::Scalar::ONE, |last| self.top_row.values[last]))
    }

    /// The lanes' runs of a band.
    pub(super) fn load_x(&mut self, band: usize) {
        let dim = self.channels.dim;
        let mut lanes = [Lane::empty(); MAX_LANES];
        for (l, lane) in lanes.iter_mut().enumerate().take(V::LANES) {
            let run = self.bands.increments(band, l);
            if !run.is_empty() {
                lane.points = &self.x_path.points[run.start * dim..(run.end + 1) * dim];
                lane.time_step = self.x_path.time_step;
            }
        }
        self.x.interleave(&lanes[..V::LANES], self.scale);
    }

    /// One band, from the row above it to the row below it.
    #[inline(always)]
    fn sweep(&mut self, mut kept: Option<&mut KeptBand<V, S>>) {
        let one = S::flat(V::constant(1.0));
        self.left.fill(one);
        self.top.fill(one);
        self.corners.fill(V::constant(1.0));
        self.sums.fill(one);
        self.y.fill([V::zero(); C]);
        let (channels, height) = (self.channels.seen(false), self.rows.most());
        for t in 0..self.bands.steps() {
            let out = t.checked_sub(V::LANES);
            let top = S::Edge::flatten(&mut self.top);
            move_up(top, &mut self.top_row, out, Some(t), one.as_ref());
            move_up(self.y.as_flattened_mut(), &mut self.y_row, None, Some(t), &[V::zero()]);
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
                let (scratch, mut passing) = (&mut self.scratch, Passing(&mut self.h));
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
        }
        let last = self.bands.blocks.1.checked_sub(1);
        move_up(
            S::Edge::flatten(&mut self.top),
            &mut self.top_row,
            last,
            None,
            one.as_ref(),
        );
    }
}

pub(super) struct Band<'r, 'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    pub(super) relay: &'r mut Relay<'a, V, S, T, R, C>,
    pub(super) kept: Option<&'r mut KeptBand<V, S>>,
}

impl<V, S, T, const R: usize, const C: usize> Part<V> for Band<'_, '_, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.relay.sweep(self.kept);
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
