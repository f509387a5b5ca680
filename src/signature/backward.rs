//! Gradients of pieces of paths: the work of one thread.

use super::backward_small::SmallPaths;
use super::base::Base;
use super::base_adjoint::BaseAdjoint;
use super::forward::{chunk_steps, pulse, read, reverse};
use super::lanes::Order;
use super::letters::{Common, Letters, Own};
use super::levels::Levels;
use super::moves::Moves;
use super::points::{Points, Window, scatter};
use super::shape::{Places, Shape};
use super::small_adjoint::exists;
use super::tile::{Stretch, advance};
use super::tile_adjoint::Tile;
use super::top_adjoint::{ToLetters, ToWords};
use crate::error::{Result, try_vec};
use crate::parallel::Queue;
use crate::path::{Transform, scatter_increments};
use crate::simd::{Lanes, MAX_LANES, Part, Real, Work};

/// Increments `begin..end` of a path between what comes after and what comes before them.
pub struct Piece<'a, S> {
    pub increments: Moves<'a, S>,
    pub begin: usize,
    pub end: usize,
    /// The signature of what comes after, levels 1..N-1; nothing where that is 1.
    pub state: &'a [S],
    /// ∂F/∂(signature from `begin` on): levels 1..N-1, and level N.
    pub lower: &'a [S],
    pub top: &'a [S],
    /// Gradients of the piece's points. The last one, if there is no room for it, goes to `edge`.
    pub gradient: &'a mut [S],
    pub edge: &'a mut [S],
}

impl<'a, S: Real> Piece<'a, S> {
    #[inline(always)]
    pub fn window(&self) -> Window<'a, S> {
        Window {
            moves: self.increments,
            begin: self.begin,
            end: self.end,
        }
    }
}

/// Takes groups of pieces of at most `longest` increments until there are no more.
pub struct Backward<'w, 'q, 't, 'p, S> {
    pub levels: Levels,
    pub longest: usize,
    /// Of the paths, before the transform.
    pub dim: usize,
    pub transform: Transform,
    pub queue: &'w Queue<'q, &'t mut [Piece<'p, S>]>,
}

impl<S: Real> Work<S> for Backward<'_, '_, '_, '_, S> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        let queue = self.queue;
        let mut pulse = pulse(queue);
        let units = |group: &[Piece<'_, S>]| group.iter().map(|piece| (piece.end - piece.begin) as u64).sum();
        if exists(self.levels.dim, self.levels.degree) {
            let mut paths = SmallPaths::<V>::new(&self.levels, self.longest, self.dim, self.transform)?;
            while let Some(mut pieces) = queue.take() {
                while !pieces.is_empty() {
                    let (group, next) = pieces.split_at_mut(V::LANES.min(pieces.len()));
                    paths.run(group, next)?;
                    queue.advance(units(group))?;
                    pieces = next;
                }
            }
            return Ok(());
        }
        if over_paths::<S>(&self.levels, V::LANES) {
            let mut paths = OverPaths::<V>::new(&self.levels, self.longest)?;
            while let Some(pieces) = queue.take() {
                for group in pieces.chunks_mut(V::LANES) {
                    paths.run(group, self.dim, &self.transform, &mut pulse)?;
                    queue.advance(units(group))?;
                }
            }
            return Ok(());
        }
        let mut finish = Finish {
            transform: self.transform,
            dim: self.dim,
            points: try_vec((self.longest + 1) * self.dim, S::ZERO)?,
            rows: try_vec(self.longest.next_multiple_of(MAX_LANES) * self.levels.dim, S::ZERO)?,
        };
        let mut tiles = OverSuffixes::<V>::new(&self.levels, self.longest)?;
        while let Some(pieces) = queue.take() {
            for piece in pieces {
                tiles.run(piece, &mut finish, &mut pulse)?;
                queue.advance(units(std::slice::from_ref(piece)))?;
            }
        }
        Ok(())
    }
}

/// Whether gradients are had with one lane a piece: where the state of as many signatures fits a cache. The sums over
/// words depend on it, so it may depend on the shape alone.
pub fn over_paths<S: Real>(levels: &Levels, lanes: usize) -> bool {
    levels.degree == 1 || levels.total() * lanes * size_of::<S>() <= 320 << 10
}

/// From gradients of increments to gradients of points.
struct Finish<S> {
    transform: Transform,
    dim: usize,
    points: Vec<S>,
    /// Gradients of the increments, one row a step, the last increment first.
    rows: Vec<S>,
}

impl<S: Real> Finish<S> {
    #[inline(always)]
    fn finish(&mut self, steps: usize, letters: usize, piece: &mut Piece<'_, S>) {
        let size = piece.gradient.len() + piece.edge.len();
        let points = &mut self.points[..size];
        let rows = &self.rows[..steps * letters];
        if self.transform == Transform::default() {
            // What an increment gains, its end gains and its begin loses.
            let mut rows = rows.chunks_exact(letters).rev();
            let mut points = points.chunks_exact_mut(letters);
            let (Some(mut before), Some(point)) = (rows.next(), points.next()) else {
                return;
            };
            for (to, &z) in point.iter_mut().zip(before) {
                *to = S::ZERO - z;
            }
            for (row, point) in rows.zip(points.by_ref()) {
                for ((to, &a), &b) in point.iter_mut().zip(before).zip(row) {
                    *to = a - b;
                }
                before = row;
            }
            if let Some(point) = points.next() {
                point.copy_from_slice(before);
            }
        } else {
            points.fill(S::ZERO);
            for (s, row) in rows.chunks_exact(letters).enumerate() {
                scatter_increments(steps - 1 - s, row, &self.transform, self.dim, points);
            }
        }
        let (inside, edge) = self.points[..size].split_at(piece.gradient.len());
        piece.gradient.copy_from_slice(inside);
        piece.edge.copy_from_slice(edge);
    }
}

/// One lane a piece.
struct OverPaths<V: Lanes> {
    levels: Levels,
    shape: Shape,
    order: Order,
    points: Points<V>,
    /// Increments from the end of the path on.
    letters: Vec<V>,
    /// Gradients of increments in the order of time, between two rows that do not count.
    gradient: Vec<V>,
    /// Steps that are done together, and the state before each such chunk.
    chunk: usize,
    before: Vec<V>,
    stem: Vec<V>,
    /// What is handed back to the empty word, which is constant: not wanted.
    nowhere: Vec<V>,
    scratch: Scratch<V>,
}

/// What both plans need.
struct Scratch<V> {
    state: Vec<V>,
    adjoint: Vec<V>,
    streams: Vec<V>,
    adjoints: Vec<V>,
    words: Vec<V>,
    gradient: Vec<V>,
}

impl<V: Lanes> Scratch<V> {
    #[inline(always)]
    fn new(shape: &Shape, tiles: usize, chunk: usize, longest: usize) -> Result<Self> {
        let streams = chunk * shape.streams();
        Ok(Scratch {
            state: V::scratch(shape.begin(shape.degree))?,
            adjoint: V::scratch(tiles * shape.begin(shape.degree + 1))?,
            streams: V::scratch(streams)?,
            adjoints: V::scratch(streams)?,
            words: V::scratch(chunk * 2 * shape.dim.max(tiles))?,
            gradient: V::scratch(longest * shape.dim)?,
        })
    }
}

impl<V: Lanes> OverPaths<V> {
    #[inline(always)]
    fn new(levels: &Levels, longest: usize) -> Result<Self> {
        let longest = longest.next_multiple_of(MAX_LANES);
        let shape = Shape::of_paths(levels);
        let chunk = if levels.degree == 1 {
            longest.max(1)
        } else {
            chunk::<V>(levels, longest)
        };
        let below = levels.begin(levels.degree);
        Ok(OverPaths {
            levels: *levels,
            shape,
            order: Order::new(levels)?,
            points: Points::new(levels.dim, longest)?,
            letters: V::scratch(longest * levels.dim)?,
            gradient: V::scratch((longest + 2) * levels.dim)?,
            chunk,
            before: V::scratch(longest.div_ceil(chunk) * below)?,
            stem: try_vec(chunk * levels.degree, V::constant(1.0))?,
            nowhere: V::scratch(chunk * levels.degree)?,
            scratch: Scratch::new(&shape, 1, chunk, longest)?,
        })
    }

    #[inline(always)]
    fn run(
        &mut self,
        pieces: &mut [Piece<'_, V::Scalar>],
        dim: usize,
        transform: &Transform,
        pulse: &mut impl FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let (levels, d, scratch) = (self.levels, self.levels.dim, &mut self.scratch);
        let steps = pieces.iter().map(|piece| piece.end - piece.begin).max().unwrap_or(0);
        let windows = pieces.iter().map(Piece::window);
        reverse(self.points.read(0, steps, windows)?, d, &mut self.letters);
        let (below, total) = (levels.begin(levels.degree), levels.total());
        self.order
            .pack(&mut scratch.state, 0..below, pieces.iter().map(|p| p.state));
        self.order
            .pack(&mut scratch.adjoint, 0..below, pieces.iter().map(|p| &p.lower[..below]));
        self.order
            .pack(&mut scratch.adjoint, below..total, pieces.iter().map(|p| p.top));
        let gradient = &mut scratch.gradient[..steps * d];
        gradient.fill(V::zero());
        if levels.degree == 1 {
            V::call(ToLetters {
                steps,
                dim: d,
                words: &self.stem[..steps],
                top: &scratch.adjoint,
                gradient,
            });
        } else {
            self.tile(steps, pulse)?;
        }
        reverse(&self.scratch.gradient[..steps * d], d, &mut self.gradient[d..]);
        let lanes = pieces
            .iter_mut()
            .map(|piece| (piece.end - piece.begin, &mut *piece.gradient, &mut *piece.edge));
        scatter(&mut self.gradient, steps, d, transform, dim, lanes);
        Ok(())
    }

    /// Forth to find the state before each chunk of steps, and back.
    #[inline(always)]
    fn tile(&mut self, steps: usize, pulse: &mut impl FnMut(usize) -> Result<()>) -> Result<()> {
        let (levels, d, scratch) = (self.levels, self.levels.dim, &mut self.scratch);
        let letters = Letters {
            dim: d,
            rows: &self.letters,
            turns: None,
        };
        let below = levels.begin(levels.degree);
        for (begin, before) in chunks(steps, self.chunk).zip(self.before.chunks_exact_mut(below)) {
            before.copy_from_slice(&scratch.state);
            if begin + self.chunk < steps {
                let stretch = Stretch {
                    shape: self.shape,
                    steps: self.chunk,
                    letters: letters.from(begin),
                    stem: &self.stem,
                    fresh: false,
                };
                advance::<V, Own>(stretch, &mut scratch.state, &mut scratch.streams);
            }
        }
        for (begin, before) in chunks(steps, self.chunk).zip(self.before.chunks_exact(below)).rev() {
            let count = self.chunk.min(steps - begin);
            scratch.state.copy_from_slice(before);
            let mut tile = Tile {
                shape: self.shape,
                steps: count,
                letters: letters.from(begin),
                stem: &self.stem,
                stem_adjoint: &mut self.nowhere[..count * levels.degree],
                state: &mut scratch.state,
                adjoint: &mut scratch.adjoint,
                gradient: &mut scratch.gradient[begin * d..][..count * d],
                streams: &mut scratch.streams,
                adjoints: &mut scratch.adjoints,
                words: &mut scratch.words,
            };
            tile.pull_back::<Own>(pulse)?;
        }
        Ok(())
    }
}

/// One lane a suffix.
struct OverSuffixes<V: Lanes> {
    levels: Levels,
    shape: Shape,
    places: Places,
    letters: Vec<V::Scalar>,
    base: Base<V>,
    base_adjoint: BaseAdjoint<V>,
    scratch: Scratch<V>,
    /// Steps that are done together, and the state of a tile before each such chunk.
    chunk: usize,
    before: Vec<V>,
    stem: Vec<V>,
    stem_adjoint: Vec<V>,
    sums: Vec<V::Scalar>,
}

impl<V: Lanes> OverSuffixes<V> {
    #[inline(always)]
    fn new(levels: &Levels, longest: usize) -> Result<Self> {
        let shape = Shape::of_suffixes(levels, V::LANES);
        let flat = shape.base + 1 == levels.degree;
        let chunk = if flat {
            longest.max(1)
        } else {
            chunk::<V>(levels, longest)
        };
        let tiles = if flat { shape.width } else { 1 };
        let higher = longest * (levels.degree - shape.base);
        let state = if flat { 0 } else { shape.begin(levels.degree) };
        Ok(OverSuffixes {
            levels: *levels,
            shape,
            places: Places::new(&shape)?,
            letters: try_vec(longest * levels.dim, V::Scalar::ZERO)?,
            base: Base::new(levels, &shape, longest)?,
            base_adjoint: BaseAdjoint::new(levels, &shape, longest)?,
            scratch: Scratch::new(&shape, tiles, chunk, longest)?,
            chunk,
            before: V::scratch(longest.div_ceil(chunk) * state)?,
            stem: V::scratch(higher)?,
            stem_adjoint: V::scratch(higher)?,
            sums: try_vec(longest.next_multiple_of(MAX_LANES) * levels.dim, V::Scalar::ZERO)?,
        })
    }

    #[inline(always)]
    fn run(
        &mut self,
        piece: &mut Piece<'_, V::Scalar>,
        finish: &mut Finish<V::Scalar>,
        pulse: &mut impl FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let (levels, shape, d) = (self.levels, self.shape, self.levels.dim);
        let steps = piece.end - piece.begin;
        read(&piece.increments, piece.end, steps, d, &mut self.letters);
        let letters = Letters {
            dim: d,
            rows: &self.letters,
            turns: None,
        };
        let state = (!piece.state.is_empty()).then_some(piece.state);
        self.base.run(steps, letters, state);
        self.base_adjoint.begin(steps);
        self.scratch.gradient[..steps * d].fill(V::zero());
        if shape.base + 1 == levels.degree {
            self.flat(piece, steps, pulse)?;
        } else {
            for v in 0..shape.width {
                self.tile(piece, steps, v, pulse)?;
            }
        }
        let letters = Letters {
            dim: d,
            rows: &self.letters,
            turns: None,
        };
        let (gradient, sums) = (&mut self.scratch.gradient[..steps * d], &mut self.sums[..]);
        let both = (&mut *gradient, &mut sums[..steps * d]);
        self.base_adjoint.rest(&self.base, steps, letters, piece.lower, both);
        V::call(Sums {
            vectors: gradient,
            numbers: sums,
            to: &mut finish.rows,
        });
        finish.finish(steps, d, piece);
        Ok(())
    }

    /// Where the last level stands right on the base: its words, one stream a vector of them.
    #[inline(always)]
    fn flat(
        &mut self,
        piece: &Piece<'_, V::Scalar>,
        steps: usize,
        pulse: &mut impl FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let (levels, shape, scratch, d) = (self.levels, self.shape, &mut self.scratch, self.levels.dim);
        let letters = Letters {
            dim: d,
            rows: &self.letters,
            turns: None,
        };
        for (v, tile) in scratch.adjoint.chunks_exact_mut(d).enumerate() {
            read_tile(&levels, &shape, &self.places, v, levels.degree, piece.top, tile);
        }
        let (words, handed) = scratch.words.split_at_mut(steps * shape.width);
        let handed = &mut handed[..steps * shape.width];
        for (v, words) in words.chunks_exact_mut(steps).enumerate() {
            self.base.stem(v, steps, letters, words);
        }
        V::call(ToLetters {
            steps,
            dim: d,
            words,
            top: &scratch.adjoint,
            gradient: &mut scratch.gradient,
        });
        V::call(ToWords::<V, Common> {
            letters,
            steps,
            top: &scratch.adjoint,
            to: &mut *handed,
        });
        for (v, back) in handed.chunks_exact(steps).enumerate() {
            let both = (&mut scratch.gradient[..steps * d], &mut self.sums[..steps * d]);
            self.base_adjoint.stem(&self.base, v, letters, piece.lower, back, both);
        }
        pulse(2 * steps * scratch.adjoint.len())
    }

    /// Tile `v`: forth to find its state before each chunk of steps, and back.
    #[inline(always)]
    fn tile(
        &mut self,
        piece: &Piece<'_, V::Scalar>,
        steps: usize,
        v: usize,
        pulse: &mut impl FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let (levels, shape, scratch, d) = (self.levels, self.shape, &mut self.scratch, self.levels.dim);
        let letters = Letters {
            dim: d,
            rows: &self.letters,
            turns: None,
        };
        for k in shape.base + 1..levels.degree {
            let (range, to) = (levels.begin(k)..levels.begin(k + 1), shape.begin(k));
            let state = &mut scratch.state[to..][..shape.words(k)];
            match piece.state.get(range.clone()) {
                Some(from) => read_tile(&levels, &shape, &self.places, v, k, from, state),
                None => state.fill(V::zero()),
            }
            let adjoint = &mut scratch.adjoint[to..][..shape.words(k)];
            read_tile(&levels, &shape, &self.places, v, k, &piece.lower[range], adjoint);
        }
        let top = &mut scratch.adjoint[shape.begin(levels.degree)..];
        read_tile(&levels, &shape, &self.places, v, levels.degree, piece.top, top);
        let higher = levels.degree - shape.base;
        self.base.stem(v, steps, letters, &mut self.stem);
        let stem_adjoint = &mut self.stem_adjoint[..steps * higher];
        for (begin, before) in chunks(steps, self.chunk).zip(self.before.chunks_exact_mut(scratch.state.len())) {
            before.copy_from_slice(&scratch.state);
            if begin + self.chunk < steps {
                let stretch = Stretch {
                    shape,
                    steps: self.chunk,
                    letters: letters.from(begin),
                    stem: &self.stem[begin * higher..],
                    fresh: false,
                };
                advance::<V, Common>(stretch, &mut scratch.state, &mut scratch.streams);
            }
        }
        for (begin, before) in chunks(steps, self.chunk)
            .zip(self.before.chunks_exact(scratch.state.len()))
            .rev()
        {
            let count = self.chunk.min(steps - begin);
            scratch.state.copy_from_slice(before);
            let mut tile = Tile {
                shape,
                steps: count,
                letters: letters.from(begin),
                stem: &self.stem[begin * higher..][..count * higher],
                stem_adjoint: &mut stem_adjoint[begin * higher..][..count * higher],
                state: &mut scratch.state,
                adjoint: &mut scratch.adjoint,
                gradient: &mut scratch.gradient[begin * d..][..count * d],
                streams: &mut scratch.streams,
                adjoints: &mut scratch.adjoints,
                words: &mut scratch.words,
            };
            tile.pull_back::<Common>(pulse)?;
        }
        let both = (&mut scratch.gradient[..steps * d], &mut self.sums[..steps * d]);
        self.base_adjoint
            .stem(&self.base, v, letters, piece.lower, stem_adjoint, both);
        Ok(())
    }
}

/// Steps of a chunk. In the passes over the last two levels a step has its letters, their gradients and what goes to and
/// fro between a word and its parent.
#[inline(always)]
fn chunk<V: Lanes>(levels: &Levels, longest: usize) -> usize {
    chunk_steps(longest, (levels.dim + 5) * size_of::<V>(), 24 << 10)
}

/// Where chunks begin.
fn chunks(steps: usize, chunk: usize) -> impl ExactSizeIterator<Item = usize> + DoubleEndedIterator {
    (0..steps.div_ceil(chunk)).map(move |c| c * chunk)
}

/// The sums of vectors, and a number to each.
struct Sums<'a, 's, V: Lanes> {
    vectors: &'a [V],
    /// Whole vectors of them, and of the sums.
    numbers: &'a [V::Scalar],
    to: &'s mut [V::Scalar],
}

impl<V: Lanes> Part<V> for Sums<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (block, vectors) in self.vectors.chunks(V::LANES).enumerate() {
            let mut rows = [V::zero(); MAX_LANES];
            rows[..vectors.len()].copy_from_slice(vectors);
            let at = block * V::LANES;
            (V::sums(&rows) + V::load(&self.numbers[at..])).store(&mut self.to[at..]);
        }
    }
}

/// Level `k` of tile `v` from its places in `level`.
#[inline(always)]
fn read_tile<V: Lanes>(
    levels: &Levels,
    shape: &Shape,
    places: &Places,
    v: usize,
    k: usize,
    level: &[V::Scalar],
    tile: &mut [V],
) {
    let suffixes = levels.size(shape.base);
    let at = v * V::LANES;
    let count = V::LANES.min(suffixes - at);
    for (word, &place) in level.chunks_exact(suffixes).zip(places.level(shape, k)) {
        tile[place as usize] = V::load_some(&word[at..][..count]);
    }
}
