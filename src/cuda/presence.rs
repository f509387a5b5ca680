//! Whether there is a driver, new enough, and what it drives. Nothing here panics: the driver's library and every function
//! of it that is called are asked for first.

use super::driver::check;
use crate::error::{Cuda, Error, Result, Sentence, argument_error};
use cudarc::driver::sys::{self, CUdevice_attribute as Attribute};
use std::ffi::{c_char, c_int};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The oldest driver that reads the kernels, PTX 8.0, by the CUDA version that it brings, and its own number.
const OLDEST_DRIVER: (i32, &str) = (12000, "525");
/// The kernels' target.
const OLDEST_DEVICE: (i32, i32) = (7, 5);

/// What [`super::driver`] and this file call.
const FUNCTIONS: [&str; 29] = [
    "cuCtxPopCurrent_v2",
    "cuCtxPushCurrent_v2",
    "cuDeviceGet",
    "cuDeviceGetAttribute",
    "cuDeviceGetCount",
    "cuDeviceGetName",
    "cuDevicePrimaryCtxRetain",
    "cuDeviceTotalMem_v2",
    "cuDriverGetVersion",
    "cuFuncSetAttribute",
    "cuGetErrorName",
    "cuGetErrorString",
    "cuInit",
    "cuLaunchKernel",
    "cuMemAllocAsync",
    "cuMemAlloc_v2",
    "cuMemFreeAsync",
    "cuMemFree_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemsetD8Async",
    "cuModuleGetFunction",
    "cuModuleLoadData",
    "cuModuleUnload",
    "cuOccupancyMaxActiveBlocksPerMultiprocessor",
    "cuPointerGetAttribute",
    "cuStreamCreate",
    "cuStreamDestroy_v2",
    "cuStreamSynchronize",
];

/// A device as the driver describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    pub name: String,
    /// Bytes.
    pub memory: usize,
    /// Compute capability: (9, 0) is sm_90.
    pub capability: (i32, i32),
    /// The driver's CUDA version: 1000 · major + 10 · minor.
    pub driver: i32,
    pub processors: i32,
}

impl Info {
    /// Whether the kernels run on it.
    pub fn usable(&self) -> Result<()> {
        if self.capability >= OLDEST_DEVICE {
            return Ok(());
        }
        let (major, minor) = self.capability;
        let name = &self.name;
        fail(
            Cuda::OldDevice,
            format_args!(
                "{name} has compute capability {major}.{minor}; the kernels need {}.{} or later",
                OLDEST_DEVICE.0, OLDEST_DEVICE.1
            ),
        )
    }
}

pub(super) fn fail<T>(what: Cuda, sentence: std::fmt::Arguments<'_>) -> Result<T> {
    Err(Error::Cuda(what, Sentence::new(sentence)))
}

/// The process that initialised the driver; 0: none.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Makes the driver ready.
pub(super) fn start() -> Result<()> {
    let process = std::process::id();
    let first = PROCESS.load(Ordering::Relaxed);
    if first != 0 && first != process {
        return forked();
    }
    static LIBRARY: OnceLock<Result<()>> = OnceLock::new();
    LIBRARY.get_or_init(find).clone()?;
    // SAFETY: the library is there and has the function; it may be called any number of times.
    match unsafe { sys::cuInit(0) } {
        sys::CUresult::CUDA_ERROR_NO_DEVICE => no_device(),
        // What the driver says to the child of a process that used it without this library.
        sys::CUresult::CUDA_ERROR_NOT_INITIALIZED => forked(),
        sys::CUresult::CUDA_ERROR_STUB_LIBRARY => fail(
            Cuda::NoDriver,
            format_args!("no CUDA driver: the libcuda that was found is a stub for linkers"),
        ),
        status => {
            check("cuInit", status)?;
            PROCESS.store(process, Ordering::Relaxed);
            Ok(())
        }
    }
}

fn forked<T>() -> Result<T> {
    fail(
        Cuda::Forked,
        format_args!(
            "this process is the child of a fork after CUDA was used; CUDA works in the parent alone: start processes \
             without fork, or before"
        ),
    )
}

fn no_device<T>() -> Result<T> {
    fail(Cuda::NoDevice, format_args!("there is a CUDA driver, but no device"))
}

/// Finds the driver's library; what it is too old for, or lacks.
fn find() -> Result<()> {
    // SAFETY: loading the driver runs its initialisers, as every program that uses CUDA does.
    if !unsafe { sys::is_culib_present() } {
        return fail(
            Cuda::NoDriver,
            format_args!(
                "no CUDA driver: libcuda was not found; expected NVIDIA's driver {} or later",
                OLDEST_DRIVER.1
            ),
        );
    }
    // SAFETY: it was found just now.
    let library = unsafe { sys::culib() };
    // SAFETY: it is not called by this type.
    let lacks = |name: &&&str| unsafe { library.get::<unsafe extern "C" fn()>(name.as_bytes()) }.is_err();
    let mut version = 0;
    if !lacks(&&"cuDriverGetVersion") {
        // SAFETY: it has the function. A refusal leaves 0, which says nothing.
        let _ = unsafe { sys::cuDriverGetVersion(&mut version) };
        if version != 0 && version < OLDEST_DRIVER.0 {
            return fail(
                Cuda::OldDriver,
                format_args!(
                    "the driver brings CUDA {}.{}; expected 12.0 or later, which driver {} has",
                    version / 1000,
                    version % 1000 / 10,
                    OLDEST_DRIVER.1
                ),
            );
        }
    }
    if let Some(name) = FUNCTIONS.iter().find(lacks) {
        return fail(
            Cuda::OldDriver,
            format_args!("the driver lacks {name}; expected driver {} or later", OLDEST_DRIVER.1),
        );
    }
    Ok(())
}

/// Devices that the driver has, one at least.
pub fn count() -> Result<usize> {
    start()?;
    let mut count: c_int = 0;
    // SAFETY: started.
    check("cuDeviceGetCount", unsafe { sys::cuDeviceGetCount(&mut count) })?;
    if count < 1 { no_device() } else { Ok(count as usize) }
}

/// The handle of device `index`.
pub(super) fn handle(index: usize) -> Result<sys::CUdevice> {
    let count = count()?;
    if index >= count {
        argument_error!("device is {index}; expected less than {count}, the number of CUDA devices");
    }
    let mut device = 0;
    // SAFETY: started, and there is such a device.
    check("cuDeviceGet", unsafe { sys::cuDeviceGet(&mut device, index as c_int) })?;
    Ok(device)
}

pub(super) fn attribute(device: sys::CUdevice, which: Attribute) -> Result<i32> {
    let mut value = 0;
    // SAFETY: started, as there is a handle.
    check("cuDeviceGetAttribute", unsafe {
        sys::cuDeviceGetAttribute(&mut value, which, device)
    })?;
    Ok(value)
}

/// Device `index`, whether it is usable or not.
pub fn device(index: usize) -> Result<Info> {
    let device = handle(index)?;
    let mut name = [0 as c_char; 256];
    let (mut memory, mut driver) = (0, 0);
    // SAFETY: started; the name is NUL-terminated within its length, the last byte stays 0.
    let text = unsafe {
        check("cuDeviceGetName", sys::cuDeviceGetName(name.as_mut_ptr(), 255, device))?;
        check("cuDriverGetVersion", sys::cuDriverGetVersion(&mut driver))?;
        check("cuDeviceTotalMem", sys::cuDeviceTotalMem_v2(&mut memory, device))?;
        std::ffi::CStr::from_ptr(name.as_ptr())
    };
    Ok(Info {
        name: text.to_string_lossy().into_owned(),
        memory,
        capability: (
            attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        ),
        driver,
        processors: attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
    })
}

/// Whether there is a usable device; if not, what is wrong with the first one.
pub fn available() -> Result<()> {
    let mut first = Ok(());
    for index in 0..count()? {
        match device(index)?.usable() {
            Ok(()) => return Ok(()),
            problem if first.is_ok() => first = problem,
            _ => {}
        }
    }
    first
}
