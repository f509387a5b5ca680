//! Lanes: the one trait that the algorithms see, and the door through which they meet it.
//!
//! An algorithm is written once as a [`Work`]: `run` is generic over `V: Lanes` and `#[inline(always)]`,
//! as is everything it calls. [`dispatch`] runs it inside the shell of the level in use: a function whose
//! `#[target_feature]` lets the compiler inline the level's intrinsics into the algorithm.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod environment;
mod portable;

use crate::environment::variable;
use crate::error::Result;
use crate::memory::try_vec;
use std::fmt::{Debug, Display};
use std::ops::{Add, Mul, Neg, Sub};
use std::sync::atomic::{AtomicU8, Ordering};

/// The most lanes any level has: the length of scratch arrays of one vector a lane.
pub const MAX_LANES: usize = 16;

/// A register full of numbers. `+`, `-` and `*` round once each; `mul_add` rounds once where the level
/// has the instruction, twice where it has not: levels differ by rounding.
pub trait Lanes: Copy + Send + Sync + 'static + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    type Scalar: Real;
    const LANES: usize;
    /// Vector registers of the level: what a tile of accumulators has to fit in.
    const REGISTERS: usize;

    /// Runs a part of a [`Work`] as a function of its own, which is compiled once for all that call it.
    fn call<P: Part<Self>>(part: P) -> P::Output;

    fn splat(value: Self::Scalar) -> Self;
    /// The first `LANES` numbers of `from`, which has as many or more (checked).
    fn load(from: &[Self::Scalar]) -> Self;
    /// Writes the first `LANES` numbers of `to`.
    fn store(self, to: &mut [Self::Scalar]);
    /// `*to = self`, where it is not soon loaded again.
    #[inline(always)]
    fn put(self, to: &mut Self) {
        *to = self;
    }
    /// `self * factor + term`
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// `term - self * factor`
    fn neg_mul_add(self, factor: Self, term: Self) -> Self;
    /// Transposes the `LANES × LANES` matrix in the first `LANES` of `rows`.
    fn transpose(rows: &mut [Self; MAX_LANES]);

    /// `first a0 a1 …`: every lane moves up by one.
    fn slide_up(self, first: Self::Scalar) -> Self;
    /// `a1 a2 … last`: every lane moves down by one.
    fn slide_down(self, last: Self::Scalar) -> Self;

    /// Asks for the cache line of an address, which need not be one of ours.
    #[inline(always)]
    fn prefetch(_from: *const Self::Scalar) {}

    /// The first `count` lanes, at most all, and then those of `other`.
    #[inline(always)]
    fn first(self, count: usize, other: Self) -> Self {
        let mut lanes = other.to_array();
        lanes[..count].copy_from_slice(&self.to_array()[..count]);
        Self::load(&lanes)
    }

    /// The sums of the first `LANES` of `rows`, one a lane, each as `sum` has it.
    #[inline(always)]
    fn sums(rows: &[Self; MAX_LANES]) -> Self {
        let mut rows = *rows;
        Self::transpose(&mut rows);
        let mut width = Self::LANES;
        while width > 1 {
            width /= 2;
            for l in 0..width {
                rows[l] = rows[l] + rows[l + width];
            }
        }
        rows[0]
    }

    /// The first min(LANES, from.len()) numbers, then zeros.
    #[inline(always)]
    fn load_some(from: &[Self::Scalar]) -> Self {
        if from.len() >= Self::LANES {
            return Self::load(from);
        }
        let mut padded = [Self::Scalar::ZERO; MAX_LANES];
        padded[..from.len()].copy_from_slice(from);
        Self::load(&padded)
    }

    /// Writes as many numbers as `to` has room for, at most `LANES`.
    #[inline(always)]
    fn store_some(self, to: &mut [Self::Scalar]) {
        if to.len() >= Self::LANES {
            return self.store(to);
        }
        let count = to.len();
        to.copy_from_slice(&self.to_array()[..count]);
    }

    /// The lanes, then zeros.
    #[inline(always)]
    fn to_array(self) -> [Self::Scalar; MAX_LANES] {
        let mut lanes = [Self::Scalar::ZERO; MAX_LANES];
        self.store(&mut lanes);
        lanes
    }

    /// The sum of the lanes, in one order: halves added until one is left.
    #[inline(always)]
    fn sum(self) -> Self::Scalar {
        let mut lanes = self.to_array();
        let mut width = Self::LANES;
        while width > 1 {
            width /= 2;
            for l in 0..width {
                lanes[l] = lanes[l] + lanes[l + width];
            }
        }
        lanes[0]
    }

    #[inline(always)]
    fn zero() -> Self {
        Self::splat(Self::Scalar::ZERO)
    }

    /// Vectors as the numbers in them.
    #[inline(always)]
    fn scalars(vectors: &[Self]) -> &[Self::Scalar] {
        const { assert!(size_of::<Self>() == Self::LANES * size_of::<Self::Scalar>()) };
        // SAFETY: every implementation is a plain array of `LANES` scalars, aligned as they are or more.
        unsafe { std::slice::from_raw_parts(vectors.as_ptr().cast(), vectors.len() * Self::LANES) }
    }

    /// Vectors as the numbers in them.
    #[inline(always)]
    fn scalars_mut(vectors: &mut [Self]) -> &mut [Self::Scalar] {
        const { assert!(size_of::<Self>() == Self::LANES * size_of::<Self::Scalar>()) };
        // SAFETY: as above; every pattern of scalars is a vector.
        unsafe { std::slice::from_raw_parts_mut(vectors.as_mut_ptr().cast(), vectors.len() * Self::LANES) }
    }

    /// `count` vectors of zeros, reserved fallibly: scratch of a worker.
    #[inline(always)]
    fn scratch(count: usize) -> Result<Vec<Self>> {
        try_vec(count, Self::zero())
    }

    #[inline(always)]
    fn constant(value: f64) -> Self {
        Self::splat(Self::Scalar::from_f64(value))
    }
}

/// A precision: `f32` or `f64`.
pub trait Real:
    Copy
    + Debug
    + Display
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
{
    const ZERO: Self;
    const ONE: Self;
    const NAN: Self;
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
    /// Runs the work at `level`, or at the machine's best if that is less. Nobody else can name the vectors
    /// of a level, so a vector that the machine lacks cannot be made.
    fn dispatch_at<W: Work<Self>>(level: Level, work: W) -> W::Output;
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const NAN: f64 = f64::NAN;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    fn dispatch_at<W: Work<Self>>(level: Level, work: W) -> W::Output {
        match level.min(Level::best()) {
            // SAFETY: `best` found every feature that the shell of the level enables.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { avx512::shell::<avx512::F64x8, _>(work) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { avx2::shell::<avx2::F64x4, _>(work) },
            _ => work.run::<wide::f64x2>(),
        }
    }
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const NAN: f32 = f32::NAN;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self.into()
    }

    fn dispatch_at<W: Work<Self>>(level: Level, work: W) -> W::Output {
        match level.min(Level::best()) {
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { avx512::shell::<avx512::F32x16, _>(work) },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { avx2::shell::<avx2::F32x8, _>(work) },
            _ => work.run::<wide::f32x4>(),
        }
    }
}

/// An algorithm over lanes of `S`, with its arguments.
///
/// Mark `run` and all it calls `#[inline(always)]`: with `#[inline]` on `run` the shell calls it instead,
/// and every intrinsic in it becomes a call too (57 times slower). For the same reason start threads
/// outside and dispatch inside them: a closure handed to a thread is not part of the shell.
pub trait Work<S: Real> {
    type Output;
    fn run<V: Lanes<Scalar = S>>(self) -> Self::Output;
}

/// A part of an algorithm over vectors `V` that several works share: see [`Lanes::call`].
///
/// Mark `run` and all it calls `#[inline(always)]`, as for [`Work`].
pub trait Part<V: Lanes> {
    type Output;
    fn run(self) -> Self::Output;
}

/// Instruction sets, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Portable,
    Avx2,
    Avx512,
}

impl Level {
    /// The level of this process: the best of the machine, or less if the variable `GOURSAT_SIMD` says so.
    pub fn current() -> Level {
        const ALL: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];
        // One more than the level, 0 before the first use. Not a lock: another thread could hold it at the moment of
        // `fork`, and the child would wait for ever.
        static CURRENT: AtomicU8 = AtomicU8::new(0);
        if let Some(known) = CURRENT.load(Ordering::Relaxed).checked_sub(1) {
            return ALL[usize::from(known)];
        }
        let asked = variable(c"GOURSAT_SIMD", |text| match text {
            "portable" => Level::Portable,
            "avx2" => Level::Avx2,
            _ => Level::Avx512,
        });
        let level = asked.unwrap_or(Level::Avx512).min(Level::best());
        CURRENT.store(level as u8 + 1, Ordering::Relaxed);
        level
    }

    /// Its name: `avx512`, `avx2`, `neon` or `portable`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Avx512 => "avx512",
            Level::Avx2 => "avx2",
            Level::Portable if cfg!(target_arch = "aarch64") => "neon",
            Level::Portable => "portable",
        }
    }

    /// The best level of this machine (the standard library caches what cpuid says).
    pub fn best() -> Level {
        #[cfg(target_arch = "x86_64")]
        if avx512::available() {
            return Level::Avx512;
        } else if avx2::available() {
            return Level::Avx2;
        }
        Level::Portable
    }
}

/// Runs the work at the level of this process: once a task, never in an inner loop.
pub fn dispatch<S: Real, W: Work<S>>(work: W) -> W::Output {
    S::dispatch_at(Level::current(), work)
}

/// Lanes of a vector at the level of this process.
pub fn lanes<S: Real>() -> usize {
    struct Count;
    impl<S: Real> Work<S> for Count {
        type Output = usize;
        #[inline(always)]
        fn run<V: Lanes<Scalar = S>>(self) -> usize {
            V::LANES
        }
    }
    dispatch::<S, _>(Count)
}
