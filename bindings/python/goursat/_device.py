"""Arrays in the memory of a CUDA device, as `Paths` sees arrays of NumPy: where they lie, and what is made of them.

Nothing here reads them: their own library, CuPy or PyTorch, allocates, casts and copies, on its current stream.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, Optional

import numpy as np

Shape = tuple[int, ...]

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)
#: kDLCUDA and kDLCUDAManaged of dlpack.h.
_DLPACK_CUDA = (2, 13)
_HOST_TYPES = (np.ndarray, list, tuple, int, float)


class Home:
    """A device, and the library whose arrays are in its memory: the same in both where methods are of this class."""

    def __init__(self, library: Any, index: int) -> None:
        self.library, self.index = library, index

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.index == self.index

    def __hash__(self) -> int:
        return hash((type(self), self.index))

    def __str__(self) -> str:
        return f"CUDA device {self.index} ({self.library.__name__})"

    def stream(self) -> int:
        """Return the current stream of the device, as the driver knows it."""
        raise NotImplementedError

    def empty(self, shape: Shape, dtype: np.dtype[Any]) -> DeviceArray:
        """Allocate an array in the order of that stream."""
        raise NotImplementedError

    def cast(self, native: Any, dtype: np.dtype[Any]) -> Any:
        """Return the numbers as another type."""
        raise NotImplementedError

    def dense(self, native: Any) -> Any:
        """Return a copy in C order."""
        raise NotImplementedError

    def broadcast(self, native: Any, shape: Shape) -> Any:
        """Return a view with repeated axes."""
        raise NotImplementedError

    def total(self, native: Any, axes: Shape) -> Any:
        """Return the sum over axes, which stay with one entry."""
        raise NotImplementedError

    def strides(self, native: Any) -> Shape:
        """Return strides in bytes."""
        raise NotImplementedError

    def address(self, native: Any) -> int:
        """Return where the first element is."""
        raise NotImplementedError


class TorchHome(Home):
    """A device of PyTorch."""

    @property
    def device(self) -> Any:
        return self.library.device("cuda", self.index)

    def stream(self) -> int:
        return int(self.library.cuda.current_stream(self.device).cuda_stream)

    def empty(self, shape: Shape, dtype: np.dtype[Any]) -> DeviceArray:
        kind = getattr(self.library, dtype.name)
        return DeviceArray(self.library.empty(shape, dtype=kind, device=self.device), self)

    def cast(self, native: Any, dtype: np.dtype[Any]) -> Any:
        return native.to(getattr(self.library, dtype.name))

    def dense(self, native: Any) -> Any:
        return native.clone(memory_format=self.library.contiguous_format)

    def broadcast(self, native: Any, shape: Shape) -> Any:
        return native.broadcast_to(shape)

    def total(self, native: Any, axes: Shape) -> Any:
        return native.sum(dim=axes, keepdim=True)

    def strides(self, native: Any) -> Shape:
        return tuple(stride * native.element_size() for stride in native.stride())

    def address(self, native: Any) -> int:
        return int(native.data_ptr())


class CupyHome(Home):
    """A device of CuPy."""

    def stream(self) -> int:
        with self.library.cuda.Device(self.index):
            return int(self.library.cuda.get_current_stream().ptr)

    def empty(self, shape: Shape, dtype: np.dtype[Any]) -> DeviceArray:
        with self.library.cuda.Device(self.index):
            return DeviceArray(self.library.empty(shape, dtype=dtype), self)

    def cast(self, native: Any, dtype: np.dtype[Any]) -> Any:
        with self.library.cuda.Device(self.index):
            return native.astype(dtype)

    def dense(self, native: Any) -> Any:
        with self.library.cuda.Device(self.index):
            return native.copy(order="C")

    def broadcast(self, native: Any, shape: Shape) -> Any:
        return self.library.broadcast_to(native, shape)

    def total(self, native: Any, axes: Shape) -> Any:
        with self.library.cuda.Device(self.index):
            return native.sum(axis=axes, keepdims=True)

    def strides(self, native: Any) -> Shape:
        return tuple(native.strides)

    def address(self, native: Any) -> int:
        return int(native.data.ptr)


class DeviceArray:
    """An array of a library and its home, with those attributes of a NumPy array that `Paths` asks for."""

    __slots__ = ("dtype", "home", "native", "shape")

    def __init__(self, native: Any, home: Home) -> None:
        self.native, self.home = native, home
        self.shape: Shape = tuple(native.shape)
        self.dtype = np.dtype(str(native.dtype).rpartition(".")[2])  # "torch.float32" or "float32"

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def strides(self) -> Shape:
        return self.home.strides(self.native)

    @property
    def address(self) -> int:
        return self.home.address(self.native)

    @property
    def contiguous(self) -> bool:
        """Whether the array is dense, in C order."""
        dense = self.itemsize
        for n, stride in reversed(list(zip(self.shape, self.strides))):
            if n != 1 and stride != dense:
                return self.size == 0
            dense *= n
        return True

    def __len__(self) -> int:
        return self.shape[0]

    def astype(self, dtype: np.dtype[Any], copy: bool = True) -> DeviceArray:
        """Return the numbers as another type; never copied where they have it."""
        return self if self.dtype == dtype else DeviceArray(self.home.cast(self.native, dtype), self.home)

    def dense(self) -> DeviceArray:
        """Return a copy in C order."""
        return DeviceArray(self.home.dense(self.native), self.home)

    def broadcast(self, shape: Shape) -> DeviceArray:
        """Return a view with repeated axes; ValueError where there is none."""
        np.broadcast_shapes(self.shape, shape)  # the libraries' own errors differ
        return DeviceArray(self.home.broadcast(self.native, shape), self.home)

    def total(self, axes: Shape) -> DeviceArray:
        """Return the sum over axes, which stay with one entry."""
        return DeviceArray(self.home.total(self.native, axes), self.home) if axes else self

    def reshape(self, *shape: int) -> DeviceArray:
        """Return the numbers in another shape."""
        return DeviceArray(self.native.reshape(shape), self.home)


def adopt(value: Any, name: str) -> Optional[DeviceArray]:
    """Return what lies in the memory of a CUDA device as float32 or float64, or None for all else."""
    if isinstance(value, _HOST_TYPES):
        return None
    if isinstance(value, DeviceArray):
        return _real(value, name)
    native = value if _library(value) in ("torch", "cupy") else _foreign(value, name)
    if native is None:
        return None
    if _library(native) == "torch":
        return _real(_of_torch(native, name), name)
    return _real(DeviceArray(native, CupyHome(sys.modules["cupy"], int(native.device.id))), name)


def _library(value: Any) -> str:
    """Return "torch" or "cupy" for arrays of these, whatever their class is called."""
    for library, kind in (("torch", "Tensor"), ("cupy", "ndarray")):
        if isinstance(value, getattr(sys.modules.get(library), kind, ())):
            return library
    return ""


def _of_torch(tensor: Any, name: str) -> Optional[DeviceArray]:
    if not on_device(tensor):
        return None
    if tensor.requires_grad:
        raise TypeError(f"{name} is a tensor that requires grad; expected others here: goursat.torch differentiates")
    return tensor_here(tensor)


def on_device(tensor: Any) -> bool:
    """Whether a tensor is in the memory of a CUDA device."""
    return bool(tensor.is_cuda)


def tensor_here(tensor: Any) -> DeviceArray:
    """Return a tensor of a CUDA device as it lies there."""
    torch = sys.modules["torch"]
    if tensor.dtype == torch.bfloat16:  # which NumPy does not know
        tensor = tensor.to(torch.float64)
    return DeviceArray(tensor.detach().resolve_neg(), TorchHome(torch, tensor.device.index))


def _foreign(value: Any, name: str) -> Any:
    """Return another library's array as one of CuPy or PyTorch, which share its memory; None if it is in host memory.

    They also make their stream wait for the one that the array comes with.
    """
    interface = hasattr(value, "__cuda_array_interface__")
    if not interface:
        tell = getattr(value, "__dlpack_device__", None)
        if tell is None or tell()[0] not in _DLPACK_CUDA:
            return None
    for library in ("cupy", "torch"):
        try:
            module = importlib.import_module(library)
        except ImportError:
            continue
        if not interface:
            return module.from_dlpack(value)
        return module.asarray(value) if library == "cupy" else module.as_tensor(value, device="cuda")
    raise TypeError(
        f"{name} is a {type(value).__name__} in the memory of a CUDA device, and neither CuPy nor PyTorch is here to "
        "hold results; expected one of them installed, or an array in host memory"
    )


def _real(array: Optional[DeviceArray], name: str) -> Optional[DeviceArray]:
    """Return float32 or float64 numbers, as `_paths.real` does."""
    if array is None or array.dtype is _F32 or array.dtype is _F64:
        return array
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} has dtype {array.dtype}; expected real numbers")
    return array.astype(_F32 if array.dtype == _F32 else _F64)


def same(first: tuple[str, Optional[Home]], second: tuple[str, Optional[Home]]) -> None:
    """Raise where two arrays lie in different places."""
    (one, here), (other, there) = first, second
    if here != there:
        raise ValueError(
            f"{one} is on {here or 'the CPU'} and {other} is on {there or 'the CPU'}; expected both in one place"
        )
