//! Signatures and signature kernels on NVIDIA GPUs, from device addresses: the same functions as [`crate::signature`] and
//! [`crate::kernel`], by the kernels of the folder `kernels`. Sizes are checked as they are there; that addresses are those
//! of as many numbers, nobody can check: hence `unsafe`.
//!
//! Work goes into the caller's stream and is not waited for. Lists of lengths and starts are read before a call returns.
//!
//! | file | its idea |
//! |---|---|
//! | `presence`, `driver` | whether there is a driver and what it drives; its answers as results |
//! | `guard` | devices in use, the caller's current context put back |
//! | `modules`, `instances` | kernels given to the driver when they are first used; which of them does a call |
//! | `args`, `launch` | what kernels are given, and how; memory in the order of a stream |
//! | `space`, `call` | where what lies in a workspace; how a call goes |
//! | `sides`, `pairs`, `words`, `transforms` | the plans: batches, signature kernels, signatures, transforms alone |

mod args;
mod call;
mod driver;
mod guard;
mod instances;
mod launch;
mod modules;
mod pairs;
mod presence;
mod sides;
mod space;
mod transforms;
mod words;

use crate::error::{Result, argument_error, length_error};
use crate::path::{Batch, Gradient, Layout};
use crate::simd::Real;
use crate::{kernel, signature};
use call::{Buffer, Role, work};
use pairs::{PairsJob, Wanted};
pub use presence::{Info, available, count, device};
use std::marker::PhantomData;
use transforms::TransformJob;
pub use transforms::Which;
use words::{WordsJob, WordsWanted};

/// Bytes that the address of a workspace is a multiple of.
pub const ALIGNMENT: usize = 256;

/// A precision that the kernels have.
pub trait Number: Real {
    /// How the kernels' names end.
    const SUFFIX: &'static str;

    /// The name of a kernel in this precision.
    fn kernel(what: &str) -> String {
        format!("{what}_{}", Self::SUFFIX)
    }
}

impl Number for f32 {
    const SUFFIX: &'static str = "f32";
}

impl Number for f64 {
    const SUFFIX: &'static str = "f64";
}

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

    fn buffer(&self, role: Role) -> Buffer {
        Buffer {
            name: self.name,
            address: self.address,
            bytes: self.length * size_of::<T>(),
            role,
        }
    }

    fn check(&self, expected: Option<usize>) -> Result<()> {
        match expected {
            Some(expected) if expected == self.length => Ok(()),
            Some(expected) => length_error!("{}_len is {}; expected {expected}", self.name, self.length),
            None => argument_error!("{} has more elements than can be counted", self.name),
        }
    }
}

/// A batch of paths on a device; lists of lengths and starts are in host memory.
#[derive(Clone, Copy)]
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

    fn at(&self, address: u64) -> Self {
        let address = address as usize;
        let numbers = Numbers {
            address,
            ..self.numbers
        };
        Paths { numbers, ..*self }
    }

    /// What is done to a buffer for its gradient: with starts, what lies between paths stays.
    fn gradient(&self, to: &Numbers<S>) -> Result<Buffer> {
        Gradient::check(to.name, to.length, &self.shape)?;
        let packed = self.shape.layout().starts.is_some();
        Ok(to.buffer(if packed { Role::Updated } else { Role::Written }))
    }
}

/// Where a call's working space is.
pub enum Workspace<'a> {
    /// The library allocates it, in the order of the stream.
    Own,
    /// Address, a multiple of [`ALIGNMENT`], and bytes.
    Given(usize, usize),
    /// Nothing is computed: the bytes that the call needs go here.
    Query(&'a mut usize),
}

/// Where a call runs.
pub struct On<'a> {
    pub device: usize,
    /// A CUstream; 0 is the legacy default stream. Not used where a call copies.
    pub stream: usize,
    /// The buffers are in host memory; the call returns when the results are there. It finds its own workspace.
    pub copied: bool,
    pub workspace: Workspace<'a>,
}

/// Signatures of a batch: `out` is (batch, length), as in [`signature::signature`].
///
/// # Safety
/// Buffers are memory of the device (of the host where the call copies) with as many numbers as they say, and nobody else
/// touches them until the stream has done the work; the stream is one of the device.
pub unsafe fn signature<S: Number>(
    paths: &Paths<'_, S>,
    asked: &signature::Options,
    out: Numbers<S>,
    on: &mut On<'_>,
) -> Result<()> {
    out.check(asked.length(paths.shape.dim())?.checked_mul(paths.shape.batch()))?;
    let buffers = [paths.numbers.buffer(Role::Read), out.buffer(Role::Written)];
    work(on, &buffers, |at| WordsJob {
        paths: paths.at(at[0]),
        asked: *asked,
        wanted: WordsWanted::Values(at[1]),
    })
}

/// Gradients with respect to the paths, given `grad` = ∂F/∂signature, as in [`signature::signature_backprop`].
///
/// # Safety
/// As [`signature()`].
pub unsafe fn signature_backprop<S: Number>(
    grad: Numbers<S>,
    paths: &Paths<'_, S>,
    asked: &signature::Options,
    gradient: Numbers<S>,
    on: &mut On<'_>,
) -> Result<()> {
    grad.check(asked.length(paths.shape.dim())?.checked_mul(paths.shape.batch()))?;
    let buffers = [
        grad.buffer(Role::Read),
        paths.numbers.buffer(Role::Read),
        paths.gradient(&gradient)?,
    ];
    work(on, &buffers, |at| WordsJob {
        paths: paths.at(at[1]),
        asked: *asked,
        wanted: WordsWanted::Gradient(at[0], at[2]),
    })
}

/// Kernels of the pairs (x_b, y_b), as in [`kernel::kernel`].
///
/// # Safety
/// As [`signature()`].
pub unsafe fn kernel<S: Number>(
    x: &Paths<'_, S>,
    y: &Paths<'_, S>,
    asked: &kernel::Options,
    out: Numbers<S>,
    on: &mut On<'_>,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { Of::pairs(x, y, false).values(asked, out, on) }
}

/// Solution grids of the pairs, as in [`kernel::kernel_grid`].
///
/// # Safety
/// As [`signature()`].
pub unsafe fn kernel_grid<S: Number>(
    x: &Paths<'_, S>,
    y: &Paths<'_, S>,
    asked: &kernel::Options,
    out: Numbers<S>,
    on: &mut On<'_>,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { Of::pairs(x, y, true).values(asked, out, on) }
}

/// Gradients of Σ grad_b k(x_b, y_b) with respect to x and y; `None` is not wanted.
///
/// # Safety
/// As [`signature()`].
pub unsafe fn kernel_backprop<S: Number>(
    grad: Numbers<S>,
    x: &Paths<'_, S>,
    y: &Paths<'_, S>,
    asked: &kernel::Options,
    to: [Option<Numbers<S>>; 2],
    on: &mut On<'_>,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { Of::pairs(x, y, false).gradients(grad, asked, to, on) }
}

/// The same of Σ grad · grid, as in [`kernel::kernel_grid_backprop`].
///
/// # Safety
/// As [`signature()`].
pub unsafe fn kernel_grid_backprop<S: Number>(
    grad: Numbers<S>,
    x: &Paths<'_, S>,
    y: &Paths<'_, S>,
    asked: &kernel::Options,
    to: [Option<Numbers<S>>; 2],
    on: &mut On<'_>,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { Of::pairs(x, y, true).gradients(grad, asked, to, on) }
}

/// Kernels of all pairs, as in [`kernel::gram`]; without `y` of x with itself.
///
/// # Safety
/// As [`signature()`].
pub unsafe fn gram<S: Number>(
    x: &Paths<'_, S>,
    y: Option<&Paths<'_, S>>,
    asked: &kernel::Options,
    out: Numbers<S>,
    on: &mut On<'_>,
) -> Result<()> {
    let (gram, grid) = (true, false);
    // SAFETY: the caller's promise.
    unsafe { Of { x, y, gram, grid }.values(asked, out, on) }
}

/// Gradients of Σ grad_ij k(x_i, y_j), as in [`kernel::gram_backprop`].
///
/// # Safety
/// As [`signature()`].
pub unsafe fn gram_backprop<S: Number>(
    grad: Numbers<S>,
    x: &Paths<'_, S>,
    y: Option<&Paths<'_, S>>,
    asked: &kernel::Options,
    to: [Option<Numbers<S>>; 2],
    on: &mut On<'_>,
) -> Result<()> {
    let (gram, grid) = (true, false);
    // SAFETY: the caller's promise.
    unsafe { Of { x, y, gram, grid }.gradients(grad, asked, to, on) }
}

/// Transformed paths, contiguous: as in [`crate::path`].
///
/// # Safety
/// As [`signature()`].
pub unsafe fn transform<S: Number>(paths: &Paths<'_, S>, which: Which, out: Numbers<S>, on: &mut On<'_>) -> Result<()> {
    let shape = &paths.shape;
    let each = which.numbers(shape.length(), shape.dim());
    out.check(each.and_then(|each| each.checked_mul(shape.batch())))?;
    let buffers = [paths.numbers.buffer(Role::Read), out.buffer(Role::Written)];
    work(on, &buffers, |at| TransformJob {
        paths: *paths,
        which,
        back: false,
        given: at[0],
        result: at[1],
    })
}

/// The adjoint of [`transform`]: of `paths` only the shape and the lists matter.
///
/// # Safety
/// As [`signature()`].
pub unsafe fn transform_backprop<S: Number>(
    grad: Numbers<S>,
    paths: &Paths<'_, S>,
    which: Which,
    gradient: Numbers<S>,
    on: &mut On<'_>,
) -> Result<()> {
    let shape = &paths.shape;
    let each = which.numbers(shape.length(), shape.dim());
    grad.check(each.and_then(|each| each.checked_mul(shape.batch())))?;
    let buffers = [grad.buffer(Role::Read), paths.gradient(&gradient)?];
    work(on, &buffers, |at| TransformJob {
        paths: *paths,
        which,
        back: true,
        given: at[0],
        result: at[1],
    })
}

/// Pairs of which something is wanted.
struct Of<'p, 'a, S> {
    x: &'p Paths<'a, S>,
    y: Option<&'p Paths<'a, S>>,
    gram: bool,
    grid: bool,
}

impl<'p, 'a, S: Number> Of<'p, 'a, S> {
    fn pairs(x: &'p Paths<'a, S>, y: &'p Paths<'a, S>, grid: bool) -> Self {
        let (y, gram) = (Some(y), false);
        Of { x, y, gram, grid }
    }

    /// Numbers in the results, after the checks that batches and options fit together.
    fn count(&self, asked: &kernel::Options) -> Result<Option<usize>> {
        let (x, y) = (&self.x.shape, &self.y.unwrap_or(self.x).shape);
        if self.y.is_none() {
            kernel::check_symmetric(asked)?;
        }
        if !self.gram {
            kernel::check_batches(x, y)?;
        }
        kernel::check_pairs(x, y, asked)?;
        let (rows, columns) = asked.grid_shape(x.length(), y.length())?;
        Ok(match (self.gram, self.grid) {
            (true, _) => x.batch().checked_mul(y.batch()),
            (false, true) => (rows * columns).checked_mul(x.batch()),
            (false, false) => Some(x.batch()),
        })
    }

    fn job(&self, at: &[u64], asked: &kernel::Options, wanted: Wanted) -> PairsJob<'a, S> {
        PairsJob {
            x: self.x.at(at[0]),
            y: self.y.map(|y| y.at(at[1])),
            gram: self.gram,
            grid: self.grid,
            asked: *asked,
            wanted,
        }
    }

    /// Buffers of the paths, x twice where there is no y: none then.
    fn buffers(&self) -> [Buffer; 2] {
        let y = self.y.map(|y| y.numbers.buffer(Role::Read));
        [self.x.numbers.buffer(Role::Read), y.unwrap_or(Buffer::NONE)]
    }

    /// # Safety
    /// As [`signature()`].
    unsafe fn values(&self, asked: &kernel::Options, out: Numbers<S>, on: &mut On<'_>) -> Result<()> {
        out.check(self.count(asked)?)?;
        let [x, y] = self.buffers();
        work(on, &[x, y, out.buffer(Role::Written)], |at| {
            self.job(at, asked, Wanted::Values(at[2]))
        })
    }

    /// # Safety
    /// As [`signature()`].
    unsafe fn gradients(
        &self,
        grad: Numbers<S>,
        asked: &kernel::Options,
        to: [Option<Numbers<S>>; 2],
        on: &mut On<'_>,
    ) -> Result<()> {
        grad.check(self.count(asked)?)?;
        let [x, y] = self.buffers();
        let mut buffers = [x, y, grad.buffer(Role::Read), Buffer::NONE, Buffer::NONE];
        for (i, (to, of)) in to.iter().zip([Some(self.x), self.y]).enumerate() {
            match (to, of) {
                (Some(to), Some(of)) => buffers[3 + i] = of.gradient(to)?,
                (Some(_), None) => {
                    argument_error!("y_grad is given; a symmetric Gram matrix has the gradient of x alone")
                }
                (None, _) => {}
            }
        }
        let wanted = to.map(|to| to.is_some());
        work(on, &buffers, |at| {
            let to = [wanted[0].then(|| at[3]), wanted[1].then(|| at[4])];
            self.job(at, asked, Wanted::Gradients(at[2], to))
        })
    }
}
