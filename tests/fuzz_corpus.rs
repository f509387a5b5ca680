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
use std::time::{Duration, Instant};

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

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is {text}")))
}

/// The same without a corpus: bytes of a generator. GOURSAT_FUZZ_SEED has it begin elsewhere, GOURSAT_FUZZ_SECONDS has
/// it go on for so long.
#[test]
fn seeded_calls() {
    level::note();
    let seed = number("GOURSAT_FUZZ_SEED").unwrap_or(1);
    let end = number("GOURSAT_FUZZ_SECONDS").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut decide = Decide::Seed(seed);
    let mut run = |length: usize, target: fn(&[u8])| {
        let data: Vec<u8> = (0..length).map(|_| decide.byte()).collect();
        let outcome = std::panic::catch_unwind(|| target(&data));
        assert!(outcome.is_ok(), "seed {seed}: {data:?}");
    };
    let mut rounds = 0;
    while end.map_or(rounds < 1500, |end| Instant::now() < end) {
        run(120, fuzz_calls::run);
        (0..20).for_each(|_| run(60, fuzz_arguments::run));
        rounds += 1;
    }
    println!("seed {seed}: {rounds} legal and {} arbitrary calls", 20 * rounds);
}
