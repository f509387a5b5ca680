//! Faults that a sanitizer must find, one an argument: that a run of it without a word means something.

use std::hint::black_box;
use std::thread;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("overflow") => overflow(),
        Some("leak") => leak(),
        Some("race") => race(),
        other => panic!("{other:?}: expected overflow, leak or race"),
    }
}

/// Reads the number after the last.
fn overflow() {
    let numbers = black_box(vec![1.0f64; 100]);
    // SAFETY: it is not.
    println!("{}", unsafe { *numbers.as_ptr().add(black_box(100)) });
}

/// Forgets where memory is, deep in a stack that is used anew.
fn leak() {
    #[inline(never)]
    fn forget() {
        black_box(Box::leak(vec![1.0f64; 1000].into_boxed_slice()));
    }
    forget();
    black_box([0u8; 1 << 14]);
}

/// Two threads write to one number.
fn race() {
    static mut NUMBER: u64 = 0;
    let write = || {
        for _ in 0..1000 {
            // SAFETY: it is not.
            unsafe { NUMBER = black_box(NUMBER + 1) };
        }
    };
    let threads = [thread::spawn(write), thread::spawn(write)];
    for thread in threads {
        thread.join().unwrap();
    }
}
