//! Gradients of pieces of paths: the work of one thread. One lane a piece is here, one lane a suffix in
//! `backward_suffixes`, few coefficients in `backward_small`.

use super::backward_small::SmallPaths;
use super::backward_suffixes::{Finish, OverSuffixes};
use super::base::empty_word;
use super::forward::{chunk_steps, pulse, reverse};
use super::lanes::Order;
use super::letters::{Letters, Own, Spread};
use super::levels::Levels;
use super::moves::Moves;
use super::points::{Points, Window, scatter};
use super::shape::Shape;
use super::small::exists;
use super::tile::{Stretch, advance};
use super::tile_adjoint::Tile;
use super::top_products::ToLetters;
use crate::error::Result;
use crate::parallel::Queue;
use crate::path::Transform;
use crate::simd::{Lanes, MAX_LANES, Real, Work};

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
    /// Where there is room for it, level N-1 of the signature from `begin` on.
    pub words: &'a mut [S],
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
    /// Whether words with a peak have been handed on: see `peaks`.
    pub fewer: bool,
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
        let mut finish = Finish::new(&self.levels, self.longest, self.dim, self.transform)?;
        let mut tiles = OverSuffixes::<V>::new(&self.levels, self.longest, self.fewer)?;
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
pub struct Scratch<V> {
    pub state: Vec<V>,
    pub adjoint: Vec<V>,
    pub streams: Vec<V>,
    pub adjoints: Vec<V>,
    pub words: Vec<V>,
    pub gradient: Vec<V>,
    /// The state after the last step, if that is wanted.
    pub end: Vec<V>,
}

impl<V: Lanes> Scratch<V> {
    pub fn new(shape: &Shape, tiles: usize, chunk: usize, longest: usize) -> Result<Self> {
        let streams = chunk * shape.streams();
        Ok(Scratch {
            state: V::scratch(shape.begin(shape.degree))?,
            adjoint: V::scratch(tiles * shape.begin(shape.degree + 1))?,
            streams: V::scratch(streams)?,
            adjoints: V::scratch(streams)?,
            words: V::scratch(chunk * 2 * shape.dim.max(tiles))?,
            gradient: V::scratch(longest * shape.dim)?,
            end: Vec::new(),
        })
    }
}

impl<V: Lanes> OverPaths<V> {
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
            stem: empty_word(levels.degree, chunk)?,
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
                third: None,
                gradient,
            });
        } else {
            let sweep = Sweep::<V, Own> {
                shape: self.shape,
                steps,
                chunk: self.chunk,
                letters: Letters::new(d, &self.letters),
                stem: &self.stem,
                stem_adjoint: &mut self.nowhere,
                stride: 0,
                third: None,
                before: &mut self.before,
            };
            sweep.run(&mut self.scratch, pulse)?;
        }
        reverse(&self.scratch.gradient[..steps * d], d, &mut self.gradient[d..]);
        let lanes = pieces
            .iter_mut()
            .map(|piece| (piece.end - piece.begin, &mut *piece.gradient, &mut *piece.edge));
        scatter(&mut self.gradient, steps, d, transform, dim, lanes);
        Ok(())
    }
}

/// Steps of a chunk. In the passes over the last two levels a step has its letters, their gradients and what goes to and
/// fro between a word and its parent.
#[inline(always)]
pub fn chunk<V: Lanes>(levels: &Levels, longest: usize) -> usize {
    chunk_steps(longest, (levels.dim + 5) * size_of::<V>(), 24 << 10)
}

/// A tile over a piece: forth to find its state before each chunk of steps, and back.
pub struct Sweep<'a, 's, V: Lanes, F: Spread<V>> {
    pub shape: Shape,
    pub steps: usize,
    pub chunk: usize,
    pub letters: Letters<'a, F::Item>,
    /// What the base hands up, and room for what is handed back: `stride` vectors a step, 0 where all chunks share them.
    pub stem: &'a [V],
    pub stem_adjoint: &'s mut [V],
    pub stride: usize,
    /// See `Tile`.
    pub third: Option<usize>,
    /// Room for a state a chunk.
    pub before: &'s mut [V],
}

impl<V: Lanes, F: Spread<V>> Sweep<'_, '_, V, F> {
    #[inline(always)]
    pub fn run(self, scratch: &mut Scratch<V>, pulse: &mut impl FnMut(usize) -> Result<()>) -> Result<()> {
        let (shape, d) = (self.shape, self.shape.dim);
        let higher = shape.degree - shape.base;
        let chunks = (0..self.steps.div_ceil(self.chunk)).map(|c| c * self.chunk);
        for (begin, before) in chunks.clone().zip(self.before.chunks_exact_mut(scratch.state.len())) {
            before.copy_from_slice(&scratch.state);
            if begin + self.chunk < self.steps {
                let stretch = Stretch {
                    shape,
                    steps: self.chunk,
                    letters: self.letters.from(begin),
                    stem: &self.stem[begin * self.stride..],
                    fresh: false,
                    largest: None,
                };
                advance::<V, F>(stretch, &mut scratch.state, &mut scratch.streams);
            }
        }
        for (begin, before) in chunks.zip(self.before.chunks_exact(scratch.state.len())).rev() {
            let count = self.chunk.min(self.steps - begin);
            scratch.state.copy_from_slice(before);
            let mut tile = Tile {
                shape,
                steps: count,
                letters: self.letters.from(begin),
                stem: &self.stem[begin * self.stride..][..count * higher],
                stem_adjoint: &mut self.stem_adjoint[begin * self.stride..][..count * higher],
                third: self.third,
                state: &mut scratch.state,
                adjoint: &mut scratch.adjoint,
                gradient: &mut scratch.gradient[begin * d..][..count * d],
                streams: &mut scratch.streams,
                adjoints: &mut scratch.adjoints,
                words: &mut scratch.words,
            };
            tile.pull_back::<F>(pulse)?;
            if begin + count == self.steps && !scratch.end.is_empty() {
                scratch.end.copy_from_slice(&scratch.state);
            }
        }
        Ok(())
    }
}
