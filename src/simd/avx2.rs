//! AVX2 with FMA: 16 registers of 4 doubles or 8 floats.

use super::{Lanes, MAX_LANES, Part, Work};
use core::arch::x86_64::*;
use std::ops::{Add, Mul, Sub};

pub fn available() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// The one function of this level that has its features; all else is inlined into it.
#[target_feature(enable = "avx2,fma")]
pub fn shell<V: Lanes, W: Work<V::Scalar>>(work: W) -> W::Output {
    work.run::<V>()
}

/// The same for a part of a work.
#[target_feature(enable = "avx2,fma")]
#[inline(never)]
fn part<V: Lanes, P: Part<V>>(part: P) -> P::Output {
    part.run()
}

// SAFETY of every block below: values of these types are made only inside `shell`, so the machine has
// AVX2 and FMA; addresses come from arrays of the right length.

#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F64x4(__m256d);

impl Add for F64x4 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        unsafe { Self(_mm256_add_pd(self.0, other.0)) }
    }
}

impl Sub for F64x4 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        unsafe { Self(_mm256_sub_pd(self.0, other.0)) }
    }
}

impl Mul for F64x4 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        unsafe { Self(_mm256_mul_pd(self.0, other.0)) }
    }
}

impl Lanes for F64x4 {
    type Scalar = f64;
    const LANES: usize = 4;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn call<P: Part<Self>>(work: P) -> P::Output {
        unsafe { part(work) }
    }

    #[inline(always)]
    fn splat(value: f64) -> Self {
        unsafe { Self(_mm256_set1_pd(value)) }
    }

    #[inline(always)]
    fn load(from: &[f64]) -> Self {
        let from: &[f64; 4] = from.first_chunk().expect("a vector's worth of numbers");
        unsafe { Self(_mm256_loadu_pd(from.as_ptr())) }
    }

    #[inline(always)]
    fn store(self, to: &mut [f64]) {
        let to: &mut [f64; 4] = to.first_chunk_mut().expect("room for a vector");
        unsafe { _mm256_storeu_pd(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        unsafe { Self(_mm256_fmadd_pd(self.0, factor.0, term.0)) }
    }

    #[inline(always)]
    fn neg_mul_add(self, factor: Self, term: Self) -> Self {
        unsafe { Self(_mm256_fnmadd_pd(self.0, factor.0, term.0)) }
    }

    #[inline(always)]
    fn first(self, count: usize, other: Self) -> Self {
        unsafe {
            let mask = _mm256_cmpgt_epi64(_mm256_set1_epi64x(count as i64), _mm256_setr_epi64x(0, 1, 2, 3));
            Self(_mm256_blendv_pd(other.0, self.0, _mm256_castsi256_pd(mask)))
        }
    }

    #[inline(always)]
    fn prefetch(from: *const f64) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }

    #[inline(always)]
    fn slide_up(self, first: f64) -> Self {
        unsafe {
            let moved = _mm256_permute4x64_pd::<0b10_01_00_00>(self.0);
            Self(_mm256_blend_pd::<0b0001>(moved, _mm256_set1_pd(first)))
        }
    }

    #[inline(always)]
    fn slide_down(self, last: f64) -> Self {
        unsafe {
            let moved = _mm256_permute4x64_pd::<0b11_11_10_01>(self.0);
            Self(_mm256_blend_pd::<0b1000>(moved, _mm256_set1_pd(last)))
        }
    }

    #[inline(always)]
    fn transpose(rows: &mut [Self; MAX_LANES]) {
        // Numbers of two rows beside each other, then halves of them.
        unsafe {
            let [a, b, c, d] = [rows[0].0, rows[1].0, rows[2].0, rows[3].0];
            let low = [_mm256_unpacklo_pd(a, b), _mm256_unpacklo_pd(c, d)];
            let high = [_mm256_unpackhi_pd(a, b), _mm256_unpackhi_pd(c, d)];
            rows[0] = Self(_mm256_permute2f128_pd::<0x20>(low[0], low[1]));
            rows[1] = Self(_mm256_permute2f128_pd::<0x20>(high[0], high[1]));
            rows[2] = Self(_mm256_permute2f128_pd::<0x31>(low[0], low[1]));
            rows[3] = Self(_mm256_permute2f128_pd::<0x31>(high[0], high[1]));
        }
    }
}

#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F32x8(__m256);

impl Add for F32x8 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        unsafe { Self(_mm256_add_ps(self.0, other.0)) }
    }
}

impl Sub for F32x8 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        unsafe { Self(_mm256_sub_ps(self.0, other.0)) }
    }
}

impl Mul for F32x8 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        unsafe { Self(_mm256_mul_ps(self.0, other.0)) }
    }
}

impl Lanes for F32x8 {
    type Scalar = f32;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn call<P: Part<Self>>(work: P) -> P::Output {
        unsafe { part(work) }
    }

    #[inline(always)]
    fn splat(value: f32) -> Self {
        unsafe { Self(_mm256_set1_ps(value)) }
    }

    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        let from: &[f32; 8] = from.first_chunk().expect("a vector's worth of numbers");
        unsafe { Self(_mm256_loadu_ps(from.as_ptr())) }
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        let to: &mut [f32; 8] = to.first_chunk_mut().expect("room for a vector");
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        unsafe { Self(_mm256_fmadd_ps(self.0, factor.0, term.0)) }
    }

    #[inline(always)]
    fn neg_mul_add(self, factor: Self, term: Self) -> Self {
        unsafe { Self(_mm256_fnmadd_ps(self.0, factor.0, term.0)) }
    }

    #[inline(always)]
    fn first(self, count: usize, other: Self) -> Self {
        unsafe {
            let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), lanes);
            Self(_mm256_blendv_ps(other.0, self.0, _mm256_castsi256_ps(mask)))
        }
    }

    #[inline(always)]
    fn prefetch(from: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }

    #[inline(always)]
    fn slide_up(self, first: f32) -> Self {
        unsafe {
            let moved = _mm256_permutevar8x32_ps(self.0, _mm256_setr_epi32(0, 0, 1, 2, 3, 4, 5, 6));
            Self(_mm256_blend_ps::<0b0000_0001>(moved, _mm256_set1_ps(first)))
        }
    }

    #[inline(always)]
    fn slide_down(self, last: f32) -> Self {
        unsafe {
            let moved = _mm256_permutevar8x32_ps(self.0, _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 7));
            Self(_mm256_blend_ps::<0b1000_0000>(moved, _mm256_set1_ps(last)))
        }
    }

    #[inline(always)]
    fn transpose(rows: &mut [Self; MAX_LANES]) {
        // Columns of four rows, two of them in a vector, then halves of them.
        unsafe {
            let mut columns = [[_mm256_setzero_pd(); 2]; 4];
            for r in 0..2 {
                let rows = &rows[4 * r..][..4];
                let [a, b, c, d] = [rows[0].0, rows[1].0, rows[2].0, rows[3].0];
                let low = [_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d)];
                let high = [_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d)];
                let (low, high) = (
                    [_mm256_castps_pd(low[0]), _mm256_castps_pd(low[1])],
                    [_mm256_castps_pd(high[0]), _mm256_castps_pd(high[1])],
                );
                columns[0][r] = _mm256_unpacklo_pd(low[0], low[1]);
                columns[1][r] = _mm256_unpackhi_pd(low[0], low[1]);
                columns[2][r] = _mm256_unpacklo_pd(high[0], high[1]);
                columns[3][r] = _mm256_unpackhi_pd(high[0], high[1]);
            }
            for c in 0..4 {
                let [upper, lower] = columns[c];
                rows[c] = Self(_mm256_castpd_ps(_mm256_permute2f128_pd::<0x20>(upper, lower)));
                rows[c + 4] = Self(_mm256_castpd_ps(_mm256_permute2f128_pd::<0x31>(upper, lower)));
            }
        }
    }
}
