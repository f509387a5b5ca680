//! That a SIMD level was really tested: who computed at which level, and on how many lanes, is written down where
//! `make test-levels` looks for it.
#![allow(dead_code)] // each test uses its share

use goursat::simd::{Level, lanes};
use std::io::Write;
use std::sync::Once;

/// Vectors of a level, in numbers of f64 and f32: what a wrong dispatch would change.
pub fn width(level: Level) -> (usize, usize) {
    match level {
        Level::Avx512 => (8, 16),
        Level::Avx2 => (4, 8),
        Level::Portable => (2, 4),
    }
}

/// Called by tests that compute: fails if the level is not the one that `GOURSAT_TEST_LEVEL` names or if its vectors are
/// not its own, and appends "level test" to the file that `GOURSAT_TEST_LEVEL_LOG` names.
pub fn note() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let level = Level::current();
        assert_eq!(
            (lanes::<f64>(), lanes::<f32>()),
            width(level),
            "lanes of {}",
            level.name()
        );
        if let Ok(expected) = std::env::var("GOURSAT_TEST_LEVEL") {
            assert_eq!(level.name(), expected, "the level that runs, and GOURSAT_TEST_LEVEL");
        }
        let Some(log) = std::env::var_os("GOURSAT_TEST_LEVEL_LOG") else {
            return;
        };
        let program = std::env::current_exe().unwrap();
        let stem = program.file_stem().unwrap().to_str().unwrap();
        // Cargo adds a hash to the name of the test.
        let test = stem.rsplit_once('-').map_or(stem, |(test, _)| test);
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&log)
            .unwrap();
        file.write_all(format!("{} {test}\n", level.name()).as_bytes()).unwrap(); // one write: tests run side by side
    });
}
