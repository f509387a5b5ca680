//! The last two levels of a node, in registers along the path: with x = h(N), y = h(N-1) of its word,
//! T_i = A_i + z_i/2 · x,  A_i += z_i · y,  S_ai += z_a · T_i.

use super::letters::{Letters, Spread, blocks};
use crate::simd::{Lanes, Part};

/// First letters and words (second letters) of a block: accumulators that fit the registers.
#[inline(always)]
pub fn block_size<V: Lanes>(dim: usize) -> (usize, usize) {
    if V::REGISTERS < 32 {
        return match dim {
            1..=3 => (dim, dim),
            _ => (4, 2),
        };
    }
    match dim {
        1..=4 => (dim, dim),
        _ if dim.div_ceil(dim.div_ceil(8)) == 8 => (8, 2),
        _ => (8, 3),
    }
}

/// Whether blocks of this size occur: first letters, words.
#[inline(always)]
pub const fn occurs<V: Lanes>(letters: usize, words: usize) -> bool {
    if V::REGISTERS < 32 {
        letters <= 4 && words <= 2 || letters == 3 && words == 3
    } else {
        words <= 3 && letters < 8 || words <= 2 || letters == 4 && words == 4
    }
}

pub struct Top<'a, 's, V: Lanes, F: Spread<V>> {
    pub letters: Letters<'a, F::Item>,
    /// (y, x) a step.
    pub parent: &'a [V],
    /// A, one vector a letter.
    pub state: &'s mut [V],
    /// S: `dim` first letters a word.
    pub sums: &'s mut [V],
    /// Scratch: `WORDS` vectors a step.
    pub words: &'s mut [V],
}

/// The most words of a block.
pub const WORDS: usize = 4;

impl<V: Lanes, F: Spread<V>> Part<V> for Top<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let (letters, words) = block_size::<V>(self.letters.dim);
        for (begin, count) in blocks(self.letters.dim, words) {
            match count {
                1 => self.words::<1>(begin, letters),
                2 => self.words::<2>(begin, letters),
                3 => self.words::<3>(begin, letters),
                4 => self.words::<4>(begin, letters),
                _ => unreachable!("a block of {count} words"),
            }
        }
    }
}

impl<V: Lanes, F: Spread<V>> Top<'_, '_, V, F> {
    /// R words from `i` on.
    #[inline(always)]
    fn words<const R: usize>(&mut self, i: usize, most_letters: usize) {
        let d = self.letters.dim;
        let several = d > most_letters;
        let sums = &mut self.sums[i * d..][..R * d];
        let steps = if several { self.parent.len() / 2 } else { 0 };
        let words = &mut self.words.as_chunks_mut::<R>().0[..steps];
        let first = First::<V, F, R> {
            letters: self.letters,
            parent: self.parent.as_chunks::<2>().0,
            i,
            state: &mut self.state[i..][..R],
            sums: &mut *sums,
            words: &mut *words,
        };
        let mut all = blocks(d, most_letters);
        match all.next().map_or(0, |(_, count)| count) {
            1 if occurs::<V>(1, R) => first.run::<1>(),
            2 if occurs::<V>(2, R) => first.run::<2>(),
            3 if occurs::<V>(3, R) => first.run::<3>(),
            4 if occurs::<V>(4, R) => first.run::<4>(),
            5 if occurs::<V>(5, R) => first.run::<5>(),
            6 if occurs::<V>(6, R) => first.run::<6>(),
            7 if occurs::<V>(7, R) => first.run::<7>(),
            8 if occurs::<V>(8, R) => first.run::<8>(),
            count => unreachable!("a block of {count} letters"),
        }
        for (a, count) in all {
            last_level::<V, F, R>(self.letters, a, count, words, sums);
        }
    }
}

/// The first block of letters makes the words.
struct First<'a, 's, V: Lanes, F: Spread<V>, const R: usize> {
    letters: Letters<'a, F::Item>,
    parent: &'a [[V; 2]],
    i: usize,
    state: &'s mut [V],
    sums: &'s mut [V],
    /// Takes the words, if other blocks of letters need them.
    words: &'s mut [[V; R]],
}

impl<V: Lanes, F: Spread<V>, const R: usize> First<'_, '_, V, F, R> {
    #[inline(always)]
    fn run<const A: usize>(self) {
        if self.words.is_empty() {
            self.sum::<A, false>();
        } else {
            self.sum::<A, true>();
        }
    }

    #[inline(always)]
    fn sum<const A: usize, const KEEP: bool>(self) {
        let d = self.letters.dim;
        let mut state = [V::zero(); R];
        state.copy_from_slice(self.state);
        let mut sums = load::<V, A, R>(self.sums, d, 0);
        let rows = self
            .letters
            .rows
            .chunks_exact(d)
            .zip(self.letters.halves.chunks_exact(d));
        for (t, (&[y, x], (z, half))) in self.parent.iter().zip(rows).enumerate() {
            let (own, half, z) = (&z[self.i..][..R], &half[self.i..][..R], &z[..A]);
            let mut words = [V::zero(); R];
            for r in 0..R {
                words[r] = F::vector(half[r]).mul_add(x, state[r]);
                state[r] = F::vector(own[r]).mul_add(y, state[r]);
            }
            if KEEP {
                self.words[t] = words;
            }
            for a in 0..A {
                let z = F::vector(z[a]);
                for r in 0..R {
                    sums[r][a] = z.mul_add(words[r], sums[r][a]);
                }
            }
        }
        self.state.copy_from_slice(&state);
        store(&sums, self.sums, d, 0);
    }
}

/// S_aw += z_a · words_w for a block of `count` letters from `a` on and R words.
#[inline(always)]
pub fn last_level<V: Lanes, F: Spread<V>, const R: usize>(
    letters: Letters<'_, F::Item>,
    a: usize,
    count: usize,
    words: &[[V; R]],
    sums: &mut [V],
) {
    match count {
        1 if occurs::<V>(1, R) => product::<V, F, 1, R>(letters, a, words, sums),
        2 if occurs::<V>(2, R) => product::<V, F, 2, R>(letters, a, words, sums),
        3 if occurs::<V>(3, R) => product::<V, F, 3, R>(letters, a, words, sums),
        4 if occurs::<V>(4, R) => product::<V, F, 4, R>(letters, a, words, sums),
        5 if occurs::<V>(5, R) => product::<V, F, 5, R>(letters, a, words, sums),
        6 if occurs::<V>(6, R) => product::<V, F, 6, R>(letters, a, words, sums),
        7 if occurs::<V>(7, R) => product::<V, F, 7, R>(letters, a, words, sums),
        8 if occurs::<V>(8, R) => product::<V, F, 8, R>(letters, a, words, sums),
        _ => unreachable!("a block of {count} letters"),
    }
}

#[inline(always)]
fn product<V: Lanes, F: Spread<V>, const A: usize, const R: usize>(
    letters: Letters<'_, F::Item>,
    a: usize,
    words: &[[V; R]],
    to: &mut [V],
) {
    let d = letters.dim;
    let mut sums = load::<V, A, R>(to, d, a);
    for (words, z) in words.iter().zip(letters.rows.chunks_exact(d)) {
        let z = &z[a..][..A];
        for a in 0..A {
            let z = F::vector(z[a]);
            for r in 0..R {
                sums[r][a] = z.mul_add(words[r], sums[r][a]);
            }
        }
    }
    store(&sums, to, d, a);
}

#[inline(always)]
pub fn load<V: Lanes, const A: usize, const R: usize>(from: &[V], stride: usize, a: usize) -> [[V; A]; R] {
    let mut block = [[V::zero(); A]; R];
    for (to, from) in block.iter_mut().zip(from.chunks_exact(stride)) {
        to.copy_from_slice(&from[a..][..A]);
    }
    block
}

#[inline(always)]
fn store<V: Lanes, const A: usize, const R: usize>(block: &[[V; A]; R], to: &mut [V], stride: usize, a: usize) {
    for (from, to) in block.iter().zip(to.chunks_exact_mut(stride)) {
        to[a..][..A].copy_from_slice(from);
    }
}

/// The last level alone, over words that are there: one stream a word.
pub struct LastLevel<'a, 's, V: Lanes, F: Spread<V>> {
    pub letters: Letters<'a, F::Item>,
    pub steps: usize,
    pub streams: &'a [V],
    pub sums: &'s mut [V],
    /// Scratch: `WORDS` vectors a step.
    pub words: &'s mut [V],
}

impl<V: Lanes, F: Spread<V>> Part<V> for LastLevel<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let d = self.letters.dim;
        let (letters, words) = block_size::<V>(d);
        for (w, count) in blocks(self.sums.len() / d, words.max(2)) {
            match count {
                1 => self.words::<1>(w, letters),
                2 => self.words::<2>(w, letters),
                3 => self.words::<3>(w, letters),
                _ => self.words::<4>(w, letters),
            }
        }
    }
}

impl<V: Lanes, F: Spread<V>> LastLevel<'_, '_, V, F> {
    #[inline(always)]
    fn words<const R: usize>(&mut self, w: usize, most_letters: usize) {
        let d = self.letters.dim;
        let words = &mut self.words.as_chunks_mut::<R>().0[..self.steps];
        let streams = &self.streams[w * self.steps..][..R * self.steps];
        for (t, to) in words.iter_mut().enumerate() {
            for r in 0..R {
                to[r] = streams[r * self.steps + t];
            }
        }
        for (a, count) in blocks(d, most_letters) {
            last_level::<V, F, R>(self.letters, a, count, words, &mut self.sums[w * d..][..R * d]);
        }
    }
}
