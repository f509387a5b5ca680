//! Views of batches of paths: dense, strided, ragged, packed. All sizes are checked once, in [`Batch::new`];
//! what lies outside a path is never read.

use crate::error::{Result, argument_error};
use crate::simd::Real;

/// How the paths of a batch lie in their buffer, in elements. The default is dense: (batch, length, dim) in C order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout<'a> {
    /// Points of each path, from 1 to `length`; all `length` without it.
    pub lengths: Option<&'a [i64]>,
    /// First element of each path; path b starts at `b · strides[0]` without it.
    pub starts: Option<&'a [i64]>,
    /// From path to path, point to point, channel to channel; contiguous without it.
    pub strides: Option<[i64; 3]>,
}

/// A batch of paths of at most `length` points in `dim` channels.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, S> {
    values: &'a [S],
    batch: usize,
    length: usize,
    dim: usize,
    layout: Layout<'a>,
    strides: [i64; 3],
}

/// One path: `points` points of `dim` channels.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a, S> {
    values: &'a [S],
    start: usize,
    points: usize,
    dim: usize,
    /// From point to point and from channel to channel.
    strides: [isize; 2],
}

impl<'a, S: Real> Batch<'a, S> {
    /// A dense batch. `values` holds at least `batch · length · dim` numbers.
    pub fn dense(values: &'a [S], batch: usize, length: usize, dim: usize) -> Result<Self> {
        Self::new("path", values, [batch, length, dim], Layout::default())
    }

    /// A batch of `shape` = (batch, length, dim) in `values`, laid out as `layout` says. `name` is what errors call it.
    pub fn new(name: &str, values: &'a [S], shape: [usize; 3], layout: Layout<'a>) -> Result<Self> {
        let batch = Self::shape(name, values.len(), shape, layout)?;
        Ok(Batch { values, ..batch })
    }

    /// As [`Batch::new`] for a buffer of `size` numbers that is not there: says where a gradient goes, not to be read.
    pub(crate) fn shape(name: &str, size: usize, shape: [usize; 3], layout: Layout<'a>) -> Result<Self> {
        let [batch, length, dim] = shape;
        if dim == 0 {
            argument_error!("dim is 0; a path has at least one channel");
        }
        if length == 0 {
            argument_error!("{name}_length is 0; a path has at least one point");
        }
        // Not even without paths may the others overflow: strides are made of them.
        let count = batch.max(1).checked_mul(length).and_then(|n| n.checked_mul(dim));
        if count.is_none_or(|n| n > isize::MAX as usize / size_of::<S>()) {
            argument_error!("{name} has {batch} paths of {length} points of {dim} channels: more than memory can hold");
        }
        for (list, what) in [(layout.lengths, "lengths"), (layout.starts, "starts")] {
            if let Some(list) = list
                && list.len() != batch
            {
                argument_error!(
                    "{name}_{what} has {} entries; expected one for each of {batch} paths",
                    list.len()
                );
            }
        }
        let dense = [(length * dim) as i64, dim as i64, 1];
        let batch = Batch {
            values: &[],
            batch,
            length,
            dim,
            layout,
            strides: layout.strides.unwrap_or(dense),
        };
        batch.check_bounds(name, size)?;
        Ok(batch)
    }

    /// This shape with its numbers.
    pub(crate) fn over(self, values: &'a [S]) -> Self {
        Batch { values, ..self }
    }

    fn check_bounds(&self, name: &str, size: usize) -> Result<()> {
        if let Some(lengths) = self.layout.lengths {
            for (b, &points) in lengths.iter().enumerate() {
                if points < 1 || points as u64 > self.length as u64 {
                    argument_error!(
                        "{name}_lengths[{b}] is {points}; expected 1 to {}, the length of the batch",
                        self.length
                    );
                }
            }
        }
        let each_differs = self.layout.lengths.is_some() || self.layout.starts.is_some();
        let ends = if each_differs {
            0..self.batch
        } else {
            0..self.batch.min(1)
        };
        // Without lengths and starts the first and the last path bound all others.
        for b in ends.chain(self.batch.checked_sub(1)) {
            let (low, high) = self.extent(b);
            if low < 0 || high >= size as i128 {
                argument_error!("{name}: path {b} spans elements {low} to {high} of a buffer of {size}");
            }
        }
        Ok(())
    }

    /// The lowest and the highest element of a path. 128 bits: no stride of 64 bits overflows them.
    fn extent(&self, b: usize) -> (i128, i128) {
        let start = match self.layout.starts {
            Some(starts) => starts[b] as i128,
            None => b as i128 * self.strides[0] as i128,
        };
        let along = (self.points(b) as i128 - 1) * self.strides[1] as i128;
        let across = (self.dim as i128 - 1) * self.strides[2] as i128;
        (
            start + along.min(0) + across.min(0),
            start + along.max(0) + across.max(0),
        )
    }

    /// Number of paths.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The most points a path has.
    pub fn length(&self) -> usize {
        self.length
    }

    pub fn dim(&self) -> usize {
        self.dim
    }

    pub fn layout(&self) -> &Layout<'a> {
        &self.layout
    }

    /// From path to path, point to point and channel to channel.
    pub fn strides(&self) -> [i64; 3] {
        self.strides
    }

    /// Points of path `b`.
    pub fn points(&self, b: usize) -> usize {
        self.layout.lengths.map_or(self.length, |lengths| lengths[b] as usize)
    }

    /// The first element of path `b`.
    pub(crate) fn start(&self, b: usize) -> i64 {
        match self.layout.starts {
            Some(starts) => starts[b],
            None => b as i64 * self.strides[0],
        }
    }

    /// Some of its paths, each as often as one likes, by their starts and points.
    pub(crate) fn chosen<'c>(&self, starts: &'c [i64], lengths: Option<&'c [i64]>) -> Batch<'c, S>
    where
        'a: 'c,
    {
        Batch {
            values: self.values,
            batch: starts.len(),
            length: self.length,
            dim: self.dim,
            layout: Layout {
                lengths,
                starts: Some(starts),
                strides: self.layout.strides,
            },
            strides: self.strides,
        }
    }

    pub fn path(&self, b: usize) -> Path<'a, S> {
        assert!(b < self.batch);
        Path {
            values: self.values,
            start: self.start(b) as usize,
            points: self.points(b),
            dim: self.dim,
            strides: [self.strides[1] as isize, self.strides[2] as isize],
        }
    }
}

impl<'a, S: Real> Path<'a, S> {
    /// A path of `values.len() / dim` points, point after point.
    pub fn contiguous(values: &'a [S], dim: usize) -> Self {
        Path {
            values,
            start: 0,
            points: values.len() / dim,
            dim,
            strides: [dim as isize, 1],
        }
    }

    pub fn points(&self) -> usize {
        self.points
    }

    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The path as one slice, point after point, where that is how it lies in memory.
    #[inline(always)]
    pub fn as_slice(&self) -> Option<&'a [S]> {
        let dense =
            (self.strides[0] == self.dim as isize || self.points == 1) && (self.strides[1] == 1 || self.dim == 1);
        dense.then(|| &self.values[self.start..][..self.points * self.dim])
    }

    #[inline(always)]
    pub fn value(&self, point: usize, channel: usize) -> S {
        let offset = point as isize * self.strides[0] + channel as isize * self.strides[1];
        self.values[(self.start as isize + offset) as usize]
    }

    /// Copies `count` points from `first` on, point after point.
    pub fn copy_points(&self, first: usize, count: usize, to: &mut [S]) {
        assert!(first + count <= self.points);
        let to = &mut to[..count * self.dim];
        if let Some(all) = self.as_slice() {
            to.copy_from_slice(&all[first * self.dim..][..count * self.dim]);
            return;
        }
        for (i, point) in to.chunks_exact_mut(self.dim).enumerate() {
            for (c, value) in point.iter_mut().enumerate() {
                *value = self.value(first + i, c);
            }
        }
    }
}
