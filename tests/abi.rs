//! The binary interface: the header is what the library is, in C and in C++.

#[path = "support/c.rs"]
mod c;

use c::{Language, Library, artifacts, header, prototypes, repository, run_well};
use goursat::ffi::{self, Options};
use std::collections::BTreeSet;
use std::ffi::{CStr, c_char};
use std::mem::offset_of;
use std::path::Path;
use std::process::Command;

/// The header as src/ffi has it now.
fn generated() -> String {
    let root = repository();
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let parts: Vec<&str> = version.split('.').collect();
    let top = config.after_includes.take().unwrap();
    let names = ["@MAJOR@", "@MINOR@", "@PATCH@"];
    let top = names
        .iter()
        .zip(&parts)
        .fold(top, |top, (name, part)| top.replace(name, part));
    config.after_includes = Some(top.replace("@VERSION@", version));
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in [
        "status",
        "options",
        "signature",
        "kernel",
        "gram",
        "transform",
        "library",
        "cuda",
    ] {
        builder = builder.with_src(root.join(format!("src/ffi/{file}.rs")));
    }
    let mut bytes = Vec::new();
    builder.generate().unwrap().write(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn header_is_fresh() {
    let path = repository().join("include/goursat.h");
    let fresh = generated();
    if std::env::var_os("GOURSAT_BLESS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = fresh.lines().zip(committed.lines()).find(|(new, old)| new != old);
    assert!(
        fresh == committed,
        "include/goursat.h is stale (first: {differs:?}); GOURSAT_BLESS=1 cargo test --test abi rewrites it"
    );
}

/// Compilers and editors that guess the encoding of a source guess right.
#[test]
fn headers_are_ascii() {
    for name in ["goursat.h", "goursat.hpp", "goursat/options.hpp", "goursat/paths.hpp"] {
        let text = std::fs::read_to_string(repository().join("include").join(name)).unwrap();
        assert!(text.is_ascii(), "{name}");
    }
}

#[test]
fn header_is_c99_and_cpp17() {
    run_well("header_only.c", Language::C99, Library::Shared);
    run_well("header_only.cpp", Language::Cpp17, Library::Shared);
}

#[test]
fn programs_in_c_and_cpp_link_both_libraries() {
    for library in [Library::Shared, Library::Static] {
        let version = run_well("values.c", Language::C99, library);
        assert_eq!(version.trim(), env!("CARGO_PKG_VERSION"));
        run_well("layer.cpp", Language::Cpp17, library);
    }
}

#[test]
fn layouts_in_cpp_are_those_of_c() {
    for language in [Language::Cpp17, Language::Cpp20] {
        run_well("paths.cpp", language, Library::Shared);
    }
}

/// The program that the header shows is a program.
#[test]
fn first_program_of_the_header_runs() {
    let header = header();
    let (_, from) = header.split_once("A FIRST PROGRAM\n").unwrap();
    let (program, _) = from.split_once("CONVENTIONS\n").unwrap();
    let lines = program
        .lines()
        .map(|line| line.strip_prefix(" *     ").unwrap_or_default());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("first.c");
    std::fs::write(&file, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    // One row of two cells with D = 1: 9/4, then (1 + 9/4) 19/12 - 11/12.
    assert_eq!(
        run_well(file.to_str().unwrap(), Language::C99, Library::Shared),
        "4.2292\n"
    );
}

#[test]
fn version_is_that_of_the_package() {
    let version = unsafe { CStr::from_ptr(ffi::goursat_version()) };
    assert_eq!(version.to_str().unwrap(), env!("CARGO_PKG_VERSION"));
    let parts: Vec<u32> = env!("CARGO_PKG_VERSION")
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    assert_eq!(
        ffi::goursat_version_number(),
        10000 * parts[0] + 100 * parts[1] + parts[2]
    );
    let names = ["MAJOR", "MINOR", "PATCH"];
    for (name, part) in names.iter().zip(&parts) {
        assert!(
            header().contains(&format!("#define GOURSAT_VERSION_{name} {part}\n")),
            "{name}"
        );
    }
}

/// The binary interface's number is in the library's name as programs remember it, and its threads never lose their code.
#[cfg(target_os = "linux")]
#[test]
fn shared_library_has_its_name_and_stays() {
    let dynamic = tool("readelf", &["-d"]);
    assert!(dynamic.contains("[libgoursat.so.0]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

#[cfg(target_os = "linux")]
#[test]
fn dynamic_symbols_are_the_header() {
    let listing = tool("nm", &["-D", "--defined-only"]);
    let symbols: BTreeSet<String> = listing
        .lines()
        .filter_map(|line| line.split(' ').nth(2).map(str::to_owned))
        .collect();
    let functions: BTreeSet<String> = prototypes().into_iter().map(|prototype| prototype.name).collect();
    assert_eq!(functions.len(), 2 * 12 + 8 + 3);
    assert_eq!(symbols, functions);
}

#[cfg(target_os = "linux")]
fn tool(name: &str, arguments: &[&str]) -> String {
    let library = artifacts().join("libgoursat.so");
    let output = Command::new(name).args(arguments).arg(library).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// C and Rust agree on every field, and nothing lies between two fields: padding would be read as a later version's
/// field full of garbage.
#[test]
fn options_have_no_padding() {
    let listing = run_well("layout.c", Language::C99, Library::Shared);
    let fields: Vec<(&str, usize, usize)> = listing
        .lines()
        .map(|line| {
            let parts: Vec<&str> = line.split(' ').collect();
            (parts[0], parts[1].parse().unwrap(), parts[2].parse().unwrap())
        })
        .collect();
    for pair in fields.windows(2) {
        assert_eq!(
            pair[0].1 + pair[0].2,
            pair[1].1,
            "between {} and {}",
            pair[0].0,
            pair[1].0
        );
    }
    macro_rules! offsets {
        ($($field:ident)*) => { vec![$((stringify!($field), offset_of!(Options, $field)),)*] };
    }
    let mut mine = offsets!(size flags end_time x_order y_order threads memory device reserved stream workspace
        workspace_size x_lengths y_lengths x_starts y_starts x_strides y_strides x_size y_size progress progress_data
        workspace_query);
    mine.push(("end", size_of::<Options>()));
    let theirs: Vec<(&str, usize)> = fields.iter().map(|&(name, offset, _)| (name, offset)).collect();
    assert_eq!(mine, theirs);
}

#[test]
fn status_names_are_those_of_the_header() {
    let header = header();
    let (_, codes) = header.split_once("typedef enum goursat_status {").unwrap();
    let (codes, _) = codes.split_once('}').unwrap();
    let mut count = 0;
    for line in codes.lines().filter(|line| line.contains(" = ")) {
        let (name, code) = line.trim().trim_end_matches(',').split_once(" = ").unwrap();
        let known = unsafe { CStr::from_ptr(ffi::goursat_status_name(code.parse().unwrap())) };
        assert_eq!(known.to_str().unwrap(), name);
        count += 1;
    }
    assert_eq!(count, 16);
    let unknown = unsafe { CStr::from_ptr(ffi::goursat_status_name(count)) };
    assert_eq!(unknown.to_str().unwrap(), "unknown status");
}

#[test]
fn longest_message_fits() {
    // A sentence of a function with a long name, cut nowhere by a buffer of the size that the header gives.
    let mut options = unsafe { std::mem::zeroed::<Options>() };
    options.size = 8 * size_of::<Options>() + 1;
    let nothing = std::ptr::null();
    let none = std::ptr::null_mut();
    let status = unsafe {
        ffi::goursat_sigkernel_gram_backprop_f64(
            nothing, 0, nothing, 0, 1, nothing, 0, 1, 1, none, 0, none, 0, &options,
        )
    };
    assert_eq!(status, ffi::goursat_status::GOURSAT_INVALID_ARGUMENT as i32);
    let mut message = [0 as c_char; 384];
    let needed = unsafe { ffi::goursat_last_error(message.as_mut_ptr(), message.len()) };
    assert!(header().contains("#define GOURSAT_MESSAGE_SIZE 384\n"));
    let longest = prototypes().iter().map(|prototype| prototype.name.len()).max().unwrap();
    assert!(longest + 2 + goursat::error::Sentence::CAPACITY < message.len());
    let text = unsafe { CStr::from_ptr(message.as_ptr()) }.to_str().unwrap();
    assert_eq!(needed, text.len() + 1);
}
