//! Lanes over strips of one pair, for pairs that are few and long.
//!
//! A band of the grid is as many runs of strips as there are lanes, one below the other. At step t lane ℓ sweeps column
//! block t - ℓ of its run; between two steps the increments of y and the edges below move up one lane, to the run below,
//! and from the last lane to the row that the next band starts from. Idle lanes have Δ = 0. Backward everything moves the
//! other way. Cells, sums and their order are those of a group of pairs: so are the bits.

use super::block::{self, Cuts, Replay};
use super::pairs::{Extent, Tick};
use super::panels::{Channels, Lane, Places, Side, Sums};
use super::scheme::{Scheme, Vectors};
use super::tile::Tile;
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
    increments: (usize, usize),
    blocks: (usize, usize),
    /// Increments in a strip.
    strip: usize,
    /// Strips in a run.
    run: usize,
    count: usize,
    lanes: usize,
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
    fn steps(&self) -> usize {
        self.blocks.1 + self.lanes - 1
    }

    /// Blocks that are swept, idle ones included, in units of a group of pairs' blocks.
    fn cost(&self) -> usize {
        self.count * self.run * self.steps()
    }

    /// The increments of x in a lane's run; none where the grid has not so many strips.
    fn increments(&self, band: usize, lane: usize) -> Range<usize> {
        let all = self.count * self.lanes * self.run * self.strip;
        let empty = all - self.increments.0;
        let first = (band * self.lanes + lane) * self.run * self.strip;
        first.saturating_sub(empty)..(first + self.run * self.strip).saturating_sub(empty)
    }
}

/// Whether `pairs` pairs of this size are better swept one after the other, lanes over strips.
pub(super) fn pays<V: Lanes, S: Scheme<V>, T: Tile<V, S, R, C>, const R: usize, const C: usize>(
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
struct Row<S> {
    values: Vec<S>,
    width: usize,
}

impl<S: Real> Row<S> {
    fn new(blocks: usize, width: usize) -> Result<Self> {
        Ok(Row {
            values: try_vec(blocks * width, S::ZERO)?,
            width,
        })
    }

    fn fill<V: Lanes<Scalar = S>, E: Vectors<V>>(&mut self, with: &E) {
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
fn move_down<V: Lanes>(
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
    tile: T,
    bands: Bands,
    channels: Channels,
    x_path: Lane<'a, V::Scalar>,
    scale: f64,
    x: Side<V, R>,
    /// The strips of a run, and one block of columns.
    rows: Cuts,
    columns: Cuts,
    y: Vec<[V; C]>,
    y_row: Row<V::Scalar>,
    /// The edges above, and after them the sum of increments along the left side of the block.
    top: Vec<S::Edge>,
    top_row: Row<V::Scalar>,
    /// Of every strip of the runs: the edges at the left, k where they meet the edges above, and the sum of increments
    /// along its upper side.
    left: Vec<S::Edge>,
    corners: Vec<V>,
    sums: Vec<S::Edge>,
}

impl<'a, V, S, T, const R: usize, const C: usize> Relay<'a, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, S, R, C>,
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
    fn load_x(&mut self, band: usize) {
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
                block::forward::<V, S, T, _, R, C>(&self.tile, increments, channels, left, top, corner, &mut ());
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

struct Band<'r, 'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    relay: &'r mut Relay<'a, V, S, T, R, C>,
    kept: Option<&'r mut KeptBand<V, S>>,
}

impl<V, S, T, const R: usize, const C: usize> Part<V> for Band<'_, '_, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, S, R, C>,
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.relay.sweep(self.kept);
    }
}

/// The edges that the blocks of a band start from, by step and strip.
struct KeptBand<V: Lanes, S: Scheme<V>> {
    lefts: Vec<S::Edge>,
    tops: Vec<S::Edge>,
    corners: Vec<V>,
    height: usize,
    width: usize,
    strips: usize,
}

impl<V: Lanes, S: Scheme<V>> KeptBand<V, S> {
    fn new(steps: usize, rows: Cuts, columns: Cuts) -> Result<Self> {
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

/// Forward and back over one pair.
pub(super) struct RelayBack<'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    relay: Relay<'a, V, S, T, R, C>,
    replay: Replay<V, R, C>,
    kept: KeptBand<V, S>,
    /// Edges of the block in hand.
    left: Vec<S::Edge>,
    top: Vec<S::Edge>,
    right: Vec<S::Row>,
    bottom: Vec<S::Column>,
    bottom_row: Row<V::Scalar>,
    /// Of every strip of the runs, the sum of the adjoint's increments along its lower side; of the block, along its
    /// right side.
    sums: Vec<S::Column>,
    sum: [S::Row; 1],
    sum_row: Row<V::Scalar>,
    to_x: Option<Sums<V, R>>,
    to_y: Option<Sums<V, C>>,
    to_y_row: Row<V::Scalar>,
}

impl<'a, V, S, T, const R: usize, const C: usize> RelayBack<'a, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, S, R, C>,
{
    pub fn new(relay: Relay<'a, V, S, T, R, C>, wanted: (bool, bool)) -> Result<Self> {
        let (rows, columns, blocks) = (relay.rows, relay.columns, relay.bands.blocks.1);
        let dim = relay.channels.dim;
        let y_places = Places {
            count: columns.each * C,
            repeat: 0,
            unfolded: false,
        };
        let parts = S::Column::zero().as_ref().len();
        Ok(RelayBack {
            replay: Replay::new(rows, columns)?,
            kept: KeptBand::new(relay.bands.steps(), rows, columns)?,
            left: try_vec(rows.most(), S::flat(V::zero()))?,
            top: try_vec(columns.most(), S::flat(V::zero()))?,
            right: try_vec(rows.blocks() * rows.most(), S::Row::zero())?,
            bottom: try_vec(columns.most(), S::Column::zero())?,
            bottom_row: Row::new(blocks, columns.most() * parts)?,
            sums: try_vec(rows.blocks(), S::Column::zero())?,
            sum: [S::Row::zero()],
            sum_row: Row::new(blocks, S::Row::zero().as_ref().len())?,
            to_x: if wanted.0 {
                Some(Sums::new(relay.x.places(), dim)?)
            } else {
                None
            },
            to_y: if wanted.1 {
                Some(Sums::new(y_places, dim)?)
            } else {
                None
            },
            to_y_row: Row::new(if wanted.1 { blocks } else { 0 }, columns.each * C * dim)?,
            relay,
        })
    }

    /// Writes ∂F/∂dx and ∂F/∂dy for F = seed · k, in the order of the paths, to what is not empty.
    #[inline(always)]
    pub fn run(
        &mut self,
        seed: V::Scalar,
        x_out: &mut [V::Scalar],
        y_out: &mut [V::Scalar],
        tick: Tick<'_>,
    ) -> Result<()> {
        let count = self.relay.bands.count;
        let mut marks = try_vec((count - 1) * self.relay.top_row.values.len(), V::Scalar::ZERO)?;
        let row = self.relay.top_row.values.len();
        for band in 0..count {
            self.relay.load_x(band);
            let last = band + 1 == count;
            if !last {
                marks[band * row..][..row].copy_from_slice(&self.relay.top_row.values);
            }
            V::call(Band {
                relay: &mut self.relay,
                kept: last.then_some(&mut self.kept),
            });
            tick(band + 1, 3 * count)?;
        }
        let seed = V::splat(seed);
        self.bottom_row.fill(&S::below(seed));
        self.sum_row.fill(&S::beyond(seed));
        for band in (0..count).rev() {
            if band + 1 < count {
                self.relay.load_x(band);
                self.relay.top_row.values.copy_from_slice(&marks[band * row..][..row]);
                V::call(Band {
                    relay: &mut self.relay,
                    kept: Some(&mut self.kept),
                });
            }
            V::call(BandBack(self, seed));
            self.put_x(band, x_out);
            tick(count + 2 * (count - band), 3 * count)?;
        }
        self.put_y(y_out);
        Ok(())
    }

    fn put_x(&mut self, band: usize, out: &mut [V::Scalar]) {
        let Some(sums) = &mut self.to_x else { return };
        let dim = self.relay.channels.dim;
        let mut slices: [&mut [V::Scalar]; MAX_LANES] = std::array::from_fn(|_| &mut [] as &mut [V::Scalar]);
        let (mut rest, mut begin) = (out, 0);
        for (l, slice) in slices.iter_mut().enumerate().take(V::LANES) {
            let run = self.relay.bands.increments(band, l);
            let own = std::mem::take(&mut rest).split_at_mut((run.start - begin) * dim).1;
            (*slice, rest) = own.split_at_mut(run.len() * dim);
            begin = run.end;
        }
        sums.scatter(self.relay.scale, &mut slices[..V::LANES]);
    }

    fn put_y(&self, out: &mut [V::Scalar]) {
        if self.to_y.is_none() {
            return;
        }
        let dim = self.relay.channels.dim;
        let empty = self.relay.bands.blocks.1 * self.relay.columns.each * C - self.relay.bands.increments.1;
        for (j, increment) in out.chunks_exact_mut(dim).enumerate() {
            let (panel, place) = ((empty + j) / C, (empty + j) % C);
            for (c, to) in increment.iter_mut().enumerate() {
                *to = self.to_y_row.values[(panel * dim + c) * C + place];
            }
        }
    }

    #[inline(always)]
    fn sweep(&mut self, seed: V) {
        let Relay {
            tile,
            bands,
            channels,
            x,
            rows,
            y,
            y_row,
            ..
        } = &mut self.relay;
        let (steps, dim, seen) = (bands.steps(), channels.dim, channels.seen(false));
        let (below, beyond, zero) = (S::below(seed), S::beyond(seed), [V::zero()]);
        self.right.fill(beyond);
        self.bottom.fill(below);
        self.sums.fill(below);
        self.sum = [beyond];
        y.fill([V::zero(); C]);
        if let Some(sums) = &mut self.to_x {
            sums.clear(x.places());
        }
        if let Some(sums) = &mut self.to_y {
            sums.vectors().fill(V::zero());
        }
        // The first steps only bring in blocks, the last lane's first.
        for t in (0..steps + V::LANES - 1).rev() {
            let (into, out) = ((t + 1).checked_sub(V::LANES), Some(t + 1));
            move_down(y.as_flattened_mut(), y_row, None, into, &zero);
            move_down(
                S::Column::flatten(&mut self.bottom),
                &mut self.bottom_row,
                out,
                into,
                below.as_ref(),
            );
            move_down(
                S::Row::flatten(&mut self.sum),
                &mut self.sum_row,
                out,
                into,
                beyond.as_ref(),
            );
            if let Some(sums) = &mut self.to_y {
                move_down(sums.vectors(), &mut self.to_y_row, out, into, &zero);
            }
            if t >= steps {
                continue;
            }
            for strip in (0..rows.blocks()).rev() {
                let panels = rows.block(strip);
                let place = t * self.kept.strips + strip;
                let height = panels.len() * rows.cells;
                let left = &mut self.left[..height];
                left.copy_from_slice(&self.kept.lefts[place * self.kept.height..][..height]);
                self.top
                    .copy_from_slice(&self.kept.tops[place * self.kept.width..][..self.kept.width]);
                let increments = (x.load(panels.clone()), y.as_slice());
                let corner = self.kept.corners[place];
                self.replay
                    .forward::<S, T>(tile, increments, seen, left, &mut self.top, corner);
                let right = &mut self.right[strip * rows.most()..][..height];
                S::renew_columns(&mut self.bottom, &mut self.sums[strip]);
                S::renew_rows(right, &mut self.sum[0]);
                self.replay
                    .adjoint::<S, T>(tile, increments, seen, right, &mut self.bottom, None);
                if let Some(sums) = &mut self.to_x {
                    self.replay.to_x(panels, increments.1, seen, dim, sums);
                }
                if let Some(sums) = &mut self.to_y {
                    self.replay
                        .to_y(0..increments.1.len() / seen, increments.0, seen, dim, sums);
                }
            }
        }
        move_down(
            S::Column::flatten(&mut self.bottom),
            &mut self.bottom_row,
            Some(0),
            None,
            below.as_ref(),
        );
        move_down(
            S::Row::flatten(&mut self.sum),
            &mut self.sum_row,
            Some(0),
            None,
            beyond.as_ref(),
        );
        if let Some(sums) = &mut self.to_y {
            move_down(sums.vectors(), &mut self.to_y_row, Some(0), None, &zero);
        }
    }
}

struct BandBack<'r, 'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize>(
    &'r mut RelayBack<'a, V, S, T, R, C>,
    V,
);

impl<V, S, T, const R: usize, const C: usize> Part<V> for BandBack<'_, '_, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, S, R, C>,
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.0.sweep(self.1);
    }
}
