//! Many threads at once, any number of threads a call, progress and cancellation.

use goursat::ffi::{self, Options, goursat_status::*};
use std::ffi::{c_int, c_void};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

fn options(threads: i32) -> Options {
    // SAFETY: zeros are what the header says an unused field is.
    let mut options: Options = unsafe { std::mem::zeroed() };
    options.size = size_of::<Options>();
    options.threads = threads;
    options
}

/// A walk of numbers that no two seeds share.
fn walk(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let step = |_| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1 << 24) as f64 - 0.5
    };
    (0..count).map(step).collect()
}

const LENGTH: usize = 30;
const DIM: usize = 3;

/// The Gram matrix of `batch` paths with themselves, all entries computed.
fn gram(paths: &[f64], out: &mut [f64], options: &Options) -> i32 {
    let batch = paths.len() / (LENGTH * DIM);
    let x = paths.as_ptr();
    unsafe {
        ffi::goursat_sigkernel_gram_f64(
            x,
            batch,
            LENGTH,
            x,
            batch,
            LENGTH,
            DIM,
            out.as_mut_ptr(),
            out.len(),
            options,
        )
    }
}

/// The Gram matrix, the kernels' gradient, and signatures with theirs, one after the other.
fn everything(seed: u64, threads: i32) -> Vec<u64> {
    const BATCH: usize = 19;
    const SIGNATURE: usize = DIM + DIM * DIM + DIM * DIM * DIM;
    let (x, with) = (walk(BATCH * LENGTH * DIM, seed), options(threads));
    let mut matrix = vec![0.0; BATCH * BATCH];
    assert_eq!(gram(&x, &mut matrix, &with), 0);
    let (weights, y) = (walk(BATCH, seed + 1), walk(x.len(), seed + 2));
    let mut signatures = vec![0.0; BATCH * SIGNATURE];
    let mut gradients = [vec![0.0; x.len()], vec![0.0; x.len()], vec![0.0; x.len()]];
    let [gx, gy, gs] = &mut gradients;
    let (n, out) = (x.len(), signatures.len());
    // SAFETY: every buffer is as long as is said.
    let statuses = unsafe {
        [
            ffi::goursat_sigkernel_backprop_f64(
                weights.as_ptr(),
                BATCH,
                x.as_ptr(),
                LENGTH,
                y.as_ptr(),
                LENGTH,
                BATCH,
                DIM,
                gx.as_mut_ptr(),
                n,
                gy.as_mut_ptr(),
                n,
                &with,
            ),
            ffi::goursat_signature_f64(x.as_ptr(), BATCH, LENGTH, DIM, 3, signatures.as_mut_ptr(), out, &with),
            ffi::goursat_sig_backprop_f64(
                signatures.as_ptr(),
                out,
                x.as_ptr(),
                BATCH,
                LENGTH,
                DIM,
                3,
                gs.as_mut_ptr(),
                n,
                &with,
            ),
        ]
    };
    assert_eq!(statuses, [0; 3]);
    let results = [matrix, signatures].into_iter().chain(gradients);
    results.flatten().map(f64::to_bits).collect()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let alone = everything(5, 1);
    for threads in [0, 2, 3, 7, 1000] {
        assert_eq!(everything(5, threads), alone, "{threads} threads");
    }
}

#[test]
fn many_threads_call_at_once() {
    let expected: Vec<Vec<u64>> = (0..8).map(|seed| everything(seed, 1)).collect();
    thread::scope(|scope| {
        for (seed, expected) in expected.iter().enumerate() {
            scope.spawn(move || {
                for round in 0..5 {
                    let threads = [0, 1, 2, 3][(seed + round) % 4];
                    assert_eq!(&everything(seed as u64, threads), expected, "seed {seed}");
                }
            });
        }
    });
}

/// What a callback saw.
struct Seen {
    caller: ThreadId,
    /// Calls after which it cancels.
    patience: usize,
    reports: Vec<(u64, u64, Instant)>,
}

/// A callback that checks where it is called, and calls the library itself.
unsafe extern "C" fn watch(data: *mut c_void, done: u64, total: u64) -> c_int {
    // SAFETY: `data` is the `Seen` of the call, which nobody else uses meanwhile.
    let seen = unsafe { &mut *data.cast::<Seen>() };
    assert_eq!(thread::current().id(), seen.caller);
    let (line, mut out) = ([0.0, 1.0], [0.0; 4]);
    let status = unsafe { ffi::goursat_time_augment_f64(line.as_ptr(), 1, 2, 1, out.as_mut_ptr(), 4, null()) };
    assert_eq!((status, out), (0, [0.0, 0.0, 1.0, 1.0]));
    seen.reports.push((done, total, Instant::now()));
    c_int::from(seen.reports.len() >= seen.patience)
}

/// A Gram matrix under that callback: status, what was seen, the matrix.
fn watched(batch: usize, threads: i32, patience: usize) -> (i32, Seen, Vec<f64>) {
    let mut seen = Seen {
        caller: thread::current().id(),
        patience,
        reports: Vec::new(),
    };
    let mut with = options(threads);
    (with.x_order, with.y_order) = (2, 2);
    with.progress = Some(watch);
    with.progress_data = (&raw mut seen).cast();
    let mut out = vec![0.0; batch * batch];
    let status = gram(&walk(batch * LENGTH * DIM, 3), &mut out, &with);
    (status, seen, out)
}

/// Paths enough for some callbacks, however fast the machine is.
fn enough(threads: i32) -> usize {
    let mut batch = 64;
    while watched(batch, threads, usize::MAX).1.reports.len() < 4 {
        batch = batch * 3 / 2;
    }
    batch
}

#[test]
fn progress_is_told_and_cancels() {
    for threads in [1, 2, 0] {
        let batch = enough(threads);
        let begin = Instant::now();
        let (status, seen, _) = watched(batch, threads, usize::MAX);
        let took = begin.elapsed();
        assert_eq!(status, GOURSAT_OK as i32);
        for pair in seen.reports.windows(2) {
            let [(before, _, earlier), (after, total, later)] = [pair[0], pair[1]];
            assert!(before <= after && after <= total && total > 0);
            assert!(later - earlier >= Duration::from_millis(45), "told too often");
        }
        assert!(seen.reports.len() as u128 <= took.as_millis() / 45);

        let (status, seen, out) = watched(batch, threads, 1);
        assert_eq!(status, GOURSAT_CANCELLED as i32);
        assert_eq!(seen.reports.len(), 1, "told after it had cancelled");
        // No worker is left that writes.
        let bits = |out: &[f64]| -> Vec<u64> { out.iter().map(|value| value.to_bits()).collect() };
        let left = bits(&out);
        thread::sleep(Duration::from_millis(100));
        assert_eq!(bits(&out), left);
    }
}

#[test]
fn cancelled_calls_leave_others_alone() {
    let expected = everything(11, 1);
    let batch = enough(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..5 {
                assert_eq!(watched(batch, 2, 1).0, GOURSAT_CANCELLED as i32);
            }
        });
        for _ in 0..20 {
            assert_eq!(everything(11, 2), expected);
        }
    });
}

/// Cancels when told to, or after a while.
unsafe extern "C" fn until_told(data: *mut c_void, _: u64, _: u64) -> c_int {
    // SAFETY: `data` is the `Orders` of the call, which are only read.
    let orders = unsafe { &*data.cast::<Orders>() };
    orders.started.store(true, Ordering::SeqCst);
    c_int::from(orders.stop.load(Ordering::SeqCst) || orders.begin.elapsed() > Duration::from_secs(30))
}

struct Orders {
    begin: Instant,
    started: AtomicBool,
    stop: AtomicBool,
}

/// A call that keeps every thread of the pool busy, for minutes if it is let.
#[test]
fn short_calls_do_not_wait_for_long_ones() {
    let orders = Orders {
        begin: Instant::now(),
        started: AtomicBool::new(false),
        stop: AtomicBool::new(false),
    };
    let expected = everything(2, 1);
    thread::scope(|scope| {
        let long = scope.spawn(|| {
            let mut with = options(0);
            (with.x_order, with.y_order) = (4, 4);
            with.progress = Some(until_told);
            with.progress_data = (&raw const orders).cast_mut().cast();
            let batch = 1500;
            gram(&walk(batch * LENGTH * DIM, 3), &mut vec![0.0; batch * batch], &with)
        });
        while !orders.started.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(everything(2, 2), expected);
        assert_eq!(watched(64, 2, usize::MAX).0, GOURSAT_OK as i32);
        assert!(!long.is_finished(), "they waited");
        orders.stop.store(true, Ordering::SeqCst);
        assert_eq!(long.join().unwrap(), GOURSAT_CANCELLED as i32);
    });
}
