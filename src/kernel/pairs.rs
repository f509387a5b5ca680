//! Lanes over pairs: a group of pairs, one a lane, swept strip after strip.
//!
//! The row above a strip and the column left of a block are all the state. The way back is in `pairs_back`.

use super::block::{self, Cuts};
use super::pairs_back::Kept;
use super::panels::{Channels, Places, Side};
use super::scheme::{Scheme, Vectors};
use super::tile::{Asking, BlockNodes, Passing, ROOM, Scratch, Tile, slots};
use super::wave::{self, Joint};
use crate::error::Result;
use crate::memory::try_vec;
use crate::path::Ahead;
use crate::simd::{Lanes, Part};
use std::ops::Range;

/// Bytes of increments of y in a block: they stay in the second-level cache.
const LONG: usize = 256 << 10;

/// Forward over a group of pairs.
pub(super) struct Sweep<V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    pub x: Side<V, R>,
    pub y: Side<V, C>,
    pub(super) channels: usize,
    pub(super) tile: T,
    pub(super) rows: Cuts,
    pub(super) columns: Cuts,
    /// Edges above the strip, and at the left of the block.
    pub(super) top: Vec<S::Edge>,
    pub(super) left: Vec<S::Edge>,
    /// Of all blocks of columns.
    pub(super) joints: Vec<Joint<V, S::Edge>>,
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
    pub(super) fn x<const P: usize>(&self) -> Places<P> {
        Places {
            count: self.increments.0,
            repeat: self.repeats.0,
            unfolded: self.unfolded,
        }
    }

    pub(super) fn y<const P: usize>(&self) -> Places<P> {
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
    pub fn new(tile: T, extent: &Extent) -> Result<Self> {
        Self::with(tile, extent, Cuts::columns::<C>(0, tile.cells().1))
    }

    /// For kernels alone.
    pub fn forth(tile: T, extent: &Extent) -> Result<Self> {
        if const { !T::MAKES } {
            return Self::new(tile, extent);
        }
        let most = LONG / (extent.channels.seen(extent.unfolded) * size_of::<[V; C]>());
        Self::with(tile, extent, Cuts::long_columns::<C>(tile.cells().1, most, S::RENEWS))
    }

    pub(super) fn with(tile: T, extent: &Extent, columns: Cuts) -> Result<Self> {
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
            joints: try_vec(columns.all_joints(), wave::joint::<V, S>(V::zero()))?,
            h: try_vec(rows.each * ROOM, [V::zero(); R])?,
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
    pub(super) fn begin(&mut self) {
        self.rows.panels = self.x.places().panels();
        self.columns.panels = self.y.places().panels();
        self.top[..self.columns.total()].fill(S::flat(V::constant(1.0)));
        self.joints.fill(wave::joint::<V, S>(V::constant(1.0)));
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
    pub(super) fn strip(&mut self, strip: usize, keep: Option<(&mut Kept<V, S>, usize)>) {
        V::call(Strip(self, strip, keep));
    }

    #[inline(always)]
    fn solve_strip(&mut self, strip: usize, mut keep: Option<(&mut Kept<V, S>, usize)>) {
        let panels = self.rows.block(strip);
        let left = &mut self.left[..panels.len() * self.rows.cells];
        left.fill(S::flat(V::constant(1.0)));
        let dx = self.x.load(panels);
        let mut corner = V::constant(1.0);
        let mut sum = S::flat(V::constant(1.0));
        for j in 0..self.columns.blocks() {
            let panels = self.columns.block(j);
            let cells = self.columns.cells(&panels);
            let which = self.columns.joints(&panels);
            let joints = &mut self.joints[which.clone()];
            let top = &mut self.top[cells.clone()];
            corner = wave::corners::<V, S>(joints, top, corner);
            S::renew_edges(top, &mut sum);
            S::renew_edges(left, &mut joints[0].sum);
            if let Some((kept, place)) = &mut keep {
                kept.top(*place)[cells].copy_from_slice(top);
                kept.left(*place, j)[..left.len()].copy_from_slice(left);
                kept.joints(*place)[which].copy_from_slice(joints);
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
                joints,
                &mut passing,
            );
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
                let joints = &mut self.joints[self.columns.joints(&panels)];
                let top = &mut self.top[columns.clone()];
                corner = wave::corners::<V, S>(joints, top, corner);
                S::renew_edges(top, &mut sum);
                S::renew_edges(left, &mut joints[0].sum);
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
                    joints,
                    &mut nodes,
                );
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

struct Strip<'a, 'k, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize>(
    &'a mut Sweep<V, S, T, R, C>,
    usize,
    Option<(&'k mut Kept<V, S>, usize)>,
);

impl<V: Lanes, S: Scheme<V>, T: Tile<V, R, C>, const R: usize, const C: usize> Part<V>
    for Strip<'_, '_, V, S, T, R, C>
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.0.solve_strip(self.1, self.2);
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

/// Where the cells of a block stand when they are kept in the order in which they are computed.
#[derive(Clone, Copy)]
pub(super) struct Order {
    /// Rows that are swept together, and slots of them.
    together: usize,
    size: usize,
}

impl Order {
    /// Of blocks of so many columns.
    pub(super) fn new<const R: usize>(columns: usize) -> Self {
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
