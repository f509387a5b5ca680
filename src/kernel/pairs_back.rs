//! Back over a group of pairs, one a lane: strips and blocks are taken from the last. The edges that forward kept start the
//! blocks anew, and Δ, k and ∂F/∂k exist a block at a time.

use super::block::{Cuts, Replay};
use super::pairs::{Extent, Order, Sweep, Tick};
use super::scheme::{Scheme, Vectors};
use super::sums::Sums;
use super::tile::Tile;
use super::wave::{self, Joint};
use crate::error::Result;
use crate::memory::try_vec;
use crate::simd::{Lanes, Part};
use std::ops::Range;

/// Bytes of edges that are kept before strips are swept twice instead.
const KEPT: usize = 48 << 20;

/// Columns of a block, in columns between joints: as many as the second-level cache has room for, with all that is kept.
const WIDTH: usize = 2;

/// Gives ∂F/∂k at the nodes of a group's grids.
pub(super) trait Supply<V> {
    /// As [`super::pairs::Receive::block`], but writes the cells.
    fn block(&mut self, rows: Range<usize>, columns: Range<usize>, order: &Order, cells: &mut [V]);
}

/// What the adjoint starts from.
enum Seeds<'a, V> {
    /// ∂F/∂k at the last corner.
    Kernels(V),
    Grids(&'a mut dyn Supply<V>),
}

/// The edges that the blocks of some strips start from, and their joints.
pub(super) struct Kept<V: Lanes, S: Scheme<V>> {
    tops: Vec<S::Edge>,
    lefts: Vec<S::Edge>,
    joints: Vec<Joint<V, S::Edge>>,
    columns: Cuts,
    rows: usize,
}

impl<V: Lanes, S: Scheme<V>> Kept<V, S> {
    fn new(strips: usize, rows: Cuts, columns: Cuts) -> Result<Self> {
        let zero = S::flat(V::zero());
        Ok(Kept {
            tops: try_vec(strips * columns.total(), zero)?,
            lefts: try_vec(strips * columns.most_blocks() * rows.most(), zero)?,
            joints: try_vec(strips * columns.all_joints(), wave::joint::<V, S>(V::zero()))?,
            columns,
            rows: rows.most(),
        })
    }

    pub(super) fn top(&mut self, strip: usize) -> &mut [S::Edge] {
        let columns = self.columns.total();
        &mut self.tops[strip * columns..][..columns]
    }

    pub(super) fn left(&mut self, strip: usize, block: usize) -> &mut [S::Edge] {
        let place = strip * self.columns.most_blocks() + block;
        &mut self.lefts[place * self.rows..][..self.rows]
    }

    /// Of all blocks.
    pub(super) fn joints(&mut self, strip: usize) -> &mut [Joint<V, S::Edge>] {
        let joints = self.columns.all_joints();
        &mut self.joints[strip * joints..][..joints]
    }
}

/// Strips that are kept at once: all, where that is little; else about the square root of their number, which are then
/// swept a second time from rows kept at their beginning. So memory grows as L^1.5.
fn band<E>(rows: Cuts, columns: Cuts) -> usize {
    let strip = (columns.total() + columns.most_blocks() * rows.most()) * size_of::<E>();
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
    /// Edges above the first strip of every band, and the joints there.
    marks: Vec<S::Edge>,
    mark_joints: Vec<Joint<V, S::Edge>>,
    bottom: Vec<S::Column>,
    right: Vec<S::Row>,
    /// Of every joint of columns, the sum of the adjoint's increments along it.
    sums: Vec<S::Row>,
    /// Edges of the block in hand.
    top: Vec<S::Edge>,
    given: Vec<V>,
    /// Channels that move.
    moving: usize,
    /// Panels of columns that sums are made of.
    apart: usize,
}

impl<V, S, T, const R: usize, const C: usize> Gradients<V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    pub fn new(tile: T, extent: &Extent, to_x: bool, to_y: bool, given: bool) -> Result<Self> {
        let cells = tile.cells().1;
        let apart = Cuts::columns::<C>(0, cells).each;
        let sweep =
            Sweep::<V, S, T, R, C>::with(tile, extent, Cuts::long_columns::<C>(cells, WIDTH * apart, S::RENEWS))?;
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
            mark_joints: try_vec(
                if bands > 1 { bands * sweep.joints.len() } else { 0 },
                wave::joint::<V, S>(V::zero()),
            )?,
            bottom: try_vec(columns.total(), S::Column::zero())?,
            right: try_vec(rows.most(), S::Row::zero())?,
            sums: try_vec(columns.all_joints(), S::Row::zero())?,
            top: try_vec(columns.most(), flat)?,
            given: try_vec(if given { sweep.block_slots() } else { 0 }, V::zero())?,
            sweep,
            moving: extent.channels.moving(extent.unfolded),
            apart,
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
                let joints = self.sweep.joints.len();
                self.mark_joints[strip / band * joints..][..joints].copy_from_slice(&self.sweep.joints);
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
                let joints = self.sweep.joints.len();
                self.sweep
                    .joints
                    .copy_from_slice(&self.mark_joints[which * joints..][..joints]);
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
            left.copy_from_slice(&self.kept.left(place, j)[..height]);
            let which = columns.joints(&across);
            let joints = &mut self.kept.joints(place)[which.clone()];
            self.replay
                .forward::<S, T>(tile, (dx, dy), *channels, left, top, joints);
            let bottom = &mut self.bottom[cells.clone()];
            S::renew_columns(bottom, &mut sum);
            let sums = &mut self.sums[which];
            S::renew_rows(right, sums.last_mut().expect("where the block ends"));
            let given = match seeds {
                Seeds::Grids(supply) if GRID => {
                    let order = Order::new::<R>(cells.len());
                    supply.block(rows.cells(&panels), cells, &order, &mut self.given);
                    Some(self.given.as_slice())
                }
                _ => None,
            };
            self.replay
                .adjoint::<S, T>(tile, (dx, dy), *channels, right, bottom, sums, given);
            if let Some(sums) = &mut self.to_x {
                self.replay
                    .to_x(panels.clone(), (dy, self.apart), *channels, self.moving, sums);
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
