//! Signatures and their gradients through the Rust API, against the reference and against what mathematics says.

#[path = "signature/algebra.rs"]
mod algebra;
#[path = "signature/batches.rs"]
mod batches;
#[path = "signature/calls.rs"]
mod calls;
#[path = "signature/helpers.rs"]
mod helpers;
#[path = "support/level.rs"]
mod level;
#[path = "support/runner.rs"]
mod runner;
#[path = "signature/values.rs"]
mod values;

use goursat::simd::Level;

/// Everything above once more at the lesser levels of the machine: in processes of their own, as the level is that of
/// the process.
#[test]
fn every_level() {
    if let Ok(asked) = std::env::var("GOURSAT_SIMD") {
        let asked = if cfg!(target_arch = "aarch64") { "neon" } else { &asked };
        assert_eq!(Level::current().name(), asked);
        return;
    }
    for level in [Level::Portable, Level::Avx2] {
        if level < Level::best() {
            let name = if level == Level::Portable { "portable" } else { "avx2" };
            let tests = std::env::current_exe().unwrap();
            let output = runner::command(tests)
                .env("GOURSAT_SIMD", name)
                .env("GOURSAT_TEST_LEVEL", level.name())
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{name}: {}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
    }
}
