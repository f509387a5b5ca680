//! The header as data: functions, structs, enums, constants, read from its text with nothing but `split`. It is
//! generated in one style, so that this is enough; the compiler of C has the last word in `tests/abi_text.rs`.
#![allow(dead_code)] // each test uses its share

const HEADER: &str = include_str!("../../include/goursat.h");

/// A function of the header.
#[derive(Clone, Debug)]
pub struct Prototype {
    /// What it returns: `int32_t`, `const char *`.
    pub result: String,
    pub name: String,
    pub parameters: Vec<Parameter>,
}

/// A parameter of a function or a field of a struct.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Without the name: `const double *`.
    pub kind: String,
    pub name: String,
}

/// A struct or an enum.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    /// Fields, arrays with their brackets in `name`; of an enum, names with their numbers as `kind`.
    pub members: Vec<Parameter>,
}

/// The text without comments.
fn code() -> String {
    let (mut code, mut rest) = (String::new(), HEADER);
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").unwrap().1;
    }
    code.push_str(rest);
    let no_comment = |line: &str| line.split("//").next().unwrap().trim_end().to_owned();
    code.lines().map(no_comment).collect::<Vec<_>>().join("\n")
}

/// `const double *path` as kind and name; arrays keep their brackets in the name.
fn declaration(text: &str) -> Parameter {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let start = text
        .rfind(|c: char| !c.is_alphanumeric() && !"_[]".contains(c))
        .map_or(0, |i| i + 1);
    Parameter {
        kind: text[..start].trim().to_owned(),
        name: text[start..].to_owned(),
    }
}

fn parameters(list: &str) -> Vec<Parameter> {
    let list = list.trim().trim_end_matches(')');
    let named = list.split(',').map(declaration);
    named.filter(|one| !one.kind.is_empty()).collect()
}

/// The functions of the header, in its order.
pub fn prototypes() -> Vec<Prototype> {
    let code = code();
    let (_, functions) = code.split_once("extern \"C\" {").unwrap();
    let statements = functions.split(';').filter_map(|statement| statement.split_once('('));
    statements
        .map(|(head, list)| {
            let head = head.rsplit("#endif").next().unwrap();
            let Parameter { kind, name } = declaration(head);
            Prototype {
                result: kind,
                name,
                parameters: parameters(list),
            }
        })
        .collect()
}

fn groups(word: &str) -> Vec<(String, String)> {
    let (code, opening) = (code(), format!("typedef {word} "));
    code.split(&opening)
        .skip(1)
        .map(|text| {
            let (name, rest) = text.split_once('{').unwrap();
            (name.trim().to_owned(), rest.split_once('}').unwrap().0.to_owned())
        })
        .collect()
}

/// The structs of the header.
pub fn structs() -> Vec<Group> {
    let fields = |body: String| {
        let statements = body.split(';').filter(|text| !text.trim().is_empty());
        statements.map(declaration).collect()
    };
    let structs = groups("struct").into_iter();
    structs
        .map(|(name, body)| Group {
            name,
            members: fields(body),
        })
        .collect()
}

/// The enums of the header.
pub fn enums() -> Vec<Group> {
    let member = |text: &str| {
        let (name, value) = text.split_once('=').unwrap();
        Parameter {
            kind: value.trim().to_owned(),
            name: name.trim().to_owned(),
        }
    };
    let members = |body: String| {
        let entries = body.split(',').filter(|text| !text.trim().is_empty());
        entries.map(member).collect()
    };
    let enums = groups("enum").into_iter();
    enums
        .map(|(name, body)| Group {
            name,
            members: members(body),
        })
        .collect()
}

/// Types of functions: `int (*goursat_progress)(void *data, …)`.
pub fn callbacks() -> Vec<Prototype> {
    let code = code();
    let statements = code.split("typedef ").skip(1).filter_map(|text| {
        let (statement, _) = text.split_once(';')?;
        let (result, rest) = statement.split_once("(*")?;
        let (name, list) = rest.split_once(")(")?;
        let plain = !result.contains('{');
        plain.then(|| Prototype {
            result: result.trim().to_owned(),
            name: name.to_owned(),
            parameters: parameters(list),
        })
    });
    statements.collect()
}

/// `#define NAME value`, without those of the version, which are not of the interface.
pub fn constants() -> Vec<(String, String)> {
    let code = code();
    let defines = code.lines().filter_map(|line| line.strip_prefix("#define "));
    defines
        .filter_map(|line| line.split_once(' '))
        .filter(|(name, _)| !name.starts_with("GOURSAT_VERSION"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The fields of the options with their places: (name, kind, byte, bytes), arrays as one field an element. Every type
/// is as long as its alignment, so that places follow from the order; `tests/abi_text.rs` asks the compiler.
pub fn option_fields() -> Vec<Field> {
    let options = structs()
        .into_iter()
        .find(|group| group.name == "goursat_options")
        .unwrap();
    let (mut fields, mut at) = (Vec::new(), 0);
    for Parameter { kind, name } in options.members {
        let bytes = if kind.contains("32") { 4 } else { 8 };
        let (stem, count) = match name.split_once('[') {
            Some((stem, count)) => (stem.to_owned(), count.trim_end_matches(']').parse().unwrap()),
            None => (name.clone(), 1),
        };
        for element in 0..count {
            at = usize::next_multiple_of(at, bytes);
            fields.push(Field {
                name: stem.clone(),
                kind: kind.clone(),
                element,
                at,
                bytes,
            });
            at += bytes;
        }
    }
    fields
}

/// A field of the options, or an element of one that is an array.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub kind: String,
    pub element: usize,
    /// First byte.
    pub at: usize,
    pub bytes: usize,
}
