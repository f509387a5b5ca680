"""Time augmentation and lead-lag as functions of their own, and their adjoints.

The other functions apply them on the fly: these are for looking at, and for what comes in between.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

import numpy.typing as npt

from . import _native, _settings
from ._call import call
from ._paths import Paths, Shape, address, common_dtype, dense, empty, home_of, native, read


def time_augment(path: npt.ArrayLike, *, end_time: float = 1.0, lengths: Optional[npt.ArrayLike] = None) -> Any:
    """Append time as the last channel: i·end_time/(L-1) at point i.

    Parameters
    ----------
    path : array_like, shape (..., L, d), or a list of arrays of shape (L_b, d)
        Paths of L points in d channels.
    end_time : float
        Time of the last point.
    lengths : array_like of int, shape (...), optional
        Points of each path of a ragged batch; time runs over these. The rest of the result is zero.

    Returns
    -------
    ndarray, shape (..., L, d + 1)
        A list of arrays where `path` is a list.

    Examples
    --------
    >>> goursat.time_augment([[5.0], [7.0], [6.0]])
    array([[5. , 0. ],
           [7. , 0.5],
           [6. , 1. ]])
    """
    return _apply("time_augment", path, lengths, 0, end_time, lambda length, dim: (length, dim + 1))


def time_augment_backprop(grad: npt.ArrayLike, *, lengths: Optional[npt.ArrayLike] = None) -> Any:
    """Return the gradient with respect to paths, from the gradient with respect to the result of `time_augment`.

    Parameters
    ----------
    grad : array_like, shape (..., L, d + 1), or a list of arrays of shape (L_b, d + 1)
        The gradient given.
    lengths : array_like of int, shape (...), optional
        As in `time_augment`.

    Returns
    -------
    ndarray, shape (..., L, d)
        A list of arrays where `grad` is a list.

    Examples
    --------
    >>> goursat.time_augment_backprop([[1.0, 10.0], [2.0, 20.0]])
    array([[1.],
           [2.]])
    """

    def shape(points: int, channels: int) -> Shape:
        if channels < 2:
            raise ValueError(f"grad has {channels} channels; expected at least 2, the last of them time")
        return points, channels - 1

    return _pull_back("time_augment_backprop", grad, lengths, 0, shape)


def lead_lag(path: npt.ArrayLike, *, lag_first: bool = False, lengths: Optional[npt.ArrayLike] = None) -> Any:
    """Return the lead-lag paths: point 2k is (x_k, x_k), point 2k + 1 is (x_{k+1}, x_k).

    Parameters
    ----------
    path : array_like, shape (..., L, d), or a list of arrays of shape (L_b, d)
        Paths of L points in d channels.
    lag_first : bool
        Order the channels (lag, lead) instead of (lead, lag).
    lengths : array_like of int, shape (...), optional
        Points of each path of a ragged batch. The rest of the result is zero.

    Returns
    -------
    ndarray, shape (..., 2L - 1, 2d)
        A list of arrays where `path` is a list.

    Examples
    --------
    >>> goursat.lead_lag([[5.0], [7.0], [6.0]])
    array([[5., 5.],
           [7., 5.],
           [7., 7.],
           [6., 7.],
           [6., 6.]])
    """
    flags = _native.LAG_FIRST if lag_first else 0
    return _apply("lead_lag", path, lengths, flags, 1.0, lambda length, dim: (max(2 * length - 1, 0), 2 * dim))


def lead_lag_backprop(grad: npt.ArrayLike, *, lag_first: bool = False, lengths: Optional[npt.ArrayLike] = None) -> Any:
    """Return the gradient with respect to paths, from the gradient with respect to the result of `lead_lag`.

    Parameters
    ----------
    grad : array_like, shape (..., 2L - 1, 2d), or a list of arrays of shape (2·L_b - 1, 2d)
        The gradient given.
    lag_first, lengths
        As in `lead_lag`.

    Returns
    -------
    ndarray, shape (..., L, d)
        A list of arrays where `grad` is a list.

    Examples
    --------
    >>> goursat.lead_lag_backprop([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    array([[31.],
           [35.]])
    """

    def shape(points: int, channels: int) -> Shape:
        if points % 2 == 0 or channels % 2:
            raise ValueError(f"grad has {points} points of {channels} channels; expected 2L - 1 of 2d")
        return (points + 1) // 2, channels // 2

    return _pull_back("lead_lag_backprop", grad, lengths, _native.LAG_FIRST if lag_first else 0, shape)


def _apply(
    name: str,
    path: npt.ArrayLike,
    lengths: Optional[npt.ArrayLike],
    flags: int,
    end_time: float,
    shape: Callable[[int, int], Shape],
) -> Any:
    values = read(path, "path")
    if isinstance(values, list) and lengths is None:
        return [_apply(name, each, None, flags, end_time, shape) for each in values]
    dtype = common_dtype(values)
    paths = Paths(values, "path", dtype, lengths)
    out = paths.empty(paths.lead + shape(paths.length, paths.dim))
    options = _settings.options(flags, end_time, 0, 0, 0)
    arguments = (paths.address, paths.batch, paths.length, paths.dim, address(out), out.size)
    call(name, dtype, arguments, _settings.with_paths(options, paths), 0.0, False, paths.home)
    return native(out)


def _pull_back(
    name: str,
    grad: npt.ArrayLike,
    lengths: Optional[npt.ArrayLike],
    flags: int,
    shape: Callable[[int, int], Shape],
) -> Any:
    values = read(grad, "grad")
    if isinstance(values, list):
        if lengths is not None:
            raise ValueError("grad is a list, whose paths have lengths of their own; expected no others")
        return [_pull_back(name, each, None, flags, shape) for each in values]
    values = dense(values)
    out = empty(values.shape[:-2] + shape(*values.shape[-2:]), values.dtype, home_of(values))
    paths = Paths(out, "path", out.dtype, lengths)
    arguments = (address(values), values.size, paths.batch, paths.length, paths.dim, address(out), out.size)
    options = _settings.with_paths(_settings.options(flags, 1.0, 0, 0, 0), paths)
    call(name, out.dtype, arguments, options, 0.0, False, paths.home)
    return native(out)
