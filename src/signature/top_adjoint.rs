//! The adjoint of the last two levels of a node (see `top`), X the constant adjoint of the last one:
//! forward in time  z̄_a += Σ_i X_ia · T_i;
//! back in time     T̄_i = Σ_a z_a · X_ia,  z̄_i += y·Ā_i + x/2·T̄_i,  x̄ += Σ z_i/2·T̄_i,  ȳ += Σ z_i·Ā_i,  Ā_i += T̄_i.

use super::letters::{Letters, Spread, blocks};
use super::tile::Branch;
use super::tile_adjoint::BranchBack;
use super::top::{block_size, load, occurs};
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
    /// z̄, one row a step.
    pub gradient: &'s mut [V],
    /// (ȳ, x̄) a step: set by the first word of those that have this parent, then added to.
    pub to: &'s mut [V],
    pub first: bool,
    /// Scratch: 2 · dim vectors a step.
    pub words: &'s mut [V],
}

impl<V: Lanes, F: Spread<V>> Part<V> for TopAdjoint<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let narrow = V::REGISTERS < 32;
        match self.letters.dim {
            1 => self.blocks::<1>(1),
            2 => self.blocks::<2>(2),
            3 => self.blocks::<3>(3),
            4 => self.blocks::<4>(if narrow { 2 } else { 4 }),
            5 if !narrow => self.blocks::<5>(3),
            6 if !narrow => self.blocks::<6>(3),
            7 if !narrow => self.blocks::<7>(2),
            8 if !narrow => self.blocks::<8>(2),
            _ => self.by_products(),
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
                3 if A == 3 || A == 5 || A == 6 => self.words::<A, 3>(i),
                4 if A == 4 && V::REGISTERS >= 32 => self.words::<A, 4>(i),
                _ => unreachable!("a block of {count} words of {A}"),
            }
        }
    }

    #[inline(always)]
    fn words<const A: usize, const R: usize>(&mut self, i: usize) {
        let top = load::<V, A, R>(&self.top[i * A..], A, 0);
        let parent = self.parent.as_chunks::<2>().0;
        let steps = parent.len();
        let z = &self.letters.rows.as_chunks::<A>().0[..steps];
        let half = &self.letters.halves.as_chunks::<A>().0[..steps];
        let gradient = &mut self.gradient.as_chunks_mut::<A>().0[..steps];
        forth::<V, F, A, R>(&top, i, parent, (z, half), &mut self.state[i..][..R], gradient);
        let to = &mut self.to.as_chunks_mut::<2>().0[..steps];
        let first = self.first && i == 0;
        back::<V, F, A, R>(
            &top,
            i,
            parent,
            (z, half),
            &mut self.adjoint[i..][..R],
            gradient,
            (to, first),
        );
    }

    /// Many letters: words stored, matrix products with X.
    #[inline(always)]
    fn by_products(self) {
        let (letters, parent, d) = (self.letters, self.parent, self.letters.dim);
        let steps = parent.len() / 2;
        let (words, back) = self.words.split_at_mut(steps * d);
        let back = &mut back[..steps * d];
        let streams = words.chunks_exact_mut(steps.max(1));
        for ((letter, state), out) in self.state.iter_mut().enumerate().zip(streams) {
            V::call(Branch::<V, F> {
                higher: 1,
                degree: letters.degree,
                powers: letters.powers(letter, steps),
                parent,
                state,
                out,
            });
        }
        V::call(ToLetters {
            steps,
            dim: d,
            words,
            top: self.top,
            gradient: &mut *self.gradient,
        });
        V::call(ToWords::<V, F> {
            letters,
            steps,
            top: self.top,
            to: &mut *back,
        });
        let streams = back.chunks_exact(steps.max(1));
        for ((letter, adjoint), back) in self.adjoint.iter_mut().enumerate().zip(streams) {
            V::call(BranchBack::<V, F> {
                higher: 1,
                degree: letters.degree,
                powers: letters.powers(letter, steps),
                parent,
                back,
                adjoint,
                gradient: &mut self.gradient[letter..],
                dim: d,
                to: &mut *self.to,
                first: self.first && letter == 0,
            });
        }
    }
}

#[inline(always)]
fn forth<V: Lanes, F: Spread<V>, const A: usize, const R: usize>(
    top: &[[V; A]; R],
    i: usize,
    parent: &[[V; 2]],
    letters: (&[[F::Item; A]], &[[F::Item; A]]),
    state: &mut [V],
    gradient: &mut [[V; A]],
) {
    let steps = parent.len();
    let (z, half, gradient) = (&letters.0[..steps], &letters.1[..steps], &mut gradient[..steps]);
    let mut a = [V::zero(); R];
    a.copy_from_slice(state);
    for t in 0..steps {
        let ([y, x], z, half) = (parent[t], &z[t][i..][..R], &half[t][i..][..R]);
        let mut sums = gradient[t];
        for r in 0..R {
            let word = F::vector(half[r]).mul_add(x, a[r]);
            a[r] = F::vector(z[r]).mul_add(y, a[r]);
            for l in 0..A {
                sums[l] = top[r][l].mul_add(word, sums[l]);
            }
        }
        gradient[t] = sums;
    }
    state.copy_from_slice(&a);
}

#[inline(always)]
fn back<V: Lanes, F: Spread<V>, const A: usize, const R: usize>(
    top: &[[V; A]; R],
    i: usize,
    parent: &[[V; 2]],
    letters: (&[[F::Item; A]], &[[F::Item; A]]),
    adjoint: &mut [V],
    gradient: &mut [[V; A]],
    (to, first): (&mut [[V; 2]], bool),
) {
    let steps = parent.len();
    let (all, half) = (&letters.0[..steps], &letters.1[..steps]);
    let (gradient, to) = (&mut gradient[..steps], &mut to[..steps]);
    let mut a = [V::zero(); R];
    a.copy_from_slice(adjoint);
    let one_half = V::constant(0.5);
    // Backwards by number: a reversed `zip` is not inlined.
    for t in (0..steps).rev() {
        let [y, x] = parent[t];
        let x = x * one_half;
        let [mut y_sum, mut x_sum] = if first { [V::zero(); 2] } else { to[t] };
        let mut words = [V::zero(); R];
        for l in 0..A {
            let z = F::vector(all[t][l]);
            for r in 0..R {
                words[r] = if l == 0 {
                    z * top[r][0]
                } else {
                    z.mul_add(top[r][l], words[r])
                };
            }
        }
        let (z, half, gradient) = (&all[t][i..][..R], &half[t][i..][..R], &mut gradient[t][i..][..R]);
        for r in 0..R {
            let sum = y.mul_add(a[r], gradient[r]);
            gradient[r] = x.mul_add(words[r], sum);
            x_sum = F::vector(half[r]).mul_add(words[r], x_sum);
            y_sum = F::vector(z[r]).mul_add(a[r], y_sum);
            a[r] = a[r] + words[r];
        }
        to[t] = [y_sum, x_sum];
    }
    adjoint.copy_from_slice(&a);
}

/// The adjoint of the last level towards the letters: `gradient[t][a] += Σ_w top[w][a] · words[w][t]`; one stream a word.
pub struct ToLetters<'a, 's, V> {
    pub steps: usize,
    pub dim: usize,
    pub words: &'a [V],
    pub top: &'a [V],
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
        for (words, top) in self.words.chunks_exact(self.steps).zip(self.top.chunks_exact(self.dim)) {
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
        for (a, count) in blocks(self.letters.dim, most) {
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
    fn block<const A: usize, const R: usize>(&mut self, w: usize, a: usize) {
        let (d, steps) = (self.letters.dim, self.steps);
        let top = load::<V, A, R>(&self.top[w * d..], d, a);
        let to = &mut self.to[w * steps..][..R * steps];
        for (t, z) in self.letters.rows[..steps * d].chunks_exact(d).enumerate() {
            let z = &z[a..][..A];
            let mut sums = [V::zero(); R];
            if a > 0 {
                for r in 0..R {
                    sums[r] = to[r * steps + t];
                }
            }
            for l in 0..A {
                let z = F::vector(z[l]);
                for r in 0..R {
                    sums[r] = if a == 0 && l == 0 {
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
