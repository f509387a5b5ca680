//! Nothing unwinds into C, the calling thread remembers why its last call failed, and finds its floating-point
//! environment as it left it.

use super::status::{Checked, goursat_status};
use crate::error::{Error, Sentence};
use crate::simd::environment::Standard;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The function that failed last on a thread, and its sentence.
type Message = Option<(&'static str, Sentence)>;

thread_local! {
    // Constant and without a destructor: neither using it nor ending the thread allocates or frees.
    static LAST: RefCell<Message> = const { RefCell::new(None) };
}

/// Runs the body of `function`; an error or a panic becomes a status, and its sentence the thread's last error.
pub(super) fn guard(function: &'static str, body: impl FnOnce() -> Checked<()>) -> i32 {
    let _environment = Standard::new();
    // Unwind safety: what the body borrows mutably are outputs, unspecified after a failure.
    let outcome = catch_unwind(AssertUnwindSafe(body));
    let outcome = outcome.unwrap_or_else(|payload| Err(Error::from_panic(&*payload).into()));
    let Err(failure) = outcome else {
        return goursat_status::GOURSAT_OK as i32;
    };
    let _ = LAST.try_with(|last| last.replace(Some((function, failure.sentence))));
    failure.status as i32
}

/// The parts of the calling thread's last error, to be joined.
pub(super) fn with_last<T>(read: impl FnOnce([&str; 3]) -> T) -> T {
    let message: Message = LAST.try_with(|last| last.borrow().clone()).unwrap_or(None);
    match &message {
        Some((function, sentence)) => read([function, ": ", sentence.as_str()]),
        None => read(["", "", ""]),
    }
}
