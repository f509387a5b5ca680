//! A block of tiles: the unit of checkpointing and of the sums of the gradient. Forward over it, and back.

use super::scheme::{RENEWED, Scheme};
use super::sums::Sums;
use super::tile::{BlockSlopes, RING, ROOM, Record, Records, Scratch, Tile, row_products, slots};
use super::wave::Joint;
use crate::error::{Result, try_vec};
use crate::simd::{Lanes, Part};
use std::ops::Range;

/// Rows and columns of cells in a block: few enough for its state to stay in the second-level cache.
const CELLS: usize = RENEWED;

/// Bytes of increments that stay in the first-level cache while others pass by.
const NEAR: usize = 24 << 10;

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
        all_products(dx, dy, channels, h, stride);
    }
    for (i, (dx, left)) in dx.chunks_exact(channels).zip(left.chunks_exact_mut(rows)).enumerate() {
        let (h, mut record) = records.row(i, increments, slots, all);
        let h = if T::MAKES { h } else { &mut h[..increments] };
        if !all && !T::MAKES {
            row_products(dx, dy, h);
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
#[inline(always)]
fn all_products<V: Lanes, const R: usize, const C: usize>(
    dx: &[[V; R]],
    dy: &[[V; C]],
    channels: usize,
    h: &mut [[V; R]],
    stride: usize,
) {
    let columns = (NEAR / size_of::<[V; C]>() / channels).max(1);
    for (part, dy) in dy.chunks(columns * channels).enumerate() {
        for (dx, h) in dx.chunks_exact(channels).zip(h.chunks_exact_mut(stride)) {
            row_products(dx, dy, &mut h[part * columns * C..]);
        }
    }
}

/// Channels of so many increments that stay near.
fn near<V>(increments: usize) -> usize {
    (NEAR / size_of::<V>() / increments.max(1)).max(4) & !3
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

    /// ∂F/∂dx of the rows of the block: summed over `apart` panels of columns, then added, and so on from the last. Time, a
    /// last channel, is left out.
    #[inline(always)]
    pub fn to_x(
        &self,
        panels: Range<usize>,
        (dy, apart): (&[[V; C]], usize),
        channels: usize,
        dim: usize,
        sums: &mut Sums<V, R>,
    ) {
        let mut end = dy.len() / channels;
        while end > 0 {
            let begin = end.saturating_sub(apart);
            self.columns_to_x(panels.clone(), (dy, begin..end), channels, dim, sums);
            end = begin;
        }
    }

    #[inline(always)]
    fn columns_to_x(
        &self,
        panels: Range<usize>,
        (dy, columns): (&[[V; C]], Range<usize>),
        channels: usize,
        dim: usize,
        sums: &mut Sums<V, R>,
    ) {
        let across = dy.len() / channels * C;
        let dy = &dy[columns.start * channels..columns.end * channels];
        let some = near::<V>(columns.len() * C);
        for begin in (0..dim).step_by(some) {
            let end = dim.min(begin + some);
            for (panel, g) in panels.clone().zip(self.h.chunks_exact(across)) {
                let g = &g.as_chunks().0[columns.clone()];
                let mut first = begin;
                while first < end {
                    let group = group::<V>(end - first);
                    match group {
                        4 => add(sums, panel, first, sum_columns::<V, R, C, 4>(g, dy, channels, first)),
                        2 => add(sums, panel, first, sum_columns::<V, R, C, 2>(g, dy, channels, first)),
                        _ => add(sums, panel, first, sum_columns::<V, R, C, 1>(g, dy, channels, first)),
                    }
                    first += group;
                }
            }
        }
    }

    /// ∂F/∂dy of the columns of the block: summed over its rows, then added.
    #[inline(always)]
    pub fn to_y(&self, panels: Range<usize>, dx: &[[V; R]], channels: usize, dim: usize, sums: &mut Sums<V, C>) {
        let (across, down) = (panels.len(), dx.len() / channels);
        let tiles = &self.h.as_chunks().0[..across * down];
        let some = near::<V>(down * R);
        for begin in (0..dim).step_by(some) {
            let end = dim.min(begin + some);
            for (j, panel) in panels.clone().enumerate() {
                let g = &tiles[j..];
                let mut first = begin;
                while first < end {
                    let group = group::<V>(end - first);
                    match group {
                        4 => {
                            let sum = sum_rows::<V, R, C, 4>(g, across, dx, channels, first);
                            add(sums, panel, first, sum);
                        }
                        2 => {
                            let sum = sum_rows::<V, R, C, 2>(g, across, dx, channels, first);
                            add(sums, panel, first, sum);
                        }
                        _ => {
                            let sum = sum_rows::<V, R, C, 1>(g, across, dx, channels, first);
                            add(sums, panel, first, sum);
                        }
                    }
                    first += group;
                }
            }
        }
    }
}

/// Channels that are summed together, of as many as are left: the sums of a panel of each stay in registers.
#[inline(always)]
fn group<V: Lanes>(left: usize) -> usize {
    match left {
        4.. if V::REGISTERS >= 32 => 4,
        2.. => 2,
        _ => 1,
    }
}

#[inline(always)]
fn add<V: Lanes, const P: usize, const K: usize>(sums: &mut Sums<V, P>, panel: usize, first: usize, of: [[V; P]; K]) {
    for (k, values) in of.into_iter().enumerate() {
        sums.add(panel, first + k, values);
    }
}

/// Σ_j g_ij dy_j of a row of tiles, for channels `first..first + K`.
#[inline(always)]
fn sum_columns<V: Lanes, const R: usize, const C: usize, const K: usize>(
    g: &[[[V; R]; C]],
    dy: &[[V; C]],
    channels: usize,
    first: usize,
) -> [[V; R]; K] {
    let mut sums = [[V::zero(); R]; K];
    for (g, dy) in g.iter().zip(dy.chunks_exact(channels)) {
        let y: &[[V; C]; K] = dy[first..].first_chunk().expect("K channels");
        for c in 0..C {
            for r in 0..R {
                for k in 0..K {
                    sums[k][r] = g[c][r].mul_add(y[k][c], sums[k][r]);
                }
            }
        }
    }
    sums
}

/// Σ_i g_ij dx_i of a column of tiles, every `across`-th of `g`, for channels `first..first + K`.
#[inline(always)]
fn sum_rows<V: Lanes, const R: usize, const C: usize, const K: usize>(
    g: &[[[V; R]; C]],
    across: usize,
    dx: &[[V; R]],
    channels: usize,
    first: usize,
) -> [[V; C]; K] {
    let mut sums = [[V::zero(); C]; K];
    for (g, dx) in g.iter().step_by(across).zip(dx.chunks_exact(channels)) {
        let x: &[[V; R]; K] = dx[first..].first_chunk().expect("K channels");
        for r in 0..R {
            for c in 0..C {
                for k in 0..K {
                    sums[k][c] = g[c][r].mul_add(x[k][r], sums[k][c]);
                }
            }
        }
    }
    sums
}
