//! Pairs brought together in groups of one a lane: similar ones, so that little is spent on their ends.

use super::Options;
use super::choice::carries;
use super::pairs::Extent;
use super::panels::{Lane, contiguous};
use crate::error::Result;
use crate::memory::{try_collect, try_with_room};
use crate::path::{Batch, Path};
use crate::simd::Real;
use std::cmp::Reverse;

/// Points for each lane from which on lanes over the strips of one pair do well.
const LONG: usize = 64;

/// Whether lanes over the strips of one such pair do well.
pub(super) fn long(x_points: usize, y_points: usize, lanes: usize) -> bool {
    x_points.min(y_points) > LONG * lanes
}

/// Whether the grid of such a pair has cells. Where it has none, the kernel is 1 whatever numbers the paths are made of:
/// such pairs are never in a group, where NaN would meet the zeros that fill up a path of one point.
pub(super) fn has_cells(x_points: usize, y_points: usize) -> bool {
    x_points.min(y_points) > 1
}

/// Whether pairs may differ in size.
fn ragged<S: Real>(x: &Batch<'_, S>, y: &Batch<'_, S>) -> bool {
    x.layout().lengths.is_some() || y.layout().lengths.is_some()
}

/// Some pairs of a batch, by their numbers, that are solved together.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    pub pairs: &'a [usize],
    /// Pairs that this thread may well be given next.
    pub ahead: &'a [usize],
    pub carry: bool,
    /// Increments of the longest x and y.
    pub increments: (usize, usize),
}

impl Group<'_> {
    /// The extent of sweeps over this group alone.
    pub fn extent(&self, of_all: &Extent) -> Extent {
        Extent {
            increments: self.increments,
            ..*of_all
        }
    }

    /// Cells of unrefined increments: what progress counts.
    pub fn cells(&self) -> u64 {
        self.increments.0 as u64 * self.increments.1 as u64 * self.pairs.len() as u64
    }
}

/// The order in which pairs are grouped.
pub(super) struct Order {
    pairs: Vec<usize>,
}

impl Order {
    /// Pairs (x_b, y_b) that have cells, the larger ones first.
    pub fn of_pairs<S: Real>(x: &Batch<'_, S>, y: &Batch<'_, S>) -> Result<Self> {
        let mut pairs: Vec<usize> = try_collect(0..x.batch())?;
        pairs.retain(|&b| has_cells(x.points(b), y.points(b)));
        if ragged(x, y) {
            pairs.sort_unstable_by_key(|&b| Reverse((x.points(b), y.points(b), b)));
        }
        Ok(Order { pairs })
    }

    pub fn pairs(&self) -> &[usize] {
        &self.pairs
    }

    /// Groups of at most `lanes` pairs, all of them carried or none. Long pairs that are too few for the threads are
    /// alone.
    pub fn groups<S: Real>(
        &self,
        lanes: usize,
        threads: usize,
        options: &Options,
        x: &Batch<'_, S>,
        y: &Batch<'_, S>,
    ) -> Result<Vec<Group<'_>>> {
        let carry = |b: &usize| carries::<S>(options, x.points(*b), y.points(*b));
        let ragged = ragged(x, y);
        let mut groups = try_with_room(self.pairs.len())?;
        let alone = self.pairs.len() < lanes * threads && threads > 1;
        let long = |b: &usize| long(x.points(*b), y.points(*b), lanes);
        let mut rest = self.pairs();
        for alike in self.pairs.chunk_by(|a, b| !ragged || carry(a) == carry(b)) {
            let size = if alone && alike.iter().all(long) { 1 } else { lanes };
            for pairs in alike.chunks(size) {
                let longest = |batch: &Batch<'_, S>| pairs.iter().map(|&b| batch.points(b) - 1).max().unwrap_or(0);
                rest = &rest[pairs.len()..];
                groups.push(Group {
                    pairs,
                    ahead: rest.get((threads - 1) * size..).unwrap_or(&[]),
                    carry: carry(&pairs[0]),
                    increments: (longest(x), longest(y)),
                });
            }
        }
        Ok(groups)
    }
}

/// Makes lanes of paths, and has room for those that are strided.
pub(super) struct Gather<S> {
    rooms: Vec<Vec<S>>,
}

impl<S: Real> Gather<S> {
    pub fn new(lanes: usize) -> Result<Self> {
        Ok(Gather {
            rooms: try_collect((0..lanes).map(|_| Vec::new()))?,
        })
    }

    /// The lanes of some paths.
    pub fn lanes<'a>(
        &'a mut self,
        paths: impl Iterator<Item = Path<'a, S>>,
        options: &Options,
        into: &mut [Lane<'a, S>],
    ) -> Result<usize> {
        let mut count = 0;
        for ((path, room), lane) in paths.zip(&mut self.rooms).zip(into) {
            *lane = Lane {
                time_step: S::from_f64(options.transform.time_step(path.points()).unwrap_or(0.0)),
                points: contiguous(&path, room)?,
            };
            count += 1;
        }
        Ok(count)
    }
}
