//! AVX-512: 32 registers of 8 doubles or 16 floats.

use super::{Lanes, MAX_LANES, Part, Work};
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

/// Quarter q of each of four vectors in vector q.
///
/// # Safety
/// In code of this level only.
#[inline(always)]
unsafe fn quarters([a, b, c, d]: [__m512d; 4]) -> [__m512d; 4] {
    unsafe {
        let even = [_mm512_shuffle_f64x2::<0x88>(a, b), _mm512_shuffle_f64x2::<0x88>(c, d)];
        let odd = [_mm512_shuffle_f64x2::<0xdd>(a, b), _mm512_shuffle_f64x2::<0xdd>(c, d)];
        [
            _mm512_shuffle_f64x2::<0x88>(even[0], even[1]),
            _mm512_shuffle_f64x2::<0x88>(odd[0], odd[1]),
            _mm512_shuffle_f64x2::<0xdd>(even[0], even[1]),
            _mm512_shuffle_f64x2::<0xdd>(odd[0], odd[1]),
        ]
    }
}

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
    fn transpose(rows: &mut [Self; MAX_LANES]) {
        // Numbers of two rows beside each other, then quarters of four such vectors.
        unsafe {
            let (mut low, mut high) = ([_mm512_setzero_pd(); 4], [_mm512_setzero_pd(); 4]);
            for r in 0..4 {
                low[r] = _mm512_unpacklo_pd(rows[2 * r].0, rows[2 * r + 1].0);
                high[r] = _mm512_unpackhi_pd(rows[2 * r].0, rows[2 * r + 1].0);
            }
            let (low, high) = (quarters(low), quarters(high));
            for r in 0..4 {
                rows[2 * r] = Self(low[r]);
                rows[2 * r + 1] = Self(high[r]);
            }
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
    fn transpose(rows: &mut [Self; MAX_LANES]) {
        // Columns of four rows, four of them in a vector, then quarters of four such vectors.
        unsafe {
            let mut columns = [[_mm512_setzero_pd(); 4]; 4];
            for (r, rows) in rows.as_chunks::<4>().0.iter().enumerate() {
                let [a, b, c, d] = [rows[0].0, rows[1].0, rows[2].0, rows[3].0];
                let low = [_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d)];
                let high = [_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d)];
                let (low, high) = (
                    [_mm512_castps_pd(low[0]), _mm512_castps_pd(low[1])],
                    [_mm512_castps_pd(high[0]), _mm512_castps_pd(high[1])],
                );
                columns[0][r] = _mm512_unpacklo_pd(low[0], low[1]);
                columns[1][r] = _mm512_unpackhi_pd(low[0], low[1]);
                columns[2][r] = _mm512_unpacklo_pd(high[0], high[1]);
                columns[3][r] = _mm512_unpackhi_pd(high[0], high[1]);
            }
            for c in 0..4 {
                let all = quarters(columns[c]);
                for q in 0..4 {
                    rows[4 * q + c] = Self(_mm512_castpd_ps(all[q]));
                }
            }
        }
    }
}
