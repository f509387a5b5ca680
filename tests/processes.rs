//! Programs in C that use the library as hostile processes do: thousands of calls, loaded and unloaded, twice in one
//! process, where no threads are to be had. And what the environment says of threads.
#![cfg(target_os = "linux")]

#[path = "support/c.rs"]
mod c;

use c::{artifacts, prototypes, repository};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program of tests/processes, linked with the shared library or with nothing.
fn build(name: &str, linked: bool) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("processes").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join(name);
    let target = env!("GOURSAT_TARGET");
    let compiler = cc::Build::new().target(target).host(target).opt_level(1).get_compiler();
    let mut command = compiler.to_command();
    command.args([
        "-std=gnu99",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Wshadow",
        "-Wno-missing-field-initializers",
        "-I",
    ]);
    command.arg(repository().join("include"));
    command
        .arg(repository().join(format!("tests/processes/{name}.c")))
        .arg("-o")
        .arg(&program);
    if linked {
        let library = folder.join("libgoursat.so.0");
        copy(&library);
        command.arg(&library).arg(format!("-Wl,-rpath,{}", folder.display()));
    }
    let output = command.args(["-lpthread", "-ldl", "-lm"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// The shared library of this test, at another place.
fn copy(to: &Path) {
    let _ = std::fs::remove_file(to);
    std::fs::copy(artifacts().join("libgoursat.so"), to).unwrap();
}

/// Runs a program that checks itself: what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{complaint}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn memory_stays_flat() {
    let calls = std::env::var("GOURSAT_FLAT_CALLS").unwrap_or("1000".into());
    let tested = run(Command::new(build("flat", true)).arg(calls));
    let tested: BTreeSet<_> = tested.split_whitespace().map(str::to_owned).collect();
    let all: BTreeSet<_> = prototypes().into_iter().map(|prototype| prototype.name).collect();
    assert_eq!(
        tested, all,
        "functions of tests/processes/functions.h and of the header"
    );
}

#[test]
fn loaded_a_hundred_times() {
    // Every thread that allocates while another does gets an arena of its own: those would be counted.
    run(Command::new(build("reload", false))
        .env("MALLOC_ARENA_MAX", "1")
        .arg(artifacts().join("libgoursat.so"))
        .arg("100"));
}

#[test]
fn two_copies_in_one_process() {
    let program = build("copies", false);
    let folder = program.parent().unwrap();
    let [one, other] = ["one.so", "other.so"].map(|name| folder.join(name));
    copy(&one);
    copy(&other);
    run(Command::new(program).arg(one).arg(other));
}

#[test]
fn threads_that_cannot_be_had() {
    run(Command::new(build("refused", true)).env("GOURSAT_NUM_THREADS", "3"));
}

#[test]
fn the_environment_bounds_threads() {
    let program = build("threads", true);
    let threads = |said: &str| run(Command::new(&program).env("GOURSAT_NUM_THREADS", said));
    let cores = run(Command::new(&program).env_remove("GOURSAT_NUM_THREADS"));
    // What a default is, and how many threads the process has after a call that could use a hundred.
    for (said, known) in [
        ("1", "1 1\n"),
        ("3", "3 4\n"),
        (" 2 ", "2 3\n"),
        ("1025", "1024 1025\n"),
    ] {
        assert_eq!(threads(said), known, "GOURSAT_NUM_THREADS='{said}'");
    }
    for said in [
        "",
        "0",
        "-1",
        "two",
        "1.5",
        "2 3",
        "18446744073709551616",
        "0x10",
        "\u{0664}",
    ] {
        assert_eq!(threads(said), cores, "GOURSAT_NUM_THREADS='{said}', which is none");
    }
}
