//! An allocator that counts what is held and fails when it is told to, for the calling thread and the library's own:
//! the threads of the test harness are left alone.
#![allow(dead_code)] // each test uses its share

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

struct Failing;

#[global_allocator]
static ALLOCATOR: Failing = Failing;

/// Allocations until the one that fails; below 0 none does.
static LEFT: AtomicI64 = AtomicI64::new(-1);
static HELD: AtomicI64 = AtomicI64::new(0);

#[derive(Clone, Copy, PartialEq)]
enum Thread {
    Unknown,
    Counted,
}

thread_local! {
    static THREAD: Cell<Thread> = const { Cell::new(Thread::Unknown) };
}

/// From now on this thread counts. Its next allocations are counted down, and one fails.
pub fn fail_at(n: i64) {
    THREAD.set(Thread::Counted);
    LEFT.store(n, SeqCst);
}

/// No allocation fails any more; whether one did.
pub fn disarm() -> bool {
    LEFT.swap(-1, SeqCst) < 0
}

/// Bytes that counted threads hold.
pub fn held() -> i64 {
    THREAD.set(Thread::Counted);
    HELD.load(SeqCst)
}

/// Threads of the library bear its name.
fn counted() -> bool {
    THREAD.with(|thread| {
        if thread.get() == Thread::Unknown {
            let mut name = [0u8; 16];
            // SAFETY: the buffer is as long as a name can be.
            unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
            // A thread of the library has its name a little after it began.
            if &name[..8] == b"goursat\0" {
                thread.set(Thread::Counted);
            }
        }
        thread.get() == Thread::Counted
    })
}

fn strikes() -> bool {
    counted() && LEFT.load(SeqCst) >= 0 && LEFT.fetch_sub(1, SeqCst) == 0
}

fn count(bytes: i64) {
    if counted() {
        HELD.fetch_add(bytes, SeqCst);
    }
}

// SAFETY: everything is the system's allocator's, or NULL, which says that there is no memory.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if strikes() {
            return std::ptr::null_mut();
        }
        count(layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if strikes() {
            return std::ptr::null_mut();
        }
        count(layout.size() as i64);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if strikes() {
            return std::ptr::null_mut();
        }
        count(size as i64 - layout.size() as i64);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }
}
