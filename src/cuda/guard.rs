//! Devices that calls have used, with their primary contexts, and the caller's current context put back.

use super::driver::check;
use super::modules::Function;
use super::presence::{attribute, device as describe, handle};
use crate::error::Result;
use cudarc::driver::sys::{self, CUdevice_attribute as Attribute};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A device in use. Its primary context, which all libraries share, is retained until the process ends.
pub(super) struct Device {
    pub index: usize,
    context: sys::CUcontext,
    /// Bytes of memory.
    pub memory: usize,
    pub processors: usize,
    /// Bytes of shared memory that a block may have.
    pub shared: usize,
    /// Whether memory can be allocated in the order of a stream.
    pub pools: bool,
    /// Whether its tensor cores multiply doubles at a higher rate than the rest of it, or at the same.
    pub tensor: bool,
    /// Whether it reads memory that the host allocated in its own way.
    pub pageable: bool,
    pub functions: Mutex<HashMap<String, Function>>,
}

// SAFETY: a context may be made current on any thread.
unsafe impl Send for Device {}
// SAFETY: as above; what changes is behind a mutex.
unsafe impl Sync for Device {}

/// Compute capabilities of devices made for double precision: on others the instruction is there, and slow.
const TENSOR_CORES: [(i32, i32); 3] = [(8, 0), (9, 0), (10, 0)];

/// A lock that a panic has not spoilt: what it guards is only ever added to.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Device {
    /// Device `index`, new enough, its context retained at first use. Fails in the child of a fork.
    pub fn open(index: usize) -> Result<&'static Device> {
        static OPEN: Mutex<Vec<&'static Device>> = Mutex::new(Vec::new());
        let handle = handle(index)?;
        let mut open = lock(&OPEN);
        if let Some(device) = open.iter().find(|device| device.index == index) {
            return Ok(device);
        }
        let info = describe(index)?;
        info.usable()?;
        let [shared, pools, pageable] = [
            Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
            Attribute::CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED,
            Attribute::CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS,
        ]
        .map(|which| attribute(handle, which));
        let (shared, pools, pageable) = (shared?, pools?, pageable?);
        let mut context = ptr::null_mut();
        // SAFETY: the driver is started, as there is a handle.
        check("cuDevicePrimaryCtxRetain", unsafe {
            sys::cuDevicePrimaryCtxRetain(&mut context, handle)
        })?;
        let device = Box::leak(Box::new(Device {
            index,
            context,
            memory: info.memory,
            processors: info.processors.max(1) as usize,
            shared: shared.max(0) as usize,
            pools: pools != 0,
            tensor: TENSOR_CORES.contains(&info.capability),
            pageable: pageable != 0,
            functions: Mutex::default(),
        }));
        open.push(device);
        Ok(device)
    }

    /// Makes its context current on this thread until what is returned is dropped.
    pub fn enter(&self) -> Result<Current> {
        // SAFETY: a retained context.
        check("cuCtxPushCurrent", unsafe { sys::cuCtxPushCurrent_v2(self.context) })?;
        Ok(Current(PhantomData))
    }
}

/// While it lives a device's context is the thread's current one; then that of the caller is again, if there was one.
pub(super) struct Current(PhantomData<*const ()>);

impl Drop for Current {
    fn drop(&mut self) {
        let mut context = ptr::null_mut();
        // SAFETY: takes away what `enter` put there. A failure changes nothing that could be undone.
        let _ = unsafe { sys::cuCtxPopCurrent_v2(&mut context) };
    }
}
