"""The figures, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from gradients import Row
from runs import Measured
from works import ESIG, GOURSAT, IISIGNATURE, PYSIGLIB

COLOURS = {GOURSAT: "#e4572e", PYSIGLIB: "#22272e", IISIGNATURE: "#2a9d8f", ESIG: "#b9b4a7"}
EXACT, SECOND = "#e4572e", "#22272e"


def times(panels: Sequence[tuple[str, list[Measured]]], label: str, title: str, output: Path) -> None:
    """One panel for one thread and one for all, of times over what is swept."""
    figure, axes = plt.subplots(1, len(panels), figsize=(4.6 * len(panels), 4), sharey=True, squeeze=False)
    for panel, (name, measured) in zip(axes[0], panels):
        for library, colour in COLOURS.items():
            points = [(each.size, each.best[library]) for each in measured if library in each.best]
            if points:
                panel.plot(*zip(*points), marker="o", markersize=3.5, color=colour, label=library)
        panel.set(title=name, xlabel=label, yscale="log")
        panel.grid(alpha=0.25)
    axes[0][0].set_ylabel("milliseconds")
    axes[0][0].legend(frameon=False)
    save(figure, title, output)


def errors(tables: dict[str, list[Row]], output: Path) -> None:
    """Errors against central differences over points, one line an order."""
    figure, axes = plt.subplots(1, len(tables), figsize=(4.6 * len(tables), 4.2), sharey=True, squeeze=False)
    for panel, (name, rows) in zip(axes[0], tables.items()):
        orders = sorted({row.order for row in rows})
        for order in orders:
            mine = [row for row in rows if row.order == order]
            points = [row.points for row in mine]
            look = {"alpha": 1 - 0.75 * order / max(len(orders), 2), "marker": "o", "markersize": 3}
            panel.plot(points, [row.second_pde for row in mine], color=SECOND, **look)
            panel.plot(points, [row.exact for row in mine], color=EXACT, **look)
            end = (points[-1], mine[-1].second_pde)
            panel.annotate(f"λ = {order}", end, xytext=(5, -3), textcoords="offset points", fontsize=8)
        panel.set(title=name, xlabel="points", xscale="log", yscale="log")
        swept = sorted({row.points for row in rows})
        panel.set_xticks(swept, [str(each) for each in swept])
        panel.minorticks_off()
        panel.margins(x=0.14)
        panel.grid(alpha=0.25)
    axes[0][0].set_ylabel("error, of the largest derivative")
    axes[0][0].plot([], [], color=SECOND, label="second PDE")
    axes[0][0].plot([], [], color=EXACT, label="exact (fainter: higher order)")
    axes[0][0].legend(frameon=False, loc="center left")
    save(figure, "Gradients of the signature kernel against central differences", output)


def save(figure: plt.Figure, title: str, output: Path) -> None:
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(output, dpi=120)
    plt.close(figure)
