"""Signature kernels of pairs of paths, the grid of the Goursat problem, and their gradients."""

from __future__ import annotations

import ctypes
from typing import Any, Literal, Optional, Union

import numpy as np
import numpy.typing as npt

from . import _native, _settings
from ._call import ProgressLike, call, check
from ._device import same
from ._paths import Array, Paths, Shape, address, common_dtype, given_gradient, native, read, real
from ._settings import DyadicOrder, LeadLag

Wrt = Literal["both", "x", "y"]


def sigkernel(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    dyadic_order: DyadicOrder = 0,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    x_lengths: Optional[npt.ArrayLike] = None,
    y_lengths: Optional[npt.ArrayLike] = None,
    return_grid: bool = False,
    n_threads: int = 0,
    progress: ProgressLike = False,
) -> Any:
    """Return the signature kernels k(x, y) = <S(x), S(y)> of pairs of paths.

    Parameters
    ----------
    x : array_like, shape (..., Lx, d), or a list of B arrays of shape (L_b, d)
        Paths of Lx points in d channels.
    y : array_like, shape (..., Ly, d), or a list of B arrays of shape (L_b, d)
        Their partners. The batch axes of x and y broadcast.
    dyadic_order : int or (int, int)
        Each increment is cut into 2^order pieces, of x and of y. Higher is closer to the kernel of the paths, and 2
        (4) times slower for every 1 of one (both) of them.
    time_aug, end_time, lead_lag
        Transforms of both paths, as in `signature`. The order of lead and lag does not matter here.
    x_lengths, y_lengths : array_like of int, optional
        Points of each path of a ragged batch, over the batch axes of x and of y.
    return_grid : bool
        Return the whole solution: the kernels of all initial pieces of the paths.
    n_threads, progress
        As in `signature`.

    Returns
    -------
    ndarray, shape (...), or a scalar
        With `return_grid` of shape (..., 2^λ1·Tx + 1, 2^λ2·Ty + 1), T being the number of increments of a path after
        its transforms. Nodes beyond the end of either path are NaN.

    Examples
    --------
    >>> x = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    >>> y = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> round(float(goursat.sigkernel(x, y, dyadic_order=6)), 3)
    4.252
    >>> goursat.sigkernel(x, [x, y, y + 7.0]).shape
    (3,)
    """
    first, second = read(x, "x"), read(y, "y")
    dtype = common_dtype(first, second)
    xs, ys = Paths(first, "x", dtype, x_lengths), Paths(second, "y", dtype, y_lengths)
    lead = _common_axes(xs, ys)
    xs.broadcast(lead)
    ys.broadcast(lead)
    x_order, y_order = _settings.orders(dyadic_order)
    options = _settings.options(_settings.flags(time_aug, lead_lag), end_time, x_order, y_order, n_threads)
    name, shape = ("sigkernel_grid", lead + _grid_shape(xs, ys, options)) if return_grid else ("sigkernel", lead)
    out = xs.empty(shape)
    call(
        name,
        dtype,
        (xs.address, xs.length, ys.address, ys.length, xs.batch, xs.dim, address(out), out.size),
        _settings.with_paths(options, xs, ys),
        xs.batch * pair_work(xs, ys, options),
        progress,
        xs.home,
    )
    return native(out) if shape or xs.home else out[()]


def sigkernel_backprop(
    grad: npt.ArrayLike,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    wrt: Wrt = "both",
    dyadic_order: DyadicOrder = 0,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    x_lengths: Optional[npt.ArrayLike] = None,
    y_lengths: Optional[npt.ArrayLike] = None,
    return_grid: bool = False,
    n_threads: int = 0,
    progress: ProgressLike = False,
) -> Any:
    """Return the gradients of a scalar F with respect to paths, from its gradient with respect to their kernels.

    They are exact: the derivative of what `sigkernel` computes.

    Parameters
    ----------
    grad : array_like, shape (...)
        ∂F/∂kernel, or what broadcasts to its shape; with `return_grid` ∂F/∂grid. Nodes of the grid beyond the end of
        either path are not read.
    wrt : {"both", "x", "y"}
        Which gradients are wanted. Both together cost little more than one.
    x, y, dyadic_order, time_aug, end_time, lead_lag, x_lengths, y_lengths, return_grid, n_threads, progress
        As in `sigkernel`.

    Returns
    -------
    (ndarray, ndarray), or one of them
        ∂F/∂x and ∂F/∂y, shaped as x and y: summed over axes along which x or y was broadcast. Zero beyond the end of a
        path with `x_lengths` or `y_lengths`. A list of arrays for a list.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0]])
    >>> y = np.array([[0.0], [2.0], [3.0]])
    >>> gx, gy = goursat.sigkernel_backprop(1.0, x, y)
    >>> gx.shape, gy.shape
    ((2, 1), (3, 1))
    """
    first, second = read(x, "x"), read(y, "y")
    given = _given(grad, first, second)
    dtype = common_dtype(first, second, given)
    xs, ys = Paths(first, "x", dtype, x_lengths), Paths(second, "y", dtype, y_lengths)
    lead = _common_axes(xs, ys)
    xs.separate(lead)
    ys.separate(lead)
    x_order, y_order = _settings.orders(dyadic_order)
    options = _settings.options(_settings.flags(time_aug, lead_lag), end_time, x_order, y_order, n_threads)
    if return_grid:
        name, shape = "sigkernel_grid_backprop", lead + _grid_shape(xs, ys, options)
    else:
        name, shape = "sigkernel_backprop", lead
    given = given_gradient(given, shape, xs)
    wanted = Gradients(wrt, xs, ys)
    call(
        name,
        dtype,
        (
            *(address(given), given.size),
            *(xs.address, xs.length, ys.address, ys.length, xs.batch, xs.dim),
            *wanted.arguments,
        ),
        _settings.with_paths(options, xs, ys),
        5 * xs.batch * pair_work(xs, ys, options),
        progress,
        xs.home,
    )
    return wanted.result()


class Gradients:
    """The gradients that a caller wants."""

    def __init__(self, wrt: str, x: Paths, y: Optional[Paths]) -> None:
        if wrt not in ("both", "x", "y"):
            raise ValueError(f'wrt is {wrt!r}; expected "both", "x" or "y"')
        self.parts = []
        arguments = []
        for side, paths in (("x", x), ("y", y)):
            if paths is None or wrt not in ("both", side):
                arguments += [None, 0]
                continue
            buffer = paths.empty_gradient()
            self.parts.append((paths, buffer))
            arguments += [address(buffer), buffer.size]
        self.arguments = tuple(arguments)

    def result(self) -> Any:
        """Return them as the caller gave the paths."""
        gradients = [paths.gradient(buffer) for paths, buffer in self.parts]
        return tuple(gradients) if len(gradients) == 2 else gradients[0]


def pair_work(x: Paths, y: Paths, options: _native.Options) -> float:
    """Return roughly how many multiplications the kernel of one pair takes."""
    cells = (4 if options.flags & _native.LEAD_LAG else 1) << (options.x_order + options.y_order)
    return float(x.length * y.length * (x.dim + 8 * cells))


def same_dim(x: Paths, y: Paths) -> None:
    """Raise where x and y are not in one space, or in different memory."""
    if x.home is not y.home:
        same(("y", y.home), ("x", x.home))
    if x.dim != y.dim:
        raise ValueError(f"y has {y.dim} channels and x has {x.dim}; expected the same number")


def _common_axes(x: Paths, y: Paths) -> Shape:
    same_dim(x, y)
    if x.lead == y.lead:
        return x.lead
    try:
        return np.broadcast_shapes(x.lead, y.lead)
    except ValueError:
        raise ValueError(f"the batch axes of x, {x.lead}, and of y, {y.lead}, do not broadcast") from None


def _grid_shape(x: Paths, y: Paths, options: _native.Options) -> tuple[int, int]:
    shape = (ctypes.c_size_t * 2)()
    rows = ctypes.addressof(shape)
    columns = rows + ctypes.sizeof(ctypes.c_size_t)
    check(_native.FUNCTIONS["grid_shape"](x.length, y.length, ctypes.addressof(options), rows, columns))
    return shape[0], shape[1]


def _given(grad: npt.ArrayLike, *paths: Union[Array, list[Array]]) -> Array:
    """Return a gradient; a Python number has the type of the paths."""
    if isinstance(grad, (int, float)):
        return np.asarray(grad, common_dtype(*paths))
    return real(grad, "grad")
