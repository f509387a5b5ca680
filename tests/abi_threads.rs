//! Every function in every plan from many threads at once, each call on as many threads as it likes: the bits of a
//! call that is alone.

#[path = "support/c.rs"]
mod c;
#[path = "support/plans.rs"]
mod plans;
#[path = "support/calls.rs"]
mod support;

use plans::planned;
use std::thread;

const CALLERS: usize = 8;

#[test]
fn different_functions_at_once() {
    let expected: Vec<Vec<u64>> = planned()
        .into_iter()
        .map(|mut call| {
            call.options.threads = 1;
            call.expected()
        })
        .collect();
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let expected = &expected;
            scope.spawn(move || {
                let mut calls = planned();
                // No two callers go through the list alike: 2c + 1 and the length have no common factor, or nearly.
                for turn in 0..calls.len() {
                    let i = (turn * (2 * caller + 1) + caller * 31) % calls.len();
                    calls[i].options.threads = [1, 2, 3, 0][(turn + caller) % 4];
                    assert!(calls[i].gives(&expected[i]), "{}", calls[i].name());
                }
            });
        }
    });
}
