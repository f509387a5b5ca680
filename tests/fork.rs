//! Use, fork, use in child and parent: a child has none of its parent's threads, and must not wait for them.
#![cfg(unix)]

use goursat::ffi::{self, Options};
use std::ffi::{c_int, c_void};
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

/// Whether this process has threads that help, if it is to have any: without them its calls would still be right.
fn has_threads() -> bool {
    let all = std::fs::read_dir("/proc/self/task").map_or(usize::MAX, |threads| threads.count());
    ffi::goursat_default_threads() == 1 || all > 1
}

/// Forks a child that works and, `depth` times, forks another; fails if any of them hangs or differs.
fn fork_and_use(expected: &[u64], depth: usize) {
    // SAFETY: the child calls the library, waits for its own children and ends by `_exit`: nothing of the test's
    // harness runs in it.
    match unsafe { libc::fork() } {
        -1 => panic!("fork failed"),
        0 => {
            unsafe { libc::alarm(60) };
            let mut well = gram() == expected && has_threads();
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
                "the child ended with {status:#x} (0xe: it hung until its alarm; 0x100: other bits, or no threads)"
            );
        }
    }
}

#[test]
fn children_have_threads_of_their_own() {
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
        // Stopped before a failure is told, which would wait for the other thread.
        let tried = std::panic::catch_unwind(|| (0..20).for_each(|_| fork_and_use(&expected, 0)));
        stop.store(true, Ordering::Relaxed);
        busy.join().unwrap();
        tried.unwrap_or_else(|failure| std::panic::resume_unwind(failure));
    });
}

/// From a thread that is not the first: the child has that thread alone.
#[test]
fn forks_from_threads() {
    let expected = gram();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| fork_and_use(&expected, 1));
        }
    });
}

/// What a callback is given: what a child is to compute, and how it went.
struct Fork<'a> {
    expected: &'a [u64],
    well: Option<bool>,
}

unsafe extern "C" fn fork_once(data: *mut c_void, _: u64, _: u64) -> c_int {
    // SAFETY: `data` is the `Fork` of the call, which nobody else uses meanwhile.
    let fork = unsafe { &mut *data.cast::<Fork>() };
    if fork.well.is_none() {
        fork.well = Some(std::panic::catch_unwind(|| fork_and_use(fork.expected, 0)).is_ok());
    }
    0
}

/// From the callback of a call that is at work on several threads.
#[test]
fn forks_from_a_callback() {
    let expected = gram();
    let x: Vec<f64> = (0..64 * LENGTH).map(|i| (i * 37 % 101) as f64 / 101.0).collect();
    let mut out = vec![0.0; 64 * 64];
    for threads in [1, 2] {
        let mut fork = Fork {
            expected: &expected,
            well: None,
        };
        // SAFETY: as in `gram`.
        let mut options: Options = unsafe { std::mem::zeroed() };
        options.size = size_of::<Options>();
        options.threads = threads;
        options.progress = Some(fork_once);
        options.progress_data = (&raw mut fork).cast();
        (options.x_order, options.y_order) = (5, 5);
        let (x, count) = (x.as_ptr(), out.len());
        // SAFETY: the buffers are as long as is said.
        let status = unsafe {
            ffi::goursat_sigkernel_gram_f64(x, 64, LENGTH, x, 64, LENGTH, 1, out.as_mut_ptr(), count, &options)
        };
        assert_eq!(status, 0);
        assert_eq!(fork.well, Some(true), "{threads} threads");
    }
}

/// Two processes of one number, one the child of the other, each the first of its namespace (which root may make):
/// the child must not take its parent's threads for its own.
#[cfg(target_os = "linux")]
#[test]
fn children_with_the_number_of_their_parent() {
    let expected = gram();
    // SAFETY: as in `fork_and_use`.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::alarm(60);
            let code = if libc::unshare(libc::CLONE_NEWPID) == 0 {
                first_of_namespace(&expected, 1)
            } else {
                77
            };
            libc::_exit(code)
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        assert!(libc::WIFEXITED(status), "ended with {status:#x}");
        match libc::WEXITSTATUS(status) {
            0 => {}
            77 => println!("this user may not make namespaces: not tried"),
            code => panic!("failed with {code}"),
        }
    }
}

/// After `unshare`: forks the process number 1, which uses the library and, if asked to, does the same once more.
#[cfg(target_os = "linux")]
unsafe fn first_of_namespace(expected: &[u64], depth: usize) -> c_int {
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::alarm(20);
            let mut well = std::process::id() == 1 && gram() == expected && has_threads();
            if depth > 0 {
                well &= libc::unshare(libc::CLONE_NEWPID) == 0 && first_of_namespace(expected, depth - 1) == 0;
            }
            libc::_exit(if well { 0 } else { 1 })
        }
        let mut status = 0;
        libc::waitpid(child, &mut status, 0);
        if libc::WIFEXITED(status) {
            libc::WEXITSTATUS(status)
        } else {
            2
        }
    }
}
