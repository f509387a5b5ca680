//! A call as words, with the memory that is really there.

use super::Function;
pub use super::header::Field;
use super::header::option_fields;
use std::sync::OnceLock;

/// Bytes of options that can always be read: as many as the library ever looks at.
pub const OPTIONS_BYTES: usize = 4096;

/// Memory that exists.
#[derive(Clone, Copy, Debug)]
pub struct Real {
    pub first: usize,
    pub bytes: usize,
}

/// What a call is given.
pub struct Case {
    pub function: &'static Function,
    pub words: Vec<usize>,
    /// Where the options lie, as words; begins with their size.
    pub options: Box<[u64; OPTIONS_BYTES / 8]>,
    pub real: Vec<Real>,
}

pub fn fields() -> &'static [Field] {
    static FIELDS: OnceLock<Vec<Field>> = OnceLock::new();
    FIELDS.get_or_init(option_fields)
}

/// Bytes of the options of this version.
pub fn options_size() -> usize {
    let last = fields().last().unwrap();
    (last.at + last.bytes).next_multiple_of(8)
}

pub fn field(name: &str, element: usize) -> &'static Field {
    let found = fields()
        .iter()
        .find(|field| field.name == name && field.element == element);
    found.unwrap_or_else(|| panic!("the options have no {name}[{element}]"))
}

/// The bits of a field among words.
pub fn read_field(options: &[u64], field: &Field) -> u64 {
    let word = options[field.at / 8] >> (8 * (field.at % 8));
    if field.bytes == 8 { word } else { word & 0xFFFF_FFFF }
}

impl Case {
    /// With options of zeros.
    pub fn new(function: &'static Function) -> Case {
        let mut case = Case {
            function,
            words: vec![0; function.parameters.len()],
            options: Box::new([0; OPTIONS_BYTES / 8]),
            real: Vec::new(),
        };
        case.options[0] = options_size() as u64;
        let address = case.options.as_ptr() as usize;
        case.set("options", address);
        case
    }

    pub fn set(&mut self, parameter: &str, word: usize) {
        let i = self.function.find(parameter);
        self.words[i.unwrap_or_else(|| panic!("{} has no {parameter}", self.function.name))] = word;
    }

    pub fn word(&self, parameter: &str) -> Option<usize> {
        self.function.find(parameter).map(|i| self.words[i])
    }

    pub fn put(&mut self, field: &Field, bits: u64) {
        let word = &mut self.options[field.at / 8];
        if field.bytes == 8 {
            *word = bits;
        } else {
            let shift = 8 * (field.at % 8);
            *word = *word & !(0xFFFF_FFFF << shift) | (bits & 0xFFFF_FFFF) << shift;
        }
    }

    pub fn option(&mut self, name: &str, bits: u64) {
        self.put(field(name, 0), bits);
    }

    pub fn exists(&self, first: usize, bytes: u128) -> bool {
        let inside =
            |real: &Real| real.first <= first && first as u128 + bytes <= real.first as u128 + real.bytes as u128;
        self.real.iter().any(inside)
    }

    /// Makes the call.
    pub fn status(&self) -> i32 {
        (self.function.entry)(&self.words) as i32
    }

    /// The call as it would be written, for messages.
    pub fn describe(&self) -> String {
        let names = self.function.parameters.iter().map(|one| &one.name);
        let arguments: Vec<String> = names
            .zip(&self.words)
            .map(|(name, word)| format!("{name}={word:#x}"))
            .collect();
        let given = fields()
            .iter()
            .filter(|field| read_field(&self.options[..], field) != 0);
        let given: Vec<String> = given
            .map(|field| {
                let bits = read_field(&self.options[..], field);
                format!("{}[{}]={bits:#x}", field.name, field.element)
            })
            .collect();
        format!(
            "{}({}) options {{{}}}",
            self.function.name,
            arguments.join(", "),
            given.join(", ")
        )
    }
}
