//! Gradients of a batch: each piece of a path, given the signature after it and the adjoint before it, is a work of its
//! own. Both are had from the signatures of the pieces, which need all levels but the last.

use super::Options;
use super::backward::{Backward, Piece, over_paths};
use super::chain::Link;
use super::forward;
use super::levels::Levels;
use super::line;
use super::moves::Moves;
use super::peaks::{self, Given, HandOn, ToEnds, Walked};
use super::pieces::Cuts;
use super::products::{chain, pieces, task_size, try_push};
use super::shuffle::Words;
use super::stages::Stages;
use crate::error::Result;
use crate::memory::{try_collect, try_vec};
use crate::parallel::Run;
use crate::path::{Batch, Gradient, LeadLag, Transform};
use crate::simd::{Real, dispatch, lanes};
use std::iter::once;

/// Bytes for what the pieces of a path need, unless a few pieces need more.
const ROOM: usize = 12 << 20;

pub fn gradients<S: Real>(
    grad: &[S],
    paths: &Batch<'_, S>,
    options: &Options,
    levels: &Levels,
    gradient: Gradient<'_, S>,
    run: &mut Run<'_>,
) -> Result<()> {
    let slices = gradient.split(paths)?;
    let length = levels.total() + options.scalar_term as usize;
    let increments = |b| Moves::new(paths.path(b), &options.transform);
    let rows = grad
        .chunks_exact(length)
        .map(|row| &row[options.scalar_term as usize..]);
    let room = room::<S>(levels);
    let steps = |b| options.transform.points(paths.points(b)) - 1;
    let cuts = |b| Cuts::new(steps(b), piece::<S>(levels, steps(b)));
    let total = (0..paths.batch()).map(|b| {
        let pieces = cuts(b).count();
        steps(b) as u64 * (1 + (pieces > 1) as u64 + (pieces > room) as u64)
    });
    let mut stages = Stages::new(run, if levels.dim == 1 { 0 } else { total.sum() });
    if levels.dim == 1 {
        let total = (0..paths.batch()).map(|b| steps(b) as u64).sum();
        let stages = &mut Stages::new(run, total);
        let mut list = Vec::new();
        for ((b, grad), gradient) in (0..).zip(rows).zip(slices) {
            try_push(&mut list, (increments(b), grad, gradient))?;
        }
        return line::backprop(list, &options.transform, stages);
    }
    let context = Context {
        levels: *levels,
        dim: paths.dim(),
        transform: options.transform,
        room,
        fewer: false,
    };
    let (mut all, mut fewer) = (Vec::new(), Vec::new());
    for ((b, grad), gradient) in (0..).zip(rows).zip(slices) {
        let (lower, top) = grad.split_at(levels.begin(levels.degree));
        let path = Whole {
            increments: increments(b),
            cuts: cuts(b),
            lower,
            top,
            gradient,
            words: &mut [],
        };
        let is_fewer = !options.direct && peaks::worth::<S>(levels, steps(b));
        try_push(if is_fewer { &mut fewer } else { &mut all }, path)?;
    }
    context.paths(all, &mut stages)?;
    let (total, words) = (levels.total(), levels.size(levels.degree - 1));
    let some = stages.threads() * (HANDED / (total * size_of::<S>())).max(2);
    let some = some.min(fewer.len());
    let (mut handed, mut words) = (try_vec(some * total, S::ZERO)?, try_vec(some * words, S::ZERO)?);
    for fewer in fewer.chunks_mut(some.max(1)) {
        context.without_peaks(fewer, &mut handed, &mut words, &mut stages)?;
    }
    Ok(())
}

/// Bytes a thread for gradients of signatures that have been handed on from some words to others, unless a few need more.
const HANDED: usize = 1 << 20;

/// Increments of a piece at most: what it needs at a time should stay in cache.
const PIECE: usize = 256;

/// Increments of a piece of a path. Where pieces are lanes, a long path fills them by itself; but small signatures take
/// longer to join than to compute.
fn piece<S: Real>(levels: &Levels, steps: usize) -> usize {
    if levels.total() < 512 || !over_paths::<S>(levels, lanes::<S>()) {
        return PIECE;
    }
    steps.div_ceil(lanes::<S>()).clamp(64, PIECE)
}

/// How many pieces of a path are done in one go.
fn room<S>(levels: &Levels) -> usize {
    let each = 3 * levels.begin(levels.degree) * size_of::<S>();
    (ROOM / each.max(1)).clamp(4, 1 << 12)
}

/// A path and what is known of it.
struct Whole<'a, S> {
    increments: Moves<'a, S>,
    cuts: Cuts,
    lower: &'a [S],
    top: &'a [S],
    gradient: &'a mut [S],
    /// Level N-1 of the signature, where it is wanted.
    words: &'a mut [S],
}

struct Context {
    levels: Levels,
    dim: usize,
    transform: Transform,
    room: usize,
    /// Whether words with a peak have been handed on.
    fewer: bool,
}

/// A run of consecutive pieces of a path between `after` (a signature) and `lower` (an adjoint).
struct Stretch<'a, S> {
    increments: Moves<'a, S>,
    cuts: Cuts,
    first: usize,
    count: usize,
    after: &'a [S],
    lower: &'a [S],
    top: &'a [S],
}

impl Context {
    /// Any paths.
    fn paths<S: Real>(&self, paths: Vec<Whole<'_, S>>, stages: &mut Stages<'_, '_>) -> Result<()> {
        let mut several: Vec<Whole<'_, S>> = Vec::new();
        let (mut single, mut waiting) = (Vec::new(), 0);
        for path in paths {
            match path.cuts.count() {
                0 => path.gradient.fill(S::ZERO),
                1 => {
                    let (begin, end) = path.cuts.piece(0);
                    let piece = Piece {
                        increments: path.increments,
                        begin,
                        end,
                        state: &[],
                        lower: path.lower,
                        top: path.top,
                        gradient: path.gradient,
                        edge: &mut [],
                        words: path.words,
                    };
                    try_push(&mut single, piece)?
                }
                count => {
                    if waiting + count > self.room && waiting > 0 {
                        self.several(std::mem::take(&mut several), stages)?;
                        waiting = 0;
                    }
                    waiting += count;
                    try_push(&mut several, path)?;
                }
            }
        }
        self.several(several, stages)?;
        self.pull_back(&mut single, stages)
    }

    /// Paths whose words with a peak follow from others. Where a gradient has numbers that are not finite, which of them are
    /// depends on the way: it is had again with all words.
    fn without_peaks<S: Real>(
        &self,
        paths: &mut [Whole<'_, S>],
        handed: &mut [S],
        words: &mut [S],
        stages: &mut Stages<'_, '_>,
    ) -> Result<()> {
        let (levels, total) = (self.levels, self.levels.total());
        let (below, each) = (levels.begin(levels.degree), levels.size(levels.degree - 1));
        let given = paths
            .iter()
            .zip(handed.chunks_exact_mut(total))
            .map(|(path, to)| Given {
                increments: path.increments,
                lower: path.lower,
                top: path.top,
                to,
            });
        stages.share(try_collect(given)?, 0, |queue| dispatch(HandOn { levels, queue }))?;
        let rows = handed.chunks_exact(total).zip(words.chunks_exact_mut(each));
        let fewer = paths.iter_mut().zip(rows).map(|(path, (handed, words))| Whole {
            lower: &handed[..below],
            top: &handed[below..],
            gradient: &mut *path.gradient,
            words,
            ..*path
        });
        let context = Context { fewer: true, ..*self };
        context.paths(try_collect(fewer)?, stages)?;
        let walked = paths
            .iter_mut()
            .zip(words.chunks_exact(each))
            .map(|(path, words)| Walked {
                increments: path.increments,
                top: path.top,
                words,
                gradient: &mut *path.gradient,
            });
        stages.share(try_collect(walked)?, 0, |queue| dispatch(ToEnds { levels, queue }))?;
        let mut again = Vec::new();
        for path in paths {
            if path.gradient.iter().any(|value| !value.to_f64().is_finite()) {
                let all = Whole {
                    gradient: &mut *path.gradient,
                    words: &mut [],
                    ..*path
                };
                try_push(&mut again, all)?;
            }
        }
        self.paths(again, stages)
    }

    /// Paths of several pieces each, all of them in one go or one that is longer.
    fn several<S: Real>(&self, paths: Vec<Whole<'_, S>>, stages: &mut Stages<'_, '_>) -> Result<()> {
        let below = self.levels.begin(self.levels.degree);
        let start = try_vec(below, S::ZERO)?;
        if let [path] = &paths[..]
            && path.cuts.count() > self.room
        {
            return self.long(paths.into_iter().next(), &start, stages);
        }
        let count: usize = paths.iter().map(|path| path.cuts.count()).sum();
        let mut edges = try_vec(count * self.dim, S::ZERO)?;
        let mut stretches = Vec::new();
        let mut gradients = Vec::new();
        for path in paths {
            let stretch = Stretch {
                increments: path.increments,
                cuts: path.cuts,
                first: 0,
                count: path.cuts.count(),
                after: &start,
                lower: path.lower,
                top: path.top,
            };
            try_push(&mut stretches, stretch)?;
            try_push(&mut gradients, (path.gradient, path.words))?;
        }
        self.stretches(&stretches, &mut gradients, &mut edges, stages)?;
        let mut edges = edges.chunks_exact(self.dim);
        for (stretch, (gradient, _)) in stretches.iter().zip(gradients) {
            self.add_edges(&stretch.cuts, edges.by_ref().take(stretch.count), gradient);
        }
        Ok(())
    }

    /// A path of more pieces than there is room for: stretches of as many as there is, one after the other.
    fn long<S: Real>(&self, path: Option<Whole<'_, S>>, one: &[S], stages: &mut Stages<'_, '_>) -> Result<()> {
        let Some(path) = path else { return Ok(()) };
        let below = self.levels.begin(self.levels.degree);
        let count = path.cuts.count();
        let number = count.div_ceil(self.room);
        let mut sums = try_vec(number * below, S::ZERO)?;
        let mut after = try_vec(number * below, S::ZERO)?;
        let mut lower = try_vec(number * below, S::ZERO)?;
        if below > 0 {
            let levels = self.levels.lower();
            let mut slab = try_vec(self.room * below, S::ZERO)?;
            for (g, row) in sums.chunks_exact_mut(below).enumerate() {
                let first = g * self.room;
                let here = self.room.min(count - first);
                self.signatures(&path.increments, &path.cuts, first, &mut slab[..here * below], stages)?;
                let (last, pieces) = slab[..here * below].split_at_mut(below);
                row.copy_from_slice(last);
                let link = Link::Fold {
                    pieces,
                    row,
                    done: 1,
                    whole: false,
                };
                chain(&levels, Words::All, try_collect(once(link))?, stages)?;
            }
            let link = Link::Spread {
                pieces: &sums,
                end: one,
                start: path.lower,
                top: path.top,
                after: &mut after,
                lower: &mut lower,
            };
            chain(&levels, Words::All, try_collect(once(link))?, stages)?;
        }
        let mut edges = try_vec(count * self.dim, S::ZERO)?;
        for g in 0..number {
            let first = g * self.room;
            let here = self.room.min(count - first);
            let stretch = Stretch {
                increments: path.increments,
                cuts: path.cuts,
                first,
                count: here,
                after: &after[g * below..][..below],
                lower: &lower[g * below..][..below],
                top: path.top,
            };
            let from = self.point(path.cuts.piece(first + here - 1).0) * self.dim;
            let until = if first == 0 {
                path.gradient.len()
            } else {
                self.point(path.cuts.piece(first - 1).0) * self.dim
            };
            let edges = &mut edges[first * self.dim..][..here * self.dim];
            let words = if first + here == count {
                &mut *path.words
            } else {
                &mut []
            };
            self.stretches(
                &[stretch],
                &mut [(&mut path.gradient[from..until], words)],
                edges,
                stages,
            )?;
        }
        self.add_edges(&path.cuts, edges.chunks_exact(self.dim), path.gradient);
        Ok(())
    }

    fn signatures<S: Real>(
        &self,
        increments: &Moves<'_, S>,
        cuts: &Cuts,
        first: usize,
        slab: &mut [S],
        stages: &mut Stages<'_, '_>,
    ) -> Result<()> {
        let levels = self.levels.lower();
        let mut list = Vec::new();
        for (r, row) in (first..).zip(slab.chunks_exact_mut(levels.total())) {
            let (begin, end) = cuts.piece(r);
            let increments = *increments;
            try_push(
                &mut list,
                forward::Piece {
                    increments,
                    begin,
                    end,
                    row,
                },
            )?;
        }
        pieces(&levels, Words::All, &mut list, stages)
    }

    /// The pieces of some stretches. A gradient begins with the first point of its stretch; with it, room for level N-1 of
    /// the signature, where that is wanted; edges are one row a piece.
    fn stretches<S: Real>(
        &self,
        stretches: &[Stretch<'_, S>],
        gradients: &mut [(&mut [S], &mut [S])],
        edges: &mut [S],
        stages: &mut Stages<'_, '_>,
    ) -> Result<()> {
        let below = self.levels.begin(self.levels.degree);
        let count: usize = stretches.iter().map(|stretch| stretch.count).sum();
        let mut after = try_vec(count * below, S::ZERO)?;
        let mut lower = try_vec(count * below, S::ZERO)?;
        if below > 0 {
            let mut slab = try_vec(count * below, S::ZERO)?;
            self.before_and_after(stretches, &mut slab, &mut after, &mut lower, stages)?;
        }
        let mut list = Vec::new();
        let mut edges = edges.chunks_exact_mut(self.dim);
        let mut number = 0;
        for (stretch, (gradient, words)) in stretches.iter().zip(gradients) {
            // The last piece first: its points are the last ones of the gradient.
            let (mut gradient, mut words) = (&mut **gradient, Some(&mut **words));
            let start = self.point(stretch.cuts.piece(stretch.first + stretch.count - 1).0);
            for (r, edge) in (stretch.first..stretch.first + stretch.count).zip(edges.by_ref()) {
                let (begin, end) = stretch.cuts.piece(r);
                let (rest, own) = gradient.split_at_mut((self.point(begin) - start) * self.dim);
                gradient = rest;
                try_push(
                    &mut list,
                    Piece {
                        increments: stretch.increments,
                        begin,
                        end,
                        state: &after[number * below..][..below],
                        lower: &lower[number * below..][..below],
                        top: stretch.top,
                        gradient: own,
                        edge: if r == 0 { &mut [] } else { edge },
                        words: words.take_if(|_| begin == 0).unwrap_or_default(),
                    },
                )?;
                number += 1;
            }
        }
        self.pull_back(&mut list, stages)
    }

    fn before_and_after<S: Real>(
        &self,
        stretches: &[Stretch<'_, S>],
        slab: &mut [S],
        after: &mut [S],
        lower: &mut [S],
        stages: &mut Stages<'_, '_>,
    ) -> Result<()> {
        let levels = self.levels.lower();
        let total = levels.total();
        let mut list = Vec::new();
        let mut rows = slab.chunks_exact_mut(total);
        for stretch in stretches {
            for (r, row) in (stretch.first..stretch.first + stretch.count).zip(rows.by_ref()) {
                let (begin, end) = stretch.cuts.piece(r);
                let increments = stretch.increments;
                try_push(
                    &mut list,
                    forward::Piece {
                        increments,
                        begin,
                        end,
                        row,
                    },
                )?;
            }
        }
        pieces(&levels, Words::All, &mut list, stages)?;
        let (mut slab, mut after, mut lower) = (&*slab, after, lower);
        let mut links = Vec::new();
        for stretch in stretches {
            let size = stretch.count * total;
            let (pieces, slab_rest) = slab.split_at(size);
            let (own_after, after_rest) = after.split_at_mut(size);
            let (own_lower, lower_rest) = lower.split_at_mut(size);
            (slab, after, lower) = (slab_rest, after_rest, lower_rest);
            try_push(
                &mut links,
                Link::Spread {
                    pieces,
                    end: stretch.after,
                    start: stretch.lower,
                    top: stretch.top,
                    after: own_after,
                    lower: own_lower,
                },
            )?;
        }
        chain(&levels, Words::All, links, stages)
    }

    /// The point of the path where an increment begins.
    fn point(&self, increment: usize) -> usize {
        if self.transform.lead_lag == LeadLag::Off {
            increment
        } else {
            increment / 2
        }
    }

    /// Adds to the first point of each piece what the piece before it has for it.
    fn add_edges<'e, S: Real>(&self, cuts: &Cuts, edges: impl Iterator<Item = &'e [S]>, gradient: &mut [S]) {
        for (r, edge) in edges.enumerate().skip(1) {
            let at = self.point(cuts.piece(r - 1).0) * self.dim;
            for (to, &from) in gradient[at..].iter_mut().zip(edge) {
                *to = *to + from;
            }
        }
    }

    fn pull_back<S: Real>(&self, list: &mut [Piece<'_, S>], stages: &mut Stages<'_, '_>) -> Result<()> {
        let steps = |piece: &Piece<'_, S>| piece.end - piece.begin;
        let longest = list.iter().map(steps).max().unwrap_or(0);
        let units = list.iter().map(|piece| steps(piece) as u64).sum();
        list.sort_unstable_by_key(|piece| std::cmp::Reverse(steps(piece)));
        let lanes = lanes::<S>();
        let lanes = if over_paths::<S>(&self.levels, lanes) { lanes } else { 1 };
        let size = task_size(list.len(), longest * self.levels.total(), stages.threads(), lanes);
        let tasks = try_collect(list.chunks_mut(size))?;
        let (levels, dim, transform, fewer) = (self.levels, self.dim, self.transform, self.fewer);
        stages.share(tasks, units, |queue| {
            dispatch(Backward {
                levels,
                longest,
                dim,
                transform,
                fewer,
                queue,
            })
        })
    }
}
