//! Use, fork, use in child and parent: a child has none of its parent's threads, and must not wait for them.
#![cfg(unix)]

use goursat::ffi::{self, Options};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const BATCH: usize = 32;
const LENGTH: usize = 20;

/// A Gram matrix on two threads at least: its bits.
fn gram() -> Vec<u64> {
    // SAFETY: zeros are what the header says an unused field is.
    let mut options: Options = unsafe { std::mem::zeroed() };
    options.size = size_of::<Options>();
    options.threads = 2;
    let x: Vec<f64> = (0..BATCH * LENGTH).map(|i| (i * 37 % 101) as f64 / 101.0).collect();
    let mut out = vec![0.0; BATCH * BATCH];
    let (x, count) = (x.as_ptr(), out.len());
    // SAFETY: the buffers are as long as is said.
    let status = unsafe {
        ffi::goursat_sigkernel_gram_f64(x, BATCH, LENGTH, x, BATCH, LENGTH, 1, out.as_mut_ptr(), count, &options)
    };
    assert_eq!(status, 0);
    out.into_iter().map(f64::to_bits).collect()
}

/// Forks a child that works and, `depth` times, forks another; fails if any of them hangs or differs.
fn fork_and_use(expected: &[u64], depth: usize) {
    // SAFETY: the child calls the library, waits for its own children and ends by `_exit`: nothing of the test's
    // harness runs in it.
    match unsafe { libc::fork() } {
        -1 => panic!("fork failed"),
        0 => {
            unsafe { libc::alarm(60) };
            let mut well = gram() == expected;
            if depth > 0 {
                well &= std::panic::catch_unwind(|| fork_and_use(expected, depth - 1)).is_ok();
            }
            unsafe { libc::_exit(if well { 0 } else { 1 }) }
        }
        child => {
            // The parent's own threads still work.
            assert_eq!(gram(), expected);
            let mut status = 0;
            assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
            assert!(
                libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
                "the child ended with {status:#x} (0xe: it hung until its alarm)"
            );
        }
    }
}

#[test]
fn children_have_threads_of_their_own() {
    // One test, as forking beside another test would inherit its state too.
    let expected = gram();
    fork_and_use(&expected, 2);

    // While the pool is at work for another thread.
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let busy = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                gram();
            }
        });
        for _ in 0..20 {
            fork_and_use(&expected, 0);
        }
        stop.store(true, Ordering::Relaxed);
        busy.join().unwrap();
    });
}
