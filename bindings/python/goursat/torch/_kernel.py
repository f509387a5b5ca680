"""Signature kernels of pairs of paths, and the grid of the Goursat problem."""

from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor

from .. import _settings
from .._settings import DyadicOrder, LeadLag
from ._bridge import run
from ._operators import TRANSFORMS, batched, differentiable, once, operator, options, transforms
from ._tensors import PathsLike, read

_PATHS = "Tensor x, Tensor y, Tensor? x_lengths, Tensor? y_lengths"
_OPTIONS = f"bool return_grid, int x_order, int y_order, {TRANSFORMS}"


@operator("sigkernel", f"({_PATHS}, {_OPTIONS}) -> Tensor")
def _sigkernel(x: Tensor, y: Tensor, x_lengths: Any, y_lengths: Any, *rest: Any) -> Any:
    return run("sigkernel", x, y, x_lengths=x_lengths, y_lengths=y_lengths, **_options(*rest))


@operator("sigkernel_backprop", f"(Tensor grad, {_PATHS}, str wrt, {_OPTIONS}) -> Tensor[]")
def _backprop(grad: Tensor, x: Tensor, y: Tensor, x_lengths: Any, y_lengths: Any, wrt: str, *rest: Any) -> Any:
    lengths = {"x_lengths": x_lengths, "y_lengths": y_lengths}
    result = run("sigkernel_backprop", grad, x, y, wrt=wrt, **lengths, **_options(*rest))
    return result if wrt == "both" else [result]


def _options(return_grid: bool, x_order: int, y_order: int, *rest: Any) -> dict[str, Any]:
    return {"return_grid": return_grid, "dyadic_order": (x_order, y_order), **options(*rest)}


@_sigkernel.register_fake
def _(x: Tensor, y: Tensor, x_lengths: Any, y_lengths: Any, return_grid: bool, x_order: int, y_order: int, *rest: Any):
    lead = torch.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    if not return_grid:
        return x.new_empty(lead)
    pieces = 2 if rest[2] else 1  # of an increment, after lead-lag
    rows, columns = (((n - 1) * pieces << order) + 1 for n, order in ((x.shape[-2], x_order), (y.shape[-2], y_order)))
    return x.new_empty((*lead, rows, columns))


@_backprop.register_fake
def fake_gradients(grad: Tensor, x: Tensor, y: Optional[Tensor], x_lengths: Any, y_lengths: Any, wrt: str, *rest: Any):
    """Return tensors shaped as the gradients that are wanted."""
    wanted = [x] if y is None else {"both": [x, y], "x": [x], "y": [y]}[wrt]
    return [paths.new_empty(paths.shape) for paths in wanted]


def save(ctx: Any, inputs: Any, output: Any) -> None:
    """Keep paths and lengths for the derivative: never a grid."""
    ctx.save_for_backward(*inputs[:4])
    ctx.rest = inputs[4:]


def backward(backprop: Any, ctx: Any, grad: Tensor) -> Any:
    """Return the gradients with respect to the paths that ask for them."""
    x_asks, y_asks = ctx.needs_input_grad[:2]
    wrt = "both" if x_asks and y_asks else "x" if x_asks else "y"
    gradients = iter(backprop(grad, *ctx.saved_tensors, wrt, *ctx.rest))
    sides = [next(gradients) if asks else None for asks in (x_asks, y_asks)]
    return (*sides, None, None, *[None] * len(ctx.rest))


_apply_backprop = once(_backprop, "sigkernel")
_apply = differentiable(_sigkernel, save, lambda ctx, grad: backward(_apply_backprop, ctx, grad))
batched(_sigkernel, lambda *rest: (2, 2, 0, 0))
batched(_backprop, lambda wrt, grid, *rest: (2 if grid else 0, 2, 2, 0, 0), gradients=(1, 2))


def sigkernel(
    x: PathsLike,
    y: PathsLike,
    *,
    dyadic_order: DyadicOrder = 0,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    x_lengths: Optional[Any] = None,
    y_lengths: Optional[Any] = None,
    return_grid: bool = False,
    n_threads: int = 0,
) -> Tensor:
    """Return the signature kernels k(x, y) = <S(x), S(y)> of pairs of paths, differentiable with respect to both.

    Gradients are the exact derivative of the scheme; only the paths are kept for them, not the grid.

    Parameters
    ----------
    x : Tensor, shape (..., Lx, d), or a list of B tensors of shape (L_b, d)
        Paths of Lx points in d channels, float32 or float64.
    y : Tensor, shape (..., Ly, d), or a list of B tensors of shape (L_b, d)
        Their partners. The batch axes of x and y broadcast.
    dyadic_order : int or (int, int)
        Each increment is cut into 2^order pieces, of x and of y.
    time_aug, end_time, lead_lag
        Transforms of both paths, as in `signature`.
    x_lengths, y_lengths : Tensor or array_like of int, optional
        Points of each path of a ragged batch, over the batch axes of x and of y.
    return_grid : bool
        Return the whole solution: the kernels of all initial pieces of the paths.
    n_threads
        As in `signature`.

    Returns
    -------
    Tensor, shape (...)
        With `return_grid` of shape (..., 2^λ1·Tx + 1, 2^λ2·Ty + 1), T being the number of increments of a path after
        its transforms. Nodes beyond the end of either path are NaN, and gradients given there are not read.

    Raises
    ------
    ValueError, TypeError, NotImplementedError
        As in `signature`.

    Examples
    --------
    >>> x = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64, requires_grad=True)
    >>> y = torch.tensor([[0.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    >>> k = goursat.torch.sigkernel(x, y, dyadic_order=2)
    >>> print(f"{k:.4f}")
    4.2626
    >>> k.backward()
    >>> print(*(f"{g:.4f}" for g in x.grad.ravel()))
    -2.4128 -2.4128 0.0010 0.0010 2.4118 2.4118
    """
    (xs, x_counts), (ys, y_counts) = read(("x", x, x_lengths), ("y", y, y_lengths))
    orders = _settings.orders(dyadic_order)
    rest = transforms(time_aug, end_time, lead_lag, n_threads)
    return _apply(xs, ys, x_counts, y_counts, bool(return_grid), *orders, *rest)
