//! Signatures of pieces of paths: the work of one thread.

use super::base::Base;
use super::lanes::Lane;
use super::letters::{Common, Letters, Own, reciprocal};
use super::levels::Levels;
use super::shape::{Places, Shape};
use super::tile::{Column, Crown, grow};
use crate::error::{Result, try_vec};
use crate::parallel::Queue;
use crate::path::Increments;
use crate::simd::{Lanes, MAX_LANES, Real, Work};

/// Increments `begin..end` of a path, and where their signature goes: all of `row`.
pub struct Piece<'a, S> {
    pub increments: Increments<'a, S>,
    pub begin: usize,
    pub end: usize,
    pub row: &'a mut [S],
}

/// Takes groups of pieces of at most `longest` increments until there are no more.
pub struct Forward<'w, 'q, 't, 'p, S> {
    pub levels: Levels,
    pub longest: usize,
    pub queue: &'w Queue<'q, &'t mut [Piece<'p, S>]>,
}

impl<S: Real> Work<S> for Forward<'_, '_, '_, '_, S> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        let (levels, queue) = (self.levels, self.queue);
        let (mut paths, mut tiles) = (None, None);
        let mut pulse = pulse(queue);
        while let Some(pieces) = queue.take() {
            for group in pieces.chunks_mut(V::LANES) {
                if over_paths::<V>(&levels, group.len()) {
                    if paths.is_none() {
                        paths = Some(OverPaths::<V>::new(&levels, self.longest)?);
                    }
                    if let Some(paths) = &mut paths {
                        paths.run(group, &mut pulse)?;
                    }
                } else {
                    if tiles.is_none() {
                        tiles = Some(OverSuffixes::<V>::new(&levels, self.longest)?);
                    }
                    for piece in &mut *group {
                        if let Some(tiles) = &mut tiles {
                            tiles.run(piece, &mut pulse)?;
                        }
                    }
                }
                queue.advance(group.iter().map(|piece| (piece.end - piece.begin) as u64).sum())?;
            }
        }
        Ok(())
    }
}

/// Counts vector operations and looks every now and then whether the call is to stop.
#[inline(always)]
pub fn pulse<T>(queue: &Queue<'_, T>) -> impl FnMut(usize) -> Result<()> {
    let mut since = 0;
    move |work| {
        since += work;
        if since < 1 << 18 {
            return Ok(());
        }
        since = 0;
        queue.advance(0)
    }
}

/// Whether a group of pieces has one lane a piece. Either way a piece has the same bits: every coefficient is the same
/// expression.
#[inline(always)]
fn over_paths<V: Lanes>(levels: &Levels, pieces: usize) -> bool {
    let small = levels.total() * size_of::<V>() <= 320 << 10;
    levels.degree == 1 || levels.total() <= 4 * V::LANES || small && 2 * pieces > V::LANES
}

/// One lane a piece.
struct OverPaths<V: Lanes> {
    lane: Lane<V>,
    state: Vec<V>,
    streams: Vec<V>,
    chunk: usize,
}

impl<V: Lanes> OverPaths<V> {
    #[inline(always)]
    fn new(levels: &Levels, longest: usize) -> Result<Self> {
        let lane = Lane::new(levels)?;
        let streams = lane.shape.streams_below(levels.degree);
        let row = streams + levels.dim * levels.degree;
        let chunk = chunk_steps(longest, row * size_of::<V>(), 256 << 10);
        Ok(OverPaths {
            state: V::scratch(levels.total())?,
            streams: V::scratch(chunk * streams)?,
            lane: lane.with_room(chunk)?,
            chunk,
        })
    }

    #[inline(always)]
    fn run(&mut self, pieces: &mut [Piece<'_, V::Scalar>], pulse: &mut impl FnMut(usize) -> Result<()>) -> Result<()> {
        let shape = self.lane.shape;
        let steps = pieces.iter().map(|piece| piece.end - piece.begin).max().unwrap_or(0);
        self.state.fill(V::zero());
        for begin in (0..steps).step_by(self.chunk) {
            let count = self.chunk.min(steps - begin);
            self.lane
                .read(begin, count, pieces.iter().map(|p| (p.increments, p.begin, p.end)));
            let stem = Column {
                rows: &[V::constant(1.0)],
                stride: 0,
                first: 0,
                width: 0,
            };
            let letters = self.lane.letters();
            if shape.degree == 1 {
                V::call(Crown::<V, Own> {
                    steps: count,
                    letters,
                    words: stem,
                    count: 1,
                    sums: &mut self.state,
                });
            }
            grow::<V, Own>(&shape, count, letters, stem, &mut self.state, &mut self.streams, pulse)?;
        }
        let total = self.state.len();
        self.lane
            .unpack(&self.state, 0..total, pieces.iter_mut().map(|piece| &mut *piece.row));
        Ok(())
    }
}

/// Steps that are done together, so that what each needs stays in cache.
#[inline(always)]
fn chunk_steps(longest: usize, bytes: usize, cache: usize) -> usize {
    let steps = (cache / bytes.max(1)).clamp(32, 512).min(longest.max(1));
    steps.next_multiple_of(MAX_LANES)
}

/// One lane a suffix.
struct OverSuffixes<V: Lanes> {
    levels: Levels,
    shape: Shape,
    places: Places,
    base: Base<V>,
    letters: Vec<V::Scalar>,
    longest: usize,
    state: Vec<V>,
    streams: Vec<V>,
    chunk: usize,
}

impl<V: Lanes> OverSuffixes<V> {
    #[inline(always)]
    fn new(levels: &Levels, longest: usize) -> Result<Self> {
        let shape = Shape::of_suffixes(levels, V::LANES);
        let streams = shape.streams_below(levels.degree);
        let chunk = chunk_steps(longest, streams * size_of::<V>(), 640 << 10);
        // Where the last level stands right on the base, all of it is one tile.
        let tiles = if shape.base + 1 == levels.degree {
            shape.width
        } else {
            1
        };
        Ok(OverSuffixes {
            levels: *levels,
            shape,
            places: Places::new(&shape)?,
            base: Base::new(levels, &shape, longest)?,
            letters: try_vec(levels.degree * levels.dim * longest, V::Scalar::ZERO)?,
            longest,
            state: V::scratch(tiles * shape.begin(levels.degree + 1))?,
            streams: V::scratch(chunk * streams)?,
            chunk,
        })
    }

    #[inline(always)]
    fn run(&mut self, piece: &mut Piece<'_, V::Scalar>, pulse: &mut impl FnMut(usize) -> Result<()>) -> Result<()> {
        let (levels, shape) = (self.levels, self.shape);
        let steps = piece.end - piece.begin;
        let letters = common_letters(
            &levels,
            self.longest,
            &piece.increments,
            piece.end,
            steps,
            &mut self.letters,
        );
        self.base.run(steps, letters, None);
        for j in 1..=shape.base {
            piece.row[levels.begin(j)..][..levels.size(j)].copy_from_slice(self.base.level(j, steps));
        }
        let stem = self.base.stem();
        if shape.base + 1 == levels.degree {
            self.state.fill(V::zero());
            V::call(Crown::<V, Common> {
                steps,
                letters,
                words: stem,
                count: shape.width,
                sums: &mut self.state,
            });
            for v in 0..shape.width {
                let state = &self.state[v * levels.dim..][..levels.dim];
                write_tile(&levels, &shape, &self.places, v, state, piece.row);
            }
            return pulse(steps * self.state.len());
        }
        for v in 0..shape.width {
            self.state.fill(V::zero());
            let stem = Column {
                first: stem.first + v,
                ..stem
            };
            for t in (0..steps).step_by(self.chunk) {
                let count = self.chunk.min(steps - t);
                let (letters, stem) = (letters.from(t), stem.from(t));
                grow::<V, Common>(&shape, count, letters, stem, &mut self.state, &mut self.streams, pulse)?;
            }
            write_tile(&levels, &shape, &self.places, v, &self.state, piece.row);
        }
        Ok(())
    }
}

/// Reads the increments before `end`, the last one first, as `buffer` = letters over 1, 2, … N.
#[inline(always)]
pub fn common_letters<'a, S: Real>(
    levels: &Levels,
    longest: usize,
    increments: &Increments<'_, S>,
    end: usize,
    steps: usize,
    buffer: &'a mut [S],
) -> Letters<'a, S> {
    let d = levels.dim;
    let stride = longest * d;
    let (first, rest) = buffer.split_at_mut(stride);
    let first = &mut first[..steps * d];
    for (s, row) in first.chunks_exact_mut(d).enumerate() {
        increments.write(end - 1 - s, row);
    }
    for (q, over) in (2..=levels.degree).zip(rest.chunks_exact_mut(stride)) {
        let factor = reciprocal::<S>(q);
        for (to, &z) in over.iter_mut().zip(&*first) {
            *to = z * factor;
        }
    }
    Letters {
        items: buffer,
        stride,
        dim: d,
    }
}

/// Copies tile `v` to its places in a signature.
#[inline(always)]
fn write_tile<V: Lanes>(levels: &Levels, shape: &Shape, places: &Places, v: usize, state: &[V], row: &mut [V::Scalar]) {
    let suffixes = levels.size(shape.base);
    let at = v * V::LANES;
    let count = V::LANES.min(suffixes - at);
    for k in shape.base + 1..=levels.degree {
        let level = &mut row[levels.begin(k)..][..levels.size(k)];
        let state = &state[shape.begin(k)..][..shape.words(k)];
        for (word, &place) in level.chunks_exact_mut(suffixes).zip(places.level(shape, k)) {
            state[place as usize].store_some(&mut word[at..][..count]);
        }
    }
}
