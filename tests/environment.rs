//! The caller's floating-point environment: its rounding mode, flush-to-zero, exception flags and traps. Rust knows no
//! other than the default one, so the caller is a program in C.
#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

#[path = "support/c.rs"]
mod c;
#[path = "support/level.rs"]
mod level;

use goursat::simd::Level;

#[test]
fn no_environment_changes_a_bit() {
    level::note();
    let told = c::run_well("environment.c", c::Language::C99, c::Library::Static);
    assert!(told.starts_with(Level::current().name()), "{told}");
    println!("{told}");
}
