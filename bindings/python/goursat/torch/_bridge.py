"""Where tensors become memory that the library reads: the only such place.

Tensors of the CPU become arrays of NumPy, which share their memory. Those of a CUDA device stay tensors: PyTorch
allocates results and workspace there, on the stream that is current, which the work goes into.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

import goursat

from .. import _device

#: Devices whose tensors are computed; tensors on "meta" have shapes alone.
DEVICES = ("cpu", "cuda", "meta")


def run(name: str, *arguments: Any, **options: Any) -> Any:
    """Call ``goursat.<name>`` on tensors, which are not copied; return a tensor or a list of them.

    Arguments are numbers, options are lengths, which are read in host memory.
    """
    arrays = (_seen(argument) for argument in arguments)
    result = getattr(goursat, name)(*arrays, **{key: _host(option) for key, option in options.items()})
    if isinstance(result, tuple):
        return [_tensor(part) for part in result]
    return _tensor(result)


def _tensor(result: Any) -> Tensor:
    return torch.as_tensor(result)  # one kernel is a NumPy scalar, results of a device are tensors


def _seen(value: Any) -> Any:
    """Return a tensor as the array that it is, strides and all."""
    if not isinstance(value, Tensor):
        return value
    return _device.tensor_here(value) if _device.on_device(value) else _array(value)


def _host(value: Any) -> Any:
    """Return lengths as an array; those on a device are waited for."""
    return _array(value.cpu()) if isinstance(value, Tensor) else value


def _array(tensor: Tensor) -> Any:
    return tensor.detach().resolve_neg().numpy()
