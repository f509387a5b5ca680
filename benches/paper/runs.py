"""The tables and figures of times: which works each has, and what was measured."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from timing import Work, measure
from works import ESIG, IISIGNATURE, PYSIGLIB, kernel, set_threads, signature

# Rounding of f64 on long paths; iisignature returns its gradients in single precision.
ALLOWED = {PYSIGLIB: 1e-8, ESIG: 1e-8, IISIGNATURE: 1e-4}


@dataclass(frozen=True)
class Sizes:
    """(paths, points, channels) and degrees: the paper's, or tiny ones that run everything in seconds."""

    table1: tuple[tuple[int, int, int], ...] = ((128, 256, 8), (128, 512, 16), (128, 1024, 32))
    lengths: tuple[int, ...] = tuple(range(10, 2011, 200))
    swept: tuple[int, int] = (32, 5)  # paths and channels of figures 1 and 2
    table2: tuple[int, int, int, int] = (32, 128, 4, 7)
    table3: tuple[int, int, int, int] = (32, 1024, 16, 4)
    figure3: tuple[int, int, int] = (32, 1024, 5)
    degrees: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    gradient_points: tuple[int, ...] = (2, 3, 5, 9, 17, 33, 65, 129)
    gradient_orders: int = 6
    finest: int = 512  # pieces a path at most, for the gradients


QUICK = Sizes(
    table1=((8, 16, 3),),
    lengths=(10, 20),
    swept=(4, 5),
    table2=(4, 12, 3, 3),
    table3=(4, 20, 4, 2),
    figure3=(4, 20, 5),
    degrees=(1, 2),
    gradient_points=(2, 5, 9, 33),
    gradient_orders=3,
    finest=64,
)


@dataclass
class Measured:
    item: str  # "table1", …
    work: str
    backward: bool
    threads: int  # 1, or 0 for all
    size: int  # what a figure sweeps: the length or the degree
    best: dict[str, float]  # milliseconds by library
    apart: dict[str, float]


def works(item: str, sizes: Sizes, threads: int) -> Iterator[tuple[int, Iterator[Work]]]:
    """(size, (forward, backward)) of a table or figure, in double precision."""
    if item == "table1":
        for shape in sizes.table1:
            yield shape[1], kernel(np.float64, *shape, threads=threads)
    elif item == "figures1and2":
        for length in sizes.lengths:
            yield length, kernel(np.float64, sizes.swept[0], length, sizes.swept[1], threads=threads)
    elif item == "figure3":
        for degree in sizes.degrees:
            yield degree, signature(np.float64, *sizes.figure3, degree, threads=threads, others=threads == 1)
    else:
        shape = {"table2": sizes.table2, "table3": sizes.table3}[item]
        yield shape[1], signature(np.float64, *shape, threads=threads, others=threads == 1)


def run(item: str, sizes: Sizes, budget: float) -> list[Measured]:
    """Measure on one thread, then on all."""
    found = []
    for threads in (1, 0):
        set_threads(threads)
        for size, pair in works(item, sizes, threads):
            for backward, work in enumerate(pair):
                best, apart = measure(work, budget)
                found.append(Measured(item, work.name, bool(backward), threads, size, best, apart))
                times = ", ".join(f"{library} {ms:.3g} ms" for library, ms in best.items())
                print(f"{item}, {'one thread' if threads else 'all threads'}: {work.name}: {times}", flush=True)
                for peer, far in apart.items():
                    if not far < ALLOWED[peer]:
                        sys.exit(f"{work.name}: {peer} is {far:.1e} off; expected less than {ALLOWED[peer]:.0e}")
    return found
