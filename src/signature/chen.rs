//! Chen's identity, S(x * y) = S(x) ⊗ S(y): signatures of pieces joined, and its adjoint.

use super::levels::Levels;
use super::shuffle::Words;
use crate::simd::{Lanes, Part};

/// `sum += factor · term`
#[inline(always)]
fn add_multiple<V: Lanes>(sum: &mut [V::Scalar], factor: V::Scalar, term: &[V::Scalar]) {
    let wide = V::splat(factor);
    let (mut to, mut from) = (sum.chunks_exact_mut(V::LANES), term.chunks_exact(V::LANES));
    for (y, x) in to.by_ref().zip(from.by_ref()) {
        wide.mul_add(V::load(x), V::load(y)).store(y);
    }
    for (y, &x) in to.into_remainder().iter_mut().zip(from.remainder()) {
        *y = *y + factor * x;
    }
}

/// `sum += Σ_u left[u] · rows[u]` for rows of fewer numbers than a vector has: whole vectors are read from where rows
/// begin, several sums at a time.
struct AddShort<'a, 's, S> {
    sum: &'s mut [S],
    left: &'a [S],
    rows: &'a [S],
}

impl<V: Lanes> Part<V> for AddShort<'_, '_, V::Scalar> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        const AT_ONCE: usize = 4;
        let size = self.sum.len();
        let mut sums = [V::zero(); AT_ONCE];
        let whole = (self.left.len() * size).saturating_sub(V::LANES) / size;
        let whole = whole / AT_ONCE * AT_ONCE;
        for (block, left) in self.left[..whole].as_chunks::<AT_ONCE>().0.iter().enumerate() {
            let rows = &self.rows[block * AT_ONCE * size..];
            for u in 0..AT_ONCE {
                sums[u] = V::splat(left[u]).mul_add(V::load(&rows[u * size..]), sums[u]);
            }
        }
        for (u, &left) in self.left.iter().enumerate().skip(whole) {
            let row = V::load_some(&self.rows[u * size..][..size]);
            sums[u % AT_ONCE] = V::splat(left).mul_add(row, sums[u % AT_ONCE]);
        }
        let sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        (V::load_some(self.sum) + sum).store_some(self.sum);
    }
}

/// `second = first ⊗ second`, both with level 0 = 1 left out. From the highest level down, so that what a level needs
/// of the old `second` is still there.
#[inline(always)]
pub fn join<V: Lanes>(levels: &Levels, words: Words, first: &[V::Scalar], second: &mut [V::Scalar]) {
    for k in (1..=levels.degree).rev() {
        let (below, level) = second.split_at_mut(levels.begin(k));
        let level = &mut level[..levels.size(k)];
        if words == Words::All || k < levels.degree {
            join_words::<V>(levels, k, 0, first, below, level);
            continue;
        }
        // Words with a second letter that is no larger than the first: more than are wanted, but of one piece.
        let (each, some) = (levels.size(k - 1), levels.size(k - 2));
        for (letter, level) in level.chunks_exact_mut(each).enumerate() {
            join_words::<V>(
                levels,
                k,
                letter * each,
                first,
                below,
                &mut level[..(letter + 1) * some],
            );
        }
    }
}

/// The words of level `k` from number `begin` on, as many as `sum` has: those of one first letter, or all.
#[inline(always)]
fn join_words<V: Lanes>(
    levels: &Levels,
    k: usize,
    begin: usize,
    first: &[V::Scalar],
    below: &[V::Scalar],
    sum: &mut [V::Scalar],
) {
    for j in 1..k {
        let right = &below[levels.begin(k - j)..][..levels.size(k - j)];
        let left = &first[levels.begin(j)..][begin / right.len()..];
        for (row, &factor) in sum.chunks_mut(right.len()).zip(left) {
            add_multiple::<V>(row, factor, &right[..row.len()]);
        }
    }
    let same = &first[levels.begin(k)..][begin..][..sum.len()];
    add_multiple::<V>(sum, crate::simd::Real::ONE, same);
}

/// The adjoint of S ↦ `first` ⊗ S: levels 1..N-1 of a gradient, in place, given its level N, which does not change:
/// Ā[v] += Σ_u first[u] · Ā[uv].
#[inline(always)]
pub fn contract<V: Lanes>(levels: &Levels, first: &[V::Scalar], lower: &mut [V::Scalar], top: &[V::Scalar]) {
    for m in 1..levels.degree {
        let (level, above) = lower[levels.begin(m)..].split_at_mut(levels.size(m));
        for j in 1..=levels.degree - m {
            let from = if m + j == levels.degree {
                top
            } else {
                &above[levels.begin(m + j) - levels.begin(m + 1)..]
            };
            let left = &first[levels.begin(j)..][..levels.size(j)];
            if level.len() < V::LANES {
                V::call(AddShort {
                    sum: level,
                    left,
                    rows: from,
                });
                continue;
            }
            for (row, &factor) in from.chunks_exact(level.len()).zip(left) {
                add_multiple::<V>(level, factor, row);
            }
        }
    }
}
