//! What the library says about itself and about errors.

use super::guard::with_last;
use super::status;
use crate::parallel;
use crate::simd::Level;
use std::ffi::{CStr, c_char};

/// The library's version, such as "0.1.0"; compare with GOURSAT_VERSION of the header.
#[unsafe(no_mangle)]
pub extern "C" fn goursat_version() -> *const c_char {
    const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => unreachable!(),
    };
    VERSION.as_ptr()
}

/// The library's version as 10000 * major + 100 * minor + patch; compare with GOURSAT_VERSION_NUMBER of the header.
#[unsafe(no_mangle)]
pub extern "C" fn goursat_version_number() -> u32 {
    const PARTS: [&str; 3] = [
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    ];
    PARTS
        .iter()
        .fold(0, |number, part| 100 * number + part.parse().unwrap_or(0))
}

/// The instruction set in use: "avx512", "avx2", "neon" or "portable". It is the machine's best, or what the
/// environment variable GOURSAT_SIMD names if that is less. Chosen at first use.
#[unsafe(no_mangle)]
pub extern "C" fn goursat_simd_level() -> *const c_char {
    let name = match Level::current().name() {
        "avx512" => c"avx512",
        "avx2" => c"avx2",
        "neon" => c"neon",
        _ => c"portable",
    };
    name.as_ptr()
}

/// Threads of a call whose options do not say: the environment variable GOURSAT_NUM_THREADS at first use, or the cores
/// that this process may use.
#[unsafe(no_mangle)]
pub extern "C" fn goursat_default_threads() -> i32 {
    i32::try_from(parallel::default_threads()).unwrap_or(i32::MAX)
}

/// The name of a status, such as "GOURSAT_OVERLAP"; "unknown status" for any other number. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn goursat_status_name(status: i32) -> *const c_char {
    status::name(status).as_ptr()
}

/// Copies the sentence of the calling thread's last failed call to `buffer`: function, argument, value, what was
/// expected; empty if none failed. A call that succeeds leaves it alone.
///
/// @param buffer  Where it goes, as UTF-8; may be NULL to ask for the size.
/// @param length  Bytes in `buffer`. If there are any, a NUL ends what was copied; GOURSAT_MESSAGE_SIZE always suffice.
/// @return Bytes that the whole sentence and its NUL need.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_last_error(buffer: *mut c_char, length: usize) -> usize {
    with_last(|parts| {
        let needed = parts.iter().map(|part| part.len()).sum::<usize>() + 1;
        if buffer.is_null() || length == 0 {
            return needed;
        }
        let mut written = 0;
        for part in parts {
            let mut cut = part.len().min(length - 1 - written);
            while !part.is_char_boundary(cut) {
                cut -= 1;
            }
            // SAFETY: `written + cut` stays below `length`, of which the caller promised room; the sentence is a copy
            // on this thread's stack or constant, so it cannot overlap.
            unsafe {
                buffer
                    .cast::<u8>()
                    .add(written)
                    .copy_from_nonoverlapping(part.as_ptr(), cut)
            };
            written += cut;
            if cut < part.len() {
                break;
            }
        }
        // SAFETY: as above, `written` is below `length`.
        unsafe { buffer.add(written).write(0) };
        needed
    })
}
