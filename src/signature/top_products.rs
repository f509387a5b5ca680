//! The adjoint of the last level as products of matrices, over words that are stored: many letters, or a last level right
//! on the base. X is what it is in `top_adjoint`.

use super::cover::{block_size, occurs};
use super::letters::{Letters, Spread, blocks};
use super::top::load;
use crate::simd::{Lanes, Part};

/// The adjoint of the last level towards the letters: `gradient[t][a] += Σ_w top[w][a] · words[w][t]`; one stream a word.
pub struct ToLetters<'a, 's, V> {
    pub steps: usize,
    pub dim: usize,
    pub words: &'a [V],
    pub top: &'a [V],
    /// Where words with a peak are left out (see `peaks`), the third letter: second ones before it go with all first
    /// ones, others with those from their own on.
    pub third: Option<usize>,
    pub gradient: &'s mut [V],
}

impl<V: Lanes> Part<V> for ToLetters<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let most = if V::REGISTERS < 32 { 2 } else { 5 };
        for (a, letters) in blocks(self.dim, most) {
            match letters {
                1 => self.over::<1>(a),
                2 => self.over::<2>(a),
                3 if V::REGISTERS >= 32 => self.over::<3>(a),
                4 if V::REGISTERS >= 32 => self.over::<4>(a),
                5 if V::REGISTERS >= 32 => self.over::<5>(a),
                _ => unreachable!("a block of {letters} letters"),
            }
        }
    }
}

impl<V: Lanes> ToLetters<'_, '_, V> {
    #[inline(always)]
    fn over<const A: usize>(&mut self, a: usize) {
        let whole = self.steps / 4 * 4;
        for t in (0..whole).step_by(4) {
            self.at::<A, 4>(a, t);
        }
        for t in whole..self.steps {
            self.at::<A, 1>(a, t);
        }
    }

    #[inline(always)]
    fn at<const A: usize, const T: usize>(&mut self, a: usize, t: usize) {
        let gradient = &mut self.gradient[t * self.dim..][..T * self.dim];
        let mut sums = load::<V, A, T>(gradient, self.dim, a);
        let count = self.third.map_or(usize::MAX, |third| third.max(a + A));
        let words = self.words.chunks_exact(self.steps).take(count);
        for (words, top) in words.zip(self.top.chunks_exact(self.dim)) {
            let (words, top) = (&words[t..][..T], &top[a..][..A]);
            for s in 0..T {
                for l in 0..A {
                    sums[s][l] = words[s].mul_add(top[l], sums[s][l]);
                }
            }
        }
        for (sums, row) in sums.iter().zip(gradient.chunks_exact_mut(self.dim)) {
            row[a..][..A].copy_from_slice(sums);
        }
    }
}

/// The same towards the words: `to[w][t] = Σ_a z_a(t) · top[w][a]`.
pub struct ToWords<'a, 's, V: Lanes, F: Spread<V>> {
    pub letters: Letters<'a, F::Item>,
    pub steps: usize,
    pub top: &'a [V],
    /// See `ToLetters`.
    pub third: Option<usize>,
    pub to: &'s mut [V],
}

impl<V: Lanes, F: Spread<V>> Part<V> for ToWords<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let d = self.letters.dim;
        let (letters, words) = block_size::<V>(d);
        for (w, count) in blocks(self.top.len() / d, words.max(2)) {
            match count {
                1 => self.words::<1>(w, letters),
                2 => self.words::<2>(w, letters),
                3 => self.words::<3>(w, letters),
                _ => self.words::<4>(w, letters),
            }
        }
    }
}

impl<V: Lanes, F: Spread<V>> ToWords<'_, '_, V, F> {
    #[inline(always)]
    fn words<const R: usize>(&mut self, w: usize, most: usize) {
        let first = match self.third {
            Some(third) if w >= third => w,
            _ => 0,
        };
        let most = if occurs::<V>(most, R) { most } else { most - 1 };
        for (a, count) in blocks(self.letters.dim - first, most) {
            let a = (first + a, a == 0);
            match count {
                1 if occurs::<V>(1, R) => self.block::<1, R>(w, a),
                2 if occurs::<V>(2, R) => self.block::<2, R>(w, a),
                3 if occurs::<V>(3, R) => self.block::<3, R>(w, a),
                4 if occurs::<V>(4, R) => self.block::<4, R>(w, a),
                5 if occurs::<V>(5, R) => self.block::<5, R>(w, a),
                6 if occurs::<V>(6, R) => self.block::<6, R>(w, a),
                7 if occurs::<V>(7, R) => self.block::<7, R>(w, a),
                8 if occurs::<V>(8, R) => self.block::<8, R>(w, a),
                _ => unreachable!("a block of {count} letters"),
            }
        }
    }

    #[inline(always)]
    fn block<const A: usize, const R: usize>(&mut self, w: usize, (a, fresh): (usize, bool)) {
        let (d, steps) = (self.letters.dim, self.steps);
        let top = load::<V, A, R>(&self.top[w * d..], d, a);
        let to = &mut self.to[w * steps..][..R * steps];
        for t in 0..steps {
            let z = &self.letters.row(t)[a..][..A];
            let mut sums = [V::zero(); R];
            if !fresh {
                for r in 0..R {
                    sums[r] = to[r * steps + t];
                }
            }
            for l in 0..A {
                let z = F::vector(z[l]);
                for r in 0..R {
                    sums[r] = if fresh && l == 0 {
                        z * top[r][0]
                    } else {
                        z.mul_add(top[r][l], sums[r])
                    };
                }
            }
            for r in 0..R {
                to[r * steps + t] = sums[r];
            }
        }
    }
}
