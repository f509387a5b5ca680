//! The levels below the tiles: suffixes of at most `base` letters.
//!
//! As in the tiles, vectors of coefficients go along the path one after the other. A level in lexicographic order is its
//! letters times the level below, h_j(k)[i, w] = A_j[i, w]/(k-j)! + z_i · h_{j-1}(k)[w]: a vector of it reads the level
//! below from some w on, as if it went on from its begin, and that is how its rows are kept.

use super::letters::{Column, Letters, weight, weights};
use super::levels::Levels;
use super::shape::Shape;
use crate::error::Result;
use crate::memory::{try_vec, try_with_room};
use crate::simd::{Lanes, Part, Real};

/// The levels 1..=base over a piece, and the streams h_j(k), k = j+1..=N, of all but the last.
pub struct Base<V: Lanes> {
    levels: Levels,
    base: usize,
    /// Of each level j < base: rows [step][k - j - 1] of `wide` vectors, the numbers of the level and then its first ones again.
    streams: Vec<Vec<V>>,
    /// Each level before the first step and after the last.
    before: Vec<Vec<V>>,
    after: Vec<Vec<V>>,
    /// The empty word: 1/k!, k = 1..=N.
    empty: Vec<V>,
    /// z of the letter of each lane, along the path.
    lanes: Vec<V>,
}

impl<V: Lanes> Base<V> {
    pub fn new(levels: &Levels, shape: &Shape, steps: usize) -> Result<Self> {
        let (mut streams, mut before, mut after) = (
            try_with_room(shape.base)?,
            try_with_room(shape.base)?,
            try_with_room(shape.base)?,
        );
        for j in 1..=shape.base {
            if j < shape.base {
                streams.push(V::scratch(steps * (levels.degree - j) * wide::<V>(levels, j))?);
            }
            before.push(V::scratch(width::<V>(levels, j))?);
            after.push(V::scratch(width::<V>(levels, j))?);
        }
        Ok(Base {
            levels: *levels,
            base: shape.base,
            streams,
            before,
            after,
            empty: empty_word(levels.degree, 1)?,
            lanes: try_vec(steps, V::zero())?,
        })
    }

    /// All levels but the last over a piece of `steps` steps that starts at the given signature, or at 1.
    #[inline(always)]
    pub fn run(&mut self, steps: usize, letters: Letters<'_, V::Scalar>, state: Option<&[V::Scalar]>) {
        for (j, before) in (1..).zip(&mut self.before) {
            let before = V::scalars_mut(before);
            before.fill(V::Scalar::ZERO);
            if let Some(state) = state {
                let size = self.levels.size(j);
                before[..size].copy_from_slice(&state[self.levels.begin(j)..][..size]);
            }
        }
        for j in 1..self.base {
            let (higher, wide) = (self.levels.degree - j, wide::<V>(&self.levels, j));
            let (below, above) = self.streams.split_at_mut(j - 1);
            let stream = &mut above[0][..steps * higher * wide];
            for v in 0..width::<V>(&self.levels, j) {
                spread(&self.levels, j, v, letters, &mut self.lanes[..steps]);
                V::call(Vector {
                    higher,
                    letters: &self.lanes[..steps],
                    parent: Parent::new(&self.levels, j, v, below, &self.empty),
                    before: self.before[j - 1][v],
                    after: &mut self.after[j - 1][v],
                    out: &mut stream[v..],
                    step: higher * wide,
                    row: wide,
                });
            }
            V::call(Again {
                rows: stream,
                wide,
                size: self.levels.size(j),
            });
        }
    }

    /// Vector `v` of the last level; what it hands up: a row h(k), k = base + 1..=N, a step.
    #[inline(always)]
    pub fn stem(&mut self, v: usize, steps: usize, letters: Letters<'_, V::Scalar>, to: &mut [V]) {
        let (j, higher) = (self.base, self.levels.degree - self.base);
        spread(&self.levels, j, v, letters, &mut self.lanes[..steps]);
        V::call(Vector {
            higher,
            letters: &self.lanes[..steps],
            parent: Parent::new(&self.levels, j, v, &self.streams, &self.empty),
            before: self.before[j - 1][v],
            after: &mut self.after[j - 1][v],
            out: &mut to[..steps * higher],
            step: higher,
            row: 1,
        });
    }

    /// The signature of level `j` after the last step.
    #[inline(always)]
    pub fn level(&self, j: usize) -> &[V::Scalar] {
        &V::scalars(&self.after[j - 1])[..self.levels.size(j)]
    }

    /// What vector `v` of level `j` reads.
    #[inline(always)]
    pub fn parent(&self, j: usize, v: usize) -> Parent<'_, V::Scalar> {
        Parent::new(&self.levels, j, v, &self.streams[..j - 1], &self.empty)
    }
}

/// What the empty word hands up at some steps: h_0(k) = 1/k!, a row k = 1..=N a step.
#[inline(always)]
pub fn empty_word<V: Lanes>(degree: usize, steps: usize) -> Result<Vec<V>> {
    let mut rows = V::scratch(steps * degree)?;
    for row in rows.chunks_exact_mut(degree) {
        for (m, to) in (1..).zip(row) {
            *to = V::splat(weight(m));
        }
    }
    Ok(rows)
}

/// Vectors of a level that begins with a vector.
#[inline(always)]
pub fn width<V: Lanes>(levels: &Levels, j: usize) -> usize {
    levels.size(j).div_ceil(V::LANES)
}

/// Vectors of a row that can be read from any of its numbers on.
#[inline(always)]
pub fn wide<V: Lanes>(levels: &Levels, j: usize) -> usize {
    (levels.size(j) + V::LANES).div_ceil(V::LANES)
}

/// h_{j-1}(k), k = j..=N, of a step, as lanes of vector `v` of level j want it: `row` numbers apart, steps `step` numbers.
#[derive(Clone, Copy)]
pub struct Parent<'a, S> {
    pub numbers: &'a [S],
    pub step: usize,
    pub row: usize,
}

impl<'a, S: Real> Parent<'a, S> {
    #[inline(always)]
    fn new<V: Lanes<Scalar = S>>(levels: &Levels, j: usize, v: usize, streams: &'a [Vec<V>], empty: &'a [V]) -> Self {
        if j == 1 {
            // The empty word: the same at every step.
            return Parent {
                numbers: V::scalars(empty),
                step: 0,
                row: V::LANES,
            };
        }
        let row = wide::<V>(levels, j - 1) * V::LANES;
        Parent {
            numbers: &V::scalars(&streams[j - 2])[v * V::LANES % levels.size(j - 1)..],
            step: (levels.degree - j + 1) * row,
            row,
        }
    }
}

/// The letters of the lanes of vector `v` of level `j`: (letter, end of its lanes), the last first.
#[inline(always)]
pub fn lanes_of<V: Lanes>(levels: &Levels, j: usize, v: usize) -> impl Iterator<Item = (usize, usize)> {
    let (begin, size) = (v * V::LANES, levels.size(j - 1));
    let end = (begin + V::LANES).min(levels.size(j));
    let letters = begin / size..end.div_ceil(size);
    letters.rev().map(move |i| (i, ((i + 1) * size).min(end) - begin))
}

/// z of the letter of each lane of vector `v` of level `j`, zeros beyond the level.
#[inline(always)]
pub fn spread<V: Lanes>(levels: &Levels, j: usize, v: usize, letters: Letters<'_, V::Scalar>, to: &mut [V]) {
    if j == 1 {
        let begin = v * V::LANES;
        let end = (begin + V::LANES).min(levels.dim);
        for (t, to) in to.iter_mut().enumerate() {
            *to = V::load_some(&letters.row(t)[begin..end]);
        }
        return;
    }
    let mut lanes = lanes_of::<V>(levels, j, v);
    let Some((last, end)) = lanes.next() else { return };
    let (before, begin) = lanes.next().unwrap_or((last, end));
    V::call(Two {
        letters: [letters.column(before), letters.column(last)],
        ends: [begin, end],
        to: &mut *to,
    });
    for (letter, end) in lanes {
        V::call(Over {
            letter: letters.column(letter),
            end,
            to: &mut *to,
        });
    }
}

/// One letter in the lanes before an end, another one before its end, then zeros.
struct Two<'a, 's, V: Lanes> {
    letters: [Column<'a, V::Scalar>; 2],
    ends: [usize; 2],
    to: &'s mut [V],
}

impl<V: Lanes> Part<V> for Two<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let ([a, b], [end, last]) = (self.letters, self.ends);
        for (t, to) in self.to.iter_mut().enumerate() {
            let rest = V::splat(b.at(t)).first(last, V::zero());
            V::splat(a.at(t)).first(end, rest).put(to);
        }
    }
}

/// One letter in the lanes before an end, over what is there.
struct Over<'a, 's, V: Lanes> {
    letter: Column<'a, V::Scalar>,
    end: usize,
    to: &'s mut [V],
}

impl<V: Lanes> Part<V> for Over<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (t, to) in self.to.iter_mut().enumerate() {
            V::splat(self.letter.at(t)).first(self.end, *to).put(to);
        }
    }
}

/// One vector of a level along the path: `higher` streams h(k) go to `out`, whose rows are `row` vectors apart.
struct Vector<'a, 's, V: Lanes> {
    higher: usize,
    letters: &'a [V],
    parent: Parent<'a, V::Scalar>,
    before: V,
    after: &'s mut V,
    out: &'s mut [V],
    step: usize,
    row: usize,
}

impl<V: Lanes> Part<V> for Vector<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.higher {
            1 => self.exactly::<1, 2>(),
            2 => self.exactly::<2, 3>(),
            3 => self.exactly::<3, 4>(),
            4 => self.exactly::<4, 5>(),
            5 => self.exactly::<5, 6>(),
            6 => self.exactly::<6, 7>(),
            _ => self.any(),
        }
    }
}

impl<V: Lanes> Vector<'_, '_, V> {
    #[inline(always)]
    fn exactly<const K: usize, const I: usize>(self) {
        let weights = weights::<V, I>();
        let mut a = self.before;
        for (t, &z) in self.letters.iter().enumerate() {
            let h = &self.parent.numbers[t * self.parent.step..];
            let out = &mut self.out[t * self.step..];
            for k in 0..K {
                let h = V::load(&h[(k + 1) * self.parent.row..]);
                let own = if k == 0 { a } else { a * weights[k + 1] };
                z.mul_add(h, own).put(&mut out[k * self.row]);
            }
            a = z.mul_add(V::load(h), a);
        }
        *self.after = a;
    }

    #[inline(always)]
    fn any(self) {
        let mut a = self.before;
        for (t, &z) in self.letters.iter().enumerate() {
            let h = &self.parent.numbers[t * self.parent.step..];
            let out = &mut self.out[t * self.step..];
            for k in 0..self.higher {
                let own = a * V::splat(weight(k + 1));
                let h = V::load(&h[(k + 1) * self.parent.row..]);
                z.mul_add(h, own).put(&mut out[k * self.row]);
            }
            a = z.mul_add(V::load(h), a);
        }
        *self.after = a;
    }
}

/// Writes the first numbers of rows behind their last.
struct Again<'s, V> {
    rows: &'s mut [V],
    wide: usize,
    size: usize,
}

impl<V: Lanes> Part<V> for Again<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let size = self.size;
        for row in V::scalars_mut(self.rows).chunks_exact_mut(self.wide * V::LANES) {
            if size >= V::LANES {
                V::load(row).store(&mut row[size..]);
            } else {
                for i in 0..V::LANES {
                    row[size + i] = row[i];
                }
            }
        }
    }
}
