//! The last two levels over a word where lead and lag move in turn: at a step where its letter rests, z_i = 0, a word
//! has T_i = A_i, and a first letter counts at its own steps only. So words of one side with first letters of one side
//! stay in registers along the path, each at half of the steps, and T is never stored.

use super::letters::{Letters, Spread, Turns, blocks};
use crate::simd::{Lanes, Part};

pub struct InTurns<'a, 's, V: Lanes, F: Spread<V>> {
    pub letters: Letters<'a, F::Item>,
    pub turns: Turns,
    /// (y, x) a step.
    pub pairs: &'a [[V; 2]],
    /// See `Top`.
    pub least: Option<usize>,
    pub state: &'s mut [V],
    pub sums: &'s mut [V],
}

/// First letters of a block, time among them, and words: accumulators that fit the registers.
#[inline(always)]
const fn occurs<V: Lanes>(letters: usize, words: usize) -> bool {
    letters <= 5 && words <= if V::REGISTERS < 32 { 2 } else { 4 }
}

impl<V: Lanes, F: Spread<V>> InTurns<'_, '_, V, F> {
    #[inline(always)]
    pub fn run(mut self) {
        let (d, size) = (self.letters.dim, self.turns.size);
        let most = if occurs::<V>(1, 4) { 4 } else { 2 };
        for side in 0..2 {
            for (i, count) in blocks(size, most) {
                let word = side * size + i;
                match count {
                    1 => self.words::<1>(side, word),
                    2 => self.words::<2>(side, word),
                    3 if occurs::<V>(1, 3) => self.words::<3>(side, word),
                    4 if occurs::<V>(1, 4) => self.words::<4>(side, word),
                    _ => unreachable!("a block of {count} words"),
                }
            }
        }
        for word in 2 * size..d {
            self.always(word);
        }
    }

    /// The first letters of one side that go with words from `word` on.
    #[inline(always)]
    fn first_letters(&self, side: usize, word: usize) -> (usize, usize) {
        let (begin, end) = (side * self.turns.size, (side + 1) * self.turns.size);
        let first = self.least.map_or(0, |least| least.max(word)).clamp(begin, end);
        (first, end - first)
    }

    /// The step at which a side moves first.
    #[inline(always)]
    fn begin(&self, side: usize) -> usize {
        (side != self.turns.first) as usize
    }

    /// R words of one side, from `word` on.
    #[inline(always)]
    fn words<const R: usize>(&mut self, side: usize, word: usize) {
        let (d, time) = (self.letters.dim, 2 * self.turns.size);
        let mut after = [V::zero(); R];
        for other in [side, 1 - side] {
            let (first, count) = self.first_letters(other, word);
            for (a, near) in blocks(count, 4) {
                // Time moves with both: it goes with the last letters of the other side, at all steps.
                let timed = side != other && a + near == count && time < d;
                let block = Block {
                    letters: self.letters,
                    pairs: self.pairs,
                    word,
                    begin: self.begin(side),
                    own: side == other,
                    timed,
                    letter: first + a,
                    last: if timed {
                        time
                    } else {
                        (first + a + near).saturating_sub(1)
                    },
                    state: &self.state[word..][..R],
                    sums: &mut self.sums[word * d..][..R * d],
                };
                after = match near + timed as usize {
                    0 => continue,
                    1 => V::call(BlockOf::<V, F, 1, R>(block)),
                    2 => V::call(BlockOf::<V, F, 2, R>(block)),
                    3 => V::call(BlockOf::<V, F, 3, R>(block)),
                    4 => V::call(BlockOf::<V, F, 4, R>(block)),
                    _ => V::call(BlockOf::<V, F, 5, R>(block)),
                };
            }
        }
        self.state[word..][..R].copy_from_slice(&after);
    }

    /// A word whose letter moves at every step: time. It goes with all first letters of both sides, or with none.
    #[inline(always)]
    fn always(&mut self, word: usize) {
        let (d, (_, count)) = (self.letters.dim, self.first_letters(0, word));
        let before = self.state[word];
        for (a, count) in blocks(count, 4) {
            let block = Always {
                letters: self.letters,
                turns: self.turns,
                pairs: self.pairs,
                word,
                letter: a,
                last: a + count == self.turns.size || count == 0,
                before,
                sums: &mut self.sums[word * d..][..d],
            };
            self.state[word] = match count {
                0 => V::call(Both::<V, F, 0>(block)),
                1 => V::call(Both::<V, F, 1>(block)),
                2 => V::call(Both::<V, F, 2>(block)),
                3 => V::call(Both::<V, F, 3>(block)),
                _ => V::call(Both::<V, F, 4>(block)),
            };
        }
    }
}

/// Words of one side, of which `begin` is the first step, and first letters: those from `letter` on and, as the last one,
/// `last`. They are summed at the words' own steps or at the other ones; time, the last one if `timed`, at all steps.
struct Block<'a, 's, V, Z> {
    letters: Letters<'a, Z>,
    pairs: &'a [[V; 2]],
    word: usize,
    begin: usize,
    own: bool,
    timed: bool,
    letter: usize,
    last: usize,
    state: &'a [V],
    sums: &'s mut [V],
}

/// A block of A first letters and R words; gives A of the words after the last step.
struct BlockOf<'a, 's, V: Lanes, F: Spread<V>, const A: usize, const R: usize>(Block<'a, 's, V, F::Item>);

impl<V: Lanes, F: Spread<V>, const A: usize, const R: usize> Part<V> for BlockOf<'_, '_, V, F, A, R> {
    type Output = [V; R];

    #[inline(always)]
    fn run(self) -> [V; R] {
        let BlockOf(mut block) = self;
        let mut a = [V::zero(); R];
        a.copy_from_slice(block.state);
        let mut sums = block.load::<A, R>();
        match (block.own, block.timed) {
            (true, _) => block.own_steps::<F, A, R>(&mut a, &mut sums),
            (false, true) => block.other_steps::<F, A, R, true>(&mut a, &mut sums),
            (false, false) => block.other_steps::<F, A, R, false>(&mut a, &mut sums),
        }
        block.store(&sums);
        a
    }
}

impl<V: Lanes, Z: Copy> Block<'_, '_, V, Z> {
    #[inline(always)]
    fn own_steps<F: Spread<V, Item = Z>, const A: usize, const R: usize>(
        &self,
        a: &mut [V; R],
        sums: &mut [[V; A]; R],
    ) {
        for t in (self.begin..self.pairs.len()).step_by(2) {
            let words = self.step::<F, R>(t, a);
            self.add::<F, A, R>(t, &words, sums);
        }
    }

    #[inline(always)]
    fn other_steps<F: Spread<V, Item = Z>, const A: usize, const R: usize, const TIMED: bool>(
        &self,
        a: &mut [V; R],
        sums: &mut [[V; A]; R],
    ) {
        let (begin, steps) = (self.begin, self.pairs.len());
        if begin > 0 {
            self.add::<F, A, R>(0, a, sums);
        }
        let mut t = begin;
        while t + 1 < steps {
            self.rest::<F, A, R, TIMED>(t, a, sums);
            self.add::<F, A, R>(t + 1, a, sums);
            t += 2;
        }
        if t < steps {
            self.rest::<F, A, R, TIMED>(t, a, sums);
        }
    }

    /// An own step of words whose first letters rest, but time.
    #[inline(always)]
    fn rest<F: Spread<V, Item = Z>, const A: usize, const R: usize, const TIMED: bool>(
        &self,
        t: usize,
        a: &mut [V; R],
        sums: &mut [[V; A]; R],
    ) {
        let words = self.step::<F, R>(t, a);
        if TIMED {
            let z = F::vector(self.letters.row(t)[self.last]);
            for r in 0..R {
                sums[r][A - 1] = z.mul_add(words[r], sums[r][A - 1]);
            }
        }
    }

    /// T_i = A_i + z_i · x,  A_i += z_i · y.
    #[inline(always)]
    fn step<F: Spread<V, Item = Z>, const R: usize>(&self, t: usize, a: &mut [V; R]) -> [V; R] {
        let z = &self.letters.row(t)[self.word..][..R];
        let [y, x] = self.pairs[t];
        let mut words = [V::zero(); R];
        for r in 0..R {
            let z = F::vector(z[r]);
            words[r] = z.mul_add(x, a[r]);
            a[r] = z.mul_add(y, a[r]);
        }
        words
    }

    /// Which first letter the sum `l` of A has.
    #[inline(always)]
    fn first<const A: usize>(&self, l: usize) -> usize {
        if l + 1 < A { self.letter + l } else { self.last }
    }

    #[inline(always)]
    fn load<const A: usize, const R: usize>(&self) -> [[V; A]; R] {
        let mut sums = [[V::zero(); A]; R];
        for r in 0..R {
            for l in 0..A {
                sums[r][l] = self.sums[r * self.letters.dim + self.first::<A>(l)];
            }
        }
        sums
    }

    #[inline(always)]
    fn store<const A: usize, const R: usize>(&mut self, sums: &[[V; A]; R]) {
        for r in 0..R {
            for l in 0..A {
                self.sums[r * self.letters.dim + self.first::<A>(l)] = sums[r][l];
            }
        }
    }

    /// S_ai += z_a · T_i.
    #[inline(always)]
    fn add<F: Spread<V, Item = Z>, const A: usize, const R: usize>(
        &self,
        t: usize,
        words: &[V; R],
        sums: &mut [[V; A]; R],
    ) {
        let z = self.letters.row(t);
        let (near, last) = (&z[self.letter..][..A - 1], z[self.last]);
        for l in 0..A {
            let z = F::vector(if l + 1 < A { near[l] } else { last });
            for r in 0..R {
                sums[r][l] = z.mul_add(words[r], sums[r][l]);
            }
        }
    }
}

/// A word whose letter moves at every step, and the first letters of both sides from `letter` on; with the last of them
/// the word's own letter.
struct Always<'a, 's, V, Z> {
    letters: Letters<'a, Z>,
    turns: Turns,
    pairs: &'a [[V; 2]],
    word: usize,
    letter: usize,
    last: bool,
    before: V,
    sums: &'s mut [V],
}

/// A letters of each side; gives A of the word after the last step.
struct Both<'a, 's, V: Lanes, F: Spread<V>, const A: usize>(Always<'a, 's, V, F::Item>);

impl<V: Lanes, F: Spread<V>, const A: usize> Part<V> for Both<'_, '_, V, F, A> {
    type Output = V;

    #[inline(always)]
    fn run(self) -> V {
        let Both(Always {
            letters,
            turns,
            pairs,
            word,
            letter,
            last,
            before,
            sums,
        }) = self;
        // Those of the side that moves first, and of the other one.
        let begins = [turns.first, 1 - turns.first].map(|side| side * turns.size + letter);
        let mut both = [[V::zero(); A]; 2];
        for side in 0..2 {
            both[side].copy_from_slice(&sums[begins[side]..][..A]);
        }
        let (mut a, mut own) = (before, sums[word]);
        let mut rows = letters.rows.chunks_exact(letters.dim).zip(pairs);
        'path: loop {
            for side in 0..2 {
                let Some((row, &[y, x])) = rows.next() else {
                    break 'path;
                };
                let (z, near) = (F::vector(row[word]), &row[begins[side]..][..A]);
                let t = z.mul_add(x, a);
                a = z.mul_add(y, a);
                own = z.mul_add(t, own);
                for l in 0..A {
                    both[side][l] = F::vector(near[l]).mul_add(t, both[side][l]);
                }
            }
        }
        for side in 0..2 {
            sums[begins[side]..][..A].copy_from_slice(&both[side]);
        }
        if last {
            sums[word] = own;
        }
        a
    }
}
