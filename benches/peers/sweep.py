"""Goursat alone over many shapes, on one thread: shares of the floor, where a cliff would show.

    make bench-sweep            # some minutes; writes build/sweep.csv and build/sweep.png

Lengths, dimensions, degrees and batches that are multiples of nothing, batches of 1 to 7, ragged ones. The floor and
its share are those of compare.py.
"""

import argparse
from pathlib import Path

import floors
import numpy as np
from timing import measure, write_csv
from works import GOURSAT, Work, walks

import goursat

LENGTHS = (5, 10, 20, 33, 65, 100, 130, 257, 500, 1000, 2000)
DIMS = (1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 32, 50)
BATCHES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 33, 100)


def kernels(dtype, batch, length, dim, ragged=False):
    x, y = walks(batch, length, dim, dtype, 1), walks(batch, length, dim, dtype, 2)
    grad = np.ones(batch, dtype)
    lengths = np.random.default_rng(5).integers(max(1, length // 2), length + 1, batch) if ragged else None
    options = {"n_threads": 1, "x_lengths": lengths, "y_lengths": lengths}
    each = [length] * batch if lengths is None else lengths
    for back in (False, True):
        floor = sum(floors.kernel(dtype, one, dim, back=back) for one in each)
        run = (
            (lambda: goursat.sigkernel_backprop(grad, x, y, **options))
            if back
            else (lambda: goursat.sigkernel(x, y, **options))
        )
        yield Work("kernel gradients" if back else "kernel", {GOURSAT: run}, floor)


def signatures(dtype, batch, length, dim, degree):
    path = walks(batch, length, dim, dtype, 1)
    grad = np.ones((batch, goursat.signature_length(dim, degree)), dtype)
    runs = {
        "signature": lambda: goursat.signature(path, degree, n_threads=1),
        "signature gradient": lambda: goursat.sig_backprop(grad, path, degree, n_threads=1),
    }
    for name, run in runs.items():
        yield Work(name, {GOURSAT: run}, floors.signature(length, dim, degree, batch, back="gradient" in name))


def batch_for(length):
    """So many pairs that a call takes about as long everywhere."""
    return int(np.clip(16 * round(4e6 / (length * length) / 16), 16, 4096))


def sweeps(dtype):
    """(sweep, place, works)"""
    for length in LENGTHS:
        yield "length of kernels, d = 5", length, kernels(dtype, batch_for(length), length, 5)
        yield "length, ragged, d = 5", length, kernels(dtype, batch_for(length), length, 5, ragged=True)
    for dim in DIMS:
        yield "dimension of kernels, L = 200", dim, kernels(dtype, 64, 200, dim)
    for batch in BATCHES:
        yield "batch of kernels, L = 700, d = 5", batch, kernels(dtype, batch, 700, 5)
        yield "batch of signatures, L = 500, d = 5, N = 4", batch, signatures(dtype, batch, 500, 5, 4)
    for length in LENGTHS:
        yield "length of signatures, d = 4, N = 5", length, signatures(dtype, 32, length, 4, 5)
    for dim in DIMS:
        yield "dimension of signatures, L = 200, N = 3", dim, signatures(dtype, 32, 200, dim, 3)
    for degree in range(1, 11):
        yield "degree, L = 200, d = 3", degree, signatures(dtype, 32, 200, 3, degree)


def plot(rows, output):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(row[0] for row in rows))
    figure, axes = pyplot.subplots((len(names) + 1) // 2, 2, figsize=(11, 2.6 * ((len(names) + 1) // 2)))
    for axis, sweep in zip(axes.flat, names):
        for line in dict.fromkeys((row[2], row[3]) for row in rows if row[0] == sweep):
            mine = [row for row in rows if row[0] == sweep and (row[2], row[3]) == line]
            axis.plot([row[1] for row in mine], [float(row[5]) for row in mine], marker=".", label=" ".join(line))
        axis.set(title=sweep, xscale="log", ylim=(0, 100), ylabel="% of the floor")
        axis.title.set_fontsize(9)
        axis.legend(fontsize=6)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(output, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="build/sweep", help="what to write, without .csv and .png")
    parser.add_argument("--budget", type=float, default=0.15, help="seconds a work")
    arguments = parser.parse_args()
    rate = floors.ceilings()
    if rate is None:
        parser.error("no compiler for C was found: the ceiling cannot be measured")
    rows = []
    for dtype in (np.float64, np.float32):
        precision = np.dtype(dtype).name
        for sweep, place, works in sweeps(dtype):
            for work in works:
                best = measure(work, arguments.budget)[0][GOURSAT]
                share = 100 * work.floor / rate[precision] / (1e-3 * best)
                rows.append([sweep, place, work.name, precision, f"{best:.4g}", f"{share:.1f}"])
    output = Path(arguments.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    head = ["sweep", "at", "work", "precision", "ms", "share of the floor, %"]
    write_csv(output.with_suffix(".csv"), head, rows)
    plot(rows, output.with_suffix(".png"))
    lowest = sorted(rows, key=lambda row: float(row[5]))[:12]
    print("lowest shares:", *(" | ".join(map(str, row)) for row in lowest), sep="\n")


if __name__ == "__main__":
    main()
