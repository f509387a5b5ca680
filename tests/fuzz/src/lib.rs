//! The targets, for libFuzzer. `tests/fuzz_corpus.rs` has them without it.

#[path = "../../support/contract/mod.rs"]
pub mod contract;

pub mod arguments;
pub mod calls;
