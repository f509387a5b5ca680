"""Batches of paths as NumPy holds them, described to the library where they lie; copied only where they must be.

On CUDA devices, CuPy or PyTorch holds them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from math import prod
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

from ._device import DeviceArray, Home, adopt, same

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
_INT64 = np.dtype(np.int64)


def address(array: Array) -> int:
    """Return where an array begins; the short way, which writable dense arrays have, takes a quarter of the time."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):
        return array.address if isinstance(array, DeviceArray) else int(array.ctypes.data)


def empty(shape: Shape, dtype: np.dtype[Any], home: Optional[Home]) -> Array:
    """Return an array for results where the paths are: a `DeviceArray` on a device."""
    return np.empty(shape, dtype) if home is None else home.empty(shape, dtype)  # type: ignore[return-value]


def native(array: Any) -> Any:
    """Return an array as its own library knows it, to give to the caller."""
    return array.native if isinstance(array, DeviceArray) else array


def real(value: npt.ArrayLike, name: str) -> Array:
    """Return ``value`` as a float32 or float64 array of native byte order."""
    if type(value) is not np.ndarray:
        there = adopt(value, name)
        if there is not None:
            return there  # type: ignore[return-value]
    array = np.asarray(value)
    dtype = array.dtype
    if dtype is F64 or dtype is F32:
        return array
    if dtype.kind not in "fiub":
        raise TypeError(f"{name} has dtype {dtype}; expected real numbers")
    target = F32 if dtype.kind == "f" and dtype.itemsize == 4 else F64
    return array.view(target) if dtype == target else array.astype(target)


def read(value: npt.ArrayLike, name: str) -> Union[Array, list[Array]]:
    """Return paths as an array (..., length, channels), or as a list of arrays (length, channels): a ragged batch."""
    if isinstance(value, (list, tuple)):
        if not value:
            raise ValueError(f"{name} is empty; expected paths, or an array of shape (0, length, channels)")
        if np.ndim(value[0]) == 2:
            return _read_list(value, name)
    array = real(value, name)
    if array.ndim < 2:
        raise ValueError(f"{name} has shape {array.shape}; expected (..., length, channels)")
    return array


def _read_list(paths: Sequence[npt.ArrayLike], name: str) -> list[Array]:
    arrays = [real(path, f"{name}[{b}]") for b, path in enumerate(paths)]
    dim = arrays[0].shape[1]
    for b, array in enumerate(arrays):
        if array.ndim != 2 or array.shape[1] != dim:
            raise ValueError(f"{name}[{b}] has shape {array.shape}; expected (length, {dim})")
        same((f"{name}[{b}]", home_of(array)), (f"{name}[0]", home_of(arrays[0])))
    return arrays


def home_of(array: Any) -> Optional[Home]:
    """Return the device where an array is; None for host memory."""
    return array.home if isinstance(array, DeviceArray) else None


def common_dtype(*values: Union[Array, list[Array]]) -> np.dtype[Any]:
    """Return float32 where everything is float32, else float64."""
    for value in values:
        for array in value if isinstance(value, list) else (value,):
            if array.dtype is not F32:
                return F64
    return F32


class Paths:
    """A batch of paths where it lies.

    Attributes
    ----------
    own : the batch axes as they were given.
    lead, batch : the batch axes after broadcasting, and their product.
    length, dim : the most points of a path, and its channels.
    array : keeps the memory alive.
    address, size : lowest address and number of elements that the paths span; size 0 where they are dense.
    strides : from path to path, point to point, channel to channel, in elements; None where they are dense.
    starts, lengths : int64 arrays over the batch, or None.
    counts : lengths of the paths of a list, whose gradient is a list; None for an array.
    home : the device where they are; None for host memory.
    packed : whether they are the paths of a list, one after the other.
    """

    __slots__ = (
        *("own", "lead", "batch", "length", "dim", "array", "address", "size"),
        *("strides", "starts", "lengths", "counts", "home", "packed"),
    )

    own: Shape
    lead: Shape
    array: Array
    strides: Optional[tuple[int, int, int]]
    starts: Optional[Array]
    lengths: Optional[Array]
    counts: Optional[Array]
    home: Optional[Home]

    def __init__(
        self,
        value: Union[Array, list[Array]],
        name: str,
        dtype: np.dtype[Any],
        lengths: Optional[npt.ArrayLike] = None,
    ) -> None:
        self.strides = self.starts = self.lengths = self.counts = None
        self.size = 0
        self.packed = isinstance(value, list)
        self.home = home_of(value[0] if isinstance(value, list) else value)
        if isinstance(value, list):
            if lengths is not None:
                raise ValueError(f"{name} is a list, whose paths have lengths of their own; expected no others")
            self._pack(value, dtype)
            return
        array = value if value.dtype is dtype else value.astype(dtype)
        shape = array.shape
        self.own = self.lead = shape[:-2]
        self.batch = prod(self.own)
        self.length, self.dim = shape[-2:]
        self._locate(array)
        if lengths is not None:
            self.lengths = _integers(lengths, name, self.lead)

    @property
    def plain(self) -> bool:
        """Whether address and shape say everything."""
        return self.strides is None and self.lengths is None

    def _pack(self, paths: list[Array], dtype: np.dtype[Any]) -> None:
        counts = np.array([len(path) for path in paths], _INT64)
        self.own = self.lead = (len(paths),)
        self.batch = len(paths)
        self.length, self.dim = int(counts.max()), paths[0].shape[1]
        self.array = _joined([path.astype(dtype, copy=False).reshape(-1) for path in paths], self.home)
        self.address, self.size = address(self.array), self.array.size
        self.lengths = self.counts = counts
        self.starts = np.concatenate([[0], np.cumsum(counts * self.dim)[:-1]]).astype(_INT64)

    def _locate(self, array: Array) -> None:
        """Describe an array of shape ``lead + (length, dim)``."""
        first, item = address(array), array.itemsize
        self.array, self.address = array, first
        self.strides, self.starts, self.size = None, None, 0
        contiguous = array.flags.c_contiguous if self.home is None else array.contiguous  # type: ignore[attr-defined]
        if (contiguous and not first % item) or array.size == 0:
            return
        if first % item or any(stride % item for stride in array.strides):  # unaligned, or within records
            self._locate(_copied(array))
            return
        strides = [stride // item if n > 1 else 0 for n, stride in zip(array.shape, array.strides)]
        reach = [(n - 1) * stride for n, stride in zip(array.shape, strides)]
        lowest = sum(r for r in reach if r < 0)
        path = _one_stride(array.shape[:-2], strides[:-2])
        if path is None or lowest < 0:
            starts = np.array(-lowest, _INT64)
            for n, stride in zip(array.shape[:-2], strides[:-2]):
                starts = starts[..., None] + np.arange(n, dtype=_INT64) * stride
            self.starts = np.ascontiguousarray(starts.reshape(-1))
            path = 1
        # The stride of an axis with one entry is free. All three 0 would mean dense.
        extents = (self.batch, *array.shape[-2:])
        path, point, channel = (s or int(n == 1) for n, s in zip(extents, (path, *strides[-2:])))
        if not (path or point or channel):  # one number everywhere
            self._locate(_copied(array))
            return
        self.address = first + lowest * item
        self.size = sum(map(abs, reach)) + 1
        self.strides = (path, point, channel)

    def broadcast(self, lead: Shape) -> None:
        """Repeat the paths along broadcast axes, without a copy."""
        if lead == self.lead:
            return
        if self.lengths is not None:
            self.lengths = _spread(self.lengths, self.lead, lead)
        self.batch = prod(lead)
        if self.packed:
            assert self.starts is not None
            self.starts = _spread(self.starts, self.lead, lead)
        else:
            self._locate(_broadcast(self.array, lead + self.array.shape[-2:]))
        self.lead = lead

    def separate(self, lead: Shape) -> None:
        """Broadcast so that every path has a place of its own in a gradient, with copies where it takes them."""
        if self.packed and lead != self.lead:  # paths that share their elements would share their gradients
            assert self.counts is not None
            self.packed = False
            self._locate(self._padded())
        self.broadcast(lead)
        if self.starts is not None and not self.packed:  # a gradient lies as its paths do
            self._locate(_copied(self.array))

    def _padded(self) -> Array:
        """Return the paths of a list as one array, anything beyond their ends."""
        assert self.counts is not None
        padded = empty((self.batch, self.length, self.dim), self.array.dtype, self.home)
        rows = native(self.array).reshape(-1, self.dim)
        for target, count, end in zip(native(padded), self.counts, np.cumsum(self.counts)):
            target[:count] = rows[end - count : end]
        return padded

    def empty(self, shape: Shape) -> Array:
        """Return an array for results where the paths are."""
        return empty(shape, self.array.dtype, self.home)

    def empty_gradient(self) -> Array:
        """Return a buffer for the gradient of separated paths."""
        shape = self.array.shape if self.packed else (*self.lead, self.length, self.dim)
        return self.empty(shape)

    def gradient(self, buffer: Array) -> Any:
        """Return the gradient in the shape in which the paths were given, summed over broadcast axes."""
        if self.packed:
            assert self.counts is not None
            rows = native(buffer).reshape(-1, self.dim)
            return [rows[end - count : end] for count, end in zip(self.counts, np.cumsum(self.counts))]
        if self.lead != self.own:
            new = len(self.lead) - len(self.own)
            kept = [i + new for i, n in enumerate(self.own) if n == 1 and self.lead[i + new] != 1]
            buffer = _total(buffer, (*range(new), *kept)).reshape(*self.own, self.length, self.dim)
        result = native(buffer)
        return result if self.counts is None else [path[:n] for path, n in zip(result, self.counts)]


def _copied(array: Array) -> Array:
    return array.dense() if isinstance(array, DeviceArray) else np.array(array, order="C", subok=False)


def _broadcast(array: Array, shape: Shape) -> Array:
    return array.broadcast(shape) if isinstance(array, DeviceArray) else np.broadcast_to(array, shape)


def _total(array: Array, axes: Shape) -> Array:
    if isinstance(array, DeviceArray):
        return array.total(axes)
    total: Array = array.sum(axis=axes, keepdims=True)
    return total


def _joined(parts: list[Array], home: Optional[Home]) -> Array:
    """Return arrays of one axis as one."""
    if home is None:
        return np.concatenate(parts)
    whole = empty((sum(part.size for part in parts),), parts[0].dtype, home)
    begin = 0
    for part in parts:
        native(whole)[begin : begin + part.size] = native(part)
        begin += part.size
    return whole


def _one_stride(shape: Shape, strides: Sequence[int]) -> Optional[int]:
    """Return the stride that walks over all the axes in C order, or None where there is no such stride."""
    axes = [(n, stride) for n, stride in zip(shape, strides) if n != 1]
    for (_, outer), (n, inner) in zip(axes, axes[1:]):
        if outer != n * inner:
            return None
    return axes[-1][1] if axes else 0


def _spread(values: Array, lead: Shape, to: Shape) -> Array:
    return np.ascontiguousarray(np.broadcast_to(values.reshape(lead), to).reshape(-1))


def _integers(lengths: npt.ArrayLike, name: str, lead: Shape) -> Array:
    array = np.asarray(lengths)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}_lengths has dtype {array.dtype}; expected integers")
    try:
        return np.ascontiguousarray(np.broadcast_to(array, lead).reshape(-1), _INT64)
    except ValueError:
        raise ValueError(f"{name}_lengths has shape {array.shape}; expected {lead}, the batch axes of {name}") from None


def given_gradient(grad: Array, shape: Shape, paths: Paths) -> Array:
    """Return a gradient that a caller gives, dense, of this shape, and of the type and in the place of the paths."""
    dtype = paths.array.dtype
    if isinstance(grad, DeviceArray) or paths.home is not None:
        return _gradient_there(grad, shape, dtype, paths)
    if grad.shape != shape:
        if grad.ndim == 0:
            return np.full(shape, grad, dtype)
        try:
            grad = np.broadcast_to(grad, shape)
        except ValueError:
            raise ValueError(f"grad has shape {grad.shape}; expected {shape}") from None
    if grad.dtype is dtype and grad.flags.c_contiguous and grad.flags.aligned:
        return grad
    return np.require(grad, dtype, ["C", "A"])


def _gradient_there(grad: Array, shape: Shape, dtype: np.dtype[Any], paths: Paths) -> Array:
    """Return a gradient on a device; a number in host memory may go there, as it goes into any operation."""
    if grad.ndim == 0 and home_of(grad) is None:
        filled = paths.empty(shape)
        native(filled)[...] = float(grad)
        return filled
    same(("grad", home_of(grad)), ("the paths", paths.home))
    try:
        grad = _broadcast(grad.astype(dtype, copy=False), shape)
    except ValueError:
        raise ValueError(f"grad has shape {grad.shape}; expected {shape}") from None
    return dense(grad)


def dense(array: Array) -> Array:
    """Return an array in C order, a copy where it takes one."""
    if isinstance(array, DeviceArray):
        return array if array.contiguous else array.dense()
    return np.require(array, None, ["C", "A"])
