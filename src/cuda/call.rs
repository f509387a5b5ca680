//! How a call goes: the device is opened and made current, buffers are checked or copied, the plan says how much working
//! space there must be, and with that the work goes into the stream.

use super::driver::check;
use super::guard::Device;
use super::launch::{Memory, Stream};
use super::{On, Workspace};
use crate::error::{Error, Result, argument_error};
use crate::memory::try_with_room;
use cudarc::driver::sys::{self, CUpointer_attribute as Attribute, CUresult};
use std::ffi::c_void;
use std::ptr;

/// What is computed, its buffers on the device.
pub(super) trait Job {
    type Plan: Planned;

    /// Which kernels with which sizes, and where what lies in the workspace; what grows with the batch is cut so that its
    /// part of the workspace is of `budget` bytes, if that is possible. The context is current.
    fn plan(&self, device: &Device, budget: usize) -> Result<Self::Plan>;

    fn run(&self, plan: &Self::Plan, stream: &Stream<'_>) -> Result<()>;
}

pub(super) trait Planned {
    fn bytes(&self) -> usize;
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Role {
    Read,
    Written,
    /// Written in part: what lies between stays.
    Updated,
}

#[derive(Clone, Copy)]
pub(super) struct Buffer {
    pub name: &'static str,
    pub address: usize,
    pub bytes: usize,
    pub role: Role,
}

impl Buffer {
    /// None at all.
    pub const NONE: Buffer = Buffer {
        name: "",
        address: 0,
        bytes: 0,
        role: Role::Read,
    };
}

/// Of a device's memory, what a call may use for what can be cut.
const SHARE: usize = 4;
/// Less is not tried where memory is short.
const LEAST_BUDGET: usize = 1 << 20;

/// Does `job`, which is told where its buffers are on the device.
pub(super) fn work<J: Job>(on: &mut On<'_>, buffers: &[Buffer], job: impl FnOnce(&[u64]) -> J) -> Result<()> {
    let device = Device::open(on.device)?;
    let _current = device.enter()?;
    if on.copied {
        return copied(device, buffers, job);
    }
    let mut addresses = try_with_room(buffers.len())?;
    for buffer in buffers {
        check_place(device, buffer)?;
        addresses.push(buffer.address as u64);
    }
    let job = job(&addresses);
    let budget = device.memory / SHARE;
    match &mut on.workspace {
        Workspace::Query(bytes) => {
            **bytes = job.plan(device, budget)?.bytes();
            Ok(())
        }
        Workspace::Given(address, bytes) => {
            let (name, role) = ("options.workspace", Role::Written);
            let (address, bytes) = (*address, *bytes);
            check_place(
                device,
                &Buffer {
                    name,
                    address,
                    bytes,
                    role,
                },
            )?;
            let plan = job.plan(device, budget)?;
            if bytes < plan.bytes() {
                argument_error!(
                    "workspace_size is {bytes}; expected at least {} for this call",
                    plan.bytes()
                );
            }
            let (stream, base) = (on.stream, address as u64);
            job.run(&plan, &Stream { device, stream, base })
        }
        Workspace::Own => allocated(device, &job, on.stream),
    }
}

/// With a workspace that is allocated here; a smaller one where memory is short.
fn allocated<J: Job>(device: &Device, job: &J, stream: usize) -> Result<()> {
    let mut budget = device.memory / SHARE;
    loop {
        let plan = job.plan(device, budget)?;
        match Memory::new(device, stream, plan.bytes()) {
            Ok(memory) => {
                let base = memory.address;
                job.run(&plan, &Stream { device, stream, base })?;
                return memory.free();
            }
            Err(Error::Memory(_)) if budget > LEAST_BUDGET => budget /= 2,
            Err(error) => return Err(error),
        }
    }
}

/// On copies of buffers in host memory, in a stream of its own that is waited for.
fn copied<J: Job>(device: &Device, buffers: &[Buffer], job: impl FnOnce(&[u64]) -> J) -> Result<()> {
    let own = OwnStream::new()?;
    let stream = own.0 as usize;
    let mut copies = try_with_room(buffers.len())?;
    let mut addresses = try_with_room(buffers.len())?;
    for buffer in buffers {
        let copy = Memory::new(device, stream, buffer.bytes)?;
        if buffer.role != Role::Written && buffer.bytes > 0 {
            // SAFETY: the caller of the library promised as many readable bytes, until the stream is done with them.
            check("cuMemcpyHtoDAsync", unsafe {
                sys::cuMemcpyHtoDAsync_v2(copy.address, buffer.address as *const c_void, buffer.bytes, own.0)
            })?;
        }
        addresses.push(copy.address);
        copies.push(copy);
    }
    allocated(device, &job(&addresses), stream)?;
    for (buffer, copy) in buffers.iter().zip(&copies) {
        if buffer.role != Role::Read && buffer.bytes > 0 {
            // SAFETY: as above, of writable bytes.
            check("cuMemcpyDtoHAsync", unsafe {
                sys::cuMemcpyDtoHAsync_v2(buffer.address as *mut c_void, copy.address, buffer.bytes, own.0)
            })?;
        }
    }
    for copy in copies {
        copy.free()?;
    }
    own.wait()
}

/// A stream of this call, done when it is dropped.
struct OwnStream(sys::CUstream);

impl OwnStream {
    fn new() -> Result<Self> {
        let mut stream = ptr::null_mut();
        let kind = sys::CUstream_flags::CU_STREAM_NON_BLOCKING as u32;
        // SAFETY: the context is current.
        check("cuStreamCreate", unsafe { sys::cuStreamCreate(&mut stream, kind) })?;
        Ok(OwnStream(stream))
    }

    fn wait(&self) -> Result<()> {
        // SAFETY: a stream of the current context.
        check("cuStreamSynchronize", unsafe { sys::cuStreamSynchronize(self.0) })
    }
}

impl Drop for OwnStream {
    fn drop(&mut self) {
        // After an error, which is the one to tell, copies may be under way to memory of the caller's.
        let _ = self.wait();
        // SAFETY: nobody else has it.
        let _ = unsafe { sys::cuStreamDestroy_v2(self.0) };
    }
}

/// That the device can reach a buffer: an address that it cannot would break the caller's context for good.
fn check_place(device: &Device, buffer: &Buffer) -> Result<()> {
    if buffer.bytes == 0 {
        return Ok(());
    }
    let ask = |which, value: &mut u32| {
        // SAFETY: these attributes are of 4 bytes.
        unsafe { sys::cuPointerGetAttribute(ptr::from_mut(value).cast(), which, buffer.address as u64) }
    };
    let (mut kind, mut managed, mut owner) = (0, 0, 0);
    let known = ask(Attribute::CU_POINTER_ATTRIBUTE_MEMORY_TYPE, &mut kind);
    if known == CUresult::CUDA_ERROR_INVALID_VALUE {
        if device.pageable {
            return Ok(());
        }
        argument_error!(
            "{} is {:#x}, which is not in the memory of a CUDA device; expected memory of device {}",
            buffer.name,
            buffer.address,
            device.index
        );
    }
    check("cuPointerGetAttribute", known)?;
    check(
        "cuPointerGetAttribute",
        ask(Attribute::CU_POINTER_ATTRIBUTE_IS_MANAGED, &mut managed),
    )?;
    let on_device = kind == sys::CUmemorytype::CU_MEMORYTYPE_DEVICE as u32 && managed & 0xff == 0;
    if on_device {
        check(
            "cuPointerGetAttribute",
            ask(Attribute::CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, &mut owner),
        )?;
        if owner as usize != device.index {
            argument_error!(
                "{} is in the memory of CUDA device {owner}; expected device {}, as device says",
                buffer.name,
                device.index
            );
        }
    }
    Ok(())
}
