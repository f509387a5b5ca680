//! Signatures and signature kernels on NVIDIA GPUs, from device addresses: the same functions as [`crate::signature`] and
//! [`crate::kernel`], by the kernels of the folder `kernels`.
//!
//! | file | its idea |
//! |---|---|
//! | `presence`, `driver` | whether there is a driver and what it drives; its answers as results |

mod driver;
mod presence;

use crate::error::{Result, unsupported_error};
use crate::path::{Batch, Layout};
use crate::simd::Real;
use crate::{kernel, signature};
pub use presence::{Info, available, count, device};
use std::marker::PhantomData;

/// Bytes that the address of a workspace is a multiple of.
pub const ALIGNMENT: usize = 256;

/// Numbers on a device, or in host memory where a call copies.
pub struct Numbers<T> {
    name: &'static str,
    address: usize,
    length: usize,
    of: PhantomData<T>,
}

impl<T> Clone for Numbers<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Numbers<T> {}

impl<T> Numbers<T> {
    /// `length` numbers from `address` on; `name` is what errors call them.
    pub fn new(name: &'static str, address: usize, length: usize) -> Self {
        Numbers {
            name,
            address,
            length,
            of: PhantomData,
        }
    }
}

/// A batch of paths on a device; lists of lengths and starts are in host memory.
pub struct Paths<'a, S> {
    shape: Batch<'a, S>,
    numbers: Numbers<S>,
}

impl<'a, S: Real> Paths<'a, S> {
    /// `shape` is (batch, length, dim); `name` is what errors call the batch. See [`Batch::new`].
    pub fn new(name: &str, numbers: Numbers<S>, shape: [usize; 3], layout: Layout<'a>) -> Result<Self> {
        Ok(Paths {
            shape: Batch::shape(name, numbers.length, shape, layout)?,
            numbers,
        })
    }

    pub(crate) fn checked(shape: Batch<'a, S>, numbers: Numbers<S>) -> Self {
        Paths { shape, numbers }
    }
}

/// Where a call's working space is.
pub enum Workspace<'a> {
    /// The library allocates it, in the order of the stream.
    Own,
    /// Address and bytes.
    Given(usize, usize),
    /// Nothing is computed: the bytes that the call needs go here.
    Query(&'a mut usize),
}

/// Where a call runs.
pub struct On<'a> {
    pub device: usize,
    /// A CUstream; 0 is the legacy default stream.
    pub stream: usize,
    /// The buffers are in host memory; the call returns when the results are there.
    pub copied: bool,
    pub workspace: Workspace<'a>,
}

impl On<'_> {
    fn start<T>(&mut self) -> Result<T> {
        device(self.device)?.usable()?;
        unsupported_error!("CUDA devices cannot do it yet")
    }
}

pub unsafe fn signature<S: Real>(
    _: &Paths<'_, S>,
    _: &signature::Options,
    _: Numbers<S>,
    on: &mut On<'_>,
) -> Result<()> {
    on.start()
}

pub unsafe fn signature_backprop<S: Real>(
    _: Numbers<S>,
    _: &Paths<'_, S>,
    _: &signature::Options,
    _: Numbers<S>,
    on: &mut On<'_>,
) -> Result<()> {
    on.start()
}

pub unsafe fn kernel<S: Real>(
    _: &Paths<'_, S>,
    _: &Paths<'_, S>,
    _: &kernel::Options,
    _: Numbers<S>,
    on: &mut On<'_>,
) -> Result<()> {
    on.start()
}

pub unsafe fn kernel_grid<S: Real>(
    _: &Paths<'_, S>,
    _: &Paths<'_, S>,
    _: &kernel::Options,
    _: Numbers<S>,
    on: &mut On<'_>,
) -> Result<()> {
    on.start()
}

pub unsafe fn kernel_backprop<S: Real>(
    _: Numbers<S>,
    _: &Paths<'_, S>,
    _: &Paths<'_, S>,
    _: &kernel::Options,
    _: [Option<Numbers<S>>; 2],
    on: &mut On<'_>,
) -> Result<()> {
    on.start()
}

pub unsafe fn kernel_grid_backprop<S: Real>(
    _: Numbers<S>,
    _: &Paths<'_, S>,
    _: &Paths<'_, S>,
    _: &kernel::Options,
    _: [Option<Numbers<S>>; 2],
    on: &mut On<'_>,
) -> Result<()> {
    on.start()
}

pub unsafe fn gram<S: Real>(
    _: &Paths<'_, S>,
    _: Option<&Paths<'_, S>>,
    _: &kernel::Options,
    _: Numbers<S>,
    on: &mut On<'_>,
) -> Result<()> {
    on.start()
}

pub unsafe fn gram_backprop<S: Real>(
    _: Numbers<S>,
    _: &Paths<'_, S>,
    _: Option<&Paths<'_, S>>,
    _: &kernel::Options,
    _: [Option<Numbers<S>>; 2],
    on: &mut On<'_>,
) -> Result<()> {
    on.start()
}
