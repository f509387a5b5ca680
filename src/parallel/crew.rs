//! Threads of the pool at work on one call: they come when they are free, and the call does not wait for those that
//! never came. A short call beside a long one, which keeps the pool busy, so ends when its own work does.

use rayon::ThreadPool;
use std::mem::transmute;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Who is at work on a call. Outlives the call: a job that the pool comes to later finds the gate closed.
#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    left: Condvar,
}

#[derive(Clone, Copy, Default)]
struct State {
    closed: bool,
    begun: usize,
    inside: usize,
}

/// What the caller sees of its crew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Crew {
    Waiting,
    Working,
    Done,
}

/// Somebody inside the gate.
struct Inside<'g>(&'g Gate);

/// The caller of a crew: when it leaves, by a panic too, the gate is closed and nobody is inside.
struct Closing<'g>(&'g Gate);

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self) -> Option<Inside<'_>> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        state.begun += 1;
        state.inside += 1;
        Some(Inside(self))
    }

    /// Lets nobody in any more.
    fn close(&self) {
        self.lock().closed = true;
    }

    /// Closes the gate if nobody has come yet, and says so.
    pub fn close_unused(&self) -> bool {
        let mut state = self.lock();
        state.closed |= state.begun == 0;
        state.begun == 0
    }

    /// How the crew is after this time, or as soon as it is done.
    pub fn wait(&self, time: Duration) -> Crew {
        let at_work = |state: &mut State| state.begun == 0 || state.inside > 0;
        let waited = self.left.wait_timeout_while(self.lock(), time, at_work);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match *state {
            State { begun: 0, .. } => Crew::Waiting,
            State { inside: 0, .. } => Crew::Done,
            _ => Crew::Working,
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.lock().inside -= 1;
        self.0.left.notify_all();
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
        let mut state = self.0.lock();
        while state.inside > 0 {
            state = self.0.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A pointer and not a reference: in a job that comes too late it points nowhere.
#[derive(Clone, Copy)]
struct Work(*const (dyn Fn() + Sync));

// SAFETY: what it points to is shared by threads, and is `Sync`.
unsafe impl Send for Work {}

impl Work {
    /// # Safety
    /// The caller is inside the gate of [`with_crew`].
    unsafe fn run(self) {
        // SAFETY: while anybody is inside, `with_crew` has not ended, and borrows what this points to.
        unsafe { (*self.0)() }
    }
}

/// Calls `body` while up to `count` threads of the pool run `work`; when it returns none of them is at it, and none
/// will begin.
pub(super) fn with_crew<R>(
    pool: &ThreadPool,
    count: usize,
    work: &(dyn Fn() + Sync),
    body: impl FnOnce(&Gate) -> R,
) -> R {
    let gate = Arc::new(Gate::default());
    let _closing = Closing(&gate);
    // SAFETY: only the lifetime changes, of a pointer that is followed inside the gate alone.
    let work = Work(unsafe { transmute::<*const (dyn Fn() + Sync + '_), *const (dyn Fn() + Sync)>(work) });
    for _ in 0..count {
        let gate = Arc::clone(&gate);
        pool.spawn(move || {
            if let Some(_inside) = gate.enter() {
                // SAFETY: inside, until the end of this block.
                unsafe { work.run() };
            }
        });
    }
    body(&gate)
}
