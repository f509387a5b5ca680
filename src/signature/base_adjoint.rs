//! The adjoint of the levels below the tiles: vector by vector, back in time along the path.
//!
//! With b(k) = h̄_j(k) and b(j) = Ā_j, as in `tile_adjoint`:
//! z̄_i += Σ_k <h_{j-1}(k), b(k)[i]>,  h̄_{j-1}(k) += Σ_i z_i · b(k)[i],  Ā_j += Σ_{k>j} b(k)/(k-j)!.

use super::base::{Base, Parent, lanes_of, spread, wide, width};
use super::letters::{Letters, weight};
use super::levels::Levels;
use super::shape::Shape;
use crate::error::Result;
use crate::memory::{try_vec, try_with_room};
use crate::simd::{Lanes, MAX_LANES, Part, Real};

pub struct BaseAdjoint<V: Lanes> {
    levels: Levels,
    base: usize,
    /// Of each level j < base, h̄_j(k), in rows as `Base` has h_j(k): what goes beyond a row belongs to its begin.
    streams: Vec<Vec<V>>,
    /// z of the letter of each lane, and z̄ of each lane, along the path.
    lanes: Vec<V>,
    sums: Vec<V>,
}

impl<V: Lanes> BaseAdjoint<V> {
    pub fn new(levels: &Levels, shape: &Shape, steps: usize) -> Result<Self> {
        let mut streams = try_with_room(shape.base)?;
        for j in 1..shape.base {
            streams.push(V::scratch(steps * (levels.degree - j) * wide::<V>(levels, j))?);
        }
        Ok(BaseAdjoint {
            levels: *levels,
            base: shape.base,
            streams,
            lanes: try_vec(steps, V::zero())?,
            sums: try_vec(steps, V::zero())?,
        })
    }

    /// Before the vectors of the last level.
    #[inline(always)]
    pub fn begin(&mut self, steps: usize) {
        for (j, stream) in (1..).zip(&mut self.streams) {
            let rows = steps * (self.levels.degree - j);
            stream[..rows * wide::<V>(&self.levels, j)].fill(V::zero());
        }
    }

    /// Vector `v` of the last level. `lower` has the adjoints of the levels after the last step, `back` is what the tile
    /// hands back, a row h̄(k), k = base + 1..=N, a step. Adds z̄ to `gradient`, a row of `dim` vectors a step; what level 1
    /// has is one number a letter and goes to the row of numbers beside it.
    #[inline(always)]
    pub fn stem(
        &mut self,
        base: &Base<V>,
        v: usize,
        letters: Letters<'_, V::Scalar>,
        lower: &[V::Scalar],
        back: &[V],
        gradient: (&mut [V], &mut [V::Scalar]),
    ) {
        let higher = self.levels.degree - self.base;
        let back = Back {
            vectors: back,
            step: higher,
            row: 1,
        };
        let streams = self.streams.last_mut().map_or(&mut [][..], |stream| &mut stream[..]);
        let work = (&mut self.lanes[..], &mut self.sums[..]);
        vector(
            &self.levels,
            (self.base, v),
            base,
            letters,
            lower,
            back,
            streams,
            work,
            gradient,
        );
    }

    /// The levels below the last.
    #[inline(always)]
    pub fn rest(
        &mut self,
        base: &Base<V>,
        steps: usize,
        letters: Letters<'_, V::Scalar>,
        lower: &[V::Scalar],
        (gradient, first): (&mut [V], &mut [V::Scalar]),
    ) {
        for j in (1..self.base).rev() {
            let (below, above) = self.streams.split_at_mut(j - 1);
            let (higher, wide) = (self.levels.degree - j, wide::<V>(&self.levels, j));
            let rows = &mut above[0][..steps * higher * wide];
            let size = self.levels.size(j);
            V::call(Fold {
                rows: &mut *rows,
                wide,
                size,
            });
            for v in 0..width::<V>(&self.levels, j) {
                let back = Back {
                    vectors: &rows[v..],
                    step: higher * wide,
                    row: wide,
                };
                let to = below.last_mut().map_or(&mut [][..], |stream| &mut stream[..]);
                let work = (&mut self.lanes[..steps], &mut self.sums[..steps]);
                vector(
                    &self.levels,
                    (j, v),
                    base,
                    letters,
                    lower,
                    back,
                    to,
                    work,
                    (&mut *gradient, &mut *first),
                );
            }
        }
    }
}

/// What is handed back to a vector: h̄_j(k), k = j+1..=N, `row` vectors apart, steps `step` vectors.
struct Back<'a, V> {
    vectors: &'a [V],
    step: usize,
    row: usize,
}

/// Vector `v` of level `j`; `to` takes what is handed back to the level below.
#[inline(always)]
fn vector<V: Lanes>(
    levels: &Levels,
    (j, v): (usize, usize),
    base: &Base<V>,
    letters: Letters<'_, V::Scalar>,
    lower: &[V::Scalar],
    back: Back<'_, V>,
    to: &mut [V],
    (lanes, sums): (&mut [V], &mut [V]),
    (gradient, first): (&mut [V], &mut [V::Scalar]),
) {
    let d = levels.dim;
    let steps = gradient.len() / d;
    let (lanes, sums) = (&mut lanes[..steps], &mut sums[..steps]);
    spread(levels, j, v, letters, lanes);
    let adjoint = &lower[levels.begin(j)..][..levels.size(j)][v * V::LANES..];
    let parent = base.parent(j, v);
    let to = match j {
        1 => None,
        _ => Some(&mut V::scalars_mut(to)[v * V::LANES % levels.size(j - 1)..]),
    };
    V::call(VectorBack {
        higher: levels.degree - j,
        letters: lanes,
        parent,
        adjoint: V::load_some(adjoint),
        back,
        to,
        sums: &mut *sums,
    });
    if j == 1 {
        let begin = v * V::LANES;
        let end = (begin + V::LANES).min(d);
        for (sum, row) in sums.iter().zip(first.chunks_exact_mut(d)) {
            sum.store_some(&mut row[begin..end]);
        }
        return;
    }
    for (letter, end) in lanes_of::<V>(levels, j, v) {
        V::call(ToLetter {
            sums,
            begin: (letter * levels.size(j - 1)).saturating_sub(v * V::LANES),
            end,
            gradient: &mut gradient[letter..],
            dim: d,
        });
    }
}

/// Adds lanes `begin..end` to every `dim`-th vector of the gradient.
struct ToLetter<'a, 's, V> {
    sums: &'a [V],
    begin: usize,
    end: usize,
    gradient: &'s mut [V],
    dim: usize,
}

impl<V: Lanes> Part<V> for ToLetter<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let whole = self.begin == 0 && self.end == V::LANES;
        for (t, &sum) in self.sums.iter().enumerate() {
            let gradient = &mut self.gradient[t * self.dim];
            let own = if whole {
                sum
            } else {
                V::zero().first(self.begin, sum.first(self.end, V::zero()))
            };
            *gradient = *gradient + own;
        }
    }
}

/// The pass back through a vector: adds to `to`, sets `sums` to z̄ of its lanes.
struct VectorBack<'a, 's, V: Lanes> {
    higher: usize,
    letters: &'a [V],
    parent: Parent<'a, V::Scalar>,
    adjoint: V,
    back: Back<'a, V>,
    to: Option<&'s mut [V::Scalar]>,
    sums: &'s mut [V],
}

impl<V: Lanes> Part<V> for VectorBack<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.higher {
            1 => self.exactly::<1>(),
            2 => self.exactly::<2>(),
            3 => self.exactly::<3>(),
            4 => self.exactly::<4>(),
            5 => self.exactly::<5>(),
            6 => self.exactly::<6>(),
            higher => self.with(higher),
        }
    }
}

impl<V: Lanes> VectorBack<'_, '_, V> {
    #[inline(always)]
    fn exactly<const K: usize>(self) {
        self.with(K);
    }

    #[inline(always)]
    fn with(self, higher: usize) {
        let mut a = self.adjoint;
        let mut nowhere = [V::Scalar::ZERO; MAX_LANES];
        let Parent { numbers, step, row } = self.parent;
        // What is handed back to the empty word is not wanted.
        let (to, back_row) = match self.to {
            Some(to) => (to, row),
            None => (&mut nowhere[..], 0),
        };
        for t in (0..self.letters.len()).rev() {
            let z = self.letters[t];
            let h = &numbers[t * step..];
            let to = &mut to[t * step..];
            let back = &self.back.vectors[t * self.back.step..];
            let mut sum = V::load(h) * a;
            z.mul_add(a, V::load(to)).store(to);
            for k in 0..higher {
                let b = back[k * self.back.row];
                sum = V::load(&h[(k + 1) * row..]).mul_add(b, sum);
                let to = &mut to[(k + 1) * back_row..];
                z.mul_add(b, V::load(to)).store(to);
                a = if k == 0 {
                    a + b
                } else {
                    b.mul_add(V::splat(weight(k + 1)), a)
                };
            }
            self.sums[t] = sum;
        }
    }
}

/// Adds what lies behind the last number of rows to their first ones.
struct Fold<'s, V> {
    rows: &'s mut [V],
    wide: usize,
    size: usize,
}

impl<V: Lanes> Part<V> for Fold<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let size = self.size;
        for row in V::scalars_mut(self.rows).chunks_exact_mut(self.wide * V::LANES) {
            for i in (0..V::LANES).rev() {
                row[i] = row[i] + row[size + i];
            }
            row[size..].fill(V::Scalar::ZERO);
        }
    }
}
