//! How the grid of one pair is cut into bands: each as many runs of strips as there are lanes, one below the other.

use super::block::Cuts;
use super::pairs::Extent;
use super::scheme::Scheme;
use super::tile::{RING, Tile};
use crate::simd::Lanes;
use std::ops::Range;

/// Widths of blocks that are tried, in widths of those of a group of pairs.
const WIDTHS: [usize; 4] = [1, 2, 4, 8];

/// Columns that a wave takes to begin and to end.
const ENDS: usize = 6;

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
    /// Increments in a strip, and the columns of a block.
    pub(super) strip: usize,
    pub(super) columns: Cuts,
    /// Strips in a run.
    pub(super) run: usize,
    pub(super) count: usize,
    pub(super) lanes: usize,
    /// Steps after which a lane begins with the next band.
    pub(super) period: usize,
}

/// A block of columns, `times` as wide as those of a group of pairs, if it may be.
fn columns<V: Lanes, S: Scheme<V>, T: Tile<V, R, C>, const R: usize, const C: usize>(tile: &T, times: usize) -> Cuts {
    let cells = tile.cells().1;
    let most = times * Cuts::columns::<C>(0, cells).each;
    Cuts::long_columns::<C>(cells, if T::MAKES { most } else { most.min(RING / C) }, S::RENEWS).one()
}

impl Bands {
    /// The quickest: `kept` whether edges are kept for the way back, block by block of a group of pairs; `threads` that take
    /// bands in turn.
    pub(super) fn new<V: Lanes, S: Scheme<V>, T: Tile<V, R, C>, const R: usize, const C: usize>(
        tile: &T,
        increments: (usize, usize),
        kept: bool,
        threads: usize,
    ) -> Self {
        let times = if kept { &WIDTHS[..1] } else { &WIDTHS };
        let edge = size_of::<S::Edge>();
        let of = |&times: &usize| {
            let columns = columns::<V, S, T, R, C>(tile, times);
            Self::of::<R, C>(increments, tile.cells(), columns, V::LANES, edge, kept, threads)
        };
        let options = times.iter().map(of);
        options.min_by_key(|bands| bands.time(threads)).expect("some widths")
    }

    /// With blocks of so many columns; `edge` is the size of an edge of all lanes.
    fn of<const R: usize, const C: usize>(
        increments: (usize, usize),
        cells: (usize, usize),
        columns: Cuts,
        lanes: usize,
        edge: usize,
        kept: bool,
        threads: usize,
    ) -> Self {
        let rows = Cuts::rows::<R>(increments.0.div_ceil(R), cells.0);
        let blocks = (rows.blocks(), increments.1.div_ceil(columns.each * C));
        let most = blocks.0.div_ceil(lanes).max(1);
        let limit = if kept {
            // Kept edges grow with the run, the rows that bands start from with the number of bands.
            let step = (rows.most() + columns.most()) * edge * (blocks.1 + lanes);
            let row = blocks.1 * columns.most() * edge / lanes;
            let balanced = (blocks.0 * row / lanes / step.max(1)).isqrt();
            (KEPT / threads / step.max(1)).max(balanced).max(1)
        } else {
            RUN
        };
        // A lane goes on without a pause, if no thread then waits for what it has not yet done: bands of as many threads
        // follow each other as many steps behind as there are lanes.
        let period = if !kept && blocks.1 >= lanes * threads {
            blocks.1
        } else {
            blocks.1 + lanes - 1
        };
        let mut bands = Bands {
            period,
            increments,
            blocks,
            strip: rows.each * R,
            columns,
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

    /// Columns that are swept one after the other where threads take bands in turn, each as many steps behind the one
    /// before as there are lanes: idle ones included, and those that a wave takes to begin and to end.
    fn time(&self, threads: usize) -> usize {
        let (turns, behind) = (self.count.div_ceil(threads), threads.min(self.count) - 1);
        let steps = (turns - 1) * self.period + self.steps() + behind * self.lanes;
        self.run * steps * (self.columns.most() + ENDS)
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

/// Whether `pairs` pairs of this size are better swept one after the other, lanes over strips; `kept` as for a plan.
pub(super) fn pays<V: Lanes, S: Scheme<V>, T: Tile<V, R, C>, const R: usize, const C: usize>(
    tile: &T,
    extent: &Extent,
    pairs: usize,
    kept: bool,
) -> bool {
    // As many as there are lanes never are.
    if extent.repeats != (0, 0) || extent.unfolded || pairs >= V::LANES {
        return false;
    }
    let bands = Bands::new::<V, S, T, R, C>(tile, extent.increments, kept, 1);
    let rows = bands.blocks.0;
    pairs * bands.time(1) < rows * (bands.blocks.1 * bands.columns.most() + ENDS)
}

/// How long the bands of a pair take where `threads` take them in turn, in columns.
pub(super) fn time<V: Lanes, S: Scheme<V>, T: Tile<V, R, C>, const R: usize, const C: usize>(
    tile: &T,
    extent: &Extent,
    kept: bool,
    threads: usize,
) -> usize {
    Bands::new::<V, S, T, R, C>(tile, extent.increments, kept, threads).time(threads)
}
