//! Right calls on memory of known size, for tests to spoil.

use super::case::{Case, Field, Real, field, fields};
use super::random::Decide;
use super::rules::Gives;
use super::verdict::{Verdict, complaint, verdict};
use super::{Function, functions, last_error};

/// Words in each buffer, more than a right call needs; its neighbours in the arena are other buffers.
const ROOM: usize = 1024;
/// Entries in each list.
const ENTRIES: usize = 16;
/// What outputs hold before a call.
const UNTOUCHED: u64 = 0xA5A5_5A5A_C3C3_3C3C;

/// A call and its memory: buffers of [`ROOM`] words one after the other, lists behind them.
pub struct Stage {
    pub case: Case,
    arena: Vec<u64>,
    before: Vec<u64>,
    places: Vec<(String, usize)>,
}

/// How the options of a right call are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Base {
    /// Zeros but the size.
    Plain,
    /// Lengths, starts, strides and sizes said, of ragged paths.
    Full,
    /// No options.
    Null,
}

pub const BASES: [Base; 3] = [Base::Plain, Base::Full, Base::Null];

/// Points of x and y, channels, levels.
const SHAPE: [usize; 4] = [5, 4, 3, 2];

impl Stage {
    /// A right call: 2 paths (3 of y in a Gram matrix) of 5 points (4 of y) in 3 channels.
    pub fn new(function: &'static Function, base: Base) -> Stage {
        let mut case = Case::new(function);
        let names: Vec<String> = function.buffers().map(|(name, _)| name.to_owned()).collect();
        let lists = ["x_lengths", "x_starts", "y_lengths", "y_starts"];
        let mut arena = vec![UNTOUCHED; names.len() * ROOM + lists.len() * ENTRIES + 2];
        let mut places: Vec<(String, usize)> = Vec::new();
        let begin = arena.as_ptr() as usize;
        let end = arena.len() * 8;
        case.real.push(Real {
            first: begin,
            bytes: end,
        });
        for (i, name) in names.iter().enumerate() {
            places.push((name.clone(), begin + 8 * ROOM * i));
            case.set(name, begin + 8 * ROOM * i);
        }
        for (i, name) in lists.iter().enumerate() {
            let at = names.len() * ROOM + ENTRIES * i;
            places.push(((*name).to_owned(), begin + 8 * at));
            let (most, apart) = if name.starts_with('x') { (5, 15) } else { (4, 12) };
            for b in 0..ENTRIES {
                let entry = if name.ends_with("lengths") {
                    1 + (b + 3) % most
                } else {
                    apart * b
                };
                arena[at + b] = entry as u64;
            }
        }
        let mut stage = Stage {
            case,
            before: Vec::new(),
            arena,
            places,
        };
        for parameter in &function.parameters {
            if let Some(size) = stage.right_size(&parameter.name) {
                stage.case.set(&parameter.name, size);
            }
        }
        stage.values();
        match base {
            Base::Plain => {}
            Base::Null => stage.case.set("options", 0),
            Base::Full => stage.fill_options(),
        }
        stage.before = stage.arena.clone();
        stage
    }

    /// Inputs that are walks of small steps.
    fn values(&mut self) {
        let function = self.case.function;
        let begin = self.arena.as_ptr() as usize;
        for (name, _) in function.buffers().filter(|(_, written)| !written) {
            let at = (self.place(name) - begin) / 8;
            for i in 0..ROOM {
                let value = (i * 7 % 11) as f64 / 16.0;
                let pair = u64::from((value as f32).to_bits()) * 0x1_0000_0001;
                self.arena[at + i] = if function.width == 4 { pair } else { value.to_bits() };
            }
        }
    }

    fn fill_options(&mut self) {
        let function = self.case.function;
        let sides: &[char] = match function {
            f if f.rules.gives == Gives::Numbers => &[],
            f if f.has("y") => &['x', 'y'],
            _ => &['x'],
        };
        for &side in sides {
            let (points, count) = if side == 'x' {
                (5, 2)
            } else {
                (4, if function.is_gram() { 3 } else { 2 })
            };
            for list in ["lengths", "starts"] {
                let name = format!("{side}_{list}");
                let at = self.place(&name) as u64;
                self.case.option(&name, at);
            }
            self.case.option(&format!("{side}_size"), (count * points * 3) as u64);
            for (i, stride) in [points * 3, 3, 1].into_iter().enumerate() {
                self.case.put(field(&format!("{side}_strides"), i), stride as u64);
            }
        }
        self.case.option("threads", 1);
        self.case.option("end_time", 2f64.to_bits());
    }

    /// The size of this name in a right call.
    fn right_size(&self, name: &str) -> Option<usize> {
        let function = self.case.function;
        let [x, y, dim, degree] = SHAPE;
        let (xs, ys) = (2, if function.is_gram() { 3 } else { 2 });
        Some(match name {
            "batch" | "x_batch" => xs,
            "y_batch" => ys,
            "length" if function.rules.gives != Gives::Numbers => x,
            "x_length" => x,
            "y_length" => y,
            "dim" => dim,
            "degree" => degree,
            "path_grad_len" | "x_grad_len" => xs * x * dim,
            "y_grad_len" => ys * y * dim,
            "grad_len" | "out_len" => match function.rules.gives {
                Gives::Numbers => 0,
                Gives::Signature => xs * (dim + dim * dim),
                Gives::Corner => xs,
                Gives::Grid => xs * x * y,
                Gives::Matrix => xs * ys,
                Gives::TimeAugment => xs * x * (dim + 1),
                Gives::LeadLag => xs * (2 * x - 1) * 2 * dim,
            },
            _ => return None,
        })
    }

    /// The address of a buffer or a list.
    pub fn place(&self, name: &str) -> usize {
        let found = self.places.iter().find(|(known, _)| known == name);
        found
            .unwrap_or_else(|| panic!("{}: no buffer {name}", self.case.function.name))
            .1
    }

    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.places.iter().map(|(_, at)| *at)
    }

    /// Entry `i` of a list.
    pub fn set_entry(&mut self, list: &str, i: usize, value: i64) {
        let at = (self.place(list) - self.arena.as_ptr() as usize) / 8 + i;
        self.arena[at] = value as u64;
        self.before[at] = value as u64;
    }

    /// Whether no memory has changed but, where it is allowed, outputs.
    pub fn is_untouched(&self) -> bool {
        self.arena == self.before
    }

    /// As [`Stage::is_untouched`], for everything that is not an output of the call as it stands.
    pub fn inputs_are_untouched(&self) -> bool {
        let begin = self.arena.as_ptr() as usize;
        let written = |i: usize| {
            let address = begin + 8 * i;
            let mut outputs = self.case.function.buffers().filter(|(_, written)| *written);
            outputs.any(|(name, _)| {
                let begin = self.case.word(name).unwrap();
                let length = self.case.word(&format!("{name}_len")).unwrap_or(1);
                let bytes = length * self.case.function.element(name);
                begin < address + 8 && address < begin + bytes
            })
        };
        (0..self.arena.len()).all(|i| self.arena[i] == self.before[i] || written(i))
    }

    pub fn restore(&mut self) {
        self.arena.clone_from_slice(&self.before);
    }
}

/// What became of a call.
#[derive(Debug)]
pub enum Settled {
    /// Not called: right by its words, about memory that is not there (or that a CUDA device cannot see).
    Lie,
    /// Not called: legal, and too long.
    Long,
    Called(Verdict, i32),
}

/// More steps than these take too long.
const PATIENCE: f64 = 2e7;

impl Stage {
    /// Calls, if that may be done, and judges the answer and all memory. What is wrong is the error.
    pub fn settle(&mut self) -> Result<Settled, String> {
        let verdict = verdict(&self.case);
        match verdict {
            Verdict::Lie => return Ok(Settled::Lie),
            Verdict::Legal(work) if work > PATIENCE => return Ok(Settled::Long),
            Verdict::Device if goursat::ffi::goursat_cuda_available() == 0 => return Ok(Settled::Lie),
            _ => {}
        }
        let status = self.case.status();
        if let Some(complaint) = complaint(&self.case, &verdict, status, &last_error()) {
            return Err(complaint);
        }
        let clean = match verdict {
            Verdict::Legal(_) => self.inputs_are_untouched(),
            _ => self.is_untouched(),
        };
        if !clean {
            return Err(format!("memory was touched: {}", self.case.describe()));
        }
        if status == 0 {
            self.restore();
        }
        Ok(Settled::Called(verdict, status))
    }
}

/// One thing done to a right call.
#[derive(Clone, Copy, Debug)]
pub enum Spoil {
    /// A word for an argument.
    Argument(usize, u64),
    /// Bits for an element of a field.
    Option(usize, u64),
    /// A value for an entry of one of the lists.
    Entry(&'static str, usize, i64),
}

/// Numbers that break careless arithmetic, as words.
pub const NUMBERS: [u64; 40] = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    12,
    15,
    16,
    17,
    30,
    31,
    32,
    60,
    64,
    100,
    255,
    256,
    1 << 16,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1, // -1 of 32 bits
    1 << 32,
    1 << 33,
    1 << 59,
    1 << 60,
    (1 << 60) + 1,
    1 << 61,
    1 << 62,
    u64::MAX / 3 + 1,
    (1 << 63) - 1,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX - 7,
    u64::MAX - 2,
    u64::MAX - 1,
    u64::MAX, // -1
];

const DOUBLES: [f64; 12] = [
    0.0,
    -0.0,
    1.0,
    -3.5,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    5e-324,
    1e-300,
];

/// Everything that is done to single arguments, fields and lists of a right call.
pub fn spoils(stage: &Stage) -> Vec<Spoil> {
    let function = stage.case.function;
    let mut all = Vec::new();
    for (i, parameter) in function.parameters.iter().enumerate() {
        let right = stage.case.words[i] as u64;
        if parameter.kind.contains('*') {
            let own = if parameter.name == "options" {
                Vec::new()
            } else {
                stage.places().collect()
            };
            all.extend(pointers(right, own).into_iter().map(|word| Spoil::Argument(i, word)));
        } else {
            let near = [
                right.wrapping_sub(1),
                right + 1,
                2 * right,
                2 * right + 1,
                right.wrapping_neg(),
            ];
            all.extend(NUMBERS.into_iter().chain(near).map(|word| Spoil::Argument(i, word)));
        }
    }
    for (i, field) in fields().iter().enumerate() {
        all.extend(
            field_values(stage, field)
                .into_iter()
                .map(|bits| Spoil::Option(i, bits)),
        );
    }
    for list in ["x_lengths", "y_lengths", "x_starts", "y_starts"] {
        for entry in 0..3 {
            let values = [
                0,
                1,
                2,
                3,
                4,
                5,
                6,
                11,
                12,
                14,
                15,
                16,
                30,
                31,
                -1,
                i64::MIN,
                i64::MAX,
                1 << 32,
            ];
            all.extend(values.map(|value| Spoil::Entry(list, entry, value)));
        }
    }
    all
}

/// NULL, misaligned, at the ends of the address space, and overlapping: at every other place, one element before its
/// end and at odd bytes.
fn pointers(right: u64, others: Vec<usize>) -> Vec<u64> {
    let mut all = vec![0, 1, 2, 4, 7, u64::MAX, u64::MAX - 3, u64::MAX - 7, u64::MAX - 15];
    all.extend((1..8).map(|shift| right + shift));
    for place in others {
        let place = place as u64;
        all.extend([0, 4, 8, 16, 32, 88, 232].map(|shift| place + shift));
        all.extend([4, 8, 16, 64].map(|shift| place.wrapping_sub(shift)));
    }
    all
}

fn field_values(stage: &Stage, field: &Field) -> Vec<u64> {
    match field.kind.as_str() {
        "double" => DOUBLES.iter().map(|value| value.to_bits()).collect(),
        // A callback cannot be arbitrary: `tests/threads.rs` has right ones.
        "goursat_progress" => vec![0],
        "uint64_t" => (0..64).map(|bit| 1 << bit).chain(NUMBERS).collect(),
        // Every size there may be, and beyond.
        "size_t" if field.name == "size" => (0..=4104).chain(NUMBERS).collect(),
        "const int64_t *" | "size_t *" => pointers(stage.place("x_lengths") as u64, stage.places().collect()),
        "void *" => pointers(256, Vec::new()),
        _ => NUMBERS.into_iter().chain(NUMBERS.map(u64::wrapping_neg)).collect(),
    }
}

pub fn apply(stage: &mut Stage, spoil: Spoil) {
    match spoil {
        Spoil::Argument(i, word) => stage.case.words[i] = word as usize,
        Spoil::Option(i, bits) => stage.case.put(&fields()[i], bits),
        Spoil::Entry(list, i, value) => stage.set_entry(list, i, value),
    }
}

/// One of the functions.
pub fn any_function(decide: &mut Decide<'_>) -> &'static Function {
    &functions()[decide.below(functions().len())]
}

impl Stage {
    /// What an entry of a list is.
    pub fn entry(&self, list: &str, i: usize) -> i64 {
        let at = (self.place(list) - self.arena.as_ptr() as usize) / 8 + i;
        self.arena[at] as i64
    }
}
