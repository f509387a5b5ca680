"""What all operators have in common: options as a schema can carry them, derivatives, and vmap.

Arguments of an operator are tensors first (lengths among them), then numbers and names.
"""

from __future__ import annotations

from typing import Any, Callable, NoReturn, Optional

import torch
from torch import Tensor

from .. import _settings

#: The end of every schema, and what `transforms` makes of arguments.
TRANSFORMS = "bool time_aug, float end_time, str lead_lag, int n_threads"

_LEAD_LAG = {False: "", True: "lead_first", "lead_first": "lead_first", "lag_first": "lag_first"}


def operator(name: str, schema: str) -> Callable[[Callable[..., Any]], Any]:
    """Make a function of tensors on the CPU, or on one CUDA device, the operator ``goursat::<name>``."""

    def make(function: Callable[..., Any]) -> Any:
        qualified = f"goursat::{name}"
        devices = ("cpu", "cuda")
        made = torch.library.custom_op(qualified, function, mutates_args=(), device_types=devices, schema=schema)
        made.overload = getattr(torch.ops.goursat, name).default  # what torch.compile knows
        return made

    return make


def transforms(time_aug: bool, end_time: float, lead_lag: Any, n_threads: int) -> tuple[bool, float, str, int]:
    """Return checked arguments for the end of a schema."""
    _settings.flags(False, lead_lag)
    threads = _settings.count(n_threads, "n_threads", 2**31 - 1)
    return bool(time_aug), _settings.end(end_time), _LEAD_LAG[lead_lag], threads


def options(time_aug: bool, end_time: float, lead_lag: str, n_threads: int) -> dict[str, Any]:
    """Return the end of a schema as keyword arguments of `goursat`'s functions."""
    return {"time_aug": time_aug, "end_time": end_time, "lead_lag": lead_lag or False, "n_threads": n_threads}


def differentiable(operator: Any, save: Callable[..., None], backward: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operator with its derivative, as a function to call.

    The operator is told its derivative, for those who call ``torch.ops.goursat``; but that one does not work under
    `torch.func.grad`, as that of an autograd function around it does.
    """
    operator.register_autograd(backward, setup_context=save)
    overload = operator.overload

    class Function(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*inputs: Any) -> Any:
            result = overload(*inputs)
            return tuple(result) if isinstance(result, list) else result

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            save(ctx, inputs, output)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return backward(ctx, *grads)

    return Function.apply


def derivative(operator: Any, save: Callable[..., None], backward: Callable[..., Any]) -> Callable[..., Any]:
    """Return what is called in the backward of another operator, with its own derivative, as a function to call."""
    function = differentiable(operator, save, backward)

    def call(*inputs: Any) -> Any:
        # torch.compile of PyTorch 2.8 does not understand one autograd function in the backward of another.
        return operator.overload(*inputs) if torch.compiler.is_compiling() else function(*inputs)

    return call


def once(operator: Any, function: str) -> Callable[..., Any]:
    """Return the derivative of a function, to call, which itself has none."""

    def refuse(ctx: Any, *grads: Any) -> NoReturn:
        raise NotImplementedError(
            f"goursat.torch.{function} has no second derivative: its gradient was itself differentiated (double "
            "backward, a gradient penalty, a Hessian); expected first derivatives only"
        )

    return derivative(operator, lambda ctx, inputs, output: None, refuse)


def batched(operator: Any, cores: Callable[..., tuple[int, ...]], gradients: tuple[int, ...] = ()) -> None:
    """Let vmap add a batch axis in front.

    `cores` tells, from the arguments that are no tensors, how many axes of each tensor are no batch axes, such as 2 of
    a path. `gradients` says of which tensors the results may have the shape; without it there is one result, and it
    keeps its batch axes.
    """

    def rule(info: Any, in_dims: tuple[Optional[int], ...], *arguments: Any) -> Any:
        count = sum(value is None or isinstance(value, Tensor) for value in arguments)
        tensors, others = arguments[:count], arguments[count:]
        moved = [_in_front(tensor, dim, info.batch_size) for tensor, dim in zip(tensors, in_dims)]
        axes = cores(*others)
        lead = max(tensor.ndim - core for tensor, core in zip(moved, axes) if tensor is not None)
        result = operator(*(_aligned(tensor, lead + core) for tensor, core in zip(moved, axes)), *others)
        if not gradients:
            return result, 0
        if isinstance(result, Tensor):
            return result.reshape(moved[gradients[0]].shape), 0
        wanted = [index for index, side in zip(gradients, ("x", "y")) if others[0] in ("both", side)]
        return [part.reshape(moved[index].shape) for part, index in zip(result, wanted)], [0] * len(result)

    operator.register_vmap(rule)


def one_by_one(operator: Any, tensors: int) -> None:
    """Let vmap call an operator without batch axes, whose first arguments are tensors, for every entry."""

    def rule(info: Any, in_dims: tuple[Optional[int], ...], *arguments: Any) -> Any:
        if info.batch_size == 0:
            return _none(operator, in_dims, arguments[:tensors], arguments[tensors:])
        results = []
        for b in range(info.batch_size):
            entry = [v if dim is None else v.select(dim, b) for v, dim in zip(arguments[:tensors], in_dims)]
            results.append(operator(*entry, *arguments[tensors:]))
        if isinstance(results[0], Tensor):
            return torch.stack(results), 0
        return [torch.stack(parts) for parts in zip(*results)], [0] * len(results[0])

    operator.register_vmap(rule)


def _none(operator: Any, in_dims: tuple[Optional[int], ...], tensors: tuple[Any, ...], others: tuple[Any, ...]) -> Any:
    """Return the results of no calls: shapes alone, from the device meta."""
    entry = [v if v is None else (v if dim is None else v.sum(dim)).to("meta") for v, dim in zip(tensors, in_dims)]
    result = operator(*entry, *others)
    if isinstance(result, Tensor):
        return tensors[0].new_empty((0, *result.shape)), 0
    return [tensors[0].new_empty((0, *part.shape)) for part in result], [0] * len(result)


def _in_front(tensor: Optional[Tensor], dim: Optional[int], size: int) -> Optional[Tensor]:
    if tensor is None:
        return None
    return tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)


def _aligned(tensor: Optional[Tensor], ndim: int) -> Optional[Tensor]:
    """Put axes of one entry behind the first, so that batch axes broadcast as they did without it."""
    if tensor is None:
        return None
    index = (slice(None), *[None] * (ndim - tensor.ndim))
    return tensor[index]
