//! Gradients of pieces of paths: the work of one thread.

use super::backward_small::SmallPaths;
use super::base::Base;
use super::base_adjoint::BaseAdjoint;
use super::forward::{pulse, read, reverse, word_streams};
use super::lanes::Order;
use super::letters::{Alphabet, Common, Own};
use super::levels::Levels;
use super::moves::Moves;
use super::points::{Points, Window, scatter};
use super::shape::{Places, Shape};
use super::small_adjoint::exists;
use super::tile_adjoint::Tile;
use super::top_adjoint::{ToLetters, ToWords};
use crate::error::{Result, try_vec};
use crate::parallel::Queue;
use crate::path::{Transform, scatter_increments};
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
        if over_paths::<S>(&self.levels) {
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

/// Whether gradients are had with one lane a piece. The sums over words depend on it: it may depend on the shape alone.
pub fn over_paths<S>(levels: &Levels) -> bool {
    levels.degree == 1 || levels.total() * size_of::<S>() <= 3200
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
    /// Gradients of increments in the order of time, between two rows that do not count.
    gradient: Vec<V>,
    alphabet: Alphabet<V>,
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
    fn new(shape: &Shape, tiles: usize, longest: usize) -> Result<Self> {
        let streams = longest * shape.streams();
        Ok(Scratch {
            state: V::scratch(shape.begin(shape.degree))?,
            adjoint: V::scratch(tiles * shape.begin(shape.degree + 1))?,
            streams: V::scratch(streams)?,
            adjoints: V::scratch(streams)?,
            words: V::scratch(longest * 2 * shape.dim.max(tiles))?,
            gradient: V::scratch(longest * shape.dim)?,
        })
    }
}

impl<V: Lanes> OverPaths<V> {
    #[inline(always)]
    fn new(levels: &Levels, longest: usize) -> Result<Self> {
        let longest = longest.next_multiple_of(MAX_LANES);
        let shape = Shape::of_paths(levels);
        Ok(OverPaths {
            levels: *levels,
            shape,
            order: Order::new(levels)?,
            points: Points::new(levels.dim, longest)?,
            gradient: V::scratch((longest + 2) * levels.dim)?,
            alphabet: Alphabet::new(levels.dim, levels.degree, longest, V::zero())?,
            stem: try_vec(longest * levels.degree, V::constant(1.0))?,
            nowhere: V::scratch(longest * levels.degree)?,
            scratch: Scratch::new(&shape, 1, longest)?,
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
        reverse(self.points.read(0, steps, windows)?, d, self.alphabet.rows_mut());
        let letters = self.alphabet.letters::<V, Own>(steps);
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
                gradient: &mut *gradient,
            });
        }
        let mut tile = Tile {
            shape: self.shape,
            steps,
            letters,
            stem: &self.stem,
            stem_adjoint: &mut self.nowhere[..steps * levels.degree],
            state: &mut scratch.state,
            adjoint: &mut scratch.adjoint,
            gradient,
            streams: &mut scratch.streams,
            adjoints: &mut scratch.adjoints,
            words: &mut scratch.words,
        };
        if levels.degree > 1 {
            tile.pull_back::<Own>(pulse)?;
        }
        reverse(&scratch.gradient[..steps * d], d, &mut self.gradient[d..]);
        let lanes = pieces
            .iter_mut()
            .map(|piece| (piece.end - piece.begin, &mut *piece.gradient, &mut *piece.edge));
        scatter(&mut self.gradient, steps, d, transform, dim, lanes);
        Ok(())
    }
}

/// One lane a suffix.
struct OverSuffixes<V: Lanes> {
    levels: Levels,
    shape: Shape,
    places: Places,
    alphabet: Alphabet<V::Scalar>,
    base: Base<V>,
    base_adjoint: BaseAdjoint<V>,
    scratch: Scratch<V>,
    stem: Vec<V>,
    stem_adjoint: Vec<V>,
    /// What the tiles hand back to the base.
    back: Vec<V>,
    sums: Vec<V::Scalar>,
}

impl<V: Lanes> OverSuffixes<V> {
    #[inline(always)]
    fn new(levels: &Levels, longest: usize) -> Result<Self> {
        let shape = Shape::of_suffixes(levels, V::LANES);
        let tiles = if shape.base + 1 == levels.degree {
            shape.width
        } else {
            1
        };
        let base_adjoint = BaseAdjoint::new(levels, shape.base)?;
        let higher = longest * (levels.degree - shape.base);
        Ok(OverSuffixes {
            levels: *levels,
            shape,
            places: Places::new(&shape)?,
            alphabet: Alphabet::new(levels.dim, levels.degree, longest, V::Scalar::ZERO)?,
            base: Base::new(levels, &shape, longest)?,
            scratch: Scratch::new(&shape, tiles, longest)?,
            stem: V::scratch(higher)?,
            stem_adjoint: V::scratch(higher)?,
            back: V::scratch(longest * base_adjoint.stem() + 2)?,
            base_adjoint,
            sums: try_vec(longest * levels.dim, V::Scalar::ZERO)?,
        })
    }

    #[inline(always)]
    fn run(
        &mut self,
        piece: &mut Piece<'_, V::Scalar>,
        finish: &mut Finish<V::Scalar>,
        pulse: &mut impl FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let (levels, shape, d, scratch) = (self.levels, self.shape, self.levels.dim, &mut self.scratch);
        let steps = piece.end - piece.begin;
        read(&piece.increments, piece.end, steps, d, self.alphabet.rows_mut());
        let letters = self.alphabet.letters::<V, Common>(steps);
        let state = (!piece.state.is_empty()).then_some(piece.state);
        self.base.run(steps, letters, state);
        scratch.gradient[..steps * d].fill(V::zero());
        let stride = self.base_adjoint.stem();
        let back = &mut self.back[..steps * stride + 2];
        back[steps * stride..].fill(V::zero());
        if shape.base + 1 == levels.degree {
            for (v, tile) in scratch.adjoint.chunks_exact_mut(d).enumerate() {
                read_tile(&levels, &shape, &self.places, v, levels.degree, piece.top, tile);
            }
            let (words, handed) = scratch.words.split_at_mut(steps * shape.width);
            word_streams(&self.base, steps, words);
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
            for (w, stream) in handed[..steps * shape.width].chunks_exact(steps).enumerate() {
                for (t, &word) in stream.iter().enumerate() {
                    back[t * stride + w] = word;
                }
            }
            pulse(2 * steps * scratch.adjoint.len())?;
        } else {
            for v in 0..shape.width {
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
                self.base.stem(v, steps, &mut self.stem);
                let higher = levels.degree - shape.base;
                let stem_adjoint = &mut self.stem_adjoint[..steps * higher];
                let mut tile = Tile {
                    shape,
                    steps,
                    letters,
                    stem: &self.stem,
                    stem_adjoint: &mut *stem_adjoint,
                    state: &mut scratch.state,
                    adjoint: &mut scratch.adjoint,
                    gradient: &mut scratch.gradient,
                    streams: &mut scratch.streams,
                    adjoints: &mut scratch.adjoints,
                    words: &mut scratch.words,
                };
                tile.pull_back::<Common>(pulse)?;
                let rows = back.chunks_exact_mut(stride).zip(stem_adjoint.chunks_exact(higher));
                for (to, from) in rows {
                    for (to, &handed) in to.chunks_exact_mut(shape.width).zip(from) {
                        to[v] = handed;
                    }
                }
            }
        }
        let sums = &mut self.sums[..steps * d];
        let gradient = &mut scratch.gradient[..steps * d];
        self.base_adjoint
            .run(&self.base, steps, letters, piece.lower, back, gradient, sums);
        for ((to, vector), &sum) in finish.rows.iter_mut().zip(gradient).zip(&*sums) {
            *to = vector.sum() + sum;
        }
        finish.finish(steps, d, piece);
        Ok(())
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
