//! Programs that tests start, on the machine that the tests themselves run on: an emulated one is not inherited.

use std::ffi::OsStr;
use std::process::Command;

/// Starts `program` by what `GOURSAT_TEST_RUNNER` says, such as "qemu-x86_64-static -cpu Nehalem"; by itself without.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let runner = std::env::var("GOURSAT_TEST_RUNNER").unwrap_or_default();
    let mut words = runner.split_whitespace();
    let Some(first) = words.next() else {
        return Command::new(program);
    };
    let mut command = Command::new(first);
    command.args(words).arg(program);
    command
}
