//! Failing allocation is a status, wherever in a call it strikes.

#[path = "support/c.rs"]
mod c;
#[path = "support/calls.rs"]
mod support;

use goursat::ffi::goursat_status::{GOURSAT_OK, GOURSAT_OUT_OF_MEMORY};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use support::{calls, calls_of, last_error};

/// Fails one allocation of the thread that asks for it.
struct Failing;

thread_local! {
    /// Allocations until the one that fails; none fails at `None`.
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

fn strikes() -> bool {
    LEFT.with(|left| match left.get() {
        None => false,
        Some(0) => {
            left.set(None);
            true
        }
        Some(n) => {
            left.set(Some(n - 1));
            false
        }
    })
}

// SAFETY: everything is the system's allocator's, or NULL, which says that there is no memory.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if strikes() {
            std::ptr::null_mut()
        } else {
            unsafe { System.alloc(layout) }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if strikes() {
            std::ptr::null_mut()
        } else {
            unsafe { System.alloc_zeroed(layout) }
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if strikes() {
            std::ptr::null_mut()
        } else {
            unsafe { System.realloc(pointer, layout, size) }
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Failing = Failing;

/// On the calling thread alone: what the pool needs to start is not the library's to refuse.
#[test]
fn any_allocation_may_fail() {
    let mut failures = 0;
    // A few paths, and so many that lists of them are sorted and grow.
    for mut call in calls().chain(calls_of(45)) {
        call.fill();
        call.options.threads = 1;
        let lengths: Vec<i64> = (0..46).map(|b| 1 + b * 7 % 4).collect();
        call.options.x_lengths = lengths.as_ptr();
        call.options.y_lengths = lengths.as_ptr();
        call.works();
        for n in 0.. {
            LEFT.set(Some(n));
            let status = call.status();
            let struck = LEFT.replace(None).is_none();
            if !struck {
                assert_eq!(status, GOURSAT_OK as i32, "{}", call.name);
                break;
            }
            failures += 1;
            assert_eq!(status, GOURSAT_OUT_OF_MEMORY as i32, "{}, allocation {n}", call.name);
            assert!(last_error().contains("memory"), "{}", last_error());
        }
        call.works();
    }
    assert!(failures > 100, "only {failures} allocations: is the allocator in use?");
}
