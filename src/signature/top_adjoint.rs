//! The adjoint of the last two levels of a node (see `top`), X the constant adjoint of the last one:
//! forward in time  z̄_a += Σ_i X_ia · T_i;
//! back in time     T̄_i = Σ_a z_a · X_ia,  z̄_i += y·Ā_i + x·T̄_i,  x̄ += Σ z_i·T̄_i,  ȳ += Σ z_i·Ā_i,  Ā_i += T̄_i.

use super::letters::{Column, Letters, Spread, blocks};
use super::top::below_top;
use super::top_products::{ToLetters, ToWords};
use crate::simd::{Lanes, Part};

pub struct TopAdjoint<'a, 's, V: Lanes, F: Spread<V>> {
    pub letters: Letters<'a, F::Item>,
    /// (y, x) a step.
    pub parent: &'a [V],
    /// A before the first step, one vector a letter.
    pub state: &'s mut [V],
    /// Ā after the last step.
    pub adjoint: &'s mut [V],
    /// X, one row a word i.
    pub top: &'a [V],
    /// See `ToLetters`: X is zero elsewhere.
    pub third: Option<usize>,
    /// z̄, one row a step.
    pub gradient: &'s mut [V],
    /// (ȳ, x̄) a step: set by the first word of those that have this parent, then added to.
    pub to: &'s mut [V],
    pub first: bool,
    /// The node's own word, where `in_one_block` says that it can be done on the way; `parent` is not read then.
    pub word: Option<OwnWord<'a, 's, V, F::Item>>,
    /// Scratch: 2 · dim vectors a step.
    pub words: &'s mut [V],
}

/// A word of level N-2, forth (see `Branch`) and back (`BranchBack`).
pub struct OwnWord<'a, 's, V, Z> {
    pub letter: Column<'a, Z>,
    /// Which letter it is.
    pub number: usize,
    /// (h(N-2), h(N-1), h(N)) of its parent a step, and what is handed back to it.
    pub parent: &'a [V],
    pub to: &'s mut [V],
    /// Whether `to` is set, not added to.
    pub first: bool,
    pub state: &'s mut V,
    pub adjoint: &'s mut V,
    /// Scratch for what it hands up, (y, x) a step.
    pub own: &'s mut [V],
}

/// Letters that are too many for X to stay in registers: see `TopAdjoint::by_products`.
pub const MANY: usize = 9;

/// Words of a block whose X, for all letters, fits the registers; none where products of matrices are better.
#[inline(always)]
fn block_words<V: Lanes>(dim: usize) -> Option<usize> {
    match (dim, V::REGISTERS < 32) {
        (1..=3, _) | (4..=5, false) => Some(dim),
        (4, true) => Some(2),
        (6, false) => Some(3),
        (7..=8, false) => Some(2),
        _ => None,
    }
}

/// Whether all words of a node are done in one block: what they hand back need not be stored then.
#[inline(always)]
pub fn in_one_block<V: Lanes>(dim: usize) -> bool {
    block_words::<V>(dim) == Some(dim)
}

impl<V: Lanes, F: Spread<V>> Part<V> for TopAdjoint<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let (dim, narrow) = (self.letters.dim, V::REGISTERS < 32);
        let Some(most) = block_words::<V>(dim) else {
            return self.by_products();
        };
        match dim {
            1 => self.blocks::<1>(most),
            2 => self.blocks::<2>(most),
            3 => self.blocks::<3>(most),
            4 => self.blocks::<4>(most),
            5 if !narrow => self.blocks::<5>(most),
            6 if !narrow => self.blocks::<6>(most),
            7 if !narrow => self.blocks::<7>(most),
            8 if !narrow => self.blocks::<8>(most),
            _ => unreachable!("blocks of {dim} letters"),
        }
    }
}

impl<V: Lanes, F: Spread<V>> TopAdjoint<'_, '_, V, F> {
    /// All `A` letters, words in blocks that leave X in registers.
    #[inline(always)]
    fn blocks<const A: usize>(&mut self, most: usize) {
        for (i, count) in blocks(A, most) {
            match count {
                1 if A == 1 || A == 7 => self.words::<A, 1>(i),
                2 if A != 3 => self.words::<A, 2>(i),
                3 if A == 3 || A == 6 => self.words::<A, 3>(i),
                4 if A == 4 && V::REGISTERS >= 32 => self.words::<A, 4>(i),
                5 if A == 5 => self.words::<A, 5>(i),
                _ => unreachable!("a block of {count} words of {A}"),
            }
        }
    }

    #[inline(always)]
    fn words<const A: usize, const R: usize>(&mut self, i: usize) {
        let top = self.top[i * A..].as_chunks::<A>().0;
        let top = top.first_chunk::<R>().expect("all words of a node");
        let (state, adjoint) = (&mut self.state[i..][..R], &mut self.adjoint[i..][..R]);
        let letters = self.letters.rows.as_chunks::<A>().0;
        let gradient = self.gradient.as_chunks_mut::<A>().0;
        if let (Some(word), Ok(top)) = (&mut self.word, <&[[V; A]; A]>::try_from(&top[..])) {
            forth_from_word::<V, F, A>(top, letters, state, gradient, word);
            return back_to_word::<V, F, A>(top, letters, adjoint, gradient, word);
        }
        let parent = self.parent.as_chunks::<2>().0;
        forth::<V, F, A, R>(top, i, parent, letters, state, gradient);
        let to = self.to.as_chunks_mut::<2>().0;
        let first = self.first && i == 0;
        back::<V, F, A, R>(top, i, parent, letters, adjoint, gradient, (to, first));
    }

    /// Many letters: words stored, matrix products with X.
    #[inline(always)]
    fn by_products(self) {
        let (letters, parent, d) = (self.letters, self.parent, self.letters.dim);
        let steps = parent.len() / 2;
        let (words, back) = self.words.split_at_mut(steps * d);
        let back = &mut back[..steps * d];
        V::call(AllWords::<V, F> {
            letters,
            parent,
            state: self.state,
            out: &mut *words,
        });
        V::call(ToLetters {
            steps,
            dim: d,
            words,
            top: self.top,
            third: self.third,
            gradient: &mut *self.gradient,
        });
        V::call(ToWords::<V, F> {
            letters,
            steps,
            top: self.top,
            third: self.third,
            to: &mut *back,
        });
        V::call(AllBack::<V, F> {
            letters,
            parent,
            back,
            adjoint: self.adjoint,
            gradient: self.gradient,
            to: self.to,
            first: self.first,
        });
    }
}

/// T_i of all words, one stream a word.
struct AllWords<'a, 's, V: Lanes, F: Spread<V>> {
    letters: Letters<'a, F::Item>,
    parent: &'a [V],
    state: &'s mut [V],
    out: &'s mut [V],
}

impl<V: Lanes, F: Spread<V>> Part<V> for AllWords<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        for (i, count) in blocks(self.letters.dim, 4) {
            match count {
                1 => self.block::<1>(i),
                2 => self.block::<2>(i),
                3 => self.block::<3>(i),
                _ => self.block::<4>(i),
            }
        }
    }
}

impl<V: Lanes, F: Spread<V>> AllWords<'_, '_, V, F> {
    #[inline(always)]
    fn block<const R: usize>(&mut self, i: usize) {
        let parent = self.parent.as_chunks::<2>().0;
        let steps = parent.len();
        let out = &mut self.out[i * steps..][..R * steps];
        let mut a = [V::zero(); R];
        a.copy_from_slice(&self.state[i..][..R]);
        for (t, &[y, x]) in parent.iter().enumerate() {
            let z = &self.letters.row(t)[i..][..R];
            for r in 0..R {
                let z = F::vector(z[r]);
                out[r * steps + t] = z.mul_add(x, a[r]);
                a[r] = z.mul_add(y, a[r]);
            }
        }
        self.state[i..][..R].copy_from_slice(&a);
    }
}

/// The pass back through all words, `back` one stream a word.
struct AllBack<'a, 's, V: Lanes, F: Spread<V>> {
    letters: Letters<'a, F::Item>,
    parent: &'a [V],
    back: &'a [V],
    adjoint: &'s mut [V],
    gradient: &'s mut [V],
    to: &'s mut [V],
    first: bool,
}

impl<V: Lanes, F: Spread<V>> Part<V> for AllBack<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        for (i, count) in blocks(self.letters.dim, 4) {
            match count {
                1 => self.block::<1>(i),
                2 => self.block::<2>(i),
                3 => self.block::<3>(i),
                _ => self.block::<4>(i),
            }
        }
    }
}

impl<V: Lanes, F: Spread<V>> AllBack<'_, '_, V, F> {
    #[inline(always)]
    fn block<const R: usize>(&mut self, i: usize) {
        let (d, parent) = (self.letters.dim, self.parent.as_chunks::<2>().0);
        let steps = parent.len();
        let back = &self.back[i * steps..][..R * steps];
        let to = &mut self.to.as_chunks_mut::<2>().0[..steps];
        let first = self.first && i == 0;
        let mut a = [V::zero(); R];
        a.copy_from_slice(&self.adjoint[i..][..R]);
        for t in (0..steps).rev() {
            let mut words = [V::zero(); R];
            for r in 0..R {
                words[r] = back[r * steps + t];
            }
            let gradient = &mut self.gradient[t * d + i..][..R];
            let z = &self.letters.row(t)[i..][..R];
            let mut sums = if first { [V::zero(); 2] } else { to[t] };
            through::<V, F, R>(parent[t], &words, z, &mut a, gradient, &mut sums);
            to[t] = sums;
        }
        self.adjoint[i..][..R].copy_from_slice(&a);
    }
}

/// The pass back through R words at a step, given T̄ of them; adds to (ȳ, x̄).
#[inline(always)]
fn through<V: Lanes, F: Spread<V>, const R: usize>(
    [y, x]: [V; 2],
    words: &[V; R],
    z: &[F::Item],
    a: &mut [V; R],
    gradient: &mut [V],
    [y_sum, x_sum]: &mut [V; 2],
) {
    for r in 0..R {
        let z = F::vector(z[r]);
        let sum = y.mul_add(a[r], gradient[r]);
        gradient[r] = x.mul_add(words[r], sum);
        *x_sum = z.mul_add(words[r], *x_sum);
        *y_sum = z.mul_add(a[r], *y_sum);
        a[r] = a[r] + words[r];
    }
}

#[inline(always)]
fn forth<V: Lanes, F: Spread<V>, const A: usize, const R: usize>(
    top: &[[V; A]; R],
    i: usize,
    parent: &[[V; 2]],
    letters: &[[F::Item; A]],
    state: &mut [V],
    gradient: &mut [[V; A]],
) {
    let (steps, top) = (parent.len(), &{ *top });
    let (letters, gradient) = (&letters[..steps], &mut gradient[..steps]);
    let mut a = [V::zero(); R];
    a.copy_from_slice(state);
    for t in 0..steps {
        let z = &letters[t][i..][..R];
        to_letters::<V, F, A, R>(top, parent[t], z, &mut a, &mut gradient[t]);
    }
    state.copy_from_slice(&a);
}

/// All words of a node, and its own word with them.
#[inline(always)]
fn forth_from_word<V: Lanes, F: Spread<V>, const A: usize>(
    top: &[[V; A]; A],
    letters: &[[F::Item; A]],
    state: &mut [V],
    gradient: &mut [[V; A]],
    word: &mut OwnWord<'_, '_, V, F::Item>,
) {
    let above = word.parent.as_chunks::<3>().0;
    let (steps, top) = (above.len(), &{ *top });
    let (letters, gradient) = (&letters[..steps], &mut gradient[..steps]);
    let stream = &mut word.own.as_chunks_mut::<2>().0[..steps];
    let (mut a, mut own) = ([V::zero(); A], *word.state);
    a.copy_from_slice(state);
    for t in 0..steps {
        stream[t] = below_top(&above[t], F::vector(word.letter.at(t)), &mut own);
        to_letters::<V, F, A, A>(top, stream[t], &letters[t], &mut a, &mut gradient[t]);
    }
    state.copy_from_slice(&a);
    *word.state = own;
}

/// z̄_a += Σ_i X_ia · T_i at a step.
#[inline(always)]
fn to_letters<V: Lanes, F: Spread<V>, const A: usize, const R: usize>(
    top: &[[V; A]; R],
    [y, x]: [V; 2],
    z: &[F::Item],
    a: &mut [V; R],
    gradient: &mut [V; A],
) {
    let mut sums = *gradient;
    for r in 0..R {
        let z = F::vector(z[r]);
        let word = z.mul_add(x, a[r]);
        a[r] = z.mul_add(y, a[r]);
        for l in 0..A {
            sums[l] = top[r][l].mul_add(word, sums[l]);
        }
    }
    *gradient = sums;
}

#[inline(always)]
fn back<V: Lanes, F: Spread<V>, const A: usize, const R: usize>(
    top: &[[V; A]; R],
    i: usize,
    parent: &[[V; 2]],
    letters: &[[F::Item; A]],
    adjoint: &mut [V],
    gradient: &mut [[V; A]],
    (to, first): (&mut [[V; 2]], bool),
) {
    let (steps, top) = (parent.len(), &{ *top });
    let letters = &letters[..steps];
    let (gradient, to) = (&mut gradient[..steps], &mut to[..steps]);
    let mut a = [V::zero(); R];
    a.copy_from_slice(adjoint);
    // Backwards by number: a reversed `zip` is not inlined.
    for t in (0..steps).rev() {
        let words = to_words::<V, F, A, R>(top, &letters[t]);
        let z = &letters[t][i..][..R];
        let mut sums = if first { [V::zero(); 2] } else { to[t] };
        through::<V, F, R>(parent[t], &words, z, &mut a, &mut gradient[t][i..][..R], &mut sums);
        to[t] = sums;
    }
    adjoint.copy_from_slice(&a);
}

/// All words of a node, and its own word with them, as `BranchBack` has it.
#[inline(always)]
fn back_to_word<V: Lanes, F: Spread<V>, const A: usize>(
    top: &[[V; A]; A],
    letters: &[[F::Item; A]],
    adjoint: &mut [V],
    gradient: &mut [[V; A]],
    word: &mut OwnWord<'_, '_, V, F::Item>,
) {
    let above = word.parent.as_chunks::<3>().0;
    let (steps, top) = (above.len(), &{ *top });
    let (letters, gradient) = (&letters[..steps], &mut gradient[..steps]);
    let parent = &word.own.as_chunks::<2>().0[..steps];
    let to = &mut word.to.as_chunks_mut::<3>().0[..steps];
    let (number, first, half) = (word.number.min(A - 1), word.first, V::constant(0.5));
    let mut a = [V::zero(); A];
    a.copy_from_slice(adjoint);
    let mut own = *word.adjoint;
    for t in (0..steps).rev() {
        let words = to_words::<V, F, A, A>(top, &letters[t]);
        let mut back = [V::zero(); 2];
        through::<V, F, A>(parent[t], &words, &letters[t], &mut a, &mut gradient[t], &mut back);
        let (h, z, [y, x]) = (above[t], F::vector(word.letter.at(t)), back);
        let old = if first { [V::zero(); 3] } else { to[t] };
        to[t] = [z.mul_add(own, old[0]), z.mul_add(y, old[1]), z.mul_add(x, old[2])];
        let sum = h[0].mul_add(own, gradient[t][number]);
        gradient[t][number] = h[2].mul_add(x, h[1].mul_add(y, sum));
        own = own + x.mul_add(half, y);
    }
    adjoint.copy_from_slice(&a);
    *word.adjoint = own;
}

/// T̄ of R words at a step.
#[inline(always)]
fn to_words<V: Lanes, F: Spread<V>, const A: usize, const R: usize>(top: &[[V; A]; R], z: &[F::Item; A]) -> [V; R] {
    let mut words = [V::zero(); R];
    for l in 0..A {
        let z = F::vector(z[l]);
        for r in 0..R {
            words[r] = if l == 0 {
                z * top[r][0]
            } else {
                z.mul_add(top[r][l], words[r])
            };
        }
    }
    words
}
