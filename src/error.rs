//! What can go wrong, each with a sentence that names the argument, its value and what was expected.

use std::any::Any;
use std::fmt::{self, Display, Write};

pub type Result<T> = std::result::Result<T, Error>;

/// Why a call did nothing, or did not finish.
///
/// After [`Error::Argument`], [`Error::Length`] and [`Error::Unsupported`] every output is as it was before the call;
/// after the others what outputs hold is unspecified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// An argument is wrong.
    Argument(Sentence),
    /// A buffer is not as long as it must be.
    Length(Sentence),
    /// The library, as built or on this machine, cannot do what was asked.
    Unsupported(Sentence),
    /// Memory could not be had for this many bytes of scratch.
    Memory(usize),
    /// The progress callback asked to stop.
    Cancelled,
    /// CUDA is not there, or refused.
    Cuda(Cuda, Sentence),
    /// A fault of the library itself: please report it.
    Internal(Sentence),
}

/// What is wrong with CUDA. After all but [`Cuda::Refused`] every output is as it was before the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cuda {
    /// There is no driver on this machine.
    NoDriver,
    /// There is a driver, but no device.
    NoDevice,
    /// The driver is older than the kernels.
    OldDriver,
    /// The device is older than the kernels.
    OldDevice,
    /// The driver said no.
    Refused,
    /// This process is the child of one that used CUDA.
    Forked,
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Argument(sentence) | Error::Length(sentence) | Error::Unsupported(sentence) => {
                f.write_str(sentence.as_str())
            }
            Error::Cuda(_, sentence) => f.write_str(sentence.as_str()),
            Error::Memory(bytes) => write!(f, "not enough memory for {bytes} bytes of working space"),
            Error::Cancelled => f.write_str("cancelled by the progress callback"),
            Error::Internal(sentence) => write!(f, "internal fault, please report it: {}", sentence.as_str()),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// The fault that a caught panic tells of.
    pub(crate) fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Error::Internal(Sentence::new(format_args!("{}", text.unwrap_or("a panic"))))
    }
}

/// A short text without an allocation, so that an error can be told when memory is out. Longer ones are cut.
#[derive(Clone, PartialEq, Eq)]
pub struct Sentence {
    bytes: [u8; Sentence::CAPACITY],
    length: usize,
}

impl Sentence {
    pub const CAPACITY: usize = 248;

    pub fn new(text: fmt::Arguments<'_>) -> Self {
        let mut sentence = Sentence {
            bytes: [0; Self::CAPACITY],
            length: 0,
        };
        // `write_str` below never fails.
        let _ = sentence.write_fmt(text);
        sentence
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }
}

impl Write for Sentence {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut room = (Self::CAPACITY - self.length).min(text.len());
        while !text.is_char_boundary(room) {
            room -= 1;
        }
        self.bytes[self.length..self.length + room].copy_from_slice(&text.as_bytes()[..room]);
        self.length += room;
        Ok(())
    }
}

impl fmt::Debug for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Returns `Err(Error::Argument(…))` with a formatted sentence.
macro_rules! argument_error {
    ($($text:tt)*) => {
        return Err($crate::error::Error::Argument($crate::error::Sentence::new(format_args!($($text)*))))
    };
}
pub(crate) use argument_error;

/// Returns `Err(Error::Unsupported(…))` with a formatted sentence.
macro_rules! unsupported_error {
    ($($text:tt)*) => {
        return Err($crate::error::Error::Unsupported($crate::error::Sentence::new(format_args!($($text)*))))
    };
}
pub(crate) use unsupported_error;

/// Returns `Err(Error::Length(…))` with a formatted sentence.
macro_rules! length_error {
    ($($text:tt)*) => {
        return Err($crate::error::Error::Length($crate::error::Sentence::new(format_args!($($text)*))))
    };
}
pub(crate) use length_error;
