//! The driver's answers as results.

use super::presence::fail;
use crate::error::{Cuda, Result};
use cudarc::driver::sys::{self, CUresult};
use std::ffi::{CStr, c_char};
use std::ptr;

/// The driver's name for a status and its text, in its own memory for ever.
fn told(by: unsafe fn(CUresult, *mut *const c_char) -> CUresult, status: CUresult) -> &'static str {
    let mut text = ptr::null();
    // SAFETY: only called once the driver is known to have these two functions.
    if unsafe { by(status, &mut text) } != CUresult::CUDA_SUCCESS || text.is_null() {
        return "unknown";
    }
    // SAFETY: the driver gives NUL-terminated constants.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or("unknown")
}

/// An error with the driver's own words unless `status` is success.
pub(super) fn check(function: &str, status: CUresult) -> Result<()> {
    if status == CUresult::CUDA_SUCCESS {
        return Ok(());
    }
    let (name, text) = (told(sys::cuGetErrorName, status), told(sys::cuGetErrorString, status));
    fail(Cuda::Refused, format_args!("{function} failed with {name}: {text}"))
}
