//! No shell, no features: what every target has, through `wide`: SSE2 on x86-64 (no FMA: `a * b + c`), NEON on aarch64 (with FMA).

use super::{Lanes, MAX_LANES, Part};
use wide::{f32x4, f64x2};

/// As a function of its own.
#[inline(never)]
fn part<V: Lanes, P: Part<V>>(part: P) -> P::Output {
    part.run()
}

const REGISTERS: usize = if cfg!(target_arch = "x86_64") { 16 } else { 32 };

impl Lanes for f64x2 {
    type Scalar = f64;
    const LANES: usize = 2;
    const REGISTERS: usize = REGISTERS;

    #[inline(always)]
    fn call<P: Part<Self>>(work: P) -> P::Output {
        part(work)
    }

    #[inline(always)]
    fn splat(value: f64) -> Self {
        f64x2::splat(value)
    }

    #[inline(always)]
    fn load(from: &[f64]) -> Self {
        f64x2::new(*from.first_chunk().expect("a vector's worth of numbers"))
    }

    #[inline(always)]
    fn store(self, to: &mut [f64]) {
        *to.first_chunk_mut().expect("room for a vector") = self.to_array()
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        f64x2::mul_add(self, factor, term)
    }

    #[inline(always)]
    fn neg_mul_add(self, factor: Self, term: Self) -> Self {
        f64x2::mul_neg_add(self, factor, term)
    }

    #[inline(always)]
    fn slide_up(self, first: f64) -> Self {
        let mut lanes = self.to_array();
        lanes.rotate_right(1);
        lanes[0] = first;
        f64x2::new(lanes)
    }

    #[inline(always)]
    fn slide_down(self, last: f64) -> Self {
        let mut lanes = self.to_array();
        lanes.rotate_left(1);
        lanes[Self::LANES - 1] = last;
        f64x2::new(lanes)
    }

    #[inline(always)]
    fn transpose(rows: &mut [Self; MAX_LANES]) {
        let [a, b, ..] = rows;
        [*a, *b] = f64x2::transpose([*a, *b]);
    }
}

impl Lanes for f32x4 {
    type Scalar = f32;
    const LANES: usize = 4;
    const REGISTERS: usize = REGISTERS;

    #[inline(always)]
    fn call<P: Part<Self>>(work: P) -> P::Output {
        part(work)
    }

    #[inline(always)]
    fn splat(value: f32) -> Self {
        f32x4::splat(value)
    }

    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        f32x4::new(*from.first_chunk().expect("a vector's worth of numbers"))
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        *to.first_chunk_mut().expect("room for a vector") = self.to_array()
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        f32x4::mul_add(self, factor, term)
    }

    #[inline(always)]
    fn neg_mul_add(self, factor: Self, term: Self) -> Self {
        f32x4::mul_neg_add(self, factor, term)
    }

    #[inline(always)]
    fn slide_up(self, first: f32) -> Self {
        let mut lanes = self.to_array();
        lanes.rotate_right(1);
        lanes[0] = first;
        f32x4::new(lanes)
    }

    #[inline(always)]
    fn slide_down(self, last: f32) -> Self {
        let mut lanes = self.to_array();
        lanes.rotate_left(1);
        lanes[Self::LANES - 1] = last;
        f32x4::new(lanes)
    }

    #[inline(always)]
    fn transpose(rows: &mut [Self; MAX_LANES]) {
        let [a, b, c, d, ..] = rows;
        [*a, *b, *c, *d] = f32x4::transpose([*a, *b, *c, *d]);
    }
}
