//! README.md: its programs are those in examples/ and print what it says; its tables and links are of things that are.

#[path = "support/c.rs"]
mod c;

use c::{Language, Library, artifacts, prototypes, repository, run_well};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn text(file: &str) -> String {
    std::fs::read_to_string(repository().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The only fenced block of a language in README.md.
fn block(language: &str) -> String {
    let (readme, fence) = (text("README.md"), format!("\n```{language}\n"));
    let mut blocks = readme.split(&fence).skip(1);
    let block = blocks.next().unwrap_or_else(|| panic!("README.md has no {language}"));
    assert!(blocks.next().is_none(), "README.md has several blocks of {language}");
    block.split_once("\n```\n").unwrap().0.to_owned() + "\n"
}

/// A program of examples/, which README.md shows word for word.
fn shown(name: &str, language: &str) -> PathBuf {
    let file = format!("examples/{name}");
    assert_eq!(text(&file), block(language), "{file} is not what README.md shows");
    repository().join(file)
}

/// What a program prints that ends well.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{complaint}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Compiles an example against the library that this test was built with, and runs it.
fn run_rust(source: &Path) -> String {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(source.file_stem().unwrap());
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let library = artifacts().join("libgoursat.rlib");
    let mut compile = Command::new(rustc);
    // What instruments the library must reach programs with it.
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    compile.args(flags.split_whitespace());
    compile.args(["--edition=2024", "-Dwarnings", "-L"]);
    compile.arg(format!("dependency={}", artifacts().display()));
    compile.arg(format!("--extern=goursat={}", library.display()));
    output(compile.arg(source).arg("-o").arg(&program));
    output(&mut Command::new(program))
}

fn run_c(source: &Path, language: Language) -> String {
    run_well(source.to_str().unwrap(), language, Library::Shared)
}

#[test]
fn rust_program() {
    assert_eq!(run_rust(&shown("minimal.rs", "rust")), block("text"));
}

#[test]
fn c_program() {
    assert_eq!(run_c(&shown("minimal.c", "c"), Language::C99), block("text"));
}

#[test]
fn cpp_program() {
    assert_eq!(run_c(&shown("minimal.cpp", "cpp"), Language::Cpp17), block("text"));
}

/// It is run by the tests of the Python package.
#[test]
fn python_program() {
    shown("minimal.py", "python");
}

#[test]
fn other_examples_run() {
    let distances: Vec<f64> = run_rust(&repository().join("examples/fit.rs"))
        .lines()
        .map(|line| line.split_once(": ").unwrap().1.parse().unwrap())
        .collect();
    assert!(distances.is_sorted_by(|before, after| before > after), "{distances:?}");
    assert!(distances[distances.len() - 1] < 1e-2 * distances[0], "{distances:?}");

    let gram = run_c(&repository().join("examples/ragged.c"), Language::C99);
    let rows: Vec<Vec<&str>> = gram.lines().map(|line| line.split(' ').collect()).collect();
    for i in 0..3 {
        for j in 0..3 {
            assert_eq!(rows[i][j], rows[j][i], "{gram}");
        }
    }
}

/// Every function of the header is in README.md, and every function that README.md names is in the header.
#[test]
fn functions_are_those_of_the_header() {
    let plain = |name: &str| name.trim_end_matches("_f64").trim_end_matches("_f32").to_owned();
    let functions: BTreeSet<String> = prototypes().iter().map(|prototype| plain(&prototype.name)).collect();
    let readme = text("README.md");
    let named: BTreeSet<String> = readme
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("goursat_") && *word != "goursat_options" && !word.ends_with('_'))
        .map(plain)
        .collect();
    assert_eq!(named, functions);
}

/// Files that the documents name in backticks or link to.
#[test]
fn files_named_are_there() {
    for document in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let text = text(document);
        let spans = text.split('`').skip(1).step_by(2).flat_map(str::split_whitespace);
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|after| after.split(')').next())
            .filter(|target| !target.contains("://") && !target.starts_with('#'));
        let folders = [
            "src/",
            "tests/",
            "include/",
            "examples/",
            "benches/",
            "bindings/",
            ".ci/",
        ];
        let files = spans.filter(|span| folders.iter().any(|folder| span.starts_with(folder)));
        for file in files.chain(links) {
            assert!(repository().join(file).exists(), "{document} names {file}");
        }
    }
}
