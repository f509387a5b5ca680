"""Goursat beside pySigLib, in one run, on one thread: milliseconds, ratios, and shares of the floor.

    make bench-peers            # some minutes; writes build/peers.md, .csv and .png
    build/peers/bin/python benches/peers/compare.py --set protocols --output build/protocols
    build/peers/bin/python benches/peers/compare.py --set long --output build/long    # the peer takes 10 GB

Every work is done by both in turn, as often as its time allows, and the shortest time of each counts. Before it is
timed the results are compared. The share of the floor is how long the multiply-adds alone would take (floors.py), by
what the core was measured to do in this run, over the time taken.
"""

import argparse
import sys
from pathlib import Path

import floors
import numpy as np
from timing import markdown, measure, processor, write_csv
from works import GOURSAT, PYSIGLIB, gram, kernel, pysiglib, set_threads, signature

import goursat

# f64, f32: the peer's f32 is up to 4 % off here, on the pair of 5000 points; ours is held to 1e-5 by tests/accuracy.rs.
ALLOWED = 1e-8, 6e-2


def main_works(dtype):
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


def protocols(dtype):
    """Return the works of pySigLib's own benchmarks."""
    for degree in (2, 3):
        for dim in (2, 4, 8, 16):
            yield from signature(dtype, 256, 10_000, dim, degree)
    for dim in (2, 4, 8, 16):
        yield from gram(dtype, 32, 1000, dim, order=1, gradients=False)


def long_pair(dtype):
    return list(kernel(dtype, 1, 20_000, 5))[:1]


SETS = {"main": main_works, "protocols": protocols, "long": long_pair}


def plot(rows, output: Path) -> None:
    """Ratios, and shares of the floor, as bars."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(row[0] for row in rows))
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 1 + 0.28 * len(names)), sharey=True)
    for axis, column, title in zip(axes, (4, 5), ("times faster than pySigLib", "share of the floor, %")):
        for shift, precision in ((-0.2, "float64"), (0.2, "float32")):
            values = {row[0]: row[column].rstrip("%") for row in rows if row[1] == precision}
            places = [place + shift for place, name in enumerate(names) if values.get(name)]
            axis.barh(places, [float(value) for name in names if (value := values.get(name))], 0.38, label=precision)
        axis.set_title(title)
        axis.grid(axis="x", alpha=0.3)
    axes[0].set_xscale("log")
    axes[0].set_yticks(range(len(names)), names, fontsize=8)
    axes[0].invert_yaxis()
    axes[1].legend()
    figure.tight_layout()
    figure.savefig(output, dpi=120)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, default="main", help="which works")
    parser.add_argument("--output", default="build/peers", help="what to write, without .md, .csv and .png")
    parser.add_argument("--budget", type=float, default=3.0, help="seconds a work")
    parser.add_argument("--only", default="", help="works whose name has this in it")
    arguments = parser.parse_args()
    if pysiglib is None:
        sys.exit("pySigLib is not installed: make bench-peers installs it")
    set_threads(1)
    rate = floors.ceilings() or {}
    rows, wrong = [], 0
    for dtype, allowed in zip([np.float64, np.float32], ALLOWED):
        precision = np.dtype(dtype).name
        for work in SETS[arguments.set](dtype):
            if arguments.only not in work.name:
                continue
            best, others = measure(work, arguments.budget)
            ours, peer, apart = best[GOURSAT], best[PYSIGLIB], others[PYSIGLIB]
            share = ""
            if work.floor and rate:
                share = f"{100 * work.floor / rate[precision] / (1e-3 * ours):.0f}%"
            rows.append([work.name, precision, f"{ours:.3g}", f"{peer:.3g}", f"{peer / ours:.1f}", share, f"{apart:.0e}"])
            print(" | ".join(rows[-1]), flush=True)
            if not apart < allowed:
                wrong += 1
                print(f"  differs by {apart:.1e}, more than {allowed:.0e}", file=sys.stderr)
    head = ["work", "precision", "Goursat, ms", "pySigLib, ms", "ratio", "share of the floor", "apart"]
    versions = f"Goursat {goursat.__version__} ({goursat.simd_level()}), pySigLib 4.0.0, {processor()}, one thread."
    if rate:
        versions += f" {rate['float64'] / 1e9:.0f} and {rate['float32'] / 1e9:.0f} billion multiply-adds a second (f64, f32)."
    output = Path(arguments.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".md").write_text(f"{versions}\n\n{markdown(head, rows)}", encoding="utf-8")
    write_csv(output.with_suffix(".csv"), head, rows)
    plot(rows, output.with_suffix(".png"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
