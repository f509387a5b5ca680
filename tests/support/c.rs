//! The repository, its header, the library as built for this test, and programs in C and C++ that use them.
#![allow(dead_code)] // each test uses its share

#[path = "header.rs"]
pub mod header_text;
#[path = "runner.rs"]
pub mod runner;

#[allow(unused_imports)] // each test uses its share
pub use header_text::{Parameter, prototypes};
use std::path::{Path, PathBuf};
use std::process::Output;

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn header() -> String {
    std::fs::read_to_string(repository().join("include/goursat.h")).unwrap()
}

/// Where cargo put the library that this test was built with.
pub fn artifacts() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Language {
    C99,
    Cpp17,
    Cpp20,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Library {
    Shared,
    Static,
}

/// Compiles a program of tests/c with every warning an error, and runs it.
pub fn run(source: &str, language: Language, library: Library) -> Output {
    let program = build(source, language, library);
    runner::command(&program).output().unwrap()
}

/// As [`run`], for programs that check themselves.
pub fn run_well(source: &str, language: Language, library: Library) -> String {
    let output = run(source, language, library);
    let [told, complained] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(
        output.status.success(),
        "{source} with {library:?}: {}\n{told}{complained}",
        output.status
    );
    told
}

fn build(source: &str, language: Language, library: Library) -> PathBuf {
    let source = repository().join("tests/c").join(source);
    let stem = source.file_name().unwrap().to_str().unwrap().replace('.', "_");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{stem}_{language:?}_{library:?}"));
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join(&stem);
    let mut compiler = cc::Build::new();
    let target = env!("GOURSAT_TARGET");
    compiler
        .target(target)
        .host(target)
        .opt_level(1)
        .cpp(language != Language::C99);
    let mut command = compiler.get_compiler().to_command();
    command.arg(match language {
        Language::C99 => "-std=c99",
        Language::Cpp17 => "-std=c++17",
        Language::Cpp20 => "-std=c++20",
    });
    command.args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-Wshadow"]);
    command.arg("-I").arg(repository().join("include"));
    command.arg(&source).arg("-o").arg(&program);
    match library {
        Library::Static => {
            command.arg(artifacts().join("libgoursat.a"));
        }
        Library::Shared => {
            // Under the name that programs look for when they run, which is that of the interface's number.
            let name = folder.join("libgoursat.so.0");
            let _ = std::fs::remove_file(&name);
            std::fs::copy(artifacts().join("libgoursat.so"), &name).unwrap();
            command.arg(&name).arg(format!("-Wl,-rpath,{}", folder.display()));
        }
    }
    command.args(["-lpthread", "-ldl", "-lm"]);
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{complaint}");
    program
}
