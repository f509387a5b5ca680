//! From raw pointers to slices, or to addresses on a device: no NULL, aligned, countable, and no output over anything
//! else.

use super::options::{GOURSAT_CUDA_COPY, GOURSAT_HOST, Options, Uses};
use super::status::{Checked, fail};
use crate::Precision;
use crate::cuda::{self, Numbers, On, Workspace};
use crate::error;
use crate::parallel::Run;
use crate::path::{Batch, Gradient, Layout};
use std::fmt::{self, Display};
use std::ops::Deref;
use std::ptr::NonNull;

/// The most numbers of type `T` that a slice can have.
const fn most<T>() -> usize {
    isize::MAX as usize / size_of::<T>()
}

/// A batch argument: what it, its length and its options are called.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub values: &'static str,
    pub batch: &'static str,
    pub length: &'static str,
    pub second: bool,
}

/// The names of a function's only batch.
pub(super) const PATH: Names = Names {
    values: "path",
    batch: "batch",
    length: "length",
    second: false,
};

impl Names {
    pub fn of<S>(self, values: *const S, shape: [usize; 3]) -> Paths<S> {
        Paths {
            names: self,
            values,
            shape,
        }
    }
}

/// A batch argument as it came.
pub(super) struct Paths<S> {
    pub names: Names,
    pub values: *const S,
    pub shape: [usize; 3],
}

/// Numbers to read, checked, wherever they are.
#[derive(Clone, Copy)]
pub(super) struct Given<T> {
    name: &'static str,
    pointer: *const T,
    length: usize,
}

impl<T> Given<T> {
    /// # Safety
    /// They are in host memory, and nobody writes to them while the slice lives.
    pub unsafe fn host<'a>(self) -> &'a [T] {
        if self.length == 0 {
            return &[];
        }
        // SAFETY: not NULL, aligned, short enough, no output's memory: checked. Readable by the caller's promise.
        unsafe { std::slice::from_raw_parts(self.pointer, self.length) }
    }

    pub fn device(self) -> Numbers<T> {
        Numbers::new(self.name, self.pointer.addr(), self.length)
    }
}

/// Where results go, checked, wherever it is.
#[derive(Clone, Copy)]
pub(super) struct Taken<T> {
    name: &'static str,
    pointer: *mut T,
    length: usize,
}

impl<T> Taken<T> {
    /// # Safety
    /// It is host memory, nobody else touches it while the slice lives, and there is no other slice of it.
    pub unsafe fn host<'a>(self) -> &'a mut [T] {
        // SAFETY: aligned, short enough, apart from all other memory of the call, and not NULL: checked. Ours by the
        // caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.pointer, self.length) }
    }

    /// # Safety
    /// As [`Taken::host`]; it is as long as a gradient of its batch must be.
    pub unsafe fn gradient<'a>(self) -> Gradient<'a, T> {
        // SAFETY: the caller's promise.
        Gradient::checked(unsafe { self.host() })
    }

    pub fn device(self) -> Numbers<T> {
        Numbers::new(self.name, self.pointer.addr(), self.length)
    }
}

/// A batch, wherever its numbers are: its shape, its layout and where it lies.
pub(super) struct Located<'a, S> {
    shape: Batch<'a, S>,
    values: Given<S>,
}

impl<'a, S> Deref for Located<'a, S> {
    type Target = Batch<'a, S>;

    fn deref(&self) -> &Batch<'a, S> {
        &self.shape
    }
}

impl<'a, S: Precision> Located<'a, S> {
    /// # Safety
    /// As [`Given::host`].
    pub unsafe fn host(&self) -> Batch<'a, S> {
        // SAFETY: the caller's promise.
        self.shape.over(unsafe { self.values.host() })
    }

    pub fn device(&self) -> cuda::Paths<'a, S> {
        cuda::Paths::checked(self.shape, self.values.device())
    }
}

/// Memory that a call was given.
#[derive(Clone, Copy)]
struct Region {
    name: &'static str,
    /// First byte and the one after the last.
    bytes: (usize, usize),
    written: bool,
}

/// A call being checked: its options and the memory it was given so far.
pub(super) struct Call {
    pub options: Options,
    regions: [Option<Region>; Call::REGIONS],
}

impl Call {
    /// A gradient, two batches with lengths and starts each, two results, a workspace and its size: 11 at most.
    const REGIONS: usize = 12;

    /// # Safety
    /// `options` is NULL or points to as many readable bytes as its field `size` says.
    pub unsafe fn new(options: *const Options, uses: Uses) -> Checked<Call> {
        let mut call = Call {
            // SAFETY: the caller's promise.
            options: unsafe { Options::read(options, uses) }?,
            regions: [None; Call::REGIONS],
        };
        let Options {
            workspace,
            workspace_size,
            workspace_query,
            ..
        } = call.options;
        if workspace.addr() % cuda::ALIGNMENT != 0 {
            fail!(
                GOURSAT_MISALIGNED,
                "options.workspace is {workspace:p}; expected a multiple of {}",
                cuda::ALIGNMENT
            );
        }
        call.add("options.workspace", workspace.cast::<u8>(), workspace_size, true)?;
        if !workspace_query.is_null() {
            call.add("options.workspace_query", workspace_query, 1, true)?;
        }
        Ok(call)
    }

    /// Does the work where the options say: `host` with threads and a callback, `device` with a device, a stream and
    /// a workspace.
    pub fn run(
        &self,
        host: impl FnOnce(&mut Run<'_>) -> error::Result<()>,
        device: impl FnOnce(&mut On<'_>) -> error::Result<()>,
    ) -> Checked<()> {
        let options = &self.options;
        if options.memory == GOURSAT_HOST {
            return Ok(options.with_run(host)?);
        }
        let mut query = 0;
        device(&mut On {
            device: options.device as usize,
            stream: options.stream.addr(),
            copied: options.memory == GOURSAT_CUDA_COPY,
            workspace: if !options.workspace_query.is_null() {
                Workspace::Query(&mut query)
            } else if options.workspace.is_null() {
                Workspace::Own
            } else {
                Workspace::Given(options.workspace.addr(), options.workspace_size)
            },
        })?;
        if !options.workspace_query.is_null() {
            // SAFETY: aligned and apart from all other memory of the call, and the caller's promise is that it is there.
            unsafe { options.workspace_query.write(query) };
        }
        Ok(())
    }

    /// The memory of `length` numbers, if there are any, after every check. It must be added before it is made a
    /// slice: then no `&mut` ever overlaps another slice.
    fn add<T>(&mut self, name: &'static str, pointer: *const T, length: usize, written: bool) -> Checked<bool> {
        if length == 0 {
            return Ok(false);
        }
        if pointer.is_null() {
            fail!(GOURSAT_NULL_POINTER, "{name} is NULL; expected {length} elements");
        }
        if !pointer.is_aligned() {
            fail!(
                GOURSAT_MISALIGNED,
                "{name} is {pointer:p}; expected a multiple of {}",
                align_of::<T>()
            );
        }
        let first = pointer.addr();
        if length > most::<T>() || first.checked_add(length * size_of::<T>()).is_none() {
            fail!(
                GOURSAT_INVALID_ARGUMENT,
                "{name} has {length} elements: more than memory can hold"
            );
        }
        let bytes = (first, first + length * size_of::<T>());
        for other in self.regions.iter().flatten() {
            if (written || other.written) && bytes.0 < other.bytes.1 && other.bytes.0 < bytes.1 {
                fail!(
                    GOURSAT_OVERLAP,
                    "{name} overlaps {}; expected memory of its own",
                    other.name
                );
            }
        }
        let free = self.regions.iter_mut().find(|region| region.is_none());
        *free.expect("no function has more buffers") = Some(Region { name, bytes, written });
        Ok(true)
    }

    fn input<T>(&mut self, name: &'static str, pointer: *const T, length: usize) -> Checked<Given<T>> {
        self.add(name, pointer, length, false)?;
        Ok(Given { name, pointer, length })
    }

    fn output<T>(&mut self, name: &'static str, pointer: *mut T, length: usize) -> Checked<Taken<T>> {
        // An empty slice has an address, too. To choose it here, and not where the slice is made, spares `Option::map` a
        // look at what `None` leaves unwritten: harmless, and reported by valgrind.
        let there = self.add(name, pointer, length, true)?;
        let pointer = if there { pointer } else { NonNull::dangling().as_ptr() };
        Ok(Taken { name, pointer, length })
    }

    /// A gradient that the call is given, of exactly `count` numbers.
    pub fn grad<S: Precision>(&mut self, pointer: *const S, length: usize, count: usize) -> Checked<Given<S>> {
        check_length(["grad", "grad_len"], pointer, length, count)?;
        self.input("grad", pointer, length)
    }

    /// Where results go, of exactly `count` numbers.
    pub fn out<S: Precision>(&mut self, pointer: *mut S, length: usize, count: usize) -> Checked<Taken<S>> {
        check_length(["out", "out_len"], pointer, length, count)?;
        self.output("out", pointer, length)
    }

    /// Where a single number goes.
    ///
    /// # Safety
    /// `pointer` is NULL or points to a number that nobody else touches during the call.
    pub unsafe fn number<'a>(&mut self, name: &'static str, pointer: *mut usize) -> Checked<&'a mut usize> {
        let number = self.output(name, pointer, 1)?;
        // SAFETY: the caller's promise; one number was asked for and one there is.
        Ok(&mut unsafe { number.host() }[0])
    }

    /// # Safety
    /// The lists of lengths and starts in the options are NULL or have an entry a path.
    pub unsafe fn paths<'a, S: Precision>(&mut self, paths: Paths<S>) -> Checked<Located<'a, S>> {
        let Paths { names, values, shape } = paths;
        check_shape::<S>(names, shape)?;
        // SAFETY: the caller's promise.
        let lists = unsafe { self.lists(names, shape[0]) }?;
        let options = &self.options;
        let (given, strides, size_name) = if names.second {
            (options.y_size, options.y_strides, "options.y_size")
        } else {
            (options.x_size, options.x_strides, "options.x_size")
        };
        let strides = Some(strides).filter(|strides| *strides != [0; 3]);
        let size = match (given, strides) {
            (0, None) => shape[0] * shape[1] * shape[2],
            (0, Some(strides)) => reach(shape, strides).min(usize::MAX as u128) as usize,
            (given, _) => given,
        };
        if size > most::<S>() {
            fail!(
                GOURSAT_INVALID_ARGUMENT,
                "{} has {size} elements by {size_name} or its strides: more than memory can hold",
                names.values
            );
        }
        let values = self.input(names.values, values, size)?;
        let shape = Batch::shape(side(names), size, shape, Layout { strides, ..lists })?;
        Ok(Located { shape, values })
    }

    /// The lists of lengths and starts of a batch.
    ///
    /// # Safety
    /// They are NULL or have an entry a path.
    unsafe fn lists<'a>(&mut self, names: Names, batch: usize) -> Checked<Layout<'a>> {
        let options = self.options;
        let [lengths, starts] = if names.second {
            [
                ("options.y_lengths", options.y_lengths),
                ("options.y_starts", options.y_starts),
            ]
        } else {
            [
                ("options.x_lengths", options.x_lengths),
                ("options.x_starts", options.x_starts),
            ]
        };
        let mut list = |(name, pointer): (&'static str, *const i64)| {
            if pointer.is_null() {
                return Ok(None);
            }
            // SAFETY: the caller's promise; lists are always in host memory.
            self.input(name, pointer, batch)
                .map(|list| Some(unsafe { list.host() }))
        };
        Ok(Layout {
            lengths: list(lengths)?,
            starts: list(starts)?,
            strides: None,
        })
    }

    /// The shape of a batch whose values a function does not read, only where its gradient goes: whether there is room,
    /// [`Call::gradient`] says.
    ///
    /// # Safety
    /// The lists in the options are NULL or have an entry a path.
    pub unsafe fn shape<'a, S: Precision>(&mut self, names: Names, shape: [usize; 3]) -> Checked<Batch<'a, S>> {
        check_shape::<S>(names, shape)?;
        // SAFETY: the caller's promise.
        let lists = unsafe { self.lists(names, shape[0]) }?;
        for (b, &start) in lists.starts.unwrap_or(&[]).iter().enumerate() {
            if start < 0 {
                fail!(
                    GOURSAT_INVALID_ARGUMENT,
                    "options.x_starts[{b}] is {start}; expected 0 or more"
                );
            }
        }
        Ok(Batch::shape(side(names), most::<S>(), shape, lists)?)
    }

    /// Where the gradient of a batch goes: exactly its shape, or with starts as much as they need.
    pub fn gradient<S: Precision>(
        &mut self,
        [name, length_name]: [&'static str; 2],
        pointer: *mut S,
        length: usize,
        of: &Batch<'_, S>,
    ) -> Checked<Taken<S>> {
        let count = of.batch() * of.length() * of.dim();
        if of.layout().starts.is_none() {
            check_length([name, length_name], pointer, length, count)?;
        } else if pointer.is_null() && of.batch() > 0 {
            fail!(
                GOURSAT_NULL_POINTER,
                "{name} is NULL; expected a gradient packed as the paths"
            );
        }
        let values = self.output(name, pointer, length)?;
        Gradient::check(name, length, of)?;
        Ok(values)
    }

    /// As [`Call::gradient`]; NULL and length 0 if it is not wanted.
    pub fn wanted_gradient<S: Precision>(
        &mut self,
        names: [&'static str; 2],
        pointer: *mut S,
        length: usize,
        of: &Batch<'_, S>,
    ) -> Checked<Option<Taken<S>>> {
        if pointer.is_null() && length == 0 {
            return Ok(None);
        }
        self.gradient(names, pointer, length, of).map(Some)
    }
}

/// What errors of [`Batch`] call a batch, so that they name the options' fields.
fn side(names: Names) -> &'static str {
    if names.second { "y" } else { "x" }
}

fn check_shape<S>(names: Names, shape: [usize; 3]) -> Checked<()> {
    let [batch, length, dim] = shape;
    for (name, value, what) in [(names.length, length, "point"), ("dim", dim, "channel")] {
        if value == 0 {
            fail!(GOURSAT_INVALID_ARGUMENT, "{name} is 0; a path has at least one {what}");
        }
    }
    product::<S>(
        names.values,
        &[(names.batch, batch), (names.length, length), ("dim", dim)],
    )?;
    Ok(())
}

/// Sizes with their names, for a sentence: "batch * dim = 2 * 3".
struct Factors<'a>(&'a [(&'a str, usize)]);

impl Display for Factors<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, _)) in self.0.iter().enumerate() {
            write!(f, "{}{name}", if i == 0 { "" } else { " * " })?;
        }
        for (i, (_, value)) in self.0.iter().enumerate() {
            write!(f, "{}{value}", if i == 0 { " = " } else { " * " })?;
        }
        Ok(())
    }
}

/// The product of named sizes, if `what` with so many numbers of type `S` can be.
pub(super) fn product<S>(what: &str, factors: &[(&str, usize)]) -> Checked<usize> {
    let countable = |least| {
        let product = factors
            .iter()
            .try_fold(1, |n: usize, (_, factor)| n.checked_mul(*factor.max(&least)));
        product.filter(|n| *n <= most::<S>())
    };
    // Not even beside a factor 0 may the others overflow: strides are made of them.
    if let (Some(_), Some(count)) = (countable(1), countable(0)) {
        return Ok(count);
    }
    fail!(
        GOURSAT_INVALID_ARGUMENT,
        "{what} has {} elements: more than memory can hold",
        Factors(factors)
    );
}

fn check_length<S>(names: [&str; 2], pointer: *const S, length: usize, count: usize) -> Checked<()> {
    if pointer.is_null() && count > 0 {
        fail!(GOURSAT_NULL_POINTER, "{} is NULL; expected {count} elements", names[0]);
    }
    if length != count {
        fail!(GOURSAT_LENGTH_MISMATCH, "{} is {length}; expected {count}", names[1]);
    }
    Ok(())
}

/// One more than the last element that a strided batch reaches.
fn reach(shape: [usize; 3], strides: [i64; 3]) -> u128 {
    if shape[0] == 0 {
        return 0;
    }
    let steps = shape.iter().zip(strides);
    1 + steps
        .map(|(&n, stride)| (n as u128 - 1) * stride.max(0) as u128)
        .fold(0, u128::saturating_add)
}
