//! Every argument, every field of the options and every entry of a list, spoilt one at a time and several at once, for
//! every function. `support/contract` says which of these calls are legal and what is wrong with the others: the
//! library must agree, name what is wrong, and leave all memory alone.

#[path = "support/contract/mod.rs"]
mod contract;

use contract::case::{fields, options_size};
use contract::entries::{ANSWERS, ENTRIES};
use contract::header::{enums, option_fields, prototypes};
use contract::random::Decide;
use contract::rules::{FLAGS, OPTIONS};
use contract::stage::{BASES, Base, Settled, Spoil, Stage, apply, spoils};
use contract::verdict::{Verdict, verdict};
use contract::{functions, last_error};
use goursat::ffi::goursat_status::GOURSAT_OUT_OF_MEMORY;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, c_char};

/// What became of the calls of a test.
#[derive(Default, Debug)]
struct Tally {
    refused: usize,
    legal: usize,
    device: usize,
    /// Not called: right by their words, about memory that is not there.
    lies: usize,
    /// Not called: legal and too long.
    long: usize,
    statuses: BTreeMap<i32, usize>,
}

impl Tally {
    /// Calls what is on the stage, if it may be, and judges the answer.
    fn call(&mut self, stage: &mut Stage, told: &dyn Fn() -> String) {
        let settled = stage
            .settle()
            .unwrap_or_else(|complaint| panic!("{}: {complaint}", told()));
        match settled {
            Settled::Lie => self.lies += 1,
            Settled::Long => self.long += 1,
            Settled::Called(verdict, status) => {
                assert_ne!(
                    status,
                    GOURSAT_OUT_OF_MEMORY as i32,
                    "{}: {}",
                    told(),
                    stage.case.describe()
                );
                *self.statuses.entry(status).or_default() += 1;
                *match verdict {
                    Verdict::Legal(_) => &mut self.legal,
                    Verdict::Device => &mut self.device,
                    _ => &mut self.refused,
                } += 1;
            }
        }
    }

    fn print(&self, what: &str) {
        let calls = self.refused + self.legal + self.device;
        println!("{what}: {calls} calls, {self:?}");
    }
}

#[test]
fn no_function_and_no_option_is_forgotten() {
    let listed: BTreeSet<String> = ENTRIES
        .iter()
        .chain(ANSWERS)
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let exported: BTreeSet<String> = prototypes().into_iter().map(|one| one.name).collect();
    assert_eq!(exported, listed, "tests/support/entries.rs");
    let names: BTreeSet<String> = option_fields().into_iter().map(|field| field.name).collect();
    let known = BTreeSet::from(OPTIONS.map(str::to_owned));
    assert_eq!(names, known, "OPTIONS and check_options of tests/support/contract");
    assert_eq!(options_size(), size_of::<goursat::ffi::Options>());
}

#[test]
fn right_calls_are_legal() {
    let mut tally = Tally::default();
    for function in functions() {
        for base in BASES {
            let mut stage = Stage::new(function, base);
            assert!(
                matches!(verdict(&stage.case), Verdict::Legal(_)),
                "{:?}: {}",
                verdict(&stage.case),
                stage.case.describe()
            );
            tally.call(&mut stage, &|| format!("{base:?}"));
        }
    }
    assert_eq!(tally.legal, functions().len() * BASES.len());
}

/// Each argument, field and entry alone.
#[test]
fn one_thing_wrong() {
    let mut tally = Tally::default();
    for function in functions() {
        for base in BASES {
            let right = Stage::new(function, base);
            let mut stage = Stage::new(function, base);
            let options = base != Base::Null; // without them none can be wrong
            for spoil in spoils(&right)
                .into_iter()
                .filter(|spoil| options || matches!(spoil, Spoil::Argument(..)))
            {
                spoil_and_call(&mut tally, &mut stage, &right, &[spoil], base);
            }
        }
    }
    tally.print("one thing wrong");
    assert!(tally.refused > 200_000 && tally.legal > 10_000, "{tally:?}");
    // Every status that arguments can have was seen.
    assert!((0..=6).all(|status| tally.statuses.contains_key(&status)), "{tally:?}");
}

/// Addresses of the spoils are those of the stage that they were made for.
fn spoil_and_call(tally: &mut Tally, stage: &mut Stage, right: &Stage, spoils: &[Spoil], base: Base) {
    let moved = |word: u64| {
        let (from, to) = (right.places().next(), stage.places().next());
        let (Some(from), Some(to)) = (from, to) else {
            return word;
        };
        let end = right.places().last().unwrap() + 4096;
        let inside = (from.saturating_sub(4096)..end).contains(&(word as usize));
        if inside {
            word.wrapping_sub(from as u64).wrapping_add(to as u64)
        } else {
            word
        }
    };
    let moved: Vec<Spoil> = spoils
        .iter()
        .map(|spoil| match *spoil {
            Spoil::Argument(i, word) => Spoil::Argument(i, moved(word)),
            Spoil::Option(i, bits) => Spoil::Option(i, moved(bits)),
            entry => entry,
        })
        .collect();
    let (words, options) = (stage.case.words.clone(), stage.case.options.clone());
    let mut entries = Vec::new();
    for spoil in &moved {
        if let Spoil::Entry(list, i, _) = *spoil {
            entries.push((list, i, stage.entry(list, i)));
        }
        apply(stage, *spoil);
    }
    tally.call(stage, &|| format!("{base:?}, {spoils:?}"));
    stage.case.words = words;
    stage.case.options.copy_from_slice(&options[..]);
    for (list, i, value) in entries.into_iter().rev() {
        stage.set_entry(list, i, value);
    }
}

/// Two to four things at once, by a seeded generator.
#[test]
fn several_things_wrong() {
    let mut tally = Tally::default();
    let mut decide = Decide::Seed(20260509);
    for function in functions() {
        for base in BASES {
            let right = Stage::new(function, base);
            let mut stage = Stage::new(function, base);
            let all = spoils(&right);
            // Sizes of the options are so many that they would be most of the mixture.
            let few: Vec<Spoil> = all
                .into_iter()
                .enumerate()
                .filter(|(i, spoil)| !matches!(spoil, Spoil::Option(0, _)) || i % 64 == 0)
                .map(|(_, spoil)| spoil)
                .collect();
            for _ in 0..4000 {
                let count = 2 + decide.below(3);
                let chosen: Vec<Spoil> = (0..count).map(|_| decide.one_of(&few)).collect();
                spoil_and_call(&mut tally, &mut stage, &right, &chosen, base);
            }
        }
    }
    tally.print("several things wrong");
    assert!(tally.refused > 200_000, "{tally:?}");
}

/// All pairs of the 64 flags.
#[test]
fn flags_alone_and_in_pairs() {
    let mut tally = Tally::default();
    for function in functions() {
        let mut stage = Stage::new(function, Base::Plain);
        for high in 0..64 {
            for low in 0..=high {
                stage.case.option("flags", 1 << high | 1 << low);
                tally.call(&mut stage, &|| format!("flags {low} and {high}"));
            }
        }
        let known = FLAGS.iter().fold(0, |all, (flag, _)| all | flag);
        for flags in 0..=known {
            stage.case.option("flags", flags);
            tally.call(&mut stage, &|| format!("flags {flags:#x}"));
        }
    }
    tally.print("flags");
    assert!(tally.refused > 2000 * functions().len(), "{tally:?}");
}

/// Options of every length with one byte that is not zero, known to this version or not.
#[test]
fn short_long_and_dirty_options() {
    let mut tally = Tally::default();
    let end = options_size();
    for function in functions() {
        let mut stage = Stage::new(function, Base::Plain);
        for size in (8..=2 * end).chain([4088, 4096]) {
            for dirty in (8..size + 16)
                .step_by(if size % 8 == 0 { 4 } else { 64 })
                .filter(|at| *at < 4096)
            {
                let clean = stage.case.options.clone();
                stage.case.options[0] = size as u64;
                stage.case.options[dirty / 8] |= 0x80 << (8 * (dirty % 8));
                // What would point somewhere and is no callback: the judge knows; a callback must be right.
                let progress = fields().iter().find(|field| field.name == "progress").unwrap();
                if dirty / 8 != progress.at / 8 {
                    tally.call(&mut stage, &|| format!("size {size}, byte {dirty}"));
                }
                stage.case.options.copy_from_slice(&clean[..]);
            }
        }
    }
    tally.print("short, long and dirty options");
    assert!(tally.refused > 50_000 && tally.legal > 1000, "{tally:?}");
}

/// Functions without paths: any number, NULL, misaligned, and buffers as short as they may be.
#[test]
fn answers_to_anything() {
    let statuses: BTreeSet<i32> = enums()[0].members.iter().map(|one| one.kind.parse().unwrap()).collect();
    let mut calls = 0;
    for (name, entry) in ANSWERS {
        let prototype = prototypes().into_iter().find(|one| one.name == *name).unwrap();
        let mut room = vec![0xA5u8; 8192];
        let begin = (room.as_mut_ptr() as usize).next_multiple_of(8);
        let is_buffer = |i: usize| prototype.parameters[i].kind.contains('*');
        let numbers = contract::stage::NUMBERS.map(|word| word as usize);
        let pointers = [0, begin, begin + 1, begin + 2, begin + 3, begin + 4, begin + 5];
        let choices: Vec<Vec<usize>> = (0..prototype.parameters.len())
            .map(|i| {
                if is_buffer(i) {
                    pointers.to_vec()
                } else {
                    numbers.to_vec()
                }
            })
            .collect();
        let combinations = choices.iter().fold(vec![Vec::new()], |all: Vec<Vec<usize>>, choice| {
            let longer = |start: &Vec<usize>| {
                choice
                    .iter()
                    .map(move |&word| [&start[..], &[word]].concat())
                    .collect::<Vec<_>>()
            };
            all.iter().flat_map(longer).collect()
        });
        for words in combinations {
            // A length of more than there is: a lie, but with NULL.
            let lies = *name == "goursat_last_error" && words[0] != 0 && words[1] > 4096;
            if lies {
                continue;
            }
            // A struct's first field is its size, whatever it says.
            for size in [0, 1, 295, 296, 304, 4096, usize::MAX] {
                // SAFETY: aligned, inside the room.
                unsafe { (begin as *mut usize).write(size) };
                let result = entry(&words);
                calls += 1;
                match prototype.result.as_str() {
                    // SAFETY: the promise that is tested: a text that ends.
                    "const char *" => assert!(!unsafe { CStr::from_ptr(result as *const c_char) }.is_empty()),
                    "int32_t" if name.contains("cuda") => {
                        assert!(statuses.contains(&(result as i32)), "{name}{words:?}: {result}");
                        let bad = (0..words.len()).any(|i| is_buffer(i) && (words[i] == 0 || words[i] % 4 != 0));
                        assert!(!bad || matches!(result, 1 | 4), "{name}{words:?}: {result}");
                        assert!(
                            result == 0 || last_error().starts_with(&format!("{name}: ")),
                            "{name}{words:?}"
                        );
                    }
                    "int32_t" | "uint32_t" => assert!(result as i32 > 0, "{name}{words:?}"),
                    "size_t" => assert!((1..=384).contains(&result), "{name}{words:?}: {result}"),
                    other => panic!("{name} returns {other}: how is it judged?"),
                }
                if *name == "goursat_last_error" && words[0] != 0 {
                    let beyond = words[0] - (room.as_ptr() as usize) + result.min(words[1]).max(8);
                    assert!(room[beyond + 8..].iter().all(|byte| *byte == 0xA5), "{name}{words:?}");
                    room.fill(0xA5);
                }
            }
        }
    }
    println!("answers: {calls} calls");
    assert!(calls > 3000, "{calls}");
}
