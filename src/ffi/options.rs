//! The options struct: how it grows, what its fields may hold, and what they mean to the crate.

use super::status::{Checked, fail};
use crate::parallel::Run;
use crate::path::{LeadLag, Transform};
use crate::simd::environment;
use std::ffi::{c_int, c_void};
use std::ptr;

/// Append time as the last channel: i * end_time / (points - 1) at point i of a path.
pub const GOURSAT_TIME_AUG: u64 = 1;
/// Replace each path by its lead-lag path, (lead, lag), before time is appended.
pub const GOURSAT_LEAD_LAG: u64 = 2;
/// Order the channels of the lead-lag path (lag, lead); goes with GOURSAT_LEAD_LAG or goursat_lead_lag.
pub const GOURSAT_LAG_FIRST: u64 = 4;
/// Begin each signature with its level 0, the number 1.
pub const GOURSAT_SCALAR_TERM: u64 = 8;
/// Gram matrix of x with itself: y is ignored, the orders must be equal.
pub const GOURSAT_SYMMETRIC: u64 = 16;
/// Compute every coefficient of a signature along the path. Without it, some of the last level of paths of 32 increments
/// or more in double precision follow from others, up to twice as fast: errors are then up to 3e-14 of the level's largest
/// coefficient instead of 1e-15. So it is with gradients of paths of 256 increments or more in nine channels or more, after
/// the transforms, of signatures of more than 20,480 coefficients: up to 1e-14 of the largest one. CUDA devices are always
/// direct.
pub const GOURSAT_DIRECT: u64 = 32;

/// `options.memory`: buffers are in host memory, and the CPU works.
pub const GOURSAT_HOST: i32 = 0;
/// `options.memory`: buffers are in the memory of the CUDA device `options.device`, which works. The call returns when
/// the work is in the stream.
pub const GOURSAT_CUDA: i32 = 1;
/// `options.memory`: buffers are in host memory, and the CUDA device `options.device` works on copies. The call returns
/// when the results are there.
pub const GOURSAT_CUDA_COPY: i32 = 2;

/// Called some 20 times a second at most, on the thread that made the call, with the work done so far and the work in
/// all (in units of the library's choice). A non-zero result cancels the call. It may call functions of the library;
/// it must return: no longjmp and no C++ exception may leave it.
pub type Progress = Option<unsafe extern "C" fn(data: *mut c_void, done: u64, total: u64) -> c_int>;

/// What a call may be told besides its arguments. NULL, or zeros after `size`, mean the defaults; begin with
///     goursat_options options = {sizeof options};
///
/// `x` means `path` in functions of one batch, whose `y_` options are ignored. The struct may grow at its end in later
/// versions: smaller ones of programs compiled before are read as if zeros followed, larger ones are accepted if all
/// that this version does not know is zero.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// sizeof(goursat_options), as the caller was compiled.
    pub size: usize,
    /// Sum of GOURSAT_ flags. A flag that means nothing to the function called is an error.
    pub flags: u64,
    /// Time of the last point of every path, with GOURSAT_TIME_AUG; finite. 0 means 1.
    pub end_time: f64,
    /// Dyadic order of x in kernels, at most 16: each increment is cut into 2^x_order. Must be 0 for functions
    /// other than those of kernels.
    pub x_order: u32,
    /// Dyadic order of y.
    pub y_order: u32,
    /// Threads to use at most; 0 means what the environment variable GOURSAT_NUM_THREADS says, or all cores.
    pub threads: i32,
    /// Where the buffers are and who works: GOURSAT_HOST, GOURSAT_CUDA or GOURSAT_CUDA_COPY. See CUDA above.
    pub memory: i32,
    /// Which CUDA device, counted from 0 as the driver does; must be 0 with GOURSAT_HOST.
    pub device: i32,
    /// Must be 0.
    pub reserved: i32,
    /// The CUstream (or cudaStream_t) that gets the work, with GOURSAT_CUDA; NULL is the legacy default stream. Must be
    /// NULL otherwise.
    pub stream: *mut c_void,
    /// Device memory to work in, with GOURSAT_CUDA, aligned to 256 bytes and free of other use until the stream has done
    /// the work; NULL: the library allocates it, in the order of the stream. Must be NULL otherwise.
    pub workspace: *mut c_void,
    /// Bytes of it: as many as `workspace_query` gives, or more.
    pub workspace_size: usize,
    /// Points of each path of x, from 1 to the length of the batch; one entry a path. NULL: all are full.
    pub x_lengths: *const i64,
    /// Points of each path of y.
    pub y_lengths: *const i64,
    /// First element of each path of x, for packed ragged batches; one entry a path. NULL: path b begins at
    /// element b * x_strides[0].
    pub x_starts: *const i64,
    /// First element of each path of y.
    pub y_starts: *const i64,
    /// Distances in x from path to path, point to point and channel to channel, in elements; 0 and negative ones are
    /// legal. All three 0: contiguous.
    pub x_strides: [i64; 3],
    /// Distances in y.
    pub y_strides: [i64; 3],
    /// Elements in the buffer of x, from the pointer on: what lengths, starts and strides are checked against. 0: up to
    /// the last element that shape and strides reach.
    pub x_size: usize,
    /// Elements in the buffer of y.
    pub y_size: usize,
    /// Told how a call goes on; NULL for nobody.
    pub progress: Progress,
    /// Given to `progress`.
    pub progress_data: *mut c_void,
    /// With GOURSAT_CUDA: if not NULL, the call computes nothing, and stores here the bytes of workspace that this very
    /// call needs on its device. Must be NULL otherwise.
    pub workspace_query: *mut usize,
}

/// The most bytes that a caller's struct may have: more is taken for a `size` that was never set.
const LARGEST: usize = 4096;

// Programs were compiled against these places.
#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<Options>() == 192 && align_of::<Options>() == 8);
    assert!(offset_of!(Options, reserved) == 44 && offset_of!(Options, stream) == 48);
    assert!(offset_of!(Options, x_lengths) == 72 && offset_of!(Options, x_strides) == 104);
    assert!(offset_of!(Options, x_size) == 152 && offset_of!(Options, progress_data) == 176);
    assert!(offset_of!(Options, workspace_query) == 184);
};

/// Options that mean something to a function.
#[derive(Clone, Copy)]
pub(super) struct Uses {
    pub flags: u64,
    /// Dyadic orders.
    pub orders: bool,
    /// Whether it makes lead-lag paths whatever the flags say.
    pub lead_lag: bool,
}

impl Options {
    const DEFAULT: Options = Options {
        size: size_of::<Options>(),
        flags: 0,
        end_time: 0.0,
        x_order: 0,
        y_order: 0,
        threads: 0,
        memory: 0,
        device: 0,
        reserved: 0,
        stream: ptr::null_mut(),
        workspace: ptr::null_mut(),
        workspace_size: 0,
        x_lengths: ptr::null(),
        y_lengths: ptr::null(),
        x_starts: ptr::null(),
        y_starts: ptr::null(),
        x_strides: [0; 3],
        y_strides: [0; 3],
        x_size: 0,
        y_size: 0,
        progress: None,
        progress_data: ptr::null_mut(),
        workspace_query: ptr::null_mut(),
    };

    /// A checked copy of the caller's struct, of whatever size it is.
    ///
    /// # Safety
    /// `options` is NULL or points to as many readable bytes as its field `size` says.
    pub(super) unsafe fn read(options: *const Options, uses: Uses) -> Checked<Options> {
        let mut copy = Options::DEFAULT;
        if options.is_null() {
            return Ok(copy);
        }
        if !options.is_aligned() {
            fail!(
                GOURSAT_MISALIGNED,
                "options is {options:p}; expected a multiple of {}",
                align_of::<Options>()
            );
        }
        // SAFETY: not NULL and aligned; the caller's struct has its first field at least.
        let size = unsafe { options.cast::<usize>().read() };
        if size < size_of::<usize>() || size > LARGEST || size % 8 != 0 {
            fail!(
                GOURSAT_INVALID_ARGUMENT,
                "options.size is {size}; expected sizeof(goursat_options), {} in this version",
                size_of::<Options>()
            );
        }
        let known = size.min(size_of::<Options>());
        // SAFETY: `known` bytes can be read by the contract and fit `copy`; every pattern of bits is a value of fields
        // that are numbers, raw pointers and a nullable function pointer.
        unsafe { ptr::copy_nonoverlapping(options.cast::<u8>(), (&raw mut copy).cast(), known) };
        for word in known / 8..size / 8 {
            // SAFETY: inside the `size` bytes of the contract, and aligned to 8 as the struct is.
            if unsafe { options.cast::<u64>().add(word).read() } != 0 {
                fail!(
                    GOURSAT_UNSUPPORTED,
                    "options.size is {size} and byte {} or after is not zero; this version knows {known} bytes",
                    8 * word
                );
            }
        }
        copy.check(uses)?;
        Ok(copy)
    }

    fn check(&self, uses: Uses) -> Checked<()> {
        self.check_memory()?;
        self.check_flags(uses)?;
        if !self.end_time.is_finite() {
            fail!(
                GOURSAT_INVALID_ARGUMENT,
                "options.end_time is {}; expected a finite number",
                self.end_time
            );
        }
        if self.threads < 0 {
            fail!(
                GOURSAT_INVALID_ARGUMENT,
                "options.threads is {}; expected 0 or more",
                self.threads
            );
        }
        let most = if uses.orders { 16 } else { 0 };
        for (name, order) in [("x_order", self.x_order), ("y_order", self.y_order)] {
            if order > most {
                fail!(
                    GOURSAT_INVALID_ARGUMENT,
                    "options.{name} is {order}; expected at most {most} here"
                );
            }
        }
        if self.has(GOURSAT_SYMMETRIC) && self.x_order != self.y_order {
            fail!(
                GOURSAT_INVALID_ARGUMENT,
                "options.x_order is {} and options.y_order is {}; expected equal orders with GOURSAT_SYMMETRIC",
                self.x_order,
                self.y_order
            );
        }
        Ok(())
    }

    fn check_memory(&self) -> Checked<()> {
        if !matches!(self.memory, GOURSAT_HOST | GOURSAT_CUDA | GOURSAT_CUDA_COPY) {
            fail!(
                GOURSAT_INVALID_ARGUMENT,
                "options.memory is {}; expected 0 (GOURSAT_HOST), 1 (GOURSAT_CUDA) or 2 (GOURSAT_CUDA_COPY)",
                self.memory
            );
        }
        if self.device < 0 {
            fail!(
                GOURSAT_INVALID_ARGUMENT,
                "options.device is {}; expected 0 or more",
                self.device
            );
        }
        let on_host = self.memory == GOURSAT_HOST;
        let copied = self.memory != GOURSAT_CUDA;
        let zeros = [
            ("reserved", self.reserved as usize, true, "always"),
            ("device", self.device as usize, on_host, "in host memory"),
            ("stream", self.stream.addr(), copied, "without GOURSAT_CUDA"),
            ("workspace", self.workspace.addr(), copied, "without GOURSAT_CUDA"),
            (
                "workspace_size",
                self.workspace_size,
                self.workspace.is_null(),
                "without a workspace",
            ),
            (
                "workspace_query",
                self.workspace_query.addr(),
                copied,
                "without GOURSAT_CUDA",
            ),
        ];
        for (name, value, must, when) in zeros {
            if value != 0 && must {
                fail!(
                    GOURSAT_INVALID_ARGUMENT,
                    "options.{name} is not 0, which it must be {when}"
                );
            }
        }
        Ok(())
    }

    fn check_flags(&self, uses: Uses) -> Checked<()> {
        const NAMES: [(u64, &str); 6] = [
            (GOURSAT_TIME_AUG, "GOURSAT_TIME_AUG"),
            (GOURSAT_LEAD_LAG, "GOURSAT_LEAD_LAG"),
            (GOURSAT_LAG_FIRST, "GOURSAT_LAG_FIRST"),
            (GOURSAT_SCALAR_TERM, "GOURSAT_SCALAR_TERM"),
            (GOURSAT_SYMMETRIC, "GOURSAT_SYMMETRIC"),
            (GOURSAT_DIRECT, "GOURSAT_DIRECT"),
        ];
        let unknown = NAMES.iter().fold(self.flags, |rest, (flag, _)| rest & !flag);
        if unknown != 0 {
            fail!(
                GOURSAT_UNSUPPORTED,
                "options.flags has {unknown:#x}, which this version does not know"
            );
        }
        for (flag, name) in NAMES {
            if self.has(flag) && uses.flags & flag == 0 {
                fail!(
                    GOURSAT_INVALID_ARGUMENT,
                    "options.flags has {name}, which means nothing to this function"
                );
            }
        }
        if self.has(GOURSAT_LAG_FIRST) && !self.has(GOURSAT_LEAD_LAG) && !uses.lead_lag {
            fail!(
                GOURSAT_INVALID_ARGUMENT,
                "options.flags has GOURSAT_LAG_FIRST without GOURSAT_LEAD_LAG"
            );
        }
        Ok(())
    }

    pub(super) fn has(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }

    pub(super) fn end_time(&self) -> f64 {
        if self.end_time == 0.0 { 1.0 } else { self.end_time }
    }

    pub(super) fn transform(&self) -> Transform {
        Transform {
            time: self.has(GOURSAT_TIME_AUG).then(|| self.end_time()),
            lead_lag: match (self.has(GOURSAT_LEAD_LAG), self.has(GOURSAT_LAG_FIRST)) {
                (false, _) => LeadLag::Off,
                (true, false) => LeadLag::LeadFirst,
                (true, true) => LeadLag::LagFirst,
            },
        }
    }

    /// Calls `body` with the threads and the callback of these options.
    pub(super) fn with_run<T>(&self, body: impl FnOnce(&mut Run<'_>) -> T) -> T {
        let threads = self.threads as usize;
        let data = self.progress_data;
        let Some(callback) = self.progress else {
            return body(&mut Run {
                threads,
                progress: None,
            });
        };
        // SAFETY: the caller gave the callback and its data to be called with each other while this call lasts.
        let mut tell = |done, total| environment::outside(|| unsafe { callback(data, done, total) }) != 0;
        body(&mut Run {
            threads,
            progress: Some(&mut tell),
        })
    }
}
