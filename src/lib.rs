//! Path signatures and signature kernels.

pub mod error;
pub mod ffi;
pub mod kernel;
pub mod parallel;
pub mod path;
pub mod reference;
pub mod signature;
pub mod simd;
