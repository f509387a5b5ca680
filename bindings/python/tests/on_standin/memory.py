"""Device memory of the stand-in for the driver, which is the host's, and libraries whose arrays are in it.

Nothing of this is CuPy or CUDA in PyTorch: it has what Goursat asks of them.
"""

import ctypes
import types

import numpy as np

driver = ctypes.CDLL("libcuda.so")


def start():
    """Make a context current: allocations need one."""
    context = ctypes.c_void_p()
    assert driver.cuInit(0) == 0
    assert driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
    assert driver.cuCtxSetCurrent(context) == 0


def launches():
    return driver.standin_launches()


def synchronize():
    assert driver.cuCtxSynchronize() == 0


def allocate(shape, dtype):
    """Return a NumPy array in device memory, NaN at first."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape, dtype=np.int64))
    address = ctypes.c_uint64()
    assert driver.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(max(count * dtype.itemsize, 1))) == 0
    if not count:
        return np.empty(shape, dtype)
    raw = (ctypes.c_char * (count * dtype.itemsize)).from_address(address.value)
    array = np.frombuffer(raw, dtype).reshape(shape)
    array[...] = np.nan if dtype.kind == "f" else 0xA5
    return array


class Array:
    """What Goursat asks of cupy.ndarray; other operations are errors."""

    def __init__(self, values, index=0):
        self.values = values
        self.device = types.SimpleNamespace(id=index)
        self.data = types.SimpleNamespace(ptr=values.ctypes.data)
        self.shape, self.dtype, self.strides, self.ndim = values.shape, values.dtype, values.strides, values.ndim

    def astype(self, dtype):
        return copied(self.host().astype(dtype))

    def copy(self, order):
        assert order == "C"
        return copied(self.host())

    def sum(self, axis, keepdims):
        return copied(self.host().sum(axis=axis, keepdims=keepdims))

    def reshape(self, shape, *more):
        shape = (shape, *more) if more else shape
        dense = self.values.flags.c_contiguous
        return Array(self.values.reshape(shape)) if dense else copied(self.host().reshape(shape))

    def __getitem__(self, index):
        return Array(self.values[index])

    def __setitem__(self, index, value):
        self.values[index] = value.host() if isinstance(value, Array) else value

    def __iter__(self):
        return (Array(values) for values in self.values)

    def host(self):
        """Return the numbers when the stream is through."""
        synchronize()
        return np.array(self.values)


def copied(values):
    """Return an array of the device with these numbers."""
    array = allocate(values.shape, values.dtype)
    array[...] = values
    return Array(array)


class Device:
    def __init__(self, index):
        assert index == 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


def cupy():
    """Return a module in the place of CuPy."""
    module = types.ModuleType("cupy")
    module.ndarray = Array
    module.empty = lambda shape, dtype: Array(allocate(shape, dtype))
    module.broadcast_to = lambda array, shape: Array(np.broadcast_to(array.values, shape))
    stream = types.SimpleNamespace(ptr=0)
    module.cuda = types.SimpleNamespace(Device=Device, get_current_stream=lambda: stream)
    module.asarray = lambda value: Array(np.asarray(Shared(value.__cuda_array_interface__)))
    module.from_dlpack = lambda value: Array(value.values)
    return module


class Shared:
    """Memory that an interface describes, as NumPy sees it."""

    def __init__(self, interface):
        self.__array_interface__ = interface
