//! Variables of the environment, read without an allocation: where memory is out, a call still ends with a status.

use std::ffi::CStr;

/// What `read` makes of the variable's text; `None` where it is not set or not UTF-8.
#[cfg(unix)]
pub(crate) fn variable<T>(name: &CStr, read: impl FnOnce(&str) -> T) -> Option<T> {
    // SAFETY: the name ends with NUL. The text is read at once: as everywhere in C, a program that changes its
    // environment while other threads run has to see to it itself.
    let text = unsafe {
        let text = libc::getenv(name.as_ptr());
        if text.is_null() {
            return None;
        }
        CStr::from_ptr(text)
    };
    text.to_str().ok().map(read)
}

/// What `read` makes of the variable's text; `None` where it is not set or not UTF-8.
#[cfg(not(unix))]
pub(crate) fn variable<T>(name: &CStr, read: impl FnOnce(&str) -> T) -> Option<T> {
    std::env::var(name.to_str().ok()?).ok().as_deref().map(read)
}
