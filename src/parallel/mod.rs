//! Sharing independent tasks among threads: bounded per call, safe after `fork`, with progress and cancellation.

mod crew;
mod pool;
mod queue;
mod thread;

pub use pool::default_threads;
#[doc(hidden)]
pub use queue::set_interval;
pub use queue::{Queue, Run, share, share_from};
pub(crate) use queue::{interval, lock};
