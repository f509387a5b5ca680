//! One tile of a signature over a stretch of time: every level above its base.
//!
//! Prepending exp(z) to a signature A, by Horner's rule (Reizenstein 2019): for k = N..1
//! A_k ← h_k(k), h_0(k) = 1, h_j(k) = A_j + z/(k-j+1) ⊗ h_{j-1}(k).
//! The new letter is the slowest index, so the words that end in a suffix need nothing of the others: level j reads
//! the streams h_{j-1}(k) of its parent, k = j..N, keeps A_j in registers along the path and hands up the streams
//! h_j(k), k = j+1..N. The last two levels are done together: see `top`.

use super::letters::{Letters, Spread};
use super::shape::Shape;
use super::top::Top;
use super::walk::{Visit, Walk};
use crate::error::Result;
use crate::simd::{Lanes, Part};

/// Advances the tile over `steps` steps. `stem` is what its base hands up, a row h(k), k = base + 1..=N, a step;
/// `state` holds levels base + 1..=N (`Shape::begin`), `streams` is scratch of `Shape::streams` and `WORDS` vectors a
/// step. `pulse` is told the work done.
#[inline(always)]
pub fn grow<V: Lanes, F: Spread<V>>(
    shape: &Shape,
    steps: usize,
    letters: Letters<'_, F::Item>,
    stem: &[V],
    state: &mut [V],
    streams: &mut [V],
    pulse: &mut impl FnMut(usize) -> Result<()>,
) -> Result<()> {
    let (d, n) = (shape.dim, shape.degree);
    let (streams, words) = streams.split_at_mut(steps * shape.streams());
    let (lower, sums) = state.split_at_mut(shape.begin(n));
    let mut top = |parent: &[V], lower: &mut [V], number: usize| {
        V::call(Top::<V, F> {
            letters,
            parent,
            state: &mut lower[shape.begin(n - 1) + number * d..][..d],
            sums: &mut sums[number * d * d..][..d * d],
            words: &mut *words,
        });
        pulse(steps * d * d)
    };
    if shape.base + 2 == n {
        return top(&stem[..2 * steps], lower, 0);
    }
    let mut walk = Walk::new(shape);
    while let Some(visit) = walk.next() {
        let Visit::Enter(node) = visit else { continue };
        let (below, above) = streams.split_at_mut(steps * shape.streams_below(node.level));
        let higher = n - node.level;
        let own = &mut above[..steps * higher];
        V::call(Branch::<V, F> {
            higher,
            degree: n,
            powers: letters.powers(node.letter, steps),
            parent: shape.parent(steps, node.level, stem, below),
            state: &mut lower[shape.begin(node.level) + node.number],
            out: &mut *own,
        });
        if higher == 2 {
            top(own, lower, node.number)?;
        }
    }
    Ok(())
}

/// One letter more in front of a word: `state` its vector along the path, `out` the streams handed up for `higher`
/// levels, given those of the word, `parent`.
pub struct Branch<'a, 's, V: Lanes, F: Spread<V>> {
    pub higher: usize,
    pub degree: usize,
    pub powers: &'a [F::Item],
    pub parent: &'a [V],
    pub state: &'s mut V,
    pub out: &'s mut [V],
}

impl<V: Lanes, F: Spread<V>> Part<V> for Branch<'_, '_, V, F> {
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

impl<V: Lanes, F: Spread<V>> Branch<'_, '_, V, F> {
    /// `K` streams out, `I` = K + 1 in.
    #[inline(always)]
    fn exactly<const K: usize, const I: usize>(self) {
        let mut a = *self.state;
        let powers = self.powers.chunks_exact(self.degree);
        let rows = self
            .out
            .as_chunks_mut::<K>()
            .0
            .iter_mut()
            .zip(self.parent.as_chunks::<I>().0);
        for ((out, h), z) in rows.zip(powers) {
            let Some(z) = z.first_chunk::<I>() else { return };
            for k in 0..K {
                out[k] = F::vector(z[k + 1]).mul_add(h[k + 1], a);
            }
            a = F::vector(z[0]).mul_add(h[0], a);
        }
        *self.state = a;
    }

    #[inline(always)]
    fn any(self) {
        let mut a = *self.state;
        let powers = self.powers.chunks_exact(self.degree);
        let rows = self
            .out
            .chunks_exact_mut(self.higher)
            .zip(self.parent.chunks_exact(self.higher + 1));
        for ((out, h), z) in rows.zip(powers) {
            for ((to, &h), &z) in out.iter_mut().zip(&h[1..]).zip(&z[1..]) {
                *to = F::vector(z).mul_add(h, a);
            }
            a = F::vector(z[0]).mul_add(h[0], a);
        }
        *self.state = a;
    }
}
