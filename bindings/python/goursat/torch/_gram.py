"""Matrices of signature kernels."""

from __future__ import annotations

from typing import Any, Optional

from torch import Tensor

from .. import _settings
from .._settings import DyadicOrder, LeadLag
from ._bridge import run
from ._kernel import backward, fake_gradients, save
from ._operators import TRANSFORMS, differentiable, once, one_by_one, operator, options, transforms
from ._tensors import PathsLike, read

_PATHS = "Tensor x, Tensor? y, Tensor? x_lengths, Tensor? y_lengths"
_OPTIONS = f"int x_order, int y_order, {TRANSFORMS}"


@operator("sigkernel_gram", f"({_PATHS}, {_OPTIONS}) -> Tensor")
def _gram(x: Tensor, y: Optional[Tensor], x_lengths: Any, y_lengths: Any, *rest: Any) -> Any:
    return run("sigkernel_gram", x, y, x_lengths=x_lengths, y_lengths=y_lengths, **_options(*rest))


@operator("sigkernel_gram_backprop", f"(Tensor grad, {_PATHS}, str wrt, {_OPTIONS}) -> Tensor[]")
def _backprop(grad: Tensor, x: Tensor, y: Any, x_lengths: Any, y_lengths: Any, wrt: str, *rest: Any) -> Any:
    lengths = {"x_lengths": x_lengths, "y_lengths": y_lengths}
    result = run("sigkernel_gram_backprop", grad, x, y, wrt=wrt, **lengths, **_options(*rest))
    return result if isinstance(result, list) else [result]


def _options(x_order: int, y_order: int, *rest: Any) -> dict[str, Any]:
    return {"dyadic_order": (x_order, y_order), **options(*rest)}


@_gram.register_fake
def _(x: Tensor, y: Optional[Tensor], *rest: Any) -> Tensor:
    return x.new_empty((x.shape[0], (x if y is None else y).shape[0]))


_backprop.register_fake(fake_gradients)
_apply_backprop = once(_backprop, "sigkernel_gram")
_apply = differentiable(_gram, save, lambda ctx, grad: backward(_apply_backprop, ctx, grad))
one_by_one(_gram, 4)
one_by_one(_backprop, 5)


def sigkernel_gram(
    x: PathsLike,
    y: Optional[PathsLike] = None,
    *,
    dyadic_order: DyadicOrder = 0,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    x_lengths: Optional[Any] = None,
    y_lengths: Optional[Any] = None,
    n_threads: int = 0,
) -> Tensor:
    """Return the matrix of the signature kernels of all pairs of paths of two batches, differentiable in both.

    Parameters
    ----------
    x : Tensor, shape (Bx, Lx, d), or a list of Bx tensors of shape (L_b, d)
        A batch of paths, float32 or float64.
    y : Tensor, shape (By, Ly, d), or a list of By tensors of shape (L_b, d), optional
        Another one. Without it the matrix is that of x with itself, at half the cost and symmetric to the last bit; it
        needs one dyadic order for both sides. Its gradient is the total one, through both sides.
    dyadic_order, time_aug, end_time, lead_lag, x_lengths, y_lengths, n_threads
        As in `sigkernel`.

    Returns
    -------
    Tensor, shape (Bx, By)
        Entry (i, j) is ``sigkernel(x[i], y[j])``.

    Raises
    ------
    ValueError, TypeError, NotImplementedError
        As in `signature`.

    Examples
    --------
    >>> x = torch.tensor([[[0.0], [1.0]], [[0.0], [2.0]]], dtype=torch.float64, requires_grad=True)
    >>> gram = goursat.torch.sigkernel_gram(x, dyadic_order=5)
    >>> gram.detach()
    tensor([[ 2.2796,  4.2527],
            [ 4.2527, 11.3060]], dtype=torch.float64)
    >>> gram.sum().backward()
    >>> x.grad.shape
    torch.Size([2, 2, 1])
    """
    given = [("x", x, x_lengths)]
    if y is not None:
        given.append(("y", y, y_lengths))
    elif y_lengths is not None:
        raise ValueError("y_lengths are given without y")
    (xs, x_counts), (ys, y_counts) = [*read(*given), (None, None)][:2]
    for name, paths in (("x", xs), ("y", ys)):
        if paths is not None and paths.ndim != 3:
            raise ValueError(f"{name} has shape {tuple(paths.shape)}; expected (batch, length, channels)")
    rest = transforms(time_aug, end_time, lead_lag, n_threads)
    return _apply(xs, ys, x_counts, y_counts, *_settings.orders(dyadic_order), *rest)
