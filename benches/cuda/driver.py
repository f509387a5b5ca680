"""The part of the CUDA driver's interface that timing needs, by ctypes: no toolkit, no package."""

import ctypes
import os

import numpy as np

HANDLE = ctypes.c_void_p
SHARED_A_BLOCK, SHARED_OPT_IN, PROCESSORS, MAJOR, MINOR = 8, 97, 16, 75, 76


class Driver:
    """One device, its primary context current."""

    def __init__(self, device=0):
        # GOURSAT_LIBCUDA: another library in the driver's place, as the tests have.
        self.library = ctypes.CDLL(os.environ.get("GOURSAT_LIBCUDA", "libcuda.so.1"))
        self.call("cuInit", 0)
        self.device = ctypes.c_int()
        self.call("cuDeviceGet", ctypes.byref(self.device), device)
        self.context = HANDLE()
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(self.context), self.device)
        self.call("cuCtxSetCurrent", self.context)
        self.processors = self.attribute(PROCESSORS)
        self.shared = self.attribute(SHARED_OPT_IN)
        self.capability = self.attribute(MAJOR), self.attribute(MINOR)

    def call(self, name, *args):
        status = getattr(self.library, name)(*args)
        if status:
            raise RuntimeError(f"{name}: CUDA status {status}")

    def attribute(self, which):
        value = ctypes.c_int()
        self.call("cuDeviceGetAttribute", ctypes.byref(value), which, self.device)
        return value.value

    def name(self):
        buffer = ctypes.create_string_buffer(100)
        self.call("cuDeviceGetName", buffer, 100, self.device)
        return f"{buffer.value.decode()}, sm_{self.attribute(MAJOR)}{self.attribute(MINOR)}"

    def synchronize(self):
        self.call("cuCtxSynchronize")


class Buffer:
    """Device memory; `address` is what kernels get."""

    def __init__(self, driver, size, like=None):
        self.driver, self.bytes, self.address = driver, max(1, int(size)), ctypes.c_uint64()
        driver.call("cuMemAlloc_v2", ctypes.byref(self.address), ctypes.c_size_t(self.bytes))
        if like is not None:
            driver.call("cuMemcpyHtoD_v2", self.address, like.ctypes.data_as(HANDLE), ctypes.c_size_t(like.nbytes))

    @classmethod
    def of(cls, driver, array):
        array = np.ascontiguousarray(array)
        return cls(driver, array.nbytes, array)

    def zero(self):
        self.driver.call("cuMemsetD8_v2", self.address, ctypes.c_ubyte(0), ctypes.c_size_t(self.bytes))

    def host(self, shape, dtype):
        array = np.empty(shape, dtype)
        self.driver.call("cuMemcpyDtoH_v2", array.ctypes.data_as(HANDLE), self.address, ctypes.c_size_t(array.nbytes))
        return array

    def __del__(self):
        self.driver.library.cuMemFree_v2(self.address)


class Module:
    """A file of PTX, assembled by the driver."""

    def __init__(self, driver, path):
        self.driver, self.handle, self.functions = driver, HANDLE(), {}
        self.text = path.read_bytes() + b"\0"
        driver.call("cuModuleLoadData", ctypes.byref(self.handle), self.text)

    def function(self, name):
        if name not in self.functions:
            function = HANDLE()
            self.driver.call("cuModuleGetFunction", ctypes.byref(function), self.handle, name.encode())
            self.functions[name] = function
        return self.functions[name]

    def launch(self, name, args, threads=128, shared=0, blocks=None):
        """Launches with one struct of arguments; without `blocks`, as many as the device holds at once."""
        function = self.function(name)
        if shared > 48 << 10:
            self.driver.call("cuFuncSetAttribute", function, SHARED_A_BLOCK, ctypes.c_int(shared))
        if blocks is None:
            blocks = self.resident(name, threads, shared)
        pointers = (HANDLE * 1)(ctypes.cast(ctypes.pointer(args), HANDLE))
        sizes = [ctypes.c_uint(n) for n in (blocks, 1, 1, threads, 1, 1, shared)]
        self.driver.call("cuLaunchKernel", function, *sizes, HANDLE(0), pointers, HANDLE(0))

    def resident(self, name, threads, shared):
        function, count = self.function(name), ctypes.c_int()
        if shared > 48 << 10:
            self.driver.call("cuFuncSetAttribute", function, SHARED_A_BLOCK, ctypes.c_int(shared))
        self.driver.call(
            "cuOccupancyMaxActiveBlocksPerMultiprocessor",
            ctypes.byref(count), function, ctypes.c_int(threads), ctypes.c_size_t(shared),
        )
        return max(1, count.value) * self.driver.processors
