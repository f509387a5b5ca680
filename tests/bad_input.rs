//! Bad input, for every function of the header: a status, a sentence that names the argument, untouched outputs. And
//! what looks bad but is legal.

#[path = "support/c.rs"]
mod c;
#[path = "support/calls.rs"]
mod support;

use goursat::ffi::goursat_status::{self, *};
use goursat::ffi::{
    GOURSAT_CUDA, GOURSAT_CUDA_COPY, GOURSAT_DIRECT, GOURSAT_LAG_FIRST, GOURSAT_LEAD_LAG, GOURSAT_SCALAR_TERM,
    GOURSAT_SYMMETRIC, GOURSAT_TIME_AUG, Options,
};
use std::collections::BTreeSet;
use support::{ANSWERS, Call, ENTRIES, calls, last_error, no_options};

/// Where the C side says x, the options do too.
fn reads_paths(call: &Call) -> bool {
    call.has("path") || call.has("x")
}

#[test]
fn no_function_is_forgotten() {
    let tested: BTreeSet<String> = ENTRIES
        .iter()
        .chain(ANSWERS)
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let all: BTreeSet<String> = c::prototypes().into_iter().map(|prototype| prototype.name).collect();
    assert_eq!(all, tested);
    for call in calls() {
        assert_eq!(call.words.len(), call.parameters.len());
    }
}

#[test]
fn right_calls_work() {
    for mut call in calls() {
        call.fill();
        call.works();
        call.set("options", 0).works();
    }
}

#[test]
fn null_pointers() {
    for call in calls() {
        for name in call.pointers(false) {
            let mut call = Call::again(&call);
            call.set(&name, 0).fails(GOURSAT_NULL_POINTER, &name);
        }
        if call.has("x_grad") {
            let mut call = Call::again(&call);
            for name in ["x_grad", "x_grad_len", "y_grad", "y_grad_len"] {
                call.set(name, 0);
            }
            call.fails(GOURSAT_NULL_POINTER, "x_grad");
        }
    }
}

#[test]
fn misaligned_pointers() {
    for call in calls() {
        for name in call.pointers(false).into_iter().chain(["options".to_owned()]) {
            let mut call = Call::again(&call);
            for shift in [1, 2] {
                let word = call.words[call.index(&name)];
                call.set(&name, word + shift).fails(GOURSAT_MISALIGNED, &name);
                call.set(&name, word);
            }
        }
        for (field, name) in lists(&call) {
            let mut call = Call::again(&call);
            let list = [1i64; 3];
            *field(&mut call.options) = (&raw const list).cast::<u8>().wrapping_add(4).cast();
            call.fails(GOURSAT_MISALIGNED, name);
        }
    }
}

#[test]
fn wrong_lengths() {
    for call in calls() {
        for name in call.sizes().iter().filter(|name| name.ends_with("_len")) {
            let right = call.words[call.index(name)];
            for wrong in [0, 1, right - 1, right + 1, 2 * right + 1, usize::MAX, usize::MAX / 8] {
                Call::again(&call).set(name, wrong).fails(GOURSAT_LENGTH_MISMATCH, name);
            }
        }
    }
}

#[test]
fn zero_sizes() {
    for call in calls() {
        for name in call.sizes().iter().filter(|name| !name.ends_with("_len")) {
            let mut call = Call::again(&call);
            call.set(name, 0);
            if name.ends_with("batch") {
                // No paths are legal, but then the results are too long.
                call.fails(GOURSAT_LENGTH_MISMATCH, "_len");
            } else {
                call.fails(GOURSAT_INVALID_ARGUMENT, name);
            }
        }
    }
}

#[test]
fn overflowing_sizes() {
    for call in calls() {
        for name in call.sizes().iter().filter(|name| !name.ends_with("_len")) {
            let high = 1 << (usize::BITS - 1);
            for huge in [
                usize::MAX,
                usize::MAX - 1,
                high,
                high - 1,
                high + 1,
                usize::MAX / 3 + 1,
                1 << 62,
            ] {
                // How many channels are too many is a question of the degree.
                let word = if call.has("path") || name != "dim" { name } else { "" };
                Call::again(&call).set(name, huge).fails(GOURSAT_INVALID_ARGUMENT, word);
            }
        }
    }
    // No loop over the levels: with one channel they are counted, not summed.
    for mut call in calls().filter(|call| call.has("degree")) {
        call.set("dim", 1)
            .set("degree", usize::MAX)
            .fails(GOURSAT_INVALID_ARGUMENT, "");
    }
}

#[test]
fn outputs_overlap_nothing() {
    for call in calls() {
        let outputs = call.pointers(true);
        for output in &outputs {
            for other in call.pointers(false).iter().filter(|other| *other != output) {
                let mut call = Call::again(&call);
                let (there, own) = (call.words[call.index(other)], call.words[call.index(output)]);
                let last = (call.count(other) - 1) * call.width(other);
                call.set(output, there).fails(GOURSAT_OVERLAP, output);
                call.set(output, there + last).fails(GOURSAT_OVERLAP, output);
                call.set(output, own);
                call.set(other, own + (call.count(output) - 1) * call.width(output));
                call.fails(GOURSAT_OVERLAP, output);
            }
        }
    }
}

/// Arguments are checked before the driver is asked, if there is one: addresses on a device as those of the host.
#[test]
fn device_memory_is_checked_as_the_hosts() {
    for memory in [GOURSAT_CUDA, GOURSAT_CUDA_COPY] {
        for mut call in calls() {
            call.options.memory = memory;
            for name in call.pointers(false) {
                let word = call.words[call.index(&name)];
                call.set(&name, 0).fails(GOURSAT_NULL_POINTER, &name);
                call.set(&name, word + 2).fails(GOURSAT_MISALIGNED, &name);
                call.set(&name, word);
            }
            for name in call.sizes() {
                let right = call.words[call.index(&name)];
                let (wrong, status) = match name.strip_suffix("_len") {
                    Some(_) => (right + 1, GOURSAT_LENGTH_MISMATCH),
                    None => (1 << 62, GOURSAT_INVALID_ARGUMENT),
                };
                call.set(&name, wrong).fails(status, "");
                call.set(&name, right);
            }
            let outputs = call.pointers(true);
            for output in &outputs {
                for other in call.pointers(false).iter().filter(|other| *other != output) {
                    let own = call.words[call.index(output)];
                    let there = call.words[call.index(other)];
                    call.set(output, there).fails(GOURSAT_OVERLAP, output);
                    call.set(output, own);
                }
            }
            call.options.device = -1;
            call.fails(GOURSAT_INVALID_ARGUMENT, "device");
            call.options.device = 0;
            call.options.reserved = 1;
            call.fails(GOURSAT_INVALID_ARGUMENT, "reserved");
        }
    }
}

#[test]
fn lists_overlap_no_output() {
    for call in calls() {
        let Some(output) = call.pointers(true).first().cloned() else {
            continue;
        };
        for (field, _) in lists(&call).into_iter().filter(|(_, name)| name.ends_with("lengths")) {
            let mut call = Call::again(&call);
            let memory = [1i64; 64];
            *field(&mut call.options) = memory.as_ptr();
            call.set(&output, memory.as_ptr() as usize)
                .fails(GOURSAT_OVERLAP, &output);
            assert_eq!(memory, [1; 64]);
        }
    }
}

type List = fn(&mut Options) -> &mut *const i64;

/// The lists of the options that a function reads.
fn lists(call: &Call) -> Vec<(List, &'static str)> {
    let mut lists: Vec<(List, &'static str)> = Vec::new();
    if call.has("batch") || call.has("x_batch") {
        lists.push((|options| &mut options.x_lengths, "x_lengths"));
        lists.push((|options| &mut options.x_starts, "x_starts"));
    }
    if call.has("y") {
        lists.push((|options| &mut options.y_lengths, "y_lengths"));
        lists.push((|options| &mut options.y_starts, "y_starts"));
    }
    lists
}

#[test]
fn lengths_and_starts_stay_inside() {
    for call in calls() {
        for (field, name) in lists(&call) {
            let most = if name.starts_with('y') { 4 } else { 5 };
            let wrong: &[i64] = if name.ends_with("lengths") {
                &[0, -1, most + 1, i64::MIN, i64::MAX]
            } else {
                &[-1, 30, i64::MIN, i64::MAX]
            };
            for &entry in wrong {
                let list = [1, entry, 1];
                let mut call = Call::again(&call);
                *field(&mut call.options) = list.as_ptr();
                let word = if name.ends_with("lengths") { name } else { &name[..1] };
                if entry == 30 && !reads_paths(&call) {
                    // Far on, where the gradient alone says how far it goes.
                    call.fails(GOURSAT_LENGTH_MISMATCH, "path_grad_len");
                } else {
                    call.fails(GOURSAT_INVALID_ARGUMENT, word);
                }
            }
        }
    }
}

#[test]
fn packed_gradients_need_room() {
    for mut call in calls().filter(|call| call.has("path_grad")) {
        let starts = [0, 20];
        call.options.x_starts = starts.as_ptr();
        call.options.x_size = 35;
        for length in [34, 30, 0] {
            let word = format!("path_grad_len is {length}; expected at least 35");
            call.set("path_grad_len", length).fails(GOURSAT_LENGTH_MISMATCH, &word);
        }
    }
}

#[test]
fn packed_gradients_stay_apart() {
    let starts = [0, 14, 40];
    for mut call in calls().filter(|call| call.has("path_grad")) {
        call.options.x_starts = starts.as_ptr();
        call.options.x_size = 60;
        call.set("path_grad_len", 60)
            .fails(GOURSAT_INVALID_ARGUMENT, "overlaps");
    }
    for mut call in calls().filter(|call| call.has("y_grad")) {
        call.options.y_starts = starts.as_ptr();
        call.options.y_size = 60;
        call.set("y_length", 5);
        if call.name.contains("_grid_") {
            call.set("grad_len", 2 * 5 * 5);
        }
        call.set("y_grad_len", 60).fails(GOURSAT_INVALID_ARGUMENT, "y_grad");
        call.set("y_grad_len", 60 - 6).fails(GOURSAT_INVALID_ARGUMENT, "y_grad");
    }
}

#[test]
fn strides_and_sizes_stay_inside() {
    type Field = fn(&mut Options) -> (&mut [i64; 3], &mut usize);
    for call in calls().filter(reads_paths) {
        let mut sides: Vec<(Field, &str)> = vec![(|o| (&mut o.x_strides, &mut o.x_size), "x")];
        if call.has("y") {
            sides.push((|o| (&mut o.y_strides, &mut o.y_size), "y"));
        }
        for (field, name) in sides {
            let cases: [([i64; 3], usize); 8] = [
                ([0; 3], 1),
                ([0; 3], 23),
                ([-1, 3, 1], 0),
                ([15, -3, 1], 60),
                ([15, 3, -1], 60),
                ([15, 3, 20], 50),
                ([i64::MAX; 3], 0),
                ([0; 3], usize::MAX),
            ];
            for (strides, size) in cases {
                let mut call = Call::again(&call);
                let (to_strides, to_size) = field(&mut call.options);
                (*to_strides, *to_size) = (strides, size);
                call.fails(GOURSAT_INVALID_ARGUMENT, name);
            }
        }
    }
}

/// How to spoil options, and how the library says so.
type Spoilt = (fn(&mut Options), goursat_status, &'static str);

/// What spoils the options of every function.
fn bad_options() -> Vec<Spoilt> {
    fn here() -> *mut std::ffi::c_void {
        std::ptr::dangling_mut::<u64>().cast()
    }
    vec![
        (|o| o.flags = 64, GOURSAT_UNSUPPORTED, "0x40"),
        (|o| o.flags = 1 << 63 | 1, GOURSAT_UNSUPPORTED, "flags"),
        (|o| o.end_time = f64::NAN, GOURSAT_INVALID_ARGUMENT, "end_time"),
        (|o| o.end_time = f64::INFINITY, GOURSAT_INVALID_ARGUMENT, "end_time"),
        (|o| o.x_order = 17, GOURSAT_INVALID_ARGUMENT, "x_order"),
        (|o| o.y_order = 17, GOURSAT_INVALID_ARGUMENT, "y_order"),
        (|o| o.y_order = u32::MAX, GOURSAT_INVALID_ARGUMENT, "y_order"),
        (|o| o.threads = -1, GOURSAT_INVALID_ARGUMENT, "threads"),
        (|o| o.memory = 3, GOURSAT_INVALID_ARGUMENT, "memory"),
        (|o| o.memory = -1, GOURSAT_INVALID_ARGUMENT, "memory"),
        (|o| o.device = 1, GOURSAT_INVALID_ARGUMENT, "device"),
        (|o| o.reserved = 1, GOURSAT_INVALID_ARGUMENT, "reserved"),
        (|o| o.stream = here(), GOURSAT_INVALID_ARGUMENT, "stream"),
        (|o| o.workspace = here(), GOURSAT_INVALID_ARGUMENT, "workspace"),
        (|o| o.workspace_size = 1, GOURSAT_INVALID_ARGUMENT, "workspace_size"),
        (
            |o| o.workspace_query = here().cast(),
            GOURSAT_INVALID_ARGUMENT,
            "workspace_query",
        ),
        (|o| o.size = 0, GOURSAT_INVALID_ARGUMENT, "size"),
        (|o| o.size = 4, GOURSAT_INVALID_ARGUMENT, "size"),
        (|o| o.size = 28, GOURSAT_INVALID_ARGUMENT, "size"),
        (|o| o.size = usize::MAX, GOURSAT_INVALID_ARGUMENT, "size"),
        (|o| o.size = 1 << 20, GOURSAT_INVALID_ARGUMENT, "size"),
    ]
}

#[test]
fn options_are_checked() {
    for call in calls() {
        for (spoil, status, word) in bad_options() {
            let mut call = Call::again(&call);
            spoil(&mut call.options);
            call.fails(status, word);
        }
    }
}

#[test]
fn flags_mean_something() {
    let transforms = GOURSAT_TIME_AUG | GOURSAT_LEAD_LAG | GOURSAT_LAG_FIRST;
    for call in calls() {
        let used = match call.name {
            name if name.contains("gram") => transforms | GOURSAT_SYMMETRIC,
            name if name.contains("sigkernel") || name.contains("grid") => transforms,
            name if name.contains("sig") => transforms | GOURSAT_SCALAR_TERM | GOURSAT_DIRECT,
            name if name.contains("time") => GOURSAT_TIME_AUG,
            _ => GOURSAT_LEAD_LAG | GOURSAT_LAG_FIRST,
        };
        for (flag, name) in [
            (GOURSAT_TIME_AUG, "TIME_AUG"),
            (GOURSAT_LEAD_LAG, "LEAD_LAG"),
            (GOURSAT_LAG_FIRST, "LAG_FIRST"),
            (GOURSAT_SCALAR_TERM, "SCALAR_TERM"),
            (GOURSAT_SYMMETRIC, "SYMMETRIC"),
            (GOURSAT_DIRECT, "DIRECT"),
        ] {
            let alone = flag == GOURSAT_LAG_FIRST && used & GOURSAT_TIME_AUG != 0;
            if used & flag == 0 || alone {
                let mut call = Call::again(&call);
                call.options.flags = flag;
                call.fails(GOURSAT_INVALID_ARGUMENT, name);
            }
        }
        if used & GOURSAT_TIME_AUG == 0 || !call.name.contains("grid") && !call.name.contains("sigkernel") {
            let mut call = Call::again(&call);
            call.options.x_order = 1;
            call.fails(GOURSAT_INVALID_ARGUMENT, "x_order");
        }
    }
}

#[test]
fn symmetric_gram() {
    for call in calls().filter(|call| call.name.contains("gram")) {
        let mut call = Call::again(&call);
        call.fill();
        call.options.flags = GOURSAT_SYMMETRIC;
        call.options.x_order = 1;
        let matrix = if call.has("out") { "out_len" } else { "grad_len" };
        call.set(matrix, 4).fails(GOURSAT_INVALID_ARGUMENT, "x_order");
        call.options.y_order = 1;
        if call.has("y_grad") {
            call.fails(GOURSAT_INVALID_ARGUMENT, "y_grad");
            call.set("y_grad", 0).set("y_grad_len", 0);
        }
        // y is ignored, whatever it is.
        call.set("y", 0).set("y_batch", usize::MAX).set("y_length", 0);
        call.works();
        call.set(matrix, 6).fails(GOURSAT_LENGTH_MISMATCH, matrix);
    }
}

#[test]
fn options_grow() {
    for call in calls() {
        let mut call = Call::again(&call);
        call.fill();
        // An older caller: every field after the first is beyond its struct's end, and is not read.
        call.options.end_time = f64::NAN;
        call.options.threads = -1;
        for size in [8, 16] {
            call.options.size = size;
            call.works();
        }
        call.options.size = 24;
        call.fails(GOURSAT_INVALID_ARGUMENT, "end_time");
        // A newer caller: what this version does not know must be zero.
        let known = size_of::<Options>() / 8;
        let mut words = vec![0u64; known + 4];
        words[0] = 8 * words.len() as u64;
        call.set("options", words.as_ptr() as usize).works();
        for beyond in known..words.len() {
            words[beyond] = 1 << 56;
            call.set("options", words.as_ptr() as usize)
                .fails(GOURSAT_UNSUPPORTED, "options.size");
            words[beyond] = 0;
        }
    }
}

#[test]
fn empty_batches_are_legal() {
    for call in calls() {
        let mut call = Call::again(&call);
        if call.has("degree") && !call.has("batch") || call.has("rows") {
            continue;
        }
        for name in call
            .sizes()
            .iter()
            .filter(|name| name.ends_with("batch") || name.ends_with("_len"))
        {
            call.set(name, 0);
        }
        call.works();
        for name in call.pointers(false) {
            call.set(&name, 0);
        }
        call.works();
    }
}

/// Of an empty batch the gradient is empty: NULL is fine for it, and then none is wanted beside it.
#[test]
fn empty_gradients_may_be_wanted() {
    for call in calls().filter(|call| call.name.contains("gram_backprop")) {
        for side in ["x", "y"] {
            let mut call = Call::again(&call);
            call.set(&format!("{side}_batch"), 0).set("grad_len", 0);
            for name in ["x_grad", "x_grad_len", "y_grad", "y_grad_len"] {
                call.set(name, 0);
            }
            call.works();
        }
    }
}

#[test]
fn one_point_is_a_path() {
    for call in calls().filter(|call| call.has("out") && (call.has("x") || call.has("degree"))) {
        let mut call = Call::again(&call);
        call.fill();
        let lengths = [1i64; 3];
        call.options.x_lengths = lengths.as_ptr();
        call.works();
        let expected = if call.has("degree") { 0.0 } else { 1.0 };
        let values: Vec<f64> = (0..call.count("out")).map(|i| call.get("out", i)).collect();
        // Beyond a ragged pair's corner its grid is NaN.
        assert!(
            values
                .iter()
                .all(|value| *value == expected || value.is_nan() && call.name.contains("grid")),
            "{}: {values:?}",
            call.name
        );
        if call.name.contains("grid") {
            assert_eq!(values.iter().filter(|value| value.is_nan()).count(), 2 * 4 * 4);
        }
    }
}

/// NaN and infinity stay with their path or their pair: the others' results have the bits they have without.
#[test]
fn nan_and_infinity_stay_where_they_are() {
    for call in calls().filter(|call| call.has("x") || call.has("path")) {
        let mut call = Call::again(&call);
        call.fill();
        call.works();
        let outputs = call.pointers(true);
        let read = |call: &Call, name: &str| -> Vec<f64> { (0..call.count(name)).map(|i| call.get(name, i)).collect() };
        let clean: Vec<Vec<f64>> = outputs.iter().map(|name| read(&call, name)).collect();
        for poison in [f64::NAN, f64::INFINITY] {
            // In the second and last path of the first batch.
            let first = if call.has("x") { "x" } else { "path" };
            call.put(first, 22, poison);
            call.works();
            for (name, clean) in outputs.iter().zip(&clean) {
                let dirty = read(&call, name);
                if name == "y_grad" && call.name.contains("gram") {
                    continue; // every y meets the poisoned x
                }
                let half = clean.len() / 2;
                assert_eq!(clean[..half], dirty[..half], "{}: {name}", call.name);
                let reached = dirty[half..].iter().any(|value| !value.is_finite());
                assert!(reached, "{}: {poison} did not reach {name}: {dirty:?}", call.name);
            }
        }
    }
}

#[test]
fn last_error_is_kept_and_cut() {
    let mut options = no_options();
    options.threads = -5;
    let (x, mut out) = ([0.0f64; 2], [0.0f64; 4]);
    let call = |options: *const Options, out: &mut [f64]| unsafe {
        goursat::ffi::goursat_time_augment_f64(x.as_ptr(), 1, 2, 1, out.as_mut_ptr(), out.len(), options)
    };
    let other = std::thread::spawn(last_error);
    assert_eq!(call(&options, &mut out), GOURSAT_INVALID_ARGUMENT as i32);
    let whole = "goursat_time_augment_f64: options.threads is -5; expected 0 or more";
    assert_eq!(last_error(), whole);
    assert_eq!(call(std::ptr::null(), &mut out), GOURSAT_OK as i32);
    assert_eq!(last_error(), whole, "a success changed it");
    assert_eq!(other.join().unwrap(), "", "another thread has errors of its own");
    for length in 0..whole.len() + 3 {
        let mut buffer = [0x7fu8; 100];
        let needed = unsafe { goursat::ffi::goursat_last_error(buffer.as_mut_ptr().cast(), length) };
        assert_eq!(needed, whole.len() + 1);
        let kept = whole.len().min(length.saturating_sub(1));
        assert_eq!(&buffer[..kept], &whole.as_bytes()[..kept]);
        if length > 0 {
            assert_eq!(buffer[kept], 0);
        }
        assert!(buffer[length.min(needed)..].iter().all(|byte| *byte == 0x7f));
    }
}
