//! Every function of the header in every shape that the library has a plan of its own for, as calls on buffers that
//! fit: what a test of memory or of threads must have gone through.
#![allow(dead_code)] // each test uses its share

use crate::c::{Parameter, prototypes};
use crate::support::{ENTRIES, Entry, no_options};
use goursat::ffi::{
    GOURSAT_DIRECT, GOURSAT_LAG_FIRST, GOURSAT_LEAD_LAG, GOURSAT_SCALAR_TERM, GOURSAT_SYMMETRIC, GOURSAT_TIME_AUG,
    Options,
};

/// Functions that take nothing that could be wrong and need no memory.
pub const ANSWERS: [&str; 6] = [
    "goursat_version",
    "goursat_version_number",
    "goursat_simd_level",
    "goursat_status_name",
    "goursat_last_error",
    "goursat_default_threads",
];

/// A shape, and what the library does about it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub name: &'static str,
    batch: usize,
    lengths: (usize, usize),
    dim: usize,
    degree: usize,
    orders: (u32, u32),
    flags: u64,
    /// Paths end early, the first ones most.
    ragged: bool,
    /// Channel by channel and not point by point: each path is gathered.
    strided: bool,
}

const FEW: Plan = Plan {
    name: "few pairs",
    batch: 2,
    lengths: (5, 4),
    dim: 3,
    degree: 3,
    orders: (0, 0),
    flags: 0,
    ragged: false,
    strided: false,
};

macro_rules! plans {
    ($($name:literal: $($field:ident = $value:expr),*;)*) => {
        [$(Plan { name: $name, $($field: $value,)* ..FEW }),*]
    };
}

const KERNELS: &[Plan] = &plans! {
    "few pairs": batch = 2;
    "groups of pairs": batch = 37, lengths = (9, 12);
    "ragged groups": batch = 37, lengths = (9, 12), ragged = true;
    "gathered groups": batch = 19, lengths = (9, 12), ragged = true, strided = true;
    "refined tiles": batch = 5, orders = (2, 1), ragged = true;
    "repeated increments": batch = 3, orders = (4, 3);
    "time": batch = 5, flags = GOURSAT_TIME_AUG, ragged = true;
    "lead-lag": batch = 5, flags = GOURSAT_LEAD_LAG;
    "lead-lag with time, refined": batch = 5, flags = GOURSAT_LEAD_LAG | GOURSAT_TIME_AUG | GOURSAT_LAG_FIRST, orders = (1, 2);
    "lead-lag, unfolded": batch = 3, flags = GOURSAT_LEAD_LAG | GOURSAT_TIME_AUG, orders = (3, 4);
    "relay of one pair": batch = 1, lengths = (230, 190);
    "gathered relay": batch = 1, lengths = (230, 190), strided = true, flags = GOURSAT_TIME_AUG;
    "relays of long pairs": batch = 2, lengths = (1100, 1050), dim = 1;
    "increments carried": batch = 1, lengths = (34, 34), orders = (6, 6), dim = 1;
};

/// The last of them, with millions of cells.
const LONG: usize = 2;

const GRAMS: &[Plan] = &plans! {
    "symmetric": batch = 21, lengths = (6, 6), flags = GOURSAT_SYMMETRIC, ragged = true;
    "symmetric with lead-lag": batch = 5, flags = GOURSAT_SYMMETRIC | GOURSAT_LEAD_LAG, orders = (1, 1);
};

const SIGNATURES: &[Plan] = &plans! {
    "one channel": batch = 7, dim = 1, degree = 5, ragged = true;
    "level 1": batch = 5, degree = 1;
    "small": batch = 3, dim = 2, degree = 4, lengths = (40, 1);
    "lanes over paths": batch = 37, dim = 4, degree = 4, lengths = (9, 1), ragged = true;
    "suffix tiles": batch = 2, dim = 6, degree = 4, lengths = (12, 1);
    "suffix tiles, high degree": batch = 1, dim = 3, degree = 8, lengths = (7, 1);
    "gathered": batch = 19, dim = 3, degree = 3, ragged = true, strided = true;
    "pieces": batch = 3, dim = 2, degree = 3, lengths = (1300, 1), ragged = true;
    "chains of pieces": batch = 1, dim = 2, degree = 2, lengths = (20_000, 1);
    "pieces in suffix tiles": batch = 1, dim = 6, degree = 4, lengths = (700, 1);
    "pieces, direct": batch = 1, dim = 6, degree = 4, lengths = (700, 1), flags = GOURSAT_DIRECT;
    "fewer words": batch = 3, dim = 8, degree = 4, lengths = (400, 1), ragged = true;
    "lead-lag with time": batch = 5, flags = GOURSAT_LEAD_LAG | GOURSAT_TIME_AUG | GOURSAT_LAG_FIRST, ragged = true;
    "with the number 1": batch = 5, flags = GOURSAT_SCALAR_TERM | GOURSAT_TIME_AUG;
};

const TRANSFORMS: &[Plan] = &plans! {
    "few paths": batch = 2;
    "many paths": batch = 37, lengths = (3000, 1), ragged = true;
    "gathered paths": batch = 5, ragged = true, strided = true;
};

/// The plans that a function has.
fn plans(function: &str) -> Vec<Plan> {
    let of = |lists: &[&[Plan]]| lists.concat();
    match function {
        name if name.contains("_grid_shape") || name.contains("_length") => of(&[&[FEW]]),
        // Single precision carries increments in every plan; the gradient of a Gram matrix takes seconds each time.
        name if name.contains("_f32") && name.contains("_sigkernel") && !name.contains("_grid") => of(&[
            &KERNELS[..KERNELS.len() - 1],
            if name.contains("_gram") { GRAMS } else { &[] },
        ]),
        "goursat_sigkernel_gram_backprop_f64" if std::env::var_os("GOURSAT_SOAK").is_none() => {
            of(&[&KERNELS[..KERNELS.len() - 1], GRAMS])
        }
        // Whole grids of long pairs are hundreds of megabytes, and have one plan more or less.
        name if name.contains("_grid") => of(&[&KERNELS[..KERNELS.len() - LONG]]),
        name if name.contains("_gram") => of(&[KERNELS, GRAMS]),
        name if name.contains("_sigkernel") => of(&[KERNELS]),
        name if name.contains("_sig") => of(&[SIGNATURES]),
        name if name.contains("_time_augment") || name.contains("_lead_lag") => of(&[TRANSFORMS]),
        name => panic!("{name}: no plan is known"),
    }
}

/// Of the points of a call where something is done to it (an allocation fails, it is cancelled) every so many-th is tried, if
/// `GOURSAT_POINT_STRIDE` says so: for where calls are slow, as under a sanitizer.
pub fn stride() -> Option<u64> {
    let given = std::env::var("GOURSAT_POINT_STRIDE").ok()?;
    Some(given.parse().expect("GOURSAT_POINT_STRIDE is a number of points"))
}

/// A right call and the memory that it needs.
pub struct Planned {
    /// Its place in the list.
    number: u64,
    pub function: &'static str,
    pub plan: Plan,
    entry: Entry,
    words: Vec<usize>,
    /// Its buffers, in words of 8 bytes; those of results first cleared, then compared.
    buffers: Vec<Buffer>,
    lists: [Vec<i64>; 2],
    pub options: Box<Options>,
}

struct Buffer {
    name: String,
    written: bool,
    words: Vec<u64>,
}

/// Every function of the header in all of its plans; fails where one is forgotten.
pub fn planned() -> Vec<Planned> {
    let all = prototypes();
    for prototype in &all {
        let known = ENTRIES.iter().any(|(name, _)| *name == prototype.name)
            || ANSWERS.contains(&&*prototype.name)
            || prototype.name.contains("_cuda_");
        assert!(known, "{} is in the header and in no list of the tests", prototype.name);
    }
    let mut list = Vec::new();
    // Without a driver, what tells of devices has an answer and no result: tests/cuda.rs.
    let computing = ENTRIES
        .iter()
        .filter(|(name, _)| !name.contains("_cuda_") && !ANSWERS.contains(name));
    for &(function, entry) in computing {
        let prototype = all.iter().find(|prototype| prototype.name == function).expect(function);
        list.extend(
            plans(function)
                .into_iter()
                .map(|plan| Planned::new(function, entry, plan, &prototype.parameters)),
        );
    }
    for (number, call) in list.iter_mut().enumerate() {
        call.number = number as u64;
    }
    list
}

impl Planned {
    fn new(function: &'static str, entry: Entry, plan: Plan, parameters: &[Parameter]) -> Planned {
        let mut call = Planned {
            number: 0,
            function,
            plan,
            entry,
            words: Vec::new(),
            buffers: Vec::new(),
            lists: [Vec::new(), Vec::new()],
            options: Box::new(no_options()),
        };
        call.set_options();
        for parameter in parameters {
            let word = call.word(parameter);
            call.words.push(word);
        }
        call
    }

    fn symmetric(&self) -> bool {
        self.plan.flags & GOURSAT_SYMMETRIC != 0
    }

    /// Paths in x and y.
    fn batches(&self) -> (usize, usize) {
        (
            self.plan.batch,
            self.plan.batch + usize::from(self.function.contains("gram")),
        )
    }

    fn set_options(&mut self) {
        let plan = self.plan;
        let lists = |batch: usize, length: usize| {
            let points = move |b| 1.max(length - (batch - 1 - b) % length.min(5)) as i64;
            (0..batch).map(points)
        };
        let (x, y) = self.batches();
        self.lists = [lists(x, plan.lengths.0).collect(), lists(y, plan.lengths.1).collect()];
        self.options.flags = plan.flags;
        (self.options.x_order, self.options.y_order) = plan.orders;
        if plan.ragged {
            (self.options.x_lengths, self.options.y_lengths) = (self.lists[0].as_ptr(), self.lists[1].as_ptr());
        }
        if plan.strided {
            let strides = |length: usize| [length * plan.dim, 1, length].map(|stride| stride as i64);
            (self.options.x_strides, self.options.y_strides) = (strides(plan.lengths.0), strides(plan.lengths.1));
        }
    }

    fn word(&mut self, parameter: &Parameter) -> usize {
        let name = parameter.name.as_str();
        if parameter.kind.contains("goursat_options") {
            return &raw const *self.options as usize;
        }
        if self.symmetric() && name.starts_with("y_grad") {
            return 0;
        }
        if !parameter.kind.contains('*') {
            return match name.strip_suffix("_len") {
                Some(buffer) => self.count(buffer),
                None => self.size(name),
            };
        }
        let written = !parameter.kind.contains("const");
        let mut buffer = Buffer {
            name: name.to_owned(),
            written,
            words: vec![0; self.count(name)],
        };
        if !written {
            self.fill(&mut buffer);
        }
        self.buffers.push(buffer);
        self.buffers[self.buffers.len() - 1].words.as_ptr() as usize
    }

    fn size(&self, name: &str) -> usize {
        match name {
            "batch" | "x_batch" => self.batches().0,
            "y_batch" => self.batches().1,
            "degree" => self.plan.degree,
            "dim" => self.plan.dim,
            "length" | "x_length" => self.plan.lengths.0,
            "y_length" => self.plan.lengths.1,
            other => panic!("{}: unknown size {other}", self.function),
        }
    }

    /// Numbers in a buffer.
    fn count(&self, buffer: &str) -> usize {
        let (plan, (x, y)) = (self.plan, self.batches());
        let has = |flag| usize::from(plan.flags & flag != 0);
        let points = |length: usize| {
            if has(GOURSAT_LEAD_LAG) == 1 {
                2 * length - 1
            } else {
                length
            }
        };
        let channels = (plan.dim << has(GOURSAT_LEAD_LAG)) + has(GOURSAT_TIME_AUG);
        let side = |length: usize, order: u32| ((points(length) - 1) << order) + 1;
        match buffer {
            "path" | "x" | "path_grad" | "x_grad" => x * plan.lengths.0 * plan.dim,
            "y" | "y_grad" => y * plan.lengths.1 * plan.dim,
            "length" | "rows" | "columns" => 1,
            _ if self.symmetric() => x * x,
            _ if self.function.contains("gram") => x * y,
            _ if self.function.contains("grid") => {
                x * side(plan.lengths.0, plan.orders.0) * side(plan.lengths.1, plan.orders.1)
            }
            _ if self.function.contains("sigkernel") => x,
            _ if self.function.contains("sig") => {
                let levels = (1..=plan.degree as u32).map(|k| channels.pow(k));
                x * (levels.sum::<usize>() + has(GOURSAT_SCALAR_TERM))
            }
            _ if self.function.contains("time_augment") => x * plan.lengths.0 * (plan.dim + 1),
            _ if self.function.contains("lead_lag") => x * (2 * plan.lengths.0 - 1) * 2 * plan.dim,
            other => panic!("{}: unknown buffer {other}", self.function),
        }
    }

    /// Small increments, so that nothing overflows on long paths.
    fn fill(&self, buffer: &mut Buffer) {
        let step = |i: usize| ((i * 7919 + i / 3 % 17) % 61) as f64 / 1024.0;
        if self.function.ends_with("_f32") {
            for (i, word) in buffer.words.iter_mut().enumerate() {
                let two = [2 * i, 2 * i + 1].map(|i| u64::from((step(i) as f32).to_bits()));
                *word = two[0] | two[1] << 32;
            }
        } else {
            for (i, word) in buffer.words.iter_mut().enumerate() {
                *word = step(i).to_bits();
            }
        }
    }

    /// Whether it has millions of cells.
    pub fn is_long(&self) -> bool {
        let long = &KERNELS[KERNELS.len() - LONG..];
        long.iter().any(|plan| plan.name == self.plan.name)
    }

    /// The point to try after this one: the first ones all, then by strides, which begin elsewhere in each call, so that
    /// the precisions and functions that have a plan in common try what the others leave out.
    pub fn after(&self, point: u64, stride: u64) -> u64 {
        match point {
            0..4 => point + 1,
            4 => 5 + self.number % stride,
            _ => point + stride,
        }
    }

    pub fn name(&self) -> String {
        format!("{}, {}", self.function, self.plan.name)
    }

    /// The status, with nothing else done.
    pub fn status(&self) -> i32 {
        (self.entry)(&self.words) as i32
    }

    /// Whether the call gives these words, all of them written anew.
    pub fn gives(&mut self, expected: &[u64]) -> bool {
        self.clear();
        self.status() == 0 && self.results().eq(expected.iter().copied())
    }

    pub fn clear(&mut self) {
        for buffer in self.buffers.iter_mut().filter(|buffer| buffer.written) {
            buffer.words.fill(0);
        }
    }

    pub fn results(&self) -> impl Iterator<Item = u64> {
        let written = self.buffers.iter().filter(|buffer| buffer.written);
        written.flat_map(|buffer| buffer.words.iter().copied())
    }

    /// The right results, from a call that must work.
    pub fn expected(&mut self) -> Vec<u64> {
        self.clear();
        let status = self.status();
        assert_eq!(status, 0, "{}: {}", self.name(), crate::support::last_error());
        self.results().collect()
    }
}
