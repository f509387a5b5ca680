"""Time augmentation and lead-lag as functions of their own. They are linear: differentiable as often as wanted."""

from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor

from .. import _settings
from ._bridge import run
from ._operators import batched, derivative, differentiable, operator
from ._tensors import PathsLike, is_list, read, read_each


@operator("time_augment", "(Tensor path, Tensor? lengths, float end_time) -> Tensor")
def _time_augment(path: Tensor, lengths: Any, end_time: float) -> Any:
    return run("time_augment", path, lengths=lengths, end_time=end_time)


@operator("time_augment_backprop", "(Tensor grad, Tensor? lengths) -> Tensor")
def _time_augment_backprop(grad: Tensor, lengths: Any) -> Any:
    return run("time_augment_backprop", grad, lengths=lengths)


@operator("lead_lag", "(Tensor path, Tensor? lengths, bool lag_first) -> Tensor")
def _lead_lag(path: Tensor, lengths: Any, lag_first: bool) -> Any:
    return run("lead_lag", path, lengths=lengths, lag_first=lag_first)


@operator("lead_lag_backprop", "(Tensor grad, Tensor? lengths, bool lag_first) -> Tensor")
def _lead_lag_backprop(grad: Tensor, lengths: Any, lag_first: bool) -> Any:
    return run("lead_lag_backprop", grad, lengths=lengths, lag_first=lag_first)


@_time_augment.register_fake
def _(path: Tensor, lengths: Any, end_time: float) -> Tensor:
    return path.new_empty((*path.shape[:-1], path.shape[-1] + 1))


@_time_augment_backprop.register_fake
def _(grad: Tensor, lengths: Any) -> Tensor:
    return grad.new_empty((*grad.shape[:-1], grad.shape[-1] - 1))


@_lead_lag.register_fake
def _(path: Tensor, lengths: Any, lag_first: bool) -> Tensor:
    return path.new_empty((*path.shape[:-2], 2 * path.shape[-2] - 1, 2 * path.shape[-1]))


@_lead_lag_backprop.register_fake
def _(grad: Tensor, lengths: Any, lag_first: bool) -> Tensor:
    return grad.new_empty((*grad.shape[:-2], (grad.shape[-2] + 1) // 2, grad.shape[-1] // 2))


def _save_lengths(ctx: Any, inputs: Any, output: Any) -> None:
    ctx.save_for_backward(inputs[1])
    ctx.rest = inputs[2:]


def _time_backward(ctx: Any, grad: Tensor) -> Any:
    return _augment_backprop(grad, *ctx.saved_tensors), None, *[None] * len(ctx.rest)


def _time_again(ctx: Any, grad: Tensor) -> Any:
    """Return the transpose of the adjoint: time augmentation with time that stands still at 0."""
    augmented = _augment(grad, *ctx.saved_tensors, 1.0)
    return torch.cat([augmented[..., :-1], torch.zeros_like(augmented[..., -1:])], -1), None


def _lead_lag_backward(ctx: Any, grad: Tensor) -> Any:
    return _lead_backprop(grad, *ctx.saved_tensors, *ctx.rest), None, None


def _lead_lag_again(ctx: Any, grad: Tensor) -> Any:
    return _lead(grad, *ctx.saved_tensors, *ctx.rest), None, None


_augment = differentiable(_time_augment, _save_lengths, _time_backward)
_augment_backprop = derivative(_time_augment_backprop, _save_lengths, _time_again)
_lead = differentiable(_lead_lag, _save_lengths, _lead_lag_backward)
_lead_backprop = derivative(_lead_lag_backprop, _save_lengths, _lead_lag_again)
for _transform in (_time_augment, _time_augment_backprop, _lead_lag, _lead_lag_backprop):
    batched(_transform, lambda *rest: (2, 0))


def time_augment(path: PathsLike, *, end_time: float = 1.0, lengths: Optional[Any] = None) -> Any:
    """Append time as the last channel: i·end_time/(L-1) at point i. Differentiable with respect to the path.

    Parameters
    ----------
    path : Tensor, shape (..., L, d), or a list of tensors of shape (L_b, d)
        Paths of L points in d channels, float32 or float64.
    end_time : float
        Time of the last point.
    lengths : Tensor or array_like of int, shape (...), optional
        Points of each path of a ragged batch; time runs over these. The rest of the result is zero.

    Returns
    -------
    Tensor, shape (..., L, d + 1)
        A list of tensors where `path` is a list.

    Raises
    ------
    ValueError, TypeError, NotImplementedError
        As in `signature`, but that there are second derivatives.

    Examples
    --------
    >>> goursat.torch.time_augment(torch.tensor([[5.0], [7.0], [6.0]]))
    tensor([[5.0000, 0.0000],
            [7.0000, 0.5000],
            [6.0000, 1.0000]])
    """
    if is_list(path) and lengths is None:
        return [_augment(each, None, _settings.end(end_time)) for each in read_each("path", path)]
    ((paths, counts),) = read(("path", path, lengths))
    return _augment(paths, counts, _settings.end(end_time))


def lead_lag(path: PathsLike, *, lag_first: bool = False, lengths: Optional[Any] = None) -> Any:
    """Return the lead-lag paths: point 2k is (x_k, x_k), point 2k + 1 is (x_{k+1}, x_k). Differentiable.

    Parameters
    ----------
    path : Tensor, shape (..., L, d), or a list of tensors of shape (L_b, d)
        Paths of L points in d channels, float32 or float64.
    lag_first : bool
        Order the channels (lag, lead) instead of (lead, lag).
    lengths : Tensor or array_like of int, shape (...), optional
        Points of each path of a ragged batch. The rest of the result is zero.

    Returns
    -------
    Tensor, shape (..., 2L - 1, 2d)
        A list of tensors where `path` is a list.

    Raises
    ------
    ValueError, TypeError, NotImplementedError
        As in `signature`, but that there are second derivatives.

    Examples
    --------
    >>> goursat.torch.lead_lag(torch.tensor([[5.0], [7.0], [6.0]]))
    tensor([[5., 5.],
            [7., 5.],
            [7., 7.],
            [6., 7.],
            [6., 6.]])
    """
    if is_list(path) and lengths is None:
        return [_lead(each, None, bool(lag_first)) for each in read_each("path", path)]
    ((paths, counts),) = read(("path", path, lengths))
    return _lead(paths, counts, bool(lag_first))
