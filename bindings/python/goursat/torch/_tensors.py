"""What users give: tensors or lists of them, made paths of one type on one device."""

from __future__ import annotations

from typing import Any, Optional, Union

import torch
from torch import Tensor

from ._bridge import DEVICES

#: Paths as users give them.
PathsLike = Union[Tensor, list[Tensor], tuple[Tensor, ...]]

_HALF = (torch.float16, torch.bfloat16)


def read(*given: tuple[str, Any, Any]) -> list[tuple[Tensor, Optional[Tensor]]]:
    """Return paths and their lengths from (name, paths, lengths), all of the same type.

    A list of (L_b, d) tensors is padded to (B, L, d) and has lengths of its own.
    """
    values = _one_type([_tensors(name, paths) for name, paths, _ in given])
    result = []
    for (name, paths, lengths), tensors in zip(given, values):
        if isinstance(paths, Tensor):
            result.append((tensors[0], _lengths(name, lengths)))
        elif lengths is not None:
            raise ValueError(f"{name} is a list, whose paths have lengths of their own; expected no others")
        else:
            counts = torch.tensor([tensor.shape[0] for tensor in tensors])
            result.append((torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True), counts))
    return result


def read_each(name: str, paths: Any) -> list[Tensor]:
    """Return the paths of a list, all of the same type."""
    return _one_type([_tensors(name, paths)])[0]


def is_list(paths: Any) -> bool:
    """Whether paths are a ragged batch, and results of their shape a list."""
    return isinstance(paths, (list, tuple))


def _tensors(name: str, paths: Any) -> list[Tensor]:
    if not is_list(paths):
        _check(name, paths)
        if paths.ndim < 2:
            raise ValueError(f"{name} has shape {tuple(paths.shape)}; expected (..., length, channels)")
        return [paths]
    if not paths:
        raise ValueError(f"{name} is empty; expected paths, or a tensor of shape (0, length, channels)")
    for b, path in enumerate(paths):
        _check(f"{name}[{b}]", path)
        if path.ndim != 2 or path.shape[1] != paths[0].shape[-1]:
            dim = paths[0].shape[1] if paths[0].ndim == 2 else "channels"
            raise ValueError(f"{name}[{b}] has shape {tuple(path.shape)}; expected (length, {dim})")
    return list(paths)


def _one_type(values: list[list[Tensor]]) -> list[list[Tensor]]:
    flat = [tensor for tensors in values for tensor in tensors]
    for tensor in flat:
        if tensor.device != flat[0].device:
            raise ValueError(f"tensors are on {flat[0].device} and on {tensor.device}; expected one device")
    dtype = torch.float32 if all(tensor.dtype == torch.float32 for tensor in flat) else torch.float64
    return [[tensor.to(dtype) for tensor in tensors] for tensors in values]


def _check(name: str, tensor: Any) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} is a {type(tensor).__name__}; expected a torch.Tensor or a list of them")
    if tensor.layout != torch.strided or tensor.is_nested:
        raise TypeError(f"{name} is not a dense tensor; expected one, or a list of tensors for a ragged batch")
    if tensor.device.type not in DEVICES:
        raise NotImplementedError(f"{name} is on {tensor.device}; expected the CPU or a CUDA device")
    if tensor.dtype in _HALF or (tensor.is_floating_point() and tensor.dtype.itemsize < 4):
        raise TypeError(
            f"{name} has dtype {tensor.dtype}; expected torch.float32 or torch.float64: the increments of a path lose "
            "too much in half precision. Convert it where its digits are still there, or here by .float()"
        )
    if tensor.is_complex() or tensor.is_quantized:
        raise TypeError(f"{name} has dtype {tensor.dtype}; expected real numbers")


def _lengths(name: str, lengths: Any) -> Optional[Tensor]:
    if lengths is None:
        return None
    tensor = torch.as_tensor(lengths)
    if tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool:
        raise TypeError(f"{name}_lengths has dtype {tensor.dtype}; expected integers")
    return tensor.to(torch.int64)
