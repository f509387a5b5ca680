//! Increments as factors: what a letter is worth at a step; and 1/m!, as exp(dx) wants it.

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

/// 1/m! for m = 0..I.
#[inline(always)]
pub fn weights<V: Lanes, const I: usize>() -> [V; I] {
    let mut all = [V::zero(); I];
    for m in 0..I {
        all[m] = V::splat(weight(m));
    }
    all
}

/// 1/m!, as every plan rounds it: not subnormal below m = 34, and no memory holds so high a level of two letters.
#[inline(always)]
pub fn weight<S: Real>(m: usize) -> S {
    S::from_f64(WEIGHTS[m.min(MOST)])
}

/// More than the degree of any signature of two letters.
const MOST: usize = 63;

static WEIGHTS: [f64; MOST + 1] = {
    let (mut all, mut factorial, mut m) = ([1.0; MOST + 1], 1.0, 1);
    while m <= MOST {
        factorial *= m as f64;
        all[m] = 1.0 / factorial;
        m += 1;
    }
    all
};

/// Splits `count` into blocks of at most `most`, as even as can be: (begin, length) of each.
#[inline(always)]
pub fn blocks(count: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let number = count.div_ceil(most).max(1);
    (0..number).map(move |b| {
        let (begin, end) = (b * count / number, (b + 1) * count / number);
        (begin, end - begin)
    })
}
