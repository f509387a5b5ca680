//! Status codes, and errors of the crate as status codes.

use crate::error::{Cuda, Error, Sentence};
use goursat_status::*;
use std::ffi::CStr;

/// What a function returns. Values keep their meaning for ever; later versions may add some.
#[allow(non_camel_case_types, clippy::upper_case_acronyms)]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum goursat_status {
    /// Done.
    GOURSAT_OK = 0,
    /// A pointer is NULL where numbers are needed.
    GOURSAT_NULL_POINTER = 1,
    /// A size, an option or an entry of a list is out of range, or sizes are too large together.
    GOURSAT_INVALID_ARGUMENT = 2,
    /// A buffer is not as long as the shapes say.
    GOURSAT_LENGTH_MISMATCH = 3,
    /// A pointer is not a multiple of its type's alignment.
    GOURSAT_MISALIGNED = 4,
    /// An output shares memory with an input or with another output.
    GOURSAT_OVERLAP = 5,
    /// This version, as built or on this machine, cannot do what was asked.
    GOURSAT_UNSUPPORTED = 6,
    /// Working space could not be allocated; the outputs' contents are unspecified.
    GOURSAT_OUT_OF_MEMORY = 7,
    /// The progress callback asked to stop; the outputs' contents are unspecified.
    GOURSAT_CANCELLED = 8,
    /// A fault of the library: please report it. The outputs' contents are unspecified.
    GOURSAT_INTERNAL = 9,
    /// There is no CUDA driver on this machine.
    GOURSAT_CUDA_NO_DRIVER = 10,
    /// There is a CUDA driver, but no device.
    GOURSAT_CUDA_NO_DEVICE = 11,
    /// The CUDA driver is older than the library's kernels.
    GOURSAT_CUDA_OLD_DRIVER = 12,
    /// The device is older than the library's kernels.
    GOURSAT_CUDA_OLD_DEVICE = 13,
    /// The CUDA driver refused; its own name for the reason is in the sentence. The outputs' contents are unspecified.
    GOURSAT_CUDA_ERROR = 14,
    /// The process is the child, by fork, of one that used CUDA, which CUDA does not allow.
    GOURSAT_CUDA_FORKED = 15,
}

/// A status that is not OK, with its sentence.
#[derive(Debug)]
pub(super) struct Failure {
    pub status: goursat_status,
    pub sentence: Sentence,
}

pub(super) type Checked<T> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let sentence = Sentence::new(format_args!("{error}"));
        let status = match error {
            Error::Argument(_) => GOURSAT_INVALID_ARGUMENT,
            Error::Length(_) => GOURSAT_LENGTH_MISMATCH,
            Error::Unsupported(_) => GOURSAT_UNSUPPORTED,
            Error::Memory(_) => GOURSAT_OUT_OF_MEMORY,
            Error::Cancelled => GOURSAT_CANCELLED,
            Error::Internal(_) => GOURSAT_INTERNAL,
            Error::Cuda(Cuda::NoDriver, _) => GOURSAT_CUDA_NO_DRIVER,
            Error::Cuda(Cuda::NoDevice, _) => GOURSAT_CUDA_NO_DEVICE,
            Error::Cuda(Cuda::OldDriver, _) => GOURSAT_CUDA_OLD_DRIVER,
            Error::Cuda(Cuda::OldDevice, _) => GOURSAT_CUDA_OLD_DEVICE,
            Error::Cuda(Cuda::Refused, _) => GOURSAT_CUDA_ERROR,
            Error::Cuda(Cuda::Forked, _) => GOURSAT_CUDA_FORKED,
        };
        Failure { status, sentence }
    }
}

/// Returns the failure of this status with a formatted sentence.
macro_rules! fail {
    ($status:ident, $($text:tt)*) => {
        return Err($crate::ffi::status::Failure {
            status: $crate::ffi::status::goursat_status::$status,
            sentence: $crate::error::Sentence::new(format_args!($($text)*)),
        })
    };
}
pub(super) use fail;

pub(super) fn name(status: i32) -> &'static CStr {
    const NAMES: [(goursat_status, &CStr); 16] = [
        (GOURSAT_OK, c"GOURSAT_OK"),
        (GOURSAT_NULL_POINTER, c"GOURSAT_NULL_POINTER"),
        (GOURSAT_INVALID_ARGUMENT, c"GOURSAT_INVALID_ARGUMENT"),
        (GOURSAT_LENGTH_MISMATCH, c"GOURSAT_LENGTH_MISMATCH"),
        (GOURSAT_MISALIGNED, c"GOURSAT_MISALIGNED"),
        (GOURSAT_OVERLAP, c"GOURSAT_OVERLAP"),
        (GOURSAT_UNSUPPORTED, c"GOURSAT_UNSUPPORTED"),
        (GOURSAT_OUT_OF_MEMORY, c"GOURSAT_OUT_OF_MEMORY"),
        (GOURSAT_CANCELLED, c"GOURSAT_CANCELLED"),
        (GOURSAT_INTERNAL, c"GOURSAT_INTERNAL"),
        (GOURSAT_CUDA_NO_DRIVER, c"GOURSAT_CUDA_NO_DRIVER"),
        (GOURSAT_CUDA_NO_DEVICE, c"GOURSAT_CUDA_NO_DEVICE"),
        (GOURSAT_CUDA_OLD_DRIVER, c"GOURSAT_CUDA_OLD_DRIVER"),
        (GOURSAT_CUDA_OLD_DEVICE, c"GOURSAT_CUDA_OLD_DEVICE"),
        (GOURSAT_CUDA_ERROR, c"GOURSAT_CUDA_ERROR"),
        (GOURSAT_CUDA_FORKED, c"GOURSAT_CUDA_FORKED"),
    ];
    let known = NAMES.iter().find(|(code, _)| *code as i32 == status);
    known.map_or(c"unknown status", |(_, name)| name)
}
