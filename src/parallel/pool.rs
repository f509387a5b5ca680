//! The private thread pool, one a process: a child of `fork` has none of its parent's threads and makes its own.
//!
//! Memory or threads that cannot be had make a call run on fewer threads; later calls try again.

use super::crew::Board;
use super::thread;
use crate::environment::variable;
use crate::memory::try_with_room;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// The threads of a process.
pub(super) struct Pool {
    /// The process, and how many forks it is away from the first that used the library: numbers of processes come
    /// again, when the first has ended or in another namespace.
    owner: (u32, usize),
    pub board: Board,
    running: AtomicUsize,
    /// Whether somebody is starting threads.
    starting: AtomicBool,
    /// The pool of the parent. Its threads do not exist here, so it cannot be shut down: it is kept, and never used.
    _inherited: AtomicPtr<Pool>,
}

// Not a lock: another thread could hold it at the moment of `fork`, and the child would wait for ever.
static POOL: AtomicPtr<Pool> = AtomicPtr::new(ptr::null_mut());

/// The pool of this process, made at first use; `None` where memory cannot be had.
pub(super) fn current() -> Option<&'static Pool> {
    let owner = (std::process::id(), thread::forks());
    let seen = POOL.load(Ordering::Acquire);
    // SAFETY: what is stored is never freed.
    let pool = match unsafe { seen.as_ref() } {
        Some(pool) if pool.owner == owner => pool,
        _ => make(owner, seen)?,
    };
    pool.start();
    Some(pool)
}

fn make(owner: (u32, usize), seen: *mut Pool) -> Option<&'static Pool> {
    thread::count_forks();
    let mut room = try_with_room(1).ok()?;
    room.push(Pool {
        owner,
        board: Board::new(),
        running: AtomicUsize::new(0),
        starting: AtomicBool::new(false),
        _inherited: AtomicPtr::new(seen),
    });
    match POOL.compare_exchange(seen, room.as_mut_ptr(), Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => room.leak().first(),
        // SAFETY: stored pointers are never freed. The winner's process is this one: a child starts with one thread.
        Err(winner) => unsafe { winner.as_ref() },
    }
}

impl Pool {
    /// Threads that serve its board.
    pub fn threads(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Starts the threads that are missing, as far as they can be had.
    fn start(&'static self) {
        let wanted = default_threads();
        if self.threads() == wanted || self.starting.swap(true, Ordering::Acquire) {
            return;
        }
        while self.threads() < wanted && thread::start(&self.board) {
            self.running.fetch_add(1, Ordering::Relaxed);
        }
        self.starting.store(false, Ordering::Release);
    }
}

/// Threads of a call that does not say: `GOURSAT_NUM_THREADS`, or as many as the machine lets this process use.
pub fn default_threads() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    let known = THREADS.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let asked = variable(c"GOURSAT_NUM_THREADS", |text| text.trim().parse().ok()).flatten();
    let threads = match asked {
        Some(threads) if threads > 0 => threads,
        _ => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let threads = threads.min(1024);
    THREADS.store(threads, Ordering::Relaxed);
    threads
}
