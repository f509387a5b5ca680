//! Arbitrary arguments: any sizes, flags and contents of the options; pointers that are NULL, misaligned, or real memory
//! of known size. What the library accepts must be legal, and what it refuses not, by the judge of `contract`.

use crate::contract::case::fields;
use crate::contract::random::Decide;
use crate::contract::stage::{BASES, NUMBERS, Spoil, Stage, any_function, apply};

/// The target.
pub fn run(data: &[u8]) {
    let mut decide = Decide::Bytes(data);
    let function = any_function(&mut decide);
    let mut stage = Stage::new(function, decide.one_of(&BASES));
    for _ in 0..12 {
        if decide.is_over() {
            break;
        }
        let spoil = spoil(&stage, &mut decide);
        apply(&mut stage, spoil);
    }
    if let Err(complaint) = stage.settle() {
        panic!("{complaint}");
    }
}

fn spoil(stage: &Stage, decide: &mut Decide<'_>) -> Spoil {
    let parameters = &stage.case.function.parameters;
    match decide.below(3) {
        0 => {
            let i = decide.below(parameters.len());
            let parameter = &parameters[i];
            Spoil::Argument(
                i,
                match parameter.kind.contains('*') {
                    true if parameter.name == "options" => decide.one_of(&[stage.case.options.as_ptr() as u64, 0, 1]),
                    true => pointer(stage, decide),
                    false => number(decide),
                },
            )
        }
        1 => {
            let i = decide.below(fields().len());
            let field = &fields()[i];
            Spoil::Option(
                i,
                match field.kind.as_str() {
                    "goursat_progress" => 0,
                    "void *" => number(decide),
                    kind if kind.contains('*') => pointer(stage, decide),
                    _ => number(decide),
                },
            )
        }
        _ => {
            let list = decide.one_of(&["x_lengths", "y_lengths", "x_starts", "y_starts"]);
            Spoil::Entry(list, decide.below(16), number(decide) as i64)
        }
    }
}

/// Small, a whole word, or one of those that break careless arithmetic, or its negative.
fn number(decide: &mut Decide<'_>) -> u64 {
    match decide.byte() % 4 {
        0 => decide.byte().into(),
        1 => decide.word(),
        2 => decide.one_of(&NUMBERS),
        _ => decide.one_of(&NUMBERS).wrapping_neg(),
    }
}

fn pointer(stage: &Stage, decide: &mut Decide<'_>) -> u64 {
    let places: Vec<usize> = stage.places().collect();
    let place = decide.one_of(&places) as u64;
    match decide.byte() % 8 {
        0 => 0,
        1 => u64::MAX - u64::from(decide.byte()),
        2 => place + u64::from(decide.byte()),
        _ => place + 8 * u64::from(decide.byte()),
    }
}
