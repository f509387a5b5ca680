"""Goursat alone at each SIMD level of the machine, on one thread: none is to be slower than the one below it.

    make bench-levels           # some minutes; writes build/levels.md and .csv

The works are those of compare.py. Above the table stand the ceilings of a core with the instructions of each level:
billions of multiply-adds a second in f64 and f32, and of bytes that it reads from memory.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import floors
import numpy as np
from compare import main_works
from timing import markdown, measure, processor, write_csv
from works import GOURSAT, Work

import goursat

# A level and the architecture of the compiler that has its instructions.
LEVELS = {"portable": "x86-64-v2", "avx2": "x86-64-v3", "avx512": "x86-64-v4", "neon": "armv8-a"}
# How much longer a level may take than the one below it: what two runs of one level differ by.
NOISE = 1.05


def times(budget: float) -> dict[str, float]:
    """Milliseconds by work, at the level of this process."""
    found = {}
    for dtype in (np.float64, np.float32):
        for work in main_works(dtype):
            alone = Work(work.name, {GOURSAT: work.runs[GOURSAT]})
            found[f"{work.name}, {np.dtype(dtype).name}"] = measure(alone, budget)[0][GOURSAT]
    return found


def at_level(level: str, budget: float) -> dict[str, float]:
    command = [sys.executable, __file__, "--here", "--budget", str(budget)]
    environment = dict(os.environ, GOURSAT_SIMD=level)
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="build/levels", help="what to write, without .md and .csv")
    parser.add_argument("--budget", type=float, default=1.0, help="seconds a work")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(times(arguments.budget)))
        return 0
    best = goursat.simd_level()
    order = ["neon"] if best == "neon" else ["portable", "avx2", "avx512"]
    levels = order[: order.index(best) + 1]
    ceilings = ""
    for level in levels:
        rate = floors.ceilings(LEVELS[level]) or {}
        ceilings += f"{level}: " + ", ".join(f"{number / 1e9:.0f}" for number in rate.values()) + "; "
    all_times = {level: at_level(level, arguments.budget) for level in levels}
    rows, slower = [], 0
    for work, least in all_times[levels[-1]].items():
        each = [all_times[level][work] for level in levels]
        gains = [below / own for below, own in zip(each, each[1:])]
        slower += sum(gain * NOISE < 1 for gain in gains)
        rows.append([work, *(f"{time:.3g}" for time in each), *(f"{gain:.2f}" for gain in gains)])
    head = ["work", *(f"{level}, ms" for level in levels), *(f"{a} / {b}" for a, b in zip(levels, levels[1:]))]
    output = Path(arguments.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    text = f"Goursat {goursat.__version__}, {processor()}, one thread. {ceilings[:-2]}.\n\n{markdown(head, rows)}"
    output.with_suffix(".md").write_text(text, encoding="utf-8")
    write_csv(output.with_suffix(".csv"), head, rows)
    print(text)
    if slower:
        print(f"{slower} times a level is slower than the one below it", file=sys.stderr)
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
