//! A batch on the device: its lists, its increments, and the sums of which its gradient is made.

use super::args::{PathsArgs, ScatterArgs, Side};
use super::launch::Stream;
use super::space::{Region, Space, product};
use super::{Number, Paths};
use crate::error::{Result, unsupported_error};
use crate::path::{LeadLag, Transform};
use std::marker::PhantomData;

/// Points of a path, and channels: the kernels count them, doubled, with 32 bits, and letters exactly in f32.
const MOST_POINTS: usize = 1 << 29;
const MOST_CHANNELS: usize = 1 << 22;

/// Where the parts of a batch are in the workspace.
#[derive(Clone, Copy)]
pub(super) struct SidePlan<S> {
    pub count: usize,
    pub length: usize,
    pub dim: usize,
    /// Points of the longest path.
    pub longest: usize,
    channels: usize,
    lengths: Option<Region>,
    starts: Option<Region>,
    increments: Region,
    counts: Region,
    of: PhantomData<S>,
}

impl<S: Number> SidePlan<S> {
    /// `count` paths at a time of the batch `paths`; all its lists.
    pub fn new(paths: &Paths<'_, S>, count: usize, transform: &Transform, space: &mut Space) -> Result<Self> {
        let shape = &paths.shape;
        let (batch, length, dim) = (shape.batch(), shape.length(), shape.dim());
        check_limits(batch, length, dim)?;
        let list = |given: bool, words: usize, space: &mut Space| given.then(|| space.take(&[words, 8])).transpose();
        let layout = shape.layout();
        let channels = dim + transform.time.is_some() as usize;
        Ok(SidePlan {
            count,
            length,
            dim,
            longest: longest(paths),
            channels,
            lengths: list(layout.lengths.is_some(), batch.div_ceil(2), space)?,
            starts: list(layout.starts.is_some(), batch, space)?,
            increments: space.take(&[count, channels, length, size_of::<S>()])?,
            counts: space.take(&[count, 4])?,
            of: PhantomData,
        })
    }

    /// The same batch with other increments: the lists are shared.
    pub fn again(&self, space: &mut Space) -> Result<Self> {
        Ok(SidePlan {
            increments: space.take(&[self.increments.bytes])?,
            counts: space.take(&[self.counts.bytes])?,
            ..*self
        })
    }

    pub fn upload(&self, paths: &Paths<'_, S>, stream: &Stream<'_>) -> Result<()> {
        let layout = paths.shape.layout();
        if let (Some(lengths), Some(region)) = (layout.lengths, self.lengths) {
            // Two of 32 bits a word, the first in the lower half.
            let pair = |two: &[i64]| two[0] | two.get(1).copied().unwrap_or(0) << 32;
            stream.list(region, lengths.chunks(2).map(pair))?;
        }
        if let (Some(starts), Some(region)) = (layout.starts, self.starts) {
            stream.list(region, starts.iter().copied())?;
        }
        Ok(())
    }

    /// Increments of `count` paths from `first` on, times `scale`.
    pub fn increments(
        &self,
        paths: &Paths<'_, S>,
        (first, count): (usize, usize),
        transform: &Transform,
        scale: f64,
        stream: &Stream<'_>,
    ) -> Result<()> {
        let args = PathsArgs {
            paths: paths.numbers.address as u64,
            starts: self.starts.map_or(0, |region| stream.at(region)),
            lengths: self.lengths.map_or(0, |region| stream.at(region)),
            strides: paths.shape.strides(),
            increments: stream.at(self.increments),
            counts: stream.at(self.counts),
            pitch: self.length as i64,
            first: first as i32,
            count: count as i32,
            length: self.length as i32,
            dim: self.dim as i32,
            time: transform.time.is_some() as i32,
            lead_lag: (transform.lead_lag != LeadLag::Off) as i32,
            scale,
            end_time: transform.time.unwrap_or(1.0),
        };
        let elements = count * self.channels * self.length;
        stream.plain(&S::kernel("increments"), &args, elements)
    }

    /// Addresses of the lengths and of the starts; 0 where there are none.
    pub fn lists(&self, stream: &Stream<'_>) -> [u64; 2] {
        [self.lengths, self.starts].map(|list| list.map_or(0, |region| stream.at(region)))
    }

    pub fn side(&self, stream: &Stream<'_>) -> Side {
        Side {
            increments: stream.at(self.increments),
            counts: stream.at(self.counts),
            pitch: self.length as i64,
        }
    }

    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Of a channel of sums of gradients: increments of a path of full length.
    pub fn sums_pitch(&self) -> usize {
        (self.length - 1).max(1)
    }

    pub fn sums(&self, space: &mut Space) -> Result<Region> {
        space.take(&[self.count, self.dim, self.sums_pitch(), size_of::<S>()])
    }

    /// Gradients of `count` paths from `first` on, from sums over their increments, and others if there are.
    pub fn scatter(
        &self,
        (first, count): (usize, usize),
        [sums, more]: [u64; 2],
        gradient: u64,
        stream: &Stream<'_>,
    ) -> Result<()> {
        let each = self.length * self.dim;
        let dense = product(&[first, each, size_of::<S>()])? as u64;
        let args = ScatterArgs {
            sums,
            more,
            gradient: gradient + if self.starts.is_some() { 0 } else { dense },
            starts: self.starts.map_or(0, |region| stream.at(region) + 8 * first as u64),
            lengths: self.lengths.map_or(0, |region| stream.at(region) + 4 * first as u64),
            sums_pitch: self.sums_pitch() as i64,
            count: count as i32,
            length: self.length as i32,
            dim: self.dim as i32,
        };
        stream.plain(&S::kernel("scatter"), &args, count * each)
    }
}

fn longest<S: Number>(paths: &Paths<'_, S>) -> usize {
    let lengths = paths.shape.layout().lengths;
    let most = lengths.and_then(|lengths| lengths.iter().max());
    most.map_or(paths.shape.length(), |most| *most as usize)
}

fn check_limits(batch: usize, length: usize, dim: usize) -> Result<()> {
    let limits = [
        ("paths", batch, i32::MAX as usize),
        ("points of a path", length, MOST_POINTS),
        ("channels", dim, MOST_CHANNELS),
    ];
    for (what, value, most) in limits {
        if value > most {
            unsupported_error!("{value} {what} are more than CUDA devices are given: {most}");
        }
    }
    Ok(())
}
