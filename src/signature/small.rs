//! Small signatures of several paths, one a lane: all coefficients that end in one letter stay in registers.
//!
//! The same recurrence as in `tile`, coefficient by coefficient, h_j(k) = A_j/(k-j)! + z ⊗ h_{j-1}(k), with every loop
//! unrolled: a signature is a type, one level on the other.

use super::letters::weight;
use super::tile::largest_letter;
use crate::path::Ahead;
use crate::simd::{Lanes, Part};

/// Whether there is a kernel for such signatures.
pub const fn exists(dim: usize, degree: usize) -> bool {
    matches!((dim, degree), (2, 2..=6) | (3, 2..=4) | (4..=6, 2..=3) | (7..=8, 2))
}

/// Does `steps` of the one type that has a task's shape: what there is a kernel for, once for values and gradients.
macro_rules! by_shape {
    ($task:ident) => {
        match ($task.dim, $task.degree) {
            (2, 2) => $task.steps::<2, Two<V, 2>>(),
            (2, 3) => $task.steps::<2, Three<V, 2, 4>>(),
            (2, 4) => $task.steps::<2, Four<V, 2, 4, 8>>(),
            (2, 5) => $task.steps::<2, Five<V, 2, 4, 8, 16>>(),
            (2, 6) => $task.steps::<2, Six<V, 2, 4, 8, 16, 32>>(),
            (3, 2) => $task.steps::<3, Two<V, 3>>(),
            (3, 3) => $task.steps::<3, Three<V, 3, 9>>(),
            (3, 4) => $task.steps::<3, Four<V, 3, 9, 27>>(),
            (4, 2) => $task.steps::<4, Two<V, 4>>(),
            (4, 3) => $task.steps::<4, Three<V, 4, 16>>(),
            (5, 2) => $task.steps::<5, Two<V, 5>>(),
            (5, 3) => $task.steps::<5, Three<V, 5, 25>>(),
            (6, 2) => $task.steps::<6, Two<V, 6>>(),
            (6, 3) => $task.steps::<6, Three<V, 6, 36>>(),
            (7, 2) => $task.steps::<7, Two<V, 7>>(),
            (8, 2) => $task.steps::<8, Two<V, 8>>(),
            (dim, degree) => unreachable!("no kernel for ({dim}, {degree})"),
        }
    };
}
pub(super) use by_shape;

/// Advances the signatures by steps of `dim` increments each, `rows`, the last one first. `state` has, for every letter
/// that a word can end in, one level after the other, words in lexicographic order.
pub struct Small<'a, 's, V: Lanes> {
    pub dim: usize,
    pub degree: usize,
    /// Of the last level only words whose first letter is their largest.
    pub fewer: bool,
    pub rows: &'a [V],
    pub state: &'s mut [V],
    pub ahead: &'a mut Ahead<V::Scalar>,
}

impl<V: Lanes> Part<V> for Small<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        by_shape!(self)
    }
}

impl<V: Lanes> Small<'_, '_, V> {
    #[inline(always)]
    fn steps<const D: usize, W: Words<V, D>>(self) {
        if const { size_of::<V::Scalar>() == 8 && W::DEGREE > 2 } && self.fewer {
            self.sweep::<D, W, true>();
        } else {
            self.sweep::<D, W, false>();
        }
    }

    #[inline(always)]
    fn sweep<const D: usize, W: Words<V, D>, const FEWER: bool>(self) {
        for (last, state) in self.state.chunks_exact_mut(W::SIZE).enumerate() {
            let mut words = W::load(state);
            for row in self.rows.as_chunks::<D>().0.iter().rev() {
                self.ahead.step::<V>();
                let z = Factors::new(row, last);
                if FEWER {
                    words.step_fewer(&z, last);
                } else {
                    words.step(&z);
                }
            }
            words.store(state);
        }
    }
}

/// The letters of a step, and the one that words end in.
pub struct Factors<V, const D: usize> {
    pub all: [V; D],
    pub last: V,
}

impl<V: Lanes, const D: usize> Factors<V, D> {
    #[inline(always)]
    pub fn new(z: &[V; D], last: usize) -> Self {
        Factors { all: *z, last: z[last] }
    }
}

/// The words that end in one letter, up to some level.
pub trait Words<V: Lanes, const D: usize>: Copy {
    const DEGREE: usize;
    /// Vectors of all levels.
    const SIZE: usize;
    /// The words of the last level.
    type Level: Copy;

    fn load(state: &[V]) -> Self;
    fn store(&self, state: &mut [V]);
    /// h of the last level, for the level `m` above it.
    fn stream(&self, z: &Factors<V, D>, m: usize) -> Self::Level;
    /// Puts a step in front.
    fn step(&mut self, z: &Factors<V, D>);
    /// The same, but of the last level only words whose first letter is their largest; they end in letter `last`.
    fn step_fewer(&mut self, z: &Factors<V, D>, last: usize);
}

/// Level 1: the letter itself.
#[derive(Clone, Copy)]
pub struct One<V>(pub [V; 1]);

/// A level of Q = D · P words on the levels `below`, the last of which has P.
#[derive(Clone, Copy)]
pub struct On<V, B, const P: usize, const Q: usize> {
    pub below: B,
    pub level: [V; Q],
}

pub type Two<V, const D: usize> = On<V, One<V>, 1, D>;
pub type Three<V, const D: usize, const D2: usize> = On<V, Two<V, D>, D, D2>;
pub type Four<V, const D: usize, const D2: usize, const D3: usize> = On<V, Three<V, D, D2>, D2, D3>;
pub type Five<V, const D: usize, const D2: usize, const D3: usize, const D4: usize> = On<V, Four<V, D, D2, D3>, D3, D4>;
pub type Six<V, const D: usize, const D2: usize, const D3: usize, const D4: usize, const D5: usize> =
    On<V, Five<V, D, D2, D3, D4>, D4, D5>;

impl<V: Lanes, const D: usize> Words<V, D> for One<V> {
    const DEGREE: usize = 1;
    const SIZE: usize = 1;
    type Level = [V; 1];

    #[inline(always)]
    fn load(state: &[V]) -> Self {
        One([state[0]])
    }

    #[inline(always)]
    fn store(&self, state: &mut [V]) {
        state[0] = self.0[0];
    }

    #[inline(always)]
    fn stream(&self, z: &Factors<V, D>, m: usize) -> [V; 1] {
        let [own] = weighted(&self.0, m);
        [if m == 0 {
            own + z.last
        } else {
            z.last.mul_add(V::splat(weight(m + 1)), own)
        }]
    }

    #[inline(always)]
    fn step(&mut self, z: &Factors<V, D>) {
        self.0 = self.stream(z, 0);
    }

    #[inline(always)]
    fn step_fewer(&mut self, z: &Factors<V, D>, _: usize) {
        self.step(z);
    }
}

impl<V, B, const D: usize, const P: usize, const Q: usize> Words<V, D> for On<V, B, P, Q>
where
    V: Lanes,
    B: Words<V, D, Level = [V; P]>,
{
    const DEGREE: usize = B::DEGREE + 1;
    const SIZE: usize = B::SIZE + Q;
    type Level = [V; Q];

    #[inline(always)]
    fn load(state: &[V]) -> Self {
        let (below, own) = state.split_at(B::SIZE);
        let mut level = [V::zero(); Q];
        level.copy_from_slice(&own[..Q]);
        On {
            below: B::load(below),
            level,
        }
    }

    #[inline(always)]
    fn store(&self, state: &mut [V]) {
        let (below, own) = state.split_at_mut(B::SIZE);
        self.below.store(below);
        own[..Q].copy_from_slice(&self.level);
    }

    #[inline(always)]
    fn stream(&self, z: &Factors<V, D>, m: usize) -> [V; Q] {
        put_before(&z.all, &self.below.stream(z, m + 1), &weighted(&self.level, m))
    }

    #[inline(always)]
    fn step(&mut self, z: &Factors<V, D>) {
        // From the highest level down: each needs the old ones below it.
        self.level = self.stream(z, 0);
        self.below.step(z);
    }

    #[inline(always)]
    fn step_fewer(&mut self, z: &Factors<V, D>, last: usize) {
        let h = self.below.stream(z, 1);
        let blocks = self.level.as_chunks_mut::<P>().0.iter_mut().zip(&z.all);
        for (first, (block, z)) in blocks.enumerate() {
            if first >= last {
                for p in 0..P {
                    if const { largest_letters::<D, P>() }[p] <= first {
                        block[p] = z.mul_add(h[p], block[p]);
                    }
                }
            }
        }
        self.below.step(z);
    }
}

/// The largest letter of each of P words.
const fn largest_letters<const D: usize, const P: usize>() -> [usize; P] {
    let (mut all, mut word) = ([0; P], 0);
    while word < P {
        all[word] = largest_letter(word, D);
        word += 1;
    }
    all
}

/// Words over m!.
#[inline(always)]
pub fn weighted<V: Lanes, const Q: usize>(words: &[V; Q], m: usize) -> [V; Q] {
    let mut all = *words;
    if m > 1 {
        for word in &mut all {
            *word = *word * V::splat(weight(m));
        }
    }
    all
}

/// a + z ⊗ h: Q = D · P words.
#[inline(always)]
pub fn put_before<V: Lanes, const D: usize, const P: usize, const Q: usize>(
    z: &[V; D],
    h: &[V; P],
    a: &[V; Q],
) -> [V; Q] {
    let mut sum = *a;
    for (block, z) in sum.as_chunks_mut::<P>().0.iter_mut().zip(z) {
        for p in 0..P {
            block[p] = z.mul_add(h[p], block[p]);
        }
    }
    sum
}
