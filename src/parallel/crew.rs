//! Threads of the pool at work on one call: they come when they are free, and the call does not wait for those that
//! never came. A short call beside a long one, which keeps the pool busy, so ends when its own work does.
//!
//! Nothing here allocates: where memory is out, a call on several threads still ends with a status.

use crate::simd::environment;
use std::mem::transmute;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Calls that may ask for help at a time. One more works alone: every thread of the pool has enough to do then.
const PLACES: usize = 64;

/// Where calls ask for help. What is known of them is here and under one lock.
pub(super) struct Board {
    state: Mutex<State>,
    /// Told when there is something to do.
    asked: Condvar,
}

struct State {
    /// Those that asked, the first first; as many as `count`.
    calls: [Option<Call>; PLACES],
    count: usize,
    /// Threads of the pool that wait.
    idle: usize,
}

/// A call that asked. Its pointers are good while it is on the board: [`Gate`] takes it off before they end.
#[derive(Clone, Copy)]
struct Call {
    work: *const (dyn Fn() + Sync),
    /// Told when nobody is inside any more. Its address tells calls apart.
    left: *const Condvar,
    /// How many may still come.
    free: usize,
    begun: usize,
    inside: usize,
}

// SAFETY: what it points to is shared by threads, and is `Sync`.
unsafe impl Send for Call {}

/// What the caller sees of its crew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Crew {
    Waiting,
    Working,
    Done,
}

/// The caller's end: when it goes, by a panic too, nobody is at work on the call and nobody will begin.
pub(super) struct Gate<'g> {
    board: &'g Board,
    left: &'g Condvar,
}

impl State {
    fn find(&mut self, left: *const Condvar) -> Option<&mut Call> {
        let calls = self.calls[..self.count].iter_mut().flatten();
        calls.into_iter().find(|call| call.left == left)
    }

    /// Puts up a call, if there is room.
    fn put(&mut self, call: Call) {
        if let Some(place) = self.calls.get_mut(self.count) {
            *place = Some(call);
            self.count += 1;
        }
    }

    fn take_off(&mut self, left: *const Condvar) {
        let is = |call: &Option<Call>| call.is_some_and(|call| call.left == left);
        if let Some(i) = self.calls[..self.count].iter().position(is) {
            self.calls.copy_within(i + 1..self.count, i);
            self.count -= 1;
        }
    }

    /// Enters the first call that wants somebody.
    fn enter(&mut self) -> Option<Call> {
        let mut calls = self.calls[..self.count].iter_mut().flatten();
        let call = calls.find(|call| call.free > 0)?;
        call.free -= 1;
        call.begun += 1;
        call.inside += 1;
        Some(*call)
    }
}

impl Board {
    pub const fn new() -> Self {
        let state = State {
            calls: [None; PLACES],
            count: 0,
            idle: 0,
        };
        Board {
            state: Mutex::new(state),
            asked: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a thread of the pool does for ever: helps who asked first.
    pub fn serve(&self) -> ! {
        environment::standard_for_this_thread(); // it may have inherited something else
        let mut state = self.lock();
        loop {
            if let Some(call) = state.enter() {
                drop(state);
                // SAFETY: somebody is inside, so the call stays on the board and `with_crew` has not ended.
                unsafe { (*call.work)() };
                state = self.lock();
                leave(&mut state, call.left);
            } else {
                state.idle += 1;
                state = self.asked.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }

    /// Puts up a call and wakes as many as can help.
    fn ask(&self, call: Call) {
        let mut state = self.lock();
        state.put(call);
        let wake = call.free.min(state.idle);
        drop(state);
        for _ in 0..wake {
            self.asked.notify_one();
        }
    }
}

/// Under the lock: when the caller sees that nobody is inside, `left` may end.
fn leave(state: &mut State, left: *const Condvar) {
    if let Some(call) = state.find(left) {
        call.inside -= 1;
        if call.inside == 0 {
            // SAFETY: the call is on the board.
            unsafe { (*left).notify_all() };
        }
    }
}

impl Gate<'_> {
    /// Closes the gate if nobody has come yet, and says so.
    pub fn close_unused(&self) -> bool {
        let mut state = self.board.lock();
        let unused = state.find(self.left).is_none_or(|call| call.begun == 0);
        if unused {
            state.take_off(self.left);
        }
        unused
    }

    /// How the crew is after this time, or as soon as it is done.
    pub fn wait(&self, time: Duration) -> Crew {
        let at_work = |state: &mut State| {
            state
                .find(self.left)
                .is_some_and(|call| call.begun == 0 || call.inside > 0)
        };
        let waited = self.left.wait_timeout_while(self.board.lock(), time, at_work);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.find(self.left) {
            None | Some(Call { begun: 0, .. }) => Crew::Waiting,
            Some(Call { inside: 0, .. }) => Crew::Done,
            Some(_) => Crew::Working,
        }
    }
}

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        let mut state = self.board.lock();
        if let Some(call) = state.find(self.left) {
            call.free = 0;
        }
        let inside = |state: &mut State| state.find(self.left).is_some_and(|call| call.inside > 0);
        let waited = self.left.wait_while(state, inside);
        waited.unwrap_or_else(PoisonError::into_inner).take_off(self.left);
    }
}

/// Calls `body` while up to `count` threads that serve the board run `work`, which must not unwind; when it returns
/// none of them is at it, and none will begin.
pub(super) fn with_crew<R>(
    board: &Board,
    count: usize,
    work: &(dyn Fn() + Sync),
    body: impl FnOnce(&Gate<'_>) -> R,
) -> R {
    let left = Condvar::new();
    let gate = Gate { board, left: &left };
    board.ask(Call {
        // SAFETY: only the lifetime changes, of a pointer that is followed by those inside alone.
        work: unsafe { transmute::<*const (dyn Fn() + Sync + '_), *const (dyn Fn() + Sync)>(work) },
        left: &left,
        free: count,
        begun: 0,
        inside: 0,
    });
    body(&gate)
}
