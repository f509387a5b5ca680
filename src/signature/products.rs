//! Signatures of a batch: paths cut into pieces, pieces shared among threads, and joined.

use super::Options;
use super::chain::{Chain, GROUP, Link};
use super::forward::{Forward, Piece, over_paths};
use super::levels::Levels;
use super::line;
use super::moves::Moves;
use super::pieces::Cuts;
use super::shuffle::Words;
use super::stages::Stages;
use crate::error::Result;
use crate::memory::{try_collect, try_vec};
use crate::parallel::Run;
use crate::path::Batch;
use crate::simd::{Real, dispatch, lanes};

/// Increments of a piece at most.
const PIECE: usize = 512;

/// Bytes for the signatures of pieces before they are joined, unless a few signatures are more.
const ROOM: usize = 8 << 20;

pub fn signatures<S: Real>(
    paths: &Batch<'_, S>,
    options: &Options,
    levels: &Levels,
    out: &mut [S],
    run: &mut Run<'_>,
) -> Result<()> {
    if paths.batch() == 0 {
        return Ok(());
    }
    let length = levels.total() + options.scalar_term as usize;
    let increments = |b| Moves::new(paths.path(b), &options.transform);
    let rows = out.chunks_exact_mut(length).map(|row| {
        if options.scalar_term {
            row[0] = S::ONE;
        }
        &mut row[options.scalar_term as usize..]
    });
    let steps = |b| options.transform.points(paths.points(b)) as u64 - 1;
    let mut stages = Stages::new(run, (0..paths.batch()).map(steps).sum());
    if levels.dim == 1 {
        let rows = try_collect((0..paths.batch()).map(increments).zip(rows))?;
        return line::signature(rows, &mut stages);
    }
    let mut all = Block::new(*levels, Words::All);
    let mut fewer = Block::new(*levels, Words::LargestFirst);
    for (b, row) in rows.enumerate() {
        let increments = increments(b);
        let block = match Words::for_path::<S>(levels, increments.count()) {
            Words::LargestFirst if !options.direct => &mut fewer,
            _ => &mut all,
        };
        block.add(increments, row, &mut stages)?;
    }
    for (increments, row) in fewer.run(&mut stages)? {
        all.add(increments, row, &mut stages)?;
    }
    all.run(&mut stages)?;
    Ok(())
}

/// A path and the place of its signature.
type Asked<'a, S> = (Moves<'a, S>, &'a mut [S]);

/// Paths that are done together: those of one piece, and others while there is room for their pieces.
struct Block<'a, S> {
    levels: Levels,
    words: Words,
    single: Vec<Piece<'a, S>>,
    several: Vec<(Moves<'a, S>, Cuts, &'a mut [S])>,
    /// Pieces of `several`, and how many there is room for.
    pieces: usize,
    room: usize,
    slab: Vec<S>,
    /// Those that must be done again with all words: some numbers are not finite, and which of them are depends on
    /// which way they were computed.
    again: Vec<Asked<'a, S>>,
}

/// How many signatures of pieces there is room for: at most that many of a path are joined in one go.
fn room<S>(levels: &Levels) -> usize {
    let room = (ROOM / (levels.total() * size_of::<S>())).clamp(4, 1 << 16);
    if room > GROUP { room / GROUP * GROUP } else { room }
}

impl<'a, S: Real> Block<'a, S> {
    fn new(levels: Levels, words: Words) -> Self {
        Block {
            levels,
            words,
            single: Vec::new(),
            several: Vec::new(),
            pieces: 0,
            room: room::<S>(&levels),
            slab: Vec::new(),
            again: Vec::new(),
        }
    }

    fn add(&mut self, increments: Moves<'a, S>, row: &'a mut [S], stages: &mut Stages<'_, '_>) -> Result<()> {
        let cuts = Cuts::new(increments.count(), PIECE);
        match cuts.count() {
            0 => row.fill(S::ZERO),
            1 => {
                let (begin, end) = cuts.piece(0);
                try_push(
                    &mut self.single,
                    Piece {
                        increments,
                        begin,
                        end,
                        row,
                    },
                )?;
            }
            count => {
                // The last piece is computed where the signature goes.
                if self.pieces + count > self.room {
                    self.run_several(stages)?;
                }
                self.pieces += count - 1;
                try_push(&mut self.several, (increments, cuts, row))?;
            }
        }
        Ok(())
    }

    /// Does all; returns those that must be done again with all words.
    fn run(mut self, stages: &mut Stages<'_, '_>) -> Result<Vec<Asked<'a, S>>> {
        self.run_several(stages)?;
        pieces(&self.levels, self.words, &mut self.single, stages)?;
        for piece in std::mem::take(&mut self.single) {
            self.check(piece.increments, piece.row)?;
        }
        Ok(self.again)
    }

    fn run_several(&mut self, stages: &mut Stages<'_, '_>) -> Result<()> {
        let mut paths = std::mem::take(&mut self.several);
        if paths.is_empty() {
            return Ok(());
        }
        let count = std::mem::take(&mut self.pieces).min(self.room);
        let size = count * self.levels.total();
        if self.slab.len() < size {
            self.slab = try_vec(size, S::ZERO)?;
        }
        let slab = &mut self.slab[..size];
        products(&self.levels, self.words, self.room, &mut paths, slab, stages)?;
        for (increments, _, row) in paths {
            self.check(increments, row)?;
        }
        Ok(())
    }

    /// Looks for the mark of `Shuffles`.
    fn check(&mut self, increments: Moves<'a, S>, row: &'a mut [S]) -> Result<()> {
        if self.words == Words::LargestFirst && row[0].to_f64().is_nan() {
            try_push(&mut self.again, (increments, row))?;
        }
        Ok(())
    }
}

/// The signatures of paths of several pieces. The last piece of a path is computed in its row; `slab` has room for all
/// others, or for `room` where there is one path.
pub fn products<S: Real>(
    levels: &Levels,
    words: Words,
    room: usize,
    paths: &mut [(Moves<'_, S>, Cuts, &mut [S])],
    slab: &mut [S],
    stages: &mut Stages<'_, '_>,
) -> Result<()> {
    let total = levels.total();
    let most = paths.iter().map(|(_, cuts, _)| cuts.count()).max().unwrap_or(0);
    for round in (0..most).step_by(room) {
        let mut list = Vec::new();
        let mut rows = slab.chunks_exact_mut(total);
        for (increments, cuts, row) in &mut *paths {
            let first = (round == 0).then_some(&mut **row);
            let here = round..cuts.count().min(round + room);
            for (r, row) in here.zip(first.into_iter().chain(rows.by_ref())) {
                let (begin, end) = cuts.piece(r);
                let increments = *increments;
                try_push(
                    &mut list,
                    Piece {
                        increments,
                        begin,
                        end,
                        row,
                    },
                )?;
            }
        }
        pieces(levels, words, &mut list, stages)?;
        let mut rest = &mut *slab;
        let mut links = Vec::new();
        for (_, cuts, row) in &mut *paths {
            let (done, end) = (round.max(1), cuts.count().min(round + room));
            if done >= end {
                continue;
            }
            let (pieces, after) = rest.split_at_mut((end - done) * total);
            rest = after;
            let link = Link::Fold {
                pieces,
                row,
                done,
                whole: end == cuts.count(),
            };
            try_push(&mut links, link)?;
        }
        chain(levels, words, links, stages)?;
    }
    Ok(())
}

pub fn chain<S: Real>(
    levels: &Levels,
    words: Words,
    links: Vec<Link<'_, S>>,
    stages: &mut Stages<'_, '_>,
) -> Result<()> {
    let levels = *levels;
    stages.share(links, 0, |queue| dispatch(Chain { levels, words, queue }))
}

/// The signatures of pieces, each in its row.
pub fn pieces<S: Real>(
    levels: &Levels,
    words: Words,
    list: &mut [Piece<'_, S>],
    stages: &mut Stages<'_, '_>,
) -> Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    let levels = *levels;
    let steps = |piece: &Piece<'_, S>| piece.end - piece.begin;
    let longest = list.iter().map(steps).max().unwrap_or(0);
    let units = list.iter().map(|piece| steps(piece) as u64).sum();
    // Paths of like lengths share vectors. What is computed of each does not depend on it.
    list.sort_unstable_by_key(|piece| std::cmp::Reverse(steps(piece)));
    let lanes = lanes::<S>();
    let lanes = if over_paths::<S>(&levels, list.len().min(lanes), lanes) {
        lanes
    } else {
        1
    };
    let size = task_size(list.len(), longest * levels.total(), stages.threads(), lanes);
    let tasks = try_collect(list.chunks_mut(size))?;
    stages.share(tasks, units, |queue| {
        dispatch(Forward {
            levels,
            words,
            longest,
            queue,
        })
    })
}

/// Pieces a task, given the numbers of an update each: enough to be worth taking, not too many to share, and whole
/// vectors of `lanes`, for one costs as much as a vector of them.
pub fn task_size(pieces: usize, numbers: usize, threads: usize, lanes: usize) -> usize {
    let worth = ((1 << 19) / numbers.max(1)).max(1);
    let fair = pieces.div_ceil(4 * threads).max(1);
    worth.min(fair).next_multiple_of(lanes)
}

pub fn try_push<T>(list: &mut Vec<T>, item: T) -> Result<()> {
    list.try_reserve(1)
        .map_err(|_| crate::error::Error::Memory((list.len() + 1).saturating_mul(size_of::<T>())))?;
    list.push(item);
    Ok(())
}
