//! AVX-512: 32 registers of 8 doubles or 16 floats.

use super::{Lanes, Part, Work};
use core::arch::x86_64::*;
use std::ops::{Add, Mul, Sub};

pub fn available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

/// The one function of this level that has its features; all else is inlined into it.
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
pub fn shell<V: Lanes, W: Work<V::Scalar>>(work: W) -> W::Output {
    work.run::<V>()
}

/// The same for a part of a work.
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
#[inline(never)]
fn part<V: Lanes, P: Part<V>>(part: P) -> P::Output {
    part.run()
}

// `put` writes a vector as its halves: where stores are 256 bits wide inside (Zen 4), one of 512 bits holds up
// multiplications, 28 cycles for 16 of them (benches/NOTES.md). Volatile, or the compiler would join the halves.

// SAFETY of every block below: values of these types are made only inside `shell`, so the machine has
// AVX-512; addresses come from arrays of the right length.

#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F64x8(__m512d);

impl Add for F64x8 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        unsafe { Self(_mm512_add_pd(self.0, other.0)) }
    }
}

impl Sub for F64x8 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        unsafe { Self(_mm512_sub_pd(self.0, other.0)) }
    }
}

impl Mul for F64x8 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        unsafe { Self(_mm512_mul_pd(self.0, other.0)) }
    }
}

impl Lanes for F64x8 {
    type Scalar = f64;
    const LANES: usize = 8;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn call<P: Part<Self>>(work: P) -> P::Output {
        unsafe { part(work) }
    }

    #[inline(always)]
    fn splat(value: f64) -> Self {
        unsafe { Self(_mm512_set1_pd(value)) }
    }

    #[inline(always)]
    fn load(from: &[f64]) -> Self {
        let from: &[f64; 8] = from.first_chunk().expect("a vector's worth of numbers");
        unsafe { Self(_mm512_loadu_pd(from.as_ptr())) }
    }

    #[inline(always)]
    fn store(self, to: &mut [f64]) {
        let to: &mut [f64; 8] = to.first_chunk_mut().expect("room for a vector");
        unsafe { _mm512_storeu_pd(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn put(self, to: &mut Self) {
        // SAFETY: both halves of `to`, which is aligned for them.
        unsafe {
            let half: *mut __m256d = (&raw mut *to).cast();
            half.write_volatile(_mm512_castpd512_pd256(self.0));
            half.add(1).write_volatile(_mm512_extractf64x4_pd::<1>(self.0));
        }
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        unsafe { Self(_mm512_fmadd_pd(self.0, factor.0, term.0)) }
    }

    #[inline(always)]
    fn neg_mul_add(self, factor: Self, term: Self) -> Self {
        unsafe { Self(_mm512_fnmadd_pd(self.0, factor.0, term.0)) }
    }

    #[inline(always)]
    fn first(self, count: usize, other: Self) -> Self {
        let mask = ((1u32 << count) - 1) as __mmask8;
        unsafe { Self(_mm512_mask_mov_pd(other.0, mask, self.0)) }
    }

    #[inline(always)]
    fn prefetch(from: *const f64) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }

    #[inline(always)]
    fn slide_up(self, first: f64) -> Self {
        unsafe {
            let (lanes, first) = (_mm512_castpd_si512(self.0), _mm512_castpd_si512(_mm512_set1_pd(first)));
            Self(_mm512_castsi512_pd(_mm512_alignr_epi64::<7>(lanes, first)))
        }
    }

    #[inline(always)]
    fn slide_down(self, last: f64) -> Self {
        unsafe {
            let (lanes, last) = (_mm512_castpd_si512(self.0), _mm512_castpd_si512(_mm512_set1_pd(last)));
            Self(_mm512_castsi512_pd(_mm512_alignr_epi64::<1>(last, lanes)))
        }
    }

    #[inline(always)]
    fn zip(self, other: Self) -> [Self; 2] {
        unsafe {
            let low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
            let high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
            [
                Self(_mm512_permutex2var_pd(self.0, low, other.0)),
                Self(_mm512_permutex2var_pd(self.0, high, other.0)),
            ]
        }
    }
}

#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F32x16(__m512);

impl Add for F32x16 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        unsafe { Self(_mm512_add_ps(self.0, other.0)) }
    }
}

impl Sub for F32x16 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        unsafe { Self(_mm512_sub_ps(self.0, other.0)) }
    }
}

impl Mul for F32x16 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        unsafe { Self(_mm512_mul_ps(self.0, other.0)) }
    }
}

impl Lanes for F32x16 {
    type Scalar = f32;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn call<P: Part<Self>>(work: P) -> P::Output {
        unsafe { part(work) }
    }

    #[inline(always)]
    fn splat(value: f32) -> Self {
        unsafe { Self(_mm512_set1_ps(value)) }
    }

    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        let from: &[f32; 16] = from.first_chunk().expect("a vector's worth of numbers");
        unsafe { Self(_mm512_loadu_ps(from.as_ptr())) }
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        let to: &mut [f32; 16] = to.first_chunk_mut().expect("room for a vector");
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn put(self, to: &mut Self) {
        // SAFETY: both halves of `to`, which is aligned for them.
        unsafe {
            let half: *mut __m256 = (&raw mut *to).cast();
            half.write_volatile(_mm512_castps512_ps256(self.0));
            half.add(1).write_volatile(_mm512_extractf32x8_ps::<1>(self.0));
        }
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        unsafe { Self(_mm512_fmadd_ps(self.0, factor.0, term.0)) }
    }

    #[inline(always)]
    fn neg_mul_add(self, factor: Self, term: Self) -> Self {
        unsafe { Self(_mm512_fnmadd_ps(self.0, factor.0, term.0)) }
    }

    #[inline(always)]
    fn first(self, count: usize, other: Self) -> Self {
        let mask = ((1u32 << count) - 1) as __mmask16;
        unsafe { Self(_mm512_mask_mov_ps(other.0, mask, self.0)) }
    }

    #[inline(always)]
    fn prefetch(from: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }

    #[inline(always)]
    fn slide_up(self, first: f32) -> Self {
        unsafe {
            let (lanes, first) = (_mm512_castps_si512(self.0), _mm512_castps_si512(_mm512_set1_ps(first)));
            Self(_mm512_castsi512_ps(_mm512_alignr_epi32::<15>(lanes, first)))
        }
    }

    #[inline(always)]
    fn slide_down(self, last: f32) -> Self {
        unsafe {
            let (lanes, last) = (_mm512_castps_si512(self.0), _mm512_castps_si512(_mm512_set1_ps(last)));
            Self(_mm512_castsi512_ps(_mm512_alignr_epi32::<1>(last, lanes)))
        }
    }

    #[inline(always)]
    fn zip(self, other: Self) -> [Self; 2] {
        unsafe {
            let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            [
                Self(_mm512_permutex2var_ps(self.0, low, other.0)),
                Self(_mm512_permutex2var_ps(self.0, high, other.0)),
            ]
        }
    }
}
