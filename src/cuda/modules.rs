//! The kernels' PTX, given to the driver kernel by kernel when they are first used: assembling all of it takes the driver
//! long, a call needs a few.

use super::driver::check;
use super::guard::{Device, lock};
use crate::error::{Error, Result, Sentence};
use cudarc::driver::sys;
use std::ffi::CString;
use std::ptr;

const SOURCES: [&str; 6] = [
    include_str!("../../kernels/increments.ptx"),
    include_str!("../../kernels/transforms.ptx"),
    include_str!("../../kernels/sigkernel_forward.ptx"),
    include_str!("../../kernels/sigkernel_tensor.ptx"),
    include_str!("../../kernels/sigkernel_backward.ptx"),
    include_str!("../../kernels/signature.ptx"),
];

/// A kernel that is ready on a device.
#[derive(Clone, Copy)]
pub(super) struct Function(pub sys::CUfunction);

// SAFETY: a handle, usable on any thread on which its context is current.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

const ENTRY: &str = ".visible .entry ";

/// The PTX of one kernel: what a file begins with, its constants aside, which only the compiler needed, and its own part.
pub(super) fn ptx(name: &str) -> Option<String> {
    let begins = format!("{ENTRY}{name}(");
    let (source, at) = SOURCES
        .iter()
        .find_map(|source| Some((source, source.find(&begins)?)))?;
    let head = &source[..source.find(ENTRY)?];
    let body = &source[at..];
    let end = body[ENTRY.len()..]
        .find(ENTRY)
        .map_or(body.len(), |end| end + ENTRY.len());
    let kept = head.lines().filter(|line| !line.starts_with(".global"));
    let mut text: String = kept.flat_map(|line| [line, "\n"]).collect();
    text.push_str(&body[..end]);
    Some(text)
}

impl Device {
    /// A kernel by name; its context is current.
    pub fn function(&self, name: &str) -> Result<Function> {
        let mut functions = lock(&self.functions);
        if let Some(function) = functions.get(name) {
            return Ok(*function);
        }
        let internal = || Error::Internal(Sentence::new(format_args!("no kernel {name}")));
        let text = ptx(name)
            .and_then(|text| CString::new(text).ok())
            .ok_or_else(internal)?;
        let symbol = CString::new(name).map_err(|_| internal())?;
        let mut module = ptr::null_mut();
        // SAFETY: NUL-terminated PTX.
        check("cuModuleLoadData", unsafe {
            sys::cuModuleLoadData(&mut module, text.as_ptr().cast())
        })?;
        let mut function = ptr::null_mut();
        // SAFETY: a module just loaded, a NUL-terminated name.
        let found = check("cuModuleGetFunction", unsafe {
            sys::cuModuleGetFunction(&mut function, module, symbol.as_ptr())
        });
        if let Err(error) = found {
            // SAFETY: nothing of it is in use.
            let _ = unsafe { sys::cuModuleUnload(module) };
            return Err(error);
        }
        functions.insert(name.to_owned(), Function(function));
        Ok(Function(function))
    }
}
