//! The adjoint of `small`: given ∂F/∂A of every level after the last step, what each increment gets.
//!
//! All of one step is unrolled, for one ending letter at a time. Back in time, with b = h̄_j(k), and b = Ā_k for j = k:
//! z̄_i += <h_{j-1}(k), b[i]>,  h̄_{j-1}(k) = Σ_i z_i · b[i],  Ā_j += h̄_j(k)/(k-j)! for j < k. The states before
//! each step are stored on the way forth, but for the last level, of which nothing is needed; streams are recomputed.

use super::letters::weight;
use super::small::{Factors, Five, Four, On, One, Six, Three, Two, Words, by_shape, put_before, weighted};
use crate::path::Ahead;
use crate::simd::{Lanes, Part};

/// Vectors a step of `history`.
pub fn memory(dim: usize, degree: usize) -> usize {
    (0..degree as u32 - 1).map(|k| dim.pow(k)).sum()
}

/// Pulls gradients back through steps of `dim` increments each, `rows` and `gradient` (set), in the order of time.
pub struct SmallAdjoint<'a, 's, V: Lanes> {
    pub dim: usize,
    pub degree: usize,
    pub rows: &'a [V],
    /// The signature before all steps, ordered as in `Small`; of the last level nothing is needed.
    pub state: &'a [V],
    /// The adjoint after all steps, ordered likewise.
    pub adjoint: &'a [V],
    pub gradient: &'s mut [V],
    /// Scratch of `memory` vectors a step.
    pub history: &'s mut [V],
    pub ahead: &'a mut Ahead<V::Scalar>,
}

impl<V: Lanes> Part<V> for SmallAdjoint<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        by_shape!(self)
    }
}

impl<V: Lanes> SmallAdjoint<'_, '_, V> {
    #[inline(always)]
    fn steps<const D: usize, W: Adjoint<V, D>>(self)
    where
        W::Below: Words<V, D>,
    {
        let size = <W::Below as Words<V, D>>::SIZE;
        let rows = self.rows.as_chunks::<D>().0;
        let steps = rows.len();
        let gradient = &mut self.gradient.as_chunks_mut::<D>().0[..steps];
        let history = &mut self.history[..steps * size];
        let endings = self.state.chunks_exact(W::SIZE).zip(self.adjoint.chunks_exact(W::SIZE));
        for (last, (state, adjoint)) in endings.enumerate() {
            let mut state = W::Below::load(state);
            for t in (0..steps).rev() {
                self.ahead.step::<V>();
                state.store(&mut history[t * size..][..size]);
                state.step(&Factors::new(&rows[t], last));
            }
            let mut adjoint = W::load(adjoint);
            for t in 0..steps {
                self.ahead.step::<V>();
                let z = Factors::new(&rows[t], last);
                let before = W::Below::load(&history[t * size..][..size]);
                let mut sums = Sums {
                    all: if last == 0 { [V::zero(); D] } else { gradient[t] },
                    last: V::zero(),
                };
                adjoint.pull_back(&before, &z, &mut sums);
                gradient[t] = sums.all;
                gradient[t][last] = gradient[t][last] + sums.last;
            }
        }
    }
}

/// z̄ of a step: of all letters, and what the one that words end in gets as their end.
struct Sums<V, const D: usize> {
    all: [V; D],
    last: V,
}

/// sum + back/m!
#[inline(always)]
fn plus<V: Lanes>(sum: V, back: V, m: usize) -> V {
    if m > 1 {
        back.mul_add(V::splat(weight(m)), sum)
    } else {
        sum + back
    }
}

/// Words as adjoints of words.
trait Adjoint<V: Lanes, const D: usize>: Words<V, D> {
    /// The levels below the last.
    type Below: Copy;
    /// Streams h of all levels for one level above them; and of those below the last.
    type Streams: Copy;
    type Parents: Copy;

    fn below(&self) -> &Self::Below;
    fn streams(&self, z: &Factors<V, D>, m: usize) -> Self::Streams;
    fn split(streams: &Self::Streams) -> (&Self::Parents, &Self::Level);
    /// Adds h̄ of the last level, for the level `m` above it.
    fn add(&mut self, back: &Self::Level, m: usize);
    /// Hands `back` = h̄ of the last level, for the level `m` above it, to all below.
    fn hand_back(
        &mut self,
        back: &Self::Level,
        parents: &Self::Parents,
        z: &Factors<V, D>,
        m: usize,
        sums: &mut Sums<V, D>,
    );
    /// One step, in front of `state`.
    fn pull_back(&mut self, state: &Self::Below, z: &Factors<V, D>, sums: &mut Sums<V, D>);
}

impl<V: Lanes, const D: usize> Adjoint<V, D> for One<V> {
    type Below = ();
    type Streams = [V; 1];
    type Parents = ();

    #[inline(always)]
    fn below(&self) -> &() {
        &()
    }

    #[inline(always)]
    fn streams(&self, z: &Factors<V, D>, m: usize) -> [V; 1] {
        self.stream(z, m)
    }

    #[inline(always)]
    fn split(streams: &[V; 1]) -> (&(), &[V; 1]) {
        (&(), streams)
    }

    #[inline(always)]
    fn add(&mut self, back: &[V; 1], m: usize) {
        self.0[0] = plus(self.0[0], back[0], m);
    }

    #[inline(always)]
    fn hand_back(&mut self, back: &[V; 1], _: &(), _: &Factors<V, D>, m: usize, sums: &mut Sums<V, D>) {
        sums.last = plus(sums.last, back[0], m + 1);
    }

    #[inline(always)]
    fn pull_back(&mut self, _: &(), _: &Factors<V, D>, sums: &mut Sums<V, D>) {
        sums.last = sums.last + self.0[0];
    }
}

impl<V, B, const D: usize, const P: usize, const Q: usize> Adjoint<V, D> for On<V, B, P, Q>
where
    V: Lanes,
    B: Adjoint<V, D, Level = [V; P]>,
{
    type Below = B;
    type Streams = (B::Streams, [V; Q]);
    type Parents = B::Streams;

    #[inline(always)]
    fn below(&self) -> &B {
        &self.below
    }

    #[inline(always)]
    fn streams(&self, z: &Factors<V, D>, m: usize) -> Self::Streams {
        let below = self.below.streams(z, m + 1);
        let (_, h) = B::split(&below);
        let own = put_before(&z.all, h, &weighted(&self.level, m));
        (below, own)
    }

    #[inline(always)]
    fn split(streams: &Self::Streams) -> (&B::Streams, &[V; Q]) {
        (&streams.0, &streams.1)
    }

    #[inline(always)]
    fn add(&mut self, back: &[V; Q], m: usize) {
        for w in 0..Q {
            self.level[w] = plus(self.level[w], back[w], m);
        }
    }

    #[inline(always)]
    fn hand_back(&mut self, back: &[V; Q], parents: &B::Streams, z: &Factors<V, D>, m: usize, sums: &mut Sums<V, D>) {
        let (deeper, h) = B::split(parents);
        let mut down = [V::zero(); P];
        for p in 0..P {
            for i in 0..D {
                let b = back[i * P + p];
                sums.all[i] = h[p].mul_add(b, sums.all[i]);
                down[p] = if i == 0 {
                    z.all[i] * b
                } else {
                    z.all[i].mul_add(b, down[p])
                };
            }
        }
        self.below.add(&down, m + 1);
        self.below.hand_back(&down, deeper, z, m + 1, sums);
    }

    #[inline(always)]
    fn pull_back(&mut self, state: &B, z: &Factors<V, D>, sums: &mut Sums<V, D>) {
        // From the lowest level up: each needs the adjoints before the levels above it add to them.
        self.below.pull_back(state.below(), z, sums);
        let back = self.level;
        self.hand_back(&back, &state.streams(z, 1), z, 0, sums);
    }
}
