//! No byte beyond a buffer is read or written: every function, at every SIMD level, on buffers that end where a page
//! without access begins, or begin where one ends. Inputs cannot be written. Results have the bits that they have in
//! ordinary memory.

#[path = "support/contract/mod.rs"]
mod contract;

use contract::memory::{Edge, Guarded};
use contract::plan::{Buffer, LIES, Lies, Plan, Side, ragged};
use contract::rules::Gives;
use contract::{Function, functions, last_error};
use goursat::ffi::{
    GOURSAT_DIRECT, GOURSAT_LAG_FIRST, GOURSAT_LEAD_LAG, GOURSAT_SCALAR_TERM, GOURSAT_SYMMETRIC, GOURSAT_TIME_AUG,
    goursat_last_error,
};
use goursat::simd::Level;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;

/// What outputs and the rest of their pages hold before a call: a NaN, and no number of any result.
const FILLING: u8 = 0xFF;
const CHILD: &str = "GOURSAT_TEST_GUARD_LEVEL";

#[test]
fn every_level() {
    for level in [Level::Portable, Level::Avx2, Level::Avx512] {
        if level > Level::best() {
            println!("{}: not on this machine", level.name());
            continue;
        }
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([
            "--exact",
            "at_the_level_of_this_process",
            "--test-threads=1",
            "--nocapture",
        ]);
        let output = child
            .env("GOURSAT_SIMD", level.name())
            .env(CHILD, level.name())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && told.contains("1 passed"),
            "{}: {}\n{told}{}",
            level.name(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        told.lines()
            .filter(|line| line.contains("guarded calls"))
            .for_each(|line| println!("{line}"));
    }
}

/// A child's part; on its own, nothing.
#[test]
fn at_the_level_of_this_process() {
    let Ok(expected) = std::env::var(CHILD) else { return };
    assert_eq!(Level::current().name(), expected);
    tell_of_faults();
    let (mut calls, mut kinds) = (0, BTreeMap::new());
    for function in functions() {
        for plan in plans(function) {
            call_guarded(&plan);
            calls += 2;
            *kinds.entry(function.name).or_insert(0) += 2;
        }
    }
    println!("{expected}: {calls} guarded calls of {} functions", kinds.len());
    assert_eq!(kinds.len(), functions().len());
    assert!(calls > 4000, "{calls}");
}

/// The text of `goursat_last_error` fits exactly what it asks for.
#[test]
fn sentences_end_at_a_page() {
    let mut function = functions()[0].name.to_owned();
    // SAFETY: NULL is what is tested.
    unsafe { goursat::ffi::goursat_signature_length(1, 1, std::ptr::null(), std::ptr::null_mut()) };
    function.push_str(": length is NULL");
    for length in 1..400 {
        for edge in [Edge::Begin, Edge::End] {
            let room = Guarded::new(length, edge, FILLING);
            // SAFETY: as long as it says.
            let needed = unsafe { goursat_last_error(room.address as *mut _, length) };
            let written = room.slice().iter().position(|byte| *byte == 0).unwrap();
            assert_eq!(written, (needed - 1).min(length - 1));
            assert!(room.surroundings_are(FILLING));
            assert!(length < 50 || room.slice().starts_with(function.as_bytes()));
        }
    }
}

/// Sizes around the lanes of every level (2 to 16), flags, orders, and every way to lie in memory.
fn plans(function: &'static Function) -> Vec<Plan> {
    let rules = function.rules;
    let shapes: &[[usize; 5]] = match rules.gives {
        // batch, x_length, y_length, dim, degree
        Gives::Numbers => &[[1, 5, 4, 3, 2]],
        Gives::Signature => &[
            [1, 2, 1, 1, 1],
            [1, 9, 1, 1, 5],
            [3, 6, 1, 2, 3],
            [7, 4, 1, 2, 4],
            [8, 3, 1, 3, 2],
            [9, 5, 1, 2, 2],
            [16, 2, 1, 2, 2],
            [17, 3, 1, 1, 3],
            [1, 17, 1, 3, 4],
            [2, 33, 1, 5, 2],
            [1, 7, 1, 9, 2],
            [2, 1, 1, 4, 3],
        ],
        Gives::TimeAugment | Gives::LeadLag => &[[1, 1, 1, 1, 0], [3, 7, 1, 2, 0], [5, 16, 1, 3, 0], [2, 9, 1, 17, 0]],
        _ => &[
            [1, 2, 2, 1, 0],
            [1, 1, 3, 2, 0],
            [3, 8, 9, 1, 0],
            [2, 15, 17, 3, 0],
            [7, 5, 4, 2, 0],
            [8, 4, 7, 4, 0],
            [9, 3, 2, 5, 0],
            [1, 33, 31, 2, 0],
            [2, 16, 16, 8, 0],
            [17, 3, 4, 1, 0],
            [1, 65, 7, 9, 0],
        ],
    };
    let all_flags = [
        0,
        GOURSAT_TIME_AUG,
        GOURSAT_LEAD_LAG,
        GOURSAT_TIME_AUG | GOURSAT_LEAD_LAG | GOURSAT_LAG_FIRST,
        GOURSAT_SCALAR_TERM,
        GOURSAT_DIRECT,
        GOURSAT_SYMMETRIC,
        GOURSAT_SYMMETRIC | GOURSAT_TIME_AUG | GOURSAT_LEAD_LAG,
    ];
    let flags = all_flags.into_iter().filter(|flags| flags & !rules.flags == 0);
    let orders: &[[u32; 2]] = if rules.orders {
        &[[0, 0], [1, 2], [3, 0]]
    } else {
        &[[0, 0]]
    };
    let mut plans = Vec::new();
    for flags in flags {
        for (s, &shape) in shapes.iter().enumerate() {
            for (o, &orders) in orders.iter().enumerate() {
                let symmetric = flags & GOURSAT_SYMMETRIC != 0;
                if symmetric && orders[0] != orders[1] || o > 0 && s % 3 != o {
                    continue; // refined grids of some shapes are enough
                }
                for (l, &lies) in LIES.iter().enumerate() {
                    let is_ragged = lies == Lies::Packed || (l + s) % 2 == 1;
                    plans.push(plan(
                        function,
                        shape,
                        flags,
                        orders,
                        [lies, LIES[(l + 3) % LIES.len()]],
                        is_ragged,
                    ));
                }
            }
        }
    }
    plans
}

fn plan(
    function: &'static Function,
    [batch, x, y, dim, degree]: [usize; 5],
    flags: u64,
    orders: [u32; 2],
    lies: [Lies; 2],
    is_ragged: bool,
) -> Plan {
    let symmetric = flags & GOURSAT_SYMMETRIC != 0;
    let lengths = |batch, length| is_ragged.then(|| ragged(batch, length));
    let mut sides = vec![Side::new([batch, x, dim], lies[0], lengths(batch, x))];
    if function.has("y") && !symmetric {
        let batch = if function.is_gram() { batch + 1 } else { batch };
        sides.push(Side::new([batch, y, dim], lies[1], lengths(batch, y)));
    } else if function.has("y_length") && !symmetric {
        sides.push(Side::new([1, y, 1], Lies::Dense, None));
    }
    let choice = batch + x + lies[0] as usize;
    Plan {
        function,
        sides,
        dim,
        degree,
        flags,
        orders,
        end_time: 1.5,
        threads: 1 + (choice % 2) as i32,
        wanted: [choice % 3 != 1 || symmetric, choice % 3 != 2 && !symmetric],
    }
}

/// Bytes of a buffer before the call: numbers of order 1, NaN where no path is.
fn filled(plan: &Plan, buffer: &Buffer) -> Vec<u8> {
    if let Some(list) = &buffer.list {
        return list.iter().flat_map(|entry| entry.to_ne_bytes()).collect();
    }
    if buffer.written {
        return vec![FILLING; buffer.elements * buffer.width];
    }
    let mut values: Vec<f64> = (0..buffer.elements)
        .map(|i| ((i * 7 + 3) % 23) as f64 / 32.0 - 0.3)
        .collect();
    if let Some(side) = match buffer.name.as_str() {
        "path" | "x" => Some(plan.x()),
        "y" if !plan.symmetric() => Some(plan.y()),
        _ => None,
    } {
        let mut used = vec![false; buffer.elements];
        for b in 0..side.batch {
            for i in 0..side.points(b) {
                (0..side.dim).for_each(|c| used[side.at(b, i, c)] = true);
            }
        }
        values
            .iter_mut()
            .zip(used)
            .filter(|(_, used)| !used)
            .for_each(|(value, _)| *value = f64::NAN);
    }
    let bytes = values.iter().flat_map(|&value| match buffer.width {
        4 => (value as f32).to_ne_bytes().to_vec(),
        _ => value.to_ne_bytes().to_vec(),
    });
    bytes.collect()
}

/// What is being called, for [`fault`].
static NOW: Mutex<String> = Mutex::new(String::new());

fn call_guarded(plan: &Plan) {
    let buffers = plan.buffers();
    // In ordinary memory first.
    let mut plain: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for buffer in &buffers {
        let bytes = filled(plan, buffer);
        let mut words = vec![0u64; bytes.len().div_ceil(8) + 1];
        // SAFETY: there is room.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), words.as_mut_ptr().cast(), bytes.len()) };
        plain.insert(buffer.name.clone(), words);
    }
    let case = plan.case(&|name| plain.get(name).map_or(0, |words| words.as_ptr() as usize));
    let status = case.status();
    assert_eq!(status, 0, "{}: {}", plan.describe(), last_error());

    for edge in [Edge::End, Edge::Begin] {
        let guarded: BTreeMap<&str, Guarded> = buffers
            .iter()
            .map(|buffer| {
                let bytes = filled(plan, buffer);
                let mut memory = Guarded::new(bytes.len(), edge, FILLING);
                memory.write(&bytes);
                if !buffer.written {
                    memory.read_only();
                }
                (buffer.name.as_str(), memory)
            })
            .collect();
        *NOW.lock().unwrap() = format!("{edge:?} of {}", plan.describe());
        let case = plan.case(&|name| guarded.get(name).map_or(0, |memory| memory.address));
        let status = case.status();
        assert_eq!(status, 0, "{edge:?}, {}: {}", plan.describe(), last_error());
        for buffer in &buffers {
            let (memory, words) = (&guarded[buffer.name.as_str()], &plain[&buffer.name]);
            // SAFETY: as long as that.
            let expected = unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), memory.bytes) };
            assert!(
                memory.slice() == expected,
                "{edge:?}, {}: {} differs",
                plan.describe(),
                buffer.name
            );
            assert!(
                memory.surroundings_are(FILLING),
                "{edge:?}, {}: around {}",
                plan.describe(),
                buffer.name
            );
        }
    }
}

/// Says which call touched what it must not, and ends.
fn tell_of_faults() {
    extern "C" fn fault(_signal: i32) {
        let now = NOW.try_lock().map(|now| now.clone()).unwrap_or_default();
        eprintln!("out of bounds: {now}");
        std::process::abort();
    }
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: the handler only tells and aborts: what it may not do could at worst hang a test that fails anyway.
        unsafe { libc::signal(signal, fault as extern "C" fn(i32) as libc::sighandler_t) };
    }
}

/// The guards guard: a byte beyond either edge is a fault, and so is writing to an input.
#[test]
fn guards_are_there() {
    let dies = |what: &str| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "touch", "--test-threads=1", "--nocapture"])
            .env("GOURSAT_TEST_TOUCH", what);
        let output = child.output().unwrap();
        !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("out of bounds: touching")
    };
    for what in ["before", "after", "write"] {
        assert!(dies(what), "{what}");
    }
}

#[test]
fn touch() {
    let Ok(what) = std::env::var("GOURSAT_TEST_TOUCH") else {
        return;
    };
    tell_of_faults();
    "touching".clone_into(&mut NOW.lock().unwrap());
    let edge = if what == "before" { Edge::Begin } else { Edge::End };
    let memory = Guarded::new(24, edge, FILLING);
    memory.read_only();
    let address = if what == "before" {
        memory.address - 1
    } else {
        memory.address + 24 - usize::from(what == "write")
    };
    // SAFETY: none, and that is the point.
    unsafe {
        match what.as_str() {
            "write" => (address as *mut u8).write_volatile(0),
            _ => assert_eq!((address as *const u8).read_volatile(), 0),
        }
    }
    unreachable!("{what}: nothing happened");
}
