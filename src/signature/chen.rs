//! Chen's identity, S(x * y) = S(x) ⊗ S(y): signatures of pieces joined, and its adjoint.

use super::levels::Levels;
use crate::simd::Lanes;

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

/// `second = first ⊗ second`, both with level 0 = 1 left out. From the highest level down, so that what a level needs
/// of the old `second` is still there.
#[inline(always)]
pub fn join<V: Lanes>(levels: &Levels, first: &[V::Scalar], second: &mut [V::Scalar]) {
    for k in (1..=levels.degree).rev() {
        let (below, level) = second.split_at_mut(levels.begin(k));
        let level = &mut level[..levels.size(k)];
        for j in 1..k {
            let (left, right) = (
                &first[levels.begin(j)..],
                &below[levels.begin(k - j)..][..levels.size(k - j)],
            );
            for (row, &factor) in level.chunks_exact_mut(right.len()).zip(left) {
                add_multiple::<V>(row, factor, right);
            }
        }
        add_multiple::<V>(
            level,
            crate::simd::Real::ONE,
            &first[levels.begin(k)..][..levels.size(k)],
        );
    }
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
            for (row, &factor) in from.chunks_exact(level.len()).zip(left) {
                add_multiple::<V>(level, factor, row);
            }
        }
    }
}
