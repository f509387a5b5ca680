//! Lanes over pairs: a group of pairs, one a lane, swept strip after strip.
//!
//! Forward, the row above a strip and the column left of a block are all the state. Backward, strips and blocks are
//! taken from the last: the edges that forward kept start the blocks anew, and Δ, k and ∂F/∂k exist a block at a time.

use super::block::{self, Cuts, Replay};
use super::panels::{Channels, Places, Side, Sums};
use super::scheme::{Scheme, Vectors};
use super::tile::{Asking, BlockNodes, Passing, RING, Scratch, Tile, slots};
use crate::error::{Result, try_vec};
use crate::path::Ahead;
use crate::simd::{Lanes, Part};
use std::ops::Range;

/// Bytes of edges that are kept before strips are swept twice instead.
const KEPT: usize = 48 << 20;

/// Forward over a group of pairs.
pub(super) struct Sweep<V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    pub x: Side<V, R>,
    pub y: Side<V, C>,
    channels: usize,
    tile: T,
    rows: Cuts,
    columns: Cuts,
    /// Edges above the strip, and at the left of the block.
    top: Vec<S::Edge>,
    left: Vec<S::Edge>,
    /// Of every block of columns, the sum of increments along its left side.
    sums: Vec<S::Edge>,
    /// Δ/2 of a block.
    h: Vec<[V; R]>,
    scratch: Scratch<V>,
    /// What the next group will want of memory.
    ahead: Ahead<V::Scalar>,
}

/// The size of the sweeps of a call: the most increments of x and y, and how often they are repeated.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub increments: (usize, usize),
    pub repeats: (u32, u32),
    pub unfolded: bool,
    pub channels: Channels,
}

impl Extent {
    fn x<const P: usize>(&self) -> Places<P> {
        Places {
            count: self.increments.0,
            repeat: self.repeats.0,
            unfolded: self.unfolded,
        }
    }

    fn y<const P: usize>(&self) -> Places<P> {
        Places {
            count: self.increments.1,
            repeat: self.repeats.1,
            unfolded: self.unfolded,
        }
    }
}

impl<V, S, T, const R: usize, const C: usize> Sweep<V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    #[inline(always)]
    pub fn new(tile: T, extent: &Extent) -> Result<Self> {
        Self::with(tile, extent, Cuts::columns::<C>(0, tile.cells().1))
    }

    /// For kernels alone.
    #[inline(always)]
    pub fn forth(tile: T, extent: &Extent) -> Result<Self> {
        if const { T::MAKES && !S::RENEWS } {
            let channels = extent.channels.seen(extent.unfolded);
            return Self::with(tile, extent, Cuts::long_columns::<V, C>(0, channels));
        }
        Self::new(tile, extent)
    }

    #[inline(always)]
    fn with(tile: T, extent: &Extent, columns: Cuts) -> Result<Self> {
        let x_cells = tile.cells().0;
        let each = (Cuts::rows::<R>(0, x_cells).each, columns.each);
        let x = Side::new(extent.x(), extent.channels, each.0)?;
        let y = Side::new(extent.y(), extent.channels, each.1)?;
        let rows = Cuts::rows::<R>(x.places().panels(), x_cells);
        let columns = Cuts {
            panels: y.places().panels(),
            ..columns
        };
        let flat = S::flat(V::zero());
        Ok(Sweep {
            x,
            y,
            channels: extent.channels.seen(extent.unfolded),
            tile,
            rows,
            columns,
            top: try_vec(columns.total(), flat)?,
            left: try_vec(rows.most(), flat)?,
            sums: try_vec(columns.blocks(), flat)?,
            h: try_vec(rows.each * RING, [V::zero(); R])?,
            scratch: Scratch::new::<T, R, C>(&tile, columns.each * C)?,
            ahead: Ahead::new(),
        })
    }

    /// Asks for these paths while those that were interleaved are swept.
    #[inline(always)]
    pub fn look_ahead<'a>(&mut self, paths: impl Iterator<Item = &'a [V::Scalar]>)
    where
        V::Scalar: 'a,
    {
        let (rows, columns) = self.padded();
        self.ahead.look(paths, rows / R * (columns + R - 1));
    }

    /// Takes the sizes of the lanes that were interleaved.
    #[inline(always)]
    fn begin(&mut self) {
        self.rows.panels = self.x.places().panels();
        self.columns.panels = self.y.places().panels();
        self.top[..self.columns.total()].fill(S::flat(V::constant(1.0)));
        self.sums.fill(S::flat(V::constant(1.0)));
    }

    /// The kernels of the group. `tick(part, whole)` is called after every strip.
    #[inline(always)]
    pub fn kernels(&mut self, tick: Tick<'_>) -> Result<V> {
        V::call(Kernels(self, tick))
    }

    #[inline(always)]
    fn solve(&mut self, tick: Tick<'_>) -> Result<V> {
        self.begin();
        let strips = self.rows.blocks();
        for strip in 0..strips {
            self.strip(strip, None);
            tick(strip + 1, strips)?;
        }
        Ok(self.last())
    }

    /// k at the last corner of what was swept.
    #[inline(always)]
    fn last(&self) -> V {
        let columns = self.columns.total();
        match self.rows.panels {
            0 => V::constant(1.0),
            _ => columns
                .checked_sub(1)
                .map_or(V::constant(1.0), |last| self.top[last].value()),
        }
    }

    /// One strip; what the blocks start from is kept.
    #[inline(always)]
    fn strip(&mut self, strip: usize, mut keep: Option<(&mut Kept<V, S>, usize)>) {
        let panels = self.rows.block(strip);
        let left = &mut self.left[..panels.len() * self.rows.cells];
        left.fill(S::flat(V::constant(1.0)));
        let dx = self.x.load(panels);
        let mut corner = V::constant(1.0);
        let mut sum = S::flat(V::constant(1.0));
        for j in 0..self.columns.blocks() {
            let panels = self.columns.block(j);
            let cells = self.columns.cells(&panels);
            let top = &mut self.top[cells.clone()];
            let next = top[top.len() - 1].value();
            S::renew_edges(top, &mut sum);
            S::renew_edges(left, &mut self.sums[j]);
            if let Some((kept, place)) = &mut keep {
                kept.top(*place)[cells].copy_from_slice(top);
                let (kept_left, kept_corner) = kept.left(*place, j);
                kept_left[..left.len()].copy_from_slice(left);
                *kept_corner = corner;
            }
            let dy = self.y.load(panels);
            let scratch = &mut self.scratch;
            let mut passing = Passing(&mut self.h, Asking(&mut self.ahead));
            block::forward::<V, S, T, _, R, C>(
                &self.tile,
                (dx, dy),
                self.channels,
                scratch,
                left,
                top,
                corner,
                &mut passing,
            );
            corner = next;
        }
    }

    /// The grids of the group: `receive` is told of every block; `cells` is room for one.
    #[inline(always)]
    pub fn grids(&mut self, cells: &mut [V], receive: &mut dyn Receive<V>) -> Result<()> {
        V::call(Grids(self, cells, receive))
    }

    #[inline(always)]
    fn solve_grids(&mut self, cells: &mut [V], receive: &mut dyn Receive<V>) -> Result<()> {
        self.begin();
        for strip in 0..self.rows.blocks() {
            let panels = self.rows.block(strip);
            let rows = self.rows.cells(&panels);
            let left = &mut self.left[..rows.len()];
            left.fill(S::flat(V::constant(1.0)));
            let dx = self.x.load(panels);
            let mut corner = V::constant(1.0);
            let mut sum = S::flat(V::constant(1.0));
            for j in 0..self.columns.blocks() {
                let panels = self.columns.block(j);
                let columns = self.columns.cells(&panels);
                let top = &mut self.top[columns.clone()];
                let next = top[top.len() - 1].value();
                S::renew_edges(top, &mut sum);
                S::renew_edges(left, &mut self.sums[j]);
                let order = Order::new::<R>(columns.len());
                let dy = self.y.load(panels);
                let mut nodes = BlockNodes {
                    h: &mut self.h,
                    nodes: &mut *cells,
                };
                let scratch = &mut self.scratch;
                block::forward::<V, S, T, _, R, C>(
                    &self.tile,
                    (dx, dy),
                    self.channels,
                    scratch,
                    left,
                    top,
                    corner,
                    &mut nodes,
                );
                corner = next;
                receive.block(rows.clone(), columns, &order, cells)?;
            }
        }
        Ok(())
    }

    /// Cells of all panels: those of the group, and those that fill up the front.
    pub fn padded(&self) -> (usize, usize) {
        (
            self.x.places().panels() * self.rows.cells,
            self.y.places().panels() * self.columns.cells,
        )
    }

    /// Slots of the cells of the largest block.
    pub fn block_slots(&self) -> usize {
        slots::<R>(self.rows.most(), self.columns.most())
    }
}

/// Told (part, whole) of what is done.
pub(super) type Tick<'a> = &'a mut dyn FnMut(usize, usize) -> Result<()>;

struct Kernels<'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize>(&'a mut Sweep<V, S, T, R, C>, Tick<'a>);

impl<V: Lanes, S: Scheme<V>, T: Tile<V, R, C>, const R: usize, const C: usize> Part<V> for Kernels<'_, V, S, T, R, C> {
    type Output = Result<V>;
    #[inline(always)]
    fn run(self) -> Result<V> {
        self.0.solve(self.1)
    }
}

struct Grids<'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize>(
    &'a mut Sweep<V, S, T, R, C>,
    &'a mut [V],
    &'a mut dyn Receive<V>,
);

impl<V: Lanes, S: Scheme<V>, T: Tile<V, R, C>, const R: usize, const C: usize> Part<V> for Grids<'_, V, S, T, R, C> {
    type Output = Result<()>;
    #[inline(always)]
    fn run(self) -> Result<()> {
        self.0.solve_grids(self.1, self.2)
    }
}

/// Takes the nodes of a group's grids, block after block.
pub(super) trait Receive<V> {
    /// k at the last corners of the cells of a block; rows and columns count from the padded front.
    fn block(&mut self, rows: Range<usize>, columns: Range<usize>, order: &Order, cells: &[V]) -> Result<()>;
}

/// Gives ∂F/∂k at the nodes of a group's grids.
pub(super) trait Supply<V> {
    /// As [`Receive::block`], but writes the cells.
    fn block(&mut self, rows: Range<usize>, columns: Range<usize>, order: &Order, cells: &mut [V]);
}

/// What the adjoint starts from.
enum Seeds<'a, V> {
    /// ∂F/∂k at the last corner.
    Kernels(V),
    Grids(&'a mut dyn Supply<V>),
}

/// Where the cells of a block stand when they are kept in the order in which they are computed.
#[derive(Clone, Copy)]
pub(super) struct Order {
    /// Rows that are swept together, and slots of them.
    together: usize,
    size: usize,
}

impl Order {
    /// Of blocks of so many columns.
    fn new<const R: usize>(columns: usize) -> Self {
        Order {
            together: R,
            size: slots::<R>(R, columns),
        }
    }

    /// The place of a cell of the block.
    #[inline(always)]
    pub fn place(&self, row: usize, column: usize) -> usize {
        let (group, row) = (row / self.together, row % self.together);
        group * self.size + (column + row) * self.together + row
    }
}

/// The edges that the blocks of some strips start from, and k where they meet.
struct Kept<V: Lanes, S: Scheme<V>> {
    tops: Vec<S::Edge>,
    lefts: Vec<S::Edge>,
    corners: Vec<V>,
    columns: usize,
    blocks: usize,
    rows: usize,
}

impl<V: Lanes, S: Scheme<V>> Kept<V, S> {
    fn new(strips: usize, rows: Cuts, columns: Cuts) -> Result<Self> {
        let zero = S::flat(V::zero());
        let blocks = columns.blocks();
        Ok(Kept {
            tops: try_vec(strips * columns.total(), zero)?,
            lefts: try_vec(strips * blocks * rows.most(), zero)?,
            corners: try_vec(strips * blocks, V::zero())?,
            columns: columns.total(),
            blocks,
            rows: rows.most(),
        })
    }

    fn top(&mut self, strip: usize) -> &mut [S::Edge] {
        &mut self.tops[strip * self.columns..][..self.columns]
    }

    fn left(&mut self, strip: usize, block: usize) -> (&mut [S::Edge], &mut V) {
        let place = strip * self.blocks + block;
        (
            &mut self.lefts[place * self.rows..][..self.rows],
            &mut self.corners[place],
        )
    }
}

/// Strips that are kept at once: all, where that is little; else about the square root of their number, which are then
/// swept a second time from rows kept at their beginning. So memory grows as L^1.5.
fn band<E>(rows: Cuts, columns: Cuts) -> usize {
    let strip = (columns.total() + columns.blocks() * rows.most()) * size_of::<E>();
    let strips = rows.blocks().max(1);
    if strips.saturating_mul(strip) <= KEPT {
        strips
    } else {
        strips.isqrt().max(1)
    }
}

/// Forward and back over a group of pairs.
pub(super) struct Gradients<V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    pub sweep: Sweep<V, S, T, R, C>,
    pub to_x: Option<Sums<V, R>>,
    pub to_y: Option<Sums<V, C>>,
    replay: Replay<V, R, C>,
    kept: Kept<V, S>,
    /// Strips that are kept at once.
    band: usize,
    /// Edges above the first strip of every band, and the sums there.
    marks: Vec<S::Edge>,
    mark_sums: Vec<S::Edge>,
    bottom: Vec<S::Column>,
    right: Vec<S::Row>,
    /// Of every block of columns, the sum of the adjoint's increments along its right side.
    sums: Vec<S::Row>,
    /// Edges of the block in hand.
    top: Vec<S::Edge>,
    given: Vec<V>,
    /// Channels that move.
    moving: usize,
}

impl<V, S, T, const R: usize, const C: usize> Gradients<V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    #[inline(always)]
    pub fn new(tile: T, extent: &Extent, to_x: bool, to_y: bool, given: bool) -> Result<Self> {
        let sweep = Sweep::<V, S, T, R, C>::new(tile, extent)?;
        let (rows, columns) = (sweep.rows, sweep.columns);
        let flat = S::flat(V::zero());
        let band = band::<S::Edge>(rows, columns);
        let bands = rows.blocks().div_ceil(band);
        let dim = extent.channels.dim;
        Ok(Gradients {
            to_x: if to_x { Some(Sums::new(extent.x(), dim)?) } else { None },
            to_y: if to_y { Some(Sums::new(extent.y(), dim)?) } else { None },
            replay: Replay::new(&tile, rows, columns)?,
            kept: Kept::new(band, rows, columns)?,
            band,
            marks: try_vec(if bands > 1 { bands * columns.total() } else { 0 }, flat)?,
            mark_sums: try_vec(if bands > 1 { bands * columns.blocks() } else { 0 }, flat)?,
            bottom: try_vec(columns.total(), S::Column::zero())?,
            right: try_vec(rows.most(), S::Row::zero())?,
            sums: try_vec(columns.blocks(), S::Row::zero())?,
            top: try_vec(columns.most(), flat)?,
            given: try_vec(if given { sweep.block_slots() } else { 0 }, V::zero())?,
            sweep,
            moving: extent.channels.moving(extent.unfolded),
        })
    }

    /// Zeros for the sums of the lanes that were interleaved.
    #[inline(always)]
    pub fn clear(&mut self) {
        if let Some(sums) = &mut self.to_x {
            sums.clear(self.sweep.x.places());
        }
        if let Some(sums) = &mut self.to_y {
            sums.clear(self.sweep.y.places());
        }
    }

    /// Adds the gradients of Σ seed · k to the sums. `tick(part, whole)` is called after every strip.
    #[inline(always)]
    pub fn of_kernels(&mut self, seed: V, tick: Tick<'_>) -> Result<()> {
        V::call(Back::<V, S, T, R, C, false>(self, Seeds::Kernels(seed), tick))
    }

    /// The same for ∂F/∂k given at every node.
    #[inline(always)]
    pub fn of_grids(&mut self, given: &mut dyn Supply<V>, tick: Tick<'_>) -> Result<()> {
        V::call(Back::<V, S, T, R, C, true>(self, Seeds::Grids(given), tick))
    }

    #[inline(always)]
    fn back<const GRID: bool>(&mut self, mut seeds: Seeds<'_, V>, tick: Tick<'_>) -> Result<()> {
        self.sweep.begin();
        let (all, columns) = (self.sweep.rows.blocks(), self.sweep.columns.total());
        if all == 0 || columns == 0 {
            return Ok(());
        }
        let band = self.band;
        let bands = all.div_ceil(band);
        let seed = match seeds {
            Seeds::Kernels(seed) => seed,
            Seeds::Grids(_) => V::zero(),
        };
        self.sums.fill(S::beyond(seed));
        self.bottom[..columns].fill(S::below(seed));
        for strip in 0..all {
            if bands > 1 && strip % band == 0 {
                self.marks[strip / band * columns..][..columns].copy_from_slice(&self.sweep.top[..columns]);
                let blocks = self.sweep.sums.len();
                self.mark_sums[strip / band * blocks..][..blocks].copy_from_slice(&self.sweep.sums);
            }
            let last_band = strip >= (bands - 1) * band;
            let keep = last_band.then_some((&mut self.kept, strip % band));
            self.sweep.strip(strip, keep);
            tick(strip + 1, 3 * all)?;
        }
        for which in (0..bands).rev() {
            let strips = which * band..all.min((which + 1) * band);
            if which + 1 < bands {
                self.sweep.top[..columns].copy_from_slice(&self.marks[which * columns..][..columns]);
                let blocks = self.sweep.sums.len();
                self.sweep
                    .sums
                    .copy_from_slice(&self.mark_sums[which * blocks..][..blocks]);
                for strip in strips.clone() {
                    self.sweep.strip(strip, Some((&mut self.kept, strip % band)));
                }
            }
            for strip in strips.rev() {
                self.strip_back::<GRID>(strip, strip % band, seed, &mut seeds);
                tick(all + 2 * (all - strip), 3 * all)?;
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn strip_back<const GRID: bool>(&mut self, strip: usize, place: usize, seed: V, seeds: &mut Seeds<'_, V>) {
        let Sweep {
            x,
            y,
            channels,
            tile,
            rows,
            columns,
            left,
            ..
        } = &mut self.sweep;
        let panels = rows.block(strip);
        let height = panels.len() * rows.cells;
        let right = &mut self.right[..height];
        right.fill(S::beyond(seed));
        let mut sum = S::below(seed);
        let dx = x.load(panels.clone());
        for j in (0..columns.blocks()).rev() {
            let across = columns.block(j);
            let cells = columns.cells(&across);
            let dy = y.load(across.clone());
            let top = &mut self.top[..cells.len()];
            top.copy_from_slice(&self.kept.top(place)[cells.clone()]);
            let left = &mut left[..height];
            let (kept_left, &mut corner) = self.kept.left(place, j);
            left.copy_from_slice(&kept_left[..height]);
            self.replay
                .forward::<S, T>(tile, (dx, dy), *channels, left, top, corner);
            let bottom = &mut self.bottom[cells.clone()];
            S::renew_columns(bottom, &mut sum);
            S::renew_rows(right, &mut self.sums[j]);
            let given = match seeds {
                Seeds::Grids(supply) if GRID => {
                    let order = Order::new::<R>(cells.len());
                    supply.block(rows.cells(&panels), cells, &order, &mut self.given);
                    Some(self.given.as_slice())
                }
                _ => None,
            };
            self.replay
                .adjoint::<S, T>(tile, (dx, dy), *channels, right, bottom, given);
            if let Some(sums) = &mut self.to_x {
                self.replay.to_x(panels.clone(), dy, *channels, self.moving, sums);
            }
            if let Some(sums) = &mut self.to_y {
                self.replay.to_y(across, dx, *channels, self.moving, sums);
            }
        }
    }
}

struct Back<'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize, const GRID: bool>(
    &'a mut Gradients<V, S, T, R, C>,
    Seeds<'a, V>,
    Tick<'a>,
);

impl<V, S, T, const R: usize, const C: usize, const GRID: bool> Part<V> for Back<'_, V, S, T, R, C, GRID>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    type Output = Result<()>;
    #[inline(always)]
    fn run(self) -> Result<()> {
        self.0.back::<GRID>(self.1, self.2)
    }
}
