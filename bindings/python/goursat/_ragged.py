"""Paths of different lengths, padded to one array."""

from __future__ import annotations

import numpy as np

from ._paths import Array


def padded(arrays: list[Array], name: str) -> tuple[Array, Array]:
    """Return paths (L_b, d) as an array (B, L, d), zero beyond their ends, and their lengths."""
    dim = arrays[0].shape[1]
    for b, array in enumerate(arrays):
        if array.ndim != 2 or array.shape[1] != dim:
            raise ValueError(f"{name}[{b}] has shape {array.shape}; expected (length, {dim})")
    lengths = np.array([len(array) for array in arrays])
    values = np.zeros((len(arrays), lengths.max(), dim), np.result_type(*arrays))
    for row, array in zip(values, arrays):
        row[: len(array)] = array
    return values, lengths
