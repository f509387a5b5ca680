"""Truncated signatures and their gradient."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any, Optional

import numpy.typing as npt

from . import _native, _settings
from ._call import ProgressLike, call, check
from ._paths import Paths, address, common_dtype, given_gradient, native, read, real
from ._settings import LeadLag


def signature_length(
    dim: int, degree: int, *, scalar_term: bool = False, time_aug: bool = False, lead_lag: LeadLag = False
) -> int:
    """Return the number of coefficients of a signature.

    Parameters
    ----------
    dim : int
        Channels of the path.
    degree : int
        The highest level, at least 1.
    scalar_term : bool
        Count level 0.
    time_aug, lead_lag
        As in `signature`.

    Examples
    --------
    >>> goursat.signature_length(3, 4)  # 3 + 9 + 27 + 81
    120
    """
    flags = _settings.flags(time_aug, lead_lag, _native.SCALAR_TERM if scalar_term else 0)
    return _length(_settings.size(dim, "dim"), _settings.size(degree, "degree"), flags)


@lru_cache(maxsize=256)
def _length(dim: int, degree: int, flags: int) -> int:
    options = _settings.options(flags, 1.0, 0, 0, 0)
    length = ctypes.c_size_t()
    check(
        _native.FUNCTIONS["signature_length"](dim, degree, ctypes.addressof(options), ctypes.addressof(length)),
    )
    return length.value


def signature(
    path: npt.ArrayLike,
    degree: int,
    *,
    scalar_term: bool = False,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    lengths: Optional[npt.ArrayLike] = None,
    n_threads: int = 0,
    progress: ProgressLike = False,
    direct: bool = False,
) -> Any:
    """Return the truncated signatures of piecewise-linear paths.

    Level k of the signature has d^k coefficients, the iterated integrals of the path; the levels follow one another,
    each in lexicographic order: coefficient (i1, …, ik) is at i1·d^(k-1) + … + ik of its level.

    Parameters
    ----------
    path : array_like, shape (..., L, d), or a list of B arrays of shape (L_b, d)
        Paths of L points in d channels.
    degree : int
        The highest level, at least 1.
    scalar_term : bool
        Begin with level 0, the number 1.
    time_aug : bool
        Append time as the last channel, from 0 to `end_time`.
    end_time : float
        Time of a path's last point.
    lead_lag : bool or "lag_first"
        Take the lead-lag path of 2L - 1 points in 2d channels, (lead, lag) or, with "lag_first", (lag, lead). Time is
        appended after that.
    lengths : array_like of int, shape (...), optional
        Points of each path of a ragged batch, whose further points are not read.
    n_threads : int
        Threads to use at most; 0 means GOURSAT_NUM_THREADS, or all cores.
    progress : bool or callable
        Show a bar (with tqdm), or call this with (done, total) about 20 times a second, and when all is done.
    direct : bool
        Compute every coefficient along the path. Without it, some of the last level of long float64 paths follow from
        others, up to twice as fast: errors are then up to 3e-14 of the level's largest coefficient instead of 1e-15.

    Returns
    -------
    ndarray, shape (..., S)
        S is `signature_length`. A list of paths gives shape (B, S).

    Examples
    --------
    >>> path = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    >>> goursat.signature(path, 2)
    array([1. , 1. , 0.5, 1. , 0. , 0.5])

    Paths of different lengths:

    >>> goursat.signature([path, path[:2]], 1)
    array([[1., 1.],
           [1., 0.]])
    """
    values = read(path, "path")
    dtype = common_dtype(values)
    paths = Paths(values, "path", dtype, lengths)
    extra = (_native.SCALAR_TERM if scalar_term else 0) | (_native.DIRECT if direct else 0)
    flags = _settings.flags(time_aug, lead_lag, extra)
    options = _settings.options(flags, end_time, 0, 0, n_threads)
    degree = _settings.size(degree, "degree")
    out = paths.empty((*paths.lead, _length(paths.dim, degree, flags)))
    call(
        "signature",
        dtype,
        (paths.address, paths.batch, paths.length, paths.dim, degree, address(out), out.size),
        _settings.with_paths(options, paths),
        paths.length * out.size,
        progress,
        paths.home,
    )
    return native(out)


def sig_backprop(
    grad: npt.ArrayLike,
    path: npt.ArrayLike,
    degree: int,
    *,
    scalar_term: bool = False,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    lengths: Optional[npt.ArrayLike] = None,
    n_threads: int = 0,
    progress: ProgressLike = False,
    direct: bool = False,
) -> Any:
    """Return the gradient of a scalar F with respect to paths, from its gradient with respect to their signatures.

    Parameters
    ----------
    grad : array_like, shape (..., S)
        ∂F/∂signature, or what broadcasts to its shape.
    path, degree, scalar_term, time_aug, end_time, lead_lag, lengths, n_threads, progress
        As in `signature`.
    direct : bool
        Have every word go along the path. Without it, some of long float64 paths in nine channels or more follow from
        others: errors are then up to 1e-14 of the largest gradient.

    Returns
    -------
    ndarray, shape (..., L, d)
        ∂F/∂path; zero beyond the end of a path with `lengths`. A list of arrays where `path` is a list.

    Examples
    --------
    The gradient of the signed area:

    >>> path = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    >>> goursat.sig_backprop([0, 0, 0, 0.5, -0.5, 0], path, 2)
    array([[-0.5,  0. ],
           [ 0.5, -0.5],
           [ 0. ,  0.5]])
    """
    values = read(path, "path")
    given = real(grad, "grad")
    dtype = common_dtype(values, given)
    paths = Paths(values, "path", dtype, lengths)
    paths.separate(paths.lead)
    extra = (_native.SCALAR_TERM if scalar_term else 0) | (_native.DIRECT if direct else 0)
    flags = _settings.flags(time_aug, lead_lag, extra)
    options = _settings.options(flags, end_time, 0, 0, n_threads)
    degree = _settings.size(degree, "degree")
    given = given_gradient(given, (*paths.lead, _length(paths.dim, degree, flags)), paths)
    out = paths.empty_gradient()
    call(
        "sig_backprop",
        dtype,
        (
            *(address(given), given.size),
            *(paths.address, paths.batch, paths.length, paths.dim, degree),
            *(address(out), out.size),
        ),
        _settings.with_paths(options, paths),
        3 * paths.length * given.size,
        progress,
        paths.home,
    )
    return paths.gradient(out)
