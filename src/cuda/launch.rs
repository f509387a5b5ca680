//! Work put into a stream of a device, and memory in the order of a stream.

use super::args::{CARRIED, ListArgs};
use super::driver::check;
use super::guard::Device;
use super::modules::Function;
use super::space::Region;
use crate::error::{Error, Result};
use cudarc::driver::sys::{self, CUfunction_attribute as Attribute, CUresult};
use std::ffi::c_void;
use std::ptr;

pub(super) const WARP: usize = 32;
/// Threads of a block, and warps, that kernels are compiled for.
const THREADS: usize = 128;
pub(super) const MOST_WARPS: usize = THREADS / WARP;
/// Bytes of shared memory of a block for which nothing must be said before.
const UNASKED: usize = 48 << 10;

/// How many blocks of how many warps, with how much shared memory each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    pub blocks: usize,
    pub warps: usize,
    pub shared: usize,
}

/// A stream of a device whose context is current, and the workspace of a call.
pub(super) struct Stream<'d> {
    pub device: &'d Device,
    pub stream: usize,
    pub base: u64,
}

impl Device {
    fn allow(&self, function: Function, shared: usize) -> Result<()> {
        if shared <= UNASKED {
            return Ok(());
        }
        let which = Attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        // SAFETY: a kernel that is ready.
        check("cuFuncSetAttribute", unsafe {
            sys::cuFuncSetAttribute(function.0, which, shared as i32)
        })
    }

    /// Blocks that do `work` warps' worth of work, no more than the device holds at once; spread over its processors.
    pub fn blocks(&self, name: &str, shared_a_warp: usize, work: usize) -> Result<Blocks> {
        let fit = self.shared.checked_div(shared_a_warp).unwrap_or(MOST_WARPS);
        let warps = MOST_WARPS.min(fit).min(work.div_ceil(self.processors)).max(1);
        let (function, shared) = (self.function(name)?, shared_a_warp * warps);
        self.allow(function, shared)?;
        let mut resident = 0;
        // SAFETY: a kernel that is ready.
        check("cuOccupancyMaxActiveBlocksPerMultiprocessor", unsafe {
            sys::cuOccupancyMaxActiveBlocksPerMultiprocessor(&mut resident, function.0, (WARP * warps) as i32, shared)
        })?;
        let most = resident.max(1) as usize * self.processors;
        let blocks = most.min(work.div_ceil(warps)).max(1);
        Ok(Blocks { blocks, warps, shared })
    }
}

impl Stream<'_> {
    pub fn at(&self, region: Region) -> u64 {
        self.base + region.offset as u64
    }

    /// Launches a kernel that has one struct of arguments.
    pub fn launch<A>(&self, name: &str, args: &A, blocks: Blocks) -> Result<()> {
        let function = self.device.function(name)?;
        self.device.allow(function, blocks.shared)?;
        let mut pointers = [ptr::from_ref(args).cast_mut().cast::<c_void>()];
        // SAFETY: the kernel's only argument is such a struct, which the driver copies before it returns.
        check(name, unsafe {
            sys::cuLaunchKernel(
                function.0,
                blocks.blocks as u32,
                1,
                1,
                (WARP * blocks.warps) as u32,
                1,
                1,
                blocks.shared as u32,
                self.stream as sys::CUstream,
                pointers.as_mut_ptr(),
                ptr::null_mut(),
            )
        })
    }

    /// Launches a kernel of a thread an element, for `elements` of them; none if there are none.
    pub fn plain<A>(&self, name: &str, args: &A, elements: usize) -> Result<()> {
        if elements == 0 {
            return Ok(());
        }
        let blocks = elements.div_ceil(THREADS).min(8 * self.device.processors);
        let (warps, shared) = (MOST_WARPS, 0);
        self.launch(name, args, Blocks { blocks, warps, shared })
    }

    pub fn zero(&self, region: Region) -> Result<()> {
        if region.bytes == 0 {
            return Ok(());
        }
        // SAFETY: inside the workspace.
        check("cuMemsetD8Async", unsafe {
            sys::cuMemsetD8Async(self.at(region), 0, region.bytes, self.stream as sys::CUstream)
        })
    }

    /// Writes words to the device. They travel as arguments of launches, which the driver has copied when a launch
    /// returns: nothing of the host's is read later, and nothing is waited for.
    pub fn list(&self, region: Region, words: impl Iterator<Item = i64>) -> Result<()> {
        let mut args = ListArgs {
            to: self.at(region),
            count: 0,
            values: [0; CARRIED],
        };
        let (blocks, warps, shared) = (1, MOST_WARPS, 0);
        let blocks = Blocks { blocks, warps, shared };
        for word in words {
            args.values[args.count as usize] = word;
            args.count += 1;
            if args.count as usize == CARRIED {
                self.launch("list", &args, blocks)?;
                args.to += 8 * CARRIED as u64;
                args.count = 0;
            }
        }
        if args.count > 0 {
            self.launch("list", &args, blocks)?;
        }
        Ok(())
    }
}

/// Device memory of a call, given back in the order of its stream.
pub(super) struct Memory<'d> {
    device: &'d Device,
    stream: usize,
    pub address: u64,
}

impl<'d> Memory<'d> {
    pub fn new(device: &'d Device, stream: usize, bytes: usize) -> Result<Self> {
        let mut address = 0;
        let status = match (bytes, device.pools) {
            (0, _) => CUresult::CUDA_SUCCESS,
            // SAFETY: the context is current.
            (_, true) => unsafe { sys::cuMemAllocAsync(&mut address, bytes, stream as sys::CUstream) },
            // SAFETY: as above.
            (_, false) => unsafe { sys::cuMemAlloc_v2(&mut address, bytes) },
        };
        if status == CUresult::CUDA_ERROR_OUT_OF_MEMORY {
            return Err(Error::Memory(bytes));
        }
        check("cuMemAllocAsync", status)?;
        Ok(Memory {
            device,
            stream,
            address,
        })
    }

    pub fn free(self) -> Result<()> {
        let freed = self.release();
        std::mem::forget(self);
        freed
    }

    fn release(&self) -> Result<()> {
        if self.address == 0 {
            return Ok(());
        }
        let status = if self.device.pools {
            // SAFETY: allocated in this way, and nothing later in the stream uses it.
            unsafe { sys::cuMemFreeAsync(self.address, self.stream as sys::CUstream) }
        } else {
            // SAFETY: as above; it waits for the device.
            unsafe { sys::cuMemFree_v2(self.address) }
        };
        check("cuMemFreeAsync", status)
    }
}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        // After another error, which is the one to tell.
        let _ = self.release();
    }
}
