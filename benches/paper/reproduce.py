"""The tables and figures of the paper of pySigLib, on this machine, and its claim about gradients from a second PDE.

    make paper                  # all of it: some 15 minutes on two cores; writes build/paper/
    build/peers/bin/python benches/paper/reproduce.py --quick         # tiny sizes: seconds
    build/peers/bin/python benches/paper/reproduce.py --only table1,gradients

Times are the shortest of several, of libraries that take turns, in double precision, on one thread (of PyTorch's too)
and on all. Before anything is timed its results are compared. The shapes are those of Shmelev & Salvi, pySigLib - Fast
Signature-Based Computations on CPU and GPU, arXiv 2025; which libraries run depends on what is installed here.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))

import pictures
from gradients import Row, errors
from runs import QUICK, Measured, Sizes, run
from timing import markdown, processor, write_csv
from works import ESIG, GOURSAT, IISIGNATURE, PYSIGLIB

import goursat

TITLES = {
    "table1": "Table 1: signature kernels of 128 pairs (paths, points, channels)",
    "figures1and2": "Figures 1 and 2: signature kernels and their gradients over the length, 32 pairs in dimension 5",
    "table2": "Table 2: signatures of 32 paths of 128 points in dimension 4, degree 7",
    "table3": "Table 3: signatures of 32 paths of 1024 points in dimension 16, degree 4",
    "figure3": "Figure 3: signatures of 32 paths of 1024 points in dimension 5 over the degree",
    "gradients": "Gradients from a second PDE",
}
KINDS = {"walk": "Random walks", "smooth": "Smooth curves"}
LIBRARIES = (GOURSAT, PYSIGLIB, IISIGNATURE, ESIG)
ABSENT = "sigkernel and signatory do not install beside a current PyTorch and are left out."
GRADIENTS = """The largest error of a derivative, relative to the largest derivative of the pair, the mean of 4 pairs of
paths in dimension 5. "exact" is Goursat's gradient, "second PDE" that of the continuous equation, discretised as
sigkernel does it (benches/paper/second_pde.py); both against central differences of the kernel of the same order. "To
the limit" is their distance from the gradient on the finest grid (order 8, or 2^22 cells): what the order leaves."""


def installed(name: str) -> str:
    try:
        return f"{name} {version(name.lower())}"
    except PackageNotFoundError:
        return f"{name} not installed"


def preface(quick: bool) -> str:
    libraries = ", ".join(installed(name) for name in LIBRARIES[1:])
    cores = len(os.sched_getaffinity(0))
    sizes = "Tiny sizes, to see that everything runs: the times mean nothing.\n\n" if quick else ""
    return (
        f"# The paper's tables and figures, on this machine\n\n{sizes}"
        f"Goursat {goursat.__version__} ({goursat.simd_level()}), {libraries}. {processor()}, {cores} cores. {ABSENT}\n"
    )


def time_table(measured: list[Measured]) -> tuple[list[str], list[list[str]]]:
    libraries = [library for library in LIBRARIES if any(library in each.best for each in measured)]
    head = ["work", "threads", *(f"{library}, ms" for library in libraries), "pySigLib / Goursat", "pySigLib apart"]
    rows = []
    for each in measured:
        ratio = f"{each.best[PYSIGLIB] / each.best[GOURSAT]:.1f}" if PYSIGLIB in each.best else ""
        apart = f"{each.apart[PYSIGLIB]:.0e}" if PYSIGLIB in each.apart else ""
        cells = [f"{each.best[library]:.3g}" if library in each.best else "" for library in libraries]
        rows.append([each.work, "1" if each.threads else "all", *cells, ratio, apart])
    return head, rows


def time_pictures(item: str, measured: list[Measured], folder: Path) -> list[str]:
    """Draw what an item is a figure of, and return the files' names."""

    def panels(backward: bool) -> list[tuple[str, list[Measured]]]:
        mine = [each for each in measured if each.backward == backward]
        return [
            ("one thread", [each for each in mine if each.threads]),
            ("all threads", [each for each in mine if not each.threads]),
        ]

    if item == "figures1and2":
        drawn = [("figure1.png", "Signature kernels", False), ("figure2.png", "Gradients of signature kernels", True)]
    elif item == "figure3":
        drawn = [("figure3.png", "Signatures", False), ("figure3-gradients.png", "Gradients of signatures", True)]
    else:
        return []
    for name, title, backward in drawn:
        pictures.times(panels(backward), "degree" if item == "figure3" else "points", title, folder / name)
    return [name for name, _, _ in drawn]


def error_table(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    head = ["points", "order", "exact", "second PDE", "pySigLib", "exact, to the limit", "second PDE, to the limit"]
    cells = []
    for row in rows:
        numbers = [row.exact, row.second_pde, row.pysiglib, row.exact_to_limit, row.second_pde_to_limit]
        cells.append([str(row.points), str(row.order), *("" if each is None else f"{each:.1e}" for each in numbers)])
    return head, cells


def gradients(sizes: Sizes, folder: Path) -> str:
    """Write the errors of gradients and return their section."""
    tables, section, all_rows = {}, [GRADIENTS, "", "![](gradients.png)", ""], []
    for kind, title in KINDS.items():
        rows = []
        for points in sizes.gradient_points:
            orders = [order for order in range(sizes.gradient_orders) if (points - 1) << order <= sizes.finest]
            rows += errors(kind, points, orders)
        tables[title] = rows
        head, cells = error_table(rows)
        all_rows += [[kind, *each] for each in cells]
        section += [f"### {title}", "", markdown(head, cells)]
    write_csv(folder / "gradients.csv", ["paths", *head], all_rows)
    pictures.errors(tables, folder / "gradients.png")
    return "\n".join(section)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="build/paper", type=Path, help="a folder (default: %(default)s)")
    parser.add_argument("--budget", type=float, default=3.0, help="seconds a work (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: seconds in all")
    parser.add_argument("--only", default=",".join(TITLES), help="some of %(default)s")
    options = parser.parse_args(arguments)
    wanted = options.only.split(",")
    if unknown := sorted(set(wanted) - set(TITLES)):
        parser.error(f"--only has {', '.join(unknown)}; expected some of {', '.join(TITLES)}")
    sizes, budget = (QUICK, 0.0) if options.quick else (Sizes(), options.budget)
    folder = options.output
    folder.mkdir(parents=True, exist_ok=True)
    page = [preface(options.quick)]
    for item, title in TITLES.items():
        if item not in wanted:
            continue
        page += [f"## {title}", ""]
        if item == "gradients":
            page.append(gradients(sizes, folder))
            continue
        measured = run(item, sizes, budget)
        head, rows = time_table(measured)
        write_csv(folder / f"{item}.csv", head, rows)
        page += [f"![]({name})\n" for name in time_pictures(item, measured, folder)]
        page.append(markdown(head, rows))
    (folder / "paper.md").write_text("\n".join(page), encoding="utf-8")
    print(f"{folder / 'paper.md'}")


if __name__ == "__main__":
    main()
