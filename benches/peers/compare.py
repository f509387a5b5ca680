"""Goursat beside pySigLib, in one run, on one thread: a table of milliseconds and ratios, as Markdown and CSV.

    make bench-peers            # all of it, some minutes; writes build/peers.md and build/peers.csv

Every work is done by both in turn, as often as its time allows, and the shortest time of each counts. Before it is
timed the results are compared.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from timing import markdown, measure, processor, write_csv
from works import GOURSAT, PYSIGLIB, gram, kernel, pysiglib, set_threads, signature

import goursat

# f64, f32: the peer's f32 is up to 4 % off here, on the pair of 5000 points; ours is held to 1e-5 by tests/accuracy.rs.
ALLOWED = 1e-8, 6e-2


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="build/peers", help="what to write, without .md and .csv")
    parser.add_argument("--budget", type=float, default=3.0, help="seconds a work")
    parser.add_argument("--only", default="", help="works whose name has this in it")
    arguments = parser.parse_args()
    if pysiglib is None:
        sys.exit("pySigLib is not installed: make bench-peers installs it")
    set_threads(1)
    rows, wrong = [], 0
    for dtype, allowed in zip([np.float64, np.float32], ALLOWED):
        for work in works(dtype):
            if arguments.only not in work.name:
                continue
            best, others = measure(work, arguments.budget)
            ours, peer, apart = best[GOURSAT], best[PYSIGLIB], others[PYSIGLIB]
            rows.append(
                [work.name, np.dtype(dtype).name, f"{ours:.3g}", f"{peer:.3g}", f"{peer / ours:.1f}", f"{apart:.0e}"]
            )
            print(" | ".join(rows[-1]), flush=True)
            if not apart < allowed:
                wrong += 1
                print(f"  differs by {apart:.1e}, more than {allowed:.0e}", file=sys.stderr)
    head = ["work", "precision", "Goursat, ms", "pySigLib, ms", "ratio", "apart"]
    versions = f"Goursat {goursat.__version__} ({goursat.simd_level()}), pySigLib 4.0.0, {processor()}, one thread."
    output = Path(arguments.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".md").write_text(f"{versions}\n\n{markdown(head, rows)}", encoding="utf-8")
    write_csv(output.with_suffix(".csv"), head, rows)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
