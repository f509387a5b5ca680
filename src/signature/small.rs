//! Small signatures of several paths, one a lane: all coefficients that end in one letter stay in registers.
//!
//! The same recurrence as in `tile`, coefficient by coefficient, h_j(k) = A_j + z/(k-j+1) ⊗ h_{j-1}(k), with every
//! loop unrolled.

use super::letters::reciprocal;
use crate::simd::{Lanes, Part};

/// Whether there is a kernel for such signatures.
pub const fn exists(dim: usize, degree: usize) -> bool {
    matches!((dim, degree), (2, 2..=5) | (3, 2..=3) | (4, 2..=3))
}

/// Advances the signatures by steps of `dim` increments each, `rows`. `state` has, for every letter that a word can end
/// in, one level after the other, words in lexicographic order.
pub struct Small<'a, 's, V> {
    pub dim: usize,
    pub degree: usize,
    pub rows: &'a [V],
    pub state: &'s mut [V],
}

impl<V: Lanes> Part<V> for Small<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match (self.dim, self.degree) {
            (2, 2) => self.two::<2>(),
            (2, 3) => self.three::<2, 4>(),
            (2, 4) => self.four::<2, 4, 8>(),
            (2, 5) => self.five::<2, 4, 8, 16>(),
            (3, 2) => self.two::<3>(),
            (3, 3) => self.three::<3, 9>(),
            (4, 2) => self.two::<4>(),
            (4, 3) => self.three::<4, 16>(),
            (dim, degree) => unreachable!("no kernel for ({dim}, {degree})"),
        }
    }
}

/// z/q of all letters, and of the one that words end in.
#[inline(always)]
fn over<V: Lanes, const D: usize>(z: &[V; D], q: usize) -> [V; D] {
    let factor = V::splat(reciprocal(q));
    let mut over = *z;
    for z in &mut over {
        *z = *z * factor;
    }
    over
}

/// a + z ⊗ h: Q = D · P words.
#[inline(always)]
fn put_before<V: Lanes, const D: usize, const P: usize, const Q: usize>(z: &[V; D], h: &[V; P], a: &[V; Q]) -> [V; Q] {
    let mut sum = *a;
    for (block, z) in sum.as_chunks_mut::<P>().0.iter_mut().zip(z) {
        for p in 0..P {
            block[p] = z.mul_add(h[p], block[p]);
        }
    }
    sum
}

#[inline(always)]
fn take<V: Lanes, const Q: usize>(state: &[V], at: &mut usize) -> [V; Q] {
    let mut level = [V::zero(); Q];
    level.copy_from_slice(&state[*at..][..Q]);
    *at += Q;
    level
}

/// The levels of words of one ending, D^0, D^1, … words, before and after all steps.
macro_rules! kernel {
    ($name:ident, [$($size:ident),*], |$z:ident, $last:ident, $($level:ident: $width:tt),*| $step:block) => {
        #[inline(always)]
        fn $name<$(const $size: usize),*>(self) {
            let each = self.state.len() / D;
            for ($last, state) in self.state.chunks_exact_mut(each).enumerate() {
                let mut at = 0;
                $(let mut $level: [V; $width] = take(state, &mut at);)*
                for $z in self.rows.as_chunks::<D>().0 $step
                let mut at = 0;
                $(
                    state[at..][..$width].copy_from_slice(&$level);
                    at += $width;
                )*
                debug_assert_eq!(at, each);
            }
        }
    };
}

impl<V: Lanes> Small<'_, '_, V> {
    kernel!(two, [D], |z, last, a: 1, b: D| {
        let z2 = over(z, 2);
        b = put_before(z, &[a[0] + z2[last]], &b);
        a = [a[0] + z[last]];
    });

    kernel!(three, [D, D2], |z, last, a: 1, b: D, c: D2| {
        let (z2, z3) = (over(z, 2), over(z, 3));
        c = put_before(z, &put_before(&z2, &[a[0] + z3[last]], &b), &c);
        b = put_before(z, &[a[0] + z2[last]], &b);
        a = [a[0] + z[last]];
    });

    kernel!(four, [D, D2, D3], |z, last, a: 1, b: D, c: D2, e: D3| {
        let (z2, z3, z4) = (over(z, 2), over(z, 3), over(z, 4));
        let h = put_before(&z3, &[a[0] + z4[last]], &b);
        e = put_before(z, &put_before(&z2, &h, &c), &e);
        c = put_before(z, &put_before(&z2, &[a[0] + z3[last]], &b), &c);
        b = put_before(z, &[a[0] + z2[last]], &b);
        a = [a[0] + z[last]];
    });

    kernel!(five, [D, D2, D3, D4], |z, last, a: 1, b: D, c: D2, e: D3, f: D4| {
        let (z2, z3, z4, z5) = (over(z, 2), over(z, 3), over(z, 4), over(z, 5));
        let h = put_before(&z3, &put_before(&z4, &[a[0] + z5[last]], &b), &c);
        f = put_before(z, &put_before(&z2, &h, &e), &f);
        let h = put_before(&z3, &[a[0] + z4[last]], &b);
        e = put_before(z, &put_before(&z2, &h, &c), &e);
        c = put_before(z, &put_before(&z2, &[a[0] + z3[last]], &b), &c);
        b = put_before(z, &[a[0] + z2[last]], &b);
        a = [a[0] + z[last]];
    });
}
