//! The private thread pool, one a process: a child of `fork` has none of its parent's threads and makes its own.

use crate::simd::environment;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// A pool and the process that made it.
struct Owned {
    process: u32,
    pool: ThreadPool,
}

// Not a lock: another thread could hold it at the moment of `fork`, and the child would wait for ever.
static POOL: AtomicPtr<Owned> = AtomicPtr::new(ptr::null_mut());

/// The pool of this process, made at first use; `None` where threads cannot be had.
pub(super) fn current() -> Option<&'static ThreadPool> {
    let process = std::process::id();
    let seen = POOL.load(Ordering::Acquire);
    // SAFETY: what is stored is never freed, but by the thread whose pointer lost the race below and was not stored.
    if let Some(owned) = unsafe { seen.as_ref() }
        && owned.process == process
    {
        return Some(&owned.pool);
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(default_threads())
        .thread_name(|i| format!("goursat-{i}"))
        .start_handler(|_| environment::standard_for_this_thread()) // it may have inherited something else
        .build()
        .ok()?;
    let new = Box::into_raw(Box::new(Owned { process, pool }));
    // A pool of the parent is left where it is: its threads do not exist here, so it cannot be shut down.
    let stored = match POOL.compare_exchange(seen, new, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => new,
        Err(winner) => {
            // SAFETY: `new` came from `Box::into_raw` above and nobody else has seen it.
            drop(unsafe { Box::from_raw(new) });
            winner
        }
    };
    // SAFETY: stored pointers are never freed. The winner's process is this one: a child starts with one thread.
    unsafe { stored.as_ref() }.map(|owned| &owned.pool)
}

/// Threads of a call that does not say: `GOURSAT_NUM_THREADS`, or as many as the machine lets this process use.
pub fn default_threads() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    let known = THREADS.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let asked = std::env::var("GOURSAT_NUM_THREADS")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let threads = match asked {
        Some(threads) if threads > 0 => threads,
        _ => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let threads = threads.min(1024);
    THREADS.store(threads, Ordering::Relaxed);
    threads
}
