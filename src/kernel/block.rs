//! A block of tiles: the unit of checkpointing and of the sums of the gradient. Forward over it, and back.

use super::scheme::{RENEWED, Scheme};
use super::shares::{ToX, ToY};
use super::sums::Sums;
use super::tile::{BlockSlopes, Products, RING, ROOM, Record, Records, Scratch, Tile, row_products, slots};
use super::wave::Joint;
use crate::error::Result;
use crate::memory::try_vec;
use crate::simd::{Lanes, Part};
use std::ops::Range;

/// Rows and columns of cells in a block: few enough for its state to stay in the second-level cache.
const CELLS: usize = RENEWED;

/// Bytes of increments that stay in the first-level cache while others pass by.
pub(super) const NEAR: usize = 24 << 10;

/// Cells before the first joint that a wave goes over.
const LEAST: usize = 4;

/// The panels of one axis, cut into blocks. The cuts are counted from the END, where all lanes of a group and all plans
/// agree: so sums over blocks have the same bits whatever a pair travels with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cuts {
    pub panels: usize,
    /// Panels in a block: the first block may have less.
    pub each: usize,
    /// Panels between joints.
    pub apart: usize,
    /// Cells along a panel.
    pub cells: usize,
}

impl Cuts {
    /// Of rows.
    pub fn rows<const R: usize>(panels: usize, cells_an_increment: usize) -> Self {
        Self::new(panels, R * cells_an_increment)
    }

    /// Of columns.
    pub fn columns<const C: usize>(panels: usize, cells_an_increment: usize) -> Self {
        Self::new(panels, C * cells_an_increment)
    }

    /// Of columns in blocks of up to `most` panels, with joints on the way where k is `renewed`.
    pub fn long_columns<const C: usize>(cells_an_increment: usize, most: usize, renewed: bool) -> Self {
        let cuts = Self::columns::<C>(0, cells_an_increment);
        let each = if cuts.most() == RENEWED {
            (most / cuts.each).max(1) * cuts.each
        } else {
            cuts.each
        };
        Cuts {
            each,
            apart: if renewed { cuts.each } else { each },
            ..cuts
        }
    }

    /// One block of these.
    pub fn one(self) -> Self {
        Cuts {
            panels: self.each,
            ..self
        }
    }

    fn new(panels: usize, cells: usize) -> Self {
        let each = (CELLS / cells).max(1);
        Cuts {
            panels,
            each,
            apart: each,
            cells,
        }
    }

    /// Panels that are a block of their own before others: too few for a wave that goes on from them.
    fn few(&self) -> usize {
        let few = self.panels % self.apart;
        if few * self.cells < LEAST && self.panels % self.each != few {
            few
        } else {
            0
        }
    }

    pub fn blocks(&self) -> usize {
        self.panels.div_ceil(self.each) + (self.few() > 0) as usize
    }

    /// Blocks at most where there are so many panels or less.
    pub fn most_blocks(&self) -> usize {
        self.panels.div_ceil(self.each) + (self.apart < self.each) as usize
    }

    /// The panels of a block.
    pub fn block(&self, block: usize) -> Range<usize> {
        let few = self.few();
        if block == 0 && few > 0 {
            return 0..few;
        }
        let end = self.panels - (self.blocks() - 1 - block) * self.each;
        end.saturating_sub(self.each).max(few)..end
    }

    /// The joints of some panels, blocks or more: one where they begin, and the others counted from the end.
    pub fn joints(&self, panels: &Range<usize>) -> Range<usize> {
        let joints = |panel: usize| (self.panels - panel).div_ceil(self.apart);
        joints(0) - joints(panels.start)..joints(0) - joints(panels.end)
    }

    pub fn all_joints(&self) -> usize {
        self.joints(&(0..self.panels)).len()
    }

    /// The cells of some panels.
    pub fn cells(&self, panels: &Range<usize>) -> Range<usize> {
        panels.start * self.cells..panels.end * self.cells
    }

    /// Cells of the whole axis, and of the largest block.
    pub fn total(&self) -> usize {
        self.panels * self.cells
    }

    pub fn most(&self) -> usize {
        self.each * self.cells
    }
}

/// All cells of a block. `left` and `top` are the edges at its left and above it, and become those at its right and
/// below it; `joints` are those of its columns. `records` are told of the cells of every row of tiles.
#[inline(always)]
pub(super) fn forward<V, S, T, Q, const R: usize, const C: usize>(
    tile: &T,
    (dx, dy): (&[[V; R]], &[[V; C]]),
    channels: usize,
    scratch: &mut Scratch<V>,
    left: &mut [S::Edge],
    top: &mut [S::Edge],
    joints: &mut [Joint<V, S::Edge>],
    records: &mut Q,
) where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
    Q: Records<V, R>,
{
    let rows = R * tile.cells().0;
    let increments = dy.len() / channels * C;
    let slots = slots::<R>(rows, top.len());
    // In long blocks every row of tiles makes its own.
    let most = if T::MAKES && !Q::KEEPS { RING } else { ROOM };
    let all = size_of_val(dy) > NEAR + NEAR / 2 && increments <= most;
    if all {
        let (h, stride) = records.h(increments);
        V::call(AllProducts {
            increments: (dx, dy),
            channels,
            h,
            stride,
        });
    }
    for (i, (dx, left)) in dx.chunks_exact(channels).zip(left.chunks_exact_mut(rows)).enumerate() {
        let (h, mut record) = records.row(i, increments, slots, all);
        let h = if T::MAKES { h } else { &mut h[..increments] };
        if !all && !T::MAKES {
            V::call(Products { dx, dy, h: &mut *h });
        }
        V::call(RowForward::<V, S, T, _, R, C> {
            tile,
            h,
            made: all,
            increments: (dx, dy),
            scratch,
            left,
            top,
            joints,
            record: &mut record,
        });
    }
}

/// A row of tiles, forward.
struct RowForward<'a, V: Lanes, S: Scheme<V>, T, Q, const R: usize, const C: usize> {
    tile: &'a T,
    h: &'a mut [[V; R]],
    made: bool,
    increments: (&'a [[V; R]], &'a [[V; C]]),
    scratch: &'a mut Scratch<V>,
    left: &'a mut [S::Edge],
    top: &'a mut [S::Edge],
    joints: &'a mut [Joint<V, S::Edge>],
    record: &'a mut Q,
}

impl<V, S, T, Q, const R: usize, const C: usize> Part<V> for RowForward<'_, V, S, T, Q, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
    Q: Record<V, R>,
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.tile.forward::<S, Q>(
            self.h,
            self.made,
            self.increments,
            self.scratch,
            self.left,
            self.top,
            self.joints,
            self.record,
        );
    }
}

/// A row of tiles, back.
struct RowBack<'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    tile: &'a T,
    h: &'a mut [[V; R]],
    increments: (&'a [[V; R]], &'a [[V; C]]),
    scratch: &'a mut Scratch<V>,
    slopes: &'a [V],
    given: Option<&'a [V]>,
    right: &'a mut [S::Row],
    bottom: &'a mut [S::Column],
    sums: &'a mut [S::Row],
}

impl<V, S, T, const R: usize, const C: usize> Part<V> for RowBack<'_, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (increments, scratch) = (self.increments, self.scratch);
        let (slopes, right, bottom, sums) = (self.slopes, self.right, self.bottom, self.sums);
        match self.given {
            Some(given) => self
                .tile
                .adjoint::<S, true>(self.h, increments, scratch, slopes, given, right, bottom, sums),
            None => self
                .tile
                .adjoint::<S, false>(self.h, increments, scratch, slopes, &[], right, bottom, sums),
        }
    }
}

/// Δ/2 of all increments, some columns at a time; `stride` columns of room a row.
struct AllProducts<'a, V, const R: usize, const C: usize> {
    increments: (&'a [[V; R]], &'a [[V; C]]),
    channels: usize,
    h: &'a mut [[V; R]],
    stride: usize,
}

impl<V: Lanes, const R: usize, const C: usize> Part<V> for AllProducts<'_, V, R, C> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let columns = (NEAR / size_of::<[V; C]>() / self.channels).max(1);
        let (dx, dy) = self.increments;
        for (part, dy) in dy.chunks(columns * self.channels).enumerate() {
            let rows = dx.chunks_exact(self.channels).zip(self.h.chunks_exact_mut(self.stride));
            for (dx, h) in rows {
                row_products(dx, dy, &mut h[part * columns * C..]);
            }
        }
    }
}

/// What going back over a block needs: Δ/2 and the slopes of its cells, one row of tiles after the other.
pub(super) struct Replay<V, const R: usize, const C: usize> {
    h: Vec<[V; R]>,
    slopes: Vec<V>,
    scratch: Scratch<V>,
}

impl<V: Lanes, const R: usize, const C: usize> Replay<V, R, C> {
    pub fn new<T: Tile<V, R, C>>(tile: &T, rows: Cuts, columns: Cuts) -> Result<Self> {
        let increments = columns.each * C;
        Ok(Replay {
            h: try_vec(rows.each * increments, [V::zero(); R])?,
            slopes: try_vec(slots::<R>(rows.most(), columns.most()), V::zero())?,
            scratch: Scratch::new::<T, R, C>(tile, increments)?,
        })
    }

    /// Forward once more, from the edges that were kept; `left` and `top` are used up.
    #[inline(always)]
    pub fn forward<S: Scheme<V>, T: Tile<V, R, C>>(
        &mut self,
        tile: &T,
        increments: (&[[V; R]], &[[V; C]]),
        channels: usize,
        left: &mut [S::Edge],
        top: &mut [S::Edge],
        joints: &mut [Joint<V, S::Edge>],
    ) {
        let mut records = BlockSlopes {
            h: &mut self.h,
            slopes: &mut self.slopes,
        };
        let scratch = &mut self.scratch;
        forward::<V, S, T, _, R, C>(tile, increments, channels, scratch, left, top, joints, &mut records);
    }

    /// The adjoint of all cells; h is replaced by ∂F/∂h. `given`, if any, is laid out as the slopes are.
    #[inline(always)]
    pub fn adjoint<S: Scheme<V>, T: Tile<V, R, C>>(
        &mut self,
        tile: &T,
        (dx, dy): (&[[V; R]], &[[V; C]]),
        channels: usize,
        right: &mut [S::Row],
        bottom: &mut [S::Column],
        sums: &mut [S::Row],
        given: Option<&[V]>,
    ) {
        let rows = R * tile.cells().0;
        let increments = dy.len() / channels * C;
        let size = slots::<R>(rows, bottom.len());
        let rows = dx.chunks_exact(channels).zip(right.chunks_exact_mut(rows)).enumerate();
        for (i, (dx, right)) in rows.rev() {
            let cells = i * size..(i + 1) * size;
            let given = match given {
                Some(given) => Some(&given[cells.clone()]),
                None => None,
            };
            let h = &mut self.h[i * increments..][..increments];
            V::call(RowBack::<V, S, T, R, C> {
                tile,
                h,
                increments: (dx, dy),
                scratch: &mut self.scratch,
                slopes: &self.slopes[cells],
                given,
                right,
                bottom,
                sums,
            });
        }
    }

    /// ∂F/∂dx of the rows of the block, from `apart` panels of columns at a time; time, a last channel, is left out.
    #[inline(always)]
    pub fn to_x(
        &self,
        panels: Range<usize>,
        (dy, apart): (&[[V; C]], usize),
        channels: usize,
        dim: usize,
        sums: &mut Sums<V, R>,
    ) {
        V::call(ToX {
            h: &self.h,
            panels,
            dy,
            apart,
            channels,
            dim,
            sums,
        });
    }

    /// ∂F/∂dy of the columns of the block.
    #[inline(always)]
    pub fn to_y(&self, panels: Range<usize>, dx: &[[V; R]], channels: usize, dim: usize, sums: &mut Sums<V, C>) {
        V::call(ToY {
            h: &self.h,
            panels,
            dx,
            channels,
            dim,
            sums,
        });
    }
}
