//! Cancellation at every point where a call looks whether to stop: a status, nothing leaked, the next call right. And
//! calls of the library from its own callback.

#[path = "support/allocator.rs"]
mod allocator;
#[path = "support/c.rs"]
mod c;
#[path = "support/plans.rs"]
mod plans;
#[path = "support/calls.rs"]
mod support;

use goursat::ffi::{self, goursat_status::*};
use goursat::parallel::set_interval;
use plans::{Planned, planned, stride};
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use support::{last_error, no_options};

/// Points tried of a call on several threads: its caller looks as often as it can.
const MOST_WATCHED: u64 = 25;

/// Of a long call every eighth is tried: its points are those of two loops, forward and back, and each costs a whole call.
const LONG_STRIDE: u64 = 8;

/// What a callback is to do, and what it saw.
struct Seen {
    /// It cancels when called for this time, from 1 on.
    at: u64,
    called: u64,
    /// Whether it calls the library.
    inner: bool,
    wrong: u64,
}

unsafe extern "C" fn count(data: *mut c_void, done: u64, total: u64) -> c_int {
    // SAFETY: `data` is the `Seen` of the call, which nobody else uses meanwhile.
    let seen = unsafe { &mut *data.cast::<Seen>() };
    seen.called += 1;
    seen.wrong += u64::from(done > total);
    if seen.inner && seen.called <= 3 {
        seen.wrong += u64::from(inner_call() != [1.0, 1.25, 1.25, 1.0]);
    }
    c_int::from(seen.called == seen.at)
}

/// Kernels of straight lines with ±1 and themselves, to be had in the head: rounded, for they are Bessel functions.
fn inner_call() -> [f64; 4] {
    let (x, mut out) = ([0.0, 0.0, 0.0, 0.5], [0.0; 4]);
    let mut options = no_options();
    options.threads = 2;
    let out_len = out.len();
    // SAFETY: two paths of two points, and room for all pairs.
    let status = unsafe {
        ffi::goursat_sigkernel_gram_f64(
            x.as_ptr(),
            2,
            2,
            x.as_ptr(),
            2,
            2,
            1,
            out.as_mut_ptr(),
            out_len,
            &options,
        )
    };
    // The second line with itself is the only kernel that is not 1.
    let well = status == 0 && out[..3] == [1.0; 3] && (out[3] - 1.265).abs() < 1e-2;
    if well { [1.0, 1.25, 1.25, 1.0] } else { out }
}

/// The call under that callback: its status, and what was seen.
fn watched(call: &mut Planned, at: u64, inner: bool) -> (i32, Seen) {
    let mut seen = Seen {
        at,
        called: 0,
        inner,
        wrong: 0,
    };
    call.options.progress = Some(count);
    call.options.progress_data = (&raw mut seen).cast();
    let status = call.status();
    (call.options.progress, call.options.progress_data) = (None, null_mut());
    (status, seen)
}

/// Cancels at the first point, the second and so on, or by a stride, until the call is done before: at how many.
fn cancel_each(call: &mut Planned, threads: i32, expected: &[u64]) -> u64 {
    call.options.threads = threads;
    let most = if threads == 1 { u64::MAX } else { MOST_WATCHED };
    let stride = stride().unwrap_or(if call.is_long() { LONG_STRIDE } else { 1 });
    let (mut at, mut tried) = (1, 0);
    while at <= most {
        let before = allocator::held();
        let (status, seen) = watched(call, at, false);
        let after = allocator::held();
        let name = format!("{} on {threads} threads, cancelled at {at}", call.name());
        assert_eq!(after, before, "{name}: bytes are left behind");
        assert!(seen.called <= at, "{name}: told after it had cancelled");
        assert_eq!(seen.wrong, 0, "{name}: more was done than there is");
        if seen.called < at {
            assert_eq!(status, GOURSAT_OK as i32, "{name}: {}", last_error());
            return tried;
        }
        assert_eq!(status, GOURSAT_CANCELLED as i32, "{name}: {}", last_error());
        assert!(call.gives(expected), "{name}: the next call is wrong");
        (at, tried) = (call.after(at, stride), tried + 1);
    }
    tried
}

#[test]
fn a_call_may_be_cancelled_wherever_it_looks() {
    set_interval(0);
    let [mut alone, mut together, mut silent] = [0, 0, 0];
    // The pool is made once and kept.
    for mut call in planned() {
        call.options.threads = 3;
        call.status();
    }
    for mut call in planned() {
        call.options.threads = 1;
        let expected = call.expected();
        let points = cancel_each(&mut call, 1, &expected);
        silent += u64::from(points == 0);
        alone += points;
        together += cancel_each(&mut call, 3, &expected);
        // From the callback, the library works, and the call goes on as if nothing had been.
        for threads in [1, 3] {
            call.options.threads = threads;
            call.clear();
            let (status, seen) = watched(&mut call, 0, true);
            assert_eq!(
                (status, seen.wrong),
                (0, 0),
                "{}: the call from its callback",
                call.name()
            );
            assert!(call.results().eq(expected.iter().copied()), "{}: after it", call.name());
        }
    }
    println!("cancelled at {alone} points on one thread, {together} on several; {silent} calls have none");
    let enough = 500 / stride().unwrap_or(1);
    assert!(alone > enough && together > enough, "{alone} and {together} points");
}
