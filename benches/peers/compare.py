"""Goursat beside pySigLib, in one run, on one thread: a table of milliseconds and ratios, as Markdown and CSV.

    make bench-peers            # all of it, some minutes; writes build/peers.md and build/peers.csv

Every work is done by both in turn, as often as its time allows, and the shortest time of each counts. Before it is
timed the results are compared. Paths are random walks whose steps are scaled by 1/sqrt(L d), so that kernels are of order 1.
"""

import argparse
import csv
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pysiglib
import torch

import goursat

torch.set_num_threads(1)

ALLOWED = 1e-8, 3e-2  # f64, f32: the peer's f32 loses up to 5e-3 here; ours is held to 1e-5 by tests/accuracy.rs


@dataclass
class Work:
    name: str
    ours: Callable[[], Any]
    peer: Callable[[], Any]


def walks(batch: int, length: int, dim: int, dtype: type, seed: int) -> np.ndarray:
    steps = np.random.default_rng(seed).uniform(-1, 1, (batch, length, dim)) * 1.7 / np.sqrt(length * dim)
    return np.cumsum(steps, axis=1).astype(dtype)


def kernel(dtype, batch, length, dim, order=0, transforms=False, backward=True):
    x, y = walks(batch, length, dim, dtype, 1), walks(batch, length, dim, dtype, 2)
    flags = {"time_aug": True, "lead_lag": True} if transforms else {}
    extra = (f", order {order}" if order else "") + (", lead-lag and time" if transforms else "")
    name = f"({batch}, {length}, {dim}){extra}"
    yield Work(
        f"kernel {name}",
        lambda: goursat.sigkernel(x, y, dyadic_order=order, n_threads=1, **flags),
        lambda: pysiglib.sig_kernel(x, y, dyadic_order=order, n_jobs=1, **flags),
    )
    if backward:
        grad = np.ones(batch, dtype)
        yield Work(
            f"kernel gradients {name}",
            lambda: goursat.sigkernel_backprop(grad, x, y, dyadic_order=order, n_threads=1, **flags),
            lambda: pysiglib.sig_kernel_backprop(
                grad, x, y, dyadic_order=order, left_deriv=True, right_deriv=True, n_jobs=1, **flags
            ),
        )


def gram(dtype, batch, length, dim):
    x, y = walks(batch, length, dim, dtype, 1), walks(batch, length, dim, dtype, 2)
    grad = np.ones((batch, batch), dtype)
    name = f"{batch} × {batch} ({length}, {dim})"
    yield Work(
        f"Gram matrix {name}",
        lambda: goursat.sigkernel_gram(x, y, n_threads=1),
        lambda: pysiglib.sig_kernel_gram(x, y, dyadic_order=0, n_jobs=1),
    )
    yield Work(
        f"Gram gradients {name}",
        lambda: goursat.sigkernel_gram_backprop(grad, x, y, n_threads=1),
        lambda: pysiglib.sig_kernel_gram_backprop(
            grad, x, y, dyadic_order=0, left_deriv=True, right_deriv=True, n_jobs=1
        ),
    )


def signature(dtype, batch, length, dim, degree, transforms=False):
    path = walks(batch, length, dim, dtype, 1)
    ours = {"time_aug": True, "lead_lag": "lag_first"} if transforms else {}
    flags = {"time_aug": True, "lead_lag": True} if transforms else {}
    values = pysiglib.sig(path, degree, n_jobs=1, **flags)
    grad = np.random.default_rng(3).uniform(-1, 1, values.shape).astype(dtype)
    name = f"({batch}, {length}, {dim}) degree {degree}" + (", lead-lag and time" if transforms else "")
    yield Work(
        f"signature {name}",
        lambda: goursat.signature(path, degree, n_threads=1, **ours),
        lambda: pysiglib.sig(path, degree, n_jobs=1, **flags),
    )
    yield Work(
        f"signature gradient {name}",
        lambda: goursat.sig_backprop(grad, path, degree, n_threads=1, **ours),
        lambda: pysiglib.sig_backprop(path, values, grad, degree, n_jobs=1, **flags),
    )


def works(dtype):
    for shape in [(128, 256, 8), (128, 512, 16), (128, 1024, 32)]:
        yield from kernel(dtype, *shape)
    yield from kernel(dtype, 128, 256, 8, order=2)
    yield from kernel(dtype, 128, 256, 8, transforms=True)
    yield from kernel(dtype, 20000, 20, 4)
    yield from kernel(dtype, 1, 5000, 5)
    yield from gram(dtype, 256, 64, 5)
    for shape in [(32, 128, 4, 7), (32, 1024, 5, 5), (32, 1024, 16, 4), (1024, 100, 2, 4), (1024, 100, 3, 3)]:
        yield from signature(dtype, *shape)
    yield from signature(dtype, 32, 256, 4, 4, transforms=True)


def difference(ours: Any, peer: Any) -> float:
    """Of the largest entries of all results."""
    pairs = zip(ours, peer) if isinstance(ours, tuple) else [(ours, peer)]
    worst = 0.0
    for a, b in pairs:
        a, b = np.asarray(a, float), np.asarray(b, float)
        worst = max(worst, float(np.max(np.abs(a - b)) / np.max(np.abs(b))))
    return worst


def measure(work: Work, budget: float) -> tuple[float, float, float]:
    """Milliseconds of both and how far the results differ."""
    apart = difference(work.ours(), work.peer())
    best = [np.inf, np.inf]
    begun = time.perf_counter()
    rounds = 0
    while not rounds or (rounds < 20 and time.perf_counter() - begun < budget):
        for which, run in enumerate([work.ours, work.peer]):
            start = time.perf_counter()
            run()
            best[which] = min(best[which], time.perf_counter() - start)
        rounds += 1
    return 1e3 * best[0], 1e3 * best[1], apart


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="build/peers", help="what to write, without .md and .csv")
    parser.add_argument("--budget", type=float, default=3.0, help="seconds a work")
    parser.add_argument("--only", default="", help="works whose name has this in it")
    arguments = parser.parse_args()
    rows, wrong = [], 0
    for dtype, allowed in zip([np.float64, np.float32], ALLOWED):
        for work in works(dtype):
            if arguments.only not in work.name:
                continue
            ours, peer, apart = measure(work, arguments.budget)
            rows.append([work.name, np.dtype(dtype).name, f"{ours:.3g}", f"{peer:.3g}", f"{peer / ours:.1f}", f"{apart:.0e}"])
            print(" | ".join(rows[-1]), flush=True)
            if not apart < allowed:
                wrong += 1
                print(f"  differs by {apart:.1e}, more than {allowed:.0e}", file=sys.stderr)
    head = ["work", "precision", "Goursat, ms", "pySigLib, ms", "ratio", "apart"]
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
    versions = f"Goursat {goursat.__version__} ({goursat.simd_level()}), pySigLib 4.0.0, {processor()}, one thread."
    output = Path(arguments.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".md").write_text("\n".join([versions, "", *lines, ""]), encoding="utf-8")
    with output.with_suffix(".csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
