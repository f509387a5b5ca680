//! Signatures of pieces of paths: the work of one thread.

use super::base::{Base, empty_word};
use super::few::Products;
use super::lanes::Order;
use super::letters::{Common, Letters, Own};
use super::levels::Levels;
use super::moves::Moves;
use super::points::{Points, Window};
use super::shape::{Places, Shape};
use super::shuffle::{Shuffles, Words};
use super::small::{Small, exists};
use super::tile::{Stretch, grow, largest_letter};
use super::top::{LastLevel, SCRATCH};
use crate::error::Result;
use crate::memory::try_vec;
use crate::parallel::Queue;
use crate::path::Ahead;
use crate::simd::{Lanes, MAX_LANES, Real, Work};

/// Increments `begin..end` of a path, and where their signature goes: all of `row`.
pub struct Piece<'a, S> {
    pub increments: Moves<'a, S>,
    pub begin: usize,
    pub end: usize,
    pub row: &'a mut [S],
}

impl<'a, S: Real> Piece<'a, S> {
    /// Whether it is all of its path.
    fn whole(&self) -> bool {
        self.end - self.begin == self.increments.count()
    }

    #[inline(always)]
    pub fn window(&self) -> Window<'a, S> {
        Window {
            moves: self.increments,
            begin: self.begin,
            end: self.end,
        }
    }
}

/// Takes groups of pieces of at most `longest` increments until there are no more. A piece that is a whole path gets
/// its other words, too, where not all are computed along the path.
pub struct Forward<'w, 'q, 't, 'p, S> {
    pub levels: Levels,
    pub words: Words,
    pub longest: usize,
    pub queue: &'w Queue<'q, &'t mut [Piece<'p, S>]>,
}

impl<S: Real> Work<S> for Forward<'_, '_, '_, '_, S> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        let (levels, words, queue) = (self.levels, self.words, self.queue);
        let (mut paths, mut tiles) = (None, None);
        let mut others = Shuffles::<V>::new(&levels, words)?;
        let mut pulse = pulse(queue);
        while let Some(mut pieces) = queue.take() {
            while !pieces.is_empty() {
                let (group, next) = pieces.split_at_mut(V::LANES.min(pieces.len()));
                if over_paths::<S>(&levels, group.len(), V::LANES) {
                    if paths.is_none() {
                        paths = Some(OverPaths::<V>::new(&levels, words, self.longest)?);
                    }
                    if let Some(paths) = &mut paths {
                        paths.run(group, next, &mut pulse)?;
                    }
                    if !exists(levels.dim, levels.degree) {
                        for piece in group.iter_mut().filter(|piece| piece.whole()) {
                            others.add(piece.row)?;
                        }
                    }
                } else {
                    if tiles.is_none() {
                        tiles = Some(OverSuffixes::<V>::new(&levels, words, self.longest)?);
                    }
                    for piece in &mut *group {
                        if let Some(tiles) = &mut tiles {
                            tiles.run(piece, &mut pulse)?;
                        }
                        if piece.whole() {
                            others.add(piece.row)?;
                        }
                    }
                }
                queue.advance(group.iter().map(|piece| (piece.end - piece.begin) as u64).sum())?;
                pieces = next;
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
pub fn over_paths<S>(levels: &Levels, pieces: usize, lanes: usize) -> bool {
    let small = levels.total() * lanes * size_of::<S>() <= 512 << 10;
    levels.degree == 1 || levels.total() <= 4 * lanes || small && 2 * pieces > lanes
}

/// One lane a piece.
struct OverPaths<V: Lanes> {
    shape: Shape,
    words: Words,
    order: Order,
    points: Points<V>,
    /// Increments from the end of the path on.
    rows: Vec<V>,
    state: Vec<V>,
    streams: Vec<V>,
    /// The empty word, again and again.
    stem: Vec<V>,
    chunk: usize,
    /// The other words of small signatures, where they did not go along the path.
    few: Option<Products>,
    ahead: Ahead<V::Scalar>,
}

impl<V: Lanes> OverPaths<V> {
    fn new(levels: &Levels, words: Words, longest: usize) -> Result<Self> {
        let (d, n) = (levels.dim, levels.degree);
        let shape = Shape::of_paths(levels);
        let streams = shape.streams() + SCRATCH;
        let chunk = chunk_steps(longest, (d + 5 + SCRATCH) * size_of::<V>(), 44 << 10);
        let order = if exists(d, n) {
            Order::by_endings(levels)?
        } else {
            Order::new(levels)?
        };
        let few = Products::of(levels).filter(|_| words == Words::LargestFirst);
        Ok(OverPaths {
            shape,
            words,
            order,
            points: Points::new(d, chunk)?,
            rows: V::scratch(chunk * d)?,
            state: V::scratch(levels.total() + few.is_some() as usize)?,
            streams: V::scratch(chunk * streams)?,
            stem: empty_word(n, chunk)?,
            chunk,
            few,
            ahead: Ahead::new(),
        })
    }

    /// `next` are those that come after.
    #[inline(always)]
    fn run(
        &mut self,
        pieces: &mut [Piece<'_, V::Scalar>],
        next: &[Piece<'_, V::Scalar>],
        pulse: &mut impl FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let shape = self.shape;
        let steps = pieces.iter().map(|piece| piece.end - piece.begin).max().unwrap_or(0);
        self.state.fill(V::zero());
        for begin in (0..steps).step_by(self.chunk) {
            let count = self.chunk.min(steps - begin);
            let windows = pieces.iter().map(Piece::window);
            let rows = self.points.read(begin, count, windows)?;
            if exists(shape.dim, shape.degree) {
                let next = next.iter().take(V::LANES);
                let wanted = next.flat_map(|piece| [piece.increments.points(), &*piece.row]);
                self.ahead.look(wanted, usize::MAX);
                V::call(Small {
                    dim: shape.dim,
                    degree: shape.degree,
                    fewer: self.few.is_some(),
                    rows,
                    state: &mut self.state,
                    ahead: &mut self.ahead,
                });
                continue;
            }
            reverse(rows, shape.dim, &mut self.rows);
            let turns = pieces.first().and_then(|piece| piece.increments.turns(piece.end));
            let letters = Letters {
                dim: shape.dim,
                rows: &self.rows,
                turns,
            }
            .turned(begin);
            if shape.degree == 1 {
                V::call(LastLevel::<V, Own> {
                    letters,
                    steps: count,
                    streams: &self.stem,
                    sums: &mut self.state,
                    scratch: &mut self.streams,
                });
                continue;
            }
            let stem = &self.stem[..count * shape.degree];
            let stretch = Stretch {
                shape,
                steps: count,
                letters,
                stem,
                fresh: begin == 0,
                largest: self.words.first(0),
            };
            grow::<V, Own>(stretch, &mut self.state, &mut self.streams, None, pulse)?;
        }
        if let Some(few) = self.few.as_ref().filter(|_| pieces[0].whole()) {
            few.add(&mut self.state);
        }
        let total = self.state.len() - self.few.is_some() as usize;
        self.order
            .unpack(&self.state, 0..total, pieces.iter_mut().map(|piece| &mut *piece.row));
        Ok(())
    }
}

/// Rows of `dim`, the last one first.
#[inline(always)]
pub fn reverse<T: Copy>(rows: &[T], dim: usize, to: &mut [T]) {
    for (to, row) in to.chunks_exact_mut(dim).zip(rows.chunks_exact(dim).rev()) {
        to.copy_from_slice(row);
    }
}

/// Steps that are done together, so that what each needs stays in cache.
#[inline(always)]
pub fn chunk_steps(longest: usize, bytes: usize, cache: usize) -> usize {
    let most = (cache / bytes.max(1)).clamp(16, 512);
    let chunks = longest.div_ceil(most).max(1);
    longest.div_ceil(chunks).max(1).next_multiple_of(MAX_LANES)
}

/// Bytes of the last level of a tile that are little beside the second-level cache.
const NEAR: usize = 64 << 10;

/// One lane a suffix.
struct OverSuffixes<V: Lanes> {
    levels: Levels,
    words: Words,
    shape: Shape,
    places: Places,
    base: Base<V>,
    rows: Vec<V::Scalar>,
    state: Vec<V>,
    streams: Vec<V>,
    stem: Vec<V>,
    chunk: usize,
}

impl<V: Lanes> OverSuffixes<V> {
    fn new(levels: &Levels, words: Words, longest: usize) -> Result<Self> {
        let shape = Shape::of_suffixes(levels, V::LANES);
        let streams = shape.streams() + SCRATCH;
        let flat = shape.base + 1 == levels.degree;
        let chunk = if flat {
            longest
        } else {
            chunk_steps(longest, streams * size_of::<V>(), 120 << 10)
        };
        // Where the last level stands right on the base, all of it is one tile.
        let tiles = if flat { shape.width } else { 1 };
        Ok(OverSuffixes {
            levels: *levels,
            words,
            shape,
            places: Places::new(&shape)?,
            base: Base::new(levels, &shape, longest)?,
            rows: try_vec(longest * levels.dim, V::Scalar::ZERO)?,
            state: V::scratch(tiles * shape.begin(levels.degree + 1))?,
            streams: V::scratch(chunk * streams)?,
            stem: V::scratch(longest * tiles * (levels.degree - shape.base))?,
            chunk,
        })
    }

    #[inline(always)]
    fn run(&mut self, piece: &mut Piece<'_, V::Scalar>, pulse: &mut impl FnMut(usize) -> Result<()>) -> Result<()> {
        let (levels, shape) = (self.levels, self.shape);
        let steps = piece.end - piece.begin;
        read(&piece.increments, piece.end, steps, levels.dim, &mut self.rows);
        let letters = Letters {
            dim: levels.dim,
            rows: &self.rows,
            turns: piece.increments.turns(piece.end),
        };
        self.base.run(steps, letters, None);
        if shape.base + 1 == levels.degree {
            self.state.fill(V::zero());
            for (v, words) in self.stem.chunks_exact_mut(steps).enumerate().take(shape.width) {
                self.base.stem(v, steps, letters, words);
            }
            write_base(&levels, &shape, &self.base, piece.row);
            V::call(LastLevel::<V, Common> {
                letters,
                steps,
                streams: &self.stem,
                sums: &mut self.state,
                scratch: &mut self.streams,
            });
            for v in 0..shape.width {
                let state = &self.state[v * levels.dim..][..levels.dim];
                write_tile(&levels, &shape, &self.places, v, levels.degree, state, piece.row);
            }
            return pulse(steps * self.state.len());
        }
        let higher = levels.degree - shape.base;
        let lower = shape.begin(levels.degree);
        // A small last level is written when the tile is done, word after word: rows of a node lie far apart.
        let near = self.words == Words::All && shape.words(levels.degree) * size_of::<V>() <= NEAR;
        for v in 0..shape.width {
            self.state[..lower].fill(V::zero());
            self.base.stem(v, steps, letters, &mut self.stem);
            let (first, suffixes) = (v * V::LANES, levels.size(shape.base));
            let here = first..suffixes.min(first + V::LANES);
            let largest = here.map(|suffix| largest_letter(suffix, levels.dim)).min().unwrap_or(0);
            for t in (0..steps).step_by(self.chunk) {
                let count = self.chunk.min(steps - t);
                let stretch = Stretch {
                    shape,
                    steps: count,
                    letters: letters.from(t),
                    stem: &self.stem[t * higher..][..count * higher],
                    fresh: t == 0,
                    largest: self.words.first(largest),
                };
                let level = &mut piece.row[levels.begin(levels.degree)..];
                let out = (!near && t + count == steps).then_some((level, first, V::LANES.min(suffixes - first)));
                grow::<V, Common>(stretch, &mut self.state, &mut self.streams, out, pulse)?;
            }
            write_tile(
                &levels,
                &shape,
                &self.places,
                v,
                levels.degree - !near as usize,
                &self.state,
                piece.row,
            );
        }
        write_base(&levels, &shape, &self.base, piece.row);
        Ok(())
    }
}

/// Reads the increments before `end`, the last one first, one row a step.
#[inline(always)]
pub fn read<S: Real>(increments: &Moves<'_, S>, end: usize, steps: usize, dim: usize, rows: &mut [S]) {
    for (s, row) in rows[..steps * dim].chunks_exact_mut(dim).enumerate() {
        increments.write(end - 1 - s, row);
    }
}

/// Copies the levels below the tiles to their places in a signature.
#[inline(always)]
fn write_base<V: Lanes>(levels: &Levels, shape: &Shape, base: &Base<V>, row: &mut [V::Scalar]) {
    for j in 1..=shape.base {
        row[levels.begin(j)..][..levels.size(j)].copy_from_slice(base.level(j));
    }
}

/// Copies tile `v`, up to level `last`, to its places in a signature.
#[inline(always)]
fn write_tile<V: Lanes>(
    levels: &Levels,
    shape: &Shape,
    places: &Places,
    v: usize,
    last: usize,
    state: &[V],
    row: &mut [V::Scalar],
) {
    let suffixes = levels.size(shape.base);
    let at = v * V::LANES;
    let count = V::LANES.min(suffixes - at);
    for k in shape.base + 1..=last {
        let level = &mut row[levels.begin(k)..][..levels.size(k)];
        let state = &state[shape.begin(k)..][..shape.words(k)];
        for (word, &place) in level.chunks_exact_mut(suffixes).zip(places.level(shape, k)) {
            state[place as usize].store_some(&mut word[at..][..count]);
        }
    }
}
