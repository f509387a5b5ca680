"""Memory of Goursat beyond inputs and outputs, and time, of long paths on one thread.

    make bench-memory           # half a minute; writes build/memory.md

Each work has a process of its own. Measured is how much its peak resident memory is above what was resident before the
call, less the results.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from timing import markdown, processor

import goursat

# Points, channels, degree of a signature (0: a kernel), whether back.
WORKS = [
    (50_000, 5, 0, False),
    (50_000, 5, 0, True),
    (131_072, 2, 0, False),
    (1_000_000, 5, 5, False),
    (1_000_000, 5, 5, True),
]


def peak() -> float:
    """Most resident memory since `forget`, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def forget() -> None:
    """Let the peak begin anew (Linux, proc(5): clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def one(length: int, dim: int, degree: int, back: bool) -> tuple[float, float]:
    """Seconds of a call, and MB that it takes."""
    x, y = (np.cumsum(np.random.default_rng(seed).normal(size=(length, dim)), 0) for seed in (1, 2))
    x, y = (path / np.sqrt(length * dim) for path in (x, y))
    if degree:
        grad = np.ones(goursat.signature_length(dim, degree))
        calls = [
            lambda path: goursat.signature(path, degree, n_threads=1),
            lambda path: goursat.sig_backprop(grad, path, degree, n_threads=1),
        ]
    else:
        calls = [
            lambda path: goursat.sigkernel(path, y[: len(path)], n_threads=1),
            lambda path: goursat.sigkernel_backprop(np.ones(()), path, y[: len(path)], n_threads=1),
        ]
    calls[back](x[:64])
    forget()
    before, begun = peak(), time.perf_counter()
    result = calls[back](x)
    seconds = time.perf_counter() - begun
    outputs = sum(part.nbytes for part in (result if isinstance(result, tuple) else (result,))) / 2**20
    return seconds, max(0.0, peak() - before - outputs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="build/memory.md")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        print(json.dumps(one(*json.loads(arguments.work))))
        return 0
    rows = []
    for work in WORKS:
        command = [sys.executable, __file__, "--work", json.dumps(work)]
        seconds, megabytes = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        length, dim, degree, back = work
        what = f"signature of degree {degree}, {length:,} points" if degree else f"kernel of two paths of {length:,} points"
        rows.append([f"{what}, {dim} channels" + (", gradients" if back else ""), f"{seconds:.2f}", f"{megabytes:.0f}"])
    text = f"{processor()}, one thread, double precision.\n\n" + markdown(["work", "seconds", "MB beyond"], rows)
    Path(arguments.output).parent.mkdir(parents=True, exist_ok=True)
    Path(arguments.output).write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
