//! What the linker must know about the shared library. It reads nothing and writes nothing.

use std::env::var;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=GOURSAT_TARGET={}", var("TARGET").unwrap_or_default());
    if var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // The number after `so` is that of the binary interface: it changes when an old program would break.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libgoursat.so.0");
        // The threads of the pool sleep inside the library: `dlclose` must not take their code away.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
