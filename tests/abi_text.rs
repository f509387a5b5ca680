//! The binary interface as text, include/goursat.abi: what programs compiled against the header rely on. A line that
//! goes or changes breaks them; a line that comes does not. Neither happens by accident.

#[path = "support/c.rs"]
mod c;

use c::header_text as header;
use c::{Language, Library, repository, run_well};
use header::{Parameter, Prototype};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::OnceLock;

const HEAD: &str = "\
# The binary interface of libgoursat.so.0 on 64-bit Linux: places and sizes in bytes, as the C compiler has them.
# Written by `make abi` from include/goursat.h; tests/abi_text.rs compares. A line that goes or changes breaks programs
# that were compiled before.
";

fn list(parameters: &[Parameter]) -> String {
    let one = |p: &Parameter| format!("{} {}", p.kind, p.name).replace("* ", "*");
    match parameters {
        [] => "void".to_owned(),
        some => some.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

fn signature(word: &str, one: &Prototype) -> String {
    format!("{word} {}: {} ({})\n", one.name, one.result, list(&one.parameters))
}

/// A C program that prints what only the compiler knows.
fn asking() -> String {
    let mut program = String::from("#include <goursat.h>\n#include <stdio.h>\nint main(void) {\n");
    let mut print = |text: &str, value: &str| {
        writeln!(program, "    printf(\"{text}%llu\\n\", (unsigned long long)({value}));").unwrap();
    };
    for group in header::structs() {
        let name = &group.name;
        for Parameter { kind, name: field } in &group.members {
            let stem = field.split('[').next().unwrap();
            print(
                &format!("field {name}.{stem}: {kind} {field} at "),
                &format!("offsetof({name}, {stem})"),
            );
            print(
                &format!("bytes of {name}.{stem}: "),
                &format!("sizeof((({name} *)0)->{stem})"),
            );
        }
        print(&format!("bytes of {name}: "), &format!("sizeof({name})"));
    }
    for group in header::enums() {
        for one in &group.members {
            print(&format!("enumerator {}.{} = ", group.name, one.name), &one.name);
        }
        print(
            &format!("bytes of {}: ", group.name),
            &format!("sizeof({})", group.name),
        );
    }
    for (name, _) in header::constants() {
        print(&format!("constant {name} = "), &name);
    }
    program + "    return 0;\n}\n"
}

/// The interface as it is now.
fn described() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(describe)
}

fn describe() -> String {
    let mut text = HEAD.to_owned();
    for one in header::prototypes() {
        text += &signature("function", &one);
    }
    for one in header::callbacks() {
        text += &signature("callback", &one);
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("asking.c");
    std::fs::write(&program, asking()).unwrap();
    text + &run_well(program.to_str().unwrap(), Language::C99, Library::Shared)
}

/// What a line is about, and what it says of it.
fn lines(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split_once([':', '=']).unwrap_or((line, "")))
        .collect()
}

/// What is different, in a sentence for each kind of difference; nothing if nothing is.
fn differences(committed: &str, now: &str) -> Vec<String> {
    let (old, new) = (lines(committed), lines(now));
    // A struct may grow at its end; its fields have lines of their own.
    let grown = |key: &str| {
        let size = |lines: &BTreeMap<&str, &str>| lines.get(key).and_then(|text| text.trim().parse::<u64>().ok());
        let of_struct = key.starts_with("bytes of ")
            && new
                .keys()
                .any(|other| other.starts_with(&format!("field {}.", &key[9..])));
        of_struct && size(&new) > size(&old)
    };
    let mut told = Vec::new();
    for (key, what) in &old {
        match new.get(key) {
            Some(same) if same == what => {}
            Some(other) if !grown(key) => told.push(format!(
                "CHANGED, which breaks programs that were compiled before: {key}:{what} is now{other}"
            )),
            Some(other) => told.push(format!("ADDED to the end of a struct: {key}:{what} is now{other}")),
            None => told.push(format!(
                "REMOVED, which breaks programs that were compiled before: {key}:{what}"
            )),
        }
    }
    let added = new.iter().filter(|(key, _)| !old.contains_key(*key));
    told.extend(added.map(|(key, what)| format!("ADDED, which breaks nobody: {key}:{what}")));
    told
}

#[test]
fn interface_is_as_committed() {
    let path = repository().join("include/goursat.abi");
    let now = described();
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let told = differences(&committed, now);
    if std::env::var_os("GOURSAT_BLESS").is_some() {
        println!("{}", told.join("\n"));
        return std::fs::write(&path, now).unwrap();
    }
    assert!(
        told.is_empty() && now == committed,
        "the binary interface is not that of include/goursat.abi:\n{}\nIf it is meant, `make abi` writes it anew; what \
         breaks programs also needs a new number in build.rs (libgoursat.so.N)",
        told.join("\n")
    );
}

/// The text has every function and field, so that none can change unseen.
#[test]
fn text_is_complete() {
    let text = described();
    let (functions, fields) = (header::prototypes(), header::option_fields());
    assert!(functions.len() >= 32 && fields.len() >= 26);
    for one in functions {
        assert!(text.contains(&format!("function {}: ", one.name)), "{}", one.name);
    }
    for field in fields {
        // The places that tests work with are those of the compiler.
        let line = format!("field goursat_options.{}: ", field.name);
        let (_, rest) = text.split_once(&line).unwrap();
        let (_, place) = rest.lines().next().unwrap().split_once(" at ").unwrap();
        assert_eq!(
            place.parse::<usize>().unwrap() + field.element * field.bytes,
            field.at,
            "{}",
            field.name
        );
    }
    for needed in [
        "callback goursat_progress: int (",
        "enumerator goursat_status.GOURSAT_OK = 0",
        "constant GOURSAT_SYMMETRIC = 16",
    ] {
        assert!(text.contains(needed), "{needed}");
    }
}

/// Faults planted in the text are seen, and called what they are.
#[test]
fn differences_are_told_apart() {
    let text = described();
    assert!(differences(text, text).is_empty());
    let change = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        differences(text, &text.replacen(from, to, 1))
    };
    let is = |told: Vec<String>, begins: &[&str]| {
        assert_eq!(told.len(), begins.len(), "{told:?}");
        for (one, begin) in told.iter().zip(begins) {
            assert!(one.starts_with(begin), "{told:?}");
        }
    };
    // Two arguments change places; a type, an enumerator and a field move; something goes; something comes.
    is(
        change("size_t batch, size_t length", "size_t length, size_t batch"),
        &["CHANGED"],
    );
    is(
        change(
            "function goursat_version_number: uint32_t",
            "function goursat_version_number: uint64_t",
        ),
        &["CHANGED"],
    );
    is(change("GOURSAT_OVERLAP = 5", "GOURSAT_OVERLAP = 6"), &["CHANGED"]);
    is(
        change(
            "field goursat_options.threads: int32_t threads at 32",
            "field goursat_options.threads: int32_t threads at 36",
        ),
        &["CHANGED"],
    );
    is(
        change("bytes of goursat_options: ", "bytes of goursat_options: 9"),
        &["ADDED to the end of a struct"],
    );
    is(
        change("bytes of goursat_options: 1", "bytes of goursat_options: "),
        &["CHANGED"],
    );
    is(change("constant GOURSAT_SYMMETRIC = 16\n", ""), &["REMOVED"]);
    let more = format!("{text}function goursat_logsig: int32_t (void)\n");
    is(differences(text, &more), &["ADDED, which breaks nobody"]);
}
