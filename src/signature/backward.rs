//! Gradients of pieces of paths: the work of one thread.

use super::base::Base;
use super::base_adjoint::BaseAdjoint;
use super::forward::{common_letters, pulse};
use super::lanes::Lane;
use super::letters::{Common, Own};
use super::levels::Levels;
use super::shape::{Places, Shape};
use super::tile::Column;
use super::tile_adjoint::{Tile, ToLetters, pull_back, pull_back_top};
use crate::error::{Result, try_vec};
use crate::parallel::Queue;
use crate::path::{Increments, Transform, scatter_increments};
use crate::simd::{Lanes, MAX_LANES, Real, Work};

/// Increments `begin..end` of a path between what comes after and what comes before them.
pub struct Piece<'a, S> {
    pub increments: Increments<'a, S>,
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
        let mut finish = Finish {
            transform: self.transform,
            dim: self.dim,
            points: try_vec((self.longest + 1) * self.dim, S::ZERO)?,
            rows: try_vec(self.longest.next_multiple_of(MAX_LANES) * self.levels.dim, S::ZERO)?,
        };
        let units = |group: &[Piece<'_, S>]| group.iter().map(|piece| (piece.end - piece.begin) as u64).sum();
        if over_paths::<S>(&self.levels) {
            let mut paths = OverPaths::<V>::new(&self.levels, self.longest)?;
            while let Some(pieces) = queue.take() {
                for group in pieces.chunks_mut(V::LANES) {
                    paths.run(group, &mut finish, &mut pulse)?;
                    queue.advance(units(group))?;
                }
            }
            return Ok(());
        }
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
        points.fill(S::ZERO);
        for (s, row) in self.rows[..steps * letters].chunks_exact(letters).enumerate() {
            scatter_increments(steps - 1 - s, row, &self.transform, self.dim, points);
        }
        let (inside, edge) = points.split_at(piece.gradient.len());
        piece.gradient.copy_from_slice(inside);
        piece.edge.copy_from_slice(edge);
    }
}

/// One lane a piece.
struct OverPaths<V: Lanes> {
    levels: Levels,
    lane: Lane<V>,
    state: Vec<V>,
    adjoint: Vec<V>,
    streams: Vec<V>,
    adjoints: Vec<V>,
    gradient: Vec<V>,
}

impl<V: Lanes> OverPaths<V> {
    #[inline(always)]
    fn new(levels: &Levels, longest: usize) -> Result<Self> {
        let longest = longest.next_multiple_of(MAX_LANES);
        let lane = Lane::new(levels)?;
        let streams = longest * lane.shape.streams_below(levels.degree);
        Ok(OverPaths {
            levels: *levels,
            lane: lane.with_room(longest)?,
            state: V::scratch(levels.total())?,
            adjoint: V::scratch(levels.total())?,
            streams: V::scratch(streams)?,
            adjoints: V::scratch(streams)?,
            gradient: V::scratch(longest * levels.dim)?,
        })
    }

    #[inline(always)]
    fn run(
        &mut self,
        pieces: &mut [Piece<'_, V::Scalar>],
        finish: &mut Finish<V::Scalar>,
        pulse: &mut impl FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let (levels, d) = (self.levels, self.levels.dim);
        let steps = pieces.iter().map(|piece| piece.end - piece.begin).max().unwrap_or(0);
        self.lane
            .read(0, steps, pieces.iter().map(|p| (p.increments, p.begin, p.end)));
        let (below, total) = (levels.begin(levels.degree), levels.total());
        self.lane
            .pack(&mut self.state, 0..below, pieces.iter().map(|p| p.state));
        self.lane
            .pack(&mut self.adjoint, 0..below, pieces.iter().map(|p| &p.lower[..below]));
        self.lane
            .pack(&mut self.adjoint, below..total, pieces.iter().map(|p| p.top));
        let gradient = &mut self.gradient[..steps * d];
        gradient.fill(V::zero());
        let stem = Column {
            rows: &[V::constant(1.0)],
            stride: 0,
            first: 0,
            width: 0,
        };
        if levels.degree == 1 {
            V::call(ToLetters {
                steps,
                words: stem,
                top: &self.adjoint,
                dim: d,
                gradient: &mut *gradient,
            });
        }
        let mut tile = Tile {
            shape: self.lane.shape,
            steps,
            letters: self.lane.letters(),
            state: &mut self.state,
            adjoint: &mut self.adjoint,
            gradient,
        };
        // What is handed back to level 0, the constant 1, is not wanted.
        let nowhere = (&mut [V::zero()][..], 0, 0, 0);
        pull_back::<V, Own>(&mut tile, stem, nowhere, &mut self.streams, &mut self.adjoints, pulse)?;
        for (l, piece) in pieces.iter_mut().enumerate() {
            let steps = piece.end - piece.begin;
            let vectors = self.gradient[..steps * d].chunks(V::LANES);
            for (to, vectors) in finish.rows.chunks_mut(V::LANES).zip(vectors) {
                for (to, vector) in to.iter_mut().zip(vectors) {
                    *to = vector.to_array()[l];
                }
            }
            finish.finish(steps, d, piece);
        }
        Ok(())
    }
}

/// One lane a suffix.
struct OverSuffixes<V: Lanes> {
    levels: Levels,
    longest: usize,
    shape: Shape,
    places: Places,
    letters: Vec<V::Scalar>,
    base: Base<V>,
    base_adjoint: BaseAdjoint<V>,
    state: Vec<V>,
    adjoint: Vec<V>,
    streams: Vec<V>,
    adjoints: Vec<V>,
    /// What the tiles hand back to the base.
    back: Vec<V>,
    gradient: Vec<V>,
    sums: Vec<V::Scalar>,
}

impl<V: Lanes> OverSuffixes<V> {
    #[inline(always)]
    fn new(levels: &Levels, longest: usize) -> Result<Self> {
        let shape = Shape::of_suffixes(levels, V::LANES);
        let streams = longest * shape.streams_below(levels.degree);
        let tiles = if shape.base + 1 == levels.degree {
            shape.width
        } else {
            1
        };
        let base_adjoint = BaseAdjoint::new(levels, shape.base)?;
        Ok(OverSuffixes {
            levels: *levels,
            longest,
            shape,
            places: Places::new(&shape)?,
            letters: try_vec(levels.degree * levels.dim * longest, V::Scalar::ZERO)?,
            base: Base::new(levels, &shape, longest)?,
            state: V::scratch(shape.begin(levels.degree))?,
            adjoint: V::scratch(tiles * shape.begin(levels.degree + 1))?,
            streams: V::scratch(streams)?,
            adjoints: V::scratch(streams)?,
            back: V::scratch(longest * base_adjoint.stem() + 2)?,
            base_adjoint,
            gradient: V::scratch(longest * levels.dim)?,
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
        let (levels, shape, d) = (self.levels, self.shape, self.levels.dim);
        let steps = piece.end - piece.begin;
        let letters = common_letters(
            &levels,
            self.longest,
            &piece.increments,
            piece.end,
            steps,
            &mut self.letters,
        );
        let state = (!piece.state.is_empty()).then_some(piece.state);
        self.base.run(steps, letters, state);
        let gradient = &mut self.gradient[..steps * d];
        gradient.fill(V::zero());
        let (stem, stride) = (self.base.stem(), self.base_adjoint.stem());
        let back = &mut self.back[..steps * stride + 2];
        back[steps * stride..].fill(V::zero());
        if shape.base + 1 == levels.degree {
            for (v, tile) in self.adjoint.chunks_exact_mut(d).enumerate() {
                read_tile(&levels, &shape, &self.places, v, levels.degree, piece.top, tile);
            }
            let to = (&mut *back, stride, 0);
            pull_back_top::<V, Common>(steps, letters, stem, &self.adjoint, gradient, to);
            pulse(2 * steps * self.adjoint.len())?;
        } else {
            for v in 0..shape.width {
                for k in shape.base + 1..levels.degree {
                    let (range, to) = (levels.begin(k)..levels.begin(k + 1), shape.begin(k));
                    let state = &mut self.state[to..][..shape.words(k)];
                    match piece.state.get(range.clone()) {
                        Some(from) => read_tile(&levels, &shape, &self.places, v, k, from, state),
                        None => state.fill(V::zero()),
                    }
                    let adjoint = &mut self.adjoint[to..][..shape.words(k)];
                    read_tile(&levels, &shape, &self.places, v, k, &piece.lower[range], adjoint);
                }
                let top = &mut self.adjoint[shape.begin(levels.degree)..];
                read_tile(&levels, &shape, &self.places, v, levels.degree, piece.top, top);
                let mut tile = Tile {
                    shape,
                    steps,
                    letters,
                    state: &mut self.state,
                    adjoint: &mut self.adjoint,
                    gradient: &mut *gradient,
                };
                let stem = Column {
                    first: stem.first + v,
                    ..stem
                };
                let to = (&mut *back, stride, v, shape.width);
                pull_back::<V, Common>(&mut tile, stem, to, &mut self.streams, &mut self.adjoints, pulse)?;
            }
        }
        let sums = &mut self.sums[..steps * d];
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
