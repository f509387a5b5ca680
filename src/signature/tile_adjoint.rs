//! The adjoint of a tile: given ∂F/∂A of every level after the last step, what each increment gets.
//!
//! The adjoint of the last level is constant along the path. Walking depth first, a node's streams are computed as in
//! `tile`; what its longer words hand back, h̄(k), follows when they are done; then a pass back in time through the
//! node itself: with b(k) = h̄_j(k) and b(j) = Ā_j,
//! z̄_i += Σ_k <h_{j-1}(k), b(k)[i]>,  h̄_{j-1}(k) += Σ_i z_i · b(k)[i],  Ā_j += Σ_{k>j} b(k)/(k-j)!.
//! All streams are recomputed or stored, none is had by un-multiplying along the path, which drifts.

use super::letters::{Column, Letters, Spread, weight, weights};
use super::shape::Shape;
use super::tile::Branch;
use super::top_adjoint::{OwnWord, TopAdjoint, in_one_block};
use super::walk::{Visit, Walk};
use crate::error::Result;
use crate::simd::{Lanes, Part};

/// What a tile works on.
pub struct Tile<'a, 's, V, Z> {
    pub shape: Shape,
    pub steps: usize,
    pub letters: Letters<'a, Z>,
    /// What the base hands up: a row h(k), k = base + 1..=N, a step; and what is handed back to it.
    pub stem: &'a [V],
    pub stem_adjoint: &'s mut [V],
    /// Where words with a peak are left out (see `peaks`), the largest first letter of the suffixes of all lanes.
    pub third: Option<usize>,
    /// Levels base + 1..N before the first step; of level N nothing is needed.
    pub state: &'s mut [V],
    /// Adjoints of levels base + 1..=N after the last step.
    pub adjoint: &'s mut [V],
    /// z̄, one row of `dim` vectors a step, is added to this.
    pub gradient: &'s mut [V],
    /// Scratch of `Shape::streams` vectors a step, twice.
    pub streams: &'s mut [V],
    pub adjoints: &'s mut [V],
    /// Scratch of 2 · dim vectors a step.
    pub words: &'s mut [V],
}

impl<V: Lanes, Z: Copy> Tile<'_, '_, V, Z> {
    #[inline(always)]
    pub fn pull_back<F: Spread<V, Item = Z>>(&mut self, pulse: &mut impl FnMut(usize) -> Result<()>) -> Result<()> {
        let (shape, steps, d, n) = (self.shape, self.steps, self.shape.dim, self.shape.degree);
        let (lower, last) = self.adjoint.split_at_mut(shape.begin(n));
        let gradient = &mut self.gradient[..steps * d];
        let (state, words) = (&mut *self.state, &mut *self.words);
        let letters = self.letters;
        if shape.base + 2 == n {
            V::call(TopAdjoint::<V, F> {
                letters,
                parent: &self.stem[..2 * steps],
                state,
                adjoint: lower,
                top: last,
                third: self.third,
                gradient,
                to: self.stem_adjoint,
                first: true,
                word: None,
                words,
            });
            return pulse(2 * steps * d * d);
        }
        let mut walk = Walk::new(&shape);
        while let Some(visit) = walk.next() {
            let (node, leave) = match visit {
                Visit::Enter(node) => (node, false),
                Visit::Leave(node) => (node, true),
            };
            let higher = n - node.level;
            let below = steps * shape.streams_below(node.level);
            let (streams, own) = self.streams.split_at_mut(below);
            let (adjoints, back) = self.adjoints.split_at_mut(below);
            let (own, back) = (&mut own[..steps * higher], &mut back[..steps * higher]);
            let parent = shape.parent(steps, node.level, self.stem, streams);
            let letter = letters.column(node.letter);
            let at = shape.begin(node.level) + node.number;
            let on_the_way = higher == 2 && in_one_block::<V>(d);
            let to = match node.level == shape.base + 1 {
                true => &mut *self.stem_adjoint,
                false => &mut adjoints[steps * shape.streams_below(node.level - 1)..],
            };
            if leave {
                if on_the_way {
                    continue;
                }
                V::call(BranchBack::<V, F> {
                    higher,
                    letter,
                    parent,
                    back,
                    adjoint: &mut lower[at],
                    gradient: &mut gradient[node.letter..],
                    dim: d,
                    to,
                    first: node.letter == 0,
                });
                continue;
            }
            if !on_the_way {
                V::call(Branch::<V, F> {
                    higher,
                    letter,
                    parent,
                    state: &mut state[at],
                    out: &mut *own,
                });
            }
            if higher == 2 {
                let begin = shape.begin(n - 1);
                let (lower, words_adjoint) = lower.split_at_mut(begin);
                let (state, words_state) = state.split_at_mut(begin);
                let (parent_of_words, word) = if on_the_way {
                    let word = OwnWord {
                        letter,
                        number: node.letter,
                        parent,
                        to,
                        first: node.letter == 0,
                        state: &mut state[at],
                        adjoint: &mut lower[at],
                        own,
                    };
                    (&[][..], Some(word))
                } else {
                    (&*own, None)
                };
                V::call(TopAdjoint::<V, F> {
                    letters,
                    parent: parent_of_words,
                    state: &mut words_state[node.number * d..][..d],
                    adjoint: &mut words_adjoint[node.number * d..][..d],
                    top: &last[node.number * d * d..][..d * d],
                    third: self.third.map(|_| node.letter),
                    gradient: &mut *gradient,
                    to: back,
                    first: true,
                    word,
                    words: &mut *words,
                });
                pulse(2 * steps * d * d)?;
            }
        }
        Ok(())
    }
}

/// The pass back through a word: `adjoint` its vector, `back` what was handed back for `higher` levels; `to` takes
/// what is handed back to its parent.
pub struct BranchBack<'a, 's, V: Lanes, F: Spread<V>> {
    pub higher: usize,
    pub letter: Column<'a, F::Item>,
    pub parent: &'a [V],
    pub back: &'a [V],
    pub adjoint: &'s mut V,
    /// z̄ of the letter: every `dim`-th vector.
    pub gradient: &'s mut [V],
    pub dim: usize,
    pub to: &'s mut [V],
    /// Whether it is the first to hand something back: sets what others add to.
    pub first: bool,
}

impl<V: Lanes, F: Spread<V>> Part<V> for BranchBack<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.higher {
            1 => self.exactly::<1, 2>(),
            2 => self.exactly::<2, 3>(),
            3 => self.exactly::<3, 4>(),
            4 => self.exactly::<4, 5>(),
            _ => self.any(),
        }
    }
}

impl<V: Lanes, F: Spread<V>> BranchBack<'_, '_, V, F> {
    #[inline(always)]
    fn exactly<const K: usize, const I: usize>(self) {
        let mut a = *self.adjoint;
        let weights = weights::<V, I>();
        let parent = self.parent.as_chunks::<I>().0;
        let steps = parent.len();
        let (to, back) = (
            &mut self.to.as_chunks_mut::<I>().0[..steps],
            &self.back.as_chunks::<K>().0[..steps],
        );
        // Backwards by number: a reversed `zip` is not inlined.
        for t in (0..steps).rev() {
            let (h, b, to) = (&parent[t], &back[t], &mut to[t]);
            let z = F::vector(self.letter.at(t));
            let mut sum = h[0].mul_add(a, self.gradient[t * self.dim]);
            let old = if self.first { [V::zero(); I] } else { *to };
            to[0] = z.mul_add(a, old[0]);
            let mut all = b[0];
            for k in 0..K {
                sum = h[k + 1].mul_add(b[k], sum);
                to[k + 1] = z.mul_add(b[k], old[k + 1]);
                if k > 0 {
                    all = b[k].mul_add(weights[k + 1], all);
                }
            }
            a = a + all;
            self.gradient[t * self.dim] = sum;
        }
        *self.adjoint = a;
    }

    #[inline(always)]
    fn any(self) {
        let mut a = *self.adjoint;
        let (k, i) = (self.higher, self.higher + 1);
        for t in (0..self.parent.len() / i).rev() {
            let (h, b) = (&self.parent[t * i..][..i], &self.back[t * k..][..k]);
            let (to, z) = (&mut self.to[t * i..][..i], F::vector(self.letter.at(t)));
            if self.first {
                to.fill(V::zero());
            }
            let mut sum = h[0].mul_add(a, self.gradient[t * self.dim]);
            to[0] = z.mul_add(a, to[0]);
            for q in 1..i {
                let b = b[q - 1];
                sum = h[q].mul_add(b, sum);
                to[q] = z.mul_add(b, to[q]);
                a = b.mul_add(V::splat(weight(q)), a);
            }
            self.gradient[t * self.dim] = sum;
        }
        *self.adjoint = a;
    }
}
