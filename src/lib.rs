//! Path signatures and signature kernels.
//!
//! | module | what is in it |
//! |---|---|
//! | [`signature`] | truncated signatures and their gradients |
//! | [`kernel`] | signature kernels, grids, Gram matrices and their gradients |
//! | [`cuda`] | the same on NVIDIA GPUs |
//! | [`path`] | views of batches, increments, transforms and their adjoints, where gradients go |
//! | [`simd`] | the one lane trait, a file an instruction set, the level chosen at run time |
//! | [`parallel`] | sharing tasks among threads, progress and cancellation |
//! | [`error`] | what can go wrong |
//! | `memory` | allocation that may fail, in huge pages where it is large |
//! | `environment` | variables of the environment, read without an allocation |
//! | [`ffi`] | the C door: Rust programs have no need of it |
//! | [`reference`](mod@reference) | each function once more, obvious and slow: the oracle of the tests |

pub mod cuda;
mod environment;
pub mod error;
pub mod ffi;
pub mod kernel;
mod memory;
pub mod parallel;
pub mod path;
pub mod reference;
pub mod signature;
pub mod simd;

/// A precision: `f32` or `f64`.
pub trait Precision: kernel::Compiled + signature::Compiled + cuda::Number {}

impl Precision for f32 {}
impl Precision for f64 {}
