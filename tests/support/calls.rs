//! Every function of the header as a call that can be spoilt: arguments as words, buffers of the right lengths.
#![allow(dead_code)] // each test uses its share

#[path = "entries.rs"]
mod entries;

use crate::c::{Parameter, prototypes};
#[allow(unused_imports)] // each test uses its share
pub use entries::{ANSWERS, ENTRIES, Entry};
use goursat::ffi::{self, Options, goursat_status};
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char};

/// What outputs hold before a call.
const UNTOUCHED: u64 = 0xA5A5_5A5A_C3C3_3C3C;
/// Words in a buffer for each path: more than any call here needs.
const ROOM: usize = 256;

/// A call whose arguments are right until a test spoils them.
pub struct Call {
    pub name: &'static str,
    entry: Entry,
    /// Paths; in a Gram matrix y has one more.
    batch: usize,
    pub parameters: Vec<Parameter>,
    pub words: Vec<usize>,
    buffers: BTreeMap<String, Vec<u64>>,
    /// Lives in a box: its address is one of the words.
    pub options: Box<Options>,
}

/// Every function with right arguments.
pub fn calls() -> impl Iterator<Item = Call> {
    calls_of(2)
}

/// The same with so many paths.
pub fn calls_of(batch: usize) -> impl Iterator<Item = Call> {
    let prototypes = prototypes();
    ENTRIES.iter().map(move |&(name, entry)| {
        let prototype = prototypes.iter().find(|prototype| prototype.name == name);
        Call::new(name, entry, batch, prototype.expect(name).parameters.clone())
    })
}

pub fn no_options() -> Options {
    // SAFETY: zeros are what the header says an unused field is.
    let mut options: Options = unsafe { std::mem::zeroed() };
    options.size = size_of::<Options>();
    options
}

impl Call {
    fn new(name: &'static str, entry: Entry, batch: usize, parameters: Vec<Parameter>) -> Call {
        let mut call = Call {
            name,
            entry,
            batch,
            words: vec![0; parameters.len()],
            parameters,
            buffers: BTreeMap::new(),
            options: Box::new(no_options()),
        };
        for i in 0..call.words.len() {
            let parameter = call.parameters[i].clone();
            call.words[i] = if parameter.kind.contains("goursat_options") {
                &raw const *call.options as usize
            } else if parameter.kind.contains('*') {
                let buffer = call
                    .buffers
                    .entry(parameter.name)
                    .or_insert_with(|| vec![0; ROOM * batch]);
                buffer.as_ptr() as usize
            } else if let Some(buffer) = parameter.name.strip_suffix("_len") {
                call.count(buffer)
            } else {
                call.size(&parameter.name)
            };
        }
        call
    }

    /// The same right call, with buffers of its own.
    pub fn again(other: &Call) -> Call {
        Call::new(other.name, other.entry, other.batch, other.parameters.clone())
    }

    fn is_f32(&self) -> bool {
        self.name.ends_with("_f32")
    }

    /// The size of this name in a right call.
    fn size(&self, name: &str) -> usize {
        match name {
            "batch" | "x_batch" => self.batch,
            "y_batch" => self.batch + 1,
            "degree" => 2,
            "dim" => 3,
            "length" | "x_length" => 5,
            "y_length" => 4,
            other => panic!("{}: unknown size {other}", self.name),
        }
    }

    /// Numbers in the buffer of this name in a right call: 5 points (4 of y), 3 channels, 2 levels.
    pub fn count(&self, buffer: &str) -> usize {
        let (batch, gram) = (self.batch, self.name.contains("gram"));
        match buffer {
            "path" | "x" | "path_grad" | "x_grad" => batch * 5 * 3,
            "y" | "y_grad" => (batch + gram as usize) * 4 * 3,
            "length" | "rows" | "columns" => 1,
            _ if gram => batch * (batch + 1),
            _ if self.name.contains("grid") => batch * 5 * 4,
            _ if self.name.contains("sigkernel") => batch,
            _ if self.name.contains("sig") => batch * (3 + 9),
            _ if self.name.contains("time_augment") => batch * 5 * 4,
            _ if self.name.contains("lead_lag") => batch * 9 * 6,
            other => panic!("{}: unknown buffer {other}", self.name),
        }
    }

    pub fn index(&self, name: &str) -> usize {
        let found = self.parameters.iter().position(|parameter| parameter.name == name);
        found.unwrap_or_else(|| panic!("{} has no {name}", self.name))
    }

    pub fn has(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.name == name)
    }

    /// Names of the parameters that are numbers' pointers; with `written`, only of results.
    pub fn pointers(&self, written: bool) -> Vec<String> {
        let is = |parameter: &&Parameter| {
            let kind = &parameter.kind;
            kind.contains('*') && !kind.contains("goursat_options") && !(written && kind.contains("const"))
        };
        self.parameters
            .iter()
            .filter(is)
            .map(|parameter| parameter.name.clone())
            .collect()
    }

    /// Names of the sizes.
    pub fn sizes(&self) -> Vec<String> {
        let sizes = self.parameters.iter().filter(|parameter| parameter.kind == "size_t");
        sizes.map(|parameter| parameter.name.clone()).collect()
    }

    pub fn width(&self, buffer: &str) -> usize {
        let parameter = &self.parameters[self.index(buffer)];
        if parameter.kind.contains("size_t") || !self.is_f32() {
            8
        } else {
            4
        }
    }

    pub fn set(&mut self, name: &str, word: usize) -> &mut Self {
        let i = self.index(name);
        self.words[i] = word;
        self
    }

    /// Writes a number to a buffer.
    pub fn put(&mut self, buffer: &str, i: usize, value: f64) {
        let single = self.is_f32();
        let words = self.buffers.get_mut(buffer).unwrap();
        if !single {
            words[i] = value.to_bits();
            return;
        }
        let (shift, bits) = (32 * (i % 2), u64::from((value as f32).to_bits()));
        words[i / 2] = words[i / 2] & !(0xFFFF_FFFF << shift) | bits << shift;
    }

    pub fn get(&self, buffer: &str, i: usize) -> f64 {
        let words = &self.buffers[buffer];
        if !self.is_f32() {
            return f64::from_bits(words[i]);
        }
        f32::from_bits((words[i / 2] >> (32 * (i % 2))) as u32).into()
    }

    /// Fills the inputs with a walk, whatever their shape.
    pub fn fill(&mut self) {
        let written = self.pointers(true);
        for buffer in self.pointers(false).into_iter().filter(|name| !written.contains(name)) {
            for i in 0..self.count(&buffer) {
                self.put(&buffer, i, (i * 7 % 11) as f64 / 16.0);
            }
        }
    }

    pub fn status(&self) -> i32 {
        (self.entry)(&self.words) as i32
    }

    pub fn works(&self) {
        let status = self.status();
        assert_eq!(status, 0, "{}: {}", self.name, last_error());
    }

    /// Calls it and expects this status, a sentence with the function and `word` in it, and untouched outputs.
    pub fn fails(&mut self, status: goursat_status, word: &str) {
        let written = self.pointers(true);
        for name in &written {
            self.buffers.get_mut(name).unwrap().fill(UNTOUCHED);
        }
        let arguments: Vec<_> = self
            .parameters
            .iter()
            .map(|parameter| &parameter.name)
            .zip(&self.words)
            .collect();
        let context = format!("{} with {arguments:?}", self.name);
        let got = self.status();
        let sentence = last_error();
        assert_eq!(got, status as i32, "{context}: {sentence}");
        assert!(
            sentence.starts_with(&format!("{}: ", self.name)),
            "{context}: {sentence}"
        );
        assert!(sentence.contains(word), "{context}: expected {word} in: {sentence}");
        for name in &written {
            let buffer = &self.buffers[name];
            assert!(
                buffer.iter().all(|word| *word == UNTOUCHED),
                "{context}: {name} was touched"
            );
        }
    }
}

pub fn last_error() -> String {
    let mut message = [0 as c_char; 384];
    // SAFETY: the buffer is as long as it says, and NUL-terminated afterwards.
    unsafe {
        ffi::goursat_last_error(message.as_mut_ptr(), message.len());
        CStr::from_ptr(message.as_ptr()).to_str().unwrap().to_owned()
    }
}
