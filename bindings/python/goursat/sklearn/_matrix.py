"""Matrices of signature kernels of batches, scaled and normalised."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from .._gram import sigkernel_gram
from .._kernel import sigkernel, sigkernel_backprop
from .._paths import Array
from ._batch import Batch

#: Numbers in the pairs of paths whose derivatives are computed at a time.
_AT_ONCE = 1 << 22


def gram(x: Batch, y: Optional[Batch] = None, **options: Any) -> Array:
    """Return the kernels of all pairs; without y those of x with itself, symmetric."""
    if y is None:
        return sigkernel_gram(x.values, x_lengths=x.lengths, **options)
    return sigkernel_gram(x.values, y.values, x_lengths=x.lengths, y_lengths=y.lengths, **options)


def norms(x: Batch, **options: Any) -> Array:
    """Return the norm of every signature, the root of k(x, x)."""
    return roots(sigkernel(x.values, x.values, x_lengths=x.lengths, y_lengths=x.lengths, **options))


def roots(squares: Array) -> Array:
    """Return the roots of kernels of paths with themselves, NaN where a coarse scheme makes them negative."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(squares)


def checked(norms: Array) -> Array:
    """Return norms that can be divided by, or raise."""
    wrong = impossible(norms)
    if wrong.any():
        path = int(np.argmax(wrong))
        raise ValueError(
            f"the norm of the signature of path {path} is {norms[path]}; expected a positive number: its increments "
            "are too large for dyadic_order, or it is too long for its dtype. Raise dyadic_order or lower scale"
        )
    return norms


def impossible(norms: Array) -> Array:
    """Return which norms cannot be divided by."""
    return np.asarray(~((norms > 0) & np.isfinite(norms)))


def scale_derivative(x: Batch, **options: Any) -> Array:
    """Return σ ∂/∂σ k(σx_i, σx_j) at σ = 1, for all pairs: a symmetric matrix.

    σ enters as σ² in the products of increments, so that both sides contribute the same: twice that of the first. Each
    pair needs a number of its own, not a sum over pairs: gradients are computed a block of the triangle at a time.
    """
    count = len(x.values)
    rows, columns = np.triu_indices(count)
    result = np.empty((count, count), x.values.dtype)
    step = max(1, _AT_ONCE // max(1, x.values[0].size))
    for begin in range(0, len(rows), step):
        i, j = rows[begin : begin + step], columns[begin : begin + step]
        first, second = x.take(i), x.take(j)
        lengths = {"x_lengths": first.lengths, "y_lengths": second.lengths}
        gradient = sigkernel_backprop(1.0, first.values, second.values, wrt="x", **lengths, **options)
        # Padding may be NaN, where the gradient is 0.
        result[i, j] = 2 * np.einsum("bld,bld->b", gradient, np.nan_to_num(first.values))
    result[columns, rows] = result[rows, columns]
    return result
