//! A call's tasks, the workers that take them in order, and the caller's view of both.

use super::crew::{Crew, Gate, with_crew};
use super::pool;
use crate::error::{Error, Result};
use std::cell::RefCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Milliseconds between two calls of the progress callback.
static INTERVAL: AtomicU64 = AtomicU64::new(50);

pub(crate) fn interval() -> Duration {
    Duration::from_millis(INTERVAL.load(Ordering::Relaxed))
}

/// For tests, of cancellation at every point where a call looks whether to stop: 0 calls back there each time.
#[doc(hidden)]
pub fn set_interval(milliseconds: u64) {
    INTERVAL.store(milliseconds, Ordering::Relaxed);
}

/// How a call runs: on how many threads, and whom it tells.
#[derive(Default)]
pub struct Run<'a> {
    /// Threads to use at most; 0 means [`default_threads`](super::default_threads), which is also the most there are.
    pub threads: usize,
    /// Called on the calling thread some 20 times a second with (done, total); `true` cancels the call.
    pub progress: Option<&'a mut dyn FnMut(u64, u64) -> bool>,
}

impl Run<'_> {
    /// On the calling thread alone.
    pub fn single() -> Self {
        Run {
            threads: 1,
            ..Run::default()
        }
    }

    /// Threads that a call of enough tasks uses at most: no more than there are, for what is planned for each of them
    /// takes memory.
    pub fn threads(&self) -> usize {
        match self.threads {
            0 => pool::default_threads(),
            1 => 1,
            threads => threads.min(pool::default_threads()),
        }
    }
}

/// What the workers of one call share.
struct Shared<T> {
    tasks: Mutex<std::vec::IntoIter<T>>,
    done: AtomicU64,
    total: u64,
    stop: AtomicBool,
    failure: Mutex<Option<Error>>,
}

/// The caller's callback and when it was last called.
struct Bell<'r, 'a> {
    callback: &'r mut (dyn FnMut(u64, u64) -> bool + 'a),
    last: Instant,
}

/// A worker's end of the queue.
pub struct Queue<'q, T> {
    shared: &'q Shared<T>,
    /// On the calling thread, when it works itself: it must ring between tasks.
    bell: Option<RefCell<Bell<'q, 'q>>>,
}

impl<T> Queue<'_, T> {
    /// The next task, in the order given to [`share`]; `None` when there are no more or the call is to stop.
    pub fn take(&self) -> Option<T> {
        if self.stopped() {
            return None;
        }
        lock(&self.shared.tasks).next()
    }

    /// Counts `units` of work as done. An error means that the call is to stop: return it.
    pub fn advance(&self, units: u64) -> Result<()> {
        self.shared.done.fetch_add(units, Ordering::Relaxed);
        if let Some(bell) = &self.bell {
            bell.borrow_mut().ring(self.shared);
        }
        if self.stopped() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Whether the call is to stop: cancelled, or another worker failed.
    pub fn stopped(&self) -> bool {
        self.shared.stop.load(Ordering::Relaxed)
    }
}

impl Bell<'_, '_> {
    fn ring<T>(&mut self, shared: &Shared<T>) {
        if self.last.elapsed() < interval() || shared.stop.load(Ordering::Relaxed) {
            return;
        }
        if (self.callback)(shared.done.load(Ordering::Relaxed).min(shared.total), shared.total) {
            shared.fail(Error::Cancelled);
        }
        self.last = Instant::now();
    }
}

impl<T> Shared<T> {
    /// Stops the call; the first failure is what it returns.
    fn fail(&self, error: Error) {
        lock(&self.failure).get_or_insert(error);
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Runs a worker to its end; a panic becomes a failure of the call.
    fn work(&self, worker: &impl Fn(&Queue<'_, T>) -> Result<()>, queue: &Queue<'_, T>) {
        match catch_unwind(AssertUnwindSafe(|| worker(queue))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(error),
            Err(payload) => self.fail(Error::from_panic(&*payload)),
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `worker` on up to `run.threads` threads until the tasks are used up. A worker is called once a thread: it
/// makes its scratch, takes tasks until there are none and calls [`Queue::advance`] as it goes; `total` is the sum of
/// those units. When `share` returns no work is left behind.
pub fn share<T: Send>(
    run: &mut Run<'_>,
    tasks: Vec<T>,
    total: u64,
    worker: impl Fn(&Queue<'_, T>) -> Result<()> + Sync,
) -> Result<()> {
    share_from(run, tasks, 0..total, worker)
}

/// [`share`], where the units before those of the range were done by earlier tasks of the same call.
pub fn share_from<T: Send>(
    run: &mut Run<'_>,
    tasks: Vec<T>,
    units: Range<u64>,
    worker: impl Fn(&Queue<'_, T>) -> Result<()> + Sync,
) -> Result<()> {
    let threads = run.threads().min(tasks.len()).min(pool::default_threads());
    let pool = if threads > 1 { pool::current() } else { None };
    let threads = pool.map_or(1, |pool| threads.min(pool.threads().max(1)));
    let watched = run.progress.is_some();
    let others = if threads == 1 || !watched { threads - 1 } else { threads };
    let pool = pool.filter(|_| others > 0);
    let shared = Shared {
        tasks: Mutex::new(tasks.into_iter()),
        done: AtomicU64::new(units.start),
        total: units.end,
        stop: AtomicBool::new(false),
        failure: Mutex::new(None),
    };
    let bell = run.progress.as_deref_mut().map(|callback| Bell {
        callback,
        last: Instant::now(),
    });
    let work = |bell| shared.work(&worker, &Queue { shared: &shared, bell });
    match (pool, bell) {
        (Some(pool), None) => with_crew(&pool.board, others, &|| work(None), |_| work(None)),
        (Some(pool), Some(mut bell)) => with_crew(&pool.board, others, &|| work(None), |gate| {
            if !watch(&shared, gate, &mut bell) {
                work(Some(RefCell::new(bell)));
            }
        }),
        (None, bell) => work(bell.map(RefCell::new)),
    }
    outcome(shared)
}

/// The caller waits for its crew and calls back meanwhile: callbacks come on its thread only. False where nobody came
/// and nobody will: the pool is busy with other calls.
fn watch<T>(shared: &Shared<T>, gate: &Gate<'_>, bell: &mut Bell<'_, '_>) -> bool {
    loop {
        match gate.wait(interval()) {
            Crew::Done => return true,
            Crew::Waiting if gate.close_unused() => return false,
            _ => bell.ring(shared),
        }
    }
}

fn outcome<T>(shared: Shared<T>) -> Result<()> {
    match shared.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
