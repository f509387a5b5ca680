//! What the header promises about arguments, written once more as a predicate over words: which calls are refused and
//! how, which are legal, and which lie about memory in a way that nobody can see. The oracle of `tests/arguments.rs`
//! and of the fuzzing targets; it shares nothing with `src/ffi`.
#![allow(dead_code)] // each test uses its share

pub mod case;
pub mod compare;
#[path = "../entries.rs"]
pub mod entries;
#[path = "../header.rs"]
pub mod header;
pub mod memory;
pub mod plan;
pub mod random;
pub mod rules;
pub mod side;
pub mod stage;
pub mod verdict;

use entries::{ENTRIES, Entry};
use header::{Parameter, Prototype};
use rules::Rules;
use std::sync::OnceLock;

/// A function that returns a status.
pub struct Function {
    pub name: &'static str,
    pub entry: Entry,
    pub parameters: Vec<Parameter>,
    pub rules: &'static Rules,
    /// Bytes of its numbers.
    pub width: usize,
}

impl Function {
    pub fn find(&self, parameter: &str) -> Option<usize> {
        self.parameters.iter().position(|one| one.name == parameter)
    }

    pub fn has(&self, parameter: &str) -> bool {
        self.find(parameter).is_some()
    }

    pub fn is_backprop(&self) -> bool {
        self.has("grad")
    }

    pub fn is_gram(&self) -> bool {
        self.has("x_batch")
    }

    /// Buffers: parameters that point to numbers, and whether they are written.
    pub fn buffers(&self) -> impl Iterator<Item = (&str, bool)> {
        let pointers = self.parameters.iter().filter(|one| one.kind.contains('*'));
        pointers
            .filter(|one| one.name != "options")
            .map(|one| (one.name.as_str(), !one.kind.contains("const")))
    }

    /// Bytes of an element of a buffer.
    pub fn element(&self, buffer: &str) -> usize {
        let i = self.find(buffer).unwrap();
        if self.parameters[i].kind.contains("size_t") {
            8
        } else {
            self.width
        }
    }
}

/// Every function of [`ENTRIES`] with its parameters as the header has them.
pub fn functions() -> &'static [Function] {
    static FUNCTIONS: OnceLock<Vec<Function>> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        let prototypes = header::prototypes();
        let find = |name: &str| -> &Prototype { prototypes.iter().find(|one| one.name == name).expect(name) };
        let function = |&(name, entry): &(&'static str, Entry)| Function {
            name,
            entry,
            parameters: find(name).parameters.clone(),
            rules: rules::of(name),
            width: if name.ends_with("_f32") { 4 } else { 8 },
        };
        ENTRIES.iter().map(function).collect()
    })
}

/// The sentence of this thread's last failed call.
pub fn last_error() -> String {
    let mut message = [0u8; 384];
    // SAFETY: the buffer is as long as it says, and NUL-terminated afterwards.
    unsafe { goursat::ffi::goursat_last_error(message.as_mut_ptr().cast(), message.len()) };
    let end = message.iter().position(|byte| *byte == 0).unwrap();
    std::str::from_utf8(&message[..end]).unwrap().to_owned()
}
