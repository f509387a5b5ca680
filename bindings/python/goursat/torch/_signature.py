"""Truncated signatures."""

from __future__ import annotations

from typing import Any, Optional

from torch import Tensor

from .. import _settings
from .._settings import LeadLag
from .._signature import signature_length
from ._bridge import run
from ._operators import TRANSFORMS, batched, differentiable, once, operator, options, transforms
from ._tensors import PathsLike, read

_ARGUMENTS = f"Tensor path, Tensor? lengths, int degree, bool scalar_term, {TRANSFORMS}"


@operator("signature", f"({_ARGUMENTS}) -> Tensor")
def _signature(path: Tensor, lengths: Any, degree: int, scalar_term: bool, *rest: Any) -> Any:
    return run("signature", path, degree, lengths=lengths, scalar_term=scalar_term, **options(*rest))


@operator("sig_backprop", f"(Tensor grad, {_ARGUMENTS}) -> Tensor")
def _backprop(grad: Tensor, path: Tensor, lengths: Any, degree: int, scalar_term: bool, *rest: Any) -> Any:
    return run("sig_backprop", grad, path, degree, lengths=lengths, scalar_term=scalar_term, **options(*rest))


@_signature.register_fake
def _(path: Tensor, lengths: Any, degree: int, scalar_term: bool, time_aug: bool, end_time: Any, lead_lag: str, n: int):
    length = _length(path.shape[-1], degree, scalar_term, time_aug, lead_lag)
    return path.new_empty((*path.shape[:-2], length))


@_backprop.register_fake
def _(grad: Tensor, path: Tensor, *rest: Any) -> Tensor:
    return path.new_empty(path.shape)


def _save(ctx: Any, inputs: Any, output: Any) -> None:
    path, lengths, *ctx.rest = inputs
    ctx.save_for_backward(path, lengths)


def _backward(ctx: Any, grad: Tensor) -> Any:
    return (_apply_backprop(grad, *ctx.saved_tensors, *ctx.rest), None, *[None] * len(ctx.rest))


_apply = differentiable(_signature, _save, _backward)
_apply_backprop = once(_backprop, "signature")
batched(_signature, lambda *rest: (2, 0))
batched(_backprop, lambda *rest: (1, 2, 0), gradients=(1,))


def _length(dim: Any, degree: int, scalar_term: bool, time_aug: bool, lead_lag: str) -> Any:
    """Return the number of coefficients, also of a number of channels that is a symbol."""
    if type(dim) is int:
        return signature_length(dim, degree, scalar_term=scalar_term, time_aug=time_aug, lead_lag=lead_lag or False)
    dim = (2 * dim if lead_lag else dim) + int(time_aug)
    return sum(dim**level for level in range(0 if scalar_term else 1, degree + 1))


def signature(
    path: PathsLike,
    degree: int,
    *,
    scalar_term: bool = False,
    time_aug: bool = False,
    end_time: float = 1.0,
    lead_lag: LeadLag = False,
    lengths: Optional[Any] = None,
    n_threads: int = 0,
) -> Tensor:
    """Return the truncated signatures of piecewise-linear paths, differentiable with respect to the paths.

    Level k of the signature has d^k coefficients, the iterated integrals of the path; the levels follow one another,
    each in lexicographic order: coefficient (i1, …, ik) is at i1·d^(k-1) + … + ik of its level.

    Parameters
    ----------
    path : Tensor, shape (..., L, d), or a list of B tensors of shape (L_b, d)
        Paths of L points in d channels, float32 or float64.
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
    lengths : Tensor or array_like of int, shape (...), optional
        Points of each path of a ragged batch, whose further points are not read; their gradient is 0.
    n_threads : int
        Threads to use at most; 0 means GOURSAT_NUM_THREADS, or all cores. `torch.set_num_threads` does not matter.

    Returns
    -------
    Tensor, shape (..., S)
        S is `signature_length`. A list of paths gives shape (B, S).

    Raises
    ------
    ValueError
        Where an argument has a wrong value or shape.
    TypeError
        Where one has a wrong type: no tensor, complex, half precision.
    NotImplementedError
        For a tensor that is neither on the CPU nor on a CUDA device, and for a second derivative.

    Examples
    --------
    >>> path = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64, requires_grad=True)
    >>> s = goursat.torch.signature(path, 2)
    >>> s.detach()
    tensor([1.0000, 1.0000, 0.5000, 1.0000, 0.0000, 0.5000], dtype=torch.float64)

    The gradient of the signed area:

    >>> (0.5 * (s[3] - s[4])).backward()
    >>> path.grad
    tensor([[-0.5000,  0.0000],
            [ 0.5000, -0.5000],
            [ 0.0000,  0.5000]], dtype=torch.float64)
    """
    ((paths, counts),) = read(("path", path, lengths))
    degree = _settings.size(degree, "degree")
    return _apply(paths, counts, degree, bool(scalar_term), *transforms(time_aug, end_time, lead_lag, n_threads))
