//! The words of small signatures that did not go along the path: the sums of `shuffle`, written out for each shape as
//! products of other coefficients.

use super::levels::Levels;
use super::shuffle::MOST;
use crate::simd::{Lanes, Part};

/// Those words, given the others. Coefficients lie as in `Order::by_endings`, and 1 after the last of them.
#[derive(Clone, Copy)]
pub struct Products {
    words: &'static [Word],
    terms: &'static [Term],
}

/// Where a word lies, and where its terms end.
#[derive(Clone, Copy)]
struct Word {
    place: u16,
    end: u16,
}

/// A coefficient, or 1, times another, with its sign. Numbers and not cases, whose order no processor could foresee.
#[derive(Clone, Copy)]
struct Term {
    factor: u16,
    other: u16,
    sign: f32,
}

struct Table<const W: usize, const T: usize> {
    words: [Word; W],
    terms: [Term; T],
}

impl<const W: usize, const T: usize> Table<W, T> {
    const fn new(dim: usize, degree: usize) -> Self {
        let (word, term) = (
            Word { place: 0, end: 0 },
            Term {
                factor: 0,
                other: 0,
                sign: 0.0,
            },
        );
        let mut table = Table {
            words: [word; W],
            terms: [term; T],
        };
        fill(dim, degree, &mut table.words, &mut table.terms);
        table
    }
}

macro_rules! products {
    ($dim:literal, $degree:literal) => {{
        const COUNTS: [usize; 2] = fill($dim, $degree, &mut [], &mut []);
        static TABLE: Table<{ COUNTS[0] }, { COUNTS[1] }> = Table::new($dim, $degree);
        Products {
            words: &TABLE.words,
            terms: &TABLE.terms,
        }
    }};
}

impl Products {
    /// For the signatures of `small` of three levels or more that errors allow.
    pub fn of(levels: &Levels) -> Option<Self> {
        Some(match (levels.dim, levels.degree) {
            (2, 3) => products!(2, 3),
            (2, 4) => products!(2, 4),
            (2, 5) => products!(2, 5),
            (3, 3) => products!(3, 3),
            (3, 4) => products!(3, 4),
            (4, 3) => products!(4, 3),
            (5, 3) => products!(5, 3),
            (6, 3) => products!(6, 3),
            _ => return None,
        })
    }

    /// Completes signatures, one a lane; the first number of one is NaN where anything in it is not finite.
    #[inline(always)]
    pub fn add<V: Lanes>(&self, state: &mut [V]) {
        V::call(Add(self, state));
    }

    #[inline(always)]
    fn complete<V: Lanes>(&self, state: &mut [V]) {
        let (mut begin, one) = (0, state.len() - 1);
        state[one] = V::constant(1.0);
        for word in self.words {
            let end = word.end as usize;
            let mut sum = V::zero();
            for term in &self.terms[begin..end] {
                let factor = state[term.factor as usize] * V::constant(term.sign as f64);
                sum = factor.mul_add(state[term.other as usize], sum);
            }
            state[word.place as usize] = sum;
            begin = end;
        }
        let mut check = V::zero();
        for &vector in &*state {
            check = vector.mul_add(V::zero(), check);
        }
        state[0] = state[0] - check;
    }

    /// The same for one signature in its usual order; `state` is scratch.
    #[inline(always)]
    pub fn add_to_one<V: Lanes>(&self, levels: &Levels, state: &mut [V], signature: &mut [V::Scalar]) {
        // As `place` has it.
        let (d, each) = (levels.dim, levels.total() / levels.dim);
        for (prefix, numbers) in signature.chunks_exact(d).enumerate() {
            for (last, &number) in numbers.iter().enumerate() {
                state[last * each + prefix] = V::splat(number);
            }
        }
        self.add(state);
        for (prefix, numbers) in signature.chunks_exact_mut(d).enumerate() {
            for (last, number) in numbers.iter_mut().enumerate() {
                let vector = &state[last * each + prefix];
                *number = V::scalars(std::slice::from_ref(vector))[0];
            }
        }
    }
}

struct Add<'a, 's, V>(&'a Products, &'s mut [V]);

impl<V: Lanes> Part<V> for Add<'_, '_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.0.complete(self.1);
    }
}

/// Where coefficient `e` of a signature lies: those of one last letter after those of another.
const fn place(dim: usize, degree: usize, e: usize) -> usize {
    let (mut each, mut k) = (0, 0);
    while k < degree {
        each += dim.pow(k as u32);
        k += 1;
    }
    e % dim * each + e / dim
}

/// The place of the word of the first `count` letters; that of the empty word is behind all others.
const fn place_of(dim: usize, degree: usize, letters: &[usize; MOST], count: usize) -> u16 {
    let (mut begin, mut word, mut k) = (0, 0, 0);
    if count == 0 {
        while k < degree {
            k += 1;
            begin += dim.pow(k as u32);
        }
        return begin as u16;
    }
    while k < count {
        if k > 0 {
            begin += dim.pow(k as u32);
        }
        word = word * dim + letters[k];
        k += 1;
    }
    place(dim, degree, begin + word) as u16
}

/// Writes the words and their terms, as far as there is room; gives how many there are.
const fn fill(dim: usize, degree: usize, words: &mut [Word], terms: &mut [Term]) -> [usize; 2] {
    let mut counts = [0; 2];
    let mut word = 0;
    while word < dim.pow(degree as u32) {
        let letters = letters(word, dim, degree);
        // u M v: M, the largest letter, is the first of them that is.
        let (mut before, mut i) = (0, 1);
        while i < degree {
            if letters[i] > letters[before] {
                before = i;
            }
            i += 1;
        }
        // S^{uMv} = Σ_k (-1)^{p-k} S^{u_1..u_k} D(u_{k+1}..u_p, v), k = 0..p
        let mut k = 0;
        while before > 0 && k <= before {
            let (turned, count) = (before - k, degree - 1 - k);
            let mut ways = 0u32;
            while ways < 1 << count {
                if ways.count_ones() as usize == turned {
                    if counts[1] < terms.len() {
                        let shuffled = shuffled(&letters, before, count, ways);
                        terms[counts[1]] = Term {
                            factor: place_of(dim, degree, &letters, k),
                            other: place_of(dim, degree, &shuffled, count + 1),
                            sign: if turned % 2 == 1 { -1.0 } else { 1.0 },
                        };
                    }
                    counts[1] += 1;
                }
                ways += 1;
            }
            k += 1;
        }
        if before > 0 {
            if counts[0] < words.len() {
                words[counts[0]] = Word {
                    place: place_of(dim, degree, &letters, degree),
                    end: counts[1] as u16,
                };
            }
            counts[0] += 1;
        }
        word += 1;
    }
    counts
}

/// The letters of a word.
const fn letters(mut word: usize, dim: usize, degree: usize) -> [usize; MOST] {
    let (mut letters, mut i) = ([0; MOST], degree);
    while i > 0 {
        i -= 1;
        (letters[i], word) = (word % dim, word / dim);
    }
    letters
}

/// M and `count` letters: those before it from its left neighbour on at the places of `ways`, those after it at the others.
const fn shuffled(letters: &[usize; MOST], before: usize, count: usize, ways: u32) -> [usize; MOST] {
    let mut all = [letters[before]; MOST];
    let (mut u, mut v, mut place) = (before, before + 1, 0);
    while place < count {
        if ways >> place & 1 == 1 {
            u -= 1;
            all[place + 1] = letters[u];
        } else {
            all[place + 1] = letters[v];
            v += 1;
        }
        place += 1;
    }
    all
}
