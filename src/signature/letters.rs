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

/// z / q for q = 1, 2, …: from one power to the next `stride` items, in each one row of `dim` letters a step. Steps run
/// from the END of the path: signatures are built by prepending.
#[derive(Clone, Copy)]
pub struct Letters<'a, Z> {
    pub items: &'a [Z],
    pub stride: usize,
    pub dim: usize,
}

impl<'a, Z> Letters<'a, Z> {
    /// The rows of z / q.
    #[inline(always)]
    pub fn over(&self, q: usize) -> &'a [Z] {
        &self.items[(q - 1) * self.stride..]
    }

    /// From step `t` on.
    #[inline(always)]
    pub fn from(&self, t: usize) -> Self {
        Letters {
            items: &self.items[t * self.dim..],
            ..*self
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
