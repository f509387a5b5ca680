//! The last two levels over a word, in registers along the path: with x = h(N), y = h(N-1) of the word,
//! T_i = A_i + z_i · x,  A_i += z_i · y,  S_ai += z_a · T_i.
//! The word's own level can be done on the way: x = A/2 + z · h(N), y = A + z · h(N-1), A += z · h(N-2).

use super::cover::{Block, Blocks, block_size, occurs};
use super::letters::{Column, Letters, Spread, blocks};
use super::turns::InTurns;
use crate::simd::{Lanes, Part};

pub struct Top<'a, 's, V: Lanes, F: Spread<V>> {
    pub letters: Letters<'a, F::Item>,
    /// (y, x) a step, or (h(N-2), h(N-1), h(N)) a step where there is a word to be done.
    pub parent: &'a [V],
    /// Only the sums of first letters that are no less than this one and the second letter, where there is one.
    pub least: Option<usize>,
    pub word: Option<Word<'a, 's, V, F::Item>>,
    /// A, one vector a letter.
    pub state: &'s mut [V],
    /// S: `dim` first letters a second letter; begins at zero, whatever is there, if `fresh`.
    pub sums: &'s mut [V],
    pub fresh: bool,
    /// Scratch: `SCRATCH` vectors a step.
    pub scratch: &'s mut [V],
}

/// The word's own level: its letter and its vector.
pub struct Word<'a, 's, V, Z> {
    pub letter: Column<'a, Z>,
    pub state: &'s mut V,
}

/// Vectors a step: (y, x), and the most words of a block.
pub const SCRATCH: usize = 6;

impl<V: Lanes, F: Spread<V>> Part<V> for Top<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let d = self.letters.dim;
        if self.fresh {
            for (word, sums) in self.sums.chunks_exact_mut(d).enumerate() {
                let first = self.least.map_or(0, |least| least.max(word));
                sums[first..].fill(V::zero());
            }
        }
        let steps = self.parent.len() / if self.word.is_some() { 3 } else { 2 };
        let (pairs, words) = self.scratch.split_at_mut(2 * steps);
        let made = pairs.as_chunks_mut::<2>().0;
        let mut all = Blocks::new(d, self.least);
        let mut nodes = Words {
            letters: self.letters,
            state: self.state,
            sums: self.sums,
            words,
        };
        let parent = self.parent.as_chunks::<3>().0;
        let pairs = match self.word {
            None => self.parent.as_chunks::<2>().0,
            Some(word) if self.letters.turns.is_none() => {
                let Some(block) = all.next::<V>() else { return };
                match block.words {
                    1 => nodes.made::<F, 1>(word, parent, made, block),
                    2 => nodes.made::<F, 2>(word, parent, made, block),
                    3 => nodes.made::<F, 3>(word, parent, made, block),
                    _ => nodes.made::<F, 4>(word, parent, made, block),
                }
                made
            }
            Some(word) => {
                let mut w = *word.state;
                for ((t, h), pair) in parent.iter().enumerate().zip(&mut *made) {
                    *pair = below_top(h, F::vector(word.letter.at(t)), &mut w);
                }
                *word.state = w;
                made
            }
        };
        if let Some(turns) = nodes.letters.turns {
            return InTurns::<V, F> {
                letters: nodes.letters,
                turns,
                pairs,
                least: self.least,
                state: nodes.state,
                sums: nodes.sums,
            }
            .run();
        }
        while let Some(block) = all.next::<V>() {
            match block.words {
                1 => nodes.given::<F, 1>(pairs, block),
                2 => nodes.given::<F, 2>(pairs, block),
                3 => nodes.given::<F, 3>(pairs, block),
                _ => nodes.given::<F, 4>(pairs, block),
            }
        }
    }
}

/// Blocks of words, each for its first letters.
struct Words<'a, 's, V, Z> {
    letters: Letters<'a, Z>,
    state: &'s mut [V],
    sums: &'s mut [V],
    words: &'s mut [V],
}

impl<V: Lanes, Z: Copy> Words<'_, '_, V, Z> {
    /// R words, given (y, x).
    #[inline(always)]
    fn given<F: Spread<V, Item = Z>, const R: usize>(&mut self, pairs: &[[V; 2]], block: Block) {
        match block.first_letters(self.letters.dim) {
            1 if occurs::<V>(1, R) => self.first_given::<F, 1, R>(pairs, block),
            2 if occurs::<V>(2, R) => self.first_given::<F, 2, R>(pairs, block),
            3 if occurs::<V>(3, R) => self.first_given::<F, 3, R>(pairs, block),
            4 if occurs::<V>(4, R) => self.first_given::<F, 4, R>(pairs, block),
            5 if occurs::<V>(5, R) => self.first_given::<F, 5, R>(pairs, block),
            6 if occurs::<V>(6, R) => self.first_given::<F, 6, R>(pairs, block),
            7 if occurs::<V>(7, R) => self.first_given::<F, 7, R>(pairs, block),
            8 if occurs::<V>(8, R) => self.first_given::<F, 8, R>(pairs, block),
            count => unreachable!("a block of {count} letters"),
        }
        self.others::<F, R>(pairs.len(), block);
    }

    /// R words, with the word below them; (y, x) goes to `pairs`.
    #[inline(always)]
    fn made<F: Spread<V, Item = Z>, const R: usize>(
        &mut self,
        word: Word<'_, '_, V, Z>,
        parent: &[[V; 3]],
        pairs: &mut [[V; 2]],
        block: Block,
    ) {
        match block.first_letters(self.letters.dim) {
            1 if occurs::<V>(1, R) => self.first_made::<F, 1, R>(word, parent, pairs, block),
            2 if occurs::<V>(2, R) => self.first_made::<F, 2, R>(word, parent, pairs, block),
            3 if occurs::<V>(3, R) => self.first_made::<F, 3, R>(word, parent, pairs, block),
            4 if occurs::<V>(4, R) => self.first_made::<F, 4, R>(word, parent, pairs, block),
            5 if occurs::<V>(5, R) => self.first_made::<F, 5, R>(word, parent, pairs, block),
            6 if occurs::<V>(6, R) => self.first_made::<F, 6, R>(word, parent, pairs, block),
            7 if occurs::<V>(7, R) => self.first_made::<F, 7, R>(word, parent, pairs, block),
            8 if occurs::<V>(8, R) => self.first_made::<F, 8, R>(word, parent, pairs, block),
            count => unreachable!("a block of {count} letters"),
        }
        self.others::<F, R>(parent.len(), block);
    }

    /// The other blocks of first letters, given the words.
    #[inline(always)]
    fn others<F: Spread<V, Item = Z>, const R: usize>(&mut self, steps: usize, block: Block) {
        let d = self.letters.dim;
        for (a, count) in blocks(d - block.letter, block.most).skip(1) {
            let words = &self.words.as_chunks::<R>().0[..steps];
            last_level::<V, F, R>(
                self.letters,
                block.letter + a,
                count,
                words,
                &mut self.sums[block.word * d..][..R * d],
            );
        }
    }

    #[inline(always)]
    fn first_given<F: Spread<V, Item = Z>, const A: usize, const R: usize>(&mut self, pairs: &[[V; 2]], block: Block) {
        let (d, i, first) = (self.letters.dim, block.word, block.letter);
        let mut a = [V::zero(); R];
        a.copy_from_slice(&self.state[i..][..R]);
        let mut sums = load::<V, A, R>(&self.sums[i * d..], d, first);
        let rows = self.letters.rows;
        if d > first + A {
            let words = &mut self.words.as_chunks_mut::<R>().0[..pairs.len()];
            for ((t, &pair), keep) in pairs.iter().enumerate().zip(words) {
                let z = &rows[t * d..];
                *keep = step::<V, F, A, R>(pair, z, &z[first..], i, &mut a, &mut sums);
            }
        } else {
            for (t, &pair) in pairs.iter().enumerate() {
                let z = &rows[t * d..];
                step::<V, F, A, R>(pair, z, &z[first..], i, &mut a, &mut sums);
            }
        }
        self.state[i..][..R].copy_from_slice(&a);
        store(&sums, &mut self.sums[i * d..], d, first);
    }

    #[inline(always)]
    fn first_made<F: Spread<V, Item = Z>, const A: usize, const R: usize>(
        &mut self,
        word: Word<'_, '_, V, Z>,
        parent: &[[V; 3]],
        pairs: &mut [[V; 2]],
        block: Block,
    ) {
        let (d, i, first) = (self.letters.dim, block.word, block.letter);
        let mut w = *word.state;
        let mut a = [V::zero(); R];
        a.copy_from_slice(&self.state[i..][..R]);
        let mut sums = load::<V, A, R>(&self.sums[i * d..], d, first);
        let below = parent.iter().enumerate().zip(pairs);
        let rows = self.letters.rows;
        if d > first + A {
            let words = &mut self.words.as_chunks_mut::<R>().0[..parent.len()];
            for (((t, h), pair), keep) in below.zip(words) {
                *pair = below_top(h, F::vector(word.letter.at(t)), &mut w);
                let z = &rows[t * d..];
                *keep = step::<V, F, A, R>(*pair, z, &z[first..], i, &mut a, &mut sums);
            }
        } else {
            for ((t, h), keep) in below {
                let pair = below_top(h, F::vector(word.letter.at(t)), &mut w);
                // Where other blocks of words need it.
                if d > R {
                    *keep = pair;
                }
                let z = &rows[t * d..];
                step::<V, F, A, R>(pair, z, &z[first..], i, &mut a, &mut sums);
            }
        }
        *word.state = w;
        self.state[i..][..R].copy_from_slice(&a);
        store(&sums, &mut self.sums[i * d..], d, first);
    }
}

/// (y, x) of a word one letter, z, longer than that of `h`.
#[inline(always)]
pub fn below_top<V: Lanes>(h: &[V; 3], z: V, a: &mut V) -> [V; 2] {
    let x = z.mul_add(h[2], *a * V::constant(0.5));
    let y = z.mul_add(h[1], *a);
    *a = z.mul_add(h[0], *a);
    [y, x]
}

/// One step of R words from `i` on and A first letters, `first`; gives T.
#[inline(always)]
fn step<V: Lanes, F: Spread<V>, const A: usize, const R: usize>(
    [y, x]: [V; 2],
    z: &[F::Item],
    first: &[F::Item],
    i: usize,
    a: &mut [V; R],
    sums: &mut [[V; A]; R],
) -> [V; R] {
    let (own, z) = (&z[i..][..R], &first[..A]);
    let mut words = [V::zero(); R];
    for r in 0..R {
        let z = F::vector(own[r]);
        words[r] = z.mul_add(x, a[r]);
        a[r] = z.mul_add(y, a[r]);
    }
    for l in 0..A {
        let z = F::vector(z[l]);
        for r in 0..R {
            sums[r][l] = z.mul_add(words[r], sums[r][l]);
        }
    }
    words
}

/// S_aw += z_a · words_w for a block of `count` letters from `a` on and R words.
#[inline(always)]
fn last_level<V: Lanes, F: Spread<V>, const R: usize>(
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
    for (t, words) in words.iter().enumerate() {
        let z = &letters.row(t)[a..][..A];
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
fn store<V: Lanes, const A: usize, const R: usize>(block: &[[V; A]; R], to: &mut [V], stride: usize, a: usize) {
    for (from, to) in block.iter().zip(to.chunks_exact_mut(stride)) {
        to[a..][..A].copy_from_slice(from);
    }
}

#[inline(always)]
pub fn load<V: Lanes, const A: usize, const R: usize>(from: &[V], stride: usize, a: usize) -> [[V; A]; R] {
    let mut block = [[V::zero(); A]; R];
    for (to, from) in block.iter_mut().zip(from.chunks_exact(stride)) {
        to.copy_from_slice(&from[a..][..A]);
    }
    block
}

/// The last level alone, over words that are there: one stream a word.
pub struct LastLevel<'a, 's, V: Lanes, F: Spread<V>> {
    pub letters: Letters<'a, F::Item>,
    pub steps: usize,
    pub streams: &'a [V],
    pub sums: &'s mut [V],
    pub scratch: &'s mut [V],
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
        let words = &mut self.scratch.as_chunks_mut::<R>().0[..self.steps];
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
