//! Failing allocation is a status, wherever in a call it strikes: nothing is leaked, and the next call is right.

#[path = "support/allocator.rs"]
mod allocator;
#[path = "support/c.rs"]
mod c;
#[path = "support/plans.rs"]
mod plans;
#[path = "support/calls.rs"]
mod support;

use goursat::ffi::goursat_status::{GOURSAT_OK, GOURSAT_OUT_OF_MEMORY};
use goursat::ffi::{self};
use plans::{Planned, planned, stride};
use std::ptr::null_mut;
use support::last_error;

/// Every allocation of a call fails in turn: how many there are. On several threads their order varies, so that the
/// call must be through undisturbed some times before it counts as done.
fn fail_each(call: &mut Planned, threads: i32, expected: &[u64]) -> u64 {
    call.options.threads = threads;
    let enough = if threads == 1 { 1 } else { 3 };
    let (mut failures, mut undisturbed, mut next) = (0, 0, 0);
    while undisturbed < enough {
        let n = next;
        next = call.after(n, stride().unwrap_or(1));
        let before = allocator::held();
        allocator::fail_at(n as i64);
        let status = call.status();
        let (struck, after) = (allocator::disarm(), allocator::held());
        let name = call.name();
        assert_eq!(
            after, before,
            "{name}: bytes are left behind after allocation {n} failed"
        );
        if !struck {
            assert_eq!(status, GOURSAT_OK as i32, "{name}: {}", last_error());
            undisturbed += 1;
            continue;
        }
        failures += 1;
        assert_eq!(status, GOURSAT_OUT_OF_MEMORY as i32, "{name}, allocation {n}");
        assert!(last_error().contains("memory"), "{}", last_error());
        assert!(call.gives(expected), "{name}: wrong after allocation {n} had failed");
    }
    failures
}

/// A Gram matrix of two paths on two threads: its status.
fn two_threads() -> i32 {
    let mut options = support::no_options();
    options.threads = 2;
    let x = [0.0f64, 1.0, 3.0, 2.0, 0.5, 1.0];
    let mut out = [0.0; 9];
    let (x, out) = (x.as_ptr(), out.as_mut_ptr());
    // SAFETY: three paths of two points, and room for all pairs.
    unsafe { ffi::goursat_sigkernel_gram_f64(x, 3, 2, x, 3, 2, 1, out, 9, &options) }
}

/// The first call on several threads, in a child that has no pool yet: every allocation fails in turn, the pool's too,
/// without which the call runs on fewer threads.
fn first_call() -> i64 {
    // The one thing that allocates and cannot be refused: the standard library's count of the machine's cores.
    ffi::goursat_default_threads();
    for n in 0.. {
        // SAFETY: the child calls the library and ends by `_exit`: nothing of the test's harness runs in it.
        let child = unsafe { libc::fork() };
        if child == 0 {
            unsafe { libc::alarm(60) };
            allocator::fail_at(n);
            let status = two_threads();
            let struck = allocator::disarm();
            let well = status == GOURSAT_OK as i32 || struck && status == GOURSAT_OUT_OF_MEMORY as i32;
            let again = two_threads() == GOURSAT_OK as i32;
            unsafe { libc::_exit(if well && again { i32::from(struck) } else { 9 }) }
        }
        let mut status = 0;
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert!(
            libc::WIFEXITED(status),
            "allocation {n} of the first call ended the process: {status:#x}"
        );
        match libc::WEXITSTATUS(status) {
            0 => return n,
            1 => {}
            code => panic!("allocation {n} of the first call: {code}"),
        }
    }
    unreachable!()
}

/// Functions that answer need no memory at all.
fn answers() {
    let before = allocator::held();
    allocator::fail_at(0);
    let version = ffi::goursat_version();
    let words = [
        ffi::goursat_version_number() as i32,
        ffi::goursat_default_threads(),
        // SAFETY: NULL asks for the size.
        unsafe { ffi::goursat_last_error(null_mut(), 0) as i32 },
    ];
    let texts = [version, ffi::goursat_simd_level(), ffi::goursat_status_name(1)];
    assert!(!allocator::disarm(), "a function that answers has allocated");
    assert_eq!(allocator::held(), before);
    assert!(words.iter().all(|word| *word > 0) && texts.iter().all(|text| !text.is_null()));
}

/// One test: what fails is what the thread of this test asks for, and the library's own threads.
#[test]
fn any_allocation_may_fail() {
    let first = first_call();
    assert!(
        first > 1,
        "the first call allocates {first} times: the pool's is missing"
    );
    answers();
    // The library's threads begin, and get the name by which the allocator knows them.
    assert_eq!(two_threads(), 0);
    std::thread::sleep(std::time::Duration::from_millis(200));
    let [mut alone, mut together] = [0, 0];
    for mut call in planned() {
        call.options.threads = 1;
        let expected = call.expected();
        alone += fail_each(&mut call, 1, &expected);
        together += fail_each(&mut call, 3, &expected);
    }
    println!("allocations failed: {first} of a first call, {alone} on one thread, {together} on several");
    let enough = 2000 / stride().unwrap_or(1);
    assert!(
        alone > enough && together > enough,
        "only {alone} and {together} failures: is the allocator in use?"
    );
}
