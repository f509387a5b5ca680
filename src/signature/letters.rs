//! Increments as factors: what a letter is worth at a step, divided by 1, 2, … as exp(dx) wants it.

use crate::error::{Result, try_vec};
use crate::simd::{Lanes, Real};
use std::ops::Mul;

/// What a factor is to a vector.
pub trait Spread<V: Lanes>: Copy {
    type Item: Copy;
    fn vector(item: Self::Item) -> V;
    /// 1/q.
    fn over(q: usize) -> Self::Item;
}

/// One number for all lanes: lanes are suffixes of one path.
#[derive(Clone, Copy)]
pub struct Common;

/// A number a lane: lanes are paths.
#[derive(Clone, Copy)]
pub struct Own;

impl<V: Lanes> Spread<V> for Common {
    type Item = V::Scalar;
    #[inline(always)]
    fn vector(item: V::Scalar) -> V {
        V::splat(item)
    }
    #[inline(always)]
    fn over(q: usize) -> V::Scalar {
        reciprocal(q)
    }
}

impl<V: Lanes> Spread<V> for Own {
    type Item = V;
    #[inline(always)]
    fn vector(item: V) -> V {
        item
    }
    #[inline(always)]
    fn over(q: usize) -> V {
        V::splat(reciprocal(q))
    }
}

/// The increments z of some steps. Steps run from the END of the path: signatures are built by prepending.
#[derive(Clone, Copy)]
pub struct Letters<'a, Z> {
    pub dim: usize,
    pub degree: usize,
    /// z and z/2, one row of `dim` letters a step.
    pub rows: &'a [Z],
    pub halves: &'a [Z],
    /// z/q for q = 1..=degree, contiguous; step by step; letter by letter, `room` steps apart.
    powers: &'a [Z],
    room: usize,
}

impl<'a, Z> Letters<'a, Z> {
    /// From step `t` on.
    #[inline(always)]
    pub fn from(&self, t: usize) -> Self {
        Letters {
            rows: &self.rows[t * self.dim..],
            halves: &self.halves[t * self.dim..],
            powers: &self.powers[t * self.degree..],
            ..*self
        }
    }

    /// z/q of a letter at a step.
    #[inline(always)]
    pub fn over(&self, letter: usize, t: usize, q: usize) -> Z
    where
        Z: Copy,
    {
        self.powers[(letter * self.room + t) * self.degree + q - 1]
    }

    /// The rows z/1, z/2, … of one letter for the first `steps` steps.
    #[inline(always)]
    pub fn powers(&self, letter: usize, steps: usize) -> &'a [Z] {
        &self.powers[letter * self.room * self.degree..][..steps * self.degree]
    }
}

/// Room for the increments of a stretch.
pub struct Alphabet<Z> {
    dim: usize,
    degree: usize,
    room: usize,
    rows: Vec<Z>,
    halves: Vec<Z>,
    powers: Vec<Z>,
}

impl<Z: Copy + Mul<Output = Z>> Alphabet<Z> {
    #[inline(always)]
    pub fn new(dim: usize, degree: usize, room: usize, zero: Z) -> Result<Self> {
        Ok(Alphabet {
            dim,
            degree,
            room,
            rows: try_vec(room * dim, zero)?,
            halves: try_vec(room * dim, zero)?,
            powers: try_vec(room * dim * degree, zero)?,
        })
    }

    /// Where the increments are to be written: one row a step.
    #[inline(always)]
    pub fn rows_mut(&mut self) -> &mut [Z] {
        &mut self.rows
    }

    /// The first `steps` steps, once their rows are there.
    #[inline(always)]
    pub fn letters<V: Lanes, F: Spread<V, Item = Z>>(&mut self, steps: usize) -> Letters<'_, Z> {
        let (d, n) = (self.dim, self.degree);
        let half = F::over(2);
        for (to, &z) in self.halves[..steps * d].iter_mut().zip(&self.rows) {
            *to = z * half;
        }
        for (letter, powers) in self.powers.chunks_exact_mut(self.room * n).enumerate() {
            let rows = self.rows[..steps * d].chunks_exact(d);
            for (to, row) in powers.chunks_exact_mut(n).zip(rows) {
                to[0] = row[letter];
            }
            for q in 2..=n {
                let over = F::over(q);
                for to in powers[..steps * n].chunks_exact_mut(n) {
                    to[q - 1] = to[0] * over;
                }
            }
        }
        Letters {
            dim: d,
            degree: n,
            rows: &self.rows,
            halves: &self.halves,
            powers: &self.powers,
            room: self.room,
        }
    }
}

/// 1/q, as every plan rounds it.
#[inline(always)]
pub fn reciprocal<S: Real>(q: usize) -> S {
    S::from_f64(1.0 / q as f64)
}

/// Splits `count` into blocks of at most `most`, as even as can be: (begin, length) of each.
#[inline(always)]
pub fn blocks(count: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let number = count.div_ceil(most).max(1);
    (0..number).map(move |b| {
        let (begin, end) = (b * count / number, (b + 1) * count / number);
        (begin, end - begin)
    })
}
