"""Times the same work as several libraries do it, in turn, and compares their results."""

from __future__ import annotations

import csv
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np


@dataclass
class Work:
    """What is timed: `runs` are by library, Goursat first; `floor` is in multiply-adds, None where it is not counted."""

    name: str
    runs: dict[str, Callable[[], Any]]
    floor: Optional[float] = None


def difference(ours: Any, peer: Any) -> float:
    """Of the largest entries of all results."""
    pairs = zip(ours, peer) if isinstance(ours, tuple) else [(ours, peer)]
    worst = 0.0
    for a, b in pairs:
        a, b = np.asarray(a, float), np.asarray(b, float)
        worst = max(worst, float(np.max(np.abs(a - b)) / np.max(np.abs(b))))
    return worst


def measure(work: Work, budget: float) -> tuple[dict[str, float], dict[str, float]]:
    """Shortest milliseconds by library, and how far the results of each peer are from ours.

    Every library takes its turn in every round; there are rounds for `budget` seconds, 1 to 20 of them.
    """
    results = {name: run() for name, run in work.runs.items()}
    first, *peers = results
    apart = {peer: difference(results[first], results[peer]) for peer in peers}
    results.clear()
    best = dict.fromkeys(work.runs, np.inf)
    begun = time.perf_counter()
    rounds = 0
    while not rounds or (rounds < 20 and time.perf_counter() - begun < budget):
        for name, run in work.runs.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], 1e3 * (time.perf_counter() - start))
        rounds += 1
    return best, apart


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def markdown(head: list[str], rows: list[list[str]]) -> str:
    return "".join("| " + " | ".join(row) + " |\n" for row in [head, ["---"] * len(head), *rows])


def write_csv(path: Path, head: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
