//! One tile of a signature over a stretch of time: every level above its base.
//!
//! Prepending exp(z) to a signature A: A_k ← Σ_j z^(k-j)/(k-j)! ⊗ A_j, by Horner's rule (Reizenstein 2019) for k = N..1:
//! A_k ← h_k(k), h_0(k) = 1/k!, h_j(k) = A_j/(k-j)! + z ⊗ h_{j-1}(k).
//! The new letter is the slowest index, so the words that end in a suffix need nothing of the others: level j reads
//! the streams h_{j-1}(k) of its parent, k = j..N, keeps A_j in registers along the path and hands up the streams
//! h_j(k), k = j+1..N. The last two levels are done together: see `top`.

use super::letters::{Column, Letters, Spread, blocks, weight, weights};
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
    /// Of the last level only words whose first letter is no less than the others, where this is given: the largest
    /// letter of a suffix, the least of those of all lanes.
    pub largest: Option<usize>,
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
        largest,
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
        let column = letters.column(node.letter);
        let (below, above) = streams.split_at_mut(steps * shape.streams_below(node.level));
        let parent = if whole {
            &stem[..2 * steps]
        } else {
            shape.parent(steps, node.level, stem, below)
        };
        if !whole && higher > 2 {
            V::call(Branch::<V, F> {
                higher,
                letter: column,
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
            (false, Some(state)) => Some(Word { letter: column, state }),
            _ => None,
        };
        // A tile that is done in one go needs its last level only until it is written.
        let at = if fresh && out.is_some() { 0 } else { node.number * d * d };
        let sums = &mut sums[at..][..d * d];
        let least = largest.map(|largest| largest.max(largest_letter(node.word, d)));
        V::call(Top::<V, F> {
            letters,
            parent,
            least,
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
            for (letter, level) in level.chunks_exact_mut(stride * d).enumerate().skip(least.unwrap_or(0)) {
                let seconds = if least.is_some() { letter + 1 } else { d };
                for (row, sums) in level.chunks_exact_mut(stride).zip(sums.chunks_exact(d)).take(seconds) {
                    sums[letter].store_some(&mut row[at..][..*count]);
                }
            }
        }
        pulse(steps * d * d)?;
        next = walk.next();
    }
    Ok(())
}

/// The largest letter of the word of this number, of whatever length: zeros in front of it change nothing.
#[inline(always)]
pub const fn largest_letter(mut word: usize, dim: usize) -> usize {
    let mut largest = 0;
    while word > 0 {
        if largest < word % dim {
            largest = word % dim;
        }
        word /= dim;
    }
    largest
}

/// One letter more in front of a word: `state` its vector along the path, `out` the streams handed up for `higher`
/// levels, given those of the word, `parent`.
pub struct Branch<'a, 's, V: Lanes, F: Spread<V>> {
    pub higher: usize,
    pub letter: Column<'a, F::Item>,
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
        let weights = weights::<V, I>();
        let rows = self.out.as_chunks_mut::<K>().0.iter_mut();
        for (t, (out, h)) in rows.zip(self.parent.as_chunks::<I>().0).enumerate() {
            let z = F::vector(self.letter.at(t));
            out[0] = z.mul_add(h[1], a);
            for k in 1..K {
                out[k] = z.mul_add(h[k + 1], a * weights[k + 1]);
            }
            a = z.mul_add(h[0], a);
        }
        *self.state = a;
    }

    #[inline(always)]
    fn any(self) {
        let mut a = *self.state;
        let k = self.higher;
        for t in 0..self.out.len() / k {
            let z = F::vector(self.letter.at(t));
            let (out, h) = (&mut self.out[t * k..][..k], &self.parent[t * (k + 1)..][..k + 1]);
            for q in 1..=k {
                out[q - 1] = z.mul_add(h[q], a * V::splat(weight(q)));
            }
            a = z.mul_add(h[0], a);
        }
        *self.state = a;
    }
}

/// Advances the levels below the last one only: what `grow` leaves in `state`, without its sums.
#[inline(always)]
pub fn advance<V: Lanes, F: Spread<V>>(stretch: Stretch<'_, V, F::Item>, state: &mut [V], streams: &mut [V]) {
    let Stretch {
        shape,
        steps,
        letters,
        stem,
        ..
    } = stretch;
    let (d, n) = (shape.dim, shape.degree);
    if shape.base + 2 == n {
        return V::call(Words::<V, F> {
            letters,
            parent: &stem[..2 * steps],
            word: None,
            state: &mut state[..d],
        });
    }
    let mut walk = Walk::new(&shape);
    while let Some(visit) = walk.next() {
        let Visit::Enter(node) = visit else { continue };
        let higher = n - node.level;
        let (below, above) = streams.split_at_mut(steps * shape.streams_below(node.level));
        let (letter, parent) = (
            letters.column(node.letter),
            shape.parent(steps, node.level, stem, below),
        );
        let (state, words) = state.split_at_mut(shape.begin(n - 1));
        let state = &mut state[shape.begin(node.level) + node.number];
        if higher == 2 {
            V::call(Words::<V, F> {
                letters,
                parent,
                word: Some(Word { letter, state }),
                state: &mut words[node.number * d..][..d],
            });
        } else {
            V::call(Branch::<V, F> {
                higher,
                letter,
                parent,
                state,
                out: &mut above[..steps * higher],
            });
        }
    }
}

/// A_i += z_i · y of the words of level N-1 over one that hands up (y, x). Or over a word of level N-2 that goes on the way,
/// as `Branch` has it: `parent` has (h(N-2), h(N-1), h(N)) a step then.
struct Words<'a, 's, V: Lanes, F: Spread<V>> {
    letters: Letters<'a, F::Item>,
    parent: &'a [V],
    word: Option<Word<'a, 's, V, F::Item>>,
    state: &'s mut [V],
}

impl<V: Lanes, F: Spread<V>> Part<V> for Words<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let mut after = None;
        for (i, count) in blocks(self.letters.dim, 8) {
            after = match count {
                1 => self.block::<1>(i),
                2 => self.block::<2>(i),
                3 => self.block::<3>(i),
                4 => self.block::<4>(i),
                5 => self.block::<5>(i),
                6 => self.block::<6>(i),
                7 => self.block::<7>(i),
                _ => self.block::<8>(i),
            };
        }
        if let (Some(word), Some(after)) = (self.word, after) {
            *word.state = after;
        }
    }
}

impl<V: Lanes, F: Spread<V>> Words<'_, '_, V, F> {
    /// A words from `i` on; gives the word below them after the last step.
    #[inline(always)]
    fn block<const A: usize>(&mut self, i: usize) -> Option<V> {
        let mut a = [V::zero(); A];
        a.copy_from_slice(&self.state[i..][..A]);
        let mut after = None;
        if let Some(word) = &self.word {
            let mut own = *word.state;
            for (t, h) in self.parent.as_chunks::<3>().0.iter().enumerate() {
                let z = F::vector(word.letter.at(t));
                let y = z.mul_add(h[1], own);
                own = z.mul_add(h[0], own);
                self.add(&mut a, t, i, y);
            }
            after = Some(own);
        } else {
            for (t, [y, _]) in self.parent.as_chunks::<2>().0.iter().enumerate() {
                self.add(&mut a, t, i, *y);
            }
        }
        self.state[i..][..A].copy_from_slice(&a);
        after
    }

    #[inline(always)]
    fn add<const A: usize>(&self, a: &mut [V; A], t: usize, i: usize, y: V) {
        let z = &self.letters.row(t)[i..][..A];
        for l in 0..A {
            a[l] = F::vector(z[l]).mul_add(y, a[l]);
        }
    }
}
