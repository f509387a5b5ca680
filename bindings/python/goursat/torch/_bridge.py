"""Where tensors become memory that the library reads: the only such place.

An operator on other devices than the CPU would be told apart here, its addresses and stream handed to the library.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

import goursat

#: Devices whose tensors are computed; tensors on "meta" have shapes alone.
DEVICES = ("cpu", "meta")


def run(name: str, *arguments: Any, **options: Any) -> Any:
    """Call ``goursat.<name>`` on tensors, which are not copied; return a tensor or a list of them."""
    arrays = (_seen(argument) for argument in arguments)
    result = getattr(goursat, name)(*arrays, **{key: _seen(option) for key, option in options.items()})
    if isinstance(result, tuple):
        return [torch.from_numpy(part) for part in result]
    return torch.as_tensor(result)  # one kernel is a NumPy scalar


def _seen(value: Any) -> Any:
    """Return a tensor as the array that it is, strides and all."""
    if isinstance(value, Tensor):
        return value.detach().resolve_neg().numpy()
    return value
