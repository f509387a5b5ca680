"""Signatures and signature kernels of PyTorch tensors, differentiable with respect to every path.

The functions are those of `goursat`, with tensors for arrays: paths (..., L, d) with any number of batch axes, or a
list of (L_b, d) tensors, a ragged batch. Results are float32 where all tensors are, else float64; half precision is an
error. Each function is a custom operator of `torch.library`: it works under `torch.compile` and `torch.func.vmap`, and
in the workers of a DataLoader. Tensors are on the CPU or on a CUDA
device, and are read as they lie; on a device the work goes into its current stream. (It has not been run on a GPU yet.)

Gradients are exact, the derivative of what is computed. There is no second derivative of signatures and kernels: asking
for one is an error.

>>> x = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], requires_grad=True)
>>> goursat.torch.sigkernel(x, x.detach() + 1, dyadic_order=2).backward()
>>> x.grad.shape
torch.Size([3, 2])
"""

from .._extras import missing

try:
    import torch as _torch
except ImportError:
    raise missing("goursat.torch", "PyTorch 2.5 or later", "torch") from None

if not hasattr(_torch.library, "register_vmap"):  # 2.5 brought it
    raise missing(f"goursat.torch (beside PyTorch {_torch.__version__})", "PyTorch 2.5 or later", "torch")

from .._signature import signature_length
from ._gram import sigkernel_gram
from ._kernel import sigkernel
from ._losses import SigKernelMMD, SigKernelScore
from ._signature import signature
from ._transforms import lead_lag, time_augment

__all__ = [
    "SigKernelMMD",
    "SigKernelScore",
    "lead_lag",
    "sigkernel",
    "sigkernel_gram",
    "signature",
    "signature_length",
    "time_augment",
]
