//! The adjoint of the levels below the tiles, step by step back in time.

use super::base::{Base, width};
use super::letters::{Letters, reciprocal};
use super::levels::Levels;
use crate::error::{Result, try_vec, try_with_room};
use crate::simd::{Lanes, Real};

/// Scratch: adjoints of the levels, and of the streams of one step.
pub struct BaseAdjoint<V: Lanes> {
    levels: Levels,
    base: usize,
    /// Ā_j, with two vectors of zeros at the end: rows are read in whole vectors.
    state: Vec<Vec<V>>,
    /// h̄_j(k) of a step, k = j + 1..=N, for the levels below the last.
    streams: Vec<Vec<V>>,
}

impl<V: Lanes> BaseAdjoint<V> {
    #[inline(always)]
    pub fn new(levels: &Levels, base: usize) -> Result<Self> {
        let (mut state, mut streams) = (try_with_room(base)?, try_with_room(base)?);
        for j in 1..=base {
            let width = width::<V>(levels, j);
            state.push(try_vec(width + 2, V::zero())?);
            streams.push(try_vec((levels.degree - j) * width + 2, V::zero())?);
        }
        Ok(BaseAdjoint {
            levels: *levels,
            base,
            state,
            streams,
        })
    }

    /// Vectors a step of what the tiles hand back: h̄(k) of the last level of the base, k = base + 1..=N.
    #[inline(always)]
    pub fn stem(&self) -> usize {
        (self.levels.degree - self.base) * width::<V>(&self.levels, self.base)
    }

    /// `lower` has the adjoints of the levels after the last step, `stem` what the tiles hand back, with two vectors
    /// of zeros at the end. Adds z̄ to `gradient`, by lanes, or for level 1 to `sums`, a row of `dim` numbers a step.
    #[inline(always)]
    pub fn run(
        &mut self,
        base: &Base<V>,
        steps: usize,
        letters: Letters<'_, V::Scalar>,
        lower: &[V::Scalar],
        stem: &[V],
        gradient: &mut [V],
        sums: &mut [V::Scalar],
    ) {
        let d = self.levels.dim;
        for (j, state) in (1..).zip(&mut self.state) {
            let from = &lower[self.levels.begin(j)..][..self.levels.size(j)];
            let state = V::scalars_mut(state);
            state[..from.len()].copy_from_slice(from);
            state[from.len()..].fill(V::Scalar::ZERO);
        }
        let stride = self.stem();
        for t in (0..steps).rev() {
            let gradient = &mut gradient[t * d..][..d];
            for j in (2..=self.base).rev() {
                let (below, above) = self.streams.split_at_mut(j - 1);
                let back = if j == self.base {
                    &stem[t * stride..]
                } else {
                    &above[0][..]
                };
                let to = V::scalars_mut(&mut below[j - 2]);
                let state = V::scalars_mut(&mut self.state[j - 1]);
                level::<V>(&self.levels, j, base, t, letters, V::scalars(back), state, gradient, to);
            }
            let back = if self.base == 1 {
                &stem[t * stride..]
            } else {
                &self.streams[0][..]
            };
            let state = V::scalars_mut(&mut self.state[0]);
            first_level::<V>(&self.levels, V::scalars(back), state, &mut sums[t * d..][..d]);
        }
    }
}

/// Level 1: h_0 = 1.
#[inline(always)]
fn first_level<V: Lanes>(levels: &Levels, back: &[V::Scalar], state: &mut [V::Scalar], sums: &mut [V::Scalar]) {
    let width = width::<V>(levels, 1) * V::LANES;
    for (sum, &a) in sums.iter_mut().zip(&*state) {
        *sum = a;
    }
    for (q, row) in (2..=levels.degree).zip(back.chunks_exact(width)) {
        let over = reciprocal::<V::Scalar>(q);
        for ((sum, a), &b) in sums.iter_mut().zip(&mut *state).zip(row) {
            *sum = *sum + over * b;
            *a = *a + b;
        }
    }
}

/// Level j at step t: `back` has h̄_j(k), k = j + 1..=N, `to` takes h̄_{j-1}(k), k = j..=N.
#[inline(always)]
fn level<V: Lanes>(
    levels: &Levels,
    j: usize,
    base: &Base<V>,
    t: usize,
    letters: Letters<'_, V::Scalar>,
    back: &[V::Scalar],
    state: &mut [V::Scalar],
    gradient: &mut [V],
    to: &mut [V::Scalar],
) {
    let length = levels.size(j - 1);
    let (wide, to_wide) = (width::<V>(levels, j) * V::LANES, width::<V>(levels, j - 1) * V::LANES);
    for (q, k) in (1..).zip(j..=levels.degree) {
        let rows = if q == 1 { &*state } else { &back[(q - 2) * wide..] };
        let h = base.row(j - 1, k, t);
        let over = V::splat(reciprocal(q));
        for (v, h) in h.chunks_exact(V::LANES).enumerate() {
            let h = V::load(h) * over;
            let mut sum = V::zero();
            for (i, gradient) in gradient.iter_mut().enumerate() {
                let b = V::load(&rows[i * length + v * V::LANES..]);
                *gradient = h.mul_add(b, *gradient);
                sum = V::splat(letters.over(i, t, q)).mul_add(b, sum);
            }
            sum.store(&mut to[(q - 1) * to_wide + v * V::LANES..]);
        }
    }
    for row in back.chunks_exact(wide).take(levels.degree - j) {
        let pairs = state.chunks_exact_mut(V::LANES).zip(row.chunks_exact(V::LANES));
        for (a, b) in pairs {
            (V::load(a) + V::load(b)).store(a);
        }
    }
}
