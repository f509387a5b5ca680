//! CUDA where there is none that can be used: no driver, half a driver, an old one, no device, an old one. Every function
//! says so by a status and a sentence of its own, and nothing crashes. Where a device works: tests/cuda/library.cpp.
#![cfg(target_os = "linux")]

#[path = "support/c.rs"]
mod c;
#[path = "support/calls.rs"]
mod support;

use goursat::ffi::goursat_status::{self, *};
use goursat::ffi::{self, CudaDeviceInfo, GOURSAT_CUDA, GOURSAT_CUDA_COPY};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{calls, last_error};

/// What a process of its own expects: a status, how many devices there are, a word of the sentence.
const EXPECTED: &str = "GOURSAT_TEST_CUDA_EXPECTED";

/// Everything about CUDA in a process that loads another driver, or none.
fn in_a_process(folder: Option<&Path>, settings: &[(&str, &str)], status: goursat_status, devices: i32, word: &str) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "what_this_process_finds", "--test-threads=1"]);
    child.envs(settings.iter().copied());
    child.env(EXPECTED, format!("{} {devices} {word}", status as i32));
    if let Some(folder) = folder {
        let old = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
        child.env("LD_LIBRARY_PATH", format!("{}:{old}", folder.display()));
    }
    let output = child.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{settings:?}, {word}: {} {told}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Compiles tests/cuda/stub.c in a folder of its own.
fn stub(name: &str, flags: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cuda").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let target = env!("GOURSAT_TARGET");
    let mut build = cc::Build::new();
    let mut compile = build
        .target(target)
        .host(target)
        .opt_level(1)
        .get_compiler()
        .to_command();
    // A driver is not instrumented, even where the library is.
    compile
        .args(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-fno-sanitize=all"])
        .args(flags);
    compile.arg(c::repository().join("tests/cuda/stub.c")).arg("-o");
    assert!(compile.arg(folder.join("libcuda.so")).status().unwrap().success());
    folder
}

#[test]
fn no_driver() {
    // SAFETY: names of libraries.
    let there = [c"libcuda.so", c"libcuda.so.1"]
        .iter()
        .any(|name| !unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW) }.is_null());
    if there {
        assert_ne!(ffi::goursat_cuda_available(), GOURSAT_CUDA_NO_DRIVER as i32);
        return;
    }
    in_a_process(None, &[], GOURSAT_CUDA_NO_DRIVER, 0, "libcuda was not found");
}

#[test]
fn drivers_that_will_not_do() {
    let whole = &stub("whole", &[]);
    let version = [("STUB_VERSION", "11040")];
    in_a_process(Some(whole), &version, GOURSAT_CUDA_OLD_DRIVER, 0, "CUDA 11.4");
    in_a_process(
        Some(&stub("lacking", &["-DLACKING"])),
        &[],
        GOURSAT_CUDA_OLD_DRIVER,
        0,
        "lacks cu",
    );
    in_a_process(
        Some(&stub("empty", &["-DEMPTY"])),
        &[],
        GOURSAT_CUDA_OLD_DRIVER,
        0,
        "lacks cu",
    );
    in_a_process(
        Some(whole),
        &[("STUB_INIT", "34")],
        GOURSAT_CUDA_NO_DRIVER,
        0,
        "stub for linkers",
    );
    in_a_process(
        Some(whole),
        &[("STUB_INIT", "999")],
        GOURSAT_CUDA_ERROR,
        0,
        "CUDA_ERROR_OF_A_STUB",
    );
    // What a driver says to the child of a process that used it.
    in_a_process(Some(whole), &[("STUB_INIT", "3")], GOURSAT_CUDA_FORKED, 0, "fork");
}

#[test]
fn devices_that_will_not_do() {
    let whole = &stub("whole_too", &[]);
    in_a_process(
        Some(whole),
        &[("STUB_COUNT", "0")],
        GOURSAT_CUDA_NO_DEVICE,
        0,
        "no device",
    );
    in_a_process(
        Some(whole),
        &[("STUB_INIT", "100")],
        GOURSAT_CUDA_NO_DEVICE,
        0,
        "no device",
    );
    let old = [("STUB_CAPABILITY", "50"), ("STUB_COUNT", "2")];
    in_a_process(
        Some(whole),
        &old,
        GOURSAT_CUDA_OLD_DEVICE,
        2,
        "a stub has compute capability 5.0",
    );
}

/// Without a parent this is what the machine has, whatever that is: only that nothing crashes.
#[test]
fn what_this_process_finds() {
    let Ok(expected) = std::env::var(EXPECTED) else {
        let mut count = -1;
        ffi::goursat_cuda_available();
        unsafe { ffi::goursat_cuda_device_count(&mut count) };
        assert!(count >= 0);
        return;
    };
    let mut parts = expected.splitn(3, ' ');
    let mut number = || parts.next().unwrap().parse::<i32>().unwrap();
    let (status, devices) = (number(), number());
    let word = parts.next().unwrap();
    let says = |function: &str, got: i32, wanted: i32, word: &str| {
        let sentence = last_error();
        assert_eq!(got, wanted, "{function}: {sentence}");
        assert!(sentence.starts_with(&format!("{function}: ")), "{function}: {sentence}");
        assert!(sentence.contains(word), "{function}: {sentence}");
    };
    says("goursat_cuda_available", ffi::goursat_cuda_available(), status, word);
    list_devices(status, devices, word, &says);
    for memory in [GOURSAT_CUDA, GOURSAT_CUDA_COPY] {
        for mut call in calls() {
            call.fill();
            call.options.memory = memory;
            // Shapes are the same everywhere.
            let shapes = call.name.ends_with("length") || call.name.ends_with("shape");
            if shapes {
                call.works();
                continue;
            }
            says(call.name, call.status(), status, word);
            // Arguments are looked at first.
            call.set("options", 1 << 12 | 1).fails(GOURSAT_MISALIGNED, "options");
        }
    }
    // The CPU works on.
    for mut call in calls() {
        call.fill();
        call.works();
    }
}

fn list_devices(status: i32, devices: i32, word: &str, says: &dyn Fn(&str, i32, i32, &str)) {
    let mut count = -1;
    let counted = unsafe { ffi::goursat_cuda_device_count(&mut count) };
    assert_eq!(count, devices);
    // SAFETY: numbers and characters.
    let mut info: CudaDeviceInfo = unsafe { std::mem::zeroed() };
    info.size = size_of::<CudaDeviceInfo>();
    let asked = unsafe { ffi::goursat_cuda_device(0, &mut info) };
    if devices == 0 {
        says("goursat_cuda_device", asked, status, word);
        assert_eq!(counted, status);
        return;
    }
    assert_eq!((counted, asked), (0, 0));
    assert_eq!(info.status, status);
    assert_eq!((info.capability_major, info.capability_minor), (5, 0));
    assert_eq!((info.driver_version, info.total_memory), (12040, 1 << 30));
    let beyond = unsafe { ffi::goursat_cuda_device(devices, &mut info) };
    says(
        "goursat_cuda_device",
        beyond,
        GOURSAT_INVALID_ARGUMENT as i32,
        "device is 2",
    );
}

#[test]
fn answers_have_somewhere_to_go() {
    let fails = |got: i32, status: goursat_status, word: &str| {
        assert_eq!(got, status as i32, "{}", last_error());
        assert!(last_error().contains(word), "{}", last_error());
    };
    // SAFETY: numbers and characters.
    let mut info: CudaDeviceInfo = unsafe { std::mem::zeroed() };
    let (count, crooked) = (std::ptr::null_mut(), std::ptr::without_provenance_mut(4098));
    unsafe {
        fails(ffi::goursat_cuda_device_count(count), GOURSAT_NULL_POINTER, "count");
        fails(ffi::goursat_cuda_device_count(crooked), GOURSAT_MISALIGNED, "count");
        fails(
            ffi::goursat_cuda_device(0, std::ptr::null_mut()),
            GOURSAT_NULL_POINTER,
            "info",
        );
        fails(ffi::goursat_cuda_device(0, crooked.cast()), GOURSAT_MISALIGNED, "info");
        for size in [
            0,
            8,
            size_of::<CudaDeviceInfo>() - 8,
            size_of::<CudaDeviceInfo>() + 4,
            1 << 20,
        ] {
            info.size = size;
            fails(ffi::goursat_cuda_device(0, &mut info), GOURSAT_INVALID_ARGUMENT, "size");
        }
        info.size = size_of::<CudaDeviceInfo>();
        fails(
            ffi::goursat_cuda_device(-1, &mut info),
            GOURSAT_INVALID_ARGUMENT,
            "index",
        );
    }
}
