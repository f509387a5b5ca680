//! What the library says about CUDA devices.

use super::guard::guard;
use super::status::{Checked, fail, goursat_status};
use crate::cuda;
use std::ffi::c_char;
use std::ptr;

/// A CUDA device. Set `size`, as in goursat_options; the struct may grow at its end.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CudaDeviceInfo {
    /// sizeof(goursat_cuda_device_info), as the caller was compiled.
    pub size: usize,
    /// Bytes of its memory.
    pub total_memory: usize,
    /// Compute capability: 9 and 0 for sm_90.
    pub capability_major: i32,
    pub capability_minor: i32,
    /// The CUDA version that the driver brings: 1000 * major + 10 * minor.
    pub driver_version: i32,
    /// Multiprocessors.
    pub multiprocessors: i32,
    /// GOURSAT_OK if the library's kernels run on it, or GOURSAT_CUDA_OLD_DEVICE.
    pub status: i32,
    /// Always 0.
    pub reserved: i32,
    /// Its name, ended by a NUL.
    pub name: [c_char; 256],
}

// Programs were compiled against these places.
const _: () = assert!(size_of::<CudaDeviceInfo>() == 296 || size_of::<usize>() != 8);

/// Whether options.memory may be GOURSAT_CUDA or GOURSAT_CUDA_COPY here: GOURSAT_OK if there are a driver and a device
/// that are new enough, or the status that calls would give. goursat_last_error has the sentence that says why not.
/// Nothing is allocated on the device.
#[unsafe(no_mangle)]
pub extern "C" fn goursat_cuda_available() -> i32 {
    guard("goursat_cuda_available", || Ok(cuda::available()?))
}

/// How many CUDA devices the driver has, usable or not.
///
/// @param count  Where the number goes; 0 where the status says why there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_cuda_device_count(count: *mut i32) -> i32 {
    guard("goursat_cuda_device_count", || {
        check(count, "count")?;
        let found = cuda::count();
        let number = found.as_ref().map_or(0, |&number| number as i32);
        // SAFETY: not NULL and aligned; the caller keeps the contract of the header.
        unsafe { count.write(number) };
        Ok(found.map(|_| ())?)
    })
}

/// Describes a CUDA device.
///
/// @param index  Which one, from 0 on; less than goursat_cuda_device_count gives.
/// @param info   Where it goes, its `size` set by the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goursat_cuda_device(index: i32, info: *mut CudaDeviceInfo) -> i32 {
    guard("goursat_cuda_device", || {
        check(info, "info")?;
        // SAFETY: not NULL and aligned; the caller's struct has its first field at least.
        let size = unsafe { info.cast::<usize>().read() };
        let known = size_of::<CudaDeviceInfo>();
        if size < known || size > 4096 || size % 8 != 0 {
            fail!(
                GOURSAT_INVALID_ARGUMENT,
                "info.size is {size}; expected sizeof(goursat_cuda_device_info), {known} in this version"
            );
        }
        if index < 0 {
            fail!(GOURSAT_INVALID_ARGUMENT, "index is {index}; expected 0 or more");
        }
        let told = told(&cuda::device(index as usize)?, size);
        // SAFETY: `size` bytes are the caller's, and no less than what is written.
        unsafe { ptr::copy_nonoverlapping(&told, info, 1) };
        Ok(())
    })
}

fn told(device: &cuda::Info, size: usize) -> CudaDeviceInfo {
    let mut name = [0; 256];
    for (to, from) in name[..255].iter_mut().zip(device.name.bytes()) {
        *to = from as c_char;
    }
    let status = match device.usable() {
        Ok(()) => goursat_status::GOURSAT_OK,
        Err(_) => goursat_status::GOURSAT_CUDA_OLD_DEVICE,
    };
    CudaDeviceInfo {
        size,
        total_memory: device.memory,
        capability_major: device.capability.0,
        capability_minor: device.capability.1,
        driver_version: device.driver,
        multiprocessors: device.processors,
        status: status as i32,
        reserved: 0,
        name,
    }
}

fn check<T>(pointer: *const T, name: &str) -> Checked<()> {
    if pointer.is_null() {
        fail!(GOURSAT_NULL_POINTER, "{name} is NULL; expected where the answer goes");
    }
    if !pointer.is_aligned() {
        fail!(
            GOURSAT_MISALIGNED,
            "{name} is {pointer:p}; expected a multiple of {}",
            align_of::<T>()
        );
    }
    Ok(())
}
