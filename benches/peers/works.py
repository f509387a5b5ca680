"""What is timed: the same work for each library, on one thread or on all.

`threads` is 1, or 0 for all. Paths are random walks whose steps are scaled by 1/sqrt(L d): kernels are of order 1.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Optional

import floors
import numpy as np
from timing import Work

import goursat

GOURSAT, PYSIGLIB, IISIGNATURE, ESIG = "Goursat", "pySigLib", "iisignature", "esig"


def find(name: str) -> Optional[ModuleType]:
    """Return a library, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


pysiglib, iisignature, esig = find("pysiglib"), find("iisignature"), find("esig")


def set_threads(threads: int) -> None:
    """Tell PyTorch, with which pySigLib computes increments and gradients; n_jobs alone does not bound it."""
    if torch := find("torch"):
        torch.set_num_threads(threads or len(os.sched_getaffinity(0)))


def walks(batch: int, length: int, dim: int, dtype: type, seed: int) -> np.ndarray:
    steps = np.random.default_rng(seed).uniform(-1, 1, (batch, length, dim)) * 1.7 / np.sqrt(length * dim)
    return np.cumsum(steps, axis=1).astype(dtype)


def kernel(dtype, batch, length, dim, order=0, transforms=False, threads=1) -> Iterator[Work]:
    """Kernels of pairs, and their gradients with respect to both sides."""
    x, y = walks(batch, length, dim, dtype, 1), walks(batch, length, dim, dtype, 2)
    grad = np.ones(batch, dtype)
    ours = {"dyadic_order": order, "n_threads": threads}
    theirs = {"dyadic_order": order, "n_jobs": threads or -1}
    if transforms:
        for options in (ours, theirs):
            options.update(time_aug=True, lead_lag=True)
    extra = (f", order {order}" if order else "") + (", lead-lag and time" if transforms else "")
    name = f"({batch}, {length}, {dim}){extra}"
    least = {"order": order, "lead_lag": transforms, "pairs": batch}
    forward = Work(f"kernel {name}", {GOURSAT: lambda: goursat.sigkernel(x, y, **ours)})
    forward.floor = floors.kernel(dtype, length, dim, **least)
    backward = Work(f"kernel gradients {name}", {GOURSAT: lambda: goursat.sigkernel_backprop(grad, x, y, **ours)})
    backward.floor = floors.kernel(dtype, length, dim, back=True, **least)
    if pysiglib:
        both = {"left_deriv": True, "right_deriv": True}
        forward.runs[PYSIGLIB] = lambda: pysiglib.sig_kernel(x, y, **theirs)
        backward.runs[PYSIGLIB] = lambda: pysiglib.sig_kernel_backprop(grad, x, y, **both, **theirs)
    yield forward
    yield backward


def gram(dtype, batch, length, dim, order=0, gradients=True) -> Iterator[Work]:
    """A Gram matrix and its gradients, on one thread."""
    x, y = walks(batch, length, dim, dtype, 1), walks(batch, length, dim, dtype, 2)
    grad = np.ones((batch, batch), dtype)
    name = f"{batch} × {batch} ({length}, {dim})" + (f", order {order}" if order else "")
    ours, theirs = {"dyadic_order": order, "n_threads": 1}, {"dyadic_order": order, "n_jobs": 1}
    yield Work(
        f"Gram matrix {name}",
        {
            GOURSAT: lambda: goursat.sigkernel_gram(x, y, **ours),
            PYSIGLIB: lambda: pysiglib.sig_kernel_gram(x, y, **theirs),
        },
        floors.kernel(dtype, length, dim, order, pairs=batch * batch),
    )
    if not gradients:
        return
    both = {"left_deriv": True, "right_deriv": True}
    yield Work(
        f"Gram gradients {name}",
        {
            GOURSAT: lambda: goursat.sigkernel_gram_backprop(grad, x, y, **ours),
            PYSIGLIB: lambda: pysiglib.sig_kernel_gram_backprop(grad, x, y, **both, **theirs),
        },
        floors.kernel(dtype, length, dim, order, pairs=batch * batch, back=True),
    )


def signature(dtype, batch, length, dim, degree, transforms=False, threads=1, others=False) -> Iterator[Work]:
    """Truncated signatures and their gradient; with `others`, iisignature's and esig's too, on their one thread."""
    path = walks(batch, length, dim, dtype, 1)
    ours, theirs = {"n_threads": threads}, {"n_jobs": threads or -1}
    if transforms:
        ours.update(time_aug=True, lead_lag="lag_first")
        theirs.update(time_aug=True, lead_lag=True)
    values = goursat.signature(path, degree, **ours)
    grad = np.random.default_rng(3).uniform(-1, 1, values.shape).astype(dtype)
    name = f"({batch}, {length}, {dim}) degree {degree}" + (", lead-lag and time" if transforms else "")
    forward = Work(f"signature {name}", {GOURSAT: lambda: goursat.signature(path, degree, **ours)})
    backward = Work(f"signature gradient {name}", {GOURSAT: lambda: goursat.sig_backprop(grad, path, degree, **ours)})
    if not transforms:  # the zeros of lead-lag increments have no agreed floor
        forward.floor = floors.signature(length, dim, degree, batch)
        backward.floor = floors.signature(length, dim, degree, batch, back=True)
    if pysiglib:
        forward.runs[PYSIGLIB] = lambda: pysiglib.sig(path, degree, **theirs)
        backward.runs[PYSIGLIB] = lambda: pysiglib.sig_backprop(path, values, grad, degree, **theirs)
    if iisignature and others:
        forward.runs[IISIGNATURE] = lambda: iisignature.sig(path, degree)
        backward.runs[IISIGNATURE] = lambda: iisignature.sigbackprop(grad, path, degree)
    if esig and others:  # one path a call, level 0 included, no gradient
        forward.runs[ESIG] = lambda: np.array([esig.stream2sig(each, degree)[1:] for each in path])
    yield forward
    yield backward
