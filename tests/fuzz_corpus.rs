//! What fuzzing has found worth keeping, once more: the targets of tests/fuzz over their corpus, one input a line, in
//! hexadecimal digits. `make soak` adds to it.

#[path = "support/contract/mod.rs"]
mod contract;
#[path = "fuzz/src/arguments.rs"]
mod fuzz_arguments;
#[path = "fuzz/src/calls.rs"]
mod fuzz_calls;
#[path = "support/level.rs"]
mod level;

use contract::functions;
use contract::random::Decide;
use std::path::Path;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let byte = |i: usize, line: &str| u8::from_str_radix(&line[i..i + 2], 16).unwrap();
    text.lines()
        .map(|line| (0..line.len()).step_by(2).map(|i| byte(i, line)).collect())
        .collect()
}

/// Runs a target over its corpus and says which input fails.
fn replay(name: &str, target: fn(&[u8])) {
    level::note();
    let inputs = corpus(name);
    for (i, input) in inputs.iter().enumerate() {
        let outcome = std::panic::catch_unwind(|| target(input));
        assert!(outcome.is_ok(), "line {} of tests/fuzz/corpus/{name}", i + 1);
    }
    println!("{name}: {} inputs", inputs.len());
    // The first byte chooses the function.
    let reached = |f: usize| {
        inputs.iter().any(|input| {
            input
                .first()
                .is_some_and(|first| *first as usize % functions().len() == f)
        })
    };
    let missing: Vec<&str> = (0..functions().len())
        .filter(|f| !reached(*f))
        .map(|f| functions()[f].name)
        .collect();
    assert!(inputs.len() >= 100 && missing.is_empty(), "no input calls {missing:?}");
}

#[test]
fn legal_calls() {
    replay("calls.hex", fuzz_calls::run);
}

#[test]
fn arbitrary_arguments() {
    replay("arguments.hex", fuzz_arguments::run);
}

/// The same without a corpus: bytes of a generator.
#[test]
fn seeded_calls() {
    level::note();
    let mut decide = Decide::Seed(1);
    let rounds = 1500;
    for round in 0..rounds {
        let data: Vec<u8> = (0..120).map(|_| decide.byte()).collect();
        let outcome = std::panic::catch_unwind(|| fuzz_calls::run(&data));
        assert!(outcome.is_ok(), "round {round}: {data:?}");
    }
    for round in 0..20 * rounds {
        let data: Vec<u8> = (0..60).map(|_| decide.byte()).collect();
        let outcome = std::panic::catch_unwind(|| fuzz_arguments::run(&data));
        assert!(outcome.is_ok(), "round {round}: {data:?}");
    }
}
