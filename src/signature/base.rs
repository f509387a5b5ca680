//! The levels below the tiles: suffixes of at most `base` letters, in rows as they lie in the signature.
//!
//! Rows are short and not aligned. Each is computed in whole vectors from its begin on; what spills over its end is
//! overwritten by the next row, and what spills over the last one by zeros. So the end of every level is zero, which
//! the adjoint relies on.

use super::letters::Letters;
use super::levels::Levels;
use super::shape::Shape;
use crate::error::{Result, try_with_room};
use crate::simd::{Lanes, Real};

/// The streams h_j(k) of levels j = 1..=base, for k = j..=N, at every step of a piece.
pub struct Base<V> {
    levels: Levels,
    base: usize,
    steps: usize,
    /// Of each level j: rows [step][k - j] of `width(j)` vectors; the row before the first step has the state.
    streams: Vec<Vec<V>>,
}

impl<V: Lanes> Base<V> {
    #[inline(always)]
    pub fn new(levels: &Levels, shape: &Shape, steps: usize) -> Result<Self> {
        let mut streams = try_with_room(shape.base)?;
        for j in 1..=shape.base {
            let rows = (steps + 1) * (levels.degree - j + 1);
            streams.push(V::scratch(rows * width::<V>(levels, j) + 2)?);
        }
        Ok(Base {
            levels: *levels,
            base: shape.base,
            steps,
            streams,
        })
    }

    /// All streams of a piece of `steps` steps that starts at the given signature, or at 1.
    #[inline(always)]
    pub fn run(&mut self, steps: usize, letters: Letters<'_, V::Scalar>, state: Option<&[V::Scalar]>) {
        assert!(steps <= self.steps);
        for j in 1..=self.base {
            let (below, above) = self.streams.split_at_mut(j - 1);
            let stream = V::scalars_mut(&mut above[0]);
            let (begin, size) = (self.levels.begin(j), self.levels.size(j));
            match state {
                Some(state) => stream[..size].copy_from_slice(&state[begin..][..size]),
                None => stream[..size].fill(V::Scalar::ZERO),
            }
            stream[size..width::<V>(&self.levels, j) * V::LANES].fill(V::Scalar::ZERO);
            match below.last() {
                None => first_level::<V>(&self.levels, steps, letters, stream),
                Some(parent) => level::<V>(&self.levels, j, steps, letters, V::scalars(parent), stream),
            }
        }
    }

    /// The signature of level `j` after `steps` steps.
    #[inline(always)]
    pub fn level(&self, j: usize, steps: usize) -> &[V::Scalar] {
        let row = (self.levels.degree - j + 1) * width::<V>(&self.levels, j) * V::LANES;
        &V::scalars(&self.streams[j - 1])[steps * row..][..self.levels.size(j)]
    }

    /// h_j(k) after step `t`, zeros at its end.
    #[inline(always)]
    pub fn row(&self, j: usize, k: usize, t: usize) -> &[V::Scalar] {
        let width = width::<V>(&self.levels, j) * V::LANES;
        let row = (t + 1) * (self.levels.degree - j + 1) + k - j;
        &V::scalars(&self.streams[j - 1])[row * width..][..width]
    }

    /// Vectors of the last level.
    #[inline(always)]
    pub fn width(&self) -> usize {
        width::<V>(&self.levels, self.base)
    }

    /// What vector `v` of the last level hands up: a row h(k), k = base + 1..=N, a step.
    #[inline(always)]
    pub fn stem(&self, v: usize, steps: usize, to: &mut [V]) {
        let (width, higher) = (self.width(), self.levels.degree - self.base);
        let rows = self.streams[self.base - 1].chunks_exact((higher + 1) * width).skip(1);
        for (to, row) in to[..steps * higher].chunks_exact_mut(higher).zip(rows) {
            for (to, vectors) in to.iter_mut().zip(row.chunks_exact(width).skip(1)) {
                *to = vectors[v];
            }
        }
    }

    /// The rows of the last level, where the tiles are one level high: all h(N) of a step.
    #[inline(always)]
    pub fn words(&self) -> impl Iterator<Item = &[V]> {
        let width = self.width();
        let rows = self.streams[self.base - 1].chunks_exact(2 * width).skip(1);
        rows.map(move |row| &row[width..])
    }
}

/// Vectors of a level that begins with a vector.
#[inline(always)]
pub fn width<V: Lanes>(levels: &Levels, j: usize) -> usize {
    levels.size(j).div_ceil(V::LANES)
}

/// h_1(k) = A_1 + z/k.
#[inline(always)]
fn first_level<V: Lanes>(levels: &Levels, steps: usize, letters: Letters<'_, V::Scalar>, stream: &mut [V::Scalar]) {
    let (n, d) = (levels.degree, levels.dim);
    let width = width::<V>(levels, 1) * V::LANES;
    for t in 0..steps {
        let (before, after) = stream.split_at_mut((t + 1) * n * width);
        let state = &before[t * n * width..][..d];
        for (q, row) in (1..=n).zip(after.chunks_exact_mut(width)) {
            let (row, end) = row.split_at_mut(d);
            for (i, (to, &a)) in row.iter_mut().zip(state).enumerate() {
                *to = a + letters.over(i, t, q);
            }
            end.fill(V::Scalar::ZERO);
        }
    }
}

/// h_j(k) = A_j + z/(k-j+1) ⊗ h_{j-1}(k), one row a letter.
#[inline(always)]
fn level<V: Lanes>(
    levels: &Levels,
    j: usize,
    steps: usize,
    letters: Letters<'_, V::Scalar>,
    parent: &[V::Scalar],
    stream: &mut [V::Scalar],
) {
    let (d, rows) = (levels.dim, levels.degree - j + 1);
    let (length, size) = (levels.size(j - 1), levels.size(j));
    let (parent_width, width) = (width::<V>(levels, j - 1) * V::LANES, width::<V>(levels, j) * V::LANES);
    for t in 0..steps {
        let (before, after) = stream.split_at_mut((t + 1) * rows * width);
        let state = &before[t * rows * width..];
        for q in 1..=rows {
            // One row more a step in the parent, and one step more.
            let h = &parent[((t + 1) * (rows + 1) + q) * parent_width..][..parent_width];
            let to = &mut after[(q - 1) * width..];
            for i in 0..d {
                let z = V::splat(letters.over(i, t, q));
                let (to, state) = (&mut to[i * length..], &state[i * length..]);
                let vectors = h.chunks_exact(V::LANES);
                for (v, h) in vectors.enumerate() {
                    let at = v * V::LANES;
                    z.mul_add(V::load(h), V::load(&state[at..])).store(&mut to[at..]);
                }
            }
            V::zero().store(&mut to[size..]);
        }
    }
}
