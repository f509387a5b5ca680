//! Chen's identity, S(x * y) = S(x) ⊗ S(y): signatures of pieces joined, and its adjoint.

use super::letters::blocks;
use super::levels::Levels;
use super::shuffle::Words;
use crate::simd::{Lanes, Part, Real};

/// `sum += factor · term`
#[inline(always)]
pub fn add_multiple<V: Lanes>(sum: &mut [V::Scalar], factor: V::Scalar, term: &[V::Scalar]) {
    let Some(last) = sum.len().checked_sub(V::LANES) else {
        for (y, &x) in sum.iter_mut().zip(term) {
            *y = *y + factor * x;
        }
        return;
    };
    let wide = V::splat(factor);
    // The last vector overlaps the one before it rather than be short.
    let end = wide.mul_add(V::load(&term[last..]), V::load(&sum[last..]));
    for (y, x) in sum.chunks_exact_mut(V::LANES).zip(term.chunks_exact(V::LANES)) {
        wide.mul_add(V::load(x), V::load(y)).store(y);
    }
    end.store(&mut sum[last..]);
}

/// `sum += Σ_u left[u] · rows[u]` for rows of a vector or more.
struct AddRows<'a, 's, S> {
    sum: &'s mut [S],
    left: &'a [S],
    rows: &'a [S],
}

impl<V: Lanes> Part<V> for AddRows<'_, '_, V::Scalar> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let last = self.sum.len() - V::LANES;
        // As it is before the vectors that it overlaps are done.
        let end = V::load(&self.sum[last..]);
        let vectors = self.sum.len().div_ceil(V::LANES);
        for (v, count) in blocks(vectors, 8) {
            let end = (v + count == vectors).then_some(end);
            match count {
                1 => self.block::<V, 1>(v, end),
                2 => self.block::<V, 2>(v, end),
                3 => self.block::<V, 3>(v, end),
                4 => self.block::<V, 4>(v, end),
                5 => self.block::<V, 5>(v, end),
                6 => self.block::<V, 6>(v, end),
                7 => self.block::<V, 7>(v, end),
                _ => self.block::<V, 8>(v, end),
            }
        }
    }
}

impl<S: Real> AddRows<'_, '_, S> {
    /// K vectors from number `v` on; `end` is the last one, where that is among them.
    #[inline(always)]
    fn block<V: Lanes<Scalar = S>, const K: usize>(&mut self, v: usize, end: Option<V>) {
        let size = self.sum.len();
        let begin = v * V::LANES;
        let last = (begin + (K - 1) * V::LANES).min(size - V::LANES);
        let mut sums = [V::zero(); K];
        for k in 0..K - 1 {
            sums[k] = V::load(&self.sum[begin + k * V::LANES..]);
        }
        sums[K - 1] = end.unwrap_or(V::load(&self.sum[last..]));
        for (&left, row) in self.left.iter().zip(self.rows.chunks_exact(size)) {
            let (left, near) = (V::splat(left), &row[begin..][..(K - 1) * V::LANES]);
            for k in 0..K - 1 {
                sums[k] = left.mul_add(V::load(&near[k * V::LANES..]), sums[k]);
            }
            sums[K - 1] = left.mul_add(V::load(&row[last..]), sums[K - 1]);
        }
        for k in 0..K - 1 {
            sums[k].store(&mut self.sum[begin + k * V::LANES..]);
        }
        sums[K - 1].store(&mut self.sum[last..]);
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
    add_multiple::<V>(sum, Real::ONE, same);
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
            V::call(AddRows {
                sum: level,
                left,
                rows: from,
            });
        }
    }
}
