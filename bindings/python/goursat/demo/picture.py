"""The picture: the series with its regimes, similarities, an embedding, and the test."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Patch

from .market import DAYS

NAMES = ("calm", "middling", "turbulent")
COLOURS = ("#2a9d8f", "#b9b4a7", "#e4572e")
INK, FAINT, PAPER = "#22272e", "#7a7f87", "#fdfcf9"

STYLE = {
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
}


def draw(market, kernel, components, tests, famous, output):
    """Write the picture."""
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(15, 10.4))
        grid = figure.add_gridspec(
            *(2, 3), height_ratios=(0.72, 1), width_ratios=(1, 1.05, 0.8),
            left=0.05, right=0.975, top=0.865, bottom=0.065, hspace=0.3, wspace=0.24,
        )  # fmt: skip
        title = "Twenty years of stock markets, seen by the signature kernel"
        figure.text(0.05, 0.955, title, fontsize=18, weight="bold")
        figure.text(
            *(0.05, 0.925),
            f"Months of {DAYS} trading days of S&P 500 and NASDAQ as lead-lag paths with time. "
            "Regimes are those of the month before.",
            color=FAINT, fontsize=11,
        )  # fmt: skip
        handles = [Patch(facecolor=colour, label=name) for name, colour in zip(NAMES, COLOURS)]
        figure.legend(
            handles=handles, title="after a month that was", ncols=3, frameon=False,
            loc="upper right", bbox_to_anchor=(0.98, 0.98), title_fontsize=10,
        )  # fmt: skip
        series(figure.add_subplot(grid[0, :]), market, famous)
        heat_map(figure, grid[1, 0], market, kernel, components)
        scatter(figure.add_subplot(grid[1, 1]), market, components, famous)
        permutations(figure, grid[1, 2], tests)
        figure.savefig(output, dpi=130)
        plt.close(figure)


def series(axes, market, famous):
    dates = market.dates.astype("datetime64[D]")
    for day, regime in zip(market.first, market.regime):
        axes.axvspan(dates[day], dates[day + DAYS], color=COLOURS[regime], alpha=0.2 if regime == 1 else 0.3, lw=0)
    for column, name, colour, width in ((1, "NASDAQ", FAINT, 1.0), (0, "S&P 500", INK, 1.5)):
        level = 100 * np.exp(market.log_prices[:, column] - market.log_prices[0, column])
        axes.plot(dates, level, color=colour, lw=width)
        axes.annotate(
            name, (dates[-1], level[-1]), xytext=(6, 0), textcoords="offset points",
            color=colour, va="center", weight="bold", annotation_clip=False,
        )  # fmt: skip
    axes.set_yscale("log")
    axes.set_yticks([50, 100, 200, 300], ["50", "100", "200", "300"])
    axes.minorticks_off()
    axes.set_ylim(40, 520)
    axes.set_xlim(dates[0], dates[-1] + np.timedelta64(330, "D"))
    axes.xaxis.set_major_locator(mdates.YearLocator(2))
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%Y"))
    for turn, (name, date) in enumerate(famous):
        day, height = np.datetime64(date), 0.95 - 0.07 * ((len(famous) - 1 - turn) % 2)
        axes.axvline(day, color=INK, lw=0.7, ls=(0, (2, 2)), ymax=height - 0.025)
        place = axes.get_xaxis_transform()
        axes.text(day, height, name, transform=place, ha="center", va="center", fontsize=9)
    axes.set_title("The series and its regimes (January 1999 = 100)")


def heat_map(figure, place, market, kernel, components):
    inner = place.subgridspec(2, 2, width_ratios=(1, 26), height_ratios=(26, 1), wspace=0.02, hspace=0.02)
    axes = figure.add_subplot(inner[0, 1])
    order = np.lexsort((components[0][:, 0], market.regime))
    ordered = kernel[np.ix_(order, order)]
    image = axes.imshow(ordered, cmap="magma", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_title("Similarity of months")
    edges = np.cumsum(np.bincount(market.regime))[:-1] - 0.5
    for edge in edges:
        axes.axhline(edge, color="white", lw=0.8)
        axes.axvline(edge, color="white", lw=0.8)
    stripe = np.array([matplotlib.colors.to_rgb(COLOURS[regime]) for regime in market.regime[order]])
    for where, picture in ((inner[0, 0], stripe[:, None]), (inner[1, 1], stripe[None])):
        side = figure.add_subplot(where)
        side.imshow(picture, aspect="auto", interpolation="nearest")
        side.set(xticks=[], yticks=[])
        side.spines[:].set_visible(False)
    side.set_xlabel("in each regime ordered by component 1: from falling to rising", fontsize=9)
    scale = axes.inset_axes((1.02, 0.0, 0.03, 1.0))
    bar = figure.colorbar(image, cax=scale, ticks=[0, 0.5, 1])
    bar.outline.set_visible(False)


def scatter(axes, market, components, famous):
    points, shares = components
    for regime in (1, 0, 2):
        chosen = market.regime == regime
        size = 14 + 260 * market.volatility[chosen]
        axes.scatter(*points[chosen].T, s=size, color=COLOURS[regime], alpha=0.75, edgecolor=PAPER, lw=0.6)
    centre = points.mean(axis=0)
    for name, date in famous:
        window = int(np.searchsorted(market.first, market.day(date) + DAYS // 2)) - 1
        outward = points[window] - centre
        outward = 17 * outward / np.hypot(*outward)
        axes.annotate(
            name, points[window], xytext=outward, textcoords="offset points",
            ha="left" if outward[0] > 0 else "right", va="center", fontsize=9,
            arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.7, "shrinkA": 1, "shrinkB": 2},
        )  # fmt: skip
    axes.margins(0.38, 0.08)
    axes.set_xticks([])
    axes.set_yticks([])
    quantities = ("return", market.returns), ("volatility", market.volatility)
    for number, (name, values) in enumerate(quantities):
        correlation = np.corrcoef(points[:, number], values)[0, 1]
        text = f"component {number + 1}: {shares[number]:.0%} of variance; correlation with {name} {correlation:.2f}"
        (axes.set_ylabel if number else axes.set_xlabel)(text, fontsize=9, labelpad=9)
    axes.set_title("Months in the plane (area: own volatility)")


def permutations(figure, place, tests):
    inner = place.subgridspec(len(tests), 1, hspace=0.6)
    for row, (name, squared, relabelled, p) in enumerate(tests):
        axes = figure.add_subplot(inner[row])
        axes.hist(relabelled, bins=40, color="#cfcabd")
        axes.axvline(squared, color=COLOURS[2], lw=2)
        axes.set_xlim(0, 1.12 * max(squared, np.quantile(relabelled, 0.999)))
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.locator_params(axis="x", nbins=4)
        axes.text(0.62, 0.8, f"p = {p:.2g}", transform=axes.transAxes, ha="center", weight="bold", fontsize=10.5)
        axes.set_title(name, fontsize=10, weight="normal", pad=4)
    heading = figure.add_subplot(place, frameon=False, xticks=[], yticks=[])
    heading.set_title("After calm as after turbulent? MMD²", y=1.035)
