//! Gradients of pieces of paths, one lane a suffix.

use super::backward::{Piece, Scratch, Sweep, chunk};
use super::base::Base;
use super::base_adjoint::BaseAdjoint;
use super::forward::read;
use super::letters::{Common, Letters};
use super::levels::Levels;
use super::shape::{Places, Shape};
use super::top_products::{ToLetters, ToWords};
use crate::error::Result;
use crate::memory::try_vec;
use crate::path::{Transform, scatter_increments};
use crate::simd::{Lanes, MAX_LANES, Part, Real};

/// One lane a suffix.
pub struct OverSuffixes<V: Lanes> {
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
    fewer: bool,
}

impl<V: Lanes> OverSuffixes<V> {
    pub fn new(levels: &Levels, longest: usize, fewer: bool) -> Result<Self> {
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
        let mut scratch = Scratch::new(&shape, tiles, chunk, longest)?;
        if fewer {
            scratch.end = V::scratch(state)?;
        }
        Ok(OverSuffixes {
            levels: *levels,
            shape,
            places: Places::new(&shape)?,
            letters: try_vec(longest * levels.dim, V::Scalar::ZERO)?,
            base: Base::new(levels, &shape, longest)?,
            base_adjoint: BaseAdjoint::new(levels, &shape, longest)?,
            scratch,
            chunk,
            before: V::scratch(longest.div_ceil(chunk) * state)?,
            stem: V::scratch(higher)?,
            stem_adjoint: V::scratch(higher)?,
            sums: try_vec(longest.next_multiple_of(MAX_LANES) * levels.dim, V::Scalar::ZERO)?,
            fewer,
        })
    }

    #[inline(always)]
    pub fn run(
        &mut self,
        piece: &mut Piece<'_, V::Scalar>,
        finish: &mut Finish<V::Scalar>,
        pulse: &mut impl FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let (levels, shape, d) = (self.levels, self.shape, self.levels.dim);
        let steps = piece.end - piece.begin;
        read(&piece.increments, piece.end, steps, d, &mut self.letters);
        let letters = Letters::new(d, &self.letters);
        let state = (!piece.state.is_empty()).then_some(piece.state);
        self.base.run(steps, letters, state);
        self.base_adjoint.begin(steps);
        self.scratch.gradient[..steps * d].fill(V::zero());
        if shape.base + 1 == levels.degree {
            if !piece.words.is_empty() {
                piece.words.copy_from_slice(self.base.level(shape.base));
            }
            self.flat(piece, steps, pulse)?;
        } else {
            for v in 0..shape.width {
                self.tile(piece, steps, v, pulse)?;
            }
        }
        let letters = Letters::new(d, &self.letters);
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
        let letters = Letters::new(d, &self.letters);
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
            third: None,
            gradient: &mut scratch.gradient,
        });
        V::call(ToWords::<V, Common> {
            letters,
            steps,
            top: &scratch.adjoint,
            third: None,
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
        piece: &mut Piece<'_, V::Scalar>,
        steps: usize,
        v: usize,
        pulse: &mut impl FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let (levels, shape, scratch, d) = (self.levels, self.shape, &mut self.scratch, self.levels.dim);
        let letters = Letters::new(d, &self.letters);
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
        let (first, suffixes) = (v * V::LANES, levels.size(shape.base));
        let count = V::LANES.min(suffixes - first);
        self.base.stem(v, steps, letters, &mut self.stem);
        let stem_adjoint = &mut self.stem_adjoint[..steps * higher];
        let sweep = Sweep::<V, Common> {
            shape,
            steps,
            chunk: self.chunk,
            letters,
            stem: &self.stem,
            stem_adjoint: &mut *stem_adjoint,
            stride: higher,
            third: self.fewer.then(|| (first + count - 1) / (suffixes / d.min(suffixes))),
            before: &mut self.before,
        };
        sweep.run(scratch, pulse)?;
        if !piece.words.is_empty() {
            let (k, words) = (levels.degree - 1, piece.words.chunks_exact_mut(suffixes));
            let state = &scratch.end[shape.begin(k)..];
            for (word, &place) in words.zip(self.places.level(&shape, k)) {
                state[place as usize].store_some(&mut word[first..][..count]);
            }
        }
        let both = (&mut scratch.gradient[..steps * d], &mut self.sums[..steps * d]);
        self.base_adjoint
            .stem(&self.base, v, letters, piece.lower, stem_adjoint, both);
        Ok(())
    }
}

/// From gradients of increments to gradients of points.
pub struct Finish<S> {
    transform: Transform,
    dim: usize,
    points: Vec<S>,
    /// Gradients of the increments, one row a step, the last increment first.
    rows: Vec<S>,
}

impl<S: Real> Finish<S> {
    pub fn new(levels: &Levels, longest: usize, dim: usize, transform: Transform) -> Result<Self> {
        Ok(Finish {
            transform,
            dim,
            points: try_vec((longest + 1) * dim, S::ZERO)?,
            rows: try_vec(longest.next_multiple_of(MAX_LANES) * levels.dim, S::ZERO)?,
        })
    }

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
