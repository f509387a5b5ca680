//! Arbitrary legal calls of every function, compared with the reference: shapes, layouts, transforms, orders, threads, and
//! numbers of every size, NaN and infinity included.

use crate::contract::compare::{Inputs, Oracle, Want, difference};
use crate::contract::plan::{Buffer, LIES, Lies, Plan, Side};
use crate::contract::random::Decide;
use crate::contract::rules::Gives;
use crate::contract::stage::any_function;
use crate::contract::{Function, last_error};
use goursat::ffi::{GOURSAT_LAG_FIRST, GOURSAT_LEAD_LAG, GOURSAT_SCALAR_TERM, GOURSAT_SYMMETRIC};
use std::ffi::{c_int, c_void};

/// Numbers that travel badly.
const SPECIAL: [f64; 18] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    1e308,
    -1e200,
    3e38,
    -1e30,
    1e19,
    1e10,
    -1e5,
    1e-5,
    1e-19,
    1e-30,
    -1e-38,
    1e-41,
    1e-310,
    5e-324,
    -0.0,
];

/// What outputs hold before a call.
const BEFORE: f64 = 7.25;
/// Cells of grids, and multiplications of signatures, that a call may take.
const MOST: usize = 30_000;

/// The target.
pub fn run(data: &[u8]) {
    let mut decide = Decide::Bytes(data);
    let plan = plan(&mut decide);
    let buffers = plan.buffers();
    let inputs = inputs(&plan, &buffers, &mut decide);
    let cancels = decide.byte();
    if cancels % 8 == 7 {
        cancelled(&plan, &buffers, &inputs);
    }
    let first = call(&plan, &buffers, &inputs);
    let wants = Oracle::new(&plan, &inputs).wants();
    for (name, wants) in &wants {
        let found = of(&first, name);
        if let Some(difference) = difference(found, BEFORE, wants) {
            panic!("{name}: {difference}\n{}\n{inputs:?}", plan.describe());
        }
    }
    // On more threads, or one: the same bits, but of what NaN and infinity reach.
    let other = Plan {
        threads: if plan.threads == 1 { 3 } else { 1 },
        ..plan
    };
    let again = call(&other, &buffers, &inputs);
    for (name, wants) in &wants {
        let pairs = of(&first, name).iter().zip(of(&again, name)).zip(wants);
        let differs = |((a, b), want): ((&f64, &f64), &Want)| {
            !matches!(want, Want::Any) && a.to_bits() != b.to_bits() && !a.is_nan()
        };
        let wrong = pairs.into_iter().position(differs);
        assert!(
            wrong.is_none(),
            "{name}[{wrong:?}] depends on threads\n{}\n{inputs:?}",
            other.describe()
        );
    }
}

fn of<'o>(outputs: &'o [(String, Vec<f64>)], name: &str) -> &'o [f64] {
    &outputs.iter().find(|(known, _)| known == name).unwrap().1
}

fn plan(decide: &mut Decide<'_>) -> Plan {
    let function = any_function(decide);
    let flags = flags(function, decide.byte());
    let symmetric = flags & GOURSAT_SYMMETRIC != 0;
    let most = if decide.byte() % 8 == 7 { 40 } else { 6 };
    let dim = 1 + decide.below(most);
    let degree = 1 + decide.below(6);
    let batch = decide.one_of(&[1, 2, 3, 0, 4, 5, 7, 8, 9, 16, 17, 33]);
    let other_batch = if function.is_gram() {
        decide.one_of(&[1, 2, 3, 0, 5, 8, 9, 17])
    } else {
        batch
    };
    let [x, y] = [1 + decide.below(70), 1 + decide.below(70)];
    let mut orders = [0, 0];
    if function.rules.orders {
        orders = [decide.below(4) as u32, decide.below(4) as u32];
    }
    if symmetric {
        orders[1] = orders[0];
    }
    let mut side = |batch, length| {
        let lies = decide.one_of(&LIES);
        let is_ragged = lies == Lies::Packed || decide.byte() % 2 == 1;
        let lengths = is_ragged.then(|| (0..batch).map(|_| 1 + decide.below(length) as i64).collect());
        Side::new([batch, length, dim], lies, lengths)
    };
    let shapes = bounded(
        function,
        [batch, if symmetric { batch } else { other_batch }],
        [x, y],
        &mut orders,
        flags,
    );
    let mut sides = vec![side(shapes[0][0], shapes[0][1])];
    if function.has("y_length") && !symmetric {
        sides.push(side(shapes[1][0], shapes[1][1]));
    }
    let mut plan = Plan {
        function,
        sides,
        dim,
        degree,
        flags,
        orders,
        end_time: decide.one_of(&[0.0, 1.0, 0.5, -1.0, 2.0, 1e-3, 100.0]),
        threads: decide.one_of(&[1, 0, 2, 3, 64]),
        wanted: decide.one_of(&[[true, true], [true, false], [false, true]]),
    };
    if symmetric {
        plan.wanted = [true, false];
    }
    // Signatures that are small enough to be had twice, slowly.
    if function.has("degree") {
        while plan.degree > 1 && !countable(&plan) {
            plan.degree -= 1;
        }
    }
    plan
}

fn countable(plan: &Plan) -> bool {
    let size = (plan.wide() as f64).powi(plan.degree as i32) * plan.degree as f64;
    size * (plan.x().length * plan.x().batch.max(1)) as f64 <= 4.0 * MOST as f64
}

fn flags(function: &Function, byte: u8) -> u64 {
    let flags = u64::from(byte) & function.rules.flags;
    // Symmetric, level 0 and the order of blocks only now and then.
    let flags = if byte & 0x80 != 0 {
        flags & !(GOURSAT_SYMMETRIC | GOURSAT_SCALAR_TERM)
    } else {
        flags
    };
    let alone = flags & GOURSAT_LAG_FIRST != 0 && !function.rules.lead_lag;
    if alone { flags | GOURSAT_LEAD_LAG } else { flags }
}

/// (batch, length) of x and y, made smaller until the reference can do it.
fn bounded(
    function: &Function,
    batch: [usize; 2],
    length: [usize; 2],
    orders: &mut [u32; 2],
    flags: u64,
) -> [[usize; 2]; 2] {
    let (mut batch, mut length) = (batch, length);
    if !function.rules.orders || function.rules.gives == Gives::Numbers {
        return [[batch[0], length[0]], [batch[1], length[1]]];
    }
    let cells = |batch: [usize; 2], length: [usize; 2], orders: [u32; 2]| {
        let pairs = if function.is_gram() {
            batch[0] * batch[1]
        } else {
            batch[0]
        };
        let halves = if flags & GOURSAT_LEAD_LAG != 0 { 2 } else { 1 };
        pairs * ((halves * length[0]) << orders[0]) * ((halves * length[1]) << orders[1])
    };
    let mut turn = 0;
    while cells(batch, length, *orders) > MOST {
        match turn % 4 {
            0 => batch = batch.map(|n| n - n / 3),
            1 | 2 => length = length.map(|n| n - n / 3),
            _ if flags & GOURSAT_SYMMETRIC != 0 => *orders = orders.map(|order| order.saturating_sub(1)),
            _ => orders[turn / 4 % 2] = orders[turn / 4 % 2].saturating_sub(1),
        }
        turn += 1;
    }
    if !function.is_gram() {
        batch[1] = batch[0];
    }
    [[batch[0], length[0]], [batch[1], length[1]]]
}

/// The numbers of every input, as the precision has them. What no path uses is NaN.
fn inputs(plan: &Plan, buffers: &[Buffer], decide: &mut Decide<'_>) -> Inputs {
    let numbers = buffers.iter().filter(|buffer| !buffer.written && buffer.list.is_none());
    let mut all: Inputs = numbers
        .map(|buffer| {
            let side = match buffer.name.as_str() {
                "path" | "x" => Some(plan.x()),
                "y" if !plan.symmetric() => Some(plan.y()),
                _ => None,
            };
            let seed = u64::from(decide.byte()) << 8 | u64::from(decide.byte());
            let scale = decide.one_of(&[0.25, 1.0, 0.05, 3.0, 1e-3, 20.0]);
            let shift = decide.one_of(&[0.0, 0.0, 1.0, -300.0]);
            let mut noise = Decide::Seed(seed + 1);
            let mut next = || (f64::from(noise.byte()) - 127.0) / 128.0 * scale;
            let Some(side) = side else {
                return (buffer.name.clone(), (0..buffer.elements).map(|_| next()).collect());
            };
            let mut values = vec![f64::NAN; buffer.elements];
            let step = 1.0 / ((side.length * side.dim) as f64).sqrt();
            for b in 0..side.batch {
                let mut point = vec![shift; side.dim];
                for i in 0..side.points(b) {
                    for c in 0..side.dim {
                        point[c] += next() * step;
                        values[side.at(b, i, c)] = point[c];
                    }
                }
            }
            (buffer.name.clone(), values)
        })
        .collect();
    for _ in 0..decide.below(5) {
        let which = decide.below(all.len());
        let (place, value) = (decide.below(65536), decide.one_of(&SPECIAL));
        if let Some((_, values)) = all.get_mut(which)
            && !values.is_empty()
        {
            let place = place % values.len();
            values[place] = value;
        }
    }
    if plan.function.width == 4 {
        for (_, values) in &mut all {
            values.iter_mut().for_each(|value| *value = f64::from(*value as f32));
        }
    }
    all
}

/// Memory of exactly so many bytes, so that a sanitizer sees one byte more.
struct Exact {
    words: Box<[u8]>,
    width: usize,
}

impl Exact {
    fn new(buffer: &Buffer, inputs: &Inputs) -> Exact {
        let values = inputs.iter().find(|(name, _)| *name == buffer.name);
        let value = |i: usize| values.map_or(BEFORE, |(_, values)| values[i]);
        let bytes: Vec<u8> = (0..buffer.elements)
            .flat_map(|i| match (&buffer.list, buffer.width, buffer.name.as_str()) {
                (Some(list), ..) => list[i].to_ne_bytes().to_vec(),
                (_, 4, _) => (value(i) as f32).to_ne_bytes().to_vec(),
                _ => value(i).to_ne_bytes().to_vec(),
            })
            .collect();
        Exact {
            words: bytes.into_boxed_slice(),
            width: buffer.width,
        }
    }

    fn address(&self) -> usize {
        let address = self.words.as_ptr() as usize;
        // An allocator aligns to 16, and what is empty need not be anywhere.
        assert!(self.words.is_empty() || address.is_multiple_of(self.width));
        if self.words.is_empty() { 0 } else { address }
    }

    fn numbers(&self, counts: bool) -> Vec<f64> {
        let words = self.words.chunks_exact(self.width);
        words
            .map(|bytes| match bytes.try_into() {
                Ok(eight) if counts => usize::from_ne_bytes(eight) as f64,
                Ok(eight) => f64::from_ne_bytes(eight),
                Err(_) => f32::from_ne_bytes(bytes.try_into().unwrap()).into(),
            })
            .collect()
    }
}

/// Where a buffer's memory is, by its name; 0 where there is none.
fn places<'m>(buffers: &'m [Buffer], memory: &'m [Exact]) -> impl Fn(&str) -> usize + 'm {
    |name| {
        let found = buffers.iter().position(|buffer| buffer.name == name);
        found.map_or(0, |i| memory[i].address())
    }
}

/// Outputs by name, after a call that must work.
fn call(plan: &Plan, buffers: &[Buffer], inputs: &Inputs) -> Vec<(String, Vec<f64>)> {
    let memory: Vec<Exact> = buffers.iter().map(|buffer| Exact::new(buffer, inputs)).collect();
    let place = places(buffers, &memory);
    let status = plan.case(&place).status();
    assert_eq!(status, 0, "{}\n{}", last_error(), plan.describe());
    let counts = plan.function.rules.gives == Gives::Numbers;
    let written = buffers.iter().zip(&memory).filter(|(buffer, _)| buffer.written);
    written
        .map(|(buffer, exact)| (buffer.name.clone(), exact.numbers(counts)))
        .collect()
}

/// A call that is told to stop as soon as it asks: it works or says so.
fn cancelled(plan: &Plan, buffers: &[Buffer], inputs: &Inputs) {
    unsafe extern "C" fn stop(_: *mut c_void, done: u64, total: u64) -> c_int {
        assert!(done <= total);
        1
    }
    let memory: Vec<Exact> = buffers.iter().map(|buffer| Exact::new(buffer, inputs)).collect();
    let place = places(buffers, &memory);
    let mut case = plan.case(&place);
    case.option("progress", stop as *const () as u64);
    let status = case.status();
    assert!(
        status == 0 || status == 8,
        "{status}: {}\n{}",
        last_error(),
        plan.describe()
    );
}
