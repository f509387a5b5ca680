//! Increments as factors: what a letter is worth at a step, divided by 1, 2, … as exp(dx) wants it.

use crate::simd::{Lanes, Real};

/// What a factor is to a vector.
pub trait Spread<V: Lanes>: Copy {
    type Item: Copy;
    fn vector(item: Self::Item) -> V;
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
}

impl<V: Lanes> Spread<V> for Own {
    type Item = V;
    #[inline(always)]
    fn vector(item: V) -> V {
        item
    }
}

/// The increments z of some steps, one row of `dim` letters a step. Steps run from the END of the path: signatures are
/// built by prepending.
#[derive(Clone, Copy)]
pub struct Letters<'a, Z> {
    pub dim: usize,
    pub rows: &'a [Z],
    pub turns: Option<Turns>,
}

/// Lead and lag move in turn: two blocks of letters, `size` each, of which block `first` moves at even steps and the
/// other at odd ones; letters after them always move. A letter that does not move is worth nothing at a step.
#[derive(Clone, Copy)]
pub struct Turns {
    pub size: usize,
    pub first: usize,
}

impl<'a, Z> Letters<'a, Z> {
    /// Letters that all may move at every step.
    #[inline(always)]
    pub fn new(dim: usize, rows: &'a [Z]) -> Self {
        Letters { dim, rows, turns: None }
    }

    /// From step `t` on.
    #[inline(always)]
    pub fn from(&self, t: usize) -> Self {
        Letters {
            rows: &self.rows[t * self.dim..],
            ..*self
        }
        .turned(t)
    }

    /// These, whose first step is step `t` of what the turns were counted from.
    #[inline(always)]
    pub fn turned(mut self, t: usize) -> Self {
        if let Some(turns) = &mut self.turns {
            turns.first = (turns.first + t) % 2;
        }
        self
    }

    #[inline(always)]
    pub fn row(&self, t: usize) -> &'a [Z] {
        &self.rows[t * self.dim..][..self.dim]
    }

    /// One letter along the path: its first increment and every `dim`-th after it.
    #[inline(always)]
    pub fn column(&self, letter: usize) -> Column<'a, Z> {
        Column {
            dim: self.dim,
            rows: &self.rows[letter..],
        }
    }
}

/// The increments of one letter.
#[derive(Clone, Copy)]
pub struct Column<'a, Z> {
    dim: usize,
    rows: &'a [Z],
}

impl<Z: Copy> Column<'_, Z> {
    #[inline(always)]
    pub fn at(&self, t: usize) -> Z {
        self.rows[t * self.dim]
    }
}

/// 1/q for q = 1..=I. Where a letter's z/q is wanted it is made of z again: reading it would cost as much.
#[inline(always)]
pub fn reciprocals<V: Lanes, const I: usize>() -> [V; I] {
    let mut all = [V::zero(); I];
    for q in 0..I {
        all[q] = V::splat(reciprocal(q + 1));
    }
    all
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
