"""Signatures and signature kernels of JAX arrays, with exact gradients.

The functions are those of `goursat`, with JAX arrays for NumPy's. They work under `jax.jit`, `jax.grad`, `jax.vmap` and
what is made of these: the library is called back on the host. Results are float32 where all arrays are, else float64,
which JAX has where ``jax_enable_x64`` is set; half precision is an error.

Signatures and kernels have no forward mode (`jax.jvp`, `jax.jacfwd`), and no second derivative: asking for one is an
error. The transforms are written in JAX and have both.

>>> import jax
>>> x = jax.numpy.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
>>> k = jax.jit(lambda x: goursat.jax.sigkernel(x, jax.numpy.array([[0.0, 0.0], [1.0, 1.0]]), dyadic_order=2))
>>> print(f"{k(x):.4f}")
4.2626
>>> jax.grad(k)(x).shape
(3, 2)
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any, Callable, NoReturn, Optional

import numpy as np

import goursat

from . import _settings
from ._extras import missing
from ._kernel import _grid_shape
from ._settings import DyadicOrder, LeadLag
from ._signature import signature_length

try:
    import jax
    import jax.numpy as jnp
except ImportError:
    raise missing("goursat.jax", "JAX", "jax") from None

__all__ = ["lead_lag", "sigkernel", "sigkernel_gram", "signature", "signature_length", "time_augment"]

#: Keyword arguments as JAX can compare them.
Options = tuple[tuple[str, Any], ...]


def _differentiable(name: str, run: Any, run_back: Any, shape: Callable[..., Any], paths: int, batched: bool) -> Any:
    """Make a function of (options, paths…, lengths…) with a derivative, from two that work on the host.

    `shape` gives the shape of the result. Where `batched`, vmap adds axes in front of all arrays, else it calls the
    host for every entry.
    """
    method = "broadcast_all" if batched else "sequential"

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def gradients(options: Options, grad: Any, *arrays: Any) -> Any:
        results = [jax.ShapeDtypeStruct(path.shape, path.dtype) for path in arrays[:paths] if path is not None]
        host = partial(run_back, dict(options), _ranks(grad, *arrays))
        return jax.pure_callback(host, results, grad, *arrays, vmap_method=method)

    @gradients.defjvp
    def refuse(options: Options, primals: Any, tangents: Any) -> NoReturn:
        raise NotImplementedError(
            f"goursat.jax.{name} has no second derivative: its gradient was itself differentiated (a gradient penalty, "
            "a Hessian); expected first derivatives only"
        )

    @partial(jax.custom_vjp, nondiff_argnums=(0,))
    def function(options: Options, *arrays: Any) -> Any:
        result = jax.ShapeDtypeStruct(shape(dict(options), *arrays), arrays[0].dtype)
        return jax.pure_callback(partial(run, dict(options), _ranks(*arrays)), result, *arrays, vmap_method=method)

    def forward(options: Options, *arrays: Any) -> Any:
        return function(options, *arrays), arrays

    def backward(options: Options, arrays: Any, grad: Any) -> Any:
        given = iter(gradients(options, grad, *arrays))
        return tuple(next(given) if n < paths and array is not None else None for n, array in enumerate(arrays))

    function.defvjp(forward, backward)
    return function


def _ranks(*arrays: Any) -> tuple[int, ...]:
    return tuple(-1 if array is None else array.ndim for array in arrays)


def _aligned(ranks: tuple[int, ...], cores: tuple[int, ...], arrays: Any) -> list[Any]:
    """Return arrays in which batch axes that vmap put in front broadcast as without it.

    `ranks` are the numbers of axes that they had before, `cores` those that are no batch axes.
    """
    arrays = [None if array is None else np.asarray(array) for array in arrays]
    lead = max(rank - core for rank, core in zip(ranks, cores) if rank >= 0)
    result = []
    for array, rank, core in zip(arrays, ranks, cores):
        if array is not None and array.ndim > rank:
            front = array.ndim - rank
            array = array.reshape(*array.shape[:front], *[1] * (lead - rank + core), *array.shape[front:])
        result.append(array)
    return result


def _run_signature(options: dict[str, Any], ranks: tuple[int, ...], *arrays: Any) -> Any:
    path, lengths = _aligned(ranks, (2, 0), arrays)
    return goursat.signature(path, lengths=lengths, **options)


def _run_signature_back(options: dict[str, Any], ranks: tuple[int, ...], *arrays: Any) -> Any:
    grad, path, lengths = _aligned(ranks, (1, 2, 0), arrays)
    return [goursat.sig_backprop(grad, path, lengths=lengths, **options).reshape(arrays[1].shape)]


def _run_sigkernel(options: dict[str, Any], ranks: tuple[int, ...], *arrays: Any) -> Any:
    x, y, x_lengths, y_lengths = _aligned(ranks, (2, 2, 0, 0), arrays)
    return np.asarray(goursat.sigkernel(x, y, x_lengths=x_lengths, y_lengths=y_lengths, **options))


def _run_sigkernel_back(options: dict[str, Any], ranks: tuple[int, ...], *arrays: Any) -> Any:
    cores = (2 if options["return_grid"] else 0, 2, 2, 0, 0)
    grad, x, y, x_lengths, y_lengths = _aligned(ranks, cores, arrays)
    both = goursat.sigkernel_backprop(grad, x, y, x_lengths=x_lengths, y_lengths=y_lengths, **options)
    return [gradient.reshape(paths.shape) for gradient, paths in zip(both, arrays[1:3])]


def _run_gram(options: dict[str, Any], ranks: tuple[int, ...], *arrays: Any) -> Any:
    x, y, x_lengths, y_lengths = (None if array is None else np.asarray(array) for array in arrays)
    return goursat.sigkernel_gram(x, y, x_lengths=x_lengths, y_lengths=y_lengths, **options)


def _run_gram_back(options: dict[str, Any], ranks: tuple[int, ...], *arrays: Any) -> Any:
    grad, x, y, x_lengths, y_lengths = (None if array is None else np.asarray(array) for array in arrays)
    result = goursat.sigkernel_gram_backprop(grad, x, y, x_lengths=x_lengths, y_lengths=y_lengths, **options)
    return [result] if y is None else list(result)


def _signature_shape(options: dict[str, Any], path: Any, lengths: Any) -> Any:
    words = {name: options[name] for name in ("scalar_term", "time_aug", "lead_lag")}
    return (*path.shape[:-2], signature_length(path.shape[-1], options["degree"], **words))


def _sigkernel_shape(options: dict[str, Any], x: Any, y: Any, *lengths: Any) -> Any:
    try:
        lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    except ValueError:
        raise ValueError(f"the batch axes of x, {x.shape[:-2]}, and of y, {y.shape[:-2]}, do not broadcast") from None
    grid = _nodes(options, x, y)
    return (*lead, *grid) if options["return_grid"] else lead


def _gram_shape(options: dict[str, Any], x: Any, y: Any, *lengths: Any) -> Any:
    _nodes(options, x, x if y is None else y)
    return x.shape[0], (x if y is None else y).shape[0]


def _nodes(options: dict[str, Any], x: Any, y: Any) -> tuple[int, int]:
    """Return the shape of the grid of a pair, and hold the orders to what is possible."""
    flags = _settings.flags(options["time_aug"], options["lead_lag"])
    native = _settings.options(flags, options["end_time"], *options["dyadic_order"], options["n_threads"])
    sides: list[Any] = [SimpleNamespace(length=paths.shape[-2]) for paths in (x, y)]
    return _grid_shape(sides[0], sides[1], native)


_signature = _differentiable("signature", _run_signature, _run_signature_back, _signature_shape, 1, True)
_sigkernel = _differentiable("sigkernel", _run_sigkernel, _run_sigkernel_back, _sigkernel_shape, 2, True)
_gram = _differentiable("sigkernel_gram", _run_gram, _run_gram_back, _gram_shape, 2, False)


def signature(
    path: Any,
    degree: int,
    *,
    scalar_term: bool = False,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    lengths: Optional[Any] = None,
    n_threads: int = 0,
) -> Any:
    """Return the truncated signatures of piecewise-linear paths, differentiable with respect to the paths.

    Parameters
    ----------
    path : array, shape (..., L, d), or a list of B arrays of shape (L_b, d)
        Paths of L points in d channels.
    degree : int
        The highest level, at least 1.
    scalar_term, time_aug, end_time, lead_lag, n_threads
        As in `goursat.signature`; they are static under `jax.jit`.
    lengths : array of int, shape (...), optional
        Points of each path of a ragged batch, whose further points are not read; their gradient is 0.

    Returns
    -------
    jax.Array, shape (..., S)
        S is `signature_length`.

    Raises
    ------
    ValueError, TypeError
        Where an argument has a wrong value, shape or type. Wrong numbers in `lengths` are seen only when the function
        runs: JAX raises its own error, which cites the ValueError.
    NotImplementedError
        For a second derivative.

    Examples
    --------
    >>> path = jax.numpy.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    >>> goursat.jax.signature(path, 2)
    Array([1. , 1. , 0.5, 1. , 0. , 0.5], dtype=float32)
    """
    ((paths, counts),) = _read(("path", path, lengths))
    options = _transforms(time_aug, end_time, lead_lag, n_threads)
    options += (("degree", _settings.size(degree, "degree")), ("scalar_term", bool(scalar_term)))
    return _signature(options, paths, counts)


def sigkernel(
    x: Any,
    y: Any,
    *,
    dyadic_order: DyadicOrder = 0,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    x_lengths: Optional[Any] = None,
    y_lengths: Optional[Any] = None,
    return_grid: bool = False,
    n_threads: int = 0,
) -> Any:
    """Return the signature kernels k(x, y) of pairs of paths, differentiable with respect to both.

    Parameters
    ----------
    x : array, shape (..., Lx, d), or a list of B arrays of shape (L_b, d)
        Paths of Lx points in d channels.
    y : array, shape (..., Ly, d), or a list of B arrays of shape (L_b, d)
        Their partners. The batch axes of x and y broadcast.
    x_lengths, y_lengths : array of int, optional
        Points of each path of a ragged batch, over the batch axes of x and of y.
    dyadic_order, time_aug, end_time, lead_lag, return_grid, n_threads
        As in `goursat.sigkernel`; they are static under `jax.jit`.

    Returns
    -------
    jax.Array, shape (...), or (..., 2^λ1·Tx + 1, 2^λ2·Ty + 1) with `return_grid`

    Raises
    ------
    ValueError, TypeError, NotImplementedError
        As in `signature`.

    Examples
    --------
    >>> x, y = jax.numpy.array([[0.0], [1.0]]), jax.numpy.array([[0.0], [2.0], [3.0]])
    >>> gx, gy = jax.grad(goursat.jax.sigkernel, argnums=(0, 1))(x, y)
    >>> gx.shape, gy.shape
    ((2, 1), (3, 1))
    """
    (xs, x_counts), (ys, y_counts) = _read(("x", x, x_lengths), ("y", y, y_lengths))
    options = _transforms(time_aug, end_time, lead_lag, n_threads)
    options += (("dyadic_order", _settings.orders(dyadic_order)), ("return_grid", bool(return_grid)))
    return _sigkernel(options, xs, ys, x_counts, y_counts)


def sigkernel_gram(
    x: Any,
    y: Optional[Any] = None,
    *,
    dyadic_order: DyadicOrder = 0,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    x_lengths: Optional[Any] = None,
    y_lengths: Optional[Any] = None,
    n_threads: int = 0,
) -> Any:
    """Return the matrix of the signature kernels of all pairs of paths of two batches, differentiable in both.

    Parameters
    ----------
    x : array, shape (Bx, Lx, d), or a list of Bx arrays of shape (L_b, d)
        A batch of paths.
    y : array, shape (By, Ly, d), or a list of By arrays of shape (L_b, d), optional
        Another one. Without it the matrix is that of x with itself, at half the cost; it needs one dyadic order for
        both sides. Its gradient is the total one, through both sides.
    x_lengths, y_lengths : array of int, optional
        Points of each path of a ragged batch.
    dyadic_order, time_aug, end_time, lead_lag, n_threads
        As in `goursat.sigkernel_gram`; they are static under `jax.jit`.

    Returns
    -------
    jax.Array, shape (Bx, By)
        Under `jax.vmap` the library is called for one matrix after another.

    Raises
    ------
    ValueError, TypeError, NotImplementedError
        As in `signature`.

    Examples
    --------
    >>> x = jax.numpy.array([[[0.0], [1.0]], [[0.0], [2.0]]])
    >>> jax.grad(lambda x: goursat.jax.sigkernel_gram(x, dyadic_order=3).sum())(x).shape
    (2, 2, 1)
    """
    if y is None and y_lengths is not None:
        raise ValueError("y_lengths are given without y")
    given = [("x", x, x_lengths)] if y is None else [("x", x, x_lengths), ("y", y, y_lengths)]
    (xs, x_counts), (ys, y_counts) = [*_read(*given), (None, None)][:2]
    for name, paths in (("x", xs), ("y", ys)):
        if paths is not None and paths.ndim != 3:
            raise ValueError(f"{name} has shape {paths.shape}; expected (batch, length, channels)")
    orders = _settings.orders(dyadic_order)
    if ys is None and orders[0] != orders[1]:
        raise ValueError(f"dyadic_order is {orders} and y is None; expected equal orders")
    options = (*_transforms(time_aug, end_time, lead_lag, n_threads), ("dyadic_order", orders))
    return _gram(options, xs, ys, x_counts, y_counts)


def time_augment(path: Any, *, end_time: float = 1.0, lengths: Optional[Any] = None) -> Any:
    """Append time as the last channel: i·end_time/(L-1) at point i.

    Parameters
    ----------
    path : array, shape (..., L, d), or a list of arrays of shape (L_b, d)
        Paths of L points in d channels.
    end_time : float
        Time of the last point.
    lengths : array of int, shape (...), optional
        Points of each path of a ragged batch; time runs over these. The rest of the result is zero.

    Returns
    -------
    jax.Array, shape (..., L, d + 1)
        A list of arrays where `path` is a list.

    Examples
    --------
    >>> goursat.jax.time_augment([[5.0], [7.0], [6.0]])
    Array([[5. , 0. ],
           [7. , 0.5],
           [6. , 1. ]], dtype=float32)
    """
    if _is_ragged(path) and lengths is None:
        return [time_augment(each, end_time=end_time) for each in path]
    ((paths, counts),) = _read(("path", path, lengths))
    points = jnp.arange(paths.shape[-2])
    last = jnp.maximum((paths.shape[-2] if counts is None else counts[..., None]) - 1, 1)
    times = jnp.broadcast_to((points * _settings.end(end_time) / last).astype(paths.dtype), paths.shape[:-1])
    return _masked(jnp.concatenate([paths, times[..., None]], -1), counts)


def lead_lag(path: Any, *, lag_first: bool = False, lengths: Optional[Any] = None) -> Any:
    """Return the lead-lag paths: point 2k is (x_k, x_k), point 2k + 1 is (x_{k+1}, x_k).

    Parameters
    ----------
    path : array, shape (..., L, d), or a list of arrays of shape (L_b, d)
        Paths of L points in d channels.
    lag_first : bool
        Order the channels (lag, lead) instead of (lead, lag).
    lengths : array of int, shape (...), optional
        Points of each path of a ragged batch. The rest of the result is zero.

    Returns
    -------
    jax.Array, shape (..., 2L - 1, 2d)
        A list of arrays where `path` is a list.

    Examples
    --------
    >>> goursat.jax.lead_lag([[5.0], [7.0], [6.0]])
    Array([[5., 5.],
           [7., 5.],
           [7., 7.],
           [6., 7.],
           [6., 6.]], dtype=float32)
    """
    if _is_ragged(path) and lengths is None:
        return [lead_lag(each, lag_first=lag_first) for each in path]
    ((paths, counts),) = _read(("path", path, lengths))
    twice = jnp.repeat(paths, 2, axis=-2)
    lead, lag = twice[..., 1:, :], twice[..., :-1, :]
    result = jnp.concatenate([lag, lead] if lag_first else [lead, lag], -1)
    return _masked(result, None if counts is None else 2 * counts - 1)


def _masked(paths: Any, counts: Any) -> Any:
    """Return paths that are zero beyond their ends."""
    if counts is None:
        return paths
    return jnp.where(jnp.arange(paths.shape[-2])[:, None] < counts[..., None, None], paths, 0)


def _is_ragged(paths: Any) -> bool:
    return isinstance(paths, (list, tuple)) and len(paths) > 0 and np.ndim(paths[0]) == 2


def _read(*given: tuple[str, Any, Any]) -> list[tuple[Any, Any]]:
    """Return paths and their lengths from (name, paths, lengths), all of the same type and in one space."""
    result = [_paths(*each) for each in given]
    dtype = jnp.result_type(*(paths for paths, _ in result))
    (first, _), (last, _) = result[0], result[-1]
    if first.shape[-1] != last.shape[-1]:
        raise ValueError(f"y has {last.shape[-1]} channels and x has {first.shape[-1]}; expected the same number")
    return [(paths.astype(dtype), counts) for paths, counts in result]


def _paths(name: str, value: Any, lengths: Any) -> tuple[Any, Any]:
    if not _is_ragged(value):
        array = _real(name, value)
        if array.ndim < 2:
            raise ValueError(f"{name} has shape {array.shape}; expected (..., length, channels)")
        return array, _lengths(name, lengths, array.shape[:-2])
    if lengths is not None:
        raise ValueError(f"{name} is a list, whose paths have lengths of their own; expected no others")
    arrays = [_real(f"{name}[{b}]", path) for b, path in enumerate(value)]
    dim, longest = arrays[0].shape[1], max(array.shape[0] for array in arrays)
    for b, array in enumerate(arrays):
        if array.ndim != 2 or array.shape[1] != dim:
            raise ValueError(f"{name}[{b}] has shape {array.shape}; expected (length, {dim})")
    padded = [jnp.pad(array, ((0, longest - array.shape[0]), (0, 0))) for array in arrays]
    return jnp.stack(padded), jnp.array([array.shape[0] for array in arrays])


def _real(name: str, value: Any) -> Any:
    array = jnp.asarray(value)
    if array.dtype in (jnp.float32, jnp.float64):
        return array
    if jnp.issubdtype(array.dtype, jnp.floating):
        raise TypeError(
            f"{name} has dtype {array.dtype}; expected float32 or float64: the increments of a path lose too much in "
            "half precision"
        )
    if not (jnp.issubdtype(array.dtype, jnp.integer) or array.dtype == jnp.bool_):
        raise TypeError(f"{name} has dtype {array.dtype}; expected real numbers")
    return array.astype(jnp.result_type(float))


def _lengths(name: str, lengths: Any, lead: tuple[int, ...]) -> Any:
    if lengths is None:
        return None
    array = jnp.asarray(lengths)
    if not jnp.issubdtype(array.dtype, jnp.integer):
        raise TypeError(f"{name}_lengths has dtype {array.dtype}; expected integers")
    try:
        return jnp.broadcast_to(array, lead)
    except ValueError:
        raise ValueError(f"{name}_lengths has shape {array.shape}; expected {lead}, the batch axes of {name}") from None


def _transforms(time_aug: bool, end_time: float, lead_lag: LeadLag, n_threads: int) -> Options:
    _settings.flags(False, lead_lag)
    return (
        ("time_aug", bool(time_aug)),
        ("end_time", _settings.end(end_time)),
        ("lead_lag", lead_lag),
        ("n_threads", _settings.count(n_threads, "n_threads", 2**31 - 1)),
    )
