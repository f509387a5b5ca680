//! One pair as bands that follow each other: what they share, and what each hands to the next.

use super::bands::Bands;
use super::panels::{Channels, Lane};
use crate::error::Result;
use crate::memory::{try_collect, try_vec, try_with_room};
use crate::parallel::lock;
use crate::simd::Real;
use std::hint;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Looks at another thread's progress before the processor is offered to others.
const SPINS: usize = 1000;

/// Called while a band waits for another, and after every step: an error means that the call is to stop.
pub(super) type Step<'a> = &'a mut dyn FnMut(usize) -> Result<()>;

/// A row of numbers, block by block, that each band reads and leaves changed for the next one. A band follows the one
/// before it wherever that one has been: on the same thread, or on another that is ahead.
pub(super) struct Passed<S> {
    blocks: Vec<Mutex<Vec<S>>>,
    /// Blocks that the bands have left so far, in the order in which bands begin.
    left: Vec<AtomicUsize>,
}

impl<S: Real> Passed<S> {
    /// With what the first band finds in every block: `numbers` over and over.
    pub fn new(bands: usize, blocks: usize, width: usize, numbers: &[S]) -> Result<Self> {
        let mut all = try_with_room(blocks)?;
        for _ in 0..blocks {
            all.push(Mutex::new(try_collect((0..width).map(|i| numbers[i % numbers.len()]))?));
        }
        Ok(Passed {
            blocks: all,
            left: try_collect((0..bands).map(|_| AtomicUsize::new(0)))?,
        })
    }

    /// Reads a block when the band before this one has left it.
    pub fn take(&self, band: usize, block: usize, into: &mut [S], wait: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let mut spins = 0;
        while band > 0 && self.left[band - 1].load(Ordering::Acquire) <= block {
            wait()?;
            spins += 1;
            if spins > SPINS {
                thread::yield_now()
            } else {
                hint::spin_loop()
            }
        }
        into.copy_from_slice(&lock(&self.blocks[block]));
        Ok(())
    }

    /// Leaves a block to the next band.
    pub fn leave(&self, band: usize, block: usize, numbers: &[S]) {
        lock(&self.blocks[block]).copy_from_slice(numbers);
        self.left[band].store(block + 1, Ordering::Release);
    }

    /// What was left in a block.
    pub fn with<T>(&self, block: usize, read: impl FnOnce(&[S]) -> T) -> T {
        read(&lock(&self.blocks[block]))
    }

    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }
}

/// A pair that is swept band by band.
pub(super) struct Course<'a, S> {
    pub bands: Bands,
    pub channels: Channels,
    pub x_path: Lane<'a, S>,
    pub scale: f64,
    /// Columns in a panel, and in a block.
    pub panel: usize,
    pub columns: usize,
    /// The increments of y as numbers, laid out as panels, `y_width` numbers a block.
    y: Vec<S>,
    y_width: usize,
    /// The edges of the row above a band, and after those of a block the sums of increments down its joints.
    pub top: Passed<S>,
    pub top_width: usize,
    /// Where the last edge of a block is.
    last: usize,
}

/// Sizes of a course that depend on tile and scheme.
pub(super) struct Widths {
    /// Columns in a panel, and in a block.
    pub panel: usize,
    pub columns: usize,
    /// Edges and joints of a block.
    pub edges: usize,
    pub joints: usize,
}

impl<'a, S: Real> Course<'a, S> {
    /// `flat` is the edge on the axes.
    pub fn new(
        bands: Bands,
        channels: Channels,
        [x_path, y_path]: [Lane<'a, S>; 2],
        scale: f64,
        widths: &Widths,
        flat: &[S],
    ) -> Result<Self> {
        let y_width = widths.columns * channels.seen(false);
        let top_width = (widths.edges + widths.joints) * flat.len();
        let mut course = Course {
            bands,
            channels,
            x_path,
            scale,
            panel: widths.panel,
            columns: widths.columns,
            y: try_vec(bands.blocks.1 * y_width, S::ZERO)?,
            y_width,
            top: Passed::new(bands.count, bands.blocks.1, top_width, flat)?,
            top_width,
            last: (widths.edges - 1) * flat.len(),
        };
        course.load_y(&y_path);
        Ok(course)
    }

    /// Zeros fill up the front.
    fn load_y(&mut self, y_path: &Lane<'_, S>) {
        let (dim, seen, width) = (self.channels.dim, self.channels.seen(false), self.panel);
        let empty = self.bands.empty_columns(self.columns);
        let points = y_path.points.chunks(dim);
        for (j, (from, next)) in points.clone().zip(points.skip(1)).enumerate() {
            let (panel, place) = ((empty + j) / width, (empty + j) % width);
            let to = &mut self.y[panel * seen * width..][..seen * width];
            for c in 0..dim {
                to[c * width + place] = next[c] - from[c];
            }
            if self.channels.time {
                to[dim * width + place] = y_path.time_step;
            }
        }
    }

    /// The numbers of a block of y, if there is such a block.
    pub fn y(&self, block: Option<usize>) -> Option<&[S]> {
        self.y.get(block? * self.y_width..)?.get(..self.y_width)
    }

    /// Copies the row that the bands so far have left.
    pub fn copy_top(&self, to: &mut [S]) {
        for (block, to) in to.chunks_exact_mut(self.top_width).enumerate() {
            self.top.with(block, |row| to.copy_from_slice(row));
        }
    }

    /// k at the last corner, when all bands are through.
    pub fn kernel(&self) -> S {
        match self.top.blocks() {
            0 => S::ONE,
            blocks => self.top.with(blocks - 1, |row| row[self.last]),
        }
    }
}
