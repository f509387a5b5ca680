"""Gram matrices that outgrow one machine, block by block with Dask.

Each block of the matrix is a task of its own, and one of the symmetric matrix is computed once for both its places. A
task that is lost with its worker is done again by another: results have the same bits whichever workers took part.

>>> import dask.array as da
>>> x = da.random.default_rng(0).normal(size=(6, 10, 2), chunks=(2, -1, -1)).cumsum(1) / 5
>>> gram = goursat.dask.sigkernel_gram(x, time_aug=True)
>>> gram
dask.array<sigkernel-gram, shape=(6, 6), dtype=float64, chunksize=(2, 2), chunktype=numpy.ndarray>
>>> bool((gram == goursat.sigkernel_gram(x.compute(), time_aug=True)).all().compute())
True
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal, NamedTuple, Optional

import numpy as np

import goursat

from ._extras import missing
from ._ragged import padded
from ._settings import DyadicOrder, LeadLag

try:
    import dask.array as da
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph
except ImportError:
    raise missing("goursat.dask", "Dask with its arrays", "dask") from None

__all__ = ["sigkernel_gram", "sigkernel_gram_backprop"]

#: Gradients that one task adds up.
_FAN_IN = 8

Graph = dict[Any, Any]


class _Side(NamedTuple):
    """Paths in blocks, and the points of each path of each block."""

    paths: Any  # dask.array.Array
    lengths: Optional[list[Any]]

    @property
    def blocks(self) -> range:
        return range(len(self.paths.chunks[0]))

    def key(self, block: int) -> tuple[Any, ...]:
        return (self.paths.name, block, 0, 0)

    def lengths_of(self, block: int) -> Any:
        return None if self.lengths is None else self.lengths[block]


def sigkernel_gram(
    x: Any,
    y: Any = None,
    *,
    block: int = 256,
    dyadic_order: DyadicOrder = 0,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    x_lengths: Optional[Any] = None,
    y_lengths: Optional[Any] = None,
    n_threads: int = 1,
) -> Any:
    """Return the matrix of the signature kernels of all pairs of paths of two batches, to be computed block by block.

    Parameters
    ----------
    x : dask.array.Array or array_like, shape (Bx, Lx, d), or a list of Bx arrays of shape (L_b, d)
        A batch of paths. The chunks of a Dask array along its first axis are the blocks; the others become one chunk.
    y : like x, with By paths, optional
        Another one. Without it the matrix is that of x with itself, and half of the blocks are computed; the others are
        their transposes. It needs one dyadic order for both sides.
    block : int
        Paths in a block, of what is no Dask array.
    dyadic_order, time_aug, end_time, lead_lag
        As in `goursat.sigkernel_gram`.
    x_lengths, y_lengths : array_like of int, shape (Bx,) and (By,), optional
        Points of each path of a ragged batch.
    n_threads : int
        Threads of each task. One is right where Dask runs as many tasks as there are cores; 0 means
        GOURSAT_NUM_THREADS, or all cores.

    Returns
    -------
    dask.array.Array, shape (Bx, By)
        Nothing is computed yet. Block (i, j) is of the blocks i of x and j of y; float32 where x and y are, else
        float64.

    Raises
    ------
    ValueError
        For shapes that do not fit, at once; for other wrong arguments when a block is computed.

    Examples
    --------
    >>> x = [np.array([[0.0], [1.0]]), np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [3.0]])]
    >>> gram = goursat.dask.sigkernel_gram(x, block=2, dyadic_order=5)
    >>> gram.chunks
    ((2, 1), (2, 1))
    >>> gram.compute().round(1)
    array([[ 2.3,  4.3,  7.2],
           [ 4.3, 11.3, 24.9],
           [ 7.2, 24.9, 67.4]])
    """
    first, second = _sides(x, y, block, x_lengths, y_lengths)
    options = _options(dyadic_order, time_aug, end_time, lead_lag, n_threads)
    name = f"sigkernel-gram-{tokenize(first, second, options)}"
    graph: Graph = {}
    other = second or first
    for i, j in _pairs(first, second):
        task = partial(_gram_block, x_lengths=first.lengths_of(i), **options)
        if second is None and i == j:
            graph[name, i, i] = (task, first.key(i))
            continue
        graph[name, i, j] = (partial(task, y_lengths=other.lengths_of(j)), first.key(i), other.key(j))
        if second is None:
            graph[name, j, i] = (np.transpose, (name, i, j))
    return _array(graph, name, (first.paths.chunks[0], other.paths.chunks[0]), first, second)


def sigkernel_gram_backprop(
    grad: Any,
    x: Any,
    y: Any = None,
    *,
    wrt: Literal["both", "x", "y"] = "both",
    block: int = 256,
    dyadic_order: DyadicOrder = 0,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    x_lengths: Optional[Any] = None,
    y_lengths: Optional[Any] = None,
    n_threads: int = 1,
) -> Any:
    """Return the gradients of a scalar F with respect to paths, from its gradient with respect to their Gram matrix.

    Parameters
    ----------
    grad : dask.array.Array or array_like, shape (Bx, By)
        ∂F/∂Gram, or what broadcasts to its shape.
    wrt : {"both", "x", "y"}
        Which gradients are wanted.
    x, y, block, dyadic_order, time_aug, end_time, lead_lag, x_lengths, y_lengths, n_threads
        As in `sigkernel_gram`. Without y, half of the blocks are computed here too.

    Returns
    -------
    (dask.array.Array, dask.array.Array), or one of them
        ∂F/∂x and ∂F/∂y, shaped as x and y; without `y`, the total derivative with respect to x. Gradients of lists are
        (B, L, d) with L the points of the longest path, and zero beyond each path's end. Blocks are added up in an
        order that depends on their number alone.

    Raises
    ------
    ValueError
        As in `sigkernel_gram`.

    Examples
    --------
    >>> x = np.array([[[0.0], [1.0]], [[0.0], [2.0]], [[0.0], [3.0]]])
    >>> gradient = goursat.dask.sigkernel_gram_backprop(1.0, x, block=1)
    >>> bool(np.allclose(gradient.compute(), goursat.sigkernel_gram_backprop(1.0, x)))
    True
    """
    if wrt not in ("both", "x", "y"):
        raise ValueError(f'wrt is {wrt!r}; expected "both", "x" or "y"')
    first, second = _sides(x, y, block, x_lengths, y_lengths)
    if second is None and wrt == "y":
        raise ValueError('wrt is "y" and y is None; expected "both" or "x", the total derivative')
    other = second or first
    given = _given(grad, first, other)
    options = _options(dyadic_order, time_aug, end_time, lead_lag, n_threads)
    name = f"sigkernel-gram-backprop-{tokenize(given, first, second, wrt, options)}"
    graph: Graph = {}
    parts: tuple[dict[int, list[Any]], dict[int, list[Any]]] = ({}, {})
    for i, j in _pairs(first, second):
        task = partial(_gradient_block, x_lengths=first.lengths_of(i), **options)
        blocks = [(given.name, i, j), first.key(i)]
        parts[0].setdefault(i, []).append(((name, i, j), 0))
        if second is not None or i != j:
            task = partial(task, y_lengths=other.lengths_of(j))
            blocks.append(other.key(j))
            parts[0 if second is None else 1].setdefault(j, []).append(((name, i, j), 1))
        if second is not None:
            task = partial(task, wrt=wrt)
        elif i != j:
            blocks.append((given.name, j, i))
        graph[name, i, j] = (task, *blocks)
    wanted = [("x", first, parts[0]), ("y", second, parts[1])]
    results = [
        _array(_sums(graph, f"{name}-{side}", terms), f"{name}-{side}", paths.paths.chunks, first, second, given)
        for side, paths, terms in wanted
        if paths is not None and wrt in ("both", side)
    ]
    return results[0] if len(results) == 1 else tuple(results)


def _pairs(first: _Side, second: Optional[_Side]) -> Iterator[tuple[int, int]]:
    """Yield the blocks to compute."""
    for i in first.blocks:
        for j in second.blocks if second is not None else range(i, len(first.blocks)):
            yield i, j


def _sums(parts: Graph, name: str, terms: dict[int, list[Any]]) -> Graph:
    """Return a graph in which (name, i, 0, 0) is the sum of the terms of block i, as trees."""
    graph = dict(parts)
    for i, keys in terms.items():
        values: list[Any] = []
        for n, (key, side) in enumerate(keys):
            graph[f"{name}-part", i, n] = (_part, key, side)
            values.append((f"{name}-part", i, n))
        level = 0
        while len(values) > _FAN_IN:
            groups = [values[n : n + _FAN_IN] for n in range(0, len(values), _FAN_IN)]
            values = [(f"{name}-sum", i, level, n) for n in range(len(groups))]
            graph.update({key: (sum, group) for key, group in zip(values, groups)})
            level += 1
        graph[name, i, 0, 0] = (sum, values)
    return graph


def _part(gradients: tuple[Any, ...], side: int) -> Any:
    return gradients[side]


def _gram_block(x: Any, y: Any = None, **options: Any) -> Any:
    return goursat.sigkernel_gram(x, y, **options)


def _gradient_block(grad: Any, x: Any, y: Any = None, transposed: Any = None, wrt: str = "both", **options: Any) -> Any:
    """Return the gradients with respect to x and to y, None for what is not wanted.

    `transposed` is the gradient given for the block across the diagonal, whose kernels are the same.
    """
    total = grad if transposed is None else grad + transposed.T
    gradients = goursat.sigkernel_gram_backprop(total, x, y, wrt=wrt, **options)
    if y is None or wrt == "x":
        return gradients, None
    return gradients if wrt == "both" else (None, gradients)


def _sides(x: Any, y: Any, block: int, x_lengths: Any, y_lengths: Any) -> tuple[_Side, Optional[_Side]]:
    if y is None and y_lengths is not None:
        raise ValueError("y_lengths are given without y")
    first, second = _read(x, "x", block, x_lengths), None if y is None else _read(y, "y", block, y_lengths)
    if second is not None and first.paths.shape[2] != second.paths.shape[2]:
        channels = first.paths.shape[2], second.paths.shape[2]
        raise ValueError(f"y has {channels[1]} channels and x has {channels[0]}; expected the same number")
    return first, second


def _read(value: Any, name: str, block: int, lengths: Any) -> _Side:
    if isinstance(value, (list, tuple)) and value and np.ndim(value[0]) == 2:
        if lengths is not None:
            raise ValueError(f"{name} is a list, whose paths have lengths of their own; expected no others")
        value, lengths = padded([np.asarray(path) for path in value], name)
    if not isinstance(value, da.Array):
        array = np.asarray(value)
        chunks = (block, -1, -1) if array.ndim == 3 else "auto"
        value = da.from_array(array, chunks=chunks)
    if value.ndim != 3:
        raise ValueError(f"{name} has shape {value.shape}; expected (batch, length, channels)")
    if any(np.isnan(size) for size in value.shape):
        raise ValueError(f"{name} has chunks of unknown sizes; expected known ones, as by compute_chunk_sizes()")
    value = value.rechunk({1: -1, 2: -1})
    if lengths is None:
        return _Side(value, None)
    counts = np.asarray(lengths)
    if counts.dtype.kind not in "iu":
        raise TypeError(f"{name}_lengths has dtype {counts.dtype}; expected integers")
    if counts.shape != value.shape[:1]:
        raise ValueError(f"{name}_lengths has shape {counts.shape}; expected {value.shape[:1]}")
    return _Side(value, np.split(counts, np.cumsum(value.chunks[0])[:-1]))


def _given(grad: Any, x: _Side, y: _Side) -> Any:
    given = da.asarray(grad)
    shape = (x.paths.shape[0], y.paths.shape[0])
    try:
        given = da.broadcast_to(given, shape)
    except ValueError:
        raise ValueError(f"grad has shape {given.shape}; expected {shape}") from None
    return given.rechunk((x.paths.chunks[0], y.paths.chunks[0]))


def _options(
    dyadic_order: DyadicOrder, time_aug: bool, end_time: float, lead_lag: LeadLag, n_threads: int
) -> dict[str, Any]:
    return {
        "dyadic_order": dyadic_order,
        "time_aug": time_aug,
        "end_time": end_time,
        "lead_lag": lead_lag,
        "n_threads": n_threads,
    }


def _array(graph: Graph, name: str, chunks: Any, *given: Any) -> Any:
    arrays = [each.paths if isinstance(each, _Side) else each for each in given if each is not None]
    dtype = np.float32 if all(array.dtype == np.float32 for array in arrays) else np.float64
    layers = HighLevelGraph.from_collections(name, graph, dependencies=arrays)
    return da.Array(layers, name, chunks, dtype=dtype)
