//! One tile of a signature over a stretch of time: every level above its base.
//!
//! Prepending exp(z) to a signature A, by Horner's rule (Reizenstein 2019): for k = N..1
//! A_k ← h_k(k), h_0(k) = 1, h_j(k) = A_j + z/(k-j+1) ⊗ h_{j-1}(k).
//! The new letter is the slowest index, so the words that end in a suffix need nothing of the others: level j reads
//! the streams h_{j-1}(k) of its parent, k = j..N, keeps A_j in registers along the path and hands up the streams
//! h_j(k), k = j+1..N. The last two levels are done together: see `top`.

use super::letters::{Letters, Spread};
use super::shape::Shape;
use super::top::{Top, Word};
use super::walk::{Node, Visit, Walk};
use crate::error::Result;
use crate::simd::{Lanes, Part};

/// A stretch of time of a tile.
pub struct Stretch<'a, V, Z> {
    pub shape: Shape,
    pub steps: usize,
    pub letters: Letters<'a, Z>,
    /// What the base hands up: a row h(k), k = base + 1..=N, a step.
    pub stem: &'a [V],
    /// Whether the last level begins at zero, whatever the state is.
    pub fresh: bool,
}

/// Advances the tile. `state` holds levels base + 1..=N (`Shape::begin`), `streams` is scratch of `Shape::streams` and
/// `SCRATCH` vectors a step. The last level goes to `out` instead, if there is one: level N of the signature, the
/// tile's first suffix and how many it has. `pulse` is told the work done.
#[inline(always)]
pub fn grow<V: Lanes, F: Spread<V>>(
    stretch: Stretch<'_, V, F::Item>,
    state: &mut [V],
    streams: &mut [V],
    mut out: Option<(&mut [V::Scalar], usize, usize)>,
    pulse: &mut impl FnMut(usize) -> Result<()>,
) -> Result<()> {
    let Stretch {
        shape,
        steps,
        letters,
        stem,
        fresh,
    } = stretch;
    let (d, n) = (shape.dim, shape.degree);
    let (streams, scratch) = streams.split_at_mut(steps * shape.streams());
    let (lower, sums) = state.split_at_mut(shape.begin(n));
    let suffixes = d.pow(shape.base as u32);
    let mut walk = Walk::new(&shape);
    // The empty word counts where there is no other.
    let mut next = if shape.base + 2 == n {
        Some(Visit::Enter(Node::default()))
    } else {
        walk.next()
    };
    while let Some(visit) = next {
        let Visit::Enter(node) = visit else {
            next = walk.next();
            continue;
        };
        let whole = node.level == 0;
        let higher = n - node.level;
        let powers = letters.powers(node.letter, steps);
        let (below, above) = streams.split_at_mut(steps * shape.streams_below(node.level));
        let parent = if whole {
            &stem[..2 * steps]
        } else {
            shape.parent(steps, node.level, stem, below)
        };
        if !whole && higher > 2 {
            V::call(Branch::<V, F> {
                higher,
                degree: n,
                powers,
                parent,
                state: &mut lower[shape.begin(node.level) + node.number],
                out: &mut above[..steps * higher],
            });
            next = walk.next();
            continue;
        }
        let (words, own) = lower.split_at_mut(shape.begin(n - 1));
        let (words, own) = (words.get_mut(shape.begin(n - 2).saturating_add(node.number)), own);
        let word = match (whole, words) {
            (false, Some(state)) => Some(Word { powers, state }),
            _ => None,
        };
        // A tile that is done in one go needs its last level only until it is written.
        let at = if fresh && out.is_some() { 0 } else { node.number * d * d };
        let sums = &mut sums[at..][..d * d];
        V::call(Top::<V, F> {
            letters,
            parent,
            word,
            state: &mut own[node.number * d..][..d],
            sums: &mut *sums,
            fresh,
            scratch: &mut *scratch,
        });
        if let Some((level, first, count)) = &mut out {
            let stride = shape.words(n - 2) * suffixes;
            let at = node.word * suffixes + *first;
            // First letters are the slower ones in the level, second letters in the state.
            for (letter, level) in level.chunks_exact_mut(stride * d).enumerate() {
                for (row, sums) in level.chunks_exact_mut(stride).zip(sums.chunks_exact(d)) {
                    sums[letter].store_some(&mut row[at..][..*count]);
                }
            }
        }
        pulse(steps * d * d)?;
        next = walk.next();
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
