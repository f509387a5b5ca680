"""What the library says about CUDA devices."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from . import _native
from ._call import check


@dataclass(frozen=True)
class CudaDevice:
    """A CUDA device.

    Attributes
    ----------
    index : which one, as the driver counts.
    name : its name.
    memory : bytes of its memory.
    capability : compute capability, (9, 0) for sm_90.
    multiprocessors : how many it has.
    driver_version : the CUDA version that the driver brings, (12, 8) for 12.8.
    usable : whether the library's kernels run on it.

    Examples
    --------
    >>> goursat.CudaDevice(0, "GPU", 2**30, (9, 0), 132, (12, 8), True).capability
    (9, 0)
    """

    index: int
    name: str
    memory: int
    capability: tuple[int, int]
    multiprocessors: int
    driver_version: tuple[int, int]
    usable: bool


def cuda_available() -> bool:
    """Return whether arrays on CUDA devices can be computed here: a driver and a device that are new enough.

    `cuda_status` says why not.

    Examples
    --------
    >>> goursat.cuda_available() in (True, False)
    True
    """
    return not _native.FUNCTIONS["cuda_available"]()


def cuda_status() -> str:
    """Return "available", or the library's sentence that says why CUDA cannot be used here.

    Examples
    --------
    >>> (goursat.cuda_status() == "available") == goursat.cuda_available()
    True
    """
    return _native.last_error() if _native.FUNCTIONS["cuda_available"]() else "available"


def cuda_devices() -> list[CudaDevice]:
    """Return the CUDA devices that the driver has, usable or not; none where `cuda_status` says what is missing.

    Examples
    --------
    >>> all(device.memory > 0 for device in goursat.cuda_devices())
    True
    """
    count = ctypes.c_int32()
    if _native.FUNCTIONS["cuda_device_count"](ctypes.addressof(count)):
        return []
    return [_device(index) for index in range(count.value)]


def _device(index: int) -> CudaDevice:
    info = _native.CudaDeviceInfo(size=ctypes.sizeof(_native.CudaDeviceInfo))
    check(_native.FUNCTIONS["cuda_device"](index, ctypes.addressof(info)))
    return CudaDevice(
        index,
        info.name.decode("utf-8", "replace"),
        info.total_memory,
        (info.capability_major, info.capability_minor),
        info.multiprocessors,
        (info.driver_version // 1000, info.driver_version % 1000 // 10),
        info.status == _native.OK,
    )
