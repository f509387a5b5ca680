//! The C door: checks of arguments, raw pointers to slices, errors to status codes. It computes nothing; Rust
//! programs use the modules beside it. `include/goursat.h` is generated from here and is what its users read.
//!
//! Every entry is a shell of two lines over a generic body, because the generator of the header does not see
//! functions made by macros. A body runs under `guard`, which turns errors and panics into a status;
//! in it a `Call` reads the options, makes every slice and lets no two of them overlap.

// The header is the contract, and its text what the comments are written for.
#![allow(
    clippy::missing_safety_doc,
    clippy::too_many_arguments,
    rustdoc::broken_intra_doc_links
)]

mod buffers;
mod cuda;
mod gram;
mod guard;
mod kernel;
mod library;
mod options;
mod signature;
mod status;
mod transform;

pub use cuda::*;
pub use gram::*;
pub use kernel::*;
pub use library::*;
pub use options::*;
pub use signature::*;
pub use status::*;
pub use transform::*;
