"""Matrices of signature kernels, and their gradients."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from . import _native, _settings
from ._call import ProgressLike, call
from ._kernel import Gradients, Wrt, pair_work, same_dim
from ._paths import Paths, address, common_dtype, given_gradient, native, read, real
from ._settings import DyadicOrder, LeadLag


def sigkernel_gram(
    x: npt.ArrayLike,
    y: Optional[npt.ArrayLike] = None,
    *,
    dyadic_order: DyadicOrder = 0,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    x_lengths: Optional[npt.ArrayLike] = None,
    y_lengths: Optional[npt.ArrayLike] = None,
    n_threads: int = 0,
    progress: ProgressLike = False,
) -> Any:
    """Return the matrix of the signature kernels of all pairs of paths of two batches.

    Parameters
    ----------
    x : array_like, shape (Bx, Lx, d), or a list of Bx arrays of shape (L_b, d)
        A batch of paths.
    y : array_like, shape (By, Ly, d), or a list of By arrays of shape (L_b, d), optional
        Another one. Without it the matrix is that of x with itself, at half the cost and symmetric to the last bit; it
        needs one dyadic order for both sides.
    dyadic_order, time_aug, end_time, lead_lag, x_lengths, y_lengths, n_threads, progress
        As in `sigkernel`.

    Returns
    -------
    ndarray, shape (Bx, By)
        Entry (i, j) is ``sigkernel(x[i], y[j])``.

    Examples
    --------
    >>> x = np.array([[[0.0], [1.0]], [[0.0], [2.0]]])
    >>> goursat.sigkernel_gram(x, dyadic_order=5).round(2)
    array([[ 2.28,  4.25],
           [ 4.25, 11.31]])
    """
    first, second = read(x, "x"), None if y is None else read(y, "y")
    dtype = common_dtype(*(values for values in (first, second) if values is not None))
    xs, ys = _batches(first, second, dtype, x_lengths, y_lengths)
    options = _options(ys, dyadic_order, time_aug, end_time, lead_lag, n_threads)
    out = xs.empty((xs.batch, xs.batch if ys is None else ys.batch))
    call(
        "sigkernel_gram",
        dtype,
        (*_sides(xs, ys), xs.dim, address(out), out.size),
        _settings.with_paths(options, xs, ys),
        (out.size if ys else out.size / 2) * pair_work(xs, ys or xs, options),
        progress,
        xs.home,
    )
    return native(out)


def sigkernel_gram_backprop(
    grad: npt.ArrayLike,
    x: npt.ArrayLike,
    y: Optional[npt.ArrayLike] = None,
    *,
    wrt: Wrt = "both",
    dyadic_order: DyadicOrder = 0,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    x_lengths: Optional[npt.ArrayLike] = None,
    y_lengths: Optional[npt.ArrayLike] = None,
    n_threads: int = 0,
    progress: ProgressLike = False,
) -> Any:
    """Return the gradients of a scalar F with respect to paths, from its gradient with respect to their Gram matrix.

    Parameters
    ----------
    grad : array_like, shape (Bx, By)
        ∂F/∂Gram, or what broadcasts to its shape.
    wrt : {"both", "x", "y"}
        Which gradients are wanted.
    x, y, dyadic_order, time_aug, end_time, lead_lag, x_lengths, y_lengths, n_threads, progress
        As in `sigkernel_gram`.

    Returns
    -------
    (ndarray, ndarray), or one of them
        ∂F/∂x and ∂F/∂y, shaped as x and y. Without `y`, the total derivative with respect to x alone: F depends on x
        through both sides of the matrix.

    Examples
    --------
    >>> x = np.array([[[0.0], [1.0]], [[0.0], [2.0]]])
    >>> goursat.sigkernel_gram_backprop(np.ones((2, 2)), x).shape
    (2, 2, 1)
    """
    first, second = read(x, "x"), None if y is None else read(y, "y")
    given = real(grad, "grad")
    dtype = common_dtype(given, *(values for values in (first, second) if values is not None))
    xs, ys = _batches(first, second, dtype, x_lengths, y_lengths)
    xs.separate(xs.lead)
    if ys is not None:
        ys.separate(ys.lead)
    elif wrt == "y":
        raise ValueError('wrt is "y" and y is None; expected "both" or "x", the total derivative')
    options = _options(ys, dyadic_order, time_aug, end_time, lead_lag, n_threads)
    given = given_gradient(given, (xs.batch, xs.batch if ys is None else ys.batch), xs)
    wanted = Gradients(wrt, xs, ys)
    call(
        "sigkernel_gram_backprop",
        dtype,
        (address(given), given.size, *_sides(xs, ys), xs.dim, *wanted.arguments),
        _settings.with_paths(options, xs, ys),
        5 * given.size * pair_work(xs, ys or xs, options),
        progress,
        xs.home,
    )
    return wanted.result()


def _batches(
    x: Any, y: Any, dtype: np.dtype[Any], x_lengths: Optional[npt.ArrayLike], y_lengths: Optional[npt.ArrayLike]
) -> tuple[Paths, Optional[Paths]]:
    xs = Paths(x, "x", dtype, x_lengths)
    if y is None and y_lengths is not None:
        raise ValueError("y_lengths are given without y")
    ys = None if y is None else Paths(y, "y", dtype, y_lengths)
    for name, paths in (("x", xs), ("y", ys)):
        if paths is not None and len(paths.lead) != 1:
            shape = (*paths.lead, paths.length, paths.dim)
            raise ValueError(f"{name} has shape {shape}; expected (batch, length, channels)")
    if ys is not None:
        same_dim(xs, ys)
    return xs, ys


def _options(
    y: Optional[Paths], dyadic_order: DyadicOrder, time_aug: bool, end_time: float, lead_lag: LeadLag, n_threads: int
) -> _native.Options:
    x_order, y_order = _settings.orders(dyadic_order)
    flags = _settings.flags(time_aug, lead_lag, _native.SYMMETRIC if y is None else 0)
    return _settings.options(flags, end_time, x_order, y_order, n_threads)


def _sides(x: Paths, y: Optional[Paths]) -> tuple[Any, ...]:
    if y is None:
        return x.address, x.batch, x.length, None, 0, 0
    return x.address, x.batch, x.length, y.address, y.batch, y.length
