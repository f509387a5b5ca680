"""The CUDA devices that the library could use, and why not where it cannot."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from . import _native


@dataclass(frozen=True)
class CudaDevice:
    """A CUDA device: ``capability`` (9, 0) is sm_90, ``memory`` is in bytes, ``usable`` whether kernels run on it."""

    index: int
    name: str
    memory: int
    capability: tuple[int, int]
    multiprocessors: int
    driver_version: int
    usable: bool


def cuda_available() -> bool:
    """Return whether the library found a CUDA driver and a device that are new enough.

    Examples
    --------
    >>> goursat.cuda_available() == (goursat.cuda_reason() == "")
    True
    """
    return not cuda_reason()


def cuda_reason() -> str:
    """Return the library's sentence that says why CUDA cannot be used, and "" where it can.

    Examples
    --------
    >>> print(goursat.cuda_reason())  # doctest: +SKIP
    goursat_cuda_available: no CUDA driver was found
    """
    return _native.last_error() if _native.FUNCTIONS["cuda_available"]() else ""


def cuda_devices() -> list[CudaDevice]:
    """Return the CUDA devices that the driver has, usable or not; none where there is no driver.

    Examples
    --------
    >>> bool(goursat.cuda_devices()) or not goursat.cuda_available()
    True
    """
    count = ctypes.c_int32()
    if _native.FUNCTIONS["cuda_device_count"](ctypes.addressof(count)):
        return []
    return [_device(index) for index in range(count.value)]


def _device(index: int) -> CudaDevice:
    info = _native.CudaDeviceInfo(ctypes.sizeof(_native.CudaDeviceInfo))
    if _native.FUNCTIONS["cuda_device"](index, ctypes.addressof(info)):
        raise RuntimeError(_native.last_error())
    return CudaDevice(
        index=index,
        name=info.name.decode("utf-8", "replace"),
        memory=info.total_memory,
        capability=(info.capability_major, info.capability_minor),
        multiprocessors=info.multiprocessors,
        driver_version=info.driver_version,
        usable=info.status == _native.OK,
    )
